//! Threads, memory and part sizes: `engine` of the job file.

use super::RequestsSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Threads, memory and part sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EngineSpec {
    /// Threads that compute. Default: 0, which is one for each core. Never changes what is written.
    pub threads: usize,
    /// Bytes of row groups under construction, and again of row groups that wait to fill a part: beyond it the largest are ended early and become smaller row groups or files. Default: 67,108,864 (64 MiB).
    pub open_files_bytes: u64,
    /// Bytes of rows and their sort keys in memory while `output.sort_by` sorts; what does not fit goes to temporary files. Default: 67,108,864 (64 MiB).
    pub sort_bytes: u64,
    /// Bytes of keys in memory, at 32 for each distinct key of a task, for each `deduplicate` and each unique constraint. `deduplicate` puts what does not fit into temporary files; a unique constraint fails. Default: 67,108,864 (64 MiB).
    pub key_bytes: u64,
    /// Directory of temporary files for what does not fit into `sort_bytes` and `key_bytes`; they have no names and are gone when the process ends. Default: the system's (`TMPDIR`, or `/tmp`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spill_directory: Option<PathBuf>,
    /// Files that may be open at once, over all partitions; a local target takes a descriptor for each. Default: 256.
    pub max_open_files: usize,
    /// Size of a part of an S3 upload in bytes, 5 MiB to 5 GiB. Default: 8,388,608 (8 MiB).
    pub part_bytes: usize,
    /// Bytes of parts on their way to the targets at once. Default: 33,554,432 (32 MiB).
    pub upload_bytes_in_flight: usize,
    /// Range of one GET from S3 in bytes. Default: 8,388,608 (8 MiB).
    pub fetch_bytes: usize,
    /// GETs of one input at once. Default: 4.
    pub fetch_concurrency: usize,
    /// Seconds from the first signal (SIGINT, SIGTERM, SIGHUP) to the end of the process, over all targets: what is staged is removed, and what is decided is finished, as far as they allow; the rest is named and left to the next run. Default: 10.
    pub shutdown_seconds: u64,
    /// How often requests to S3 are tried and how long they may take.
    pub requests: RequestsSpec,
}

impl Default for EngineSpec {
    fn default() -> Self {
        EngineSpec {
            threads: 0,
            open_files_bytes: 64 << 20,
            sort_bytes: 64 << 20,
            key_bytes: 64 << 20,
            spill_directory: None,
            max_open_files: 256,
            part_bytes: 8 << 20,
            upload_bytes_in_flight: 32 << 20,
            fetch_bytes: 8 << 20,
            fetch_concurrency: 4,
            shutdown_seconds: crate::runtime::shutdown::DEFAULT_SECONDS,
            requests: RequestsSpec::default(),
        }
    }
}
