//! Rows picked in order from many batches → batches of bounded size.

use super::keys::row_bytes;
use crate::error::Result;
use crate::order::refused;
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

/// Gives rows in order, by where they lie.
pub(super) trait PickSource {
    /// Makes rows available, if there are more. Batches that picks refer to may go.
    fn load(&mut self) -> Result<()>;
    /// Hands rows over until `picks` refuses one or [`PickSource::load`] is needed.
    fn fill(&mut self, picks: &mut Picks);
    /// A batch that rows were picked from.
    fn batch(&self, slot: usize) -> &RecordBatch;
}

/// A row on its way into a chunk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pick {
    /// Which batch it lies in.
    pub(super) slot: usize,
    /// Where in the batch.
    pub(super) row: usize,
    /// Number of its partition.
    pub(super) partition: u32,
    /// Bytes of its key.
    pub(super) key_bytes: u64,
    /// Average bytes of a row of its batch.
    pub(super) row_bytes: u64,
}

/// Rows that will become a chunk.
pub(super) struct Picks {
    limits: ChunkLimits,
    /// The batches in use, and their positions among these.
    slots: Vec<usize>,
    positions: HashMap<usize, usize>,
    /// Position among `slots`, and row.
    rows: Vec<(usize, usize)>,
    partitions: Vec<u32>,
    key_bytes: u64,
    row_bytes: u64,
}

impl Picks {
    fn new(limits: ChunkLimits) -> Self {
        Picks {
            limits,
            slots: Vec::new(),
            positions: HashMap::new(),
            rows: Vec::new(),
            partitions: Vec::new(),
            key_bytes: 0,
            row_bytes: 0,
        }
    }

    /// Takes a row, or refuses it as the chunk is full.
    pub(super) fn take(&mut self, pick: Pick) -> bool {
        if let Some(&last) = self.partitions.last() {
            let bytes = self.key_bytes + self.row_bytes + pick.key_bytes + pick.row_bytes;
            let full = self.rows.len() >= self.limits.rows || bytes > self.limits.bytes;
            if full || (self.limits.one_partition && last != pick.partition) {
                return false;
            }
        }
        self.key_bytes += pick.key_bytes;
        self.row_bytes += pick.row_bytes;
        self.partitions.push(pick.partition);
        let position = *self.positions.entry(pick.slot).or_insert_with(|| {
            self.slots.push(pick.slot);
            self.slots.len() - 1
        });
        self.rows.push((position, pick.row));
        true
    }
}

/// Rows in order.
pub(super) struct Chunk {
    pub(super) rows: RecordBatch,
    /// The number of the partition of each.
    pub(super) partitions: Vec<u32>,
    /// With keys.
    pub(super) bytes: u64,
}

/// Cuts what a source gives into chunks.
pub(super) struct Chunks<S> {
    source: S,
    limits: ChunkLimits,
}

impl<S: PickSource> Chunks<S> {
    pub(super) fn new(source: S, limits: ChunkLimits) -> Self {
        Chunks { source, limits }
    }

    pub(super) fn source(&self) -> &S {
        &self.source
    }

    /// The next chunk, of at least one row.
    pub(super) fn next(&mut self) -> Result<Option<Chunk>> {
        self.source.load()?;
        let mut picks = Picks::new(self.limits);
        self.source.fill(&mut picks);
        if picks.rows.is_empty() {
            return Ok(None);
        }
        let batches: Vec<&RecordBatch> = picks.slots.iter().map(|&slot| self.source.batch(slot)).collect();
        let rows = interleave_record_batch(&batches, &picks.rows).map_err(refused)?;
        let bytes = row_bytes(&rows) + picks.key_bytes + 4 * picks.rows.len() as u64;
        Ok(Some(Chunk { rows, partitions: picks.partitions, bytes }))
    }
}
