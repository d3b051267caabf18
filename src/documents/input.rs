//! An input as a plan pins it.

use serde::{Deserialize, Serialize};

/// An object that is to be read, pinned to what it was when it was planned.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
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
    /// Of a local file: what tells it from another in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<FileIdentity>,
}

impl Input {
    /// Whether the input can be opened again and told from a later one: all
    /// but standard input and other pipes.
    pub fn is_pinned(&self) -> bool {
        self.bytes.is_some()
    }
}

/// What tells a local file from another that was put in its place with the same
/// size and time.
///
/// Two values, because each alone changes where nothing was replaced: the inode
/// of a FUSE or overlay mount from mount to mount, the status time by `chmod`, a
/// new hard link or a rename. A file that was put in the place of another
/// differs in both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FileIdentity {
    /// Number of the inode.
    pub inode: u64,
    /// Time of the last change of the inode, RFC 3339.
    pub status_changed: String,
}
