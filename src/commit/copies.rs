//! A commit of the log → a copy in each target that does not hold the log.
//!
//! The log stands in one target. With the changes, which lie in every target, a
//! copy of each commit is all that a target needs to say what the table is if the
//! log is lost. Nothing is decided by a copy, and nothing reads it while home
//! answers. Fences and repairs are not copied: they say nothing of the table.

use super::documents::{Entry, Event, copies_directory, copy_key, version_of};
use super::log::{Committed, History};
use super::table::{self, CONCURRENCY, Table};
use crate::documents::COMMIT_FORMAT;
use crate::error::Result;
use crate::store::Store;
use futures::{StreamExt, TryStreamExt};
use std::collections::HashSet;

impl Table {
    /// Keeps a commit in a target that does not hold the log. Comes before a file of the
    /// version is visible in any target, so that none is known to readers without.
    pub(super) async fn keep_copy(&self, store: &dyn Store, committed: &Committed, epoch: u64) -> Result<()> {
        let entry = Entry {
            format: COMMIT_FORMAT,
            version: committed.version,
            at: committed.at.clone(),
            engine: concat!("sawmill ", env!("CARGO_PKG_VERSION")).into(),
            event: Event::Commit(Box::new(committed.commit.clone())),
        };
        store.create(&copy_key(epoch, committed.version), table::json(&entry)).await.map(drop)
    }

    /// Keeps every commit that a target lacks: of versions that an older sawmill
    /// has applied, or that are older than the target.
    pub(super) async fn keep_copies(&self, history: &History) -> Result<()> {
        for store in &self.stores()[1..] {
            let kept = store.list_documents(&copies_directory(history.epoch), "").await?;
            let kept: HashSet<u64> = kept.iter().filter_map(|key| version_of(key)).collect();
            // Those of before the epoch stand in the entry with which it begins.
            let lacking =
                history.commits_after(history.started).filter(|committed| !kept.contains(&committed.version));
            futures::stream::iter(lacking)
                .map(|committed| self.keep_copy(store.as_ref(), committed, history.epoch))
                .buffered(CONCURRENCY)
                .try_collect::<()>()
                .await?;
        }
        Ok(())
    }
}
