//! What the files of a table have, by its log, and whether those of an attempt may stand beside them.

use super::documents::{Changes, partition_of};
use super::log::{Committed, History};
use super::repair::is_gone;
use super::table::Table;
use crate::encode::{footer_columns, footer_in};
use crate::error::lists::quoted;
use crate::error::{Error, ErrorKind, Result, StoreReason};
use crate::plan::TableBefore;
use crate::schema::{Misfit, WrittenKey, WrittenSchema, admit};
use crate::spec::{OutputSpec, SchemaChange, WriteMode};
use crate::store::{Store, is_hidden};
use parquet::file::metadata::ParquetMetaData;
use std::collections::BTreeSet;

impl History {
    /// What the files of the table have since its newest version, if the log says so.
    pub(super) fn schema(&self) -> Option<&WrittenSchema> {
        self.commits.iter().rev().find_map(|committed| committed.commit.schema.as_ref())
    }

    /// What the files of a version have. Versions of before the log kept it have what
    /// the first had that did.
    pub(super) fn schema_at(&self, version: u64) -> Option<&WrittenSchema> {
        let schemas = || self.commits.iter().filter_map(|c| Some((c.version, c.commit.schema.as_ref()?)));
        let at = schemas().take_while(|(since, _)| *since <= version).last();
        at.or_else(|| schemas().next()).map(|(_, schema)| schema)
    }

    /// Whether rows of other versions stay when these are replaced and these partitions overwritten.
    fn keeps_rows(&self, replaces: &[u64], overwritten: &BTreeSet<String>) -> bool {
        self.holding().any(|Committed { version, commit, .. }| {
            !replaces.contains(version) && !commit.partitions.is_subset(overwritten)
        })
    }

    /// What the files of the table have with those of an attempt. `written`: what those have;
    /// `None` of a plan of an older version, which nothing can be said of.
    ///
    /// # Errors
    /// They cannot stand beside the others.
    pub(super) fn schema_with(
        &self,
        changes: &Changes,
        written: Option<&WrittenSchema>,
        change: SchemaChange,
    ) -> Result<Option<WrittenSchema>, Misfit> {
        let Some(written) = written.filter(|_| !changes.files.is_empty()) else { return Ok(None) };
        let overwritten = match changes.mode {
            WriteMode::OverwritePartitions => changes.partitions(),
            WriteMode::Append | WriteMode::ErrorIfExists => BTreeSet::new(),
        };
        match self.schema() {
            Some(table) if self.keeps_rows(&changes.replaces, &overwritten) => {
                admit(table, written, change).map(Some)
            }
            _ => Ok(Some(written.clone())),
        }
    }
}

impl Table {
    /// The table as a plan has to know it: if rows of it stay beside those of a run that
    /// replaces these versions.
    pub async fn before(
        &self,
        history: &History,
        output: &OutputSpec,
        replaces: &[u64],
    ) -> Result<Option<TableBefore>> {
        // Which partitions a run overwrites its rows say, unless there is only one.
        let is_whole = output.mode == WriteMode::OverwritePartitions && output.partition_by.is_empty();
        let overwritten = if is_whole { BTreeSet::from([String::new()]) } else { BTreeSet::new() };
        if !history.keeps_rows(replaces, &overwritten) {
            return Ok(None);
        }
        let schema = match history.schema() {
            Some(schema) => Some(schema.clone()),
            None => self.schema_in_files(history).await?,
        };
        let done = history.commits.iter().map(|committed| committed.commit.job_key.clone()).collect();
        Ok(schema.map(|schema| TableBefore { schema, done }))
    }

    /// What the newest file of a table has, whose log does not say it. What its directories are derived
    /// from only who wrote them knew.
    pub(super) async fn schema_in_files(&self, history: &History) -> Result<Option<WrittenSchema>> {
        let live = self.live_files(history).await?;
        let tables = live.files.values().filter(|(_, file)| !is_hidden(&file.file.key));
        let Some((_, newest)) = tables.max_by_key(|(version, _)| *version) else { return Ok(None) };
        let file = &newest.file;
        let read = match self.home_footer(&file.key, file.bytes).await {
            Ok(read) => read,
            // Who only plans may have to make do with the log.
            Err(error) if is_denied(&error) => Err(error.to_string()),
            Err(error) => return Err(error),
        };
        let columns = match read.and_then(|footer| footer_columns(&footer).map_err(|cause| cause.to_string()))
        {
            Ok(columns) => columns,
            Err(cause) => {
                let file = &file.key;
                tracing::warn!("the columns of the table are not known, as {file} cannot be read: {cause}");
                return Ok(None);
            }
        };
        let keys = key_names(&file.key).into_iter().map(|name| WrittenKey { name, values: None });
        Ok(Some(WrittenSchema { columns, partition_by: keys.collect() }))
    }
}

impl Table {
    async fn home_footer(
        &self,
        key: &str,
        bytes: u64,
    ) -> Result<std::result::Result<ParquetMetaData, String>> {
        match self.home().head(key).await? {
            Some(found) if found.bytes == bytes => match footer(self.home(), key, bytes).await {
                // A run that overwrites has removed it since.
                Err(error) if is_gone(&error) => Ok(Err("it no longer exists".into())),
                footer => footer,
            },
            _ => Ok(Err("it is not what was written".into())),
        }
    }
}

fn is_denied(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Target(failure) if failure.reason == StoreReason::Denied)
}

/// Names of the partition keys, as the directory of a file has them.
fn key_names(key: &str) -> Vec<String> {
    let directories = partition_of(key).split('/').filter(|name| !name.is_empty());
    let name = |directory: &str| {
        let name = directory.split_once('=').map_or(directory, |(name, _)| name);
        percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned()
    };
    directories.map(name).collect()
}

/// What the files of each version are to have.
#[derive(Debug)]
pub(super) struct Expected<'a> {
    history: &'a History,
    /// Where the log does not say it.
    in_files: Option<WrittenSchema>,
}

impl Expected<'_> {
    /// What a file of a version has that it should not, or else whether it is of before a change.
    ///
    /// # Errors
    /// For people: it does not belong to the table, or cannot be read.
    pub(super) fn check(
        &self,
        version: u64,
        key: &str,
        footer: &ParquetMetaData,
    ) -> std::result::Result<bool, String> {
        let in_files = self.in_files.as_ref();
        let Some(schema) = self.history.schema_at(version).or(in_files) else { return Ok(false) };
        let columns = footer_columns(footer).map_err(|cause| cause.to_string())?;
        let keys = key_names(key);
        let keys_of_table = schema.partition_by.iter().map(|key| key.name.clone()).collect::<Vec<_>>();
        if keys != keys_of_table {
            let (keys, of_table) = (quoted(keys), quoted(keys_of_table));
            return Err(format!("its partition keys are {keys}, those of the table {of_table}"));
        }
        match schema.mismatch(&columns) {
            Some(what) => Err(what),
            None => Ok(self.history.schema().or(in_files).is_some_and(|now| !now.is_of(&columns))),
        }
    }
}

impl Table {
    pub(super) async fn expected<'a>(&self, history: &'a History) -> Result<Expected<'a>> {
        let in_files = match history.schema() {
            Some(_) => None,
            None => self.schema_in_files(history).await?,
        };
        Ok(Expected { history, in_files })
    }
}

/// Bytes of a file's end that are read first; most footers fit.
const TAIL_BYTES: u64 = 64 << 10;

/// The footer of a visible file, or why there is none.
pub(super) async fn footer(
    store: &dyn Store,
    key: &str,
    bytes: u64,
) -> Result<std::result::Result<ParquetMetaData, String>> {
    let mut wanted = TAIL_BYTES;
    loop {
        let tail = store.read(key, bytes.saturating_sub(wanted)..bytes).await?;
        match footer_in(&tail) {
            Ok(Ok(footer)) => return Ok(Ok(footer)),
            Ok(Err(needed)) if needed > wanted && needed <= bytes => wanted = needed,
            Ok(Err(_)) => return Ok(Err("it is cut off".into())),
            Err(cause) => return Ok(Err(cause.to_string())),
        }
    }
}
