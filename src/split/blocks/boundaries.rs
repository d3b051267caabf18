//! Where records end: the bytes of a block, one state after the other.

use super::BlockCutter;
use crate::parse::Terminator;
use memchr::{memchr, memchr2, memchr3, memmem};

/// Where the scan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
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
    /// The same where quotes need no escape, and no other quote follows: after
    /// bytes that are trimmed. What comes next closes the quotes or not.
    AfterQuote,
}

impl BlockCutter {
    /// Scans to the end of the buffer, or to the first boundary beyond the
    /// block, or to a record that is too large. `next` is the byte after the
    /// buffer, if it is known.
    pub(super) fn scan(&mut self, next: Option<u8>) {
        // Moved out for the time being: `bytes` stays borrowed over calls that change `self`.
        let bytes = std::mem::take(&mut self.block.bytes);
        while let Some(&byte) = bytes.get(self.scanned) {
            match self.state {
                State::RecordStart => {
                    let comment = Some(byte) == self.grammar.comment;
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
                    let doubled = Some(byte) == self.grammar.quote && self.grammar.escape_byte().is_none();
                    self.scanned += doubled as usize;
                    self.state = match doubled {
                        true => State::Quoted,
                        false if self.grammar.unescaped_quotes => State::AfterQuote,
                        false => State::Outside,
                    };
                    self.fields_known = self.scanned;
                }
                State::AfterQuote => {
                    match self.grammar.ends_field(&bytes[self.scanned..]) {
                        Some(true) => self.state = State::Outside,
                        // A delimiter or terminator goes on in the next bytes.
                        None => break,
                        Some(false) if self.grammar.trailing_space().contains(&byte) => self.scanned += 1,
                        Some(false) => self.state = State::Quoted,
                    }
                    self.fields_known = self.scanned;
                }
            }
        }
        self.block.bytes = bytes;
    }

    /// Hops to the next opening quote or escape, or over records to the end of
    /// the buffer. Whether to go on.
    fn scan_outside(&mut self, bytes: &[u8], next: Option<u8>) -> bool {
        let terminator = self.grammar.terminator;
        let special = match self.state {
            State::Comment => None,
            _ => self.grammar.quote.or(self.grammar.bare_escape()),
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
                if self.grammar.quote.is_none() {
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
            at == self.record_start || Some(bytes[at - 1]) == self.grammar.delimiter.single()
        } else {
            self.is_opening_after_space(bytes, at)
        }
    }

    /// The same where space may stand before the quote, or where delimiters may
    /// overlap: `||` ends after the second byte of `|||`, so only what stands
    /// before tells. No byte is looked at twice.
    fn is_opening_after_space(&mut self, bytes: &[u8], at: usize) -> bool {
        let delimiter = self.grammar.delimiter.as_bytes();
        while let Some(found) = memmem::find(&bytes[self.fields_known..at], delimiter) {
            self.fields_known += found + delimiter.len();
            self.at_field_start = true;
        }
        let space = self.grammar.leading_space();
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
        let line = &bytes[self.record_start..at];
        let is_cr = |byte: &u8| self.grammar.terminator == Terminator::Lf && *byte == b'\r';
        let blank = line.len() <= Terminator::MAX_CRS && line.iter().all(is_cr);
        self.records += (!blank && self.state != State::Comment) as u64;
        self.record_start = end;
        self.fields_known = end;
        self.at_field_start = true;
        self.scanned = end;
        self.state = if self.grammar.comment.is_some() { State::RecordStart } else { State::Outside };
        end <= self.block_bytes
    }

    /// Hops to the end of the quoted part, or of the buffer.
    fn scan_quoted(&mut self, bytes: &[u8]) {
        let Some(quote) = self.grammar.quote else {
            self.state = State::Outside; // Unreachable: without quotes nothing is quoted.
            return;
        };
        let escape = self.grammar.escape_byte();
        let delimiter = self.grammar.delimiter.single().filter(|_| self.plain);
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
