//! Where files stand in the table.

use crate::error::excerpt::excerpt;
use crate::error::{Error, ErrorKind, Result};
use crate::partition::{Partition, PathLimits};
use crate::profile::Rule;
use crate::spec::location::in_s3;
use crate::spec::{Layout, TargetSpec};

/// Longest key of an object ("Naming Amazon S3 objects").
const MAX_KEY_BYTES: usize = 1_024;

/// What names of the table's files end with.
pub(crate) const DATA_SUFFIX: &str = ".parquet";

/// What names of files of rejected records end with. They are Parquet all the same: DuckDB,
/// Polars and awswrangler take whatever is called `*.parquet` below the table for its rows.
pub(crate) const REJECTS_SUFFIX: &str = ".rejects";

/// The key of the rejected records of one task.
///
/// Readers that list the table pass over what begins with `_`. The `=` is for Spark, which would
/// not read such a file where it is told to, either: what begins with `_` and has a `=` it takes
/// for a partition.
pub fn rejects_key(task: u32, attempt: &str) -> String {
    format!("_sawmill/quarantine/_rejects={task:05}-{attempt}{REJECTS_SUFFIX}")
}

/// Names the files of one task.
#[derive(Debug, Clone)]
pub enum FileNames {
    /// `<partition>/part-<task>-<n>-<attempt>.parquet`, below `<attempt>/` in a versioned layout.
    Parts {
        /// Whether each attempt has directories of its own.
        layout: Layout,
        /// Number of the task.
        task: u32,
        /// Name of the attempt.
        attempt: String,
        /// Longest key below the root of the table, as [`max_key_bytes`] has it.
        max_key_bytes: usize,
    },
    /// One file of this name, whatever [`super::CutLimits`] say of files; row
    /// groups end all the same.
    Single(String),
}

/// Bytes that S3 leaves for keys below the root of the table, in the target
/// where they are fewest; no limit where all targets are directories.
pub fn max_key_bytes(targets: &[TargetSpec]) -> usize {
    let prefixes = targets.iter().filter_map(|target| in_s3(&target.url));
    prefixes
        .map(|(_bucket, prefix)| prefix.len())
        .max()
        .map_or(usize::MAX, |prefix| MAX_KEY_BYTES.saturating_sub(prefix))
}

/// Longest name of a file or directory: `NAME_MAX` of ext4, XFS, APFS and most others.
const MAX_NAME_BYTES: usize = 255;

/// How long the directories of partitions may be in every target.
pub fn path_limits(targets: &[TargetSpec], layout: Layout, attempt: &str) -> PathLimits {
    let version = if layout == Layout::Versioned { attempt.len() + 1 } else { 0 };
    let name = file_name(0, 0, attempt).len();
    PathLimits {
        directory: match targets.iter().any(|target| in_s3(&target.url).is_none()) {
            true => MAX_NAME_BYTES,
            false => usize::MAX,
        },
        path: max_key_bytes(targets).saturating_sub(version + name),
    }
}

fn file_name(task: u32, number: u32, attempt: &str) -> String {
    format!("part-{task:05}-{number:05}-{attempt}{DATA_SUFFIX}")
}

impl FileNames {
    /// The key of a partition's file.
    ///
    /// # Errors
    /// A value of a partition key that S3 cannot hold.
    pub(super) fn key(&self, partition: &Partition, number: u32) -> Result<String> {
        let (key, limit) = match self {
            FileNames::Parts { layout, task, attempt, max_key_bytes } => {
                let version = match layout {
                    Layout::Direct => String::new(),
                    Layout::Versioned => format!("{attempt}/"),
                };
                let key = format!("{version}{}{}", partition.path, file_name(*task, number, attempt));
                (key, *max_key_bytes)
            }
            FileNames::Single(name) => return Ok(name.clone()),
        };
        if key.len() <= limit {
            return Ok(key);
        }
        let message = format!("{} bytes, S3 leaves {limit} under the prefix of the target", key.len());
        let rule = Rule::KeyLength;
        let kind = ErrorKind::Preflight { file: excerpt(&key).into_owned(), rule: rule.id(), message };
        Err(Error::new(kind).remedy(rule.remedy()))
    }

    /// Number of the task; 0 for a single file.
    pub(super) fn task(&self) -> u32 {
        match self {
            FileNames::Parts { task, .. } => *task,
            FileNames::Single(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_s3_cannot_hold_are_refused() {
        let names =
            FileNames::Parts { layout: Layout::Direct, task: 3, attempt: "abc".into(), max_key_bytes: 60 };
        let partition = |value: &str| Partition { path: format!("k={value}/"), ..Partition::default() };
        assert_eq!(names.key(&partition("v"), 7).unwrap(), "k=v/part-00003-00007-abc.parquet");
        let error = names.key(&partition(&"v".repeat(60)), 7).unwrap_err();
        assert_eq!(error.kind().exit_code(), 6);
        assert!(error.to_string().contains("S3 leaves 60"), "{error}");
        assert!(error.what_to_do().unwrap().contains("output.partition_by"));
    }
}
