//! Routed record batches → Parquet files, handed to the targets as bytes.
//!
//! [`TableWriter`] keeps a [`PartitionWriter`](partition_writer::PartitionWriter) for each partition, encodes
//! what a wave of blocks brought to each (columns and partitions in parallel),
//! and appends finished row groups to files that go out through
//! [`crate::store::tee`]. Every cut (page, row group, file) depends on the rows
//! and the settings only, never on threads or timing. A footer that the output
//! profile does not allow ([`crate::profile`]) fails the task. Called by
//! [`crate::task`].

mod column_encoder;
mod column_report;
mod column_settings;
mod file_names;
mod file_sizer;
mod footer;
mod int96;
mod open_file;
pub(crate) mod parquet_schema;
mod partition_writer;
mod read_back;
mod shape;
mod table_writer;

pub(crate) use file_names::{DATA_SUFFIX, REJECTS_SUFFIX};
pub use file_names::{FileNames, max_key_bytes, path_limits, rejects_key};
pub use footer::run_metadata;
pub(crate) use read_back::{columns as footer_columns, footer_in, rows as footer_rows};
pub use shape::FileShape;
pub use table_writer::TableWriter;

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
    /// Size of a file to aim at, see [`file_sizer`]; `u64::MAX`: one file.
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
    fn share(&self) -> Option<f64> {
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

fn encode_error(file: &str, cause: ParquetError) -> Error {
    ErrorKind::Encode { file: file.to_owned(), cause }.into()
}
