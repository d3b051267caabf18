//! Retries and timeouts on S3: `engine.requests` of the job file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How often requests to S3 are tried and how long they may take, for targets and source alike.
/// The waits between tries grow from about one second to twenty, with jitter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RequestsSpec {
    /// Tries of one request, the first included. Default: 5.
    pub max_attempts: u32,
    /// Retries that a target may use up: each takes one and gives it back if it succeeds; of requests that succeed at once, five give one back. Without any left a request fails at its first error, so that a store in trouble is not asked five times as much. Reads of inputs, by `source`, are limited by `max_attempts` alone. Default: 100.
    pub retry_budget: u32,
    /// Whether a target, or the listing of the source, that answers `503 SlowDown` is asked less often from then on, until it answers again. Default: true.
    pub adaptive: bool,
    /// Time to open a connection. Default: 5.
    pub connect_timeout_seconds: u64,
    /// Time for one try of a request, to its answer; parts and ranges have the time of their bytes on top, see `slowest_bytes_per_second`. Default: 20.
    pub read_timeout_seconds: u64,
    /// Time for all tries of a request for something small: a document, the properties of an object, the beginning or abort of an upload; all tries of a part or range have the time of its bytes on top. Default: 60.
    pub small_timeout_seconds: u64,
    /// Time for one try of a page of a listing; all tries together have this or `small_timeout_seconds`, whichever is longer. Default: 20.
    pub list_timeout_seconds: u64,
    /// Time for completing an upload, which takes S3 minutes where there are many parts: for one try, and, if it is longer than `small_timeout_seconds`, for all. Default: 600.
    pub complete_timeout_seconds: u64,
    /// Slowest transfer of one part or range that is not taken for a dead one. With 65,536 a part of 8 MiB has 128 seconds on top of `read_timeout_seconds`. Default: 65,536 (64 KiB).
    pub slowest_bytes_per_second: u64,
}

impl Default for RequestsSpec {
    fn default() -> Self {
        RequestsSpec {
            // Three, the SDK's default, give up after about a second of `503
            // SlowDown`, which a fresh S3 prefix may answer for longer than that.
            max_attempts: 5,
            // What the SDK's own bucket of 500 tokens comes to.
            retry_budget: 100,
            adaptive: true,
            connect_timeout_seconds: 5,
            read_timeout_seconds: 20,
            small_timeout_seconds: 60,
            list_timeout_seconds: 20,
            // "Processing of a CompleteMultipartUpload request could take several
            // minutes to complete" (S3 API reference).
            complete_timeout_seconds: 600,
            slowest_bytes_per_second: 64 << 10,
        }
    }
}
