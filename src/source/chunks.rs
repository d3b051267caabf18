//! Bytes on their way from where they are waited for to a blocking thread.

use super::failure;
use crate::error::count::count;
use crate::error::{ErrorKind, Result, StoreReason};
use crate::runtime::Cancel;
use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Chunks of one object, in order. Dropping it stops what sends them.
#[derive(Debug)]
pub(super) struct Chunks {
    receiver: mpsc::Receiver<Result<Bytes>>,
    url: String,
    /// Bytes that are still to come, where that is known.
    left: Option<u64>,
    runtime: Handle,
    cancel: Cancel,
    sender: Option<AbortHandle>,
}

impl Chunks {
    /// What arrives at `receiver`: `bytes` of `url`, if their number is known.
    pub(super) fn new(
        receiver: mpsc::Receiver<Result<Bytes>>,
        url: &str,
        bytes: Option<u64>,
        runtime: Handle,
        cancel: Cancel,
    ) -> Self {
        Chunks { receiver, url: url.to_owned(), left: bytes, runtime, cancel, sender: None }
    }

    /// The task to stop when the rest is not wanted.
    pub(super) fn sent_by(mut self, task: AbortHandle) -> Self {
        self.sender = Some(task);
        self
    }

    /// From now on, this flag ends a wait.
    pub(super) fn stop_with(&mut self, cancel: Cancel) {
        self.cancel = cancel;
    }

    /// The next bytes in order, `None` at the end. Blocks.
    ///
    /// # Errors
    /// What the sender met; a source error if it ended early;
    /// [`ErrorKind::Interrupted`].
    pub(super) fn next(&mut self) -> Result<Option<Bytes>> {
        let received = self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => Some(Err(ErrorKind::Interrupted.into())),
                received = self.receiver.recv() => received,
            }
        });
        let chunk = received.transpose()?;
        match (&chunk, &mut self.left) {
            (Some(chunk), Some(left)) => *left = left.saturating_sub(chunk.len() as u64),
            // A sender that died looks like one that is done.
            (None, Some(left)) if *left > 0 => {
                let detail = format!("the reading stopped {} before the end", count(*left, "byte"));
                return Err(failure("read", &self.url, StoreReason::Other, detail).remedy("run again"));
            }
            _ => {}
        }
        Ok(chunk)
    }
}

impl Drop for Chunks {
    fn drop(&mut self) {
        if let Some(task) = &self.sender {
            task.abort();
        }
    }
}

#[cfg(test)]
#[path = "chunks_tests.rs"]
mod tests;
