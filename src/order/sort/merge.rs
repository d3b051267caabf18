//! Sorted runs on disk → their rows in one order.

use super::SortedRun;
use super::chunks::{Pick, PickSource, Picks};
use super::keys::{Layout, key_bytes, row_bytes};
use crate::error::Result;
use crate::order::spill::SpillReader;
use arrow::array::{RecordBatch, UInt32Array};
use arrow::row::Rows;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::sync::Arc;

/// Merges runs, one chunk of each in memory.
pub(super) struct Merge {
    layout: Arc<Layout>,
    ranks: Arc<[u32]>,
    cursors: Vec<Cursor>,
    heads: BinaryHeap<Head>,
    /// The run whose chunk is used up. A chunk that goes out may hold its rows,
    /// so the next is read only after that.
    dry: Option<usize>,
}

/// A run and the chunk of it that is in memory.
struct Cursor {
    reader: SpillReader,
    rows: RecordBatch,
    partitions: UInt32Array,
    /// With keys.
    bytes: u64,
}

/// The next row of a run.
struct Head {
    rank: u32,
    keys: Arc<Rows>,
    row: usize,
    run: usize,
}

impl Merge {
    pub(super) fn of(runs: Vec<SortedRun>, layout: &Arc<Layout>, ranks: &Arc<[u32]>) -> Result<Self> {
        let mut merge = Merge {
            layout: layout.clone(),
            ranks: ranks.clone(),
            cursors: Vec::with_capacity(runs.len()),
            heads: BinaryHeap::with_capacity(runs.len()),
            dry: None,
        };
        for (number, run) in runs.into_iter().enumerate() {
            let (rows, partitions) = layout.nothing();
            merge.cursors.push(Cursor { reader: run.spill.read()?, rows, partitions, bytes: 0 });
            merge.read(number)?;
        }
        Ok(merge)
    }

    /// Bytes of chunks and keys in memory.
    pub(super) fn bytes(&self) -> u64 {
        self.cursors.iter().map(|cursor| cursor.bytes).sum()
    }

    /// Puts the next chunk of a run in place of the last.
    fn read(&mut self, run: usize) -> Result<()> {
        let cursor = &mut self.cursors[run];
        // Gone before the next is read: there is room for one.
        (cursor.rows, cursor.partitions) = self.layout.nothing();
        cursor.bytes = 0;
        let Some(chunk) = cursor.reader.next().transpose()? else { return Ok(()) };
        (cursor.rows, cursor.partitions) = self.layout.without_partitions(&chunk)?;
        let keys = Arc::new(self.layout.keys(cursor.rows.columns())?);
        cursor.bytes = row_bytes(&cursor.rows) + 4 * cursor.rows.num_rows() as u64 + keys.size() as u64;
        let rank = self.ranks[cursor.partitions.value(0) as usize];
        self.heads.push(Head { rank, keys, row: 0, run });
        Ok(())
    }
}

impl PickSource for Merge {
    fn load(&mut self) -> Result<()> {
        self.dry.take().map_or(Ok(()), |run| self.read(run))
    }

    fn fill(&mut self, picks: &mut Picks) {
        while let Some(mut head) = self.heads.peek_mut() {
            let cursor = &self.cursors[head.run];
            let rows = cursor.rows.num_rows();
            let pick = Pick {
                slot: head.run,
                row: head.row,
                partition: cursor.partitions.value(head.row),
                key_bytes: key_bytes(&head.keys, head.row),
                row_bytes: cursor.bytes / rows as u64,
            };
            if !picks.take(pick) {
                return;
            }
            if head.row + 1 == rows {
                self.dry = Some(head.run);
                PeekMut::pop(head);
                return;
            }
            head.row += 1;
            head.rank = self.ranks[cursor.partitions.value(head.row) as usize];
        }
    }

    fn batch(&self, slot: usize) -> &RecordBatch {
        &self.cursors[slot].rows
    }
}

impl Ord for Head {
    /// Greatest is who goes first, as the heap wants it. Of equal keys the
    /// earlier run's go first: runs are in the order of arrival.
    fn cmp(&self, other: &Self) -> Ordering {
        let forward = self.rank.cmp(&other.rank);
        let forward = forward.then_with(|| self.keys.row(self.row).cmp(&other.keys.row(other.row)));
        forward.then_with(|| self.run.cmp(&other.run)).reverse()
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}
