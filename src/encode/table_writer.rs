//! All partitions of one task: routing, encoding in parallel, the memory budget.

use super::file_names::FileNames;
use super::footer::ledger;
use super::open_file::OpenFile;
use super::partition_writer::PartitionWriter;
use super::shape::RowGroupFactory;
use super::{Consumed, CutLimits, FileShape, NoRows, encode_error};
use crate::documents::{FileReport, RecordCounts};
use crate::error::Result;
use crate::partition::{ByPartition, Partition, PartitionRows, Partitions};
use crate::runtime::{Holder, Lease};
use crate::store::tee::TeeFactory;
use rayon::prelude::*;
use std::sync::Arc;

/// Files finished at the same time: finishing waits for the stores, not the CPU.
const FINISH_CONCURRENCY: usize = 16;

/// Writes the rows of one task into Parquet files of every partition.
pub struct TableWriter<'a> {
    shape: FileShape,
    factory: RowGroupFactory,
    limits: CutLimits,
    names: FileNames,
    no_rows: NoRows,
    tee: &'a TeeFactory,
    /// As of the wave that was written last.
    consumed: Consumed,
    known: Arc<Partitions>,
    /// Rows of each partition where they are known before they come; else 0.
    expected: ByPartition<u64>,
    /// Position among `partitions`.
    positions: ByPartition<Option<usize>>,
    /// In the order in which the partitions first came up.
    partitions: Vec<PartitionWriter>,
    files_begun: u32,
    /// With the number under which each was begun.
    finished: Vec<(u32, FileReport)>,
    /// Counts the row groups under construction, as of the last wave.
    lease: Lease,
}

impl<'a> TableWriter<'a> {
    /// A writer without open files, for rows of `partitions`.
    pub fn new(
        shape: FileShape,
        limits: CutLimits,
        names: FileNames,
        no_rows: NoRows,
        tee: &'a TeeFactory,
        partitions: Arc<Partitions>,
    ) -> Result<Self> {
        let factory = shape.row_group_factory().map_err(|e| encode_error("the table", e))?;
        Ok(TableWriter {
            shape,
            factory,
            limits,
            names,
            no_rows,
            tee,
            consumed: Consumed::default(),
            known: partitions,
            expected: ByPartition::default(),
            positions: ByPartition::default(),
            partitions: Vec::new(),
            files_begun: 0,
            finished: Vec::new(),
            lease: tee.budget().lease(Holder::RowGroups, 0),
        })
    }

    /// The partitions that rows can be of.
    pub fn partitions(&self) -> &Arc<Partitions> {
        &self.known
    }

    /// Says how many rows each partition will have; without it,
    /// files are made even by the share of the text that has been read. For
    /// partitions that have not come up yet.
    pub fn expect(&mut self, rows: ByPartition<u64>) {
        self.expected = rows;
    }

    /// Encodes one wave of rows. Called in order; the calling thread belongs
    /// to the compute pool and waits here while the targets are behind.
    /// `consumed` is what the task has read by the end of this wave.
    pub fn write(&mut self, wave: impl IntoIterator<Item = PartitionRows>, consumed: Consumed) -> Result<()> {
        self.consumed = consumed;
        for rows in wave {
            let position = *self.positions.get_mut(rows.partition).get_or_insert_with(|| {
                let expected = Some(self.expected.get(rows.partition)).filter(|&rows| rows > 0);
                let partition = self.known.get(rows.partition);
                self.partitions.push(PartitionWriter::new(partition, &self.limits, expected));
                self.partitions.len() - 1
            });
            self.partitions[position].push(rows.batch, &self.limits);
        }
        let (shape, factory) = (&self.shape, &self.factory);
        self.partitions.par_iter_mut().try_for_each(|partition| partition.settle(shape, factory))?;
        self.flush_all()?;
        let (limits, share) = (&self.limits, self.consumed.share());
        self.partitions.par_iter_mut().try_for_each(|partition| partition.cut(limits, share))?;
        self.flush_all()?;
        self.keep_within_budget()
    }

    /// Finishes every file and waits until all targets hold all of them.
    /// Files come in the order in which they were begun; `records` are all
    /// that the task has read.
    pub fn finish(mut self, records: RecordCounts) -> Result<Vec<FileReport>> {
        self.consumed.records = records;
        let everyone: Vec<usize> = (0..self.partitions.len()).collect();
        self.end(&everyone)?;
        if self.files_begun == 0 && self.no_rows == NoRows::WriteSchema {
            let key = self.names.key(&Partition::default(), 0)?;
            let file = OpenFile::create(0, key.clone(), self.tee.begin(&key)?, &self.shape)?;
            self.finish_all(vec![(Arc::default(), file)])?;
        }
        self.finished.sort_by_key(|(number, _)| *number);
        Ok(self.finished.into_iter().map(|(_, report)| report).collect())
    }

    /// Ends row groups and files of these partitions, a few at a time: each
    /// takes an open file in every target for the while.
    fn end(&mut self, partitions: &[usize]) -> Result<()> {
        for some in partitions.chunks(FINISH_CONCURRENCY) {
            self.end_groups(some)?;
            let mut files = Vec::new();
            for &position in some {
                self.partitions[position].finish_file(&mut files);
            }
            self.finish_all(files)?;
        }
        Ok(())
    }

    /// Ends row groups and moves them into files.
    fn end_groups(&mut self, partitions: &[usize]) -> Result<()> {
        let limits = &self.limits;
        let empty = || PartitionWriter::new(Arc::default(), limits, None);
        let take = |&position: &usize| std::mem::replace(&mut self.partitions[position], empty());
        let mut taken: Vec<PartitionWriter> = partitions.iter().map(take).collect();
        let (shape, factory) = (&self.shape, &self.factory);
        taken.par_iter_mut().try_for_each(|partition| partition.end_group(shape, factory))?;
        for (&position, partition) in partitions.iter().zip(taken) {
            self.partitions[position] = partition;
            self.flush(position)?;
        }
        Ok(())
    }

    fn flush_all(&mut self) -> Result<()> {
        (0..self.partitions.len()).try_for_each(|position| self.flush(position))
    }

    /// Moves closed row groups of a partition into files.
    fn flush(&mut self, position: usize) -> Result<()> {
        let mut full = Vec::new();
        let (names, tee, shape, files_begun) = (&self.names, self.tee, &self.shape, &mut self.files_begun);
        let mut open = |partition: &Partition| {
            let number = *files_begun;
            *files_begun += 1;
            let key = names.key(partition, number)?;
            OpenFile::create(number, key.clone(), tee.begin(&key)?, shape)
        };
        let share = self.consumed.share();
        self.partitions[position].flush(share, &mut open, &mut full)?;
        self.finish_all(full)
    }

    fn finish_all(&mut self, files: Vec<(Arc<Partition>, OpenFile)>) -> Result<()> {
        let (shape, records) = (&self.shape, &self.consumed.records);
        let task = self.names.task();
        let mut files = files.into_iter();
        loop {
            let batch: Vec<_> = files.by_ref().take(FINISH_CONCURRENCY).collect();
            if batch.is_empty() {
                return Ok(());
            }
            // Threads of their own: these wait, and would keep the pool from computing.
            let results: Vec<Result<_>> = std::thread::scope(|scope| {
                let threads: Vec<_> = batch
                    .into_iter()
                    .map(|(partition, file)| {
                        let ledger = ledger(task, records);
                        scope.spawn(move || Ok((file.number(), file.finish(&partition, shape, ledger)?)))
                    })
                    .collect();
                threads
                    .into_iter()
                    .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                    .collect()
            });
            for result in results {
                self.finished.push(result?);
            }
        }
    }

    /// Ends row groups, then files, of the largest partitions until the budgets
    /// hold again.
    ///
    /// Decided between waves on figures that rows and settings alone determine,
    /// so that the outcome is the same for any number of threads and any target.
    fn keep_within_budget(&mut self) -> Result<()> {
        let budget = self.limits.open_files_bytes;
        let sizes = self.sizes(PartitionWriter::group_bytes);
        self.lease.resize(sizes.iter().sum());
        let large = largest(&sizes, budget);
        for some in large.chunks(FINISH_CONCURRENCY) {
            self.end_groups(some)?;
            self.keep_files_within(budget)?;
        }
        self.keep_files_within(budget)
    }

    fn keep_files_within(&mut self, budget: u64) -> Result<()> {
        if matches!(self.names, FileNames::Single(_)) {
            // The next row group would begin another file of the same name. What
            // waits to become a part is less than one: it does not grow.
            return Ok(());
        }
        let large = largest(&self.sizes(|partition| partition.unsent_bytes(&self.limits)), budget);
        self.end(&large)?;
        let mut open: Vec<usize> =
            (0..self.partitions.len()).filter(|&position| self.partitions[position].has_file()).collect();
        if open.len() > self.limits.max_open_files {
            // Those that came up first are the likeliest to be complete: landed
            // files tend to be in key order.
            open.truncate(open.len() - self.limits.max_open_files);
            self.end(&open)?;
        }
        Ok(())
    }

    fn sizes(&self, of: impl Fn(&PartitionWriter) -> u64) -> Vec<u64> {
        self.partitions.iter().map(of).collect()
    }
}

/// The largest partitions, as many as bring the sum of `sizes` from above
/// `budget` to a little below it: not every wave should end one, and not more
/// than needed, as whatever is ended early is small.
fn largest(sizes: &[u64], budget: u64) -> Vec<usize> {
    let mut total: u64 = sizes.iter().sum();
    if total <= budget {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    order.sort_by_key(|&position| (std::cmp::Reverse(sizes[position]), position));
    order.retain(|&position| {
        let ends = total > budget / 8 * 7 && sizes[position] > 0;
        total -= if ends { sizes[position] } else { 0 };
        ends
    });
    order
}

#[cfg(test)]
#[path = "table_writer_tests.rs"]
mod tests;
