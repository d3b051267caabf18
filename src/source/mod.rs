//! Inputs: URLs, globs and prefixes → pinned objects → decoded UTF-8 text.
//!
//! [`list`] finds and pins objects ([`Input`]); [`open`] streams one of them
//! through [`fetch`] (ranged, prefetched, retried GETs on Tokio),
//! [`decompress`] (by magic number) and [`decode`] (to UTF-8), as chunks of
//! text that the caller pulls on a blocking thread.

use serde::{Deserialize, Serialize};

/// An object that is to be read, pinned to what it was when it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Input {
    /// `s3://bucket/key`, `file:///absolute/path`, or `stdin:` for standard input.
    pub url: String,
    /// Size in bytes as stored (compressed, if it is); absent for standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Entity tag; later GETs are conditional on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Time of the last change, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}
