//! Encode once, stage everywhere: a `Write` whose parts go to every target.
//!
//! Input: the bytes of one encoded file, from one blocking thread. Output: a
//! [`TeeFile`], durable and invisible in every target, or an error and nothing.
//! A task for each target and file owns the staged file there until it is
//! sealed: whatever stops it short (a failed part, a dropped writer, another
//! target's failure, a signal), that task removes it again. What it could not
//! remove, and files that are finished, [`TeeFactory::abort_all`] removes,
//! unless [`TeeFactory::keep`] was called.

mod writer;

pub use writer::TeeWriter;

use super::{StagedWrite, StagingStore};
use crate::documents::{StagedFile, StagedPart};
use crate::error::count::count;
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::runtime::{Budget, Cancel, Holder, Lease, Limit};
use bytes::Bytes;
use futures::StreamExt;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Bytes of a part where there is no target, and what is encoded is only counted.
const UNWRITTEN_PART_BYTES: usize = 1 << 20;

/// Staged files that are removed at once in one target.
const ABORTS: usize = 32;

/// Makes [`TeeWriter`]s that share the targets and one limit of bytes in flight.
///
/// Dropped without [`TeeFactory::keep`], on an error or a panic, it does what
/// [`TeeFactory::abort_all`] does; on a thread of Tokio, which may not block,
/// it only stops what is under way.
#[derive(Debug)]
pub struct TeeFactory {
    shared: Arc<Shared>,
    kept: bool,
}

#[derive(Debug)]
struct Shared {
    stores: Vec<Arc<dyn StagingStore>>,
    runtime: Handle,
    budget: Budget,
    /// For parts between the writers and the slowest target.
    in_flight: Limit,
    part_bytes: usize,
    given_up: Cancel,
    /// Time for one request that removes a staged file, and for one that began a file
    /// before the work was given up; less when the process has less. A person who pressed
    /// Ctrl-C waits for these; [`super::Store::list_staged`] finds what is left behind.
    abort_time: Duration,
    /// The tasks of each target: one that hangs should not keep another from being cleaned up.
    tasks: Vec<TaskTracker>,
    /// Targets that did not answer in that time, and are not asked again.
    silent: Vec<AtomicBool>,
    staged: Mutex<Staged>,
}

/// Every file that was begun and not removed, finished or not.
#[derive(Debug, Default)]
struct Staged {
    /// (target, file) by the number that it was given.
    files: BTreeMap<u64, (usize, StagedFile)>,
    given: u64,
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
    /// however many targets there are, and one part always has room. `cancel`
    /// wakes every writer and lets uploads and their retries go.
    pub fn new(
        stores: Vec<Arc<dyn StagingStore>>,
        runtime: Handle,
        budget: &Budget,
        in_flight_bytes: usize,
        cancel: &Cancel,
    ) -> Self {
        let part_bytes = stores.iter().map(|store| store.part_bytes()).max();
        let part_bytes = part_bytes.unwrap_or(UNWRITTEN_PART_BYTES).max(1);
        let tasks = stores.iter().map(|_| TaskTracker::new()).collect();
        let silent = stores.iter().map(|_| AtomicBool::default()).collect();
        let shared = Shared {
            stores,
            runtime,
            budget: budget.clone(),
            in_flight: budget.limit(Holder::Parts, in_flight_bytes.max(part_bytes) as u64),
            part_bytes,
            given_up: cancel.child(),
            abort_time: cancel.shutdown().time(),
            tasks,
            silent,
            staged: Mutex::default(),
        };
        TeeFactory { shared: Arc::new(shared), kept: false }
    }

    /// Counts what the writers hold.
    pub fn budget(&self) -> &Budget {
        &self.shared.budget
    }

    /// Begins a file in every target. Returns at once: a target that refuses
    /// fails a later write or [`TeeWriter::finish`].
    ///
    /// # Errors
    /// [`ErrorKind::Interrupted`] after `cancel` or [`TeeFactory::abort_all`].
    pub fn begin(&self, key: &str) -> Result<TeeWriter> {
        self.shared.given_up.check()?;
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
                self.shared.tasks[target].spawn_on(upload.run(inbox, outcome), &self.shared.runtime);
                TargetUpload { messages, staged }
            })
            .collect();
        Ok(TeeWriter::new(Arc::clone(&self.shared), failure, key.to_owned(), uploads))
    }

    /// Leaves the files that are finished to whoever holds their [`TeeFile`]s.
    pub fn keep(mut self) {
        self.kept = true;
    }

    /// Removes, from every target, each file that was begun, handed out as a
    /// [`TeeFile`] or not, and begins no more. Blocks, for as long as the process may
    /// take to end; writers that are still alive fail. What cannot be removed is logged.
    ///
    /// Call it from a thread that does not belong to Tokio.
    pub fn abort_all(&self) {
        let shared = &self.shared;
        shared.given_up.cancel();
        let targets = (0..shared.stores.len()).map(|target| shared.clean_up(target));
        shared.runtime.block_on(futures::future::join_all(targets));
    }
}

impl Drop for TeeFactory {
    fn drop(&mut self) {
        if self.kept {
            return;
        }
        match Handle::try_current() {
            Err(_) => self.abort_all(),
            Ok(_) => self.shared.given_up.cancel(),
        }
    }
}

impl Shared {
    fn staged(&self) -> MutexGuard<'_, Staged> {
        self.staged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a file that was begun; gives its number.
    fn remember(&self, target: usize, staged: StagedFile) -> u64 {
        let mut held = self.staged();
        held.given += 1;
        let number = held.given;
        let url = &self.stores[target].describe().url;
        self.given_up.shutdown().staged(url, staged.staging.handle());
        held.files.insert(number, (target, staged));
        number
    }

    /// Removes a staged file, or leaves it to [`TeeFactory::abort_all`].
    async fn abort(&self, number: u64, target: usize, staged: &StagedFile) {
        match self.remove(target, staged).await {
            Ok(()) => drop(self.staged().files.remove(&number)),
            Err(error) => {
                tracing::debug!(%error, key = staged.key, "a staged file could not be removed yet");
            }
        }
    }

    /// Waits for the tasks of a target, and removes what they left.
    async fn clean_up(&self, target: usize) {
        self.tasks[target].close();
        self.tasks[target].wait().await;
        let files = {
            let mut held = self.staged();
            let (here, others) =
                std::mem::take(&mut held.files).into_iter().partition(|(_, (of, _))| *of == target);
            held.files = others;
            let here: BTreeMap<u64, (usize, StagedFile)> = here;
            here
        };
        let all = files.len();
        let aborts =
            files.into_values().map(|(_, staged)| async move { self.remove(target, &staged).await.err() });
        let failures = futures::stream::iter(aborts).buffer_unordered(ABORTS).filter_map(std::future::ready);
        let failures: Vec<Error> = failures.collect().await;
        if let Some(error) = failures.first() {
            let (left, url) = (failures.len(), &self.stores[target].describe().url);
            tracing::warn!(%error, url, "{left} of {} could not be removed", count(all, "staged file"));
        }
    }

    async fn remove(&self, target: usize, staged: &StagedFile) -> Result<()> {
        let store = &self.stores[target];
        let time = self.time_left();
        let removed = match self.silent[target].load(Ordering::Relaxed) {
            true => None,
            false => tokio::time::timeout(time, store.abort(staged)).await.ok(),
        };
        let identity = store.describe();
        match removed {
            Some(Ok(())) => {
                self.given_up.shutdown().removed(&identity.url, staged.staging.handle());
                Ok(())
            }
            Some(Err(error)) => Err(error),
            None => {
                self.silent[target].store(true, Ordering::Relaxed);
                Err(ErrorKind::Target(StoreFailure {
                    elapsed: Some(time),
                    ..identity.failure(
                        "remove the staged file of",
                        &staged.key,
                        StoreReason::Unreachable,
                        "no response in the time that the clean-up has",
                    )
                })
                .into())
            }
        }
    }

    /// Time for one request of the clean-up.
    fn time_left(&self) -> Duration {
        self.abort_time.min(self.given_up.shutdown().left())
    }
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
    Part { number: u32, offset: u64, body: Bytes, lease: Arc<Lease> },
    Finish,
}

/// The writer's ends of the channels to the task of one target.
struct TargetUpload {
    messages: mpsc::UnboundedSender<Message>,
    /// Closed without a value if the file was not staged.
    staged: oneshot::Receiver<Sealed>,
}

/// A file that is staged in one target, with its number in [`Staged`].
#[derive(Debug)]
struct Sealed {
    number: u64,
    file: StagedFile,
}

/// The task that owns one file in one target.
struct Upload {
    shared: Arc<Shared>,
    failure: Arc<Failure>,
    target: usize,
    key: String,
}

impl Upload {
    async fn run(self, inbox: mpsc::UnboundedReceiver<Message>, outcome: oneshot::Sender<Sealed>) {
        let (shared, target) = (&self.shared, self.target);
        let write: Arc<dyn StagedWrite> = match self.begin().await {
            Ok(write) => Arc::from(write),
            Err(error) => return self.failure.set(error),
        };
        let handle = write.handle();
        let number = shared.remember(target, handle.clone());
        let sealed = tokio::select! {
            sealed = stage(write, inbox) => sealed,
            () = shared.given_up.cancelled() => Err(ErrorKind::Interrupted.into()),
            () = self.failure.failed.cancelled() => Ok(None),
        };
        match sealed {
            Ok(Some(file)) => {
                // The writer may have given up in the meantime.
                let Err(Sealed { file, .. }) = outcome.send(Sealed { number, file }) else { return };
                shared.abort(number, target, &file).await;
            }
            Ok(None) => shared.abort(number, target, &handle).await,
            Err(error) => {
                // The writer need not wait until the file is gone.
                self.failure.set(error);
                drop(outcome);
                shared.abort(number, target, &handle).await;
            }
        }
    }

    /// Begins the file. If the work is given up while the request is under way, the store may
    /// begin an upload whose id is never learnt and which could not be removed; so the request
    /// gets the time that is left to answer.
    async fn begin(&self) -> Result<Box<dyn StagedWrite>> {
        let given_up = async {
            self.shared.given_up.cancelled().await;
            tokio::time::sleep(self.shared.time_left()).await;
        };
        let store = &self.shared.stores[self.target];
        let (shutdown, url) = (self.shared.given_up.shutdown(), &store.describe().url);
        // By its key: what the store calls it is not known before the response.
        shutdown.staged(url, &self.key);
        tokio::select! {
            begun = store.begin(&self.key) => {
                shutdown.removed(url, &self.key);
                begun
            }
            () = given_up => Err(ErrorKind::Interrupted.into()),
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
                Some(Message::Part { number, offset, body, lease }) => {
                    let write = Arc::clone(&write);
                    flying.spawn(async move {
                        let part = write.put_part(number, offset, body).await;
                        drop(lease);
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

#[cfg(test)]
#[path = "tee_tests.rs"]
mod tests;
