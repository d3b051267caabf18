//! How runs of one table live together: `commit` of the job file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How runs of one table live together, and with those that died.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CommitSpec {
    /// Seconds without a sign of life after which a run may be taken for dead and what it staged be removed. Default: 120.
    pub lease_seconds: u64,
    /// Hours for which what the tasks of a plan have staged waits for its `commit`. Default: 168 (a week), which is what lifecycle rules commonly leave open uploads.
    pub staged_hours: u64,
    /// What a run does when a target other than the first does not answer while files are staged. Without the first nothing can be decided. Default: `fail`.
    pub unreachable_target: UnreachableTarget,
    /// Seconds for which `wait` waits for a target to come back. Default: 900.
    pub wait_seconds: u64,
    /// Whether the first target must honour conditional writes (`If-None-Match`), as S3 does. Default: `required`.
    pub conditional_writes: ConditionalWrites,
}

impl Default for CommitSpec {
    fn default() -> Self {
        CommitSpec {
            lease_seconds: 120,
            staged_hours: 168,
            unreachable_target: UnreachableTarget::default(),
            wait_seconds: 900,
            conditional_writes: ConditionalWrites::default(),
        }
    }
}

/// What a run does when a target other than the first does not answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnreachableTarget {
    /// It fails, and removes what it staged elsewhere.
    #[default]
    Fail,
    /// It waits, and stages anew once the target answers; after `wait_seconds` it fails.
    Wait,
    /// It goes on without: the data is staged in the others and decided, so that it is safe, but nothing becomes visible or is announced anywhere before `sawmill catchup`, or the next run, has copied it to the target.
    CatchUp,
}

/// Whether the first target must honour conditional writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionalWrites {
    /// A server that ignores the condition is refused.
    #[default]
    Required,
    /// A server that ignores the condition is taken. What is lost: of two runs that decide at the same instant both may believe that they won, and one's files stay invisible or appear without an entry in the log. Only for tables that one run at a time writes.
    NotNeeded,
}
