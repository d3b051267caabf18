//! What says which target is home, and with what its log begins.

use crate::commit::log::History;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A target becomes home. Sums up all that the table was before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Number of the epoch that begins.
    pub epoch: u64,
    /// URL of the target that is home from here on.
    pub home: String,
    /// URL of the target that was home, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_home: Option<String>,
    /// Version of the last entry that is known of the log before.
    pub old_tip: u64,
    /// Whether that log could be read to its end.
    pub old_log_was_read: bool,
    /// What may be missing, and was accepted.
    #[serde(default, skip_serializing_if = "Loss::is_none")]
    pub loss: Loss,
    /// The table until here.
    pub history: History,
}

/// What a promotion cannot take over, or cannot know.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Attempts that the old home may have decided, and no other target knows whether. They are not of the
    /// table; run their jobs again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undecided: Vec<UndecidedAttempt>,
    /// Files of decided versions that no target holds. `--reprocess` writes their rows again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<FilesOf>,
    /// Whether runs may have been decided while the other targets did not answer
    /// (`commit.unreachable_target = "catch_up"`), of which then only the old home knew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub decided_alone: bool,
    /// Epochs whose log no target that answers knows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub epochs: Vec<u64>,
}

impl Loss {
    /// Whether nothing can be missing.
    pub fn is_none(&self) -> bool {
        *self == Loss::default()
    }
}

/// Some files of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FilesOf {
    /// The version.
    pub version: u64,
    /// Keys of the files.
    pub files: BTreeSet<String>,
    /// Their rows; those of rejected records do not count.
    pub rows: u64,
}

/// An attempt that may have been decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UndecidedAttempt {
    /// The attempt.
    pub attempt: String,
    /// Name of the job.
    pub job: String,
    /// Rows of its files.
    pub rows: u64,
    /// Number of inputs.
    pub inputs: u64,
}

/// `epoch/<n>.json`, each target, created once: home has changed. Whoever follows the log of an
/// earlier epoch can make nothing visible any more in a target that has this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Version of the documents of the commit.
    pub format: u32,
    /// From 2: the first one has no document.
    pub epoch: u64,
    /// URL of the target that is home.
    pub home: String,
    /// Whether the document lies in that target, wherever it is moved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub here: bool,
    /// URL of the target that was home before, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_home: Option<String>,
    /// Version of the last entry of the log before that was known then.
    pub tip: u64,
    /// RFC 3339, UTC.
    pub at: String,
    /// Name and version of the engine that wrote it.
    pub engine: String,
}
