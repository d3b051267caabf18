//! One block of text → rows by partition, and records that were rejected.

use super::quarantine::{self, Reject};
use crate::columns::Columns;
use crate::documents::{Findings, Plan, Task};
use crate::error::excerpt::excerpt;
use crate::error::wording::{settings, word};
use crate::error::{Error, ErrorKind, InputProblem, Location, Result};
use crate::parse::{RecordIndex, ScanError, Scanner};
use crate::partition::{PartitionRows, SplitError, TooLong};
use crate::rows::{BatchBuilder, Built, DataRecords, RecordFault, Rows};
use crate::runtime::{Budget, Holder, Lease};
use crate::spec::ValuePolicy;
use crate::split::blocks::Block;
use crate::split::not_data::Tiles;
use crate::split::place::data_record;
use crate::split::problems::{scan_error, scan_failure};
use crate::split::read::{BLOCK_BYTES, TextBlock};
use crate::transform::rows::{BlockContext, RowFault, TransformedRows};
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
        let url = &self.plan.inputs[self.task.splits[split].input].url;
        let place = BlockPlace { plan: self.plan, block: &block, url };
        let data_end = (block.records as usize).saturating_sub(footer);
        self.scan(&block, preamble..data_end, url, scratch)?;
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
        let built = binding.build(&block.bytes, index, &data).map_err(|fault| {
            let remedy = match (&fault.problem, self.inferred(&fault)) {
                (InputProblem::Value { .. }, Some(column)) => inferred_remedy(column),
                (problem, _) => value_remedy(problem).to_owned(),
            };
            let location = place.of_fault(&fault, self.columns);
            Error::input(fault.problem, location).remedy(remedy)
        })?;
        let Built { rows, faults, nulled, padded, truncated } = built;
        let mut rejects: Vec<Reject> = broken.iter().map(|error| place.broken(index, error)).collect();
        rejects.extend(faults.into_iter().map(|fault| place.reject(index, fault, self.columns)));
        let mut findings =
            Findings { padded, truncated, nulled: self.by_column(&nulled), ..Findings::default() };

        let TransformedRows { rows, filtered, faults, nulled, keys } =
            self.columns.program.apply(rows, &place.context())?;
        for fault in faults {
            rejects.push(place.reject_row(index, fault)?);
        }
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
                        let url = &self.plan.inputs[self.task.splits[block.split].input].url;
                        self.partition(&loose, index, &BlockPlace { plan: self.plan, block: text, url })?
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
            let url = &self.plan.inputs[self.task.splits[block.split].input].url;
            block.quarantined = Some(quarantine::batch(&self.plan.attempt, url, &rejects)?);
        }
        Ok(())
    }

    /// Sets a row of `block.loose` aside, or fails, as its policy has it.
    pub(super) fn set_aside(&self, block: &mut ParsedBlock, fault: RowFault) -> Result<()> {
        let Some((text, index, _)) = &block.text else { return Ok(()) };
        let url = &self.plan.inputs[self.task.splits[block.split].input].url;
        let place = BlockPlace { plan: self.plan, block: text, url };
        let reject = place.reject_row(index, fault)?;
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
        let located = |row: usize, column: String| {
            let record = rows.records[row] as usize;
            let (start, line) = (index.record_starts[record] as usize, index.record_lines[record] as usize);
            place.location(record, start, line, Some(column))
        };
        self.columns.partitioner.split(&rows.batch).map_err(|error| split_error(error, located))
    }

    /// Routes rows whose records are not known any more.
    pub(super) fn partition_loose(&self, batch: &RecordBatch, split: usize) -> Result<Vec<PartitionRows>> {
        let url = &self.plan.inputs[self.task.splits[split].input].url;
        let located = |_, column| Location { column: Some(column), ..Location::object(url) };
        self.columns.partitioner.split(batch).map_err(|error| split_error(error, located))
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

    /// The column of a fault in the inputs, if its type was inferred.
    fn inferred(&self, fault: &RecordFault) -> Option<&str> {
        let column = &self.columns.program.input().columns[fault.column?];
        let is_given = self.plan.job.schema.is_some() || self.plan.types_given.contains(&column.source_name);
        (!is_given).then_some(column.source_name.as_str())
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

/// Where a block stands, for everything that names a place in it.
struct BlockPlace<'a> {
    plan: &'a Plan,
    block: &'a Block,
    url: &'a str,
}

impl BlockPlace<'_> {
    fn context(&self) -> BlockContext<'_> {
        let preamble = self.plan.dialect.framing.preamble_records();
        BlockContext {
            url: self.url,
            first_record_number: self.block.records_before as i64 + 1 - preamble as i64,
        }
    }

    fn location(&self, record: usize, byte_offset: usize, line: usize, column: Option<String>) -> Location {
        Location {
            url: self.url.to_owned(),
            byte_offset: Some(self.block.byte_offset + byte_offset as u64),
            line: Some(self.block.lines_before + line as u64 + 1),
            record: data_record(self.block.records_before + record as u64, &self.plan.dialect.framing),
            column,
        }
    }

    fn of_fault(&self, fault: &RecordFault, columns: &Columns) -> Location {
        let parsed = &columns.program.input().columns;
        let column = fault.column.map(|position| parsed[position].name.clone());
        self.location(fault.record, fault.byte_offset, fault.line, column)
    }

    /// A row that a transform or a comparison refuses: its place is the start of
    /// its record. An error if the policy is to fail.
    fn reject_row(&self, index: &RecordIndex, fault: RowFault) -> Result<Reject> {
        let RowFault { record, column, problem, policy, policy_key } = fault;
        let record = record as usize;
        let (start, line) = (index.record_starts[record] as usize, index.record_lines[record] as usize);
        let location = self.location(record, start, line, column);
        if policy == ValuePolicy::Fail {
            return Err(Error::input(problem, location).remedy(row_remedy(policy_key.as_deref())));
        }
        Ok(self.keep(index, record, problem, location))
    }

    fn keep(&self, index: &RecordIndex, record: usize, problem: InputProblem, place: Location) -> Reject {
        let keep_values = self.plan.job.errors.quarantine_values;
        Reject::new(problem, place, record, raw_record(self.block, index, record), keep_values)
    }

    /// A record that breaks the dialect.
    fn broken(&self, index: &RecordIndex, error: &ScanError) -> Reject {
        let (problem, location) = scan_failure(error, self.block, &self.plan.dialect, self.url);
        // Without a quarantine nothing is kept, and the message must not say so.
        let problem = if self.plan.job.errors.quarantine { problem } else { problem.without_values() };
        self.keep(index, error.record, problem, location)
    }

    fn reject(&self, index: &RecordIndex, fault: RecordFault, columns: &Columns) -> Reject {
        let location = self.of_fault(&fault, columns);
        self.keep(index, fault.record, fault.problem, location)
    }
}

/// Why rows have no partition; `located` gives the place of a row and column.
fn split_error(error: SplitError, located: impl Fn(usize, String) -> Location) -> Error {
    match error {
        SplitError::Arrow(cause) => ErrorKind::Compute { step: "partitioning rows", cause }.into(),
        SplitError::TooLong(TooLong { row, key, value, bytes, limit, is_path }) => {
            let remedy = format!(
                "shorten the value in a step of a job file, such as `{{ derive = {{ {key} = \"left({key}, 50)\" }} }}`, \
                 or choose other keys in `output.partition_by` (--partition-by)"
            );
            let value = excerpt(&value).into_owned();
            let problem = InputProblem::PartitionValue { value, bytes, limit, is_path };
            Error::input(problem, located(row, key)).remedy(remedy)
        }
    }
}

/// A record as it stands in the text, without its terminator.
fn raw_record<'b>(block: &'b Block, index: &RecordIndex, record: usize) -> &'b [u8] {
    &block.bytes[index.record_starts[record] as usize..index.record_stops[record] as usize]
}

/// `policy_key` of the job says what happens to the row.
fn row_remedy(policy_key: Option<&str>) -> String {
    match policy_key {
        Some("errors.bad_value") => {
            "fix the record, or set such records aside: `errors.bad_value = \"reject\"` (--on-bad-value reject)"
                .to_owned()
        }
        Some(key) => format!("fix the record, or set such records aside: `{key} = \"reject\"` in the job file"),
        None => "limit the text that the expression makes, as in `repeat(x, least(n, 100))`".to_owned(),
    }
}

/// What to do about a value that no sample had the like of.
fn inferred_remedy(column: &str) -> String {
    let all = "--all-text for all columns";
    let flags = match excerpt(column).len() < column.len() {
        // Longer than anybody types.
        true => all.to_owned(),
        false => format!("--type {}, or {all}", word(&format!("{column}=string"))),
    };
    format!(
        "the type of the column was inferred from samples (the first 1 MiB of up to 16 inputs and windows into the rest), \
         which have no such value: use {}, or look at every record with `sawmill infer --full -o schema.json` and the \
         same inputs, and give `schema = \"schema.json\"` (--schema schema.json); name the text in `missingValues` in a \
         schema (--null) if it means null; `errors.bad_value = \"reject\"` (--on-bad-value reject) sets such records aside",
        settings([("type = \"string\"".to_owned(), flags, " in a schema")])
    )
}

fn value_remedy(problem: &InputProblem) -> &'static str {
    match problem {
        InputProblem::Ragged { found, expected } if found < expected => {
            "is a delimiter or a quote missing or doubled in this record? \
             `errors.bad_record = \"reject\"` (--on-bad-record reject) sets such records aside, and \
             `errors.short_record = \"pad\"` (--on-short-record pad) reads the missing fields as null"
        }
        InputProblem::Ragged { .. } => {
            "is a delimiter or a quote missing or doubled in this record? \
             `errors.bad_record = \"reject\"` (--on-bad-record reject) sets such records aside, and \
             `errors.long_record = \"truncate\"` (--on-long-record truncate) leaves out the extra fields"
        }
        InputProblem::NamelessValue { .. } => {
            "`dialect.blankNames = \"position\"` (--blank-names position) names such fields `column_1`, `column_2`, … by \
             their position, which a given schema then has to have; or is a delimiter missing or doubled in this \
             record? `errors.long_record = \"reject\"` (--on-long-record reject) sets such records aside"
        }
        InputProblem::RequiredNull => {
            "fix the value, or remove `constraints.required` from the column in the schema; \
             `errors.bad_value = \"reject\"` (--on-bad-value reject) sets such records aside"
        }
        InputProblem::NulByte => {
            "CSV text cannot contain NUL; if the file is UTF-16, use `dialect.encoding = \"utf-16le\"` (--encoding utf-16le) or utf-16be; otherwise check whether the file is binary"
        }
        _ => {
            "fix the value; or give the column another `type` or `format`, \
             or name the text in `missingValues` in a schema (--null) if it means null; \
             `errors.bad_value = \"reject\"` (--on-bad-value reject) sets such records aside"
        }
    }
}
