//! The sequential pass that finds record boundaries.
//!
//! Input: the bytes of one decoded input, in pieces of any size. Output:
//! [`Block`]s of whole records with absolute places. It is the one pass that
//! cannot be shared among threads, so it looks only for quotes and terminators,
//! a `memchr` hop at a time, and leaves fields and most errors to the
//! [`Scanner`] that gets the block.

use crate::parse::{Dialect, RecordIndex, ScanError, ScanProblem, Scanner, Terminator};
use memchr::{memchr, memchr2, memchr3, memmem};

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
}

/// Cuts a stream of bytes into [`Block`]s. Sans-I/O: push bytes, take blocks.
///
/// A block holds the whole records, blank lines and comments that fit into
/// `block_bytes`, or the first one alone if it is larger. Where blocks are cut
/// depends on the bytes and `block_bytes` only, never on how the bytes arrived:
/// outputs are the same for any buffer sizes.
///
/// Holds one block: `block_bytes`, or for a larger record its size and up to
/// `block_bytes` more, see [`Dialect::max_record_bytes`].
#[derive(Debug)]
pub struct BlockCutter {
    dialect: Dialect,
    /// [`Dialect::is_plain`]: an opening quote stands right after a delimiter
    /// byte or a record boundary.
    plain: bool,
    /// Whether records that are wrong in a recoverable way are passed over.
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
}

/// Where the scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a record.
    RecordStart,
    /// In a comment.
    Comment,
    /// In a record, outside quotes.
    Outside,
    /// Inside quotes.
    Quoted,
    /// Inside quotes, after an escape byte.
    Escaped,
    /// Outside, after an escape byte where quoting is off.
    BareEscaped,
    /// After a quote inside quotes, which closes them unless another follows.
    QuoteInQuotes,
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
    /// What is wrong.
    pub problem: ScanProblem,
}

impl BlockCutter {
    /// A cutter at the start of an input. `block_bytes` is taken as at least 1
    /// and at most 1 GiB.
    pub fn new(dialect: &Dialect, block_bytes: usize) -> Self {
        BlockCutter::resume(dialect, block_bytes, 0, 0, 0)
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
        // not judged. A terminator has two bytes at most.
        let max_record_bytes = dialect.max_record_bytes.saturating_add(2).min(u32::MAX as u64 - 1);
        BlockCutter {
            dialect: dialect.clone(),
            plain: dialect.is_plain(),
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
        }
    }

    /// Sets whether the blocks go to [`Scanner::scan_tolerant`]: what that passes
    /// over is then not what an error is about. Blocks are cut the same.
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
        mut bytes: &[u8],
        spare: &mut dyn FnMut() -> Vec<u8>,
        out: &mut Vec<Block>,
    ) -> Result<(), CutError> {
        loop {
            let more = !bytes.is_empty();
            self.scan(bytes.first().copied());
            if self.is_cut(more) {
                out.push(self.cut(spare));
                continue;
            }
            if self.scanned - self.record_start > self.max_record_bytes {
                return Err(self.too_large(spare, out));
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
        if matches!(self.state, State::Quoted | State::Escaped) {
            let end = self.block.bytes.len();
            return Err(self.blame(end, ScanProblem::UnterminatedQuote, spare, out));
        }
        // Whether what follows the last terminator is a record, a comment, or
        // (a lone CR) a blank line, only the grammar knows.
        let mut open = RecordIndex::default();
        let scanned = Scanner::new(&self.dialect).scan(&self.block.bytes[self.record_start..], &mut open);
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
        let lines = self.dialect.terminator.count_lines(bytes) as u64;
        let next = Block {
            bytes: tail,
            byte_offset: self.block.byte_offset + end as u64,
            lines_before: self.block.lines_before + lines,
            records_before: self.block.records_before + self.records,
            records: 0,
            last: false,
        };
        self.block.records = self.records;
        self.scanned -= end;
        // It was moved to the boundary with `record_start`, or beyond.
        self.fields_known -= end;
        self.record_start = 0;
        self.records = 0;
        std::mem::replace(&mut self.block, next)
    }

    /// The error for a record that has grown beyond the limit.
    ///
    /// Judged by the bytes up to the limit, not by those that happen to be
    /// known: what lies inside quotes there is a field that is too large.
    #[cold]
    fn too_large(&mut self, spare: &mut dyn FnMut() -> Vec<u8>, out: &mut Vec<Block>) -> CutError {
        // The two bytes left out may begin a terminator.
        let end = self.record_start + self.max_record_bytes - 1;
        let mut error = self.blame(end, ScanProblem::RecordTooLarge, spare, out);
        if error.problem == ScanProblem::UnterminatedQuote {
            error.problem = ScanProblem::FieldTooLarge;
        }
        error
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
        let (scanner, mut index) = (Scanner::new(&self.dialect), RecordIndex::default());
        let record = &self.block.bytes[..end];
        let scan = match self.tolerant {
            true => scanner.scan_tolerant(record, &mut index, &mut Vec::new()),
            false => scanner.scan(record, &mut index),
        };
        let (offset, line, problem) = match scan {
            // What looks stray may be a delimiter that `end` cuts in two.
            Err(ScanError { offset, .. })
                if self.dialect.delimiter.as_bytes().starts_with(&record[offset..]) =>
            {
                (0, 0, otherwise)
            }
            Err(ScanError { offset, line, problem, .. }) => (offset, line, problem),
            Ok(()) => (0, 0, otherwise),
        };
        CutError {
            byte_offset: self.block.byte_offset + offset as u64,
            lines_before: self.block.lines_before + line as u64,
            records_before: self.block.records_before,
            problem,
        }
    }

    /// Scans to the end of the buffer, or to the first boundary beyond the
    /// block, or to a record that is too large. `next` is the byte after the
    /// buffer, if it is known.
    fn scan(&mut self, next: Option<u8>) {
        // Moved out for the time being: `bytes` stays borrowed over calls that change `self`.
        let bytes = std::mem::take(&mut self.block.bytes);
        while let Some(&byte) = bytes.get(self.scanned) {
            match self.state {
                State::RecordStart => {
                    let comment = Some(byte) == self.dialect.comment;
                    self.state = if comment { State::Comment } else { State::Outside };
                }
                State::Comment | State::Outside => {
                    if !self.scan_outside(&bytes, next) {
                        break;
                    }
                }
                State::Quoted => self.scan_quoted(&bytes),
                State::Escaped => {
                    self.scanned += 1;
                    self.state = State::Quoted;
                }
                State::BareEscaped => {
                    self.scanned += 1;
                    self.state = State::Outside;
                }
                State::QuoteInQuotes => {
                    let doubled = Some(byte) == self.dialect.quote && self.dialect.escape_byte().is_none();
                    self.scanned += doubled as usize;
                    self.state = if doubled { State::Quoted } else { State::Outside };
                    self.fields_known = self.scanned;
                }
            }
        }
        self.block.bytes = bytes;
    }

    /// Hops to the next opening quote or escape, or over records to the end of
    /// the buffer. Whether to go on.
    fn scan_outside(&mut self, bytes: &[u8], next: Option<u8>) -> bool {
        let terminator = self.dialect.terminator;
        let special = match self.state {
            State::Comment => None,
            _ => self.dialect.quote.or(self.dialect.bare_escape()),
        };
        let (a, b) = match terminator {
            Terminator::Lf => (b'\n', b'\n'),
            Terminator::Cr => (b'\r', b'\r'),
            Terminator::Any => (b'\n', b'\r'),
            Terminator::Byte(byte) => (byte, byte),
        };
        while self.scanned < bytes.len() {
            let rest = &bytes[self.scanned..];
            let hit = match (special, a == b) {
                (Some(special), true) => memchr2(special, a, rest),
                (Some(special), false) => memchr3(special, a, b, rest),
                (None, true) => memchr(a, rest),
                (None, false) => memchr2(a, b, rest),
            };
            let Some(hit) = hit else {
                self.scanned = bytes.len();
                return false;
            };
            let at = self.scanned + hit;
            let mut end = at + 1;
            if Some(bytes[at]) == special {
                self.scanned = end;
                if self.dialect.quote.is_none() {
                    self.state = State::BareEscaped;
                    return true;
                }
                if self.is_opening(bytes, at) {
                    self.state = State::Quoted;
                    return true;
                }
                continue;
            }
            if terminator == Terminator::Any && bytes[at] == b'\r' {
                // Whether an LF belongs to it decides where the next record begins.
                match bytes.get(end).copied().or(next) {
                    Some(b'\n') if end < bytes.len() => end += 1,
                    Some(b'\n') | None => {
                        self.scanned = at;
                        return false;
                    }
                    Some(_) => {}
                }
            }
            if !self.end_record(bytes, at, end) {
                return false;
            }
            if self.state == State::RecordStart {
                return true;
            }
        }
        false
    }

    /// Whether a quote at `at`, outside quotes, opens a field.
    #[inline]
    fn is_opening(&mut self, bytes: &[u8], at: usize) -> bool {
        if self.plain {
            // The delimiter before it is none that quotes enclose: after them
            // stands the quote that closed them.
            at == self.record_start || Some(bytes[at - 1]) == self.dialect.delimiter.single()
        } else {
            self.is_opening_after_space(bytes, at)
        }
    }

    /// The same where space may stand before the quote, or where delimiters may
    /// overlap: `||` ends after the second byte of `|||`, so only what stands
    /// before tells. No byte is looked at twice.
    fn is_opening_after_space(&mut self, bytes: &[u8], at: usize) -> bool {
        let delimiter = self.dialect.delimiter.as_bytes();
        while let Some(found) = memmem::find(&bytes[self.fields_known..at], delimiter) {
            self.fields_known += found + delimiter.len();
            self.at_field_start = true;
        }
        let space = self.dialect.leading_space();
        let opening = self.at_field_start && bytes[self.fields_known..at].iter().all(|b| space.contains(b));
        // A delimiter has no quote in it, so none begins before this one.
        self.fields_known = at;
        self.at_field_start = false;
        opening
    }

    /// Takes the boundary at `end` after a terminator at `at`. Whether to go on.
    #[inline]
    fn end_record(&mut self, bytes: &[u8], at: usize, end: usize) -> bool {
        if end - self.record_start > self.max_record_bytes {
            self.scanned = end;
            return false;
        }
        let blank = match at - self.record_start {
            0 => true,
            1 => self.dialect.terminator == Terminator::Lf && bytes[at - 1] == b'\r',
            _ => false,
        };
        self.records += (!blank && self.state != State::Comment) as u64;
        self.record_start = end;
        self.fields_known = end;
        self.at_field_start = true;
        self.scanned = end;
        self.state = if self.dialect.comment.is_some() { State::RecordStart } else { State::Outside };
        end <= self.block_bytes
    }

    /// Hops to the end of the quoted part, or of the buffer.
    fn scan_quoted(&mut self, bytes: &[u8]) {
        let Some(quote) = self.dialect.quote else {
            self.state = State::Outside; // Unreachable: without quotes nothing is quoted.
            return;
        };
        let escape = self.dialect.escape_byte();
        let delimiter = self.dialect.delimiter.single().filter(|_| self.plain);
        while self.scanned < bytes.len() {
            let rest = &bytes[self.scanned..];
            let hit = match escape {
                Some(escape) => memchr2(quote, escape, rest),
                None => memchr(quote, rest),
            };
            let Some(hit) = hit else {
                self.scanned = bytes.len();
                return;
            };
            let at = self.scanned + hit;
            if bytes[at] != quote {
                self.scanned = at + 1;
                self.state = State::Escaped;
                return;
            }
            // What follows decides nothing that the states would not decide, but
            // where every field is quoted this spares a hop of one byte in two.
            match bytes[at + 1..] {
                [next, ..] if next == quote && escape.is_none() => self.scanned = at + 2,
                [next, after, ..] if Some(next) == delimiter && after == quote => self.scanned = at + 3,
                _ => {
                    self.scanned = at + 1;
                    self.state = State::QuoteInQuotes;
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
