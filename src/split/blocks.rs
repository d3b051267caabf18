//! The sequential pass that finds record boundaries.
//!
//! Input: the bytes of one decoded input, in pieces of any size. Output:
//! [`Block`]s of whole records with absolute places. It is the one pass that
//! cannot be shared among threads, so it looks only for quotes and terminators,
//! a `memchr` hop at a time ([`boundaries`]), and leaves fields and most errors
//! to the [`Scanner`] that gets the block.

mod boundaries;
mod unclosed;

use crate::parse::{
    Grammar, MAX_SEPARATOR_LINE_BYTES, Opening, RecordIndex, ScanError, ScanProblem, Scanner, SeparatorLine,
    Terminator,
};
use crate::spec::{Dialect, Framing};
use boundaries::State;
use unclosed::Overflow;

pub use unclosed::UnclosedQuote;

/// A run of whole records of one input.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Block {
    /// The records, terminators included; less than 4 GiB.
    pub bytes: Vec<u8>,
    /// Offset of `bytes[0]` in the decoded input.
    pub byte_offset: u64,
    /// Lines before `bytes[0]` in the decoded input.
    pub lines_before: u64,
    /// Records before `bytes[0]` in the decoded input: every record counts,
    /// header and skipped ones too; blank lines and comments do not.
    pub records_before: u64,
    /// Records in `bytes`, counted the same way.
    pub records: u64,
    /// Whether the input ends with this block.
    pub last: bool,
    /// Set if `bytes` hold one record, which ends inside quotes with the input:
    /// only of a [tolerant](BlockCutter::tolerant) cutter.
    pub unclosed: Option<UnclosedQuote>,
}

impl Block {
    /// Bytes of the input that it stands for.
    pub fn text_bytes(&self) -> u64 {
        self.bytes.len() as u64 + self.unclosed.map_or(0, |unclosed| unclosed.bytes_left_out())
    }
}

/// Cuts a stream of bytes into [`Block`]s. Sans-I/O: push bytes, take blocks.
///
/// A block holds the whole records, blank lines and comments that fit into
/// `block_bytes`, or the first one alone if it is larger. Where blocks are cut
/// depends on the bytes and `block_bytes` only, never on how the bytes arrived:
/// outputs are the same for any buffer sizes.
///
/// Holds one block: `block_bytes`, or for a larger record its size and up to
/// `block_bytes` more, see [`Grammar::max_record_bytes`].
#[derive(Debug)]
pub struct BlockCutter {
    grammar: Grammar,
    framing: Framing,
    /// [`Grammar::is_plain`]: an opening quote stands right after a delimiter
    /// byte or a record boundary.
    plain: bool,
    /// Whether records that are wrong in a recoverable way are passed over, data
    /// records and headers too.
    tolerant: bool,
    /// What a block is filled to, in bytes.
    block_bytes: usize,
    /// A larger record, its terminator included, is an error; in bytes.
    max_record_bytes: usize,
    /// The block that is being filled; its `records_before` is that of the
    /// block, its bytes go beyond what will be cut.
    block: Block,
    state: State,
    /// Bytes of the block that `state` has seen.
    scanned: usize,
    /// Start of the record that is being scanned: the last boundary found.
    record_start: usize,
    /// Records in the block before `record_start`.
    records: u64,
    /// Up to where fields are known, if not `plain`: a field boundary, or the end of
    /// the last quoted part.
    fields_known: usize,
    /// Whether `fields_known` is a field boundary.
    at_field_start: bool,
    /// Set from where a record is too large inside quotes that may never be
    /// closed; nothing is held of what follows.
    overflow: Option<Box<Overflow>>,
    /// The first bytes of the input, until they tell whether they are a line such as `sep=;`.
    opening: Option<Vec<u8>>,
    separator_line: Option<SeparatorLine>,
}

/// Why no further block can be cut. Offsets are absolute in the decoded input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CutError {
    /// Offset of the byte that is wrong (the opening quote, say).
    pub byte_offset: u64,
    /// Lines before it.
    pub lines_before: u64,
    /// Records before it, counted as in [`Block::records_before`].
    pub records_before: u64,
    /// Fields of the record before the one that is wrong.
    pub field: usize,
    /// What is wrong.
    pub problem: ScanProblem,
    /// What a quote that is never closed takes in.
    pub unclosed: Option<UnclosedQuote>,
}

impl BlockCutter {
    /// A cutter at the start of an input. `block_bytes` is taken as at least 1
    /// and at most 1 GiB.
    pub fn new(dialect: &Dialect, block_bytes: usize) -> Self {
        let opening = dialect.framing.separator_line.then(Vec::new);
        BlockCutter { opening, ..BlockCutter::resume(dialect, block_bytes, 0, 0, 0) }
    }

    /// A cutter in the middle of an input, at a record boundary with these counts before it.
    pub fn resume(
        dialect: &Dialect,
        block_bytes: usize,
        byte_offset: u64,
        lines_before: u64,
        records_before: u64,
    ) -> Self {
        // Spans are 32 bits wide, so whatever the limits of the dialect say, no
        // block may reach 4 GiB, not even with a CR that ends the input and is
        // not judged.
        let terminated = dialect.grammar.max_record_bytes.saturating_add(Terminator::MAX_BYTES as u64);
        let max_record_bytes = terminated.min(u32::MAX as u64 - 1);
        BlockCutter {
            grammar: dialect.grammar,
            framing: dialect.framing.clone(),
            plain: dialect.grammar.is_plain(),
            tolerant: false,
            block_bytes: block_bytes.clamp(1, 1 << 30),
            max_record_bytes: usize::try_from(max_record_bytes).unwrap_or(usize::MAX),
            block: Block { byte_offset, lines_before, records_before, ..Block::default() },
            state: State::RecordStart,
            scanned: 0,
            record_start: 0,
            records: 0,
            fields_known: 0,
            at_field_start: true,
            overflow: None,
            opening: None,
            separator_line: None,
        }
    }

    /// The line such as `sep=;` at the start of the input, once it is pushed; it is in no block.
    pub fn take_separator_line(&mut self) -> Option<SeparatorLine> {
        self.separator_line.take()
    }

    /// Passes over the line that names the delimiter. Gives the bytes to go on with; `None` while
    /// nothing is decided.
    fn pass_opening<'b>(&mut self, held: &'b mut Vec<u8>, bytes: &'b [u8]) -> Option<[&'b [u8]; 2]> {
        let needed = bytes.len().min(MAX_SEPARATOR_LINE_BYTES - held.len().min(MAX_SEPARATOR_LINE_BYTES));
        let before = held.len();
        held.extend_from_slice(&bytes[..needed]);
        match Opening::of(held, Some(self.grammar.terminator)) {
            Opening::Undecided => None,
            Opening::Other => Some([&held[..before], bytes]),
            Opening::Separator(line) => {
                self.block.byte_offset = line.bytes.len() as u64;
                self.block.lines_before = self.grammar.terminator.count_lines(&line.bytes) as u64;
                let rest = &bytes[line.bytes.len() - before..];
                self.separator_line = Some(line);
                Some([b"", rest])
            }
        }
    }

    /// Sets whether the blocks go to [`Scanner::scan_tolerant`]: what that passes
    /// over is then not what an error is about. Blocks are cut the same, and a
    /// data record that ends inside quotes is a block of its own, see
    /// [`Block::unclosed`], unless footer records follow it.
    #[must_use]
    pub fn tolerant(mut self, tolerant: bool) -> Self {
        self.tolerant = tolerant;
        self
    }

    /// Adds bytes of the input and moves every block that is complete to `out`.
    /// `spare` gives a cleared buffer to build the next block in.
    ///
    /// # Errors
    ///
    /// A record that is larger than the dialect allows, or what is wrong in it
    /// before that. `out` then ends with every record before it, and the cutter
    /// is spent.
    pub fn push(
        &mut self,
        bytes: &[u8],
        spare: &mut dyn FnMut() -> Vec<u8>,
        out: &mut Vec<Block>,
    ) -> Result<(), CutError> {
        let Some(mut held) = self.opening.take() else { return self.push_text(bytes, spare, out) };
        let Some(decided) = self.pass_opening(&mut held, bytes) else {
            self.opening = Some(held);
            return Ok(());
        };
        decided.into_iter().try_for_each(|bytes| self.push_text(bytes, spare, out))
    }

    fn push_text(
        &mut self,
        mut bytes: &[u8],
        spare: &mut dyn FnMut() -> Vec<u8>,
        out: &mut Vec<Block>,
    ) -> Result<(), CutError> {
        if let Some(overflow) = &mut self.overflow {
            let is_open = overflow.rest.read(&self.grammar, bytes);
            return if is_open { Ok(()) } else { Err(overflow.error) };
        }
        loop {
            let more = !bytes.is_empty();
            self.scan(bytes.first().copied());
            if self.is_cut(more) {
                out.push(self.cut(spare));
                continue;
            }
            if self.scanned - self.record_start > self.max_record_bytes {
                return self.too_large(bytes, spare, out);
            }
            if !more {
                return Ok(());
            }
            let rest = self.append(bytes, spare);
            bytes = rest;
        }
    }

    /// The input is over: moves what is left to `out`, at least one block with
    /// `last` set (empty if nothing is left).
    ///
    /// # Errors
    ///
    /// A quoted field that is never closed, or what is wrong in its record
    /// before it. `out` then ends with every record before it, and no block has
    /// `last` set.
    pub fn finish(
        mut self,
        spare: &mut dyn FnMut() -> Vec<u8>,
        out: &mut Vec<Block>,
    ) -> Result<(), CutError> {
        if let Some(held) = self.opening.take() {
            self.push_text(&held, spare, out)?;
        }
        if let Some(overflow) = self.overflow.take() {
            let Overflow { error, unclosed, rest } = *overflow;
            if !rest.is_open_at_end(&self.grammar) {
                return Err(error);
            }
            let unclosed = unclosed.up_to(&rest, &self.grammar);
            self.set_aside(unclosed, out);
            return Ok(());
        }
        let is_open = match self.state {
            State::Quoted | State::Escaped => true,
            // What looked like the beginning of a delimiter or terminator is none.
            State::AfterQuote => !self.grammar.closes_at(&self.block.bytes, self.scanned),
            _ => false,
        };
        if is_open {
            let end = self.block.bytes.len();
            let mut error = self.blame(end, ScanProblem::UnterminatedQuote, spare, out);
            if error.problem != ScanProblem::UnterminatedQuote {
                return Err(error);
            }
            let unclosed = self.unclosed(&error, &self.read_quote(&error));
            if self.sets_aside(&error) {
                self.keep_largest();
                self.set_aside(unclosed, out);
                return Ok(());
            }
            // Nothing is left out, as nothing is kept.
            error.unclosed =
                Some(UnclosedQuote { kept_bytes: unclosed.end - unclosed.record_start, ..unclosed });
            return Err(error);
        }
        // Whether what follows the last terminator is a record, a comment, or
        // (a lone CR) a blank line, only the grammar knows.
        let mut open = RecordIndex::default();
        let scanned = Scanner::new(&self.grammar).scan(&self.block.bytes[self.record_start..], &mut open);
        let unended = if scanned.is_ok() { open.len() } else { 1 };
        self.block.records = self.records + unended as u64;
        self.block.last = true;
        out.push(self.block);
        Ok(())
    }

    /// Whether the block ends at the last boundary found.
    ///
    /// It does as soon as a byte is known that goes beyond the block, and not
    /// before: else the last block would depend on whether the caller knew that
    /// the input was over.
    fn is_cut(&self, more: bool) -> bool {
        let known = self.block.bytes.len() + more as usize;
        self.record_start > 0 && known > self.block_bytes.max(self.record_start)
    }

    /// Takes as much of `bytes` as may belong to the block and gives the rest.
    fn append<'b>(&mut self, bytes: &'b [u8], spare: &mut dyn FnMut() -> Vec<u8>) -> &'b [u8] {
        let buffer = &mut self.block.bytes;
        if buffer.capacity() == 0 {
            *buffer = spare();
            buffer.clear();
        }
        // A record that goes beyond the block is taken in steps of the block's
        // size, so what is carried to the next block is never more than that.
        let room = match self.block_bytes.saturating_sub(buffer.len()) {
            0 => self.block_bytes,
            room => room,
        };
        let (taken, rest) = bytes.split_at(room.min(bytes.len()));
        if buffer.len() < self.block_bytes {
            // Doubling would take up to twice the memory the block is allowed.
            if buffer.capacity() < buffer.len() + taken.len() {
                buffer.reserve_exact(room);
            }
        }
        buffer.extend_from_slice(taken);
        rest
    }

    /// Takes the block up to the last boundary and carries what follows it.
    fn cut(&mut self, spare: &mut dyn FnMut() -> Vec<u8>) -> Block {
        let end = self.record_start;
        let mut tail = spare();
        tail.clear();
        let bytes = &mut self.block.bytes;
        if end < bytes.len() {
            tail.reserve_exact(self.block_bytes.max(bytes.len() - end));
            tail.extend_from_slice(&bytes[end..]);
            bytes.truncate(end);
        }
        let lines = self.grammar.terminator.count_lines(bytes) as u64;
        let next = Block {
            bytes: tail,
            byte_offset: self.block.byte_offset + end as u64,
            lines_before: self.block.lines_before + lines,
            records_before: self.block.records_before + self.records,
            records: 0,
            last: false,
            unclosed: None,
        };
        self.block.records = self.records;
        self.scanned -= end;
        // It was moved to the boundary with `record_start`, or beyond.
        self.fields_known -= end;
        self.record_start = 0;
        self.records = 0;
        std::mem::replace(&mut self.block, next)
    }

    /// A record has grown beyond the limit; `rest` follows what is known of it.
    ///
    /// Judged by the bytes up to the limit, not by those that happen to be
    /// known: what lies inside quotes there is a field that is too large, or, if
    /// such records are set aside, one that may never end.
    #[cold]
    fn too_large(
        &mut self,
        rest: &[u8],
        spare: &mut dyn FnMut() -> Vec<u8>,
        out: &mut Vec<Block>,
    ) -> Result<(), CutError> {
        // The bytes left out may begin a terminator.
        let mut end = self.record_start + self.max_record_bytes + 1 - Terminator::MAX_BYTES;
        if self.grammar.unescaped_quotes {
            // What follows a quote at the end would tell what it is.
            let record = &self.block.bytes[self.record_start..end];
            let is_space = |byte: &&u8| self.grammar.trailing_space().contains(byte);
            let spaces = record.iter().rev().take_while(is_space).count();
            let before = record[..record.len() - spaces].iter().rev();
            let quotes = before.take_while(|byte| Some(**byte) == self.grammar.quote).count();
            end -= if quotes > 0 { spaces + quotes } else { 0 };
        }
        let mut error = self.blame(end, ScanProblem::RecordTooLarge, spare, out);
        if error.problem != ScanProblem::UnterminatedQuote {
            return Err(error);
        }
        error.problem = ScanProblem::FieldTooLarge;
        if !self.sets_aside(&error) {
            return Err(error);
        }
        let mut read = self.read_quote(&error);
        if !read.read(&self.grammar, rest) {
            return Err(error);
        }
        let unclosed = self.unclosed(&error, &read);
        self.keep_largest();
        self.overflow = Some(Box::new(Overflow { error, unclosed, rest: read }));
        Ok(())
    }

    /// Gives the record that fills the block and ends inside quotes to `out`.
    fn set_aside(self, unclosed: UnclosedQuote, out: &mut Vec<Block>) {
        let kept_bytes = self.block.bytes.len() as u64;
        let unclosed = Some(UnclosedQuote { kept_bytes, ..unclosed });
        out.push(Block { unclosed, records: 1, last: true, ..self.block });
    }

    /// Gives the records before the last boundary to `out`, and scans the one
    /// after it up to `end` for what is wrong: the cutter knows no fields.
    #[cold]
    fn blame(
        &mut self,
        end: usize,
        otherwise: ScanProblem,
        spare: &mut dyn FnMut() -> Vec<u8>,
        out: &mut Vec<Block>,
    ) -> CutError {
        let end = end - self.record_start;
        if self.record_start > 0 {
            out.push(self.cut(spare));
        }
        let (scanner, mut index) = (Scanner::new(&self.grammar), RecordIndex::default());
        let record = &self.block.bytes[..end];
        // A quote that is never closed takes all that follows into its record.
        let is_footer = otherwise == ScanProblem::UnterminatedQuote && self.framing.footer_records > 0;
        let is_data = !is_footer && !self.framing.is_skipped(self.block.records_before);
        let scan = match self.tolerant || !is_data {
            true => scanner.scan_tolerant(record, &mut index, &mut Vec::new()),
            false => scanner.scan(record, &mut index),
        };
        let (offset, line, field, problem) = match scan {
            // What looks stray may be a delimiter that `end` cuts in two.
            Err(ScanError { offset, .. })
                if self.grammar.delimiter.as_bytes().starts_with(&record[offset..]) =>
            {
                (0, 0, 0, otherwise)
            }
            Err(ScanError { offset, line, field, problem, .. }) => (offset, line, field, problem),
            Ok(()) => (0, 0, 0, otherwise),
        };
        CutError {
            byte_offset: self.block.byte_offset + offset as u64,
            lines_before: self.block.lines_before + line as u64,
            records_before: self.block.records_before,
            field,
            problem,
            unclosed: None,
        }
    }
}

#[cfg(test)]
mod tests;
