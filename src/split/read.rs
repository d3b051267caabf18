//! The sequential stage: splits, in order → blocks of whole records, with the
//! header of their input found and bound.
//!
//! Runs on a thread of its own and blocks on a bounded channel, so it is never
//! more than the channel's capacity ahead of the parsers.

use super::blocks::{Block, BlockCutter, CutError};
use crate::error::{Error, InputProblem, Location, Result};
use crate::job::EmptyInput;
use crate::parse::{Dialect, RecordIndex, ScanError, ScanProblem, Scanner, field_value};
use crate::plan::{Plan, Split};
use crate::runtime::{Cancel, Runtime};
use crate::source::{self, Input, TextStream};
use crossbeam_channel::{Receiver, Sender};
use std::sync::atomic::Ordering;

/// Bytes of a block: small enough for its index to stay in the L2 cache, large
/// enough that handing it over costs nothing beside parsing it.
pub const BLOCK_BYTES: usize = 512 << 10;

/// A block on its way to the parsers.
#[derive(Debug)]
pub struct TextBlock<B> {
    /// Position of the split in its task.
    pub split: usize,
    /// The records.
    pub block: Block,
    /// Records at the start of the block that are no data: skipped ones and the header.
    pub preamble: usize,
    /// What the header was bound to.
    pub binding: B,
}

/// What turns a header (`None`: the dialect has none) into what the parsers need.
pub type Bind<'a, B> = dyn Fn(Option<&[String]>) -> Result<B, InputProblem> + 'a;

/// Reads the splits of one task.
#[derive(Debug)]
pub struct SplitReader<'a> {
    plan: &'a Plan,
    runtime: &'a Runtime,
    /// Ends what this reader waits for.
    cancel: Cancel,
    scanner: Scanner,
    /// Buffers that the parsers are done with.
    spare: Receiver<Vec<u8>>,
}

impl<'a> SplitReader<'a> {
    /// `cancel` ends it, wherever it waits; `spare` brings back the buffers of blocks.
    pub fn new(plan: &'a Plan, runtime: &'a Runtime, cancel: Cancel, spare: Receiver<Vec<u8>>) -> Self {
        SplitReader { plan, runtime, cancel, scanner: Scanner::new(&plan.dialect), spare }
    }

    /// Sends every block of `splits`, in order; an error is the last thing
    /// sent. Ends early when nobody listens any more.
    pub fn run<B: Clone>(
        &self,
        splits: &[Split],
        mut first_text: Option<TextStream>,
        bind: &Bind<'_, B>,
        blocks: &Sender<Result<TextBlock<B>>>,
    ) {
        for (position, split) in splits.iter().enumerate() {
            match self.read_split(position, split, first_text.take(), bind, blocks) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    // Nobody listens: the other side has an error of its own.
                    let _ = blocks.send(Err(error));
                    return;
                }
            }
        }
    }

    /// Whether anybody still listens.
    fn read_split<B: Clone>(
        &self,
        position: usize,
        split: &Split,
        text: Option<TextStream>,
        bind: &Bind<'_, B>,
        blocks: &Sender<Result<TextBlock<B>>>,
    ) -> Result<bool> {
        let input = &self.plan.inputs[split.input];
        let dialect = &self.plan.dialect;
        let located = |problem| Error::input(problem, Location::object(&input.url));
        let mut text = match text {
            Some(text) => text,
            None => self.open(input, split.range.map(|range| range.start..range.end))?,
        };
        let mut preamble = Preamble::new(dialect.skip_records, dialect.header);
        let mut binding = None;
        let mut cutter = BlockCutter::new(dialect, BLOCK_BYTES);
        if let Some(range) = split.range
            && range.start > 0
        {
            cutter = BlockCutter::resume(
                dialect,
                BLOCK_BYTES,
                range.start,
                range.lines_before,
                range.records_before,
            );
            let header = if dialect.header { Some(self.read_header(input)?) } else { None };
            binding = Some(bind(header.as_deref()).map_err(|problem| header_error(problem, input))?);
            preamble.pending = 0;
        }
        let mut cut = Vec::new();
        let mut deliver = |cut: &mut Vec<Block>, binding: &mut Option<B>| -> Result<bool> {
            for block in cut.drain(..) {
                let skipped = preamble.advance(&self.scanner, &block, dialect, input)?;
                if binding.is_none() && preamble.pending == 0 {
                    let header = preamble.header.as_deref();
                    *binding = Some(bind(header).map_err(|problem| header_error(problem, input))?);
                }
                let Some(binding) = binding.clone() else { continue };
                let item = TextBlock { split: position, block, preamble: skipped, binding };
                if blocks.send(Ok(item)).is_err() {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        let mut spare = || self.spare.try_recv().unwrap_or_default();
        let mut stored_before = 0;
        while let Some(bytes) = text.next()? {
            self.cancel.check()?;
            let outcome = cutter.push(bytes, &mut spare, &mut cut);
            // Blocks that were complete before the error come first: an error
            // in them is earlier in the input.
            if !deliver(&mut cut, &mut binding)? {
                return Ok(false);
            }
            outcome.map_err(|error| cut_error(error, dialect, &input.url))?;
            let stored = text.stored_bytes_read();
            self.runtime.progress().read_bytes.fetch_add(stored - stored_before, Ordering::Relaxed);
            stored_before = stored;
        }
        let empty = text.decoded_bytes() == 0;
        if empty && self.plan.job.source.empty_input == EmptyInput::Fail {
            return Err(located(InputProblem::EmptyFile).remedy(EMPTY_REMEDY));
        }
        let outcome = cutter.finish(&mut spare, &mut cut);
        if empty {
            return Ok(true);
        }
        let listening = deliver(&mut cut, &mut binding)?;
        outcome.map_err(|error| cut_error(error, dialect, &input.url))?;
        if binding.is_none() {
            return Err(located(InputProblem::NoHeader)
                .remedy("check `dialect.skipRecords` (--skip-records) against the file"));
        }
        Ok(listening)
    }

    /// The header of an input, read from its start.
    pub fn read_header(&self, input: &Input) -> Result<Vec<String>> {
        let dialect = &self.plan.dialect;
        let mut text = self.open(input, None)?;
        let mut preamble = Preamble::new(dialect.skip_records, true);
        let mut cutter = BlockCutter::new(dialect, BLOCK_BYTES);
        let mut cut = Vec::new();
        let mut spare = Vec::new;
        loop {
            let bytes = text.next()?;
            let last = bytes.is_none();
            let outcome = match bytes {
                Some(bytes) => cutter.push(bytes, &mut spare, &mut cut),
                None => {
                    let cutter = std::mem::replace(&mut cutter, BlockCutter::new(dialect, BLOCK_BYTES));
                    cutter.finish(&mut spare, &mut cut)
                }
            };
            for block in cut.drain(..) {
                preamble.advance(&self.scanner, &block, dialect, input)?;
                if let Some(header) = preamble.header.take() {
                    return Ok(header);
                }
            }
            outcome.map_err(|error| cut_error(error, dialect, &input.url))?;
            if last {
                let problem =
                    if text.decoded_bytes() == 0 { InputProblem::EmptyFile } else { InputProblem::NoHeader };
                return Err(Error::input(problem, Location::object(&input.url)));
            }
        }
    }

    fn open(&self, input: &Input, range: Option<std::ops::Range<u64>>) -> Result<TextStream> {
        let job = &self.plan.job;
        let decoding = source::Decoding::strict(self.plan.encoding.as_deref());
        source::open(input, &job.source, &job.engine, decoding, range, self.runtime, &self.cancel)
    }
}

/// What to do about an input without records.
pub const EMPTY_REMEDY: &str = "if an input without records is right, say `source.empty_input = \"allow\"` (--allow-empty); else look at what delivers it";

/// Counts down the records before the data, and keeps the header.
#[derive(Debug)]
struct Preamble {
    /// Records still to come, the header included.
    pending: u64,
    has_header: bool,
    header: Option<Vec<String>>,
    index: RecordIndex,
}

impl Preamble {
    fn new(skip_records: u64, has_header: bool) -> Self {
        let pending = skip_records + u64::from(has_header);
        Preamble { pending, has_header, header: None, index: RecordIndex::default() }
    }

    /// How many records of this block belong to the preamble.
    fn advance(
        &mut self,
        scanner: &Scanner,
        block: &Block,
        dialect: &Dialect,
        input: &Input,
    ) -> Result<usize> {
        if self.pending == 0 {
            return Ok(0);
        }
        scanner
            .scan(&block.bytes, &mut self.index)
            .map_err(|error| scan_error(&error, block, dialect, &input.url))?;
        let records = self.index.record_ends.len() as u64;
        let taken = records.min(self.pending);
        if self.has_header && taken == self.pending {
            let fields = self.index.record(taken as usize - 1);
            let mut scratch = Vec::new();
            let names = fields.iter().map(|span| {
                let value = field_value(dialect, &block.bytes, span, &mut scratch);
                String::from_utf8_lossy(value).into_owned()
            });
            self.header = Some(names.collect());
        }
        self.pending -= taken;
        Ok(taken as usize)
    }
}

/// The number of the data record after `records_before` records; `None` if
/// that is none, but a skipped record or the header.
pub fn data_record(records_before: u64, dialect: &Dialect) -> Option<u64> {
    let preamble = dialect.skip_records + u64::from(dialect.header);
    (records_before + 1).checked_sub(preamble).filter(|&number| number > 0)
}

/// A header that does not fit, with what to do about it.
pub fn header_error(problem: InputProblem, input: &Input) -> Error {
    let location = Location::object(&input.url);
    let remedy = match problem {
        InputProblem::ExtraColumns { .. } => {
            "add the columns to the schema, or leave them out with `source.extra_columns = \"ignore\"` (--ignore-extra-columns)"
        }
        InputProblem::MissingColumns { .. } => {
            "mend the schema or the input; let columns that are not required be null with `source.missing_columns = \"null\"` (--null-missing-columns); is `dialect.delimiter` (--delimiter) right, and `dialect.header`?"
        }
        InputProblem::DuplicateColumn { .. } => {
            "mend the header, or read the first with `source.duplicate_columns = \"first\"` (--first-duplicate-columns)"
        }
        InputProblem::ReorderedColumns { .. } => {
            "mend the input or the schema, or allow it with `source.column_order = \"any\"`"
        }
        _ => "mend the header, or match by position with `source.match_columns = \"position\"`",
    };
    Error::input(problem, location).remedy(remedy)
}

/// An error of the scanner, with its absolute place.
pub fn scan_error(error: &ScanError, block: &Block, dialect: &Dialect, url: &str) -> Error {
    let location = Location {
        url: url.to_owned(),
        byte_offset: Some(block.byte_offset + error.offset as u64),
        line: Some(block.lines_before + error.line as u64 + 1),
        record: data_record(block.records_before + error.record as u64, dialect),
        column: None,
    };
    grammar_error(error.problem, location, dialect)
}

/// An error of the block cutter, with its absolute place.
pub fn cut_error(error: CutError, dialect: &Dialect, url: &str) -> Error {
    let location = Location {
        url: url.to_owned(),
        byte_offset: Some(error.byte_offset),
        line: Some(error.lines_before + 1),
        record: data_record(error.records_before, dialect),
        column: None,
    };
    grammar_error(error.problem, location, dialect)
}

fn grammar_error(problem: ScanProblem, location: Location, dialect: &Dialect) -> Error {
    let (problem, remedy) = match problem {
        ScanProblem::UnterminatedQuote => (
            InputProblem::UnterminatedQuote,
            "the file may be cut off; if its quotes mean nothing, say `dialect.quoteChar = \"\"` (--no-quote)",
        ),
        ScanProblem::QuoteInBareField => (
            InputProblem::StrayQuote { what: "inside a field that does not begin with one" },
            "keep such quotes as text with `dialect.strayQuotes = \"keep\"` (--keep-stray-quotes), or switch quoting off (--no-quote)",
        ),
        ScanProblem::TextAfterQuote => (
            InputProblem::StrayQuote { what: "text follows the closing quote" },
            "keep such text with `dialect.strayQuotes = \"keep\"` (--keep-stray-quotes); is `dialect.escapeChar` (--escape) missing?",
        ),
        ScanProblem::FieldTooLarge => (
            InputProblem::FieldTooLarge { limit: dialect.max_field_bytes },
            "raise `dialect.maxFieldBytes`; or is a closing quote missing here?",
        ),
        ScanProblem::RecordTooLarge => (
            InputProblem::RecordTooLarge { limit: dialect.max_record_bytes },
            "raise `dialect.maxRecordBytes`; or is `dialect.lineTerminator` another one?",
        ),
    };
    Error::input(problem, location).remedy(remedy)
}
