//! Routed record batches → Parquet files, handed to the targets as bytes.
//!
//! [`TableWriter`] keeps a [`PartitionWriter`](partition_writer::PartitionWriter) for each partition, encodes
//! what a wave of blocks brought to each (columns and partitions in parallel),
//! and appends finished row groups to files that go out through
//! [`crate::store::tee`]. Every cut (page, row group, file) depends on the rows
//! and the settings only, never on threads or timing. A footer that the output
//! profile does not allow ([`crate::profile`]) fails the task. Called by
//! [`crate::task`].

mod chunk;
mod column_encoder;
mod column_report;
mod column_settings;
mod file_names;
mod file_sizer;
mod footer;
mod int96;
mod limits;
mod open_file;
pub(crate) mod parquet_schema;
mod partition_writer;
mod read_back;
mod shape;
mod table_writer;

pub(crate) use file_names::{DATA_SUFFIX, REJECTS_SUFFIX};
pub use file_names::{FileNames, max_key_bytes, path_limits, rejects_key};
pub use footer::run_metadata;
pub use limits::{Consumed, CutLimits, NoRows};
pub(crate) use read_back::{columns as footer_columns, footer_in, rows as footer_rows};
pub use shape::FileShape;
pub use table_writer::TableWriter;

use limits::encode_error;
