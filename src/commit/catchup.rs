//! A target that lacks files ← the others.
//!
//! For a region that was down or emptied, and for a target that a job has got
//! since: whatever the log says and a target does not hold is copied there.

use super::audit::Damage;
use super::documents::{Applied, Entry, Event, StagedData, applied_key, changes_key, success_key};
use super::examine::{Depth, Fault, examine};
use super::fit::Expected;
use super::log::{History, Tenure};
use super::publish::replace_unless;
use super::repair::Repaired;
use super::table::{self, CONCURRENCY, Table};
use crate::documents::COMMIT_FORMAT;
use crate::error::Result;
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
    /// Files that were removed from targets that had missed it: versions replaced them while these were away.
    pub removed: u64,
    /// What is wrong and stays so: the bytes are those that were written.
    #[serde(rename = "unmended", skip_serializing_if = "Vec::is_empty")]
    pub unrepaired: Vec<Damage>,
    /// Whether every byte was compared.
    pub deep: bool,
}

impl Table {
    /// Finishes what is decided, then copies to every target what it lacks, or,
    /// if every byte is looked at, what it holds with other bytes. Without that, files are looked at
    /// as an [`audit`](Table::audit) does.
    ///
    /// # Errors
    /// Those of the targets. Files that no target holds are named in the result.
    pub async fn catch_up_targets(&self, depth: Depth) -> Result<CaughtUp> {
        let mut history = self.history().await?;
        let joining = self.targets_outside(&history).await?;
        self.check_versions(&mut history).await?;
        history.check_exists(&self.home().describe().url)?;
        for position in joining {
            self.join(position, &history).await?;
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
        let expected = self.expected(&history).await?;
        let mut caught_up = CaughtUp {
            finished,
            files: live.files.len(),
            deep: depth == Depth::Bytes,
            ..CaughtUp::default()
        };
        for (target, store) in self.stores().iter().enumerate() {
            let done: Vec<(Repaired, Option<Damage>)> = futures::stream::iter(live.files.values())
                .map(|(version, file)| {
                    self.bring(file, (*version, history.tenure()), &expected, target, depth)
                })
                .buffered(CONCURRENCY)
                .try_collect()
                .await?;
            let lost =
                live.files.keys().zip(&done).filter(|(_, (repaired, _))| *repaired == Repaired::NoTwin);
            caught_up.lost.extend(lost.map(|(key, _)| format!("{}{key}", store.describe().url)));
            let copied = done.iter().filter(|(repaired, _)| *repaired == Repaired::Copied).count() as u64;
            caught_up.unrepaired.extend(done.into_iter().filter_map(|(_, damage)| damage));
            if copied > 0 {
                self.note_repair(&mut log, target, copied).await?;
            }
            let to_finish: u64 =
                repairs.iter().filter(|(to, _)| *to == store.describe().url).map(|(_, n)| n).sum();
            caught_up.copied.push(copied + to_finish);
        }
        // A target that was away knows nothing of what runs have replaced without it.
        for position in 1..self.stores().len() {
            caught_up.removed += self.remove_outdated(position, &live, &history).await?;
        }
        // A target that lacks a file should not say that it holds all.
        if caught_up.lost.is_empty() {
            self.catch_up_documents(&history, &mut log).await?;
        }
        Ok(caught_up)
    }

    /// Sees to it that a target holds a file as it was written, as far as it is looked at. Gives
    /// what is wrong with it all the same.
    async fn bring(
        &self,
        file: &StagedData,
        (version, tenure): (u64, Tenure),
        expected: &Expected<'_>,
        target: usize,
        depth: Depth,
    ) -> Result<(Repaired, Option<Damage>)> {
        let store = self.stores()[target].as_ref();
        let look = async || examine(store, version, file, expected, Depth::Footers).await;
        if depth == Depth::Footers && look().await?.is_ok() {
            return Ok((Repaired::There, None));
        }
        let repaired = self.repair_file(file, version, target, tenure).await?;
        if !matches!(repaired, Repaired::There | Repaired::Copied) {
            return Ok((repaired, None));
        }
        let damage = match look().await? {
            // A run that overwrites has removed it since.
            Ok(_) | Err((Fault::Missing, _)) => None,
            Err((kind, what)) => {
                let url = format!("{}{}", store.describe().url, file.file.key);
                Some(Damage { url, version, kind, what, lost: false })
            }
        };
        Ok((repaired, damage))
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
    async fn catch_up_documents(&self, history: &History, log: &mut History) -> Result<()> {
        let Some(newest) = history.commits.last() else { return Ok(()) };
        let mut changes = self.changes(&newest.commit).await?;
        changes.give_up(&history.given_up);
        let manifest = self.manifest_of(newest, changes.clone()).await?;
        for store in self.stores() {
            let applied = Applied {
                format: COMMIT_FORMAT,
                version: newest.version,
                attempt: newest.commit.attempt.clone(),
                at: self.time(),
                files: changes.all_files().count() as u64,
                bytes: changes.all_files().map(|file| file.file.bytes).sum(),
                deleted: 0,
            };
            store.create(&applied_key(newest.version), table::json(&applied)).await?;
            store.create(&success_key(newest.version), table::json(&manifest)).await?;
            let key = changes_key(&newest.commit.attempt, &newest.commit.changes_sha256);
            if store.head(&key).await?.is_none() {
                let as_written = self.changes_as_written(&newest.commit).await?.1;
                store.create(&key, as_written).await?;
            }
            replace_unless(store.as_ref(), &manifest, async |marker| {
                if marker.version < manifest.version {
                    return Ok(false);
                }
                // A run may have written it since the log was read. One of a version that the log does
                // not have would stand forever: nothing would be newer.
                if !log.has(marker.version, &marker.attempt) {
                    self.catch_up(log).await?;
                }
                Ok(log.has(marker.version, &marker.attempt))
            })
            .await?;
        }
        Ok(())
    }
}
