//! The sequential stage: splits, in order → blocks of whole records, with the
//! header of their input found and bound.
//!
//! Runs on a thread of its own and blocks on a bounded channel, so it is never
//! more than the channel's capacity ahead of the parsers, nor than [`READ_AHEAD_BYTES`].

use super::blocks::Block;
use super::footer::{check_empty, check_footer};
use super::not_data::Tiles;
use super::problems::tell_of_unclosed;
use super::start::InputStart;
use super::stream::{BlockStream, Edges, FramedBlock, InputText};
use crate::documents::{Input, Plan, Split};
use crate::error::count::{agree, count};
use crate::error::{Error, InputProblem, Location, Result};
use crate::parse::SeparatorLine;
use crate::runtime::{Cancel, Holder, Lease, Limit, Runtime};
use crate::source::{self, Access, Decoding, ReadAhead, TextStream};
use crate::spec::EmptyInput;
use crate::split::place::{EMPTY_REMEDY, header_error, no_header};
use crossbeam_channel::{Receiver, Sender};

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

/// Reads the splits of one task.
#[derive(Debug)]
pub struct SplitReader<'a> {
    plan: &'a Plan,
    access: Access,
    runtime: &'a Runtime,
    /// Ends what this reader waits for.
    cancel: Cancel,
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
        let tolerant = plan.job.errors.tolerates_bad_records();
        let access = Access::of(&plan.job.source, &plan.job.engine);
        let room = runtime.budget().limit(Holder::Text, READ_AHEAD_BYTES);
        SplitReader { plan, access, runtime, cancel, tolerant, room, spare }
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
        text: TextStream,
        bind: &Bind<'_, B>,
        blocks: &Sender<Result<TextBlock<B>>>,
    ) -> Result<bool> {
        let input = &self.plan.inputs[split.input];
        let dialect = &self.plan.dialect;
        tracing::debug!(url = input.url, bytes = input.bytes, "reading");
        let text = InputText::new(text, &self.cancel).counted(self.runtime.progress());
        let spare = || self.spare.try_recv().unwrap_or_default();
        let mut binding = None;
        let stream = match split.range.filter(|range| range.start > 0) {
            None => BlockStream::new(text, dialect, &input.url, BLOCK_BYTES, Edges::Both),
            Some(range) => {
                let start = self.read_start(input)?;
                binding = Some(bind(input, &start).map_err(|problem| header_error(problem, input))?);
                BlockStream::resume(text, dialect, &input.url, BLOCK_BYTES, range, start)
            }
        };
        let mut stream = stream.tolerant(self.tolerant).with_spare(&spare);
        let listening = self.send(position, &mut stream, input, &mut binding, bind, blocks)?;
        if stream.is_empty() {
            self.check_empty(input)?;
        } else if binding.is_none() {
            return Err(no_header(input));
        }
        Ok(listening)
    }

    /// Sends what the parsers have to know of the blocks of a stream. Whether anybody still listens.
    fn send<B: Clone>(
        &self,
        split: usize,
        stream: &mut BlockStream<'_, InputText<'_>>,
        input: &Input,
        binding: &mut Option<B>,
        bind: &Bind<'_, B>,
        blocks: &Sender<Result<TextBlock<B>>>,
    ) -> Result<bool> {
        let (dialect, keep_text) = (&self.plan.dialect, self.plan.job.errors.quarantine_values);
        let (mut before, mut has_ended) = (Tiles::default(), false);
        loop {
            let next = stream.next();
            if !has_ended && stream.text().has_ended() {
                has_ended = true;
                tell_of_replaced(stream.text().stream().replaced_bytes(), &input.url);
            }
            if let Some(line) = stream.take_separator_line() {
                self.tell_of_separator(&line, input);
                before.add(&Tiles::of_separator_line(&line, keep_text));
            }
            let Some(framed) = next.transpose()? else { return Ok(true) };
            let FramedBlock { block, preamble, footer, has_data } = &framed;
            if binding.is_none() && stream.is_past_preamble() && (*has_data || block.last) {
                let bound = bind(input, stream.start());
                *binding = Some(bound.map_err(|problem| header_error(problem, input))?);
            }
            let Some(binding) = binding.clone() else {
                before.add(&Tiles::of_preamble(dialect, block, keep_text));
                continue;
            };
            if let Some(unclosed) = &block.unclosed {
                tell_of_unclosed(unclosed, &input.url);
            }
            check_footer(dialect, &framed, &input.url)?;
            let room = self.room.lease(block.bytes.len() as u64, &self.cancel);
            let lease = self.runtime.block_on(room)?;
            let (preamble, footer, before) = (*preamble, *footer, std::mem::take(&mut before));
            let block = framed.block;
            let block = TextBlock { split, block, preamble, footer, before, binding, lease };
            if blocks.send(Ok(block)).is_err() {
                return Ok(false);
            }
        }
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
        let text = InputText::new(self.open(input, None)?, &self.cancel);
        let stream = BlockStream::new(text, &self.plan.dialect, &input.url, BLOCK_BYTES, Edges::Start);
        let mut stream = stream.tolerant(self.tolerant);
        loop {
            match stream.next() {
                Some(Ok(framed)) if framed.has_data => break,
                Some(Ok(_)) => {}
                // What is wrong with the data is the parser's to say.
                Some(Err(_)) if stream.has_failed() && stream.is_past_preamble() => break,
                Some(Err(error)) => return Err(error),
                None if stream.is_empty() => {
                    self.check_empty(input)?;
                    break;
                }
                None if stream.is_past_preamble() => break,
                None => return Err(no_header(input)),
            }
        }
        Ok(stream.into_start())
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

fn tell_of_replaced(bytes: u64, url: &str) {
    if bytes > 0 {
        tracing::warn!("{url}: {} {} replaced by U+FFFD", count(bytes, "byte"), agree(bytes, "was", "were"));
    }
}
