//! What a version of the table is made of.

use super::findings::is_zero;
use super::{FileReport, RecordCounts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the documents that the commit writes.
pub const COMMIT_FORMAT: u32 = 1;

/// `success/<version>.json` and `_SUCCESS`, each target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// [`COMMIT_FORMAT`].
    pub format: u32,
    /// Of the table's log; 0 for single files, which have none.
    #[serde(default)]
    pub version: u64,
    /// Name of the job.
    pub job: String,
    /// As in the plan: what was done, on which inputs.
    pub job_key: String,
    /// The attempt that wrote the files.
    pub attempt: String,
    /// RFC 3339, UTC: when it was decided.
    pub committed_at: String,
    /// Over all inputs.
    pub records: RecordCounts,
    /// In order of task and file number.
    pub files: Vec<ManifestFile>,
    /// Files of rejected records, under ignored names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quarantine: Vec<ManifestFile>,
    /// What the version took out of the table, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removed>,
    /// In a versioned layout, where each partition of the whole table is, both as directories relative to the target's URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub locations: BTreeMap<String, String>,
}

/// One visible file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ManifestFile {
    /// Relative to the target's URL.
    pub key: String,
    /// Partition key = value; `null` for the default partition.
    pub partition: BTreeMap<String, Option<String>>,
    /// Rows in the file.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// Hexadecimal; the same in every target.
    pub sha256: String,
}

impl From<&FileReport> for ManifestFile {
    fn from(file: &FileReport) -> Self {
        ManifestFile {
            key: file.key.clone(),
            partition: file.partition.clone(),
            rows: file.rows,
            bytes: file.bytes,
            sha256: file.sha256.clone(),
        }
    }
}

/// What a version takes out of the table: what it overwrites, and the versions that it replaces. A file
/// counts once, however many targets hold it; files of rejected records do not count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Removed {
    /// Files of the table.
    pub files: u64,
    /// Rows of those files that are not `unread`.
    pub rows: u64,
    /// Their size, as far as it is known.
    pub bytes: u64,
    /// Partitions that they are in.
    pub partitions: u64,
    /// Files whose rows are not known: they are not Parquet, could not be read, or are too many to look at.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unread: u64,
    /// What of all this the table's log does not know, as another program wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign: Option<Foreign>,
}

/// Files that the log of the table does not know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Foreign {
    /// How many.
    pub files: u64,
    /// Rows of those that are Parquet and were looked at.
    pub rows: u64,
    /// Their size, as far as it is known.
    pub bytes: u64,
    /// URL of the first.
    pub first: String,
}
