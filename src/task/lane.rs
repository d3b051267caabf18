//! The stages of a task, in order:
//! source → split → parse → rows → transform → partition → encode → store.
//!
//! A reader thread hands out blocks of whole records in order
//! ([`crate::split::read`]). The compute pool works in *waves* of
//! [`WAVE_BLOCKS`] blocks: while it encodes the rows of one wave
//! ([`TableWriter`]), it parses the next into record batches. Blocks keep their
//! order within and across waves, and a wave is a fixed number of blocks, so
//! what is written does not depend on the number of threads.
//!
//! [`super::parser`] is what happens to one block, [`super::ledger`] what happens to its counts,
//! [`super::quarantine`] what happens to the records that were rejected.
//!
//! Memory: at most [`READ_AHEAD_BLOCKS`] blocks wait, fewer if they are large; one wave is being
//! parsed, one is being encoded; encoded pages and parts are bounded by
//! `engine.open_files_bytes` and `engine.upload_bytes_in_flight`. The [budget](crate::runtime::Budget)
//! counts all of it.

use super::comparison::Comparison;
use super::ledger::Ledger;
use super::parser::{ParsedBlock, Parser};
use super::quarantine::Quarantine;
use super::sink::Sink;
use crate::columns::{BoundInput, Columns, check_tasks};
use crate::documents::{FileReport, Findings, Input, Plan, SplitAccount, Task};
use crate::encode::{Consumed, CutLimits, FileNames, NoRows, TableWriter, max_key_bytes, run_metadata};
use crate::error::Result;
use crate::order::SpillDirectory;
use crate::profile::settings;
use crate::rows::BatchBuilder;
use crate::runtime::{Cancel, Runtime};
use crate::source::TextStream;
use crate::spec::{EmptyOutput, Profile};
use crate::split::read::{BLOCK_BYTES, SplitReader, TextBlock};
use crate::split::start::InputStart;
use crate::store::tee::TeeFactory;
use crossbeam_channel::Receiver;
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Blocks parsed, then encoded, together. Part of what determines the bytes
/// written: changing it moves row-group cuts.
pub const WAVE_BLOCKS: usize = 16;

/// Blocks that may wait for the parsers.
pub const READ_AHEAD_BLOCKS: usize = 16;

/// What a task did.
#[derive(Debug)]
pub(super) struct LaneOutput {
    /// One for each split, in the task's order.
    pub splits: Vec<SplitAccount>,
    /// The staged files.
    pub files: Vec<FileReport>,
    /// The staged files of rejected records.
    pub quarantine: Vec<FileReport>,
    /// What was found wrong.
    pub findings: Findings,
}

/// Runs the stages for one task. On error, staged files are left to the caller.
pub(super) fn run(
    plan: &Plan,
    task: &Task,
    tee: &TeeFactory,
    runtime: &Runtime,
    first_text: Option<TextStream>,
) -> Result<LaneOutput> {
    let columns = Columns::of_plan(plan)?;
    check_tasks(plan.tasks.len(), &columns)?;
    let writer = table_writer(plan, task, &columns, tee)?;
    let spill_directory =
        SpillDirectory::new(plan.job.engine.spill_directory.as_deref(), runtime.cancel().clone());
    let (block_sender, blocks) = crossbeam_channel::bounded(READ_AHEAD_BLOCKS);
    let (spare_sender, spare) = crossbeam_channel::bounded(READ_AHEAD_BLOCKS + 2 * WAVE_BLOCKS);
    let parser = Parser::new(plan, task, &columns, spare_sender, runtime.budget());
    let stages = Stages {
        sink: Sink::new(writer, &columns.shape, &plan.job.engine, &spill_directory, runtime.budget())?,
        comparison: Comparison::new(
            columns.program.key_checks(),
            &plan.job.engine,
            &spill_directory,
            runtime.budget(),
        ),
        quarantine: Quarantine::new(plan, task, tee),
        ledger: Ledger::new(plan, task),
    };
    // Of many inputs that are like it, the first is told.
    let is_told = AtomicBool::new(plan.job.schema.is_none());
    let bind = |input: &Input, start: &InputStart| {
        let tell = |bound: &BoundInput| {
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
) -> Result<LaneOutput> {
    let total_text_bytes = total_text_bytes(plan, task);
    let mut parsed: Vec<ParsedBlock> = Vec::new();
    loop {
        runtime.cancel().check()?;
        let wave = next_wave(&blocks);
        let consumed = Consumed { total_text_bytes, ..stages.ledger.consumed() };
        let (rows, leases): (Vec<_>, Vec<_>) =
            std::mem::take(&mut parsed).into_iter().map(|block| (block.rows, block.lease)).unzip();
        let (sink, rows) = (&mut stages.sink, rows.into_iter().flatten());
        let (written, next) =
            runtime.pool().install(|| rayon::join(|| sink.write(rows, consumed), || parser.parse_wave(wave)));
        drop(leases);
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
        settings::size_notes(done.files.iter().map(|file| (&file.partition, file.bytes)))
            .iter()
            .for_each(|note| tracing::info!("{note}"));
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
    fn finish(mut self, parser: &Parser<'_>, runtime: &Runtime) -> Result<LaneOutput> {
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
        Ok(LaneOutput { splits, files, quarantine, findings })
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
        let Ok(mut block) = blocks.recv() else { break };
        if let Ok(block) = &mut block {
            // The wave waits for its next block: the reader must not wait for the wave.
            block.lease.make_room();
            bytes += block.block.bytes.len();
        }
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
            layout: output.layout,
            task: task.number,
            attempt: plan.attempt.clone(),
            max_key_bytes: max_key_bytes(&plan.job.targets),
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
    let metadata = run_metadata(&plan.job.name, &plan.job_key, &plan.engine, &plan.inputs, &output.metadata);
    let shape = columns.shape.clone().with_metadata(metadata);
    let partitions = columns.partitioner.partitions().clone();
    TableWriter::new(shape, cut_limits(plan), names, no_rows, tee, partitions)
}

pub(super) fn cut_limits(plan: &Plan) -> CutLimits {
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
