//! The log → the files that the table has, and which version each is of.

use super::documents::StagedData;
use super::log::History;
use super::table::{CONCURRENCY, Table};
use crate::error::Result;
use futures::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;

/// The files that the table has at a version, by key.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LiveFiles {
    /// Version and file, by key.
    pub(super) files: BTreeMap<String, (u64, StagedData)>,
}

impl Table {
    /// Adds up every commit, in order. Reads the changes of all.
    pub(super) async fn live_files(&self, history: &History) -> Result<LiveFiles> {
        let mut live = LiveFiles::default();
        let mut read = futures::stream::iter(&history.commits)
            .map(async |committed| {
                Ok::<_, crate::Error>((committed.version, self.changes(&committed.commit).await?))
            })
            .buffered(CONCURRENCY);
        while let Some((version, changes)) = read.try_next().await? {
            for key in changes.deletes.iter().flatten() {
                live.files.remove(key);
            }
            let added = changes.files.into_iter().chain(changes.quarantine);
            live.files.extend(added.map(|file| (file.file.key.clone(), (version, file))));
        }
        Ok(live)
    }
}
