//! Rows in memory, and their sort.

use super::layout::row_bytes;
use super::run::RowRun;
use crate::partition::PartitionId;
use arrow::array::{RecordBatch, UInt32Array};
use arrow::row::Rows;
use rayon::slice::ParallelSliceMut;

/// What a batch takes besides its values, as measured for primitive columns:
/// arrays and their shared parts.
const BATCH_BYTES: u64 = 256;
const COLUMN_BYTES: u64 = 160;

/// Rows that came since the last run was written.
#[derive(Default)]
pub(super) struct Buffer {
    batches: Vec<Batch>,
    rows: usize,
    bytes: u64,
}

/// Rows with their keys.
pub(super) struct Batch {
    pub(super) rows: RecordBatch,
    pub(super) keys: Rows,
    pub(super) partitions: PartitionOf,
    /// Average over its rows.
    pub(super) row_bytes: u64,
}

/// The partitions of rows.
pub(super) enum PartitionOf {
    All(PartitionId),
    /// By number.
    Each(UInt32Array),
}

impl Batch {
    pub(super) fn partition(&self, row: usize) -> PartitionId {
        match &self.partitions {
            PartitionOf::All(partition) => *partition,
            PartitionOf::Each(partitions) => PartitionId::of_number(partitions.value(row)),
        }
    }

    /// Bytes that the key of a row takes.
    pub(super) fn key_bytes(&self, row: usize) -> u64 {
        (self.keys.row_len(row) + size_of::<usize>()) as u64
    }
}

/// A row by the order of its key and where it lies.
pub(super) struct Entry {
    /// Place of its partition.
    rank: u32,
    pub(super) batch: u32,
    pub(super) row: u32,
    /// The key's first bytes, which settle most comparisons without a look at the key.
    prefix: u64,
}

impl Buffer {
    /// Bytes of rows and keys, and of the entries that a sort takes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn push(&mut self, rows: RecordBatch, keys: Rows, partition: PartitionId) {
        let count = rows.num_rows() as u64;
        if count == 0 {
            return;
        }
        let bytes = row_bytes(&rows);
        let overhead = BATCH_BYTES + COLUMN_BYTES * rows.num_columns() as u64;
        self.bytes += bytes + keys.size() as u64 + count * size_of::<Entry>() as u64 + overhead;
        self.rows += rows.num_rows();
        let partitions = PartitionOf::All(partition);
        self.batches.push(Batch { rows, keys, partitions, row_bytes: bytes / count });
    }

    /// Sorts by rank of the partition, then key, then arrival.
    pub(super) fn sorted(self, ranks: &[u32]) -> RowRun {
        let mut entries = Vec::with_capacity(self.rows);
        for (number, batch) in (0..).zip(&self.batches) {
            let rank = ranks[batch.partition(0).index()];
            let prefixes = batch.keys.iter().map(|key| prefix(key.data()));
            entries.extend((0..).zip(prefixes).map(|(row, prefix)| Entry {
                rank,
                batch: number,
                row,
                prefix,
            }));
        }
        let key = |entry: &Entry| self.batches[entry.batch as usize].keys.row(entry.row as usize);
        // No two entries are equal, so an unstable sort on any number of threads gives one order.
        entries.par_sort_unstable_by(|a, b| {
            (a.rank, a.prefix)
                .cmp(&(b.rank, b.prefix))
                .then_with(|| key(a).cmp(&key(b)))
                .then_with(|| (a.batch, a.row).cmp(&(b.batch, b.row)))
        });
        RowRun::in_memory(self.batches, entries, self.bytes)
    }
}

/// The first eight bytes, as a number that compares like them.
fn prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = key.len().min(8);
    bytes[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(bytes)
}
