//! The log: what was decided, in order, and nothing else.
//!
//! Entries lie in the home target, numbered without gaps, each created under the
//! condition that there is none of its number. So every reader sees the same
//! sequence, of two that want the same number one is refused, and whoever is
//! refused has to read what came in between before trying again. Entries are
//! never changed or removed. Checkpoints sum up what came before; they save
//! reading, and nothing depends on their being there.

use super::documents::{
    Commit, Entry, Event, FIRST_EPOCH, FilesOf, check_format, checkpoint_key, checkpoints_directory,
    log_directory, log_key, version_of,
};
use super::table::{self, CONCURRENCY, Table};
use super::unseen::of_home;
use crate::documents::COMMIT_FORMAT;
use crate::error::{Error, ErrorKind, Result, StoreReason};
use crate::spec::WriteMode;
use crate::store::WriteOutcome;
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Versions between two checkpoints: a reader fetches about as many entries at
/// most. Few under test, so that tests come across some.
const CHECKPOINT_EVERY: u64 = if cfg!(test) { 2 } else { 64 };

/// How often a slot of the log is tried again when nothing is known of the last
/// try. The requests themselves are retried below this, see [`crate::aws`].
const APPEND_TRIES: u32 = 4;

/// What the log says, up to its tip.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// [`COMMIT_FORMAT`].
    pub format: u32,
    /// Number of the epoch whose log it is; one more with each change of home.
    #[serde(default = "first_epoch", skip_serializing_if = "is_first_epoch")]
    pub epoch: u64,
    /// Version of the entry with which the epoch begins; 0 in the first one, which has none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub started: u64,
    /// Commits up to this version were announced before the epoch began.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub published_until: u64,
    /// Version of the last entry; 0 if there is none.
    pub tip: u64,
    /// Version of the checkpoint that it was read from; 0 if there was none.
    #[serde(skip)]
    pub(super) summed_until: u64,
    /// In order.
    pub commits: Vec<Committed>,
    /// Attempts that will never be part of the table.
    pub fenced: BTreeSet<String>,
    /// Files that no target held any more and that were given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_up: Vec<FilesOf>,
}

impl Default for History {
    /// Nothing was ever decided.
    fn default() -> Self {
        History {
            format: COMMIT_FORMAT,
            epoch: FIRST_EPOCH,
            started: 0,
            published_until: 0,
            tip: 0,
            summed_until: 0,
            commits: Vec::new(),
            fenced: BTreeSet::new(),
            given_up: Vec::new(),
        }
    }
}

fn first_epoch() -> u64 {
    FIRST_EPOCH
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives what it may skip by reference")]
fn is_first_epoch(epoch: &u64) -> bool {
    *epoch == FIRST_EPOCH
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives what it may skip by reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a runner knows of the epoch in which it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tenure {
    pub(super) epoch: u64,
    pub(super) started: u64,
    pub(super) published_until: u64,
}

/// A commit and its place in the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Committed {
    /// Of the log.
    pub version: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// What was committed.
    pub commit: Commit,
    /// The version that replaced all its files, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<u64>,
}

impl History {
    pub(super) fn add(&mut self, entry: Entry) {
        self.tip = entry.version;
        match entry.event {
            Event::Commit(commit) => {
                for earlier in self.commits.iter_mut().filter(|c| commit.replaces.contains(&c.version)) {
                    earlier.replaced_by = Some(entry.version);
                }
                let (version, at) = (entry.version, entry.at);
                self.commits.push(Committed { version, at, commit: *commit, replaced_by: None });
            }
            Event::Fence { attempt, .. } => drop(self.fenced.insert(attempt)),
            Event::Repair { .. } => {}
            Event::Promotion(promotion) => {
                let (epoch, started) = (promotion.epoch, entry.version);
                *self = History { epoch, started, tip: entry.version, ..promotion.history };
            }
            Event::GivenUp { lost } => self.given_up.extend(lost),
        }
    }

    /// The number of the epoch, unless it is the first.
    pub(super) fn later_epoch(&self) -> Option<u64> {
        (self.epoch > FIRST_EPOCH).then_some(self.epoch)
    }

    /// The epoch, for those who act on what is read here.
    pub(super) fn tenure(&self) -> Tenure {
        let History { epoch, started, published_until, .. } = *self;
        Tenure { epoch, started, published_until }
    }

    /// The commit of an attempt.
    pub fn commit_of(&self, attempt: &str) -> Option<&Committed> {
        self.commits.iter().find(|committed| committed.commit.attempt == attempt)
    }

    /// Whether an attempt is in the log, as a version.
    pub fn has(&self, version: u64, attempt: &str) -> bool {
        self.commit_of(attempt).is_some_and(|committed| committed.version == version)
    }

    /// The commit that did a job on the very same inputs. If another has replaced
    /// it, that one has read these inputs: their rows would stand twice.
    pub fn commit_of_key(&self, job_key: &str) -> Option<&Committed> {
        self.commits.iter().find(|committed| committed.commit.job_key == job_key)
    }

    /// The version that has removed rows of a commit since, if one has.
    pub fn overwritten_by(&self, commit: &Committed) -> Option<u64> {
        let overwrites = |later: &&Committed| {
            later.commit.mode == WriteMode::OverwritePartitions
                && !later.commit.partitions.is_disjoint(&commit.commit.partitions)
        };
        commit.replaced_by.or(self.commits_after(commit.version).find(overwrites).map(|later| later.version))
    }

    /// Whether any version was ever decided.
    ///
    /// # Errors
    /// [`ErrorKind::Damage`] if none was: there is no table to speak of.
    pub fn check_exists(&self, home: &str) -> Result<()> {
        if !self.commits.is_empty() {
            return Ok(());
        }
        let message = format!("there is no table in {home}: its log has no version");
        Err(Error::new(ErrorKind::Damage { message })
            .remedy("check `targets` of the job, of which the first holds the log; `sawmill run` makes the first version"))
    }

    /// The commits after a version, in order.
    pub fn commits_after(&self, version: u64) -> impl Iterator<Item = &Committed> {
        self.commits.iter().filter(move |committed| committed.version > version)
    }
}

/// How an entry came into the log, or did not.
#[derive(Debug)]
pub(super) enum Appended {
    /// It is the entry of its version, and in the history that was given.
    Here,
    /// Another entry has the version.
    Taken,
}

impl Table {
    /// Reads the log to its tip.
    ///
    /// # Errors
    /// Those of the home target, which tell that it is the one that holds the log.
    pub async fn history(&self) -> Result<History> {
        self.read_log().await.map_err(|error| of_home(error, self.home()))
    }

    async fn read_log(&self) -> Result<History> {
        let mut history = self.start_of_epoch().await?;
        let checkpoints = self.home().list_documents(&checkpoints_directory(history.epoch), "").await?;
        if let Some(key) = checkpoints.iter().rfind(|key| version_of(key).is_some()) {
            match table::read::<History>(self.home(), key).await {
                Ok(Some(summed)) => {
                    check_format(summed.format, &self.home().describe().url, key)?;
                    history = summed;
                    history.summed_until = history.tip;
                }
                Ok(None) => {}
                Err(error) if matches!(error.kind(), ErrorKind::Damage { .. }) => {
                    tracing::warn!(%error, "the whole log is read instead");
                }
                Err(error) => return Err(error),
            }
        }
        self.catch_up(&mut history).await?;
        Ok(history)
    }

    /// Adds the entries that came since.
    pub async fn catch_up(&self, history: &mut History) -> Result<()> {
        let home = self.home();
        let directory = log_directory(history.epoch);
        let keys = home.list_documents(&directory, &log_key(history.epoch, history.tip)).await?;
        let mut entries = futures::stream::iter(keys)
            .map(|key| async move { (table::read::<Entry>(home, &key).await, key) })
            .buffered(CONCURRENCY);
        while let Some((entry, key)) = entries.next().await {
            let url = &home.describe().url;
            // A log that lacks a number was tampered with: nothing can be built on it.
            let entry = entry?.filter(|entry| entry.version == history.tip + 1);
            let Some(entry) = entry.filter(|entry| version_of(&key) == Some(entry.version)) else {
                let message = format!(
                    "the log in {url}{directory} does not continue from version {} with {key}: an entry is missing or was renamed",
                    history.tip
                );
                return Err(Error::new(ErrorKind::Damage { message })
                    .remedy(format!("restore `{directory}` of the first target; nothing was changed")));
            };
            check_format(entry.format, url, &key)?;
            history.add(entry);
        }
        Ok(())
    }

    /// Writes an entry at the tip of `history` and adds it there, or finds that
    /// another was first. To be decided anew, with what came in between, if so.
    ///
    /// # Errors
    /// The home target did not say what happened to the entry, not even when it was asked: it
    /// may be in the log, or come to be.
    pub(super) async fn append(&self, history: &mut History, event: Event) -> Result<Appended> {
        let version = history.tip + 1;
        let engine = concat!("sawmill ", env!("CARGO_PKG_VERSION")).into();
        let entry = Entry { format: COMMIT_FORMAT, version, at: self.time(), engine, event };
        let (key, body) = (log_key(history.epoch, version), table::json(&entry));
        let mut tries = 0;
        loop {
            tries += 1;
            let failure = match self.create(&key, body.clone()).await {
                Ok(WriteOutcome::Created) => {
                    history.add(entry);
                    return Ok(Appended::Here);
                }
                Ok(WriteOutcome::AlreadyExists) => None,
                Err(error) => Some(error),
            };
            // The write was refused because the entry exists, written by another run or by an earlier
            // try of this one whose response was lost; or there was no response. Reading the entry
            // tells which.
            match (table::read::<Entry>(self.home(), &key).await, failure) {
                (Ok(Some(standing)), _) if standing.event == entry.event => {
                    history.add(standing);
                    return Ok(Appended::Here);
                }
                (Ok(Some(_)), _) => return Ok(Appended::Taken),
                (Ok(None), None) => return Err(self.vanished(&key)),
                (Ok(None), Some(error)) | (Err(error), _) if tries == APPEND_TRIES => return Err(error),
                _ => {}
            }
        }
    }

    fn vanished(&self, key: &str) -> Error {
        let identity = self.home().describe();
        Error::new(ErrorKind::Target(identity.failure(
            "create",
            key,
            StoreReason::Other,
            "the server says that it exists, and then that it does not",
        )))
        .remedy("the first target must be strongly consistent, as S3 is")
    }

    /// Sums up the log once in a while. Anybody may, and all write the same.
    pub(super) async fn checkpoint(&self, history: &History) {
        if history.tip < history.summed_until + CHECKPOINT_EVERY {
            return;
        }
        if let Err(error) =
            self.home().create(&checkpoint_key(history.epoch, history.tip), table::json(history)).await
        {
            tracing::warn!(%error, "no checkpoint of the log could be written; the next commit tries again");
        }
    }

    /// Says in the log that an attempt will never be part of the table, unless
    /// it is already. `history` is brought up to date.
    pub(super) async fn fence(&self, history: &mut History, attempt: &str, reason: &str) -> Result<Fenced> {
        loop {
            if let Some(committed) = history.commit_of(attempt) {
                return Ok(Fenced::Committed(committed.version));
            }
            if history.fenced.contains(attempt) {
                return Ok(Fenced::Fenced);
            }
            #[cfg(test)]
            if self.is_broken(table::Broken::Fence) {
                return Ok(Fenced::Fenced);
            }
            let event = Event::Fence { attempt: attempt.to_owned(), reason: reason.to_owned() };
            if let Appended::Taken = self.append(history, event).await? {
                self.catch_up(history).await?;
            }
        }
    }

    /// The newest commits, back to one that is known to be published: those that
    /// may have been broken off, in order.
    pub(super) async fn unpublished(&self, history: &History) -> Result<Vec<Committed>> {
        let mut open = Vec::new();
        for committed in history.commits.iter().rev() {
            // Versions are published in order, so this one stands for all before it.
            if committed.version <= history.published_until {
                break;
            }
            if self.home().head(&super::documents::published_key(committed.version)).await?.is_some() {
                break;
            }
            open.push(committed.clone());
        }
        open.reverse();
        Ok(open)
    }

    /// Versions that are decided and not yet visible and announced everywhere.
    pub async fn unfinished(&self, history: &History) -> Result<Vec<u64>> {
        Ok(self.unpublished(history).await?.iter().map(|committed| committed.version).collect())
    }

    /// The entries of the epoch's log from a version on.
    pub(super) async fn logged_from(&self, epoch: u64, from: u64) -> Result<Vec<Entry>> {
        let home = self.home();
        let after = log_key(epoch, from.saturating_sub(1));
        let keys = home.list_documents(&log_directory(epoch), &after).await?;
        let read = futures::stream::iter(keys)
            .map(|key| async move { table::read::<Entry>(home, &key).await })
            .buffered(CONCURRENCY);
        Ok(read.try_collect::<Vec<_>>().await?.into_iter().flatten().collect())
    }
}

/// What happened to an attempt that was to be fenced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fenced {
    /// It will never be part of the table.
    Fenced,
    /// It is part of the table, as this version.
    Committed(u64),
}
