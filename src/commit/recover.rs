//! What was broken off → old state or new state, never between.
//!
//! A version in the log goes forward, whoever decided it. An attempt that is
//! not in the log and not alive is fenced first, so that it can never be, and
//! then what it staged is removed.

use super::decide::Decided;
use super::documents::{FIRST_EPOCH, FilesOf, attempt_of};
use super::log::{Fenced, History};
use super::table::Table;
use crate::documents::{Manifest, StagedFile};
use crate::error::{Aftermath, Error, ErrorKind, Result};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a recovery did.
#[derive(Debug, Clone, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Recovered {
    /// Versions that were decided and are now visible and announced.
    pub finished: Vec<u64>,
    /// Attempts that will never be part of the table, and that this recovery found.
    pub fenced: Vec<String>,
    /// Staged files that were removed, over all targets.
    pub removed: usize,
    /// Attempts that are left alone: somebody may be at work on them.
    pub alive: Vec<String>,
    /// Files that no target holds, and that were given up by word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given_up: Vec<FilesOf>,
}

impl Recovered {
    /// Adds what a later recovery did.
    pub fn add(&mut self, later: Recovered) {
        self.finished.extend(later.finished);
        self.fenced.extend(later.fenced);
        self.removed += later.removed;
        self.alive = later.alive;
        self.given_up.extend(later.given_up);
    }

    /// Whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        self.finished.is_empty() && self.fenced.is_empty() && self.removed == 0 && self.given_up.is_empty()
    }
}

impl Table {
    /// Finishes what was decided, and removes what the dead have staged. `mine`
    /// is an attempt to leave alone. `history` was just read; entries may be added.
    pub async fn recover(&self, history: &mut History, mine: Option<&str>) -> Result<Recovered> {
        let mut recovered = Recovered::default();
        self.finish_decided(history, &mut recovered).await?;
        let newest = |history: &History| history.commits.last().map(|committed| committed.version);
        let finished_until = newest(history);
        self.sweep(history, mine, &mut recovered).await?;
        if newest(history) > finished_until {
            // A fence whose place in the log was taken has read on. Who builds on this history
            // expects what it holds to be in every target.
            self.finish_decided(history, &mut recovered).await?;
        }
        Ok(recovered)
    }

    async fn finish_decided(&self, history: &History, recovered: &mut Recovered) -> Result<()> {
        let finished = self.roll_forward(history).await?;
        recovered.finished.extend(finished.iter().map(|manifest| manifest.version));
        Ok(())
    }

    /// Makes a version visible and tells everybody; first those before it that
    /// no process has finished. A file that it removes must not become visible after
    /// it, and where a version is published, all before it have to be.
    pub async fn finish(&self, decided: Decided, mut history: History) -> Result<Manifest> {
        history.commits.retain(|committed| committed.version < decided.version());
        self.roll_forward(&history).await?;
        decided.apply(self).await?.publish(self).await
    }

    /// The same within the time that a run which is asked to stop still has, with what to do
    /// where that is not enough.
    pub(crate) async fn finish_in_time(&self, decided: Decided, history: History) -> Result<Manifest> {
        let version = decided.version();
        self.cancel.shutdown().decided(version);
        let finished = self.cancel.in_time(self.finish(decided, history)).await;
        let finished = finished.unwrap_or_else(|| Err(ErrorKind::Interrupted.into()));
        finished.map_err(|error: Error| {
            if error.aftermath() == Some(Aftermath::Replaced) {
                // Decided in a log that counts no more; the same job in the new one finds out.
                return error.leaving(Aftermath::Unknown);
            }
            let remedy = match (error.kind(), self.cancel.shutdown().last_words()) {
                (ErrorKind::Interrupted, Some(words)) => words,
                _ => format!(
                    "version {version} is decided and its data is safe, but it is not yet visible and announced \
                     in every target. Fix the target, then run the job again, or `sawmill recover` with the same job"
                ),
            };
            error.leaving(Aftermath::Decided(version)).remedy(remedy)
        })
    }

    /// Applies and publishes every version that is not published, in order.
    pub(super) async fn roll_forward(&self, history: &History) -> Result<Vec<Manifest>> {
        let mut done = Vec::new();
        for committed in self.unpublished(history).await? {
            let version = committed.version;
            let finished = async {
                let mut changes = self.changes(&committed.commit).await?;
                changes.give_up(&history.given_up);
                let decided = Decided { committed, changes, tenure: history.tenure() };
                decided.apply(self).await?.publish(self).await
            };
            done.push(finished.await.map_err(|error| match error.aftermath() {
                Some(Aftermath::Replaced) => error,
                _ => error.leaving(Aftermath::Unfinished(version)),
            })?);
        }
        Ok(done)
    }

    async fn sweep(
        &self,
        history: &mut History,
        mine: Option<&str>,
        recovered: &mut Recovered,
    ) -> Result<()> {
        let mut staged: BTreeMap<String, Vec<(usize, StagedFile)>> = BTreeMap::new();
        for (target, store) in self.stores().iter().enumerate() {
            store.sweep_documents().await?;
            for file in store.list_staged(None).await? {
                // What another program uploads here is none of our business.
                if let Some(attempt) = attempt_of(&file.key).filter(|attempt| Some(*attempt) != mine) {
                    staged.entry(attempt.to_owned()).or_default().push((target, file));
                }
            }
        }
        if !staged.is_empty() {
            // After the lists: what began in an epoch that is not seen here is not in them.
            self.check_epoch(history.epoch).await?;
        }
        for (attempt, files) in staged {
            let settled = history.fenced.contains(&attempt) || history.commit_of(&attempt).is_some();
            // Of attempts of before a promotion the new home may know nothing.
            if !settled && history.epoch == FIRST_EPOCH {
                self.check_home_knows(&attempt).await?;
            }
            if !settled && self.is_alive(&attempt).await? {
                recovered.alive.push(attempt);
                continue;
            }
            match self.fence(history, &attempt, "no sign of life").await? {
                Fenced::Fenced if !settled => recovered.fenced.push(attempt),
                Fenced::Fenced => {}
                Fenced::Committed(_) => {
                    // It may have been decided since. All its files are visible once it is
                    // finished; what is still staged then was left by a second try of a task.
                    self.finish_decided(history, recovered).await?;
                }
            }
            let count = files.len();
            match self.abort_all(files).await {
                None => recovered.removed += count,
                Some(error) => return Err(error),
            }
        }
        Ok(())
    }
}
