//! Threads, and the flag that stops them.

use crate::error::{Error, ErrorKind, Result};
use crate::runtime::Budget;
use crate::runtime::shutdown::Shutdown;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio_util::sync::CancellationToken;

/// More than any machine has cores; beyond it, starting them takes minutes.
const MAX_THREADS: usize = 1_024;

/// Threads and shared counters of one process.
#[derive(Debug)]
pub struct Runtime {
    tokio: tokio::runtime::Runtime,
    pool: rayon::ThreadPool,
    cancel: Cancel,
    budget: Budget,
    progress: Arc<Progress>,
}

impl Runtime {
    /// Starts `threads` compute threads (0: one for each core) and two that wait for I/O.
    pub fn new(threads: usize) -> Result<Self> {
        let cannot_start = |cause: &dyn std::fmt::Display| {
            Error::usage(format!("cannot start threads: {cause}"))
                .remedy("raise the process limit (ulimit -u), or lower `engine.threads` (--threads)")
        };
        if threads > MAX_THREADS {
            return Err(cannot_start(&format!("at most {MAX_THREADS} are allowed, got {threads}")));
        }
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("sawmill-io")
            .enable_all()
            .build()
            .map_err(|e| cannot_start(&e))?;
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|n| format!("sawmill-cpu-{n}"))
            .build()
            .map_err(|e| cannot_start(&e))?;
        Ok(Runtime {
            tokio,
            pool,
            cancel: Cancel::default(),
            budget: Budget::default(),
            progress: Arc::default(),
        })
    }

    /// Runs a future to its end on the calling thread; not from within Tokio.
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.tokio.block_on(future)
    }

    /// The same for work of which nothing is left to do when somebody asks to stop: it is
    /// dropped at its next wait, with [`ErrorKind::Interrupted`].
    pub fn wait<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.block_on(self.cancel.or(work))
    }

    /// For spawning I/O from other threads.
    pub fn handle(&self) -> tokio::runtime::Handle {
        self.tokio.handle().clone()
    }

    /// The compute threads.
    pub fn pool(&self) -> &rayon::ThreadPool {
        &self.pool
    }

    /// The flag that stops the work.
    pub fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// The bytes that the work holds.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// What has been done so far.
    pub fn progress(&self) -> &Arc<Progress> {
        &self.progress
    }
}

/// A flag that asks every stage to stop at its next block, and wakes those that
/// wait. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    token: CancellationToken,
    shutdown: Arc<Shutdown>,
}

impl Cancel {
    /// Asks to stop.
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// Asks the whole process to stop: its time runs from now on.
    pub fn shut_down(&self) {
        self.shutdown.begin();
        self.token.cancel();
    }

    /// How the process comes to its end.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Whether somebody asked.
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// [`ErrorKind::Interrupted`] if somebody asked.
    pub fn check(&self) -> Result<()> {
        if self.is_cancelled() { Err(ErrorKind::Interrupted.into()) } else { Ok(()) }
    }

    /// Waits until somebody asks.
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// A flag that this one sets and that does not set this one: a task stops
    /// its own threads with it, and the process goes on.
    #[must_use]
    pub fn child(&self) -> Cancel {
        Cancel { token: self.token.child_token(), shutdown: Arc::clone(&self.shutdown) }
    }

    /// Waits for `work`, or drops it with [`ErrorKind::Interrupted`] when
    /// somebody asks to stop.
    pub async fn or<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancelled() => Err(ErrorKind::Interrupted.into()),
            done = work => done,
        }
    }

    /// Waits for work that may be the clean-up itself: when somebody has asked to stop, for
    /// as long as the process has time, and `None` then.
    pub async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let out_of_time = async {
            self.cancelled().await;
            tokio::time::sleep(self.shutdown.left()).await;
        };
        tokio::select! {
            biased;
            done = work => Some(done),
            () = out_of_time => None,
        }
    }

    /// Adds to an interruption what is left of the run, and who sees to it.
    #[must_use]
    pub fn with_last_words(&self, error: Error) -> Error {
        if !matches!(error.kind(), ErrorKind::Interrupted) || error.what_to_do().is_some() {
            return error;
        }
        error.remedy(self.shutdown.last_words().unwrap_or_else(|| {
            "nothing of the run was made visible, and no staged file of it is left: run it again".to_owned()
        }))
    }
}

/// Counters that a progress display reads while the work goes on.
#[derive(Debug, Default)]
pub struct Progress {
    /// Bytes of the inputs as stored, over all inputs; 0 while unknown.
    pub total_bytes: AtomicU64,
    /// Bytes of the inputs read so far, as stored.
    pub read_bytes: AtomicU64,
    /// Data records parsed so far.
    pub records: AtomicU64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_child_stops_with_its_parent_and_not_the_other_way_round() {
        let parent = Cancel::default();
        let (first, second) = (parent.child(), parent.child());
        first.cancel();
        assert!(first.or(std::future::pending::<Result<()>>()).await.is_err());
        assert!(parent.check().is_ok() && second.check().is_ok());
        parent.clone().cancel();
        second.cancelled().await;
        assert!(second.check().is_err());
    }

    #[tokio::test]
    async fn a_clean_up_has_the_time_that_is_left_and_no_more() {
        let cancel = Cancel::default();
        cancel.shutdown().take_at_most(1);
        assert_eq!(cancel.in_time(async { 1 }).await, Some(1));
        let begun = std::time::Instant::now();
        cancel.shut_down();
        assert_eq!(cancel.in_time(std::future::pending::<()>()).await, None);
        let waited = begun.elapsed().as_secs_f64();
        assert!((0.8..5.0).contains(&waited), "{waited}");
        assert_eq!(cancel.in_time(async { 1 }).await, Some(1), "what is done at once is done");
    }
}
