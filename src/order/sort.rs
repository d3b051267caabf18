//! Rows of partitions → partitions in the order of their paths, rows sorted.

mod buffer;
mod chunks;
mod keys;
mod merge;

pub use keys::SortColumn;

use super::runs::{FAN_IN, Run, Runs};
use super::spill::{Spill, SpillWriter};
use super::spill_directory::SpillDirectory;
use crate::error::Result;
use crate::partition::{Partition, PartitionRows};
use arrow::datatypes::SchemaRef;
use buffer::{Buffer, SortedBuffer};
use chunks::{ChunkLimits, Chunks, PickSource};
use keys::Layout;
use merge::Merge;
use std::collections::HashMap;
use std::sync::Arc;

/// Rows in a batch that comes out, at most.
const OUTPUT_ROWS: usize = 8192;

/// An external merge sort of partitioned rows.
///
/// Rows with equal keys keep the order in which they came. Memory is bounded by
/// `budget_bytes` and one batch more, unless single rows are larger: a batch
/// holds at least one row, a merge two of them. What grows is the list of
/// partitions. What does not fit goes to disk as compressed Arrow IPC streams:
/// each row once for every merge, of which there is one up to about
/// 64 × `budget_bytes` of rows and keys, and two up to 64 times that.
pub struct Sorter {
    layout: Arc<Layout>,
    partitions: Partitions,
    buffer: Buffer,
    runs: Runs<SortedRun>,
    budget_bytes: u64,
    spill_directory: SpillDirectory,
}

impl Sorter {
    /// Sorts batches of `schema` by `columns`, of which the first weighs most.
    /// Fails if there are none, or one has a type without an order.
    pub fn new(
        schema: &SchemaRef,
        columns: &[SortColumn],
        budget_bytes: u64,
        spill_directory: &SpillDirectory,
    ) -> Result<Self> {
        Ok(Sorter {
            layout: Arc::new(Layout::new(schema, columns)?),
            partitions: Partitions::default(),
            buffer: Buffer::default(),
            runs: Runs::new(budget_bytes / 2),
            budget_bytes,
            spill_directory: spill_directory.clone(),
        })
    }

    /// Bytes of rows and keys in memory.
    pub fn memory_bytes(&self) -> u64 {
        self.buffer.bytes()
    }

    /// Takes rows. The calling thread belongs to the compute pool.
    pub fn push(&mut self, rows: PartitionRows) -> Result<()> {
        let partition = self.partitions.number(rows.partition, rows.batch.num_rows());
        let keys = self.layout.keys(rows.batch.columns())?;
        self.buffer.push(rows.batch, keys, partition);
        // The rest is for the chunk that is written.
        if self.buffer.bytes() > self.budget_bytes / 4 * 3 { self.spill() } else { Ok(()) }
    }

    /// How many rows there are of each partition, by its path.
    pub fn rows_by_partition(&self) -> HashMap<String, u64> {
        let paths = self.partitions.list.iter().map(|partition| partition.path.clone());
        paths.zip(self.partitions.rows.iter().copied()).collect()
    }

    /// The rows in order: partitions in the order of the bytes of their paths,
    /// each batch of one partition and of at most 8,192 rows.
    pub fn finish(mut self) -> Result<Sorted> {
        let ranks = self.partitions.ranks();
        let limits = self.output_limits();
        let chunks = if self.runs.is_empty() {
            SortedChunks::Memory(Chunks::new(self.buffer.sorted(&ranks), limits))
        } else {
            self.spill()?;
            let write = RunWriting {
                layout: &self.layout,
                limits: self.run_limits(),
                spill_directory: &self.spill_directory,
            };
            let runs = self.runs.into_one_merge(|runs| write.merge(runs, &ranks))?;
            SortedChunks::Disk(Chunks::new(Merge::of(runs, &self.layout, &ranks)?, limits))
        };
        Ok(Sorted { chunks, partitions: self.partitions.list })
    }

    fn spill(&mut self) -> Result<()> {
        if self.buffer.bytes() == 0 {
            return Ok(());
        }
        let ranks = self.partitions.ranks();
        let write = RunWriting {
            layout: &self.layout,
            limits: self.run_limits(),
            spill_directory: &self.spill_directory,
        };
        let run = write.run(std::mem::take(&mut self.buffer).sorted(&ranks))?;
        self.runs.push(run, |runs| write.merge(runs, &ranks))
    }

    /// Of chunks on disk: as many as are merged at once fit into half of the
    /// budget, with a third to spare as sizes are estimates.
    fn run_limits(&self) -> ChunkLimits {
        let bytes = self.budget_bytes / (3 * FAN_IN as u64);
        ChunkLimits { rows: OUTPUT_ROWS, bytes, one_partition: false }
    }

    fn output_limits(&self) -> ChunkLimits {
        ChunkLimits { rows: OUTPUT_ROWS, bytes: self.budget_bytes / 8, one_partition: true }
    }
}

/// Rows in order. An error ends it: what would come after is not in order.
pub struct Sorted {
    chunks: SortedChunks,
    partitions: Vec<Partition>,
}

enum SortedChunks {
    Memory(Chunks<SortedBuffer>),
    Disk(Chunks<Merge>),
}

impl Sorted {
    /// Bytes of rows and keys in memory, without the batch that comes out.
    pub fn memory_bytes(&self) -> u64 {
        match &self.chunks {
            SortedChunks::Memory(chunks) => chunks.source().bytes(),
            SortedChunks::Disk(chunks) => chunks.source().bytes(),
        }
    }
}

impl Iterator for Sorted {
    type Item = Result<PartitionRows>;

    fn next(&mut self) -> Option<Self::Item> {
        let chunk = match &mut self.chunks {
            SortedChunks::Memory(chunks) => chunks.next(),
            SortedChunks::Disk(chunks) => chunks.next(),
        };
        let rows = chunk.map(|chunk| {
            let chunk = chunk?;
            let partition = self.partitions[*chunk.partitions.first()? as usize].clone();
            Some(PartitionRows { partition, batch: chunk.rows })
        });
        rows.transpose()
    }
}

/// The partitions by number, in the order in which they first came up.
#[derive(Default)]
struct Partitions {
    list: Vec<Partition>,
    /// Rows of each.
    rows: Vec<u64>,
    numbers: HashMap<String, u32>,
}

impl Partitions {
    /// The number of a partition that has so many rows more.
    fn number(&mut self, partition: Partition, rows: usize) -> u32 {
        if let Some(&number) = self.numbers.get(&partition.path) {
            self.rows[number as usize] += rows as u64;
            return number;
        }
        let number = self.list.len() as u32;
        self.numbers.insert(partition.path.clone(), number);
        self.list.push(partition);
        self.rows.push(rows as u64);
        number
    }

    /// For each partition: its place in the order of paths. Partitions that
    /// come up later change places, but never who stands before whom, so runs
    /// stay sorted.
    fn ranks(&self) -> Arc<[u32]> {
        let mut order: Vec<u32> = (0..self.list.len() as u32).collect();
        order.sort_unstable_by_key(|&number| self.list[number as usize].path.as_bytes());
        let mut ranks = vec![0; order.len()];
        for (rank, number) in (0..).zip(order) {
            ranks[number as usize] = rank;
        }
        ranks.into()
    }
}

/// Sorted rows on disk, their partitions in a column behind those of the files.
struct SortedRun {
    spill: Spill,
    /// Largest chunk with its keys.
    chunk_bytes: u64,
}

impl Run for SortedRun {
    fn merge_bytes(&self) -> u64 {
        self.chunk_bytes
    }
}

/// How runs are written.
struct RunWriting<'a> {
    layout: &'a Arc<Layout>,
    limits: ChunkLimits,
    spill_directory: &'a SpillDirectory,
}

impl RunWriting<'_> {
    fn run(&self, source: impl PickSource) -> Result<SortedRun> {
        let mut spill = SpillWriter::create(self.layout.spool_schema(), self.spill_directory)?;
        let mut chunk_bytes = 0;
        let mut chunks = Chunks::new(source, self.limits);
        while let Some(chunk) = chunks.next()? {
            chunk_bytes = chunk_bytes.max(chunk.bytes);
            spill.push(&self.layout.with_partitions(chunk)?)?;
        }
        Ok(SortedRun { spill: spill.finish()?, chunk_bytes })
    }

    fn merge(&self, runs: Vec<SortedRun>, ranks: &Arc<[u32]>) -> Result<SortedRun> {
        self.run(Merge::of(runs, self.layout, ranks)?)
    }
}

#[cfg(test)]
#[path = "sort_tests.rs"]
mod tests;
