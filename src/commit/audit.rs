//! Every target against the log: what `sawmill verify` finds.
//!
//! Looks only, and changes nothing. What is decided and not yet published is
//! reported as such, and its files are not expected.

use super::documents::{
    FilesOf, Manifest, ManifestFile, SUCCESS_KEY, applied_key, attempt_of, changes_key, success_key,
};
use super::fit::{Expected, footer};
use super::live::LiveFiles;
use super::log::History;
use super::repair;
use super::table::{self, CONCURRENCY, Table};
use crate::encode::footer_rows;
use crate::error::{ErrorKind, Result};
use crate::store::{Store, is_hidden};
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::Serialize;

/// How closely files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// They are there, of the right size, with the rows that their footers are to say and the
    /// checksum of the whole object where the store keeps one.
    Footers,
    /// And every byte is read and its SHA-256 compared.
    Bytes,
}

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Audit {
    /// Version of the log's tip.
    pub version: u64,
    /// Files that each target should hold.
    pub files: usize,
    /// Their rows; those of rejected records do not count.
    pub rows: u64,
    /// Their size.
    pub bytes: u64,
    /// Versions that are decided and not yet visible and announced everywhere.
    pub unfinished: Vec<u64>,
    /// Files of before a change of the table's columns or types, which differ from those of now as the
    /// change allows.
    pub outdated: usize,
    /// Files that were given up, as no target held them any more: they are not expected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given_up: Vec<FilesOf>,
    /// What is wrong.
    pub damages: Vec<Damage>,
    /// Visible files that the log does not know, by target: of other programs, or of before the log.
    pub strangers: Vec<Stranger>,
}

/// Something that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Damage {
    /// URL of the object.
    pub url: String,
    /// Version that it belongs to.
    pub version: u64,
    /// What is wrong with it.
    pub what: String,
}

/// A file that the log does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stranger {
    /// URL of the object.
    pub url: String,
    /// The attempt that its name has, if sawmill gave it the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

impl Audit {
    /// Whether everything is as the log says.
    pub fn is_sound(&self) -> bool {
        self.damages.is_empty() && self.unfinished.is_empty()
    }
}

impl Table {
    /// Looks at every file that the table should have, in every target.
    pub async fn audit(&self, depth: Depth) -> Result<Audit> {
        let mut history = self.history().await?;
        self.check_places(&mut history).await?;
        history.check_exists(&self.home().describe().url)?;
        let open = self.unpublished(&history).await?;
        let unfinished: Vec<u64> = open.iter().map(|committed| committed.version).collect();
        let tip = history.tip;
        history.commits.retain(|committed| !unfinished.contains(&committed.version));
        let mut live = self.live_files(&history).await?;
        for committed in &open {
            // What is about to be removed may be gone already.
            let changes = self.changes(&committed.commit).await?;
            changes.deletes.iter().flatten().for_each(|key| drop(live.files.remove(key)));
        }
        let tables = live.files.values().filter(|(_, file)| !is_hidden(&file.file.key));
        let mut audit = Audit {
            version: tip,
            files: live.files.len(),
            rows: tables.map(|(_, file)| file.file.rows).sum(),
            bytes: live.files.values().map(|(_, file)| file.file.bytes).sum(),
            unfinished,
            outdated: 0,
            given_up: history.given_up.clone(),
            damages: Vec::new(),
            strangers: Vec::new(),
        };
        let expected = self.expected(&history).await?;
        for (position, store) in self.stores().iter().enumerate() {
            let store = store.as_ref();
            let outdated = self.audit_files(store, &live, &expected, depth, &mut audit).await?;
            if position == 0 {
                audit.outdated = outdated;
            }
            audit_documents(store, &history, &mut audit).await?;
            if audit.unfinished.is_empty() {
                find_strangers(store, &live, &mut audit).await?;
            }
        }
        Ok(audit)
    }

    /// Gives how many are of before a change of the table's columns.
    async fn audit_files(
        &self,
        store: &dyn Store,
        live: &LiveFiles,
        expected: &Expected<'_>,
        depth: Depth,
        audit: &mut Audit,
    ) -> Result<usize> {
        let found: Vec<std::result::Result<bool, Damage>> = futures::stream::iter(live.files.values())
            .map(async |(version, staged)| {
                let crc = staged.staged.first().map_or("", |staged| staged.crc64nvme.as_str());
                let what = examine(store, *version, &staged.file, crc, expected, depth).await?;
                let url = format!("{}{}", store.describe().url, staged.file.key);
                Ok::<_, crate::Error>(what.map_err(|what| Damage { url, version: *version, what }))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        let outdated = found.iter().filter(|file| matches!(file, Ok(true))).count();
        audit.damages.extend(found.into_iter().filter_map(std::result::Result::err));
        Ok(outdated)
    }
}

/// What is wrong with a file, or else whether it is of before a change of the table's columns.
async fn examine(
    store: &dyn Store,
    version: u64,
    file: &ManifestFile,
    crc: &str,
    expected: &Expected<'_>,
    depth: Depth,
) -> Result<std::result::Result<bool, String>> {
    let Some(found) = store.look(&file.key).await? else { return Ok(Err("it is not there".into())) };
    if found.bytes != file.bytes {
        return Ok(Err(format!("{} bytes were written, it has {}", file.bytes, found.bytes)));
    }
    if let Some(stored) = found.crc64nvme.filter(|stored| !crc.is_empty() && stored != crc) {
        return Ok(Err(format!("its CRC64NVME is {stored}, {crc} was written")));
    }
    if depth == Depth::Bytes && !repair::holds(store, file).await? {
        return Ok(Err(format!("its bytes are not those that were written (SHA-256 {})", file.sha256)));
    }
    let footer = match footer(store, &file.key, file.bytes).await? {
        Ok(footer) => footer,
        Err(cause) => return Ok(Err(format!("its footer cannot be read: {cause}"))),
    };
    let rows = footer_rows(&footer);
    if rows != file.rows {
        return Ok(Err(format!("{} rows were written, its footer says {rows}", file.rows)));
    }
    // Rejected records have columns of their own.
    if is_hidden(&file.key) { Ok(Ok(false)) } else { Ok(expected.check(version, &file.key, &footer)) }
}

async fn audit_documents(store: &dyn Store, history: &History, audit: &mut Audit) -> Result<()> {
    let Some(newest) = history.commits.last() else { return Ok(()) };
    let url = &store.describe().url;
    let mut wrong = |key: &str, what: &str| {
        let (url, what) = (format!("{url}{key}"), what.to_owned());
        audit.damages.push(Damage { url, version: newest.version, what });
    };
    let commit = &newest.commit;
    let changes = changes_key(&commit.attempt, &commit.changes_sha256);
    for key in [applied_key(newest.version), success_key(newest.version), changes] {
        if store.look(&key).await?.is_none() {
            wrong(&key, "it is not there");
        }
    }
    match table::read::<Manifest>(store, SUCCESS_KEY).await {
        Ok(Some(marker)) if marker.attempt == commit.attempt => {}
        // A version that is being published now.
        Ok(Some(_)) if !audit.unfinished.is_empty() => {}
        Ok(Some(marker)) => wrong(SUCCESS_KEY, &format!("it speaks of version {}", marker.version)),
        Ok(None) => wrong(SUCCESS_KEY, "it is not there"),
        Err(error) if matches!(error.kind(), ErrorKind::Damage { .. }) => {
            wrong(SUCCESS_KEY, "it cannot be read")
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

async fn find_strangers(store: &dyn Store, live: &LiveFiles, audit: &mut Audit) -> Result<()> {
    let url = &store.describe().url;
    let visible = store.list("", usize::MAX).await?;
    let unknown =
        visible.iter().filter(|key| !live.files.contains_key(*key) && !live.retired.contains_key(*key));
    audit.strangers.extend(
        unknown
            .map(|key| Stranger { url: format!("{url}{key}"), attempt: attempt_of(key).map(str::to_owned) }),
    );
    Ok(())
}
