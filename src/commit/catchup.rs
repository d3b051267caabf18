//! A target that lacks files ← the others.
//!
//! For a region that was down or emptied, and for a target that a job has got
//! since: whatever the log says and a target does not hold is copied there.

use super::audit::Depth;
use super::documents::{
    Applied, COMMIT_FORMAT, Entry, Event, Manifest, applied_key, changes_key, success_key,
};
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
    /// Files that each target should hold.
    pub files: usize,
    /// URLs of files that no target holds any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<String>,
    /// Files that were removed from targets that had missed it: versions replaced them while another target
    /// was home.
    pub removed: u64,
}

impl Table {
    /// Finishes what is decided, then copies to every target what it lacks, or,
    /// if every byte is looked at, what it holds with other bytes.
    ///
    /// # Errors
    /// Those of the targets. Files that no target holds are named in the result.
    pub async fn catch_up_targets(&self, depth: Depth) -> Result<CaughtUp> {
        let mut history = self.history().await?;
        let joining = self.targets_outside(&history).await?;
        self.check_versions(&mut history).await?;
        history.check_exists(&self.home().describe().url)?;
        for position in &joining {
            self.join(*position, &history).await?;
        }
        let before = history.tip;
        let mut finished = self.recover(&mut history, None).await?.finished;
        self.catch_up(&mut history).await?;
        // What was decided meanwhile is not visible anywhere yet, and so nothing to copy.
        finished.extend(self.roll_forward(&history).await?.iter().map(|manifest| manifest.version));
        // What is decided from here on, the next catch-up sees.
        let mut log = history.clone();
        // First: a target has to know what the files are that it is about to hold.
        self.keep_copies(&history).await?;
        // What was copied to finish a version, the log says.
        let repairs = self.repairs_since(history.epoch, before).await?;
        let live = self.live_files(&history).await?;
        let mut caught_up =
            CaughtUp { finished, copied: Vec::new(), files: live.files.len(), lost: Vec::new(), removed: 0 };
        for (target, store) in self.stores().iter().enumerate() {
            let mended: Vec<Mended> = futures::stream::iter(live.files.values())
                .map(async |(version, file)| {
                    let found = store.look(&file.file.key).await?;
                    let same_size = found.is_some_and(|found| found.bytes == file.file.bytes);
                    match same_size && depth == Depth::Footers {
                        true => Ok::<_, Error>(Mended::There),
                        false => self.mend(file, *version, target, history.tenure()).await,
                    }
                })
                .buffered(CONCURRENCY)
                .try_collect()
                .await?;
            let lost = live.files.keys().zip(&mended).filter(|(_, mended)| **mended == Mended::NoTwin);
            caught_up.lost.extend(lost.map(|(key, _)| format!("{}{key}", store.describe().url)));
            let copied = mended.iter().filter(|mended| **mended == Mended::Copied).count() as u64;
            if copied > 0 {
                self.note_repair(&mut log, target, copied).await?;
            }
            let to_finish: u64 =
                repairs.iter().filter(|(to, _)| *to == store.describe().url).map(|(_, n)| n).sum();
            caught_up.copied.push(copied + to_finish);
        }
        for position in joining {
            caught_up.removed += self.remove_outdated(position, &live, history.epoch).await?;
        }
        // A target that lacks a file should not say that it holds all.
        if caught_up.lost.is_empty() {
            self.catch_up_documents(&history).await?;
        }
        Ok(caught_up)
    }

    /// URLs of targets, and how many files were copied there.
    async fn repairs_since(&self, epoch: u64, version: u64) -> Result<Vec<(String, u64)>> {
        let repair = |entry: Entry| match entry.event {
            Event::Repair { target, files } => Some((target, files)),
            _ => None,
        };
        Ok(self.logged_from(epoch, version + 1).await?.into_iter().filter_map(repair).collect())
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
            let commit = &newest.commit;
            let changes = changes_key(&commit.attempt, &commit.changes_sha256);
            if store.look(&changes).await?.is_none() {
                store.create(&changes, self.changes_as_written(commit).await?.1).await?;
            }
            replace_if_newer(store.as_ref(), &manifest).await?;
        }
        Ok(())
    }
}
