//! A quote that is never closed: what its record takes in, in bounded memory.

use super::{Block, BlockCutter, CutError};
use crate::parse::{Grammar, RecordIndex, ScanError, ScanProblem, Terminator};
use memchr::{memchr, memchr2};

/// The last record of an input, which ends inside quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnclosedQuote {
    /// Offset of the first byte of the record in the decoded input.
    pub record_start: u64,
    /// Offset of the end of the input.
    pub end: u64,
    /// Line of the first byte of the record, from 1.
    pub first_line: u64,
    /// Line of its last byte, from 1.
    pub last_line: u64,
    /// Offset of the quote in the decoded input.
    pub quote_at: u64,
    /// Lines before the quote in the decoded input.
    pub lines_before_quote: u64,
    /// Characters before the quote in its line, and one.
    pub character: u64,
    /// Fields of the record before the one with the quote.
    pub field: usize,
    /// First bytes of the record that a block holds; fewer than all where the
    /// record is larger than [`Grammar::max_record_bytes`].
    pub kept_bytes: u64,
}

impl UnclosedQuote {
    /// Lines that the record takes in, with the one it begins in.
    pub fn lines(&self) -> u64 {
        self.last_line - self.first_line + 1
    }

    /// Bytes of the record that no block holds.
    pub fn bytes_left_out(&self) -> u64 {
        self.end - self.record_start - self.kept_bytes
    }

    /// The same if the input ends where `rest` does.
    pub(super) fn up_to(self, rest: &OpenQuote, grammar: &Grammar) -> Self {
        let lines = self.lines_before_quote + rest.lines;
        let ends_line = rest.last.is_some_and(|last| grammar.terminator.ends_with(last));
        let last_line = if ends_line { lines } else { lines + 1 };
        UnclosedQuote { end: self.quote_at + 1 + rest.bytes, last_line, ..self }
    }

    /// What a scan of `block`, which holds nothing but this record, comes to, if
    /// nothing before the quote is looked at: one record of one field.
    pub fn scanned(&self, block: &Block, index: &mut RecordIndex) -> ScanError {
        index.hold_one_record(block.bytes.len());
        ScanError {
            offset: (self.quote_at - self.record_start) as usize,
            record: 0,
            field: self.field,
            line: (self.lines_before_quote - block.lines_before) as usize,
            problem: ScanProblem::UnterminatedQuote,
        }
    }
}

/// What is read from an open quote on, of which nothing is held.
#[derive(Debug, Clone)]
pub(super) struct OpenQuote {
    state: Inside,
    bytes: u64,
    /// Lines that end inside.
    lines: u64,
    last: Option<u8>,
    /// The last bytes, where they may begin what would close the field.
    undecided: Vec<u8>,
}

/// Where the reading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Quoted,
    /// After an escape byte.
    Escaped,
    /// After a quote, which closes the field unless another follows.
    AfterQuote,
    /// The same where quotes need no escape: after what is trimmed.
    AfterSpace,
    Closed,
}

impl OpenQuote {
    /// Right after the quote.
    pub(super) fn new() -> Self {
        OpenQuote { state: Inside::Quoted, bytes: 0, lines: 0, last: None, undecided: Vec::new() }
    }

    /// Reads on. Whether the field is still open.
    pub(super) fn read(&mut self, grammar: &Grammar, bytes: &[u8]) -> bool {
        let Some((first, last)) = bytes.first().zip(bytes.last()) else { return self.is_open() };
        self.lines += grammar.terminator.count_lines(bytes) as u64;
        // The CR of a CRLF that is in two pieces was counted as a lone one.
        let in_two = grammar.terminator == Terminator::Any && (self.last, *first) == (Some(b'\r'), b'\n');
        self.lines -= u64::from(in_two);
        self.bytes += bytes.len() as u64;
        self.last = Some(*last);
        let mut joined = std::mem::take(&mut self.undecided);
        match joined.is_empty() {
            true => self.advance(grammar, bytes),
            false => {
                joined.extend_from_slice(bytes);
                self.advance(grammar, &joined);
            }
        }
        self.is_open()
    }

    fn advance(&mut self, grammar: &Grammar, bytes: &[u8]) {
        let (quote, escape) = (grammar.quote.unwrap_or_default(), grammar.escape_byte());
        let mut at = 0;
        while at < bytes.len() && self.is_open() {
            match self.state {
                Inside::Quoted => {
                    let hit = match escape {
                        Some(escape) => memchr2(quote, escape, &bytes[at..]),
                        None => memchr(quote, &bytes[at..]),
                    };
                    let Some(hit) = hit else { break };
                    at += hit + 1;
                    let is_quote = bytes[at - 1] == quote;
                    self.state = if is_quote { Inside::AfterQuote } else { Inside::Escaped };
                }
                Inside::Escaped => {
                    at += 1;
                    self.state = Inside::Quoted;
                }
                Inside::AfterQuote if escape.is_none() && bytes[at] == quote => {
                    at += 1;
                    self.state = Inside::Quoted;
                }
                Inside::AfterQuote if grammar.unescaped_quotes => self.state = Inside::AfterSpace,
                Inside::AfterSpace => match grammar.ends_field(&bytes[at..]) {
                    Some(true) => self.state = Inside::Closed,
                    None => {
                        self.undecided = bytes[at..].to_vec();
                        break;
                    }
                    Some(false) if grammar.trailing_space().contains(&bytes[at]) => at += 1,
                    Some(false) => self.state = Inside::Quoted,
                },
                Inside::AfterQuote | Inside::Closed => self.state = Inside::Closed,
            }
        }
    }

    fn is_open(&self) -> bool {
        self.state != Inside::Closed
    }

    /// Whether it is open where the input ends: a last quote closes it.
    pub(super) fn is_open_at_end(&self, grammar: &Grammar) -> bool {
        match self.state {
            Inside::Quoted | Inside::Escaped => true,
            Inside::AfterSpace => !grammar.closes_at(&self.undecided, 0),
            Inside::AfterQuote | Inside::Closed => false,
        }
    }
}

/// A record whose quote is open beyond what may be held.
#[derive(Debug, Clone)]
pub(super) struct Overflow {
    /// What it is if the quote is closed after all.
    pub(super) error: CutError,
    /// What is known of it so far.
    pub(super) unclosed: UnclosedQuote,
    pub(super) rest: OpenQuote,
}

impl BlockCutter {
    /// Whether a quote that is open at `error` and never closed is set aside with
    /// its record, instead of failing the input: only where the record is data
    /// for certain. Footers are inside the quotes, too.
    pub(super) fn sets_aside(&self, error: &CutError) -> bool {
        let is_data = error.records_before >= self.framing.preamble_records();
        self.tolerant && is_data && self.framing.footer_records == 0
    }

    /// What a record takes in that fills the block, and whose quote at `error`
    /// was read on as `rest`.
    pub(super) fn unclosed(&self, error: &CutError, rest: &OpenQuote) -> UnclosedQuote {
        let Block { bytes, byte_offset: record_start, lines_before, .. } = &self.block;
        let before = &bytes[..(error.byte_offset - record_start) as usize];
        let ends_line = |byte: &u8| self.grammar.terminator.ends_with(*byte);
        let line_start = before.iter().rposition(ends_line).map_or(0, |at| at + 1);
        let begins_character = |byte: &&u8| **byte & 0xC0 != 0x80;
        let character = before[line_start..].iter().filter(begins_character).count() as u64 + 1;
        let unclosed = UnclosedQuote {
            record_start: *record_start,
            end: 0,
            first_line: lines_before + 1,
            last_line: 0,
            quote_at: error.byte_offset,
            lines_before_quote: error.lines_before,
            character,
            field: error.field,
            kept_bytes: 0,
        };
        unclosed.up_to(rest, &self.grammar)
    }

    /// Reads the record that fills the block from its quote at `error` on.
    pub(super) fn read_quote(&self, error: &CutError) -> OpenQuote {
        let quote = (error.byte_offset - self.block.byte_offset) as usize;
        let mut rest = OpenQuote::new();
        rest.read(&self.grammar, &self.block.bytes[quote + 1..]);
        rest
    }

    /// Drops what goes beyond the largest record, but no part of a character.
    pub(super) fn keep_largest(&mut self) {
        let bytes = &mut self.block.bytes;
        let limit = usize::try_from(self.grammar.max_record_bytes).unwrap_or(usize::MAX);
        if bytes.len() > limit {
            let begins_character = |at: &usize| bytes[*at] & 0xC0 != 0x80;
            let end = (0..=limit).rev().find(begins_character).unwrap_or(0);
            bytes.truncate(end);
        }
    }
}

#[cfg(test)]
#[path = "unclosed_tests.rs"]
mod tests;
