//! The error of a kernel.

use crate::error::{Error, ErrorKind};
use arrow::error::ArrowError;

/// For what Arrow refuses to compute in memory.
pub(super) fn refused(cause: ArrowError) -> Error {
    ErrorKind::Compute { step: "ordering rows", cause }.into()
}
