//! The stages of a task, in order:
//! source → split → parse → batch → transform → partition → encode → store.
//!
//! A reader thread hands out blocks of whole records in order
//! ([`crate::split::read`]). The compute pool works in *waves* of
//! [`WAVE_BLOCKS`] blocks: while it encodes the rows of one wave
//! ([`TableWriter`]), it parses the next into record batches. Blocks keep their
//! order within and across waves, and a wave is a fixed number of blocks, so
//! what is written does not depend on the number of threads.
//!
//! [`parser`] is what happens to one block, [`ledger`] what happens to its
//! counts, [`quarantine`] what happens to the records that were rejected.
//!
//! Memory: at most [`READ_AHEAD_BLOCKS`] blocks wait, one wave is being parsed,
//! one is being encoded; encoded pages and parts are bounded by
//! `engine.open_files_bytes` and `engine.upload_bytes_in_flight`.

mod comparison;
mod ledger;
mod parser;
mod quarantine;
mod sink;

use crate::batch::{BatchBuilder, Binding, Policies, arrow_schema};
use crate::count::agree;
use crate::document::{KeyPath, Problem, nearest};
use crate::encode::{
    Consumed, CutLimits, FileNames, FileShape, NoRows, TableWriter, max_key_bytes, path_limits, run_metadata,
};
use crate::error::{Error, InputProblem, Result};
use crate::job::{
    ColumnPolicies, EmptyOutput, ExtraColumns, JobSpec, MatchColumns, MissingColumns, Profile, TimestampForm,
};
use crate::lists::quoted;
use crate::order::Scratch;
use crate::parse::BlankNames;
use crate::partition::Partitioner;
use crate::plan::{Plan, Task};
use crate::preflight;
use crate::runtime::{Cancel, Runtime};
use crate::schema::{Column, ColumnType, Schema, WrittenColumn, WrittenSchema};
use crate::source::{Input, TextStream};
use crate::split::header::{Header, Trailing};
use crate::split::read::{BLOCK_BYTES, InputStart, SplitReader, TextBlock, header_error};
use crate::store::tee::TeeFactory;
use crate::task::{FileReport, Findings, SplitAccount};
use crate::transform::Program;
use crate::transform::rows::RunContext;
use arrow::datatypes::{Field, SchemaRef};
use comparison::Comparison;
use crossbeam_channel::Receiver;
use ledger::Ledger;
use parser::{ParsedBlock, Parser};
use quarantine::Quarantine;
use rayon::prelude::*;
use sink::Sink;
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

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
    /// The staged files of rejected records.
    pub quarantine: Vec<FileReport>,
    /// What was found wrong.
    pub findings: Findings,
}

/// The columns at each stage.
#[derive(Debug)]
pub struct Columns {
    /// As in the input.
    pub input: Schema,
    /// What becomes of them.
    pub program: Program,
    /// Which of the program's output make directories.
    pub partitioner: Partitioner,
    /// Arrow schema of the program's output.
    pub batch_schema: SchemaRef,
    /// What the files have in common.
    pub shape: FileShape,
    /// What becomes of bad values and records.
    policies: Policies,
}

impl Columns {
    /// Settles the columns of a job; everything that can be wrong about them
    /// is an error here, before any data is read.
    pub fn resolve(
        schema: Schema,
        job: &JobSpec,
        run: &RunContext,
        written: Option<&WrittenSchema>,
    ) -> Result<Self> {
        let program = Program::compile(&schema, job, run, written)?;
        let partitioner = Partitioner::new(program.output(), &job.output.partition_by)?
            .with_limits(path_limits(job, &run.run_id));
        let batch_schema = arrow_schema(program.output());
        let shape = FileShape::new(&batch_schema, partitioner.file_schema(&batch_schema), &job.output)?;
        check_policies(job, &program)?;
        let names = program.input_positions().iter().map(|&column| schema.columns[column].name.as_str());
        let policies = Policies::of(&job.errors, names);
        Ok(Columns { input: schema, program, partitioner, batch_schema, shape, policies })
    }

    /// Those of a plan.
    pub fn of_plan(plan: &Plan) -> Result<Self> {
        Columns::resolve(plan.schema()?, &plan.job, &run_context(plan), plan.written.as_ref())
    }

    /// What the files have, as the log of the table keeps it.
    pub fn written(&self, job: &JobSpec) -> WrittenSchema {
        let column = |field: &Arc<Field>| {
            let column_type = ColumnType::of_arrow(field.data_type())?;
            let int96 = job.output.timestamps == TimestampForm::Int96
                && matches!(column_type, ColumnType::Timestamp { .. });
            Some(WrittenColumn {
                name: field.name().clone(),
                column_type,
                int96,
                required: !field.is_nullable(),
            })
        };
        WrittenSchema {
            // Each was made of a type of a column.
            columns: self.shape.schema().fields().iter().filter_map(column).collect(),
            partition_by: self.partitioner.written(self.program.output()),
        }
    }

    /// Finds the columns in the fields of an input; those that stand in its path are in no field.
    fn bind(&self, plan: &Plan, start: &InputStart) -> Result<Bound, InputProblem> {
        let job = &plan.job;
        let header = start.header.as_deref();
        let policies = ColumnPolicies { blank: plan.dialect.blank_names, ..job.source.column_policies() };
        let path_columns = &job.source.path_columns;
        let in_path = |column: &Column| path_columns.contains(&column.source_name);
        let in_fields = match path_columns.is_empty() {
            true => Cow::Borrowed(&self.input),
            false => {
                let columns = self.input.columns.iter().filter(|column| !in_path(column));
                Cow::Owned(Schema::new(columns.cloned().collect()))
            }
        };
        if let (Some(header), ExtraColumns::Fail) = (header, job.source.extra_columns)
            && let Some(name) = path_columns.iter().find(|name| header.contains(name))
        {
            return Err(InputProblem::PathColumnInHeader { name: name.clone() });
        }
        let by_name = match job.source.match_columns {
            Some(MatchColumns::Position) => None,
            Some(MatchColumns::Name) | None => header,
        };
        let header = header.map(|names| Header::of(names, start.first, &plan.dialect)).unwrap_or_default();
        let found = match by_name {
            Some(_) => Binding::by_name(
                &in_fields,
                &header.names,
                policies,
                job.dialect.case_sensitive_header.unwrap_or(true),
            )?,
            None => {
                let columns = in_fields.columns.len();
                let trails = start.header.is_none()
                    && policies.blank != BlankNames::Fail
                    && start.first.is_some_and(|first| first.has_trailing(columns));
                let (fields, blank): (usize, Vec<usize>) = match &start.header {
                    Some(_) => (header.names.len(), header.blank().collect()),
                    None if trails => (columns + 1, vec![columns]),
                    None => (columns, Vec::new()),
                };
                Binding::by_position(&in_fields, fields, &blank, policies)?
            }
        };
        let mut found_fields = found.field_of_column.iter().copied();
        let fields: Vec<Option<usize>> = self
            .input
            .columns
            .iter()
            .map(|column| if in_path(column) { None } else { found_fields.next().flatten() })
            .collect();
        let positions = self.program.input_positions();
        let field_of_column = positions.iter().map(|&column| fields[column]).collect();
        Ok(Bound { header, binding: Binding { field_of_column, ..found } })
    }

    /// The parsed columns whose values stand in the path of an input, each with
    /// its position and its value there.
    fn path_values(
        &self,
        job: &JobSpec,
        input: &Input,
    ) -> Result<Vec<(usize, Option<String>)>, InputProblem> {
        if job.source.path_columns.is_empty() {
            return Ok(Vec::new());
        }
        // Of a key that comes twice, the innermost counts.
        let found: HashMap<_, _> = input.path_values().into_iter().collect();
        let mut values = Vec::new();
        for (position, column) in self.program.input().columns.iter().enumerate() {
            let name = &column.source_name;
            if !job.source.path_columns.contains(name) {
                continue;
            }
            match found.get(name) {
                Some(value) => values.push((position, value.clone())),
                None if job.source.missing_columns == MissingColumns::Null && column.nullable => {}
                None => return Err(InputProblem::PathColumnMissing { name: name.clone() }),
            }
        }
        Ok(values)
    }

    /// Columns with constraints or keys that are not parsed.
    pub fn unchecked(&self) -> Vec<&str> {
        let parsed = self.program.input_positions();
        let demands = |position: usize, column: &Column| {
            !column.nullable
                || !column.constraints.is_empty()
                || self.input.keys.iter().any(|key| key.contains(&position))
        };
        let columns = self.input.columns.iter().enumerate();
        columns
            // They ascend.
            .filter(|(position, column)| {
                parsed.binary_search(position).is_err() && demands(*position, column)
            })
            .map(|(_, column)| column.name.as_str())
            .collect()
    }

    /// What makes rows of the records of an input that begins like this; `tell` is for people.
    fn builder(
        &self,
        plan: &Plan,
        input: &Input,
        start: &InputStart,
        tell: impl FnOnce(&Bound),
    ) -> Result<BatchBuilder, InputProblem> {
        let bound = self.bind(plan, start)?;
        tell(&bound);
        let Bound { binding, .. } = bound;
        let values = self.path_values(&plan.job, input)?;
        let schema = self.program.input();
        BatchBuilder::new(schema, &plan.dialect, &binding, self.policies.clone()).with_values(schema, &values)
    }
}

/// What the fields of an input are.
struct Bound {
    /// Without names where there is none.
    header: Header,
    binding: Binding,
}

impl Bound {
    /// What a person should know of fields without a name, where the schema was declared: nobody has
    /// looked at the header before.
    fn note(&self, input: &Input) -> Option<String> {
        let fields = |list: &[usize]| {
            let numbers: Vec<_> = list.iter().map(|field| (field + 1).to_string()).collect();
            let noun = agree(list.len(), "field", "fields");
            format!("{noun} {}", numbers.join(", "))
        };
        let Binding { empty_fields, field_of_column, .. } = &self.binding;
        let read = |field: &usize| field_of_column.contains(&Some(*field));
        let named: Vec<usize> = self.header.blank().filter(read).collect();
        let mut notes = Vec::new();
        if !empty_fields.is_empty() {
            notes.push(format!(
                "{} without a name in the header {} left out, and a value there is a bad record",
                fields(empty_fields),
                agree(empty_fields.len(), "is", "are")
            ));
        }
        if !named.is_empty() {
            let names = named.iter().map(|field| &self.header.names[*field].name);
            notes.push(format!(
                "{} without a name in the header {} called {}",
                fields(&named),
                agree(named.len(), "is", "are"),
                quoted(names)
            ));
        }
        if self.header.trailing == Some(Trailing::Header) {
            notes.push("the header ends in a delimiter that the records lack".into());
        }
        (!notes.is_empty()).then(|| format!("{}: {}", input.url, notes.join("; ")))
    }
}

/// Policies are for names that something looks up: columns of the schema, and of
/// steps at their place.
fn check_policies(job: &JobSpec, program: &Program) -> Result<()> {
    let known = program.policy_names();
    match job.errors.columns.keys().find(|name| !known.contains(*name)) {
        None => Ok(()),
        Some(name) => {
            let key = KeyPath::from("errors").key("columns").key(name);
            let remedy = match nearest(name, known.iter().map(String::as_str)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => "name a column as the schema has it, or as it is called at a step".to_owned(),
            };
            Err(Problem::new(key, "no value has this policy").remedy(remedy).into_error("job"))
        }
    }
}

/// Rows that are to be compared with all others have to be in one task.
pub fn check_tasks(tasks: usize, columns: &Columns) -> Result<()> {
    let compared = columns.program.key_checks().first();
    match compared {
        Some(check) if tasks > 1 => {
            let message = format!(
                "the key ({}) is compared over all records, and the plan has {tasks} tasks",
                check.columns.join(", ")
            );
            Err(Error::usage(message)
                .remedy("plan one task (`sawmill plan --tasks 1`) for `deduplicate` and unique keys"))
        }
        _ => Ok(()),
    }
}

/// What the run of a plan is called.
fn run_context(plan: &Plan) -> RunContext {
    let planned_at = chrono::DateTime::parse_from_rfc3339(&plan.planned_at);
    RunContext {
        run_id: plan.attempt.clone(),
        // `Plan::validate` has seen to it that this is a time.
        loaded_at_us: planned_at.map_or(0, |time| time.timestamp_micros()),
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
    let columns = Columns::of_plan(plan)?;
    check_tasks(plan.tasks.len(), &columns)?;
    let writer = table_writer(plan, task, &columns, tee)?;
    let scratch = Scratch::new(plan.job.engine.spill_directory.as_deref(), runtime.cancel().clone());
    let (block_sender, blocks) = crossbeam_channel::bounded(READ_AHEAD_BLOCKS);
    let (spare_sender, spare) = crossbeam_channel::bounded(READ_AHEAD_BLOCKS + 2 * WAVE_BLOCKS);
    let parser = Parser::new(plan, task, &columns, spare_sender);
    let stages = Stages {
        sink: Sink::new(writer, &columns.shape, &plan.job.engine, &scratch)?,
        comparison: Comparison::new(columns.program.key_checks(), &plan.job.engine, &scratch),
        quarantine: Quarantine::new(plan, task, tee),
        ledger: Ledger::new(plan, task),
    };
    // Of many inputs that are like it, the first is told.
    let is_told = AtomicBool::new(plan.job.schema.is_none());
    let bind = |input: &Input, start: &InputStart| {
        let tell = |bound: &Bound| {
            if let Some(note) = bound.note(input)
                && !is_told.swap(true, Ordering::Relaxed)
            {
                tracing::warn!("{note}");
            }
        };
        Ok(Arc::new(columns.builder(plan, input, start, tell)?))
    };
    // Ends the reader, wherever it waits, as soon as this task has ended.
    let reading = StopsWhenDropped(runtime.cancel().child());
    let first_text = first_text.map(|mut text| {
        text.stop_with(reading.0.clone());
        text
    });
    let reader_cancel = reading.0.clone();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            SplitReader::new(plan, runtime, reader_cancel, spare).run(
                &task.splits,
                first_text,
                &bind,
                &block_sender,
            );
        });
        let done = run_waves(plan, task, runtime, &parser, stages, blocks);
        drop(reading);
        done
    })
}

/// Stops the reader however the task ends, by a panic too: the scope it runs in
/// waits for it.
struct StopsWhenDropped(Cancel);

impl Drop for StopsWhenDropped {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Whether the header of an input fits the plan's schema; reads no further.
pub fn check_header(plan: &Plan, input: &Input, runtime: &Runtime) -> Result<()> {
    let reader = SplitReader::new(plan, runtime, runtime.cancel().clone(), crossbeam_channel::never());
    let start = if plan.dialect.header { reader.read_start(input)? } else { InputStart::default() };
    if plan.dialect.header && start.header.is_none() {
        return Ok(());
    }
    let columns = Columns::of_plan(plan)?;
    let bound = columns.builder(plan, input, &start, |_| ());
    bound.map_err(|problem| header_error(problem, input)).map(drop)
}

/// What sees the blocks in order, one after the other.
struct Stages<'t> {
    ledger: Ledger<'t>,
    comparison: Comparison,
    quarantine: Quarantine<'t>,
    sink: Sink<'t>,
}

fn run_waves(
    plan: &Plan,
    task: &Task,
    runtime: &Runtime,
    parser: &Parser<'_>,
    mut stages: Stages<'_>,
    // Owned: it is dropped on the way out, or the reader would wait for room for ever.
    blocks: Receiver<Result<TextBlock<Arc<BatchBuilder>>>>,
) -> Result<Done> {
    let total_text_bytes = total_text_bytes(plan, task);
    let mut parsed: Vec<ParsedBlock> = Vec::new();
    loop {
        runtime.cancel().check()?;
        let wave = next_wave(&blocks);
        let consumed = Consumed { total_text_bytes, ..stages.ledger.consumed() };
        let rows = std::mem::take(&mut parsed).into_iter().flat_map(|block| block.rows);
        let sink = &mut stages.sink;
        let (written, next) =
            runtime.pool().install(|| rayon::join(|| sink.write(rows, consumed), || parser.parse_wave(wave)));
        written?;
        parsed = next?;
        if parsed.is_empty() {
            break;
        }
        runtime.pool().install(|| stages.enter(parser, &mut parsed))?;
        runtime.progress().records.store(stages.ledger.records_read(), Ordering::Relaxed);
    }
    let done = runtime.pool().install(|| stages.finish(parser, runtime))?;
    if plan.job.output.profile == Profile::Spectrum {
        preflight::size_notes(&done.files).iter().for_each(|note| tracing::info!("{note}"));
    }
    Ok(done)
}

impl Stages<'_> {
    /// Enters a wave of blocks; what is left of their rows is ready to be written.
    fn enter(&mut self, parser: &Parser<'_>, parsed: &mut [ParsedBlock]) -> Result<()> {
        if !self.comparison.is_idle() {
            parsed.iter_mut().try_for_each(|block| self.comparison.settle(parser, block))?;
            parser.route(parsed)?;
        }
        parsed.iter().try_for_each(|block| self.ledger.enter(block))?;
        self.quarantine.write(parsed.iter_mut().filter_map(|block| block.quarantined.take()).collect())
    }

    /// All blocks have been written: now what had to wait for them.
    fn finish(mut self, parser: &Parser<'_>, runtime: &Runtime) -> Result<Done> {
        let mut waiting = self.comparison.finish()?;
        loop {
            runtime.cancel().check()?;
            let wave = waiting.by_ref().take(WAVE_BLOCKS).collect::<Result<Vec<_>>>()?;
            if wave.is_empty() {
                break;
            }
            for survivors in &wave {
                let written = survivors.rows.num_rows() as u64;
                self.ledger.settle(survivors.tag as usize, written, survivors.removed);
            }
            let routed = wave
                .par_iter()
                .map(|survivors| parser.partition_loose(&survivors.rows, survivors.tag as usize));
            let routed = routed.collect::<Result<Vec<_>>>()?;
            self.sink.write(routed.into_iter().flatten(), self.ledger.consumed())?;
        }
        let files = self.sink.finish(self.ledger.consumed(), runtime)?;
        let quarantine = self.quarantine.finish()?;
        let (splits, findings) = self.ledger.close()?;
        Ok(Done { splits, files, quarantine, findings })
    }
}

/// Bytes of the task's text; `None` where that takes reading it. A name that
/// lies about compression makes files uneven, nothing else.
fn total_text_bytes(plan: &Plan, task: &Task) -> Option<u64> {
    let sizes = task.splits.iter().map(|split| {
        let input = &plan.inputs[split.input];
        let packed = [".gz", ".zst", ".bz2", ".xz"].iter().any(|ending| input.url.ends_with(ending));
        match split.range {
            Some(range) => Some(range.end - range.start),
            None => input.bytes.filter(|_| !packed),
        }
    });
    sizes.sum()
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
    let output = &plan.job.output;
    let names = match &plan.single_file {
        Some(name) => FileNames::Single(name.clone()),
        None => FileNames::Parts {
            layout: plan.job.output.layout,
            task: task.number,
            attempt: plan.attempt.clone(),
            max_key_bytes: max_key_bytes(&plan.job),
        },
    };
    // A single file was asked for by name; of a table, the first task gives the
    // columns, and directories of keys have no file that stands for all.
    let write_schema =
        output.empty == EmptyOutput::WriteSchema && task.number == 0 && output.partition_by.is_empty();
    let no_rows = match plan.single_file.is_some() || write_schema {
        true => NoRows::WriteSchema,
        false => NoRows::WriteNothing,
    };
    let metadata = run_metadata(&plan.job, &plan.job_key, &plan.engine, &plan.inputs);
    TableWriter::new(columns.shape.clone().with_metadata(metadata), cut_limits(plan), names, no_rows, tee)
}

fn cut_limits(plan: &Plan) -> CutLimits {
    let (output, engine) = (&plan.job.output, &plan.job.engine);
    CutLimits {
        max_row_group_rows: output.max_row_group_rows,
        max_row_group_bytes: output.max_row_group_bytes,
        target_file_bytes: if plan.single_file.is_some() { u64::MAX } else { output.target_file_bytes },
        open_files_bytes: engine.open_files_bytes,
        part_bytes: engine.part_bytes as u64,
        max_open_files: engine.max_open_files,
    }
}
