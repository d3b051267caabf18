//! When files and row groups end, and what becomes of a table without rows.

use crate::documents::RecordCounts;
use crate::error::{Error, ErrorKind};
use parquet::errors::ParquetError;

/// When groups and files are cut.
#[derive(Debug, Clone)]
pub struct CutLimits {
    /// Rows in a row group, at most.
    pub max_row_group_rows: usize,
    /// A row group is closed after the wave that brings it to this many encoded bytes.
    pub max_row_group_bytes: u64,
    /// Size of a file to aim at, see [`super::file_sizer`]; `u64::MAX`: one file.
    pub target_file_bytes: u64,
    /// Bytes of row groups under construction over all partitions; and again
    /// of what waits in open files to become a part.
    pub open_files_bytes: u64,
    /// What an open file may hold back until it makes a part, in bytes.
    pub part_bytes: u64,
    /// Files that may be open at once between waves.
    pub max_open_files: usize,
}

/// How much a task has read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Consumed {
    /// The records, with what happened to them.
    pub records: RecordCounts,
    /// Bytes of text.
    pub text_bytes: u64,
    /// Bytes of text that there are in all, where that is known.
    pub total_text_bytes: Option<u64>,
}

impl Consumed {
    /// Above 0, at most 1; `None` where the total is not known, or was not what it seemed.
    pub(super) fn share(&self) -> Option<f64> {
        let total = self.total_text_bytes.filter(|total| *total >= self.text_bytes)?;
        (self.text_bytes > 0).then(|| self.text_bytes as f64 / total as f64)
    }
}

/// What a task without rows writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRows {
    /// No file.
    WriteNothing,
    /// One file with the columns.
    WriteSchema,
}

pub(super) fn encode_error(file: &str, cause: ParquetError) -> Error {
    ErrorKind::Encode { file: file.to_owned(), cause }.into()
}
