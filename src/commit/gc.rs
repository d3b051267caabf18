//! What nobody needs any more: looked for, and removed if asked.
//!
//! The log, the changes of its commits and the words of its versions are kept
//! for ever: they are what every promise rests on, and small.

use super::documents::{ATTEMPTS, attempt_of, changes_key};
use super::log::History;
use super::table::{CONCURRENCY, Table, rfc3339};
use crate::error::Result;
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

/// What can be removed, or was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Garbage {
    /// URLs of documents of attempts that are settled.
    pub documents: Vec<String>,
    /// URLs of visible files that sawmill wrote, and that no version has.
    pub files: Vec<String>,
    /// Whether it was removed.
    pub removed: bool,
}

impl Table {
    /// Finds garbage, and removes it if `remove`. What may still be at work is left alone,
    /// and so are files that ceased to be of the table less than `keep` ago: in a
    /// versioned layout somebody may still be reading them.
    pub async fn collect_garbage(&self, keep: Duration, remove: bool) -> Result<Garbage> {
        let history = self.history().await?;
        // What is decided and not yet visible would look like nobody's.
        let unfinished = !self.unpublished(&history).await?.is_empty();
        let mut garbage = Garbage { removed: remove, ..Garbage::default() };
        let mut keys: Vec<(usize, String)> = Vec::new();
        for (target, store) in self.stores().iter().enumerate() {
            for key in store.list_documents(ATTEMPTS, "").await? {
                if self.is_garbage(&history, &key).await? {
                    garbage.documents.push(format!("{}{key}", store.describe().url));
                    keys.push((target, key));
                }
            }
        }
        let since = rfc3339(self.now().saturating_sub(i64::try_from(keep.as_secs()).unwrap_or(i64::MAX)));
        if !unfinished && !history.commits.is_empty() {
            let live = self.live_files(&history).await?;
            for (target, store) in self.stores().iter().enumerate() {
                let visible = store.list("", usize::MAX).await?;
                let known: HashSet<&String> = live.files.keys().collect();
                for key in visible.into_iter().filter(|key| !known.contains(key)) {
                    // Only what the log can vouch for: foreign files are never touched.
                    if live.retired.get(&key).is_some_and(|at| *at > since) {
                        continue;
                    }
                    let settled = attempt_of(&key).is_some_and(|attempt| {
                        history.fenced.contains(attempt) || history.commit_of(attempt).is_some()
                    });
                    if settled {
                        garbage.files.push(format!("{}{key}", store.describe().url));
                        keys.push((target, key));
                    }
                }
            }
        }
        if remove {
            futures::stream::iter(keys)
                .map(async |(target, key)| self.stores()[target].delete(&key).await)
                .buffered(CONCURRENCY)
                .try_collect::<()>()
                .await?;
        }
        Ok(garbage)
    }

    /// Whether a document of an attempt says nothing that is still needed.
    async fn is_garbage(&self, history: &History, key: &str) -> Result<bool> {
        let Some(attempt) = key.strip_prefix(ATTEMPTS).and_then(|rest| rest.split('/').next()) else {
            return Ok(false);
        };
        match history.commit_of(attempt) {
            // Only the changes that the log names are needed.
            Some(committed) => Ok(key != changes_key(attempt, &committed.commit.changes_sha256)),
            None if history.fenced.contains(attempt) => Ok(true),
            None => Ok(!self.is_alive(attempt).await? && self.nothing_staged(attempt).await?),
        }
    }

    async fn nothing_staged(&self, attempt: &str) -> Result<bool> {
        let mut attempts = BTreeSet::new();
        for store in self.stores() {
            let staged = store.list_staged(None).await?;
            attempts.extend(staged.iter().filter_map(|file| attempt_of(&file.key).map(str::to_owned)));
        }
        Ok(!attempts.contains(attempt))
    }
}
