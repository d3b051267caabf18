//! Rows picked in order from many batches → batches of bounded size.

use super::layout::row_bytes;
use super::run::RowRun;
use crate::error::Result;
use crate::order::external_sort::Merge;
use crate::order::refused;
use crate::partition::PartitionId;
use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use std::collections::HashMap;

/// Where a chunk ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkLimits {
    /// Rows, at most.
    pub(super) rows: usize,
    /// About so many bytes of rows and keys, at most, but one row in any case.
    pub(super) bytes: u64,
    /// Whether each partition has chunks of its own.
    pub(super) one_partition: bool,
}

/// Rows in order.
pub(super) struct Chunk {
    pub(super) rows: RecordBatch,
    /// Of each row.
    pub(super) partitions: Vec<PartitionId>,
    /// With keys.
    pub(super) bytes: u64,
}

impl Chunk {
    /// The next rows of a merge; `None` at its end.
    pub(super) fn next(merge: &mut Merge<RowRun>, limits: ChunkLimits) -> Result<Option<Self>> {
        let mut picks = Picks::new(limits);
        merge.pick(|number, run| picks.take(number, run))?;
        picks.finish()
    }
}

/// Rows that will become a chunk.
struct Picks {
    limits: ChunkLimits,
    /// The batches in use, and the positions of those of each run among these.
    batches: Vec<RecordBatch>,
    positions: HashMap<(usize, usize), usize>,
    /// Position among `batches`, and row.
    rows: Vec<(usize, usize)>,
    partitions: Vec<PartitionId>,
    key_bytes: u64,
    row_bytes: u64,
}

impl Picks {
    fn new(limits: ChunkLimits) -> Self {
        Picks {
            limits,
            batches: Vec::new(),
            positions: HashMap::new(),
            rows: Vec::new(),
            partitions: Vec::new(),
            key_bytes: 0,
            row_bytes: 0,
        }
    }

    /// Takes the next row of the run of this number, or refuses it as the chunk is full.
    fn take(&mut self, run_number: usize, run: &RowRun) -> bool {
        let (number, row) = run.place();
        let batch = run.batch(number);
        let (partition, key_bytes) = (batch.partition(row), batch.key_bytes(row));
        if let Some(&last) = self.partitions.last() {
            let bytes = self.key_bytes + self.row_bytes + key_bytes + batch.row_bytes;
            let full = self.rows.len() >= self.limits.rows || bytes > self.limits.bytes;
            if full || (self.limits.one_partition && last != partition) {
                return false;
            }
        }
        self.key_bytes += key_bytes;
        self.row_bytes += batch.row_bytes;
        self.partitions.push(partition);
        let position = *self.positions.entry((run_number, number)).or_insert_with(|| {
            self.batches.push(batch.rows.clone());
            self.batches.len() - 1
        });
        self.rows.push((position, row));
        true
    }

    /// The chunk; `None` if no row was taken.
    fn finish(self) -> Result<Option<Chunk>> {
        if self.rows.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = self.batches.iter().collect();
        let rows = interleave_record_batch(&batches, &self.rows).map_err(refused)?;
        let bytes = row_bytes(&rows) + self.key_bytes + 4 * self.rows.len() as u64;
        Ok(Some(Chunk { rows, partitions: self.partitions, bytes }))
    }
}
