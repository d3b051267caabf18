//! Record batches → rows by partition, in Hive-style directories.
//!
//! [`Partitioner::split`] groups the rows of one batch by their key values
//! (stable: rows keep their order) and takes key columns out of the files.
//! Called for each block on the compute pool by [`crate::task`].

mod keys;
mod partitioner;
mod partitions;

pub use partitioner::{PartitionRows, Partitioner, PathLimits, SplitError};
pub use partitions::{ByPartition, Partition, PartitionId, Partitions};
