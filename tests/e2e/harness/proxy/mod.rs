//! A proxy in front of one region that counts its requests and lets them go
//! wrong: the network and S3 as they are on a bad day.
//!
//! Requests go through one at a time for each connection, whole and unchanged
//! but for `Connection`, `Expect` and the framing of their bodies; the `Host`
//! that was signed stays. Nothing of the code under test runs here.

mod fault;
mod gate;
mod http;
mod operation;

pub(crate) use fault::{Fault, Faults};
pub(crate) use gate::{Gate, Moment};
pub(crate) use operation::{Matching, Operation};

use super::moto::{Bucket, Region};
use fault::Plan;
use http::{Headers, Request, Response};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Ports that no kernel gives out by itself (Linux begins at 32768), so that
/// nobody takes that of a region while it is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// `http://127.0.0.1:<port>`
    pub(crate) endpoint: String,
    region: &'static str,
    port: u16,
    shared: Arc<Shared>,
    acceptor: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    /// `127.0.0.1:<port>` of the server.
    server: String,
    closing: AtomicBool,
    accepted: AtomicU64,
    /// Of clients, to be closed when the region goes down; by their number.
    connections: Mutex<HashMap<u64, TcpStream>>,
    plan: Mutex<Plan>,
    exchanges: Mutex<Vec<Exchange>>,
}

/// One request that reached the proxy.
#[derive(Debug, Clone)]
pub(crate) struct Exchange {
    pub(crate) operation: Operation,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) fault: Option<Fault>,
    /// When it reached the proxy.
    pub(crate) begun: Instant,
    /// When the server answered, and with which status; `None` as long as it
    /// has not, or was not asked. Comparable between proxies.
    pub(crate) answered: Option<(Instant, u16)>,
    headers: Headers,
}

impl Exchange {
    /// A header of the request.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}

impl Proxy {
    /// A proxy of the caller's own in front of a region.
    pub(crate) fn before(region: &Region) -> Proxy {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let server = region.endpoint.strip_prefix("http://").expect("plain HTTP").to_owned();
        // Test processes that run at the same time begin at different ports.
        let begin = std::process::id().wrapping_mul(61) as u16;
        let (listener, port) = (0..PORTS.len())
            .find_map(|_| {
                let offset = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS.len() as u16;
                let port = PORTS.start + offset;
                Some((TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?, port))
            })
            .expect("a free port");
        let shared = Shared {
            server,
            closing: AtomicBool::new(false),
            accepted: AtomicU64::new(0),
            connections: Mutex::default(),
            plan: Mutex::default(),
            exchanges: Mutex::default(),
        };
        let proxy = Proxy {
            endpoint: format!("http://127.0.0.1:{port}"),
            region: region.name,
            port,
            shared: Arc::new(shared),
            acceptor: Mutex::default(),
        };
        proxy.accept(listener);
        proxy
    }

    /// Where clients reach the region through the proxy.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// A `[[targets]]` table of a job file for a prefix of a bucket, through the proxy.
    pub(crate) fn target(&self, bucket: &Bucket<'_>, prefix: &str) -> String {
        bucket.target_at(&self.endpoint, prefix)
    }

    /// The `[source]` table of a job file for keys of a bucket, through the proxy.
    pub(crate) fn source(&self, bucket: &Bucket<'_>, keys: &str) -> String {
        bucket.source_at(&self.endpoint, keys)
    }

    /// Something goes wrong with these requests, counted from 1 and from now
    /// on; the first rule that has a fault for a request decides.
    pub(crate) fn fault(&self, of: impl Into<Matching>, which: RangeInclusive<u64>, fault: Fault) {
        lock(&self.shared.plan).fault(of.into(), which, fault);
    }

    /// Holds the `nth` of these requests, counted from 1 and from now on.
    pub(crate) fn hold(&self, of: impl Into<Matching>, nth: u64, moment: Moment) -> Gate {
        let of = of.into();
        let (gate, checkpoint) = gate::pair(moment, format!("request {nth} of {of:?}"));
        lock(&self.shared.plan).gate(of, nth, checkpoint);
        gate
    }

    /// Faults by chance for requests that no rule has a fault for. If the test
    /// fails, the seed is printed.
    pub(crate) fn random(&self, faults: Faults) {
        lock(&self.shared.plan).random(faults);
    }

    /// From now on nothing goes wrong by itself. Gates stay.
    pub(crate) fn heal(&self) {
        lock(&self.shared.plan).heal();
    }

    /// Connections break, and new ones are refused. What the server was asked
    /// before it still does.
    pub(crate) fn down(&self) {
        let Some(acceptor) = lock(&self.acceptor).take() else { return };
        self.shared.closing.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which closes its socket.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        acceptor.join().expect("the acceptor does not panic");
        for (_, connection) in lock(&self.shared.connections).drain() {
            // Fails if the client was the first to leave.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// The region is there again, with all it held.
    pub(crate) fn up(&self) {
        if lock(&self.acceptor).is_some() {
            return;
        }
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, self.port));
        self.accept(listener.unwrap_or_else(|error| panic!("port {} was taken: {error}", self.port)));
    }

    /// How many of these requests came.
    pub(crate) fn count(&self, of: impl Into<Matching>) -> usize {
        let of = of.into();
        let exchanges = lock(&self.shared.exchanges);
        exchanges.iter().filter(|exchange| of.holds(exchange.operation, &exchange.key)).count()
    }

    /// Whether something has gone wrong with a request so far.
    pub(crate) fn has_struck(&self) -> bool {
        lock(&self.shared.exchanges).iter().any(|exchange| exchange.fault.is_some())
    }

    /// How many requests came, by operation.
    pub(crate) fn counts(&self) -> BTreeMap<Operation, usize> {
        let mut counts = BTreeMap::new();
        for exchange in lock(&self.shared.exchanges).iter() {
            *counts.entry(exchange.operation).or_default() += 1;
        }
        counts
    }

    /// Every request that came, in order.
    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        lock(&self.shared.exchanges).clone()
    }

    fn accept(&self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        shared.closing.store(false, Ordering::SeqCst);
        let acceptor = thread::spawn(move || {
            loop {
                let Ok((client, _)) = listener.accept() else { continue };
                if shared.closing.load(Ordering::SeqCst) {
                    return;
                }
                let number = shared.accepted.fetch_add(1, Ordering::Relaxed);
                let Ok(other_half) = client.try_clone() else { continue };
                lock(&shared.connections).insert(number, other_half);
                let shared = Arc::clone(&shared);
                thread::spawn(move || {
                    // A broken connection is the peers' to deal with.
                    let _ = shared.serve(&client);
                    let _ = client.shutdown(Shutdown::Both);
                    lock(&shared.connections).remove(&number);
                });
            }
        });
        *lock(&self.acceptor) = Some(acceptor);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.down();
        if thread::panicking() {
            let seed = lock(&self.shared.plan).seed();
            eprintln!("the proxy of {} (seed of its faults: {seed:?}) saw:", self.region);
            for exchange in lock(&self.shared.exchanges).iter() {
                eprintln!("  {exchange}");
            }
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.operation, self.bucket, self.key)?;
        match self.answered {
            Some((at, status)) => write!(f, ": {status} after {:?}", at - self.begun)?,
            None => f.write_str(": no answer of the server")?,
        }
        self.fault.map_or(Ok(()), |fault| write!(f, ", {fault:?}"))
    }
}

impl Shared {
    fn serve(&self, client: &TcpStream) -> io::Result<()> {
        // Head and body are written apart; neither should wait for the other.
        client.set_nodelay(true)?;
        let mut requests = BufReader::new(client);
        while let Some(request) = Request::read(&mut requests, client)? {
            if !self.exchange(request, client)? {
                break;
            }
        }
        Ok(())
    }

    /// Gives whether the connection lives on.
    fn exchange(&self, mut request: Request, mut client: &TcpStream) -> io::Result<bool> {
        let (operation, bucket, key) = operation::classify(&request);
        let (fault, gates) = lock(&self.plan).next(operation, &key);
        let begun = Instant::now();
        let (of, headers) = (key.clone(), request.headers.clone());
        let number =
            self.note(Exchange { operation, bucket, key: of, fault, begun, answered: None, headers });
        let pass = |moment| gates.iter().filter(|gate| gate.moment == moment).all(|gate| gate.pass(&key));

        match fault {
            Some(Fault::LoseRequest) => return Ok(false),
            Some(Fault::Hang) => {
                // Until the client leaves; it has nothing to send before an answer.
                let _ = client.read(&mut [0])?;
                return Ok(false);
            }
            Some(Fault::Delay(time)) => thread::sleep(time),
            Some(Fault::FlipUpload) => flip(&mut request.body),
            _ => {}
        }
        if !pass(Moment::Before) {
            return Ok(false);
        }
        let mut response = match fault {
            Some(Fault::Answer(status, code)) => error(status, code),
            Some(Fault::ErrorAfterOk { done: false }) => error(200, "InternalError"),
            _ => self.forward(&request, number)?,
        };
        if !pass(Moment::After) {
            return Ok(false);
        }
        match fault {
            Some(Fault::LoseReply) => return Ok(false),
            Some(Fault::ErrorAfterOk { done: true }) => response = error(200, "InternalError"),
            Some(Fault::HalveReply) => response.body.truncate(response.body.len() / 2),
            Some(Fault::FlipDownload) => flip(&mut response.body),
            _ => {}
        }
        let (head, body) = response.to_bytes(&request.method);
        client.write_all(&head)?;
        match fault {
            Some(Fault::CutReply) => {
                client.write_all(&body[..body.len() / 2])?;
                return Ok(false);
            }
            Some(Fault::Trickle(time)) => trickle(client, body, time)?,
            _ => client.write_all(body)?,
        }
        Ok(!request.is_last())
    }

    fn note(&self, exchange: Exchange) -> usize {
        let mut exchanges = lock(&self.exchanges);
        exchanges.push(exchange);
        exchanges.len() - 1
    }

    /// Asks the server, on a connection of its own.
    fn forward(&self, request: &Request, number: usize) -> io::Result<Response> {
        let server = TcpStream::connect(&self.server)?;
        server.set_nodelay(true)?;
        request.write(&server)?;
        let response = Response::read(&mut BufReader::new(&server), &request.method)?;
        lock(&self.exchanges)[number].answered = Some((Instant::now(), response.status));
        Ok(response)
    }
}

fn error(status: u16, code: &str) -> Response {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Error><Code>{code}</Code><Message>a fault of the test</Message><RequestId>0</RequestId></Error>"
    );
    let headers = Headers::of(&[("Content-Type", "application/xml"), ("x-amz-request-id", "0")]);
    Response { status, headers, body: body.into_bytes() }
}

fn flip(body: &mut [u8]) {
    let middle = body.len() / 2;
    if let Some(byte) = body.get_mut(middle) {
        *byte ^= 1;
    }
}

fn trickle(mut client: &TcpStream, body: &[u8], time: Duration) -> io::Result<()> {
    let pieces = body.chunks(body.len().div_ceil(20).max(1));
    let pause = time / pieces.len().max(1) as u32;
    for piece in pieces {
        client.write_all(piece)?;
        thread::sleep(pause);
    }
    Ok(())
}

/// What is behind these locks is whole after each statement, so a panic of
/// another thread, which fails its own test, leaves nothing broken.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
