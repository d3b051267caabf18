//! Which target is home: a number that only grows, known to every target.
//!
//! The log stands in one target. When that is lost, another becomes home
//! ([`Table::promote`]), and an epoch begins. Each target keeps a document for each
//! epoch after the first, written before the new log has its first entry. Whoever
//! follows the log of an earlier epoch looks for it before anything becomes visible
//! or is removed, and stops. So a table has one log that counts, though an old home
//! may come back, with runners that know nothing of what happened meanwhile.

use super::documents::{
    EPOCHS, Entry, Epoch, Event, FIRST_EPOCH, applied_key, check_format, epoch_key, log_directory, start_key,
    version_of,
};
use super::live::LiveFiles;
use super::log::History;
use super::table::{self, CONCURRENCY, Table};
use super::unseen::Unseen;
use crate::documents::COMMIT_FORMAT;
use crate::error::{Aftermath, Error, ErrorKind, Result};
use crate::store::Store;
use futures::{StreamExt, TryStreamExt};
use std::collections::BTreeSet;

/// The epochs of which a target has documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EpochsKnown {
    /// The newest one.
    pub(super) newest: u64,
    /// Those of which it has the first entry of the log, too.
    pub(super) started: BTreeSet<u64>,
}

impl EpochsKnown {
    pub(super) async fn to(store: &dyn Store) -> Result<EpochsKnown> {
        let keys = store.list_documents(EPOCHS, "").await?;
        let newest = keys.iter().filter_map(|key| version_of(key)).max().unwrap_or(FIRST_EPOCH);
        let started = |key: &String| {
            let number = key.strip_prefix(EPOCHS)?.strip_suffix("-start.json")?;
            number.parse::<u64>().ok()
        };
        Ok(EpochsKnown { newest, started: keys.iter().filter_map(started).collect() })
    }
}

impl Table {
    /// The history with which the log in the home target begins: nothing, or what the promotion
    /// that made it home has summed up.
    pub(super) async fn start_of_epoch(&self) -> Result<History> {
        let home = self.home();
        let known = EpochsKnown::to(home).await?;
        let epoch = known.newest;
        if epoch == FIRST_EPOCH {
            return Ok(History::default());
        }
        let url = &home.describe().url;
        let document = table::read::<Epoch>(home, &epoch_key(epoch)).await?;
        if !document.is_some_and(|document| document.here) {
            return Err(self.replaced(home, epoch).await);
        }
        match table::read::<Entry>(home, &start_key(epoch)).await? {
            Some(entry) => {
                check_format(entry.format, url, &start_key(epoch))?;
                let mut history = History::default();
                history.add(entry);
                Ok(history)
            }
            None => Err(Error::new(ErrorKind::Damage {
                message: format!("{url} was about to become home, but its promotion was interrupted"),
            })
            .remedy(format!("finish it: `sawmill promote` with the same job and `--home {url}`"))),
        }
    }

    /// Stops whoever follows the log of a home that was replaced.
    ///
    /// # Errors
    /// [`ErrorKind::Damage`] if a target knows of a later epoch.
    pub(super) async fn check_epoch(&self, epoch: u64) -> Result<()> {
        futures::stream::iter(self.stores())
            .map(|store| self.check_epoch_in(store.as_ref(), epoch))
            .buffered(CONCURRENCY)
            .try_collect()
            .await
    }

    /// The same for one target.
    pub(super) async fn check_epoch_in(&self, store: &dyn Store, epoch: u64) -> Result<()> {
        #[cfg(test)]
        if self.is_broken(table::Broken::Epoch) {
            return Ok(());
        }
        let later = store.list_documents(EPOCHS, &epoch_key(epoch)).await?;
        match later.iter().filter_map(|key| version_of(key)).max() {
            Some(newest) => Err(self.replaced(store, newest).await),
            None => Ok(()),
        }
    }

    /// What to say to a runner whose home is home no more.
    pub(super) async fn replaced(&self, store: &dyn Store, epoch: u64) -> Error {
        let told = match table::read::<Epoch>(store, &epoch_key(epoch)).await {
            Ok(Some(epoch)) => epoch,
            Ok(None) => return unknown_epoch(store, epoch),
            Err(error) => return error,
        };
        let message = format!(
            "{} is home of this table since its promotion at {} (epoch {epoch}, as {} says)",
            told.home,
            told.at,
            store.describe().url
        );
        let first = &self.home().describe().url;
        Error::new(ErrorKind::Damage { message }).leaving(Aftermath::Replaced).remedy(match *first == told.home {
            true => format!("`sawmill promote` with the same job and `--home {first}` finishes what was begun"),
            false => format!(
                "put {} first in `targets` (--output), and take {first} out, or list it later and bring it up to date with \
                 `sawmill catchup`; then run the same job again: what was decided but not taken over is done again",
                told.home
            ),
        })
    }

    /// Makes a target one of the table's since its home has changed. What it lacks is to be
    /// copied there next.
    ///
    /// # Errors
    /// [`ErrorKind::Damage`] if versions were written there that are not of the table.
    pub(super) async fn join(&self, position: usize, history: &History) -> Result<()> {
        let store = self.stores()[position].as_ref();
        for Entry { version, event, .. } in self.entries_elsewhere(store, history).await? {
            let is_commit = matches!(event, Event::Commit(_));
            if is_commit && store.head(&applied_key(version)).await?.is_some() {
                let url = &store.describe().url;
                let message =
                    format!("version {version} was written in {url} alone, and is not of the table");
                return Err(Error::new(ErrorKind::Damage { message }).remedy(
                    "`sawmill log` shows it. Keep what is needed of it and empty that place, or take it out of \
                     `targets`; then `sawmill catchup` again",
                ));
            }
        }
        let home = self.home();
        let document = table::read::<Epoch>(home, &epoch_key(history.epoch)).await?;
        let start = home.get(&start_key(history.epoch)).await?;
        let (Some(document), Some(start)) = (document, start) else {
            return Err(unknown_epoch(home, history.epoch));
        };
        let document = Epoch { here: false, format: COMMIT_FORMAT, ..document };
        // In this order: who has the first entry takes part.
        store.create(&epoch_key(history.epoch), table::json(&document)).await?;
        store.create(&start_key(history.epoch), start.body).await.map(drop)
    }

    /// Entries of logs of earlier epochs that a target holds, of attempts that the table knows
    /// nothing of: decided by a home that was lost, and never taken over.
    pub(super) async fn entries_elsewhere(&self, store: &dyn Store, history: &History) -> Result<Vec<Entry>> {
        let mut unknown = Vec::new();
        for epoch in FIRST_EPOCH..history.epoch {
            let keys = store.list_documents(&log_directory(epoch), "").await?;
            let read = futures::stream::iter(keys)
                .map(|key| async move { table::read::<Entry>(store, &key).await })
                .buffered(CONCURRENCY);
            let entries = read.try_collect::<Vec<_>>().await?.into_iter().flatten();
            unknown.extend(entries.filter(|entry| match &entry.event {
                Event::Commit(commit) => history.commit_of(&commit.attempt).is_none(),
                _ => false,
            }));
        }
        Ok(unknown)
    }

    /// Every entry from a version on, for people: what the log says, and the commits that the
    /// promotion at its beginning has summed up.
    pub async fn entries(&self, from: u64) -> Result<Vec<Entry>> {
        let home = self.home();
        let known = EpochsKnown::to(home).await?;
        let mut entries = Vec::new();
        let mut begins_at = 0;
        for epoch in known.started {
            let Some(entry) = table::read::<Entry>(home, &start_key(epoch)).await? else { continue };
            if let (true, Event::Promotion(promotion)) = (epoch == known.newest, &entry.event) {
                begins_at = entry.version;
                entries.extend(promotion.history.commits.iter().map(|committed| Entry {
                    version: committed.version,
                    at: committed.at.clone(),
                    event: Event::Commit(Box::new(committed.commit.clone())),
                    ..entry.clone()
                }));
            }
            entries.push(entry);
        }
        entries.sort_by_key(|entry| entry.version);
        entries.retain(|entry| entry.version >= from);
        entries.extend(self.logged_from(known.newest, from.max(begins_at + 1)).await?);
        Ok(entries)
    }

    /// Commits that only the log of an old home holds, with its URL: see [`Table::promote`]. And the
    /// targets that did not answer.
    ///
    /// # Errors
    /// As [`Table::check_places`], and those of the home target.
    pub async fn commits_elsewhere(
        &self,
        history: &mut History,
    ) -> Result<(Vec<(String, Entry)>, Vec<Unseen>)> {
        let mut silent = self.check_seen_places(history).await?;
        let mut found = Vec::new();
        for (position, store) in self.stores().iter().enumerate() {
            let entries = self.entries_elsewhere(store.as_ref(), history);
            let entries = silent.ask(position, store.as_ref(), entries).await?.unwrap_or_default();
            found.extend(entries.into_iter().map(|entry| (store.describe().url.clone(), entry)));
        }
        Ok((found, silent.into_list()))
    }

    /// Removes from a target what versions have replaced while it was away.
    pub(super) async fn remove_outdated(
        &self,
        position: usize,
        live: &LiveFiles,
        history: &History,
    ) -> Result<u64> {
        let store = self.stores()[position].as_ref();
        let visible = store.list("", usize::MAX).await?;
        self.check_epoch_in(store, history.epoch).await?;
        // What was given up and is there again, somebody has restored.
        let is_given_up = |key: &String| history.given_up.iter().any(|lost| lost.files.contains(key));
        let outdated: Vec<String> = visible
            .into_iter()
            .filter(|key| live.ever.contains(key))
            .filter(|key| !live.files.contains_key(key) && !live.retired.contains_key(key))
            .filter(|key| !is_given_up(key))
            .collect();
        futures::stream::iter(&outdated)
            .map(|key| store.delete(key))
            .buffered(CONCURRENCY)
            .try_collect::<()>()
            .await?;
        Ok(outdated.len() as u64)
    }
}

fn unknown_epoch(store: &dyn Store, epoch: u64) -> Error {
    let message = format!("{}{} is not there", store.describe().url, epoch_key(epoch));
    Error::new(ErrorKind::Damage { message })
        .remedy("restore it: it says which target is home; nothing was changed")
}
