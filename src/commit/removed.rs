//! What a version takes out of the table, in numbers.
//!
//! A job whose partitions are coarser than its author thinks replaces far more rows than it
//! brings, and the rows that it wrote look right. So the log and every report say what went.

use super::documents::{Changes, attempt_of, partition_of};
use super::fit::footer;
use super::log::{Committed, History};
use super::table::{CONCURRENCY, Table};
use crate::documents::{Foreign, Plan, Removed, TaskReport};
use crate::encode::footer_rows;
use crate::error::Result;
use crate::spec::WriteMode;
use crate::store::{Store, is_hidden};
use futures::{StreamExt, TryStreamExt};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Files of other programs whose footers are read. It takes two requests each, and the run waits
/// for them before it is decided.
const FOOTERS_READ: usize = 1000;

/// Size and rows of a file, as far as they are known.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    bytes: u64,
    rows: Option<u64>,
}

impl Removed {
    fn add(&mut self, size: Size) {
        self.files += 1;
        self.bytes += size.bytes;
        match size.rows {
            Some(rows) => self.rows += rows,
            None => self.unread += 1,
        }
    }
}

impl Table {
    /// What changes take out of the table, as it is at the tip of `history`; `None` if nothing.
    /// What cannot be read is counted as such: it is no reason not to go on.
    pub(super) async fn removed(&self, changes: &Changes, history: &History) -> Option<Removed> {
        // In which target a key is to be found.
        let mut keys = BTreeMap::<&str, usize>::new();
        let deletes = changes.deletes.iter().enumerate();
        let deletes = deletes.flat_map(|(target, keys)| keys.iter().map(move |key| (key, target)));
        for (key, target) in deletes.chain(changes.retires.iter().map(|key| (key, 0))) {
            if !is_hidden(key) {
                keys.entry(key).or_insert(target);
            }
        }
        let known = self.files_of_log(history, keys.keys().copied()).await;
        let (mut removed, mut foreign) = (Removed::default(), Vec::new());
        let mut partitions = BTreeSet::new();
        for (key, target) in &keys {
            match known.size(key) {
                None => foreign.push((*key, *target)),
                Some((committed, _)) if history.has_removed(committed, partition_of(key)) => continue,
                Some((_, size)) => removed.add(size),
            }
            partitions.insert(partition_of(key));
        }
        removed.partitions = partitions.len() as u64;
        if let Some((key, target)) = foreign.first() {
            let mut of_others = Removed::default();
            self.sizes(&foreign).await.into_iter().for_each(|size| of_others.add(size));
            let Removed { files, rows, bytes, unread, .. } = of_others;
            let first = format!("{}{key}", self.stores()[*target].describe().url);
            removed.files += files;
            removed.rows += rows;
            removed.bytes += bytes;
            removed.unread += unread;
            removed.foreign = Some(Foreign { files, rows, bytes, first });
        }
        (removed.files > 0).then_some(removed)
    }

    /// What a run of this plan would take out of the table. `reports` are those of its tasks, where
    /// only the rows tell which partitions are written.
    ///
    /// # Errors
    /// Those of the targets, and of versions that cannot be read any more.
    pub async fn would_remove(
        &self,
        plan: &Plan,
        reports: &[TaskReport],
        history: &History,
    ) -> Result<Option<Removed>> {
        let files = reports.iter().flat_map(|report| &report.files);
        let mut partitions: BTreeSet<String> = files.map(|file| partition_of(&file.key).to_owned()).collect();
        // A table without partitions is one, whatever its rows are.
        if plan.job.output.partition_by.is_empty() {
            partitions.insert(String::new());
        }
        let mut changes = Changes::of_plan(plan);
        self.find_removed(&mut changes, &partitions, history).await?;
        Ok(self.removed(&changes, history).await)
    }

    /// What a single file replaces that is written under this key: the file that stands there in the
    /// first target that has one. There is no log that could tell who wrote it.
    pub async fn removed_by_single(&self, key: &str) -> Option<Removed> {
        for (target, store) in self.stores().iter().enumerate() {
            match store.head(key).await {
                Ok(None) => {}
                Ok(Some(_)) => {
                    let mut removed = Removed { partitions: 1, ..Removed::default() };
                    self.sizes(&[(key, target)]).await.into_iter().for_each(|size| removed.add(size));
                    return Some(removed);
                }
                Err(error) => tracing::warn!(%error, "what is to be replaced cannot be counted"),
            }
        }
        None
    }

    /// Which of these keys versions of the table have written. Their names tell the attempt, so
    /// that only the changes of those versions are read.
    async fn files_of_log<'a>(
        &self,
        history: &'a History,
        keys: impl Iterator<Item = &str>,
    ) -> KnownFiles<'a> {
        let attempts: BTreeSet<&str> = keys.filter_map(attempt_of).collect();
        let commits = history.commits.iter().filter(|c| attempts.contains(c.commit.attempt.as_str()));
        let mut known = KnownFiles::default();
        let mut read = futures::stream::iter(commits)
            .map(async |committed| (committed, self.changes(&committed.commit).await))
            .buffered(CONCURRENCY);
        while let Some((committed, changes)) = read.next().await {
            let files = changes.map(|changes| {
                let sizes = changes.files.into_iter().map(|data| {
                    let size = Size { bytes: data.file.bytes, rows: Some(data.file.rows) };
                    (data.file.key, size)
                });
                sizes.collect()
            });
            if let Err(error) = &files {
                tracing::warn!(%error, version = committed.version, "its files cannot be counted");
            }
            known.0.insert(&committed.commit.attempt, OfVersion { committed, files: files.ok() });
        }
        known
    }

    /// Sizes of visible files, in their order. After the first failure no more are asked for.
    async fn sizes(&self, files: &[(&str, usize)]) -> Vec<Size> {
        let asked = files.iter().take(FOOTERS_READ);
        let mut found = futures::stream::iter(asked)
            .map(|(key, target)| size(self.stores()[*target].as_ref(), key))
            .buffered(CONCURRENCY);
        let mut sizes = Vec::with_capacity(files.len());
        loop {
            match found.try_next().await {
                Ok(Some(size)) => sizes.push(size),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "not every file that is to be removed can be counted");
                    break;
                }
            }
        }
        sizes.resize(files.len(), Size::default());
        sizes
    }
}

/// Files of versions, by attempt.
#[derive(Default)]
struct KnownFiles<'a>(HashMap<&'a str, OfVersion<'a>>);

struct OfVersion<'a> {
    committed: &'a Committed,
    /// By key; `None` where they could not be read.
    files: Option<HashMap<String, Size>>,
}

impl<'a> KnownFiles<'a> {
    /// Which version wrote a file, and its size; `None` if none did.
    fn size(&self, key: &str) -> Option<(&'a Committed, Size)> {
        let OfVersion { committed, files } = self.0.get(attempt_of(key)?)?;
        match files {
            Some(files) => Some((committed, *files.get(key)?)),
            None => Some((committed, Size::default())),
        }
    }
}

impl History {
    /// Whether a version has already removed what another wrote in a partition. The files may be
    /// there still, if it is not applied.
    fn has_removed(&self, committed: &Committed, partition: &str) -> bool {
        let overwrites = |later: &Committed| {
            later.commit.mode == WriteMode::OverwritePartitions && later.commit.partitions.contains(partition)
        };
        committed.replaced_by.is_some() || self.commits_after(committed.version).any(overwrites)
    }
}

async fn size(store: &dyn Store, key: &str) -> Result<Size> {
    let Some(found) = store.head(key).await? else { return Ok(Size::default()) };
    let rows = match found.bytes {
        0 => None,
        bytes => footer(store, key, bytes).await?.ok().map(|footer| footer_rows(&footer)),
    };
    Ok(Size { bytes: found.bytes, rows })
}
