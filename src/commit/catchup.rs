//! A target that lacks files ← the others.
//!
//! For a region that was down or emptied, and for a target that a job has got
//! since: whatever the log says and a target does not hold is copied there.

use super::audit::Depth;
use super::documents::{Applied, COMMIT_FORMAT, Manifest, SUCCESS_KEY, applied_key, success_key};
use super::publish::replace_if_newer;
use super::repair::Mended;
use super::table::{self, CONCURRENCY, Table};
use crate::error::{Error, Result};
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::Serialize;

/// What was brought to the targets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct CaughtUp {
    /// Versions that were decided and are now visible and announced.
    pub finished: Vec<u64>,
    /// For each target, in the job's order, the files that were copied there.
    pub copied: Vec<u64>,
    /// Files that each target now holds.
    pub files: usize,
}

impl Table {
    /// Finishes what is decided, then copies to every target what it lacks, or,
    /// if every byte is looked at, what it holds with other bytes.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Damage`] for a file that no target holds.
    pub async fn catch_up_targets(&self, depth: Depth) -> Result<CaughtUp> {
        let mut history = self.history().await?;
        let finished = self.roll_forward(&history).await?.iter().map(|done| done.version).collect();
        self.catch_up(&mut history).await?;
        let live = self.live_files(&history).await?;
        let mut caught_up = CaughtUp { finished, copied: Vec::new(), files: live.files.len() };
        for (target, store) in self.stores().iter().enumerate() {
            let copied: u64 = futures::stream::iter(live.files.values())
                .map(async |(version, file)| {
                    let found = store.look(&file.file.key).await?;
                    let same_size = found.is_some_and(|found| found.bytes == file.file.bytes);
                    if same_size && depth == Depth::Footers {
                        return Ok(0);
                    }
                    match self.mend(file, *version, target).await? {
                        Mended::There | Mended::Removed => Ok(0),
                        Mended::Copied => Ok(1),
                        Mended::NoTwin => Err(super::lost_everywhere(store.as_ref(), &file.file.key)),
                    }
                })
                .buffered(CONCURRENCY)
                .try_fold(0, async |sum, one| Ok::<_, Error>(sum + one))
                .await?;
            if copied > 0 {
                self.note_repair(&mut history, target, copied).await?;
            }
            caught_up.copied.push(copied);
        }
        self.catch_up_documents(&history).await?;
        Ok(caught_up)
    }

    /// The newest version's words in each target.
    async fn catch_up_documents(&self, history: &super::History) -> Result<()> {
        let Some(newest) = history.commits.last() else { return Ok(()) };
        let key = success_key(newest.version);
        let Some(manifest) = table::read::<Manifest>(self.home(), &key).await? else { return Ok(()) };
        for store in self.stores() {
            let applied = Applied {
                format: COMMIT_FORMAT,
                version: newest.version,
                attempt: newest.commit.attempt.clone(),
                at: self.time(),
                files: manifest.files.len() as u64,
                bytes: newest.commit.bytes,
                deleted: 0,
            };
            store.create(&applied_key(newest.version), table::json(&applied)).await?;
            store.create(&key, table::json(&manifest)).await?;
            if store.look(SUCCESS_KEY).await?.is_none() {
                replace_if_newer(store.as_ref(), &manifest).await?;
            }
        }
        Ok(())
    }
}
