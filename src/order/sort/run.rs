//! Sorted rows, in memory or on disk.

use super::buffer::{Batch, Entry};
use super::chunks::{Chunk, ChunkLimits};
use super::layout::Layout;
use crate::error::Result;
use crate::order::external_sort::{Merge, SortedRun};
use crate::order::runs::Run;
use crate::order::spill::{SpillReader, SpillWriter};
use crate::order::spill_directory::SpillDirectory;
use arrow::row::Row;
use std::cmp::Ordering;
use std::sync::Arc;

/// How rows are sorted and written.
#[derive(Clone)]
pub(super) struct RowForm {
    pub(super) layout: Arc<Layout>,
    /// [`crate::partition::Partitions::ranks`] of all partitions so far.
    pub(super) ranks: Arc<[u32]>,
    /// Of chunks on disk.
    pub(super) limits: ChunkLimits,
    pub(super) spill_directory: SpillDirectory,
}

/// Rows in order.
#[derive(Default)]
pub(super) struct RowRun {
    /// Those in memory.
    batches: Vec<Batch>,
    /// Where they lie; of a chunk from disk, which is one batch, nothing: in their order.
    entries: Vec<Entry>,
    /// Number of the next row, and of all.
    next: usize,
    rows: usize,
    /// With keys.
    bytes: u64,
    /// As of the merge.
    ranks: Arc<[u32]>,
    /// Place of the partition of the next row.
    rank: u32,
    /// Chunks that follow, and the size of the largest with its keys.
    disk: Option<SpillReader>,
    chunk_bytes: u64,
}

impl RowRun {
    pub(super) fn in_memory(batches: Vec<Batch>, entries: Vec<Entry>, bytes: u64) -> Self {
        RowRun { batches, rows: entries.len(), entries, bytes, ..RowRun::default() }
    }

    /// Bytes of rows and keys in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Where the next row lies: number of the batch, and number in it.
    pub(super) fn place(&self) -> (usize, usize) {
        let of_entry = |entry: &Entry| (entry.batch as usize, entry.row as usize);
        self.entries.get(self.next).map_or((0, self.next), of_entry)
    }

    pub(super) fn batch(&self, number: usize) -> &Batch {
        &self.batches[number]
    }

    fn key(&self) -> Row<'_> {
        let (batch, row) = self.place();
        self.batches[batch].keys.row(row)
    }

    /// Whether there is a next row in memory.
    fn settle(&mut self) -> bool {
        let is_there = self.next < self.rows;
        if is_there {
            let (batch, row) = self.place();
            self.rank = self.ranks[self.batches[batch].partition(row).index()];
        }
        is_there
    }
}

impl Run for RowRun {
    fn merge_bytes(&self) -> u64 {
        self.chunk_bytes
    }
}

impl SortedRun for RowRun {
    type Form = RowForm;

    fn write(form: &RowForm, mut items: Merge<Self>) -> Result<Self> {
        let mut spill = SpillWriter::create(form.layout.spool_schema(), &form.spill_directory)?;
        let mut chunk_bytes = 0;
        while let Some(chunk) = Chunk::next(&mut items, form.limits)? {
            chunk_bytes = chunk_bytes.max(chunk.bytes);
            spill.push(&form.layout.with_partitions(chunk)?)?;
        }
        Ok(RowRun { disk: Some(spill.finish()?.read()?), chunk_bytes, ..RowRun::default() })
    }

    fn load(&mut self, form: &RowForm) -> Result<bool> {
        if let Some(disk) = &mut self.disk {
            // Gone before the next is read: there is room for one.
            self.batches.clear();
            (self.next, self.rows, self.bytes) = (0, 0, 0);
            if let Some(chunk) = disk.next().transpose()? {
                let (batch, bytes) = form.layout.loaded(&chunk)?;
                (self.rows, self.bytes) = (chunk.num_rows(), bytes);
                self.batches.push(batch);
            }
        }
        self.ranks = form.ranks.clone();
        Ok(self.settle())
    }

    fn advance(&mut self) -> bool {
        self.next += 1;
        self.settle()
    }

    fn order(&self, other: &Self) -> Ordering {
        self.rank.cmp(&other.rank).then_with(|| self.key().cmp(&other.key()))
    }
}
