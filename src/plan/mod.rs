//! The first verb: a job → a [`Plan`] that tasks on any machine can carry out.
//!
//! Planning lists and pins the inputs, settles dialect and schema (inferring
//! what the job leaves out), and cuts the inputs into [`Split`]s for
//! [`Task`]s. Nothing is written. The plan holds everything a task needs, so
//! that a task reads no job file and infers nothing: the same plan gives the
//! same bytes wherever its tasks run.

mod build;

pub use build::{PlanOptions, Planned, Settled, build, settle};

use crate::job::JobSpec;
use crate::parse::Dialect;
use crate::schema::table_schema::TableSchema;
use crate::source::Input;
use serde::{Deserialize, Serialize};

/// Version of the documents [`Plan`] and [`crate::task::TaskReport`].
pub const DOCUMENT_FORMAT: u32 = 1;

/// What is to be done, in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`DOCUMENT_FORMAT`].
    pub format: u32,
    /// Name and version of the engine that planned.
    pub engine: String,
    /// Names this try; part of every file's name.
    pub attempt: String,
    /// SHA-256 over the job (but for `engine`), schema, dialect and pinned
    /// inputs: two runs with the same key do the same work.
    pub job_key: String,
    /// RFC 3339, UTC.
    pub planned_at: String,
    /// The job with every default filled in and every path absolute.
    pub job: JobSpec,
    /// The dialect, settled.
    pub dialect: Dialect,
    /// The encoding of the inputs; absent: UTF-8 unless a byte order mark says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// The schema, settled.
    pub schema: TableSchema,
    /// One file of this name instead of a table of part files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single_file: Option<String>,
    /// The pinned inputs.
    pub inputs: Vec<Input>,
    /// Every split of every input is in exactly one task.
    pub tasks: Vec<Task>,
}

/// The share of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// From 0; part of the names of this task's files.
    pub number: u32,
    /// In the order in which their records are written.
    pub splits: Vec<Split>,
}

/// A run of whole records of one input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Index into [`Plan::inputs`].
    pub input: usize,
    /// Absent: the whole input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<SplitRange>,
}

/// A range of an uncompressed UTF-8 input between two true record boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitRange {
    /// First byte, as stored.
    pub start: u64,
    /// End (exclusive), as stored.
    pub end: u64,
    /// Lines before `start`.
    pub lines_before: u64,
    /// Records before `start`; headers and skipped records count.
    pub records_before: u64,
}
