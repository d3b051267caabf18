//! Every target against the log: what `sawmill verify` finds.
//!
//! Looks only, and changes nothing. What is decided and not yet published is
//! reported as such, and its files are not expected.

use super::documents::{
    Manifest, ManifestFile, SUCCESS_KEY, applied_key, attempt_of, changes_key, success_key,
};
use super::live::LiveFiles;
use super::log::History;
use super::repair;
use super::table::{self, CONCURRENCY, Table};
use crate::encode::rows_in_footer;
use crate::error::{ErrorKind, Result};
use crate::store::Store;
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
        let tables = live.files.values().filter(|(_, file)| !crate::store::is_hidden(&file.file.key));
        let mut audit = Audit {
            version: tip,
            files: live.files.len(),
            rows: tables.map(|(_, file)| file.file.rows).sum(),
            bytes: live.files.values().map(|(_, file)| file.file.bytes).sum(),
            unfinished,
            damages: Vec::new(),
            strangers: Vec::new(),
        };
        for store in self.stores() {
            let store = store.as_ref();
            self.audit_files(store, &live, depth, &mut audit).await?;
            audit_documents(store, &history, &mut audit).await?;
            if audit.unfinished.is_empty() {
                find_strangers(store, &live, &mut audit).await?;
            }
        }
        Ok(audit)
    }

    async fn audit_files(
        &self,
        store: &dyn Store,
        live: &LiveFiles,
        depth: Depth,
        audit: &mut Audit,
    ) -> Result<()> {
        let found: Vec<Option<Damage>> = futures::stream::iter(live.files.values())
            .map(async |(version, staged)| {
                let crc = staged.staged.first().map_or("", |staged| staged.crc64nvme.as_str());
                let what = examine(store, &staged.file, crc, depth).await?;
                let url = format!("{}{}", store.describe().url, staged.file.key);
                Ok::<_, crate::Error>(what.map(|what| Damage { url, version: *version, what }))
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        audit.damages.extend(found.into_iter().flatten());
        Ok(())
    }
}

/// What is wrong with a file, if anything.
async fn examine(store: &dyn Store, file: &ManifestFile, crc: &str, depth: Depth) -> Result<Option<String>> {
    let Some(found) = store.look(&file.key).await? else { return Ok(Some("it is not there".into())) };
    if found.bytes != file.bytes {
        return Ok(Some(format!("{} bytes were written, it has {}", file.bytes, found.bytes)));
    }
    if let Some(stored) = found.crc64nvme.filter(|stored| !crc.is_empty() && stored != crc) {
        return Ok(Some(format!("its CRC64NVME is {stored}, {crc} was written")));
    }
    if depth == Depth::Bytes && !repair::holds(store, file).await? {
        return Ok(Some(format!("its bytes are not those that were written (SHA-256 {})", file.sha256)));
    }
    match footer_rows(store, file).await? {
        Ok(rows) if rows == file.rows => Ok(None),
        Ok(rows) => Ok(Some(format!("{} rows were written, its footer says {rows}", file.rows))),
        Err(cause) => Ok(Some(format!("its footer cannot be read: {cause}"))),
    }
}

/// Bytes of a file's end that are read first; most footers fit.
const TAIL_BYTES: u64 = 64 << 10;

/// Rows as the footer of a visible file says.
async fn footer_rows(store: &dyn Store, file: &ManifestFile) -> Result<std::result::Result<u64, String>> {
    let mut wanted = TAIL_BYTES;
    loop {
        let tail = store.read(&file.key, file.bytes.saturating_sub(wanted)..file.bytes).await?;
        match rows_in_footer(&tail) {
            Ok(Ok(rows)) => return Ok(Ok(rows)),
            Ok(Err(needed)) if needed > wanted && needed <= file.bytes => wanted = needed,
            Ok(Err(_)) => return Ok(Err("it is cut off".into())),
            Err(cause) => return Ok(Err(cause.to_string())),
        }
    }
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
