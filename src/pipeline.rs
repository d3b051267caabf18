//! The stages of a task, in order:
//! source → split → parse → batch → partition → encode → store.
//!
//! A reader thread hands out blocks of whole records in order
//! ([`crate::split::read`]). The compute pool works in *waves* of
//! [`WAVE_BLOCKS`] blocks: while it encodes the rows of one wave
//! ([`TableWriter`]), it parses the next into record batches. Blocks keep their
//! order within and across waves, and a wave is a fixed number of blocks, so
//! what is written does not depend on the number of threads.
//!
//! Memory: at most [`READ_AHEAD_BLOCKS`] blocks wait, one wave is being parsed,
//! one is being encoded; encoded pages and parts are bounded by
//! `engine.open_files_bytes` and `engine.upload_bytes_in_flight`.

use crate::batch::{BatchBuilder, Binding, RecordError, arrow_schema};
use crate::document::{KeyPath, Problem};
use crate::encode::{CutLimits, FileNames, FileShape, TableWriter};
use crate::error::{Error, ErrorKind, InputProblem, Location, Result};
use crate::job::{EmptyInput, JobSpec, MatchColumns, Profile, parse_compression};
use crate::parse::{RecordIndex, Scanner};
use crate::partition::{PartitionRows, Partitioner};
use crate::plan::{Plan, Task};
use crate::runtime::Runtime;
use crate::schema::{Schema, profile};
use crate::source::{Input, TextStream};
use crate::split::read::{
    BLOCK_BYTES, EMPTY_REMEDY, SplitReader, TextBlock, data_record, header_error, scan_error,
};
use crate::store::tee::TeeFactory;
use crate::task::{FileReport, RecordCounts, SplitAccount};
use crate::transform;
use arrow::datatypes::SchemaRef;
use crossbeam_channel::{Receiver, Sender};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Blocks parsed, then encoded, together. Part of what determines the bytes
/// written: changing it moves row-group cuts.
pub const WAVE_BLOCKS: usize = 16;

/// Blocks that may wait for the parsers.
pub const READ_AHEAD_BLOCKS: usize = 16;

/// What a task did.
#[derive(Debug)]
pub struct Done {
    /// One for each split, in the task's order.
    pub splits: Vec<SplitAccount>,
    /// The staged files.
    pub files: Vec<FileReport>,
}

/// The columns at each stage.
#[derive(Debug)]
pub struct Columns {
    /// As in the input.
    pub input: Schema,
    /// As they are parsed: after transforms and the output profile.
    pub output: Schema,
    /// For each output column: its position in `input`.
    pub from: Vec<usize>,
    /// Which of them make directories.
    pub partitioner: Partitioner,
    /// Arrow schema of `output`.
    pub batch_schema: SchemaRef,
}

impl Columns {
    /// Settles the columns of a job; everything that can be wrong about them
    /// is an error here, before any data is read.
    pub fn resolve(schema: Schema, job: &JobSpec) -> Result<Self> {
        let projection = transform::project(&schema, &job.transforms)?;
        let output = profile::for_profile(&projection.schema, job.output.profile)
            .map_err(|problems| problems.into_error("the schema"))?;
        let partitioner = Partitioner::new(&output, &job.output.partition_by)?;
        let batch_schema = arrow_schema(&output);
        Ok(Columns { input: schema, output, from: projection.from, partitioner, batch_schema })
    }

    /// Finds the columns in a header (`None`: there is none).
    pub fn bind(&self, job: &JobSpec, header: Option<&[String]>) -> Result<Binding, InputProblem> {
        let by_name = match job.source.match_columns {
            Some(MatchColumns::Position) => None,
            Some(MatchColumns::Name) | None => header,
        };
        let found = match by_name {
            Some(header) => Binding::by_name(
                &self.input,
                header,
                job.source.column_policies(),
                job.dialect.case_sensitive_header.unwrap_or(true),
            )?,
            None => {
                let fields = header.map_or(self.input.columns.len(), <[String]>::len);
                Binding::by_position(&self.input, fields, job.source.column_policies())?
            }
        };
        let field_of_column = self.from.iter().map(|&column| found.field_of_column[column]).collect();
        Ok(Binding { field_of_column, ..found })
    }
}

/// Runs the stages for one task. On error, staged files are left to the caller.
pub fn run(
    plan: &Plan,
    task: &Task,
    tee: &TeeFactory,
    runtime: &Runtime,
    first_text: Option<TextStream>,
) -> Result<Done> {
    let columns = Columns::resolve(plan.schema()?, &plan.job)?;
    let writer = table_writer(plan, task, &columns, tee)?;
    let (block_sender, blocks) = crossbeam_channel::bounded(READ_AHEAD_BLOCKS);
    let (spare_sender, spare) = crossbeam_channel::bounded(READ_AHEAD_BLOCKS + 2 * WAVE_BLOCKS);
    let parser = Parser { plan, task, columns: &columns, scanner: Scanner::new(&plan.dialect), spare_sender };
    let bind = |header: Option<&[String]>| {
        let binding = columns.bind(&plan.job, header)?;
        Ok(Arc::new(BatchBuilder::new(&columns.output, &plan.dialect, &binding)))
    };
    // Ends the reader, wherever it waits, as soon as this task has ended.
    let reading = runtime.cancel().child();
    let first_text = first_text.map(|mut text| {
        text.stop_with(reading.clone());
        text
    });
    let reader_cancel = reading.clone();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            SplitReader::new(plan, runtime, reader_cancel, spare).run(
                &task.splits,
                first_text,
                &bind,
                &block_sender,
            );
        });
        let done = run_waves(plan, task, runtime, &parser, writer, blocks);
        reading.cancel();
        done
    })
}

/// Whether the header of an input fits the plan's schema; reads no further.
pub fn check_header(plan: &Plan, input: &Input, runtime: &Runtime) -> Result<()> {
    let reader = SplitReader::new(plan, runtime, runtime.cancel().clone(), crossbeam_channel::never());
    let header = if plan.dialect.header { Some(reader.read_header(input)?) } else { None };
    let columns = Columns::resolve(plan.schema()?, &plan.job)?;
    columns.bind(&plan.job, header.as_deref()).map_err(|problem| header_error(problem, input)).map(drop)
}

fn run_waves(
    plan: &Plan,
    task: &Task,
    runtime: &Runtime,
    parser: &Parser<'_>,
    mut writer: TableWriter<'_>,
    blocks: Receiver<Result<TextBlock<Arc<BatchBuilder>>>>,
) -> Result<Done> {
    let mut ledger = Ledger::new(plan, task);
    let mut parsed: Vec<ParsedBlock> = Vec::new();
    loop {
        runtime.cancel().check()?;
        let wave = next_wave(&blocks);
        let rows = std::mem::take(&mut parsed).into_iter().flat_map(|block| block.rows);
        let (written, next) =
            runtime.pool().install(|| rayon::join(|| writer.write(rows), || parser.parse_wave(wave)));
        written?;
        parsed = next?;
        if parsed.is_empty() {
            break;
        }
        for block in &parsed {
            ledger.enter(block)?;
        }
        runtime.progress().records.store(ledger.records_read(), Ordering::Relaxed);
    }
    let files = runtime.pool().install(|| writer.finish())?;
    Ok(Done { splits: ledger.close()?, files })
}

/// Up to [`WAVE_BLOCKS`] blocks, fewer if they are larger than usual.
fn next_wave<B>(blocks: &Receiver<Result<TextBlock<B>>>) -> Vec<Result<TextBlock<B>>> {
    let mut wave = Vec::with_capacity(WAVE_BLOCKS);
    let mut bytes = 0;
    while wave.len() < WAVE_BLOCKS && bytes < WAVE_BLOCKS * BLOCK_BYTES {
        let Ok(block) = blocks.recv() else { break };
        bytes += block.as_ref().map_or(0, |block| block.block.bytes.len());
        wave.push(block);
    }
    wave
}

fn table_writer<'a>(
    plan: &Plan,
    task: &Task,
    columns: &Columns,
    tee: &'a TeeFactory,
) -> Result<TableWriter<'a>> {
    let (output, engine) = (&plan.job.output, &plan.job.engine);
    let embed_arrow_schema = output.profile == Profile::Standard;
    let file_schema = columns.partitioner.file_schema(&columns.batch_schema);
    let shape = FileShape::new(
        file_schema,
        parse_compression(&output.compression).map_err(invalid_codec)?,
        embed_arrow_schema,
    )
    .map_err(|cause| ErrorKind::Encode { file: "the table".into(), cause })?;
    let limits = CutLimits {
        max_row_group_rows: output.max_row_group_rows,
        max_row_group_bytes: output.max_row_group_bytes,
        target_file_bytes: if plan.single_file.is_some() { u64::MAX } else { output.target_file_bytes },
        open_files_bytes: engine.open_files_bytes,
        part_bytes: engine.part_bytes as u64,
        max_open_files: engine.max_open_files,
    };
    let names = match &plan.single_file {
        Some(name) => FileNames::Single(name.clone()),
        None => FileNames::Parts { task: task.number, attempt: plan.attempt.clone() },
    };
    TableWriter::new(shape, limits, names, tee)
}

fn invalid_codec(error: crate::job::compression::CompressionError) -> Error {
    Problem::new(KeyPath::from("output.compression"), error.to_string()).into_error("job")
}

/// A block after parsing and partitioning.
struct ParsedBlock {
    split: usize,
    /// Records in the block, as the block cutter counted them.
    records_cut: u64,
    preamble: u64,
    data_records: u64,
    text_bytes: u64,
    last: bool,
    rows: Vec<PartitionRows>,
}

/// Parses blocks on the compute pool.
struct Parser<'a> {
    plan: &'a Plan,
    task: &'a Task,
    columns: &'a Columns,
    scanner: Scanner,
    spare_sender: Sender<Vec<u8>>,
}

impl Parser<'_> {
    /// Parses blocks in parallel; the first error in the order of the records wins.
    fn parse_wave(&self, wave: Vec<Result<TextBlock<Arc<BatchBuilder>>>>) -> Result<Vec<ParsedBlock>> {
        let parsed: Vec<Result<ParsedBlock>> = wave
            .into_par_iter()
            .map_init(RecordIndex::default, |index, block| self.parse(block?, index))
            .collect();
        parsed.into_iter().collect()
    }

    fn parse(&self, text: TextBlock<Arc<BatchBuilder>>, index: &mut RecordIndex) -> Result<ParsedBlock> {
        let TextBlock { split, block, preamble, binding } = text;
        let url = &self.plan.inputs[self.task.splits[split].input].url;
        self.scanner
            .scan(&block.bytes, index)
            .map_err(|e| scan_error(&e, &block, &self.plan.dialect, url))?;
        let batch = binding.build(&block.bytes, index, preamble).map_err(|error| {
            let RecordError { record, column, byte_offset, line, problem } = error;
            let column = column.map(|position| self.columns.output.columns[position].source_name.clone());
            let location = Location {
                url: url.clone(),
                byte_offset: Some(block.byte_offset + byte_offset as u64),
                line: Some(block.lines_before + line as u64 + 1),
                record: data_record(block.records_before + record as u64, &self.plan.dialect),
                column,
            };
            let remedy = value_remedy(&problem);
            Error::input(problem, location).remedy(remedy)
        })?;
        let data_records = (index.record_ends.len() - preamble) as u64;
        let rows = self.columns.partitioner.split(&batch).map_err(|e| {
            let cause = parquet::errors::ParquetError::ArrowError(e.to_string());
            ErrorKind::Encode { file: "partition keys".into(), cause }
        })?;
        let parsed = ParsedBlock {
            split,
            records_cut: block.records,
            preamble: preamble as u64,
            data_records,
            text_bytes: block.bytes.len() as u64,
            last: block.last,
            rows,
        };
        let mut buffer = block.bytes;
        if buffer.capacity() <= 2 * BLOCK_BYTES {
            buffer.clear();
            // Full or closed: the buffer is freed instead.
            let _ = self.spare_sender.try_send(buffer);
        }
        Ok(parsed)
    }
}

fn value_remedy(problem: &InputProblem) -> &'static str {
    match problem {
        InputProblem::Ragged { .. } => "is a delimiter or a quote missing or doubled in this record?",
        InputProblem::RequiredNull => {
            "mend the value, or take `constraints.required` away from the column in the schema"
        }
        InputProblem::NulByte => {
            "CSV text holds no NUL; is the file binary, or UTF-16 (say `dialect.encoding`, --encoding)?"
        }
        _ => {
            "mend the value; or give the column another `type` or `format`, \
             or name the text in `missingValues` (--null) if it means null"
        }
    }
}

/// Counts what passes from the parsers to the writers, and holds it against
/// what the block cutter counted before.
struct Ledger<'a> {
    plan: &'a Plan,
    accounts: Vec<SplitAccount>,
    /// Whether the last block of each split has come.
    complete: Vec<bool>,
}

impl<'a> Ledger<'a> {
    fn new(plan: &'a Plan, task: &Task) -> Self {
        let accounts = task.splits.iter().map(|split| SplitAccount {
            input: split.input,
            start: split.range.map_or(0, |range| range.start),
            ..SplitAccount::default()
        });
        Ledger { plan, accounts: accounts.collect(), complete: vec![false; task.splits.len()] }
    }

    fn enter(&mut self, block: &ParsedBlock) -> Result<()> {
        let account = &mut self.accounts[block.split];
        let url = &self.plan.inputs[account.input].url;
        let parsed = block.preamble + block.data_records;
        if block.records_cut != parsed {
            let message = format!(
                "{url}: the block cutter counted {} records in a block, the parser {parsed}",
                block.records_cut
            );
            return Err(ErrorKind::Accounting { message }.into());
        }
        self.complete[block.split] |= block.last;
        let written: usize = block.rows.iter().map(|rows| rows.batch.num_rows()).sum();
        account.records +=
            RecordCounts { read: block.data_records, written: written as u64, ..RecordCounts::default() };
        account.text_bytes += block.text_bytes;
        let nothing = block.last && account.records.read == 0 && account.start == 0;
        if nothing && self.plan.job.source.empty_input == EmptyInput::Fail {
            let problem =
                if self.plan.dialect.header { InputProblem::HeaderOnly } else { InputProblem::NoRecords };
            return Err(Error::input(problem, Location::object(url)).remedy(EMPTY_REMEDY));
        }
        Ok(())
    }

    /// The accounts, if every split was read to its end.
    fn close(self) -> Result<Vec<SplitAccount>> {
        for (account, complete) in self.accounts.iter().zip(&self.complete) {
            let url = &self.plan.inputs[account.input].url;
            // An input without a byte has no blocks.
            if !complete && account.text_bytes > 0 {
                let message = format!("{url} was not read to its end");
                return Err(ErrorKind::Accounting { message }.into());
            }
        }
        Ok(self.accounts)
    }

    fn records_read(&self) -> u64 {
        self.accounts.iter().map(|account| account.records.read).sum()
    }
}
