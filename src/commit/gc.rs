//! What is no longer needed: looked for, and removed if asked.
//!
//! The log, the changes of its commits and the words of its versions are kept
//! for ever: they are what every promise rests on, and small.

mod uploads;

pub use uploads::OpenUploads;

use super::documents::{ATTEMPTS, attempt_of, changes_key};
use super::log::History;
use super::table::{CONCURRENCY, Table, rfc3339};
use super::unseen::{Silent, Unseen};
use crate::error::Result;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// What can be removed, or was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Garbage {
    /// What runs have staged that died before it could become visible.
    pub uploads: Vec<OpenUploads>,
    /// URLs of documents of attempts that are settled.
    pub documents: Vec<String>,
    /// URLs of visible files that sawmill wrote, and that no version has.
    pub files: Vec<String>,
    /// Whether it was removed: all of the above then was.
    pub removed: bool,
    /// URLs of files and documents that were to be removed and may still be there, as a target failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<String>,
    /// Targets that did not answer: what is no longer needed there is not known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Unseen>,
}

impl Table {
    /// Finds garbage, and removes it if `remove`. What may still be at work is left alone,
    /// and so are files that ceased to be of the table less than `keep` ago: in a
    /// versioned layout somebody may still be reading them.
    ///
    /// A target that does not answer stops nothing elsewhere: what the log has settled is garbage
    /// in each target by itself. But an attempt that the log does not know may have staged
    /// there, and keeps its documents.
    ///
    /// # Errors
    /// Those of the home target.
    pub async fn collect_garbage(&self, keep: Duration, remove: bool) -> Result<Garbage> {
        let mut history = self.history().await?;
        let mut silent = self.check_seen_places(&mut history).await?;
        let mut garbage = Garbage { removed: remove, ..Garbage::default() };
        self.collect_uploads(&mut history, &mut garbage, remove, &mut silent).await?;
        let mut documents: Vec<(usize, String)> = Vec::new();
        for (attempt, found) in self.documents_of_attempts(&mut silent).await? {
            let is_dead = garbage.uploads.iter().any(|uploads| uploads.attempt == attempt);
            let needed = self.needed_of(&mut history, &attempt, is_dead, remove, &mut silent).await?;
            documents.extend(found.into_iter().filter(|(_, key)| !needed.holds(key)));
        }
        // What is decided and not yet visible would look abandoned.
        let unfinished = !self.unpublished(&history).await?.is_empty();
        let mut files: Vec<(usize, String)> = Vec::new();
        let since = rfc3339(self.now().saturating_sub(i64::try_from(keep.as_secs()).unwrap_or(i64::MAX)));
        if !unfinished && !history.commits.is_empty() {
            let live = self.live_files(&history).await?;
            let known: HashSet<&String> = live.files.keys().collect();
            for (target, store) in self.stores().iter().enumerate() {
                let Some(visible) = silent.ask(target, store.as_ref(), store.list("", usize::MAX)).await?
                else {
                    continue;
                };
                for key in visible.into_iter().filter(|key| !known.contains(key)) {
                    // Only what the log can vouch for: foreign files are never touched.
                    if live.retired.get(&key).is_some_and(|at| *at > since) {
                        continue;
                    }
                    if live.ever.contains(&key) {
                        files.push((target, key));
                    }
                }
            }
        }
        if remove {
            // After the lists: what began in an epoch that is not seen here is not in them.
            for (target, store) in self.stores().iter().enumerate() {
                silent
                    .ask(target, store.as_ref(), self.check_epoch_in(store.as_ref(), history.epoch))
                    .await?;
            }
            for found in [&mut documents, &mut files] {
                garbage.left.extend(self.urls(&self.remove(found, &mut silent).await?));
            }
        }
        (garbage.documents, garbage.files) = (self.urls(&documents), self.urls(&files));
        garbage.unseen = silent.into_list();
        Ok(garbage)
    }

    /// Removes objects. Those that may still be there are taken out of `found` and given back.
    async fn remove(
        &self,
        found: &mut Vec<(usize, String)>,
        silent: &mut Silent,
    ) -> Result<Vec<(usize, String)>> {
        let mut left = Vec::new();
        for (target, store) in self.stores().iter().enumerate() {
            let here: Vec<String> =
                found.extract_if(.., |(of, _)| *of == target).map(|(_, key)| key).collect();
            let kept = self.remove_from(target, &here, async |key| store.delete(key).await, silent).await?;
            for (key, is_left) in here.into_iter().zip(kept) {
                if is_left { &mut left } else { &mut *found }.push((target, key));
            }
        }
        Ok(left)
    }

    /// Makes a request for each of these to a target, which is asked no more once it has failed. Says
    /// of each whether it may still be there.
    async fn remove_from<T>(
        &self,
        target: usize,
        things: &[T],
        request: impl AsyncFn(&T) -> Result<()>,
        silent: &mut Silent,
    ) -> Result<Vec<bool>> {
        let store = self.stores()[target].as_ref();
        let mut left = Vec::with_capacity(things.len());
        for things in things.chunks(CONCURRENCY) {
            if !silent.allows_removal(target) {
                left.extend(things.iter().map(|_| true));
                continue;
            }
            for removed in futures::future::join_all(things.iter().map(|thing| request(thing))).await {
                left.push(removed.is_err());
                if let Err(error) = removed {
                    silent.note_removal(target, store, error)?;
                }
            }
        }
        Ok(left)
    }

    fn urls(&self, found: &[(usize, String)]) -> Vec<String> {
        found.iter().map(|(target, key)| format!("{}{key}", self.stores()[*target].describe().url)).collect()
    }

    /// What lies under each attempt, with the target that it lies in.
    async fn documents_of_attempts(
        &self,
        silent: &mut Silent,
    ) -> Result<BTreeMap<String, Vec<(usize, String)>>> {
        let mut found: BTreeMap<String, Vec<(usize, String)>> = BTreeMap::new();
        for (target, store) in self.stores().iter().enumerate() {
            let listed = silent.ask(target, store.as_ref(), store.list_documents(ATTEMPTS, "")).await?;
            for key in listed.unwrap_or_default() {
                let attempt = key.strip_prefix(ATTEMPTS).and_then(|rest| Some(rest.split_once('/')?.0));
                if let Some(attempt) = attempt.map(str::to_owned) {
                    found.entry(attempt).or_default().push((target, key));
                }
            }
        }
        Ok(found)
    }

    /// Which documents of an attempt say something that is still needed. With
    /// `remove`, an attempt that seems dead is fenced first: it may have been decided
    /// since the log was read, or be about to, and then lives by its changes.
    async fn needed_of(
        &self,
        history: &mut History,
        attempt: &str,
        is_dead: bool,
        remove: bool,
        silent: &mut Silent,
    ) -> Result<Needed> {
        let settled = history.fenced.contains(attempt) || history.commit_of(attempt).is_some();
        if !settled {
            if !is_dead && (self.is_alive(attempt).await? || self.may_have_staged(attempt, silent).await?) {
                return Ok(Needed::All);
            }
            if remove {
                self.fence(history, attempt, "no sign of life").await?;
            }
        }
        Ok(match history.commit_of(attempt) {
            Some(committed) => Needed::Only(changes_key(attempt, &committed.commit.changes_sha256)),
            None => Needed::Nothing,
        })
    }

    async fn may_have_staged(&self, attempt: &str, silent: &mut Silent) -> Result<bool> {
        for (target, store) in self.stores().iter().enumerate() {
            let Some(staged) = silent.ask(target, store.as_ref(), store.list_staged(None)).await? else {
                return Ok(true);
            };
            if staged.iter().any(|file| attempt_of(&file.key) == Some(attempt)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Documents of an attempt.
enum Needed {
    All,
    /// The changes that the log names.
    Only(String),
    Nothing,
}

impl Needed {
    fn holds(&self, key: &str) -> bool {
        match self {
            Needed::All => true,
            Needed::Only(needed) => key == needed,
            Needed::Nothing => false,
        }
    }
}
