//! Rows in memory, and their sort.

use super::chunks::{Pick, PickSource, Picks};
use super::keys::row_bytes;
use crate::error::Result;
use arrow::array::RecordBatch;
use arrow::row::Rows;
use rayon::slice::ParallelSliceMut;

/// What a batch takes besides its values, as measured for primitive columns:
/// arrays and their shared parts.
const BATCH_BYTES: u64 = 256;
const COLUMN_BYTES: u64 = 160;

/// Rows that came since the last run was written.
#[derive(Default)]
pub(super) struct Buffer {
    batches: Vec<Buffered>,
    rows: usize,
    bytes: u64,
}

struct Buffered {
    rows: RecordBatch,
    keys: Rows,
    partition: u32,
    /// Average over its rows.
    row_bytes: u64,
}

/// A row by the order of its key and where it lies.
struct Entry {
    /// Place of its partition.
    rank: u32,
    batch: u32,
    row: u32,
    /// The key's first bytes, which settle most comparisons without a look at the key.
    prefix: u64,
}

impl Buffer {
    /// Bytes of rows and keys, and of the entries that a sort takes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    pub(super) fn push(&mut self, rows: RecordBatch, keys: Rows, partition: u32) {
        let count = rows.num_rows() as u64;
        if count == 0 {
            return;
        }
        let bytes = row_bytes(&rows);
        let overhead = BATCH_BYTES + COLUMN_BYTES * rows.num_columns() as u64;
        self.bytes += bytes + keys.size() as u64 + count * size_of::<Entry>() as u64 + overhead;
        self.rows += rows.num_rows();
        self.batches.push(Buffered { rows, keys, partition, row_bytes: bytes / count });
    }

    /// Sorts by rank of the partition, then key, then arrival.
    pub(super) fn sorted(self, ranks: &[u32]) -> SortedBuffer {
        let mut entries = Vec::with_capacity(self.rows);
        for (batch, buffered) in (0..).zip(&self.batches) {
            let rank = ranks[buffered.partition as usize];
            let prefixes = buffered.keys.iter().map(|key| prefix(key.data()));
            entries.extend((0..).zip(prefixes).map(|(row, prefix)| Entry { rank, batch, row, prefix }));
        }
        let key = |entry: &Entry| self.batches[entry.batch as usize].keys.row(entry.row as usize);
        // No two entries are equal, so an unstable sort on any number of threads gives one order.
        entries.par_sort_unstable_by(|a, b| {
            (a.rank, a.prefix)
                .cmp(&(b.rank, b.prefix))
                .then_with(|| key(a).cmp(&key(b)))
                .then_with(|| (a.batch, a.row).cmp(&(b.batch, b.row)))
        });
        SortedBuffer { batches: self.batches, entries, next: 0, bytes: self.bytes }
    }
}

/// The first eight bytes, as a number that compares like them.
fn prefix(key: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = key.len().min(8);
    bytes[..length].copy_from_slice(&key[..length]);
    u64::from_be_bytes(bytes)
}

/// Rows in memory, in order.
pub(super) struct SortedBuffer {
    batches: Vec<Buffered>,
    entries: Vec<Entry>,
    next: usize,
    bytes: u64,
}

impl SortedBuffer {
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl PickSource for SortedBuffer {
    fn load(&mut self) -> Result<()> {
        Ok(())
    }

    fn fill(&mut self, picks: &mut Picks) {
        for entry in &self.entries[self.next..] {
            let (slot, row) = (entry.batch as usize, entry.row as usize);
            let Buffered { keys, partition, row_bytes, .. } = &self.batches[slot];
            let key_bytes = super::keys::key_bytes(keys, row);
            if !picks.take(Pick { slot, row, partition: *partition, key_bytes, row_bytes: *row_bytes }) {
                return;
            }
            self.next += 1;
        }
    }

    fn batch(&self, slot: usize) -> &RecordBatch {
        &self.batches[slot].rows
    }
}
