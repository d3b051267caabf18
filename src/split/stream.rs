//! The text of one input → blocks of whole records, in order, each with what of it is not data.
//!
//! Input: [`Text`] in pieces of any size. Output: [`FramedBlock`]s, pulled one after the other.
//! What is wrong comes after all blocks before it, with its absolute place, and nothing
//! after it. It is the one loop around [`BlockCutter`]: of the reader of a task and its look at
//! the header, of range cutting, and of type inference.

use super::blocks::{Block, BlockCutter, CutError};
use super::footer::FooterHold;
use super::problems::cut_error;
use super::start::{InputStart, StartScan};
use crate::documents::SplitRange;
use crate::error::{Error, Result};
use crate::parse::SeparatorLine;
use crate::runtime::{Cancel, Progress};
use crate::source::TextStream;
use crate::spec::Dialect;
use std::sync::atomic::Ordering;

/// Decoded text, piece by piece.
pub trait Text {
    /// The next piece, `None` at the end. It may end within a character.
    fn next(&mut self) -> Result<Option<&[u8]>>;
}

/// Text that is in memory, as one piece.
impl Text for Option<&[u8]> {
    fn next(&mut self) -> Result<Option<&[u8]>> {
        Ok(self.take())
    }
}

/// The text of an input, which ends between two pieces if the run is cancelled.
pub struct InputText<'a> {
    text: TextStream,
    cancel: &'a Cancel,
    progress: Option<&'a Progress>,
    /// Stored bytes that progress knows of.
    told: u64,
    ended: bool,
}

impl<'a> InputText<'a> {
    /// Until `cancel`.
    pub fn new(text: TextStream, cancel: &'a Cancel) -> Self {
        InputText { text, cancel, progress: None, told: 0, ended: false }
    }

    /// Tells `progress` how many stored bytes are read.
    #[must_use]
    pub fn counted(self, progress: &'a Progress) -> Self {
        InputText { progress: Some(progress), ..self }
    }

    /// The stream that it comes from.
    pub fn stream(&self) -> &TextStream {
        &self.text
    }

    /// Whether all of it was given.
    pub fn has_ended(&self) -> bool {
        self.ended
    }
}

impl Text for InputText<'_> {
    fn next(&mut self) -> Result<Option<&[u8]>> {
        if let Some(progress) = self.progress {
            let read = self.text.stored_bytes_read();
            progress.read_bytes.fetch_add(read - self.told, Ordering::Relaxed);
            self.told = read;
        }
        let piece = self.text.next()?;
        self.cancel.check()?;
        self.ended = piece.is_none();
        Ok(piece)
    }
}

/// A run of whole records, and which of them are data.
#[derive(Debug)]
pub struct FramedBlock {
    /// The records.
    pub block: Block,
    /// Records at its start that are not data: skipped ones and the header.
    pub preamble: usize,
    /// Records at its end that are not data: none but in the last block of an input.
    pub footer: usize,
    /// Whether something follows the preamble.
    pub has_data: bool,
}

/// What is found out about blocks besides where they end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// Nothing: all records count as data.
    Unknown,
    /// Where the data begins.
    Start,
    /// Where it begins and ends: blocks wait while they may hold footer records.
    Both,
}

/// The blocks of one input, or of one range of it.
pub struct BlockStream<'a, T> {
    text: T,
    dialect: &'a Dialect,
    url: &'a str,
    /// Gives buffers to build blocks in.
    spare: &'a dyn Fn() -> Vec<u8>,
    /// `None` once no further block can be cut.
    cutter: Option<BlockCutter>,
    separator_line: Option<SeparatorLine>,
    hold: Option<FooterHold<'a>>,
    /// Blocks to give.
    ready: std::vec::IntoIter<Block>,
    /// What comes after them.
    failure: Option<Failure>,
    has_failed: bool,
    /// Until data is found.
    scan: Option<StartScan<'a>>,
    start: InputStart,
    is_empty: bool,
    is_whole: bool,
    /// Whether blocks that may hold a footer are given before an error that follows them.
    gives_held: bool,
}

/// Why no block follows.
enum Failure {
    Cut(CutError),
    Footer(Error),
}

impl<'a, T: Text> BlockStream<'a, T> {
    /// The blocks of the input at `url`, of about `block_bytes`.
    pub fn new(text: T, dialect: &'a Dialect, url: &'a str, block_bytes: usize, edges: Edges) -> Self {
        BlockStream {
            text,
            dialect,
            url,
            spare: &Vec::new,
            cutter: Some(BlockCutter::new(dialect, block_bytes)),
            separator_line: None,
            hold: (edges == Edges::Both).then(|| FooterHold::new(dialect, url)),
            ready: Vec::new().into_iter(),
            failure: None,
            has_failed: false,
            scan: (edges != Edges::Unknown).then(|| StartScan::new(dialect, url)),
            start: InputStart::default(),
            is_empty: true,
            is_whole: true,
            gives_held: true,
        }
    }

    /// Those of a range after the preamble, of an input that begins with `start`.
    pub fn resume(
        text: T,
        dialect: &'a Dialect,
        url: &'a str,
        block_bytes: usize,
        range: SplitRange,
        start: InputStart,
    ) -> Self {
        let SplitRange { start: byte_offset, lines_before, records_before, .. } = range;
        let cutter = BlockCutter::resume(dialect, block_bytes, byte_offset, lines_before, records_before);
        let stream = BlockStream::new(text, dialect, url, block_bytes, Edges::Both);
        BlockStream { cutter: Some(cutter), scan: None, start, ..stream }
    }

    /// Sets whether records that break the dialect are set aside, see [`BlockCutter::tolerant`].
    #[must_use]
    pub fn tolerant(self, tolerant: bool) -> Self {
        BlockStream { cutter: self.cutter.map(|cutter| cutter.tolerant(tolerant)), ..self }
    }

    /// Takes the buffers of blocks from `spare`.
    #[must_use]
    pub fn with_spare(self, spare: &'a dyn Fn() -> Vec<u8>) -> Self {
        BlockStream { spare, ..self }
    }

    /// For inference, which judges the names of all inputs at once, and takes for evidence only
    /// what is data for certain. Where the sample is not `whole`, its last record may be cut off,
    /// and no block has it.
    #[must_use]
    pub fn of_sample(self, whole: bool) -> Self {
        let scan = self.scan.map(StartScan::with_any_names);
        BlockStream { scan, is_whole: whole, gives_held: false, ..self }
    }

    /// Where the text comes from.
    pub fn text(&self) -> &T {
        &self.text
    }

    /// What the blocks so far say of all records.
    pub fn start(&self) -> &InputStart {
        &self.start
    }

    /// The same, for who needs no more blocks.
    pub fn into_start(self) -> InputStart {
        self.start
    }

    /// The line such as `sep=;` at the start of the input, once; it is in no block.
    pub fn take_separator_line(&mut self) -> Option<SeparatorLine> {
        self.separator_line.take()
    }

    /// Whether the text so far has no byte. Such an input has no block.
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Whether all records before the data were in the blocks so far.
    pub fn is_past_preamble(&self) -> bool {
        self.scan.as_ref().is_none_or(StartScan::is_past_preamble)
    }

    /// Whether the records themselves are why no block follows, not what the text comes from.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    fn pull(&mut self) -> Result<Option<FramedBlock>> {
        loop {
            if let Some(block) = self.ready.next() {
                return self.framed(block).map(Some);
            }
            match self.failure.take() {
                Some(Failure::Footer(error)) => return Err(error),
                Some(Failure::Cut(error)) => {
                    return Err(cut_error(error, self.dialect, self.url, self.start.header.as_deref()));
                }
                None => {}
            }
            let Some(cutter) = self.cutter.take() else { return Ok(None) };
            self.cut(cutter)?;
        }
    }

    /// Cuts the next piece of text.
    fn cut(&mut self, mut cutter: BlockCutter) -> Result<()> {
        let (mut blocks, mut spare) = (Vec::new(), self.spare);
        let outcome = match self.text.next()? {
            Some(bytes) => {
                self.is_empty &= bytes.is_empty();
                let pushed = cutter.push(bytes, &mut spare, &mut blocks);
                self.separator_line = cutter.take_separator_line().or(self.separator_line.take());
                self.cutter = Some(cutter);
                pushed
            }
            None if self.is_empty || !self.is_whole => return Ok(()),
            None => cutter.finish(&mut spare, &mut blocks),
        };
        self.failure = outcome.err().map(Failure::Cut);
        if let Some(hold) = &mut self.hold {
            let mut passed = Vec::with_capacity(blocks.len());
            let held = blocks.into_iter().try_for_each(|block| hold.push(block, &mut passed));
            if self.failure.is_some() && self.gives_held {
                hold.release(&mut passed);
            }
            // It is about blocks before the one that cannot be cut.
            self.failure = held.err().map(Failure::Footer).or(self.failure.take());
            blocks = passed;
        }
        self.ready = blocks.into_iter();
        if self.failure.is_some() {
            self.has_failed = true;
            self.cutter = None;
        }
        Ok(())
    }

    fn framed(&mut self, block: Block) -> Result<FramedBlock> {
        let (mut preamble, mut has_data) = (0, true);
        if let Some(scan) = &mut self.scan {
            let advance = scan.advance(&block)?;
            (preamble, has_data) = (advance.preamble, advance.has_data);
            self.start.header = advance.header.or(self.start.header.take());
            if has_data {
                self.start.first = advance.first;
                self.scan = None;
            }
        }
        let footer = self.hold.as_ref().map_or(0, |hold| hold.records_of(&block, preamble));
        Ok(FramedBlock { block, preamble, footer, has_data })
    }
}

impl<T: Text> Iterator for BlockStream<'_, T> {
    type Item = Result<FramedBlock>;

    fn next(&mut self) -> Option<Self::Item> {
        let pulled = self.pull().transpose();
        if let Some(Err(_)) = pulled {
            (self.cutter, self.failure, self.ready) = (None, None, Vec::new().into_iter());
        }
        pulled
    }
}

#[cfg(test)]
mod tests;
