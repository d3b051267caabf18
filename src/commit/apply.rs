//! A decided version → its files are visible in every target.
//!
//! Any process may apply a version, repeatedly and at the same time as others:
//! every request is idempotent. Versions are applied in order, so that a file
//! which a later version removes cannot come back.

use super::decide::Decided;
use super::documents::{Applied, StagedData, applied_key, changes_key};
use super::repair::Repaired;
use super::table::{self, CONCURRENCY, Table};
use crate::documents::{COMMIT_FORMAT, StagedFile, Staging};
use crate::error::Result;
use crate::store::Store;
use futures::{StreamExt, TryStreamExt};
use std::collections::HashSet;

/// Every target holds every file of the version, and none that it removed.
#[derive(Debug, Clone)]
pub struct AppliedEverywhere(pub(super) Decided);

impl Decided {
    /// Makes every file visible, the home target last, and removes what the
    /// version replaces.
    pub async fn apply(self, table: &Table) -> Result<AppliedEverywhere> {
        let lacking = self.lacking(table).await?;
        if !lacking.is_empty() {
            self.make_known(table).await?;
            // After the copies: whoever makes another target home leaves word in each target, and
            // then reads the copies. If no word is seen here, this version is seen there.
            table.check_epoch(self.tenure.epoch).await?;
        }
        // The log says that it is decided; home going last, whoever reads only
        // there sees it when the others hold it.
        for target in lacking.into_iter().rev() {
            let applied = self.apply_in(table, target).await;
            #[cfg(test)]
            if table.is_broken(table::Broken::Gate) {
                continue;
            }
            applied?;
        }
        Ok(AppliedEverywhere(self))
    }

    /// Targets that do not say that they hold the version.
    async fn lacking(&self, table: &Table) -> Result<Vec<usize>> {
        let mut lacking = Vec::new();
        for (target, store) in table.stores().iter().enumerate() {
            let applied = table.is_applied(store.as_ref(), self.version(), &self.changes.attempt).await;
            #[cfg(test)]
            if table.is_broken(table::Broken::Gate) && applied.is_err() {
                continue;
            }
            if !applied? {
                lacking.push(target);
            }
        }
        Ok(lacking)
    }

    /// Keeps a copy of the commit in every target but home, before a file is visible in any.
    /// So whatever a reader has seen anywhere, each target knows to be of the table, should
    /// home and its log be lost. What is older than the epoch, the entry says with which it begins.
    async fn make_known(&self, table: &Table) -> Result<()> {
        if self.version() <= self.tenure.started {
            return Ok(());
        }
        let kept = futures::stream::iter(table.stores().iter().enumerate().skip(1))
            .map(async |(target, store)| {
                if self.changes.all_files().any(|file| staged_in(file, target).is_none()) {
                    self.keep_changes(table, store.as_ref()).await?;
                }
                table.keep_copy(store.as_ref(), &self.committed, self.tenure.epoch).await
            })
            .buffered(CONCURRENCY)
            .try_collect::<()>()
            .await;
        #[cfg(test)]
        if table.is_broken(table::Broken::Gate) {
            return Ok(());
        }
        kept
    }

    /// Keeps what the commit does in a target that did not answer when it was decided.
    async fn keep_changes(&self, table: &Table, store: &dyn Store) -> Result<()> {
        let commit = &self.committed.commit;
        let key = changes_key(&commit.attempt, &commit.changes_sha256);
        store.create(&key, table.changes_as_written(commit).await?.1).await.map(drop)
    }

    async fn apply_in(&self, table: &Table, target: usize) -> Result<()> {
        let store = table.stores()[target].as_ref();
        let version = self.version();
        let repaired: u64 = futures::stream::iter(self.changes.all_files())
            .map(|file| self.complete(table, file, target))
            .buffered(CONCURRENCY)
            .try_fold(0, async |sum, repaired| Ok(sum + u64::from(repaired)))
            .await?;
        if self.changes.all_files().any(|file| staged_in(file, target).is_none()) {
            self.keep_changes(table, store).await?;
        }
        if repaired > 0 {
            table.note_repair(&mut table.history().await?, target, repaired).await?;
        }
        let deletes = self.changes.deletes.get(target).map_or(&[][..], Vec::as_slice);
        if !deletes.is_empty() {
            table.check_epoch_in(store, self.tenure.epoch).await?;
        }
        abort_copies(store, deletes).await?;
        futures::stream::iter(deletes)
            .map(|key| store.delete(key))
            .buffered(CONCURRENCY)
            .try_collect::<()>()
            .await?;
        let applied = Applied {
            format: COMMIT_FORMAT,
            version,
            attempt: self.changes.attempt.clone(),
            at: table.time(),
            files: self.changes.all_files().count() as u64,
            bytes: self.changes.all_files().map(|file| file.file.bytes).sum(),
            deleted: deletes.len() as u64,
        };
        store.create(&applied_key(version), table::json(&applied)).await?;
        tracing::info!(version, target = store.describe().url, "visible");
        Ok(())
    }

    /// Makes one file visible. What held it may be gone for a good reason: another
    /// runner has applied the version, and a later one may have removed the file since.
    /// Else it was lost, and is copied from a target that has it; true if so.
    async fn complete(&self, table: &Table, file: &StagedData, target: usize) -> Result<bool> {
        let store = table.stores()[target].as_ref();
        let Some(staged) = staged_in(file, target) else {
            return match table.repair_file(file, self.version(), target, self.tenure).await? {
                Repaired::NoTwin => Err(super::lost_everywhere(store, &file.file.key)),
                Repaired::There | Repaired::Removed => Ok(false),
                Repaired::Copied => Ok(true),
            };
        };
        let Err(error) = store.complete(staged).await else { return Ok(false) };
        if table.is_applied(store, self.version(), &self.changes.attempt).await? {
            return Ok(false);
        }
        // Busy, forbidden or lost: the target's own list of what is staged tells.
        let Ok(open) = store.list_staged(Some(&file.file.key)).await else { return Err(error) };
        if open.iter().any(|open| open.staging.handle() == staged.staging.handle()) {
            return Err(error);
        }
        match table.repair_file(file, self.version(), target, self.tenure).await? {
            Repaired::NoTwin => Err(error),
            Repaired::There | Repaired::Removed => Ok(false),
            Repaired::Copied => Ok(true),
        }
    }
}

/// What holds a file in a target; nothing does where the target did not answer when it was
/// staged, or has become one of the job's since.
pub(super) fn staged_in(file: &StagedData, target: usize) -> Option<&StagedFile> {
    file.staged.get(target).filter(|staged| staged.staging != Staging::Absent)
}

/// Makes sure that no process brings back what is about to be removed, see [`Table::repair_file`].
async fn abort_copies(store: &dyn Store, deletes: &[String]) -> Result<()> {
    if deletes.is_empty() {
        return Ok(());
    }
    let removed: HashSet<&String> = deletes.iter().collect();
    let open = store.list_staged(None).await?;
    futures::stream::iter(open.iter().filter(|open| removed.contains(&open.key)))
        .map(|copy| store.abort(copy))
        .buffered(CONCURRENCY)
        .try_collect()
        .await
}
