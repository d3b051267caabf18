//! Reading a job file.

use super::JobSpec;
use crate::error::Result;
use std::path::Path;

/// One `--set key.path=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Dotted key, such as `output.compression` or `targets[0].region`.
    pub key: String,
    /// A TOML value, or a bare string.
    pub value: String,
}

/// Reads, interpolates, overrides and validates a job file.
pub fn load(path: &Path, overrides: &[Override]) -> Result<JobSpec> {
    let _ = (path, overrides);
    todo!()
}
