//! Copies from target to target that are under way, for a process that is asked to stop.
//!
//! When the process is asked to stop, the future of a copy is dropped at its next await. Its upload
//! would then stay open until a later `sawmill recover`, so it is aborted first, in the time that the
//! process has for its end.

use super::table::Table;
use crate::documents::StagedFile;
use crate::error::{ErrorKind, Result};
use crate::store::Store;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Staged files of copies that are neither visible nor removed, by number.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenCopies(Arc<Mutex<Open>>);

#[derive(Debug, Default)]
struct Open {
    given: u64,
    files: BTreeMap<u64, (Arc<dyn Store>, StagedFile)>,
}

impl OpenCopies {
    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// A copy has begun; gives its number.
    pub(super) fn copy_begins(&self, to: &Arc<dyn Store>, staged: StagedFile) -> u64 {
        self.cancel.shutdown().copied(&to.describe().url, staged.staging.handle());
        let mut open = self.copies.open();
        open.given += 1;
        let number = open.given;
        open.files.insert(number, (Arc::clone(to), staged));
        number
    }

    /// A copy is visible or removed.
    pub(super) fn copy_ended(&self, number: u64) {
        if let Some((to, staged)) = self.copies.open().files.remove(&number) {
            self.cancel.shutdown().removed(&to.describe().url, staged.staging.handle());
        }
    }

    /// Waits for work that is dropped when somebody asks to stop. The copies that it has begun are
    /// removed then, as far as `engine.shutdown_seconds` allow.
    ///
    /// # Errors
    /// Those of the work, and [`ErrorKind::Interrupted`].
    pub async fn until_stopped<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let done = self.cancel.or(work).await;
        if done.as_ref().is_err_and(|error| matches!(error.kind(), ErrorKind::Interrupted)) {
            self.remove_open_copies().await;
        }
        done
    }

    async fn remove_open_copies(&self) {
        let open = std::mem::take(&mut self.copies.open().files);
        let removals = open.into_values().map(|(to, staged)| async move {
            let url = &to.describe().url;
            match self.cancel.in_time(to.abort(&staged)).await {
                Some(Ok(())) => self.cancel.shutdown().removed(url, staged.staging.handle()),
                Some(Err(error)) => {
                    tracing::warn!(%error, url, "a copy that was stopped could not be removed")
                }
                // The last words name it.
                None => {}
            }
        });
        futures::future::join_all(removals).await;
    }
}
