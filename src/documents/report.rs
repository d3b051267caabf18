//! What a task did.

use super::{DOCUMENT_FORMAT, Findings, FirstReject, NotData, Plan, StagedFile};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a task did: the commit's input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskReport {
    /// [`DOCUMENT_FORMAT`].
    pub format: u32,
    /// As in the plan.
    pub attempt: String,
    /// As in the plan.
    pub job_key: String,
    /// As in the plan.
    pub task: u32,
    /// One for each split of the task, in its order.
    pub splits: Vec<SplitAccount>,
    /// The staged files, in the order in which they were begun.
    pub files: Vec<FileReport>,
    /// The staged files of rejected records.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quarantine: Vec<FileReport>,
    /// What was found wrong.
    #[serde(default, skip_serializing_if = "Findings::is_empty")]
    pub findings: Findings,
    /// Wall-clock seconds.
    pub elapsed_seconds: f64,
}

impl TaskReport {
    /// The report of a task that staged nothing, as another attempt has done its job.
    pub fn of_nothing(plan: &Plan, task: u32) -> Self {
        TaskReport {
            format: DOCUMENT_FORMAT,
            attempt: plan.attempt.clone(),
            job_key: plan.job_key.clone(),
            task,
            splits: Vec::new(),
            files: Vec::new(),
            quarantine: Vec::new(),
            findings: Findings::default(),
            elapsed_seconds: 0.0,
        }
    }

    /// Every file the task staged: those of the table, then the quarantine's.
    pub fn all_files(&self) -> impl Iterator<Item = &FileReport> {
        self.files.iter().chain(&self.quarantine)
    }
}

/// The records of one split: `read = written + filtered + rejected + deduplicated`. Of its bytes,
/// `text_bytes = data_bytes` + those of `not_data`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct SplitAccount {
    /// Index into the plan's inputs.
    pub input: usize,
    /// First byte of the split in the input as stored; 0 for a whole input.
    pub start: u64,
    /// Bytes of decoded text.
    pub text_bytes: u64,
    /// Bytes of data records. Reports that an older version wrote do not say it, nor what is not data.
    #[serde(default)]
    pub data_bytes: u64,
    /// What is not data: before it, after it, and between its records.
    #[serde(default, skip_serializing_if = "NotData::is_nothing")]
    pub not_data: NotData,
    /// The first record that was rejected, if one was. Reports that an older version wrote do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_reject: Option<FirstReject>,
    /// The counts.
    #[serde(flatten)]
    pub records: RecordCounts,
}

/// Counts of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct RecordCounts {
    /// Data records found; headers and skipped records do not count.
    pub read: u64,
    /// Rows handed to the Parquet writers.
    pub written: u64,
    /// Left out by a filter.
    pub filtered: u64,
    /// Set aside because a value was bad.
    pub rejected: u64,
    /// Left out as a duplicate.
    pub deduplicated: u64,
}

impl RecordCounts {
    /// Whether every record is accounted for.
    pub fn balance(&self) -> bool {
        self.read == self.written + self.filtered + self.rejected + self.deduplicated
    }
}

impl std::ops::AddAssign for RecordCounts {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.written += other.written;
        self.filtered += other.filtered;
        self.rejected += other.rejected;
        self.deduplicated += other.deduplicated;
    }
}

impl std::fmt::Display for RecordCounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "read {} = written {} + filtered {} + rejected {} + deduplicated {}",
            self.read, self.written, self.filtered, self.rejected, self.deduplicated
        )
    }
}

/// One Parquet file, the same bytes in every target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileReport {
    /// Relative to the target's URL.
    pub key: String,
    /// Partition key = value, unescaped; `null` for the default partition.
    pub partition: BTreeMap<String, Option<String>>,
    /// As the Parquet footer says.
    pub rows: u64,
    /// Row groups in the file.
    pub row_groups: usize,
    /// Size.
    pub bytes: u64,
    /// Hexadecimal.
    pub sha256: String,
    /// One for each column, in the order of the file.
    #[serde(default)]
    pub columns: Vec<ColumnReport>,
    /// What holds it, one for each target in the job's order.
    pub staged: Vec<StagedFile>,
}

/// What a file holds of one column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ColumnReport {
    /// Name in the file.
    pub name: String,
    /// Nulls; absent without statistics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls: Option<u64>,
    /// No value is less; texts are cut to 64 bytes. Absent without statistics or values, and for INT96.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<String>,
    /// No value is greater; as `min`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<String>,
    /// Bytes of its column chunks.
    pub compressed_bytes: u64,
    /// Bytes of the longest text or binary value: a VARCHAR of this length holds all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_value_bytes: Option<u64>,
}
