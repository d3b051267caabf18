//! Files that no target holds any more → no longer expected, by somebody's word.
//!
//! Buckets are emptied and uploads expire. A decided version whose files are lost
//! everywhere can neither be finished nor forgotten, and would stand in the way of
//! every other. The log can say that they are given up: the version stays, with what
//! is left of it, and its inputs can be read again with `--reprocess`.

use super::apply::staged_in;
use super::documents::{Event, FilesOf, StagedData};
use super::log::{Appended, History};
use super::table::{CONCURRENCY, Table};
use crate::error::Result;
use futures::{StreamExt, TryStreamExt};
use std::collections::BTreeMap;

impl Table {
    /// Says in the log that files which no target holds are given up; gives those. Every target
    /// has to answer. `history` is brought up to date.
    pub async fn give_up_lost(&self, history: &mut History) -> Result<Vec<FilesOf>> {
        loop {
            let live = self.live_files(history).await?;
            let lost: Vec<Option<(u64, StagedData)>> = futures::stream::iter(live.files.into_values())
                .map(async |(version, file)| {
                    Ok::<_, crate::Error>((!self.is_held(&file).await?).then_some((version, file)))
                })
                .buffered(CONCURRENCY)
                .try_collect()
                .await?;
            let lost = by_version(lost.into_iter().flatten());
            if lost.is_empty() {
                return Ok(lost);
            }
            // Nothing is removed before an entry of the log says so: if this is the next one, what
            // was not found is lost.
            if let Appended::Here = self.append(history, Event::GivenUp { lost: lost.clone() }).await? {
                return Ok(lost);
            }
            self.catch_up(history).await?;
        }
    }

    /// Whether a target shows a file, or has it staged. Looked for again at last: it may have
    /// become visible between the look and the list.
    pub(super) async fn is_held(&self, file: &StagedData) -> Result<bool> {
        let key = &file.file.key;
        for (target, store) in self.stores().iter().enumerate() {
            let is_visible = async || {
                let found = store.head(key).await?;
                Ok::<_, crate::Error>(found.is_some_and(|found| found.bytes == file.file.bytes))
            };
            if is_visible().await? {
                return Ok(true);
            }
            let Some(staged) = staged_in(file, target) else { continue };
            let open = store.list_staged(Some(key)).await?;
            let is_open = open.iter().any(|open| open.staging.handle() == staged.staging.handle());
            if is_open || is_visible().await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Files, by the version that they are of.
pub(super) fn by_version(files: impl Iterator<Item = (u64, StagedData)>) -> Vec<FilesOf> {
    let mut found: BTreeMap<u64, FilesOf> = BTreeMap::new();
    for (version, StagedData { file, .. }) in files {
        let of =
            found.entry(version).or_insert_with(|| FilesOf { version, files: Default::default(), rows: 0 });
        // Those of rejected records are not rows of the table.
        of.rows += if crate::store::is_hidden(&file.key) { 0 } else { file.rows };
        of.files.insert(file.key);
    }
    found.into_values().collect()
}
