//! The sequential stage: splits, in order → blocks of whole records, with the
//! header of their input found and bound.
//!
//! Runs on a thread of its own and blocks on a bounded channel, so it is never
//! more than the channel's capacity ahead of the parsers, nor than [`READ_AHEAD_BYTES`].

use super::blocks::{Block, BlockCutter};
use super::footer::{FooterHold, check_empty, check_footer};
use super::header::FirstRecord;
use super::not_data::Tiles;
use super::preamble::Preamble;
use super::problems::{cut_error, tell_of_unclosed};
use super::start::StartScan;
use crate::documents::{Input, Plan, Split};
use crate::error::count::{agree, count};
use crate::error::{Error, InputProblem, Location, Result};
use crate::parse::{RecordIndex, Scanner, SeparatorLine};
use crate::runtime::{Cancel, Holder, Lease, Limit, Runtime};
use crate::source::{self, Access, Decoding, ReadAhead, TextStream};
use crate::spec::EmptyInput;
use crate::split::place::{EMPTY_REMEDY, header_error, no_header};
use crossbeam_channel::{Receiver, Sender};
use std::sync::atomic::Ordering;

/// Bytes of a block: small enough for its index to stay in the L2 cache, large
/// enough that handing it over costs nothing beside parsing it.
pub const BLOCK_BYTES: usize = 512 << 10;

/// Bytes of blocks that may wait for the parsers, or one block: twice what the channel holds of
/// common blocks, so that only large records are waited for here.
const READ_AHEAD_BYTES: u64 = 32 * BLOCK_BYTES as u64;

/// A block on its way to the parsers.
#[derive(Debug)]
pub struct TextBlock<B> {
    /// Position of the split in its task.
    pub split: usize,
    /// The records.
    pub block: Block,
    /// Records at the start of the block that are not data: skipped ones and the header.
    pub preamble: usize,
    /// Records at the end of the block that are not data: none but in the last
    /// block of an input.
    pub footer: usize,
    /// What stands before this block in blocks that were not sent, since they
    /// hold nothing but preamble.
    pub before: Tiles,
    /// What the header was bound to.
    pub binding: B,
    /// Counts its bytes.
    pub lease: Lease,
}

/// What turns the start of an input into what the parsers need.
pub type Bind<'a, B> = dyn Fn(&Input, &InputStart) -> Result<B, InputProblem> + 'a;

/// What the records at the start of an input say of all that follow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputStart {
    /// The names in the header as they stand; `None` if the dialect has none, or the input no byte.
    pub header: Option<Vec<String>>,
    /// `None` without a clean data record in the block where the data begins.
    pub first: Option<FirstRecord>,
}

/// Reads the splits of one task.
#[derive(Debug)]
pub struct SplitReader<'a> {
    plan: &'a Plan,
    access: Access,
    runtime: &'a Runtime,
    /// Ends what this reader waits for.
    cancel: Cancel,
    scanner: Scanner,
    /// See [`ErrorsSpec::tolerates_bad_records`](crate::spec::ErrorsSpec::tolerates_bad_records).
    tolerant: bool,
    /// For blocks that wait.
    room: Limit,
    /// Buffers that the parsers are done with.
    spare: Receiver<Vec<u8>>,
}

impl<'a> SplitReader<'a> {
    /// `cancel` ends it, wherever it waits; `spare` brings back the buffers of blocks.
    pub fn new(plan: &'a Plan, runtime: &'a Runtime, cancel: Cancel, spare: Receiver<Vec<u8>>) -> Self {
        let scanner = Scanner::new(&plan.dialect.grammar);
        let tolerant = plan.job.errors.tolerates_bad_records();
        let access = Access::of(&plan.job.source, &plan.job.engine);
        let room = runtime.budget().limit(Holder::Text, READ_AHEAD_BYTES);
        SplitReader { plan, access, runtime, cancel, scanner, tolerant, room, spare }
    }

    /// Sends every block of `splits`, in order; an error is the last thing
    /// sent. Ends early when the receiver is gone.
    pub fn run<B: Clone>(
        &self,
        splits: &[Split],
        mut first_text: Option<TextStream>,
        bind: &Bind<'_, B>,
        blocks: &Sender<Result<TextBlock<B>>>,
    ) {
        let mut ahead = ReadAhead::new(&self.access, self.runtime, self.cancel.clone());
        for (position, split) in splits.iter().enumerate() {
            let text = first_text.take().map_or_else(|| self.open_split(split, &mut ahead), Ok);
            let following = splits[position + 1..].iter().take_while(|split| split.range.is_none());
            ahead.expect(following.map(|split| &self.plan.inputs[split.input]));
            match text.and_then(|text| self.read_split(position, split, text, bind, blocks)) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    // The receiver is gone: the other side has an error of its own.
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
        mut text: TextStream,
        bind: &Bind<'_, B>,
        blocks: &Sender<Result<TextBlock<B>>>,
    ) -> Result<bool> {
        let input = &self.plan.inputs[split.input];
        let dialect = &self.plan.dialect;
        tracing::debug!(url = input.url, bytes = input.bytes, "reading");
        let mut cutter = BlockCutter::new(dialect, BLOCK_BYTES);
        let mut delivery = Delivery {
            reader: self,
            position,
            input,
            preamble: Preamble::new(dialect),
            start: InputStart::default(),
            binding: None,
            before: Tiles::default(),
            hold: FooterHold::new(dialect, &input.url),
            index: RecordIndex::default(),
            bind,
            blocks,
        };
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
            delivery.start = self.read_start(input)?;
            let bound = bind(input, &delivery.start);
            delivery.binding = Some(bound.map_err(|problem| header_error(problem, input))?);
            delivery.preamble = Preamble::passed(dialect);
        }
        let mut cutter = cutter.tolerant(self.tolerant);
        let mut cut = Vec::new();
        let mut spare = || self.spare.try_recv().unwrap_or_default();
        let mut stored_before = 0;
        while let Some(bytes) = text.next()? {
            self.cancel.check()?;
            let outcome = cutter.push(bytes, &mut spare, &mut cut);
            if let Some(line) = cutter.take_separator_line() {
                self.tell_of_separator(&line, input);
                let keep_text = self.plan.job.errors.quarantine_values;
                delivery.before.add(&Tiles::of_separator_line(&line, keep_text));
            }
            // Blocks that were complete before the error come first: an error
            // in them is earlier in the input.
            if !delivery.deliver(&mut cut, outcome.is_err())? {
                return Ok(false);
            }
            let header = delivery.start.header.as_deref();
            outcome.map_err(|error| cut_error(error, dialect, &input.url, header))?;
            let stored = text.stored_bytes_read();
            self.runtime.progress().read_bytes.fetch_add(stored - stored_before, Ordering::Relaxed);
            stored_before = stored;
        }
        if text.replaced_bytes() > 0 {
            let (bytes, url) = (text.replaced_bytes(), &input.url);
            tracing::warn!(
                "{url}: {} {} replaced by U+FFFD",
                count(bytes, "byte"),
                agree(bytes, "was", "were")
            );
        }
        if text.decoded_bytes() == 0 {
            self.check_empty(input)?;
            return Ok(true);
        }
        let outcome = cutter.finish(&mut spare, &mut cut);
        let listening = delivery.deliver(&mut cut, outcome.is_err())?;
        let header = delivery.start.header.as_deref();
        outcome.map_err(|error| cut_error(error, dialect, &input.url, header))?;
        if delivery.binding.is_none() {
            return Err(no_header(input));
        }
        Ok(listening)
    }

    /// A delimiter that was given stays; where nothing was sampled, nothing else says so.
    fn tell_of_separator(&self, line: &SeparatorLine, input: &Input) {
        let job = &self.plan.job;
        let nothing_open = job.schema.is_some() && job.dialect.line_terminator.is_some();
        let given = self.plan.dialect.grammar.delimiter;
        if nothing_open && job.dialect.delimiter.is_some() && given.as_str() != line.delimiter {
            let (url, text) = (&input.url, line.text());
            tracing::warn!(
                "{url} begins with {text:?}, but the delimiter {:?} is given, and taken",
                given.as_str()
            );
        }
    }

    /// Whether an input without a byte is right.
    fn check_empty(&self, input: &Input) -> Result<()> {
        if self.plan.job.source.empty_input == EmptyInput::Fail {
            let location = Location::object(&input.url);
            return Err(Error::input(InputProblem::EmptyFile, location).remedy(EMPTY_REMEDY));
        }
        check_empty(&self.plan.dialect.framing, &input.url)
    }

    /// The header of an input and the shape of its first data record, read from its start; there
    /// is neither if the input is empty and may be.
    pub fn read_start(&self, input: &Input) -> Result<InputStart> {
        let dialect = &self.plan.dialect;
        let mut text = self.open(input, None)?;
        let mut preamble = Preamble::new(dialect);
        let mut index = RecordIndex::default();
        let mut cutter = Some(BlockCutter::new(dialect, BLOCK_BYTES).tolerant(self.tolerant));
        let mut cut = Vec::new();
        let mut spare = Vec::new;
        let mut start = InputStart::default();
        while let Some(mut cutting) = cutter.take() {
            self.cancel.check()?;
            let outcome = match text.next()? {
                Some(bytes) => {
                    let pushed = cutting.push(bytes, &mut spare, &mut cut);
                    cutter = Some(cutting);
                    pushed
                }
                None => cutting.finish(&mut spare, &mut cut),
            };
            for block in cut.drain(..) {
                let advance = self.start_of(input).advance(&mut preamble, &block, &mut index)?;
                start.header = advance.header.or(start.header.take());
                if advance.has_data {
                    start.first = advance.first;
                    return Ok(start);
                }
            }
            if preamble.is_over() && outcome.is_err() {
                // What is wrong with the data is the parser's to say.
                return Ok(start);
            }
            outcome.map_err(|error| cut_error(error, dialect, &input.url, None))?;
        }
        if text.decoded_bytes() == 0 {
            self.check_empty(input)?;
        } else if !preamble.is_over() {
            return Err(no_header(input));
        }
        Ok(start)
    }

    fn start_of<'b>(&'b self, input: &'b Input) -> StartScan<'b> {
        StartScan { scanner: &self.scanner, dialect: &self.plan.dialect, url: &input.url }
    }

    fn open_split(&self, split: &Split, ahead: &mut ReadAhead<'_>) -> Result<TextStream> {
        let input = &self.plan.inputs[split.input];
        match split.range {
            None => ahead.open(input, self.decoding()),
            Some(range) => self.open(input, Some(range.start..range.end)),
        }
    }

    fn open(&self, input: &Input, range: Option<std::ops::Range<u64>>) -> Result<TextStream> {
        source::open(input, &self.access, self.decoding(), range, self.runtime, &self.cancel)
    }

    fn decoding(&self) -> Decoding {
        Decoding::of(self.plan.encoding.as_ref(), self.plan.dialect.invalid_bytes)
    }
}

/// The blocks of one split on their way out.
struct Delivery<'a, B> {
    reader: &'a SplitReader<'a>,
    /// Position of the split in its task.
    position: usize,
    input: &'a Input,
    preamble: Preamble<'a>,
    start: InputStart,
    /// There as soon as the preamble is over and data has come.
    binding: Option<B>,
    /// Of blocks that were not sent.
    before: Tiles,
    hold: FooterHold<'a>,
    index: RecordIndex,
    bind: &'a Bind<'a, B>,
    blocks: &'a Sender<Result<TextBlock<B>>>,
}

impl<B: Clone> Delivery<'_, B> {
    /// Sends the blocks that were cut, but for those that may hold footer
    /// records; those too if the input `failed`. Whether anybody still listens.
    fn deliver(&mut self, cut: &mut Vec<Block>, failed: bool) -> Result<bool> {
        let mut ready = Vec::with_capacity(cut.len());
        let held = cut.drain(..).try_for_each(|block| self.hold.push(block, &mut ready));
        if failed {
            self.hold.release(&mut ready);
        }
        for block in ready {
            if let Some(block) = self.dress(block)?
                && self.blocks.send(Ok(block)).is_err()
            {
                return Ok(false);
            }
        }
        held.map(|()| true)
    }

    /// Adds to a block what the parsers have to know; `None` if it holds
    /// no data and more is to come.
    fn dress(&mut self, block: Block) -> Result<Option<TextBlock<B>>> {
        let SplitReader { plan, runtime, room, cancel, .. } = self.reader;
        let (dialect, url) = (&plan.dialect, &self.input.url);
        let mut preamble = 0;
        if self.binding.is_none() {
            let advance =
                self.reader.start_of(self.input).advance(&mut self.preamble, &block, &mut self.index)?;
            preamble = advance.preamble;
            self.start.header = advance.header.or(self.start.header.take());
            if self.preamble.is_over() && (advance.has_data || block.last) {
                self.start.first = advance.first;
                let bound = (self.bind)(self.input, &self.start);
                self.binding = Some(bound.map_err(|problem| header_error(problem, self.input))?);
            }
        }
        let Some(binding) = self.binding.clone() else {
            let keep_text = plan.job.errors.quarantine_values;
            self.before.add(&Tiles::of(dialect, &block, &self.index, (preamble, 0), keep_text));
            return Ok(None);
        };
        if let Some(unclosed) = &block.unclosed {
            tell_of_unclosed(unclosed, url);
        }
        let footer = if block.last { check_footer(dialect, &block, preamble, url)? } else { 0 };
        let before = std::mem::take(&mut self.before);
        let lease = runtime.block_on(room.lease(block.bytes.len() as u64, cancel))?;
        Ok(Some(TextBlock { split: self.position, block, preamble, footer, before, binding, lease }))
    }
}
