//! What the commit writes under `_sawmill/` of a target: versioned JSON, one
//! type a document, and where each lies.

mod home;

pub use home::{Epoch, FilesOf, Loss, Promotion, UndecidedAttempt};

use super::read_before::InputMarks;
use crate::documents::{
    COMMIT_FORMAT, FileReport, Input, ManifestFile, Plan, RecordCounts, Removed, StagedFile, Staging,
};
use crate::encode::{DATA_SUFFIX, REJECTS_SUFFIX};
use crate::error::{Error, Result};
use crate::schema::WrittenSchema;
use crate::spec::{Layout, WriteMode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Marks the table's newest version whose files are all visible in every
/// target. Readers skip it.
pub const SUCCESS_KEY: &str = "_SUCCESS";

/// The epoch of a table whose home was never lost.
pub(super) const FIRST_EPOCH: u64 = 1;

/// Where each target says which epochs it knows of.
pub(super) const EPOCHS: &str = "_sawmill/epoch/";

/// Where what attempts leave lies.
pub(super) const ATTEMPTS: &str = "_sawmill/attempts/";

/// Whether this version of sawmill reads a document.
pub(super) fn check_format(format: u32, url: &str, key: &str) -> Result<()> {
    if format == COMMIT_FORMAT {
        return Ok(());
    }
    let message = format!("{url}{key} has format {format}; this version of sawmill knows {COMMIT_FORMAT}");
    Err(Error::usage(message).remedy("use the version of sawmill that wrote it, or a later one"))
}

/// `attempts/<attempt>/intent.json`, home: somebody is about to stage files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// [`COMMIT_FORMAT`].
    pub format: u32,
    /// Names the attempt; part of every file's name.
    pub attempt: String,
    /// The log's tip when it began.
    pub base_version: u64,
    /// RFC 3339, UTC.
    pub started_at: String,
    /// Whether one process stages and commits, or tasks of their own stage and another commits.
    pub steps: Steps,
    /// What is to be done: the pinned inputs, the job, the schema.
    pub plan: Plan,
}

/// Who carries out an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Steps {
    /// `run`, `convert`: one process, alive from its first to its last file.
    OneProcess,
    /// `plan`, `task`, `commit`: no process may be running in between.
    Separate,
}

/// `attempts/<attempt>/lease.json`, home, written anew as long as somebody
/// stages: until when the attempt must not be presumed dead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lease {
    /// [`COMMIT_FORMAT`].
    pub format: u32,
    /// RFC 3339, UTC, by the writer's clock.
    pub expires_at: String,
    /// The process, so that another on the same machine can see it dead before the lease ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<super::process::Process>,
}

/// `attempts/<attempt>/changes-<SHA-256>.json`, every target: all that a commit
/// does to the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// [`COMMIT_FORMAT`].
    pub format: u32,
    /// Name of the job.
    pub job: String,
    /// What was done, on which inputs.
    pub job_key: String,
    /// The attempt that staged the files.
    pub attempt: String,
    /// What happens to data that is there.
    pub mode: WriteMode,
    /// Where the files lie.
    #[serde(default)]
    pub layout: Layout,
    /// Over all inputs.
    pub records: RecordCounts,
    /// The pinned inputs.
    pub inputs: Vec<Input>,
    /// In order of task and file number.
    pub files: Vec<StagedData>,
    /// Files of rejected records, under ignored names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quarantine: Vec<StagedData>,
    /// For each target, the keys that are removed once all files are visible in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deletes: Vec<Vec<String>>,
    /// Keys that are no longer of the table and stay where they are: in a versioned layout
    /// somebody may still be reading them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retires: Vec<String>,
    /// Versions whose files this one replaces (`--reprocess`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<u64>,
}

impl Changes {
    /// Every file that becomes visible.
    pub fn all_files(&self) -> impl Iterator<Item = &StagedData> {
        self.files.iter().chain(&self.quarantine)
    }

    /// Puts what stands here for each target, in the order of the targets `from`, into the order
    /// `to`. A target that is not in `from` has nothing staged and nothing to delete.
    ///
    /// Positions alone would be wrong once a job lists its targets in another order, as after
    /// a promotion. Where no place is known by its name (documents of an older sawmill, a
    /// table that was moved as a whole) the order is taken to be the same.
    pub(super) fn rearrange(&mut self, from: &[String], to: &[&str]) {
        let places: Vec<Option<usize>> = to.iter().map(|url| from.iter().position(|f| f == url)).collect();
        if places.iter().all(Option::is_none) || from == to {
            return;
        }
        for file in self.files.iter_mut().chain(&mut self.quarantine) {
            let absent =
                file.staged.first().map(|first| StagedFile { staging: Staging::Absent, ..first.clone() });
            let staged =
                |place: &Option<usize>| place.and_then(|place| file.staged.get(place)).or(absent.as_ref());
            file.staged = places.iter().filter_map(staged).cloned().collect();
        }
        if !self.deletes.is_empty() {
            let mut deletes: Vec<_> = self.deletes.drain(..).map(Some).collect();
            let mut take = |place: usize| deletes.get_mut(place).and_then(Option::take);
            self.deletes = places.iter().map(|place| place.and_then(&mut take).unwrap_or_default()).collect();
            // Of targets that the job has no more: what was removed there is not of the table either.
            self.deletes.extend(deletes.into_iter().flatten());
        }
    }

    /// Leaves out files that were given up.
    pub(super) fn give_up(&mut self, given_up: &[FilesOf]) {
        if !given_up.is_empty() {
            let is_kept =
                |file: &StagedData| !given_up.iter().any(|lost| lost.files.contains(&file.file.key));
            self.files.retain(is_kept);
            self.quarantine.retain(is_kept);
        }
    }

    /// The partitions of the table's files, as directories that end in `/`; `""` is the root.
    pub fn partitions(&self) -> BTreeSet<String> {
        self.files.iter().map(|file| partition_of(&file.file.key).to_owned()).collect()
    }
}

/// One file, and what holds it in each target until it is visible.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StagedData {
    /// The file.
    #[serde(flatten)]
    pub file: ManifestFile,
    /// One for each target, in the order of the job that staged it; see [`Commit::targets`].
    pub staged: Vec<StagedFile>,
}

impl From<&FileReport> for StagedData {
    fn from(file: &FileReport) -> Self {
        StagedData { file: ManifestFile::from(file), staged: file.staged.clone() }
    }
}

/// `log/<version>.json`, home, created once: the log alone decides. Also
/// `history/<version>.json`, each other target: a copy of a commit, by the engine that applied it there;
/// and `epoch/<n>-start.json`, each target: with what the log of an epoch begins.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// [`COMMIT_FORMAT`].
    pub format: u32,
    /// From 1, without gaps but before a promotion.
    pub version: u64,
    /// RFC 3339, UTC, by the writer's clock.
    pub at: String,
    /// Name and version of the engine that wrote it.
    pub engine: String,
    /// What was decided.
    #[serde(flatten)]
    pub event: Event,
}

/// What an entry of the log says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// The attempt is part of the table, whatever happens from here on.
    Commit(Box<Commit>),
    /// The attempt will never be part of the table; what it staged may be removed.
    Fence {
        /// The attempt.
        attempt: String,
        /// For people.
        reason: String,
    },
    /// Files that a target had lost were copied there from another.
    Repair {
        /// URL of the target.
        target: String,
        /// How many.
        files: u64,
    },
    /// Home was lost, and another target has taken its place: the first entry of its log.
    Promotion(Box<Promotion>),
    /// Files of a version that no target holds any more are no longer expected.
    GivenUp {
        /// Of each version.
        lost: Vec<FilesOf>,
    },
}

/// A commit, in short; its [`Changes`] hold the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// The attempt.
    pub attempt: String,
    /// Name of the job.
    pub job: String,
    /// What was done, on which inputs.
    pub job_key: String,
    /// What happens to data that is there.
    pub mode: WriteMode,
    /// Where its files lie.
    #[serde(default)]
    pub layout: Layout,
    /// Of its [`Changes`].
    pub changes_sha256: String,
    /// URLs of the targets, in the order that its [`Changes`] have for what is staged and
    /// deleted. Absent before sawmill knew of promotions: then it is the job's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Directories that its files are in.
    pub partitions: BTreeSet<String>,
    /// Versions whose files it replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<u64>,
    /// What it took out of the table, if anything. Versions that an older sawmill wrote do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removed>,
    /// Files of the table; those of rejected records do not count.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// Over all inputs.
    pub records: RecordCounts,
    /// Number of inputs.
    pub inputs: u64,
    /// What the files of the table have from this version on, where it is not what they had before;
    /// absent in commits that an older version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<WrittenSchema>,
    /// Which inputs; absent in commits that an older version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_marks: Option<InputMarks>,
}

/// `applied/<version>.json`, each target: it holds all files of the version,
/// looked at, and none that the version removes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Applied {
    /// [`COMMIT_FORMAT`].
    pub format: u32,
    /// Of the log.
    pub version: u64,
    /// The attempt.
    pub attempt: String,
    /// RFC 3339, UTC.
    pub at: String,
    /// Files made visible, those of rejected records included.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
    /// Files removed.
    pub deleted: u64,
}

/// `published/<version>.json`, home: everybody has been told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishedNote {
    /// [`COMMIT_FORMAT`].
    pub format: u32,
    /// Of the log.
    pub version: u64,
    /// The attempt.
    pub attempt: String,
    /// RFC 3339, UTC.
    pub at: String,
}

/// Where the log of an epoch lies, in its home.
pub(super) fn log_directory(epoch: u64) -> String {
    of_epoch(epoch, "log")
}

/// Where copies of the log's commits lie, in the other targets.
pub(super) fn copies_directory(epoch: u64) -> String {
    of_epoch(epoch, "history")
}

/// Where the log is summed up, so that a reader need not fetch all of it.
pub(super) fn checkpoints_directory(epoch: u64) -> String {
    of_epoch(epoch, "checkpoints")
}

/// Each epoch has a log of its own: a runner that has slept through a promotion can add to the
/// log that it knows, and not to the one that counts.
fn of_epoch(epoch: u64, name: &str) -> String {
    match epoch {
        FIRST_EPOCH => format!("_sawmill/{name}/"),
        later => format!("_sawmill/epoch-{later}/{name}/"),
    }
}

/// Key of an entry of the log. Twenty digits hold any `u64`, so that keys sort
/// as versions do.
pub(super) fn log_key(epoch: u64, version: u64) -> String {
    format!("{}{version:020}.json", log_directory(epoch))
}

/// Key of the copy of a commit.
pub(super) fn copy_key(epoch: u64, version: u64) -> String {
    format!("{}{version:020}.json", copies_directory(epoch))
}

/// Says that there is an epoch.
pub(super) fn epoch_key(epoch: u64) -> String {
    format!("{EPOCHS}{epoch:020}.json")
}

/// With what the log of an epoch begins. Beside [`epoch_key`], so that one list shows both.
pub(super) fn start_key(epoch: u64) -> String {
    format!("{EPOCHS}{epoch:020}-start.json")
}

/// The version that the key of a numbered document has.
pub(super) fn version_of(key: &str) -> Option<u64> {
    key.rsplit('/').next()?.strip_suffix(".json")?.parse().ok()
}

pub(super) fn checkpoint_key(epoch: u64, version: u64) -> String {
    format!("{}{version:020}.json", checkpoints_directory(epoch))
}

pub(super) fn applied_key(version: u64) -> String {
    format!("_sawmill/applied/{version:020}.json")
}

pub(super) fn success_key(version: u64) -> String {
    format!("_sawmill/success/{version:020}.json")
}

pub(super) fn published_key(version: u64) -> String {
    format!("_sawmill/published/{version:020}.json")
}

pub(super) fn intent_key(attempt: &str) -> String {
    format!("{ATTEMPTS}{attempt}/intent.json")
}

pub(super) fn lease_key(attempt: &str) -> String {
    format!("{ATTEMPTS}{attempt}/lease.json")
}

pub(super) fn pending_key(attempt: &str, task: u32) -> String {
    format!("{ATTEMPTS}{attempt}/pending/{task:05}.json")
}

pub(super) fn changes_key(attempt: &str, sha256: &str) -> String {
    format!("{ATTEMPTS}{attempt}/changes-{sha256}.json")
}

/// Where a file lies, as a directory that ends in `/`; `""` is the root.
pub(super) fn directory_of(key: &str) -> &str {
    key.rfind('/').map_or("", |slash| &key[..=slash])
}

/// The same without the directory of its version, if it has one.
pub(super) fn partition_of(key: &str) -> &str {
    let directory = directory_of(key);
    let within = attempt_of(key).and_then(|attempt| directory.strip_prefix(attempt)?.strip_prefix('/'));
    within.unwrap_or(directory)
}

/// The attempt that a staged or visible file's key ends with, if sawmill gave it the key:
/// its suffix after `-<UTC time>-<eight hexadecimal digits>`, as [`crate::plan`] makes them.
/// Rejected records were once called `*.parquet`, too.
pub(super) fn attempt_of(key: &str) -> Option<&str> {
    const LENGTH: usize = "20130131t235959z-0123abcd".len();
    let stem = key.strip_suffix(DATA_SUFFIX).or_else(|| key.strip_suffix(REJECTS_SUFFIX))?;
    let start = stem.len().checked_sub(LENGTH)?;
    let attempt = stem.get(start..)?;
    (is_attempt(attempt) && stem[..start].ends_with('-')).then_some(attempt)
}

/// Whether a text is the name of an attempt.
pub(super) fn is_attempt(text: &str) -> bool {
    let Some((time, random)) = text.split_once('-') else { return false };
    let is_time = time.len() == 16
        && time.bytes().enumerate().all(|(at, byte)| match at {
            8 => byte == b't',
            15 => byte == b'z',
            _ => byte.is_ascii_digit(),
        });
    is_time && random.len() == 8 && random.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
#[path = "documents_tests.rs"]
mod tests;
