//! Rows of partitions → partitions in the order of their paths, rows sorted.

mod buffer;
mod chunks;
mod layout;
mod run;

pub use layout::SortColumn;

use super::external_sort::{ExternalSort, Merge};
use super::runs::FAN_IN;
use super::spill_directory::SpillDirectory;
use crate::error::Result;
use crate::partition::{ByPartition, PartitionRows, Partitions};
use arrow::datatypes::SchemaRef;
use buffer::Buffer;
use chunks::{Chunk, ChunkLimits};
use layout::Layout;
use run::{RowForm, RowRun};
use std::sync::Arc;

/// Rows in a batch that comes out, at most.
const OUTPUT_ROWS: usize = 8192;

/// An external merge sort of partitioned rows.
///
/// Rows with equal keys keep the order in which they came. Memory is bounded by
/// `budget_bytes` and one batch more, unless single rows are larger: a batch
/// holds at least one row, a merge two of them. What does not fit goes to disk
/// as compressed Arrow IPC streams: each row once for every merge, of which
/// there is one up to about 64 × `budget_bytes` of rows and keys, and two up to
/// 64 times that.
pub struct Sorter {
    partitions: Arc<Partitions>,
    rows: ByPartition<u64>,
    buffer: Buffer,
    runs: ExternalSort<RowRun>,
    budget_bytes: u64,
}

impl Sorter {
    /// Sorts batches of `schema` inside their `partitions` by `columns`, of
    /// which the first weighs most. Fails if there are no columns, or one has a
    /// type without an order.
    pub fn new(
        schema: &SchemaRef,
        columns: &[SortColumn],
        partitions: Arc<Partitions>,
        budget_bytes: u64,
        spill_directory: &SpillDirectory,
    ) -> Result<Self> {
        // Of chunks on disk: as many as are merged at once fit into half of the
        // budget, with a third to spare as sizes are estimates.
        let bytes = budget_bytes / (3 * FAN_IN as u64);
        let form = RowForm {
            layout: Arc::new(Layout::new(schema, columns)?),
            ranks: Arc::new([]),
            limits: ChunkLimits { rows: OUTPUT_ROWS, bytes, one_partition: false },
            spill_directory: spill_directory.clone(),
        };
        Ok(Sorter {
            partitions,
            rows: ByPartition::default(),
            buffer: Buffer::default(),
            runs: ExternalSort::new(form, budget_bytes / 2),
            budget_bytes,
        })
    }

    /// Bytes of rows and keys in memory.
    pub fn memory_bytes(&self) -> u64 {
        self.buffer.bytes()
    }

    /// Takes rows. The calling thread belongs to the compute pool.
    pub fn push(&mut self, rows: PartitionRows) -> Result<()> {
        *self.rows.get_mut(rows.partition) += rows.batch.num_rows() as u64;
        let keys = self.runs.form.layout.keys(rows.batch.columns())?;
        self.buffer.push(rows.batch, keys, rows.partition);
        // The rest is for the chunk that is written.
        if self.buffer.bytes() > self.budget_bytes / 4 * 3 {
            let sorted = self.sorted();
            self.runs.spill(sorted)?;
        }
        Ok(())
    }

    /// How many rows there are of each partition.
    pub fn rows_by_partition(&self) -> ByPartition<u64> {
        self.rows.clone()
    }

    /// The rows in order: partitions in the order of the bytes of their paths,
    /// each batch of one partition and of at most 8,192 rows.
    pub fn finish(mut self) -> Result<Sorted> {
        let sorted = (self.buffer.bytes() > 0).then(|| self.sorted());
        let limits = ChunkLimits { rows: OUTPUT_ROWS, bytes: self.budget_bytes / 8, one_partition: true };
        Ok(Sorted { merge: self.runs.finish(sorted)?, limits })
    }

    /// The rows in memory, in the order of all partitions so far.
    fn sorted(&mut self) -> RowRun {
        self.runs.form.ranks = self.partitions.ranks();
        std::mem::take(&mut self.buffer).sorted(&self.runs.form.ranks)
    }
}

/// Rows in order. An error ends it: what would come after is not in order.
pub struct Sorted {
    merge: Merge<RowRun>,
    limits: ChunkLimits,
}

impl Sorted {
    /// Bytes of rows and keys in memory, without the batch that comes out.
    pub fn memory_bytes(&self) -> u64 {
        self.merge.runs().map(RowRun::bytes).sum()
    }
}

impl Iterator for Sorted {
    type Item = Result<PartitionRows>;

    fn next(&mut self) -> Option<Self::Item> {
        let rows = |chunk: Chunk| {
            // Of a chunk of one partition.
            Some(PartitionRows { partition: *chunk.partitions.first()?, batch: chunk.rows })
        };
        Chunk::next(&mut self.merge, self.limits).map(|chunk| chunk.and_then(rows)).transpose()
    }
}

#[cfg(test)]
#[path = "sort_tests.rs"]
mod tests;
