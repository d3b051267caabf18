//! What every target can do.

use crate::documents::{StagedFile, StagedPart};
use crate::error::{Result, StoreFailure, StoreReason};
use bytes::Bytes;
use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// Whether readers of a table pass over this key.
pub(crate) fn is_hidden(key: &str) -> bool {
    key.split('/').any(|part| part.starts_with(['_', '.']))
}

/// What a task may do in a target: stage files and remove them again. None of it becomes visible.
///
/// Keys are relative to the target's URL, use `/`, and have no leading slash.
#[async_trait::async_trait]
pub trait StagingStore: Send + Sync + std::fmt::Debug {
    /// URL of the table root, ending in `/`, and region, for messages and reports.
    fn describe(&self) -> &TargetIdentity;

    /// Bytes a part must have (but the last); parts of one file are all of this size.
    fn part_bytes(&self) -> usize;

    /// Begins a staged file under its final key. Nothing becomes visible.
    async fn begin(&self, key: &str) -> Result<Box<dyn StagedWrite>>;

    /// Removes a staged file that is not visible. Repeatable; a file that is gone is a success.
    async fn abort(&self, staged: &StagedFile) -> Result<()>;
}

/// One target: a place where the whole table is written. What the commit needs of it: staged
/// files become visible, visible ones are read and removed, and small documents are kept.
#[async_trait::async_trait]
pub trait Store: StagingStore {
    /// Makes a staged file visible under its key, atomically.
    ///
    /// Repeatable: a file that this staging has made visible already is a success.
    async fn complete(&self, staged: &StagedFile) -> Result<()>;

    /// Writes a small object whole, visible at once, whether or not there is one.
    async fn put(&self, key: &str, body: Bytes) -> Result<()>;

    /// Writes a small object whole unless there is one of this key: of several
    /// writers, in whatever processes, exactly one is told [`WriteOutcome::Created`].
    ///
    /// # Errors
    /// After an error the object may be there, whoever wrote it, now or later:
    /// only reading it tells.
    async fn create(&self, key: &str, body: Bytes) -> Result<WriteOutcome>;

    /// Replaces a small object if it is still the one that `read` holds, and
    /// creates it, as [`Store::create`] does, if there was none.
    async fn replace(&self, key: &str, body: Bytes, read: Option<&StoredDocument>) -> Result<WriteOutcome>;

    /// Reads a small object, `None` if there is none.
    async fn get(&self, key: &str) -> Result<Option<StoredDocument>>;

    /// Reads bytes of a visible object, end-exclusive; fewer at its end.
    async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes>;

    /// What there is to know of a visible object without reading it, `None` if there is none.
    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>>;

    /// Removes a visible object. Repeatable; one that is gone is a success.
    async fn delete(&self, key: &str) -> Result<()>;

    /// Up to `limit` keys under `prefix` that readers of the table see, in key
    /// order: no part of the key begins with `_` or `.`.
    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<String>>;

    /// Every key under `prefix`, a directory such as `_sawmill/log/`, that comes
    /// after `after` (a key, or empty), in key order; hidden ones too.
    async fn list_documents(&self, prefix: &str, after: &str) -> Result<Vec<String>>;

    /// Staged files under this table that are still open, whoever began them:
    /// enough of each for [`StagingStore::abort`]. S3 does not say sizes and parts here.
    /// With a key: at least those of this key, without a walk through the table.
    async fn list_staged(&self, key: Option<&str>) -> Result<Vec<StagedFile>>;

    /// Removes what writers of documents that are dead have left half done, if
    /// they can: S3 never shows such.
    async fn sweep_documents(&self) -> Result<()> {
        Ok(())
    }
}

/// A staged file being written.
#[async_trait::async_trait]
pub trait StagedWrite: Send + Sync {
    /// Writes one part durably. `number` counts from 1; `offset` is the part's
    /// first byte in the file. Parts may be written concurrently.
    async fn put_part(&self, number: u32, offset: u64, body: Bytes) -> Result<StagedPart>;

    /// All parts are acknowledged: makes the staged file durable as a whole and
    /// says what [`Store::complete`] needs. `parts` in ascending order.
    async fn seal(&self, parts: Vec<StagedPart>) -> Result<StagedFile>;

    /// What [`StagingStore::abort`] needs if the file is given up now.
    fn handle(&self) -> StagedFile;
}

/// What happened to a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteOutcome {
    /// This call wrote it.
    Created,
    /// Somebody else did before, perhaps an earlier try of this very call.
    AlreadyExists,
}

/// A small object, and what tells it from one that replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    /// Its bytes.
    pub body: Bytes,
    /// The store's entity tag; empty where the bytes themselves are compared.
    pub tag: String,
}

/// A visible object, as far as a store says without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Size in bytes.
    pub bytes: u64,
    /// Of the upload that made it, if sawmill did; local files have none.
    pub identity: Option<String>,
    /// CRC64NVME of the whole object in base64, where the store keeps one.
    pub crc64nvme: Option<String>,
}

/// Which target.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct TargetIdentity {
    /// URL of the table root, ending in `/`.
    pub url: String,
    /// Region, for S3.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub region: Option<String>,
}

impl TargetIdentity {
    /// The failure of something that was done in the target, to the object `key` (empty:
    /// to the target itself).
    pub fn failure(
        &self,
        operation: &str,
        key: &str,
        reason: StoreReason,
        detail: impl Into<String>,
    ) -> StoreFailure {
        let failure = StoreFailure::new(operation, format!("{}{key}", self.url), reason, detail);
        StoreFailure { region: self.region.clone(), ..failure }
    }
}

/// Proves that files can be staged in a target, without leaving anything behind:
/// begins a file, writes a byte, looks for it, aborts it.
pub async fn check_access(store: &dyn Store) -> Result<()> {
    let key = format!(".sawmill-access-{}", random_suffix());
    let write = store.begin(&key).await?;
    let written = write.put_part(1, 0, Bytes::from_static(b"\0")).await;
    let listed = store.list_staged(Some(&key)).await;
    let aborted = store.abort(&write.handle()).await;
    written?;
    listed?;
    aborted
}

/// Sixteen hexadecimal digits that no other run has. The standard library's
/// hash keys are random, and need no crate of their own.
pub(super) fn random_suffix() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
