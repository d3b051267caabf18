//! A server in front of a region that notes what is asked.

use super::moto::Region;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Hands every request on, and keeps its head.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// `http://127.0.0.1:<port>`, to be used in the place of the region's.
    pub(crate) endpoint: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    /// Starts to listen. Requests are handed on with their connection closed
    /// after each, so that nothing has to be known of the answers.
    pub(crate) fn before(region: &Region) -> Recorder {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has free ports");
        let endpoint = format!("http://{}", listener.local_addr().expect("it is bound"));
        let recorder = Recorder { endpoint, heads: Arc::default() };
        let heads = Arc::clone(&recorder.heads);
        let server = region.endpoint.trim_start_matches("http://").to_owned();
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let (server, heads) = (server.clone(), Arc::clone(&heads));
                std::thread::spawn(move || {
                    // A client that goes away in the middle is its own affair.
                    let _ = hand_on(connection?, &server, &heads);
                    std::io::Result::Ok(())
                });
            }
        });
        recorder
    }

    /// Request line and headers of every request so far, in lower case but for
    /// the request line.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no thread panics").clone()
    }
}

fn hand_on(mut client: TcpStream, server: &str, heads: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut request = String::new();
    if reader.read_line(&mut request)? == 0 {
        return Ok(());
    }
    let (mut headers, mut bytes) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').expect("a header");
        let (name, value) = (name.to_ascii_lowercase(), value.trim());
        match name.as_str() {
            "content-length" => bytes = value.parse().expect("a length"),
            "expect" => client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
            _ => {}
        }
        assert!(name != "transfer-encoding", "bodies of S3 requests have a length");
        if name != "connection" && name != "expect" {
            headers.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    let mut body = vec![0; bytes];
    reader.read_exact(&mut body)?;
    heads.lock().expect("no thread panics").push(format!("{request}{headers}"));
    let mut server = TcpStream::connect(server)?;
    server.write_all(format!("{request}{headers}connection: close\r\n\r\n").as_bytes())?;
    server.write_all(&body)?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer)?;
    // Else the client would send its next request into a connection that ends.
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or_default();
    client.write_all(&answer[..head])?;
    client.write_all(b"\r\nconnection: close")?;
    client.write_all(&answer[head..])
}
