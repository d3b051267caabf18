//! Routed record batches → Parquet files, handed to the targets as bytes.
//!
//! [`TableWriter`] keeps a [`PartitionWriter`](partition_writer::PartitionWriter) for each partition, encodes
//! what a wave of blocks brought to each (columns and partitions in parallel),
//! and appends finished row groups to files that go out through
//! [`crate::store::tee`]. Every cut (page, row group, file) depends on the rows
//! and the settings only, never on threads or timing. Called by
//! [`crate::pipeline`].

mod partition_writer;
mod shape;
mod table_writer;

pub use shape::FileShape;
pub use table_writer::{FileNames, TableWriter};

use crate::error::{Error, ErrorKind};
use parquet::errors::ParquetError;

/// When groups and files are cut.
#[derive(Debug, Clone)]
pub struct CutLimits {
    /// Rows in a row group, at most.
    pub max_row_group_rows: usize,
    /// A row group is closed after the wave that brings it to this many encoded bytes.
    pub max_row_group_bytes: u64,
    /// A file is finished after the row group that brings it to this many bytes.
    pub target_file_bytes: u64,
    /// Bytes of row groups under construction over all partitions; and again
    /// of what waits in open files to become a part.
    pub open_files_bytes: u64,
    /// What an open file may hold back until it makes a part, in bytes.
    pub part_bytes: u64,
    /// Files that may be open at once between waves.
    pub max_open_files: usize,
}

fn encode_error(file: &str, cause: ParquetError) -> Error {
    ErrorKind::Encode { file: file.to_owned(), cause }.into()
}
