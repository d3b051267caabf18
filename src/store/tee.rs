//! Encode once, stage everywhere: a `Write` whose parts go to every target.
//!
//! Input: the bytes of one encoded file, from one blocking thread. Output: a
//! [`TeeFile`], durable and invisible in every target, or an error and nothing.
//! A task for each target and file owns the staged file there from beginning
//! to end: whatever stops it short (a failed part, a dropped writer, another
//! target's failure, [`TeeFactory::abort_all`]), that task removes it again.

use super::{StagedFile, StagedPart, StagedWrite, Store};
use crate::error::{Error, ErrorKind, Result};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The unit of the semaphore: bytes themselves would overflow its `u32`.
const PERMIT_BYTES: usize = 1024;

/// Makes [`TeeWriter`]s that share the targets and one budget of bytes in flight.
#[derive(Debug, Clone)]
pub struct TeeFactory {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stores: Vec<Arc<dyn Store>>,
    runtime: Handle,
    /// Parts between the writers and the slowest target, in [`PERMIT_BYTES`].
    in_flight: Arc<Semaphore>,
    permits: u32,
    part_bytes: usize,
    given_up: CancellationToken,
    tasks: TaskTracker,
    /// What could not be removed when it should have been: (target, file).
    left_over: Mutex<Vec<(usize, StagedFile)>>,
}

/// A file that is staged in every target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeeFile {
    /// Final key, relative to each target's URL.
    pub key: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, 64 hexadecimal digits.
    pub sha256: String,
    /// One for each target, in their order.
    pub staged: Vec<StagedFile>,
}

impl TeeFactory {
    /// A factory for these targets. `in_flight_bytes` bounds the parts that were
    /// handed over and are not acknowledged by every target; a part counts once,
    /// however many targets there are, and one part always has room.
    pub fn new(stores: Vec<Arc<dyn Store>>, runtime: Handle, in_flight_bytes: usize) -> Self {
        let part_bytes = stores.iter().map(|store| store.part_bytes()).max().unwrap_or(1).max(1);
        let permits = permits(in_flight_bytes.max(part_bytes));
        let shared = Shared {
            stores,
            runtime,
            in_flight: Arc::new(Semaphore::new(permits as usize)),
            permits,
            part_bytes,
            given_up: CancellationToken::new(),
            tasks: TaskTracker::new(),
            left_over: Mutex::default(),
        };
        TeeFactory { shared: Arc::new(shared) }
    }

    /// Begins a file in every target. Returns at once: a target that refuses
    /// fails a later write or [`TeeWriter::finish`].
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] after [`TeeFactory::abort_all`].
    pub fn begin(&self, key: &str) -> Result<TeeWriter> {
        if self.shared.given_up.is_cancelled() {
            return Err(ErrorKind::Interrupted.into());
        }
        let failure = Arc::new(Failure::default());
        let uploads = (0..self.shared.stores.len())
            .map(|target| {
                let (messages, inbox) = mpsc::unbounded_channel();
                let (outcome, staged) = oneshot::channel();
                let upload = Upload {
                    shared: Arc::clone(&self.shared),
                    failure: Arc::clone(&failure),
                    target,
                    key: key.to_owned(),
                };
                self.shared.tasks.spawn_on(upload.run(inbox, outcome), &self.shared.runtime);
                TargetUpload { messages, staged }
            })
            .collect();
        Ok(TeeWriter {
            shared: Arc::clone(&self.shared),
            failure,
            key: key.to_owned(),
            uploads,
            buffer: Vec::new(),
            digest: Sha256::new(),
            bytes: 0,
            parts: 0,
        })
    }

    /// Removes, from every target, each file that was begun and not handed out
    /// as a [`TeeFile`], and begins no more. Blocks; writers that are still
    /// alive fail. What cannot be removed is logged.
    ///
    /// Call it from a thread that does not belong to Tokio.
    pub fn abort_all(&self) {
        let shared = &self.shared;
        shared.given_up.cancel();
        shared.tasks.close();
        shared.runtime.block_on(async {
            shared.tasks.wait().await;
            let left_over = std::mem::take(&mut *shared.left_over());
            for (target, staged) in left_over {
                if let Err(error) = shared.stores[target].abort(&staged).await {
                    tracing::warn!(%error, key = staged.key, "a staged file could not be removed");
                }
            }
        });
    }
}

impl Shared {
    fn left_over(&self) -> std::sync::MutexGuard<'_, Vec<(usize, StagedFile)>> {
        self.left_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes a staged file, or keeps it for [`TeeFactory::abort_all`].
    async fn abort(&self, target: usize, staged: StagedFile) {
        if let Err(error) = self.stores[target].abort(&staged).await {
            tracing::debug!(%error, key = staged.key, "a staged file could not be removed yet");
            self.left_over().push((target, staged));
        }
    }
}

fn permits(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(PERMIT_BYTES)).unwrap_or(u32::MAX)
}

/// The first failure of a file, in whichever target.
#[derive(Debug, Default)]
struct Failure {
    failed: CancellationToken,
    error: Mutex<Option<Error>>,
}

impl Failure {
    fn set(&self, error: Error) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.failed.cancel();
    }

    fn take(&self) -> Option<Error> {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What a writer tells the task of one target.
enum Message {
    Part { number: u32, offset: u64, body: Bytes, permit: Arc<OwnedSemaphorePermit> },
    Finish,
}

/// The writer's ends of the channels to the task of one target.
struct TargetUpload {
    messages: mpsc::UnboundedSender<Message>,
    /// Closed without a value if the file was not staged.
    staged: oneshot::Receiver<StagedFile>,
}

/// The task that owns one file in one target.
struct Upload {
    shared: Arc<Shared>,
    failure: Arc<Failure>,
    target: usize,
    key: String,
}

impl Upload {
    async fn run(self, inbox: mpsc::UnboundedReceiver<Message>, outcome: oneshot::Sender<StagedFile>) {
        let write: Arc<dyn StagedWrite> = match self.shared.stores[self.target].begin(&self.key).await {
            Ok(write) => Arc::from(write),
            Err(error) => return self.failure.set(error),
        };
        let handle = write.handle();
        let sealed = tokio::select! {
            sealed = stage(write, inbox) => sealed,
            () = self.shared.given_up.cancelled() => Err(ErrorKind::Interrupted.into()),
            () = self.failure.failed.cancelled() => Ok(None),
        };
        match sealed {
            Ok(Some(staged)) => {
                // The writer may have given up in the meantime.
                let Err(staged) = outcome.send(staged) else { return };
                self.shared.abort(self.target, staged).await;
            }
            Ok(None) => self.shared.abort(self.target, handle).await,
            Err(error) => {
                self.failure.set(error);
                self.shared.abort(self.target, handle).await;
            }
        }
    }
}

/// Writes parts as they come, concurrently, and seals the file at its end.
/// `None` if the writer was dropped before.
async fn stage(
    write: Arc<dyn StagedWrite>,
    mut inbox: mpsc::UnboundedReceiver<Message>,
) -> Result<Option<StagedFile>> {
    let mut flying: JoinSet<Result<StagedPart>> = JoinSet::new();
    let mut parts = Vec::new();
    let mut open = true;
    while open || !flying.is_empty() {
        tokio::select! {
            Some(done) = flying.join_next() => match done {
                Ok(part) => parts.push(part?),
                Err(stopped) if stopped.is_panic() => std::panic::resume_unwind(stopped.into_panic()),
                Err(_) => return Err(ErrorKind::Interrupted.into()),
            },
            message = inbox.recv(), if open => match message {
                Some(Message::Part { number, offset, body, permit }) => {
                    let write = Arc::clone(&write);
                    flying.spawn(async move {
                        let part = write.put_part(number, offset, body).await;
                        drop(permit);
                        part
                    });
                }
                Some(Message::Finish) => open = false,
                None => return Ok(None),
            },
        }
    }
    parts.sort_unstable_by_key(|part| part.number);
    write.seal(parts).await.map(Some)
}

/// Writes one file to every target. For one blocking thread; dropped without
/// [`TeeWriter::finish`], it leaves nothing behind.
pub struct TeeWriter {
    shared: Arc<Shared>,
    failure: Arc<Failure>,
    key: String,
    uploads: Vec<TargetUpload>,
    buffer: Vec<u8>,
    digest: Sha256,
    bytes: u64,
    parts: u32,
}

impl std::fmt::Debug for TeeWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TeeWriter")
            .field("key", &self.key)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl TeeWriter {
    /// Bytes that wait to become a part.
    pub fn bytes_buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The error behind a failed write, once; `io::Error` cannot carry it
    /// through the Parquet library.
    pub fn take_error(&self) -> Option<Error> {
        self.failure.take()
    }

    /// Waits until every target holds the whole file, durably.
    ///
    /// # Errors
    /// The first failure in any target; then no target holds the file.
    pub fn finish(mut self) -> Result<TeeFile> {
        // A file without bytes still has a part: S3 completes none without.
        if !self.buffer.is_empty() || self.parts == 0 {
            self.send_part().ok_or_else(|| self.failed())?;
        }
        // Held to the verdict, so that `abort_all` waits for it.
        let _undecided = self.shared.tasks.token();
        let mut outcomes = Vec::with_capacity(self.uploads.len());
        for upload in self.uploads.drain(..) {
            // A task that is gone has left its error in `failure`.
            let _ = upload.messages.send(Message::Finish);
            outcomes.push(upload.staged);
        }
        let shared = &self.shared;
        let staged = shared.runtime.block_on(async {
            let mut staged = Vec::with_capacity(outcomes.len());
            for (target, outcome) in outcomes.into_iter().enumerate() {
                if let Ok(file) = outcome.await {
                    staged.push((target, file));
                }
            }
            let complete = staged.len() == shared.stores.len() && !shared.given_up.is_cancelled();
            if complete {
                return Some(staged.into_iter().map(|(_, file)| file).collect());
            }
            for (target, file) in staged {
                shared.abort(target, file).await;
            }
            None
        });
        let staged = staged.ok_or_else(|| self.failed())?;
        let sha256 = hex::encode(std::mem::take(&mut self.digest).finalize());
        Ok(TeeFile { key: std::mem::take(&mut self.key), bytes: self.bytes, sha256, staged })
    }

    fn failed(&self) -> Error {
        self.failure.take().unwrap_or_else(|| ErrorKind::Interrupted.into())
    }

    fn refusal(&self) -> io::Error {
        io::Error::other(format!("{} was given up in a target", self.key))
    }

    /// Hands the buffer to every target; blocks while too much is in flight.
    /// `None` if the file has failed.
    fn send_part(&mut self) -> Option<()> {
        let body = Bytes::from(std::mem::take(&mut self.buffer));
        let wanted = permits(body.len()).min(self.shared.permits);
        let permit = self.shared.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.failure.failed.cancelled() => None,
                () = self.shared.given_up.cancelled() => None,
                permit = Arc::clone(&self.shared.in_flight).acquire_many_owned(wanted) => permit.ok(),
            }
        });
        let permit = Arc::new(permit?);
        self.parts += 1;
        let offset = self.bytes - body.len() as u64;
        for upload in &self.uploads {
            let part =
                Message::Part { number: self.parts, offset, body: body.clone(), permit: Arc::clone(&permit) };
            // A task that is gone has left its error in `failure`.
            let _ = upload.messages.send(part);
        }
        Some(())
    }
}

impl io::Write for TeeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failure.failed.is_cancelled() || self.shared.given_up.is_cancelled() {
            return Err(self.refusal());
        }
        let room = self.shared.part_bytes - self.buffer.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.buffer.extend_from_slice(taken);
        self.digest.update(taken);
        self.bytes += taken.len() as u64;
        if self.buffer.len() == self.shared.part_bytes {
            self.send_part().ok_or_else(|| self.refusal())?;
        }
        Ok(taken.len())
    }

    /// Does nothing: parts but the last have one size.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[path = "tee_tests.rs"]
mod tests;
