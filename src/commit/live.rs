//! The log → the files that the table has, and which version each is of.

use super::documents::{StagedData, directory_of, partition_of};
use super::log::History;
use super::table::{CONCURRENCY, Table};
use crate::error::Result;
use futures::{StreamExt, TryStreamExt};
use std::collections::{BTreeMap, HashSet};

/// The files that the table has at a version, by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LiveFiles {
    /// Version and file, by key.
    pub(super) files: BTreeMap<String, (u64, StagedData)>,
    /// Every key that a version ever had.
    pub(super) ever: HashSet<String>,
    /// When files ceased to be of the table and stayed, by key; RFC 3339.
    pub(super) retired: BTreeMap<String, String>,
}

impl LiveFiles {
    /// Where each partition is, in a versioned layout.
    pub(super) fn locations(&self) -> BTreeMap<String, String> {
        let tables = self.files.keys().filter(|key| !crate::store::is_hidden(key));
        tables.map(|key| (partition_of(key).to_owned(), directory_of(key).to_owned())).collect()
    }
}

impl Table {
    /// Adds up every commit, in order. Reads the changes of all.
    pub(super) async fn live_files(&self, history: &History) -> Result<LiveFiles> {
        let mut live = LiveFiles::default();
        let mut read = futures::stream::iter(&history.commits)
            .map(async |committed| Ok::<_, crate::Error>((committed, self.changes(&committed.commit).await?)))
            .buffered(CONCURRENCY);
        while let Some((committed, changes)) = read.try_next().await? {
            for key in changes.retires {
                live.files.remove(&key);
                live.retired.insert(key, committed.at.clone());
            }
            for key in changes.deletes.iter().flatten() {
                live.files.remove(key);
            }
            let added = changes.files.into_iter().chain(changes.quarantine);
            let added: Vec<StagedData> = added.collect();
            live.ever.extend(added.iter().map(|file| file.file.key.clone()));
            let added = added.into_iter();
            live.files.extend(added.map(|file| (file.file.key.clone(), (committed.version, file))));
        }
        for key in history.given_up.iter().flat_map(|lost| &lost.files) {
            live.files.remove(key);
        }
        Ok(live)
    }
}
