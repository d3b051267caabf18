//! One block of text → rows by partition, and records that were rejected.

use super::place::{BlockPlace, unplaced};
use super::quarantine::{self, Reject};
use crate::columns::Columns;
use crate::documents::{Findings, Plan, Task};
use crate::error::{Error, ErrorKind, Result};
use crate::parse::{RecordIndex, ScanError, Scanner};
use crate::partition::{PartitionRows, SplitError};
use crate::rows::{BatchBuilder, Built, DataRecords, Fault, Rows};
use crate::runtime::{Budget, Holder, Lease};
use crate::split::blocks::Block;
use crate::split::not_data::Tiles;
use crate::split::problems::scan_error;
use crate::split::read::{BLOCK_BYTES, TextBlock};
use crate::transform::rows::TransformedRows;
use arrow::array::RecordBatch;
use crossbeam_channel::Sender;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// A block after parsing, transforming and partitioning.
pub(super) struct ParsedBlock {
    /// Position of the split in its task.
    pub(super) split: usize,
    /// Records in the block, as the block cutter counted them.
    pub(super) records_cut: u64,
    /// Records of headers and footers.
    pub(super) not_data: u64,
    pub(super) data_records: u64,
    pub(super) filtered: u64,
    pub(super) text_bytes: u64,
    /// The same bytes, by what they are.
    pub(super) tiles: Tiles,
    /// Whether it is the last of its split.
    pub(super) last: bool,
    /// Rows that repeat a key.
    pub(super) deduplicated: u64,
    pub(super) rows: Vec<PartitionRows>,
    /// Instead of `rows`, until they have been compared with others.
    pub(super) loose: Option<Rows>,
    /// For each comparison: the keys of `loose`.
    pub(super) keys: Vec<Vec<Option<u128>>>,
    /// Where `loose` may still be found wrong.
    text: Option<(Block, RecordIndex, Lease)>,
    /// In order of the records, until they are `quarantined`.
    rejects: Vec<Reject>,
    /// The rejects as rows of the quarantine.
    pub(super) quarantined: Option<RecordBatch>,
    pub(super) findings: Findings,
    /// Counts the bytes of its rows.
    pub(super) lease: Lease,
}

/// Parses blocks on the compute pool.
pub(super) struct Parser<'a> {
    plan: &'a Plan,
    task: &'a Task,
    columns: &'a Columns,
    scanner: Scanner,
    /// Whether records that break the dialect are set aside.
    tolerant: bool,
    spare_sender: Sender<Vec<u8>>,
    budget: &'a Budget,
}

/// What a thread keeps from block to block.
#[derive(Debug, Default)]
struct Scratch {
    index: RecordIndex,
    broken: Vec<ScanError>,
}

impl<'a> Parser<'a> {
    /// `spare_sender` takes the buffers of blocks that are done with.
    pub(super) fn new(
        plan: &'a Plan,
        task: &'a Task,
        columns: &'a Columns,
        spare_sender: Sender<Vec<u8>>,
        budget: &'a Budget,
    ) -> Self {
        let scanner = Scanner::new(&plan.dialect.grammar);
        let tolerant = plan.job.errors.tolerates_bad_records();
        Parser { plan, task, columns, scanner, tolerant, spare_sender, budget }
    }

    /// Parses blocks in parallel; the first error in the order of the records wins.
    pub(super) fn parse_wave(
        &self,
        wave: Vec<Result<TextBlock<Arc<BatchBuilder>>>>,
    ) -> Result<Vec<ParsedBlock>> {
        let parsed: Vec<Result<ParsedBlock>> = wave
            .into_par_iter()
            .map_init(Scratch::default, |scratch, block| self.parse(block?, scratch))
            .collect();
        parsed.into_iter().collect()
    }

    fn parse(&self, text: TextBlock<Arc<BatchBuilder>>, scratch: &mut Scratch) -> Result<ParsedBlock> {
        let TextBlock { split, block, preamble, footer, before, binding, mut lease } = text;
        let place = self.place(split, &block);
        let data_end = (block.records as usize).saturating_sub(footer);
        self.scan(&block, preamble..data_end, place.url, scratch)?;
        let Scratch { index, broken } = scratch;
        lease.resize((block.bytes.len() + index.memory_bytes()) as u64);
        let records = preamble..index.len().saturating_sub(footer).max(preamble);
        let data =
            DataRecords { range: records, broken: &broken.iter().map(|e| e.record).collect::<Vec<_>>() };
        let data_records = data.range.len() as u64;
        let keep_text = self.plan.job.errors.quarantine_values;
        let text_bytes = before.bytes() + block.text_bytes();
        let mut tiles = before;
        tiles.add(&Tiles::of(&self.plan.dialect, &block, index, (preamble, footer), keep_text));
        let built = binding.build(&block.bytes, index, &data).map_err(|fault| place.error(index, *fault))?;
        let Built { rows, faults, nulled, padded, truncated } = built;
        let mut findings =
            Findings { padded, truncated, nulled: self.by_column(&nulled), ..Findings::default() };

        let TransformedRows { rows, filtered, faults: faults_of_rows, nulled, keys } =
            self.columns.program.apply(rows, &place.context())?;
        let broken = broken.iter().map(|error| place.broken(error));
        let faults = broken.chain(faults).chain(faults_of_rows);
        let mut rejects: Vec<Reject> =
            faults.map(|fault| place.settle(index, fault)).collect::<Result<_>>()?;
        rejects.sort_by_key(|reject| reject.record_in_block);
        for (column, count) in nulled {
            *findings.nulled.entry(column).or_default() += count;
        }
        rejects.iter().for_each(|reject| findings.reject(reject.rule, &reject.message, &reject.location));
        let mut parsed = ParsedBlock {
            split,
            records_cut: block.records,
            not_data: (preamble + footer) as u64,
            data_records,
            filtered,
            text_bytes,
            tiles,
            last: block.last,
            deduplicated: 0,
            rows: Vec::new(),
            loose: None,
            keys,
            text: None,
            rejects,
            quarantined: None,
            findings,
            lease: self.budget.lease(Holder::Rows, rows.batch.get_array_memory_size() as u64),
        };
        if self.columns.program.key_checks().is_empty() {
            parsed.rows = self.partition(&rows, index, &place)?;
            self.quarantine(&mut parsed)?;
            self.recycle(block.bytes);
        } else {
            parsed.loose = Some(rows);
            parsed.text = Some((block, std::mem::take(index), lease));
        }
        Ok(parsed)
    }

    /// Routes the rows of blocks that have been compared, in parallel.
    pub(super) fn route(&self, blocks: &mut [ParsedBlock]) -> Result<()> {
        blocks.par_iter_mut().try_for_each(|block| {
            let text = block.text.take();
            if let Some(loose) = block.loose.take() {
                block.rows = match &text {
                    // With a deduplication, rows come out that no longer stand beside their records.
                    Some((text, index, _)) if loose.records.len() == loose.batch.num_rows() => {
                        self.partition(&loose, index, &self.place(block.split, text))?
                    }
                    _ => self.partition_loose(&loose.batch, block.split)?,
                };
            }
            if let Some((text, ..)) = text {
                self.recycle(text.bytes);
            }
            self.quarantine(block)
        })
    }

    fn quarantine(&self, block: &mut ParsedBlock) -> Result<()> {
        let rejects = std::mem::take(&mut block.rejects);
        if self.plan.job.errors.quarantine && !rejects.is_empty() {
            let url = self.url(block.split);
            block.quarantined = Some(quarantine::batch(&self.plan.attempt, url, &rejects)?);
        }
        Ok(())
    }

    /// Sets a row of `block.loose` aside, or fails, as its policy has it.
    pub(super) fn set_aside(&self, block: &mut ParsedBlock, fault: Fault) -> Result<()> {
        let Some((text, index, _)) = &block.text else { return Ok(()) };
        let reject = self.place(block.split, text).settle(index, fault)?;
        block.findings.reject(reject.rule, &reject.message, &reject.location);
        let position = block.rejects.partition_point(|other| other.record_in_block <= reject.record_in_block);
        block.rejects.insert(position, reject);
        Ok(())
    }

    /// Routes the rows of a block to their partitions.
    fn partition(
        &self,
        rows: &Rows,
        index: &RecordIndex,
        place: &BlockPlace<'_>,
    ) -> Result<Vec<PartitionRows>> {
        self.columns.partitioner.split(&rows.batch).map_err(|error| {
            split_error(error, |fault| {
                let record = rows.records[fault.record as usize];
                place.error(index, Fault { record, ..fault })
            })
        })
    }

    /// Routes rows whose records are not known any more.
    pub(super) fn partition_loose(&self, batch: &RecordBatch, split: usize) -> Result<Vec<PartitionRows>> {
        let error_of = |error| split_error(error, |fault| unplaced(self.url(split), fault));
        self.columns.partitioner.split(batch).map_err(error_of)
    }

    /// Of the input of a split.
    fn url(&self, split: usize) -> &'a str {
        &self.plan.inputs[self.task.splits[split].input].url
    }

    fn place<'b>(&'b self, split: usize, block: &'b Block) -> BlockPlace<'b> {
        BlockPlace { plan: self.plan, columns: self.columns, block, url: self.url(split) }
    }

    /// Finds the records of a block, and those of `data` that are broken: what
    /// is wrong with skipped records and footers loses nothing.
    fn scan(&self, block: &Block, data: Range<usize>, url: &str, scratch: &mut Scratch) -> Result<()> {
        let Scratch { index, broken } = scratch;
        if let Some(unclosed) = &block.unclosed {
            broken.clear();
            broken.push(unclosed.scanned(block, index));
            return Ok(());
        }
        let located = |error: &ScanError| scan_error(error, block, &self.plan.dialect, url);
        if !self.tolerant && data == (0..block.records as usize) {
            broken.clear();
            return self.scanner.scan(&block.bytes, index).map_err(|error| located(&error));
        }
        let scanned = self.scanner.scan_tolerant(&block.bytes, index, broken);
        broken.retain(|error| data.contains(&error.record));
        match broken.first() {
            Some(first) if !self.tolerant => Err(located(first)),
            _ => scanned.map_err(|error| located(&error)),
        }
    }

    /// Counts of parsed columns, by name, without zeros.
    fn by_column(&self, counts: &[u64]) -> BTreeMap<String, u64> {
        let columns = self.columns.program.input().columns.iter();
        let counted = columns.zip(counts).filter(|(_, count)| **count > 0);
        counted.map(|(column, &count)| (column.name.clone(), count)).collect()
    }

    /// Gives the reader a buffer back.
    fn recycle(&self, mut buffer: Vec<u8>) {
        if buffer.capacity() <= 2 * BLOCK_BYTES {
            buffer.clear();
            // Full or closed: the buffer is freed instead.
            let _ = self.spare_sender.try_send(buffer);
        }
    }
}

/// Why rows have no partition; `error_of` says it of a row of the batch.
fn split_error(error: SplitError, error_of: impl Fn(Fault) -> Error) -> Error {
    match error {
        SplitError::Arrow(cause) => ErrorKind::Compute { step: "partitioning rows", cause }.into(),
        SplitError::Fault(fault) => error_of(*fault),
    }
}
