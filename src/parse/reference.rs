//! The slow, obvious twin of [`super::scan`]: it defines what a grammar means.
//!
//! Input: a whole text. Output: every record with its values and places, one
//! byte at a time and with an allocation for each value. Tests and fuzz targets
//! call it; the engine never does.
//!
//! The grammar, where [`Grammar`] does not say it already:
//!
//! - A record ends at a terminator outside quotes, or at the end of the text;
//!   nothing after the last terminator is not a record.
//! - A blank line is not a record, nor is a comment, which extends to the next
//!   terminator whatever quotes it holds.
//! - A field that begins with a quote is quoted. What follows its closing quote
//!   up to the delimiter or terminator is stray, unless all of it is trimmed.
//! - With [`Grammar::unescaped_quotes`] nothing is stray there: a quote is the closing
//!   one only if the delimiter, a terminator or the end of the text follows, after
//!   what is trimmed. What is an escape is looked at before.
//! - Delimiters are found from left to right: `||` stands once in `|||`.
//! - Trimming takes bytes as they stand: what an escape stands before is kept.
//! - In one record, what breaks the grammar is found before what is too large;
//!   then too many fields before a field that is too large, and that before the
//!   record. A comment that is too large is a record that is.

use super::{Grammar, ScanError, ScanProblem, StrayQuotes, Terminator, comment};
use std::ops::Range;

/// What a text holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// Every record, or those before the one that is wrong.
    pub records: Vec<Record>,
    /// What is wrong, if anything, and ends the text.
    pub error: Option<ScanError>,
    /// What was tolerated: the first in each record that has any.
    pub faults: Vec<ScanError>,
}

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// At least one.
    pub fields: Vec<Field>,
    /// Offset of its first byte in the text.
    pub byte_offset: usize,
    /// Lines that end before it.
    pub lines_before: usize,
    /// Records before it.
    pub records_before: usize,
}

/// One field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Without quotes, escapes and what is trimmed.
    pub value: Vec<u8>,
    /// What null tokens are compared with: the value, if it is quoted, else what
    /// trimming leaves of its bytes.
    pub null_text: Vec<u8>,
    /// Whether it began with a quote.
    pub quoted: bool,
    /// Its bytes in the text up to the delimiter or terminator, quotes and what
    /// is trimmed included.
    pub raw: Range<usize>,
}

/// Parses a whole text up to the first record that is wrong.
pub fn parse(grammar: &Grammar, text: &[u8]) -> Parsed {
    ReferenceParser::new(grammar, text, false).parse()
}

/// Parses a whole text past records that are wrong in a way that leaves their
/// end known, see [`super::Scanner::scan_tolerant`].
pub fn parse_tolerant(grammar: &Grammar, text: &[u8]) -> Parsed {
    ReferenceParser::new(grammar, text, true).parse()
}

struct ReferenceParser<'a> {
    grammar: &'a Grammar,
    text: &'a [u8],
    tolerant: bool,
    at: usize,
    records: Vec<Record>,
    faults: Vec<ScanError>,
    /// Index of the field that is being parsed or judged.
    field: usize,
}

/// Where, and what.
type Wrong = (usize, ScanProblem);

impl<'a> ReferenceParser<'a> {
    fn new(grammar: &'a Grammar, text: &'a [u8], tolerant: bool) -> Self {
        ReferenceParser { grammar, text, tolerant, at: 0, records: Vec::new(), faults: Vec::new(), field: 0 }
    }

    fn parse(mut self) -> Parsed {
        let mut error = None;
        while self.at < self.text.len() && error.is_none() {
            error = self.record().err().map(|wrong| self.error(wrong));
        }
        // Of a record that is not there, nothing was tolerated.
        self.faults.retain(|fault| fault.record < self.records.len());
        Parsed { records: self.records, error, faults: self.faults }
    }

    fn error(&self, (offset, problem): Wrong) -> ScanError {
        let (record, line) = (self.records.len(), self.lines_before(offset));
        ScanError { offset, record, field: self.field, line, problem }
    }

    /// Passes over what is wrong, if that is tolerated.
    fn fault(&mut self, wrong: Wrong) -> Result<(), Wrong> {
        if !self.tolerant {
            return Err(wrong);
        }
        if self.faults.last().is_none_or(|last| last.record < self.records.len()) {
            self.faults.push(self.error(wrong));
        }
        Ok(())
    }

    /// One record, blank line or comment.
    fn record(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        self.field = 0;
        if let Some(length) = self.terminator() {
            self.at += length;
            return Ok(());
        }
        let mut fields = Vec::new();
        if self.byte() == self.grammar.comment {
            while self.byte().is_some() && self.terminator().is_none() {
                self.at += 1;
            }
        } else {
            fields.push(self.field()?);
            while self.grammar.delimiter.stands_at(self.text, self.at) {
                self.at += self.grammar.delimiter.as_bytes().len();
                self.field += 1;
                fields.push(self.field()?);
            }
        }
        self.judge_sizes(start, &fields)?;
        if fields.is_empty() && comment::looks_like_record(self.grammar, &self.text[start..self.at]) {
            return Err((start, ScanProblem::CommentLikeRecord));
        }
        self.at += self.terminator().unwrap_or(0);
        if !fields.is_empty() {
            let (lines_before, records_before) = (self.lines_before(start), self.records.len());
            self.records.push(Record { fields, byte_offset: start, lines_before, records_before });
        }
        Ok(())
    }

    fn judge_sizes(&mut self, start: usize, fields: &[Field]) -> Result<(), Wrong> {
        if fields.len() as u64 > self.grammar.max_fields {
            self.field = 0;
            self.fault((start, ScanProblem::TooManyFields))?;
        }
        for (index, field) in fields.iter().enumerate() {
            self.field = index;
            if field.raw.len() as u64 > self.grammar.max_field_bytes {
                self.fault((field.raw.start, ScanProblem::FieldTooLarge))?;
            }
        }
        self.field = 0;
        if (self.at - start) as u64 > self.grammar.max_record_bytes {
            return Err((start, ScanProblem::RecordTooLarge));
        }
        Ok(())
    }

    /// One field, up to its delimiter, terminator or the end.
    fn field(&mut self) -> Result<Field, Wrong> {
        let start = self.at;
        let strict = self.grammar.stray_quotes == StrayQuotes::Error;
        let mut value = Vec::new();
        self.skip(self.grammar.leading_space());
        let quoted = self.grammar.quote.is_some() && self.byte() == self.grammar.quote;
        if quoted {
            self.quoted_part(&mut value)?;
            let after = self.at;
            self.skip(self.grammar.trailing_space());
            if self.in_field() {
                if strict {
                    self.fault((self.at, ScanProblem::TextAfterQuote))?;
                }
                self.at = after;
            }
        }
        let mut bytes = value.clone();
        // Lengths of what trimming leaves.
        let (mut kept, mut kept_bytes) = (value.len(), bytes.len());
        while let Some(byte) = self.byte().filter(|_| self.in_field()) {
            if strict && !quoted && Some(byte) == self.grammar.quote {
                self.fault((self.at, ScanProblem::QuoteInBareField))?;
            }
            self.at += 1;
            bytes.push(byte);
            let escaped = self.byte().filter(|_| Some(byte) == self.grammar.bare_escape());
            if let Some(escaped) = escaped {
                if !self.grammar.is_escapable(escaped) {
                    value.push(byte);
                }
                value.push(escaped);
                bytes.push(escaped);
                self.at += 1;
            } else {
                value.push(byte);
            }
            if escaped.is_some() || !self.grammar.trailing_space().contains(&byte) {
                (kept, kept_bytes) = (value.len(), bytes.len());
            }
        }
        value.truncate(kept);
        bytes.truncate(kept_bytes);
        let null_text = if quoted { value.clone() } else { bytes };
        Ok(Field { value, null_text, quoted, raw: start..self.at })
    }

    fn skip(&mut self, space: &[u8]) {
        while self.in_field() && self.byte().is_some_and(|byte| space.contains(&byte)) {
            self.at += 1;
        }
    }

    /// Whether neither a delimiter nor a terminator nor the end stands here.
    fn in_field(&self) -> bool {
        self.at < self.text.len()
            && !self.grammar.delimiter.stands_at(self.text, self.at)
            && self.terminator().is_none()
    }

    /// From the opening quote to after the closing one.
    fn quoted_part(&mut self, value: &mut Vec<u8>) -> Result<(), Wrong> {
        let unterminated = (self.at, ScanProblem::UnterminatedQuote);
        self.at += 1;
        loop {
            let byte = self.byte().ok_or(unterminated)?;
            self.at += 1;
            if Some(byte) == self.grammar.escape_byte() {
                let escaped = self.byte().ok_or(unterminated)?;
                if ![self.grammar.quote, self.grammar.escape_byte()].contains(&Some(escaped)) {
                    value.push(byte);
                }
                value.push(escaped);
                self.at += 1;
            } else if Some(byte) != self.grammar.quote {
                value.push(byte);
            } else if self.grammar.escape_byte().is_none() && self.byte() == self.grammar.quote {
                value.push(byte);
                self.at += 1;
            } else if self.grammar.unescaped_quotes && !self.field_ends_here() {
                value.push(byte);
            } else {
                return Ok(());
            }
        }
    }

    /// Whether nothing but what is trimmed stands before the end of the field.
    fn field_ends_here(&mut self) -> bool {
        let at = self.at;
        self.skip(self.grammar.trailing_space());
        let ends = !self.in_field();
        self.at = at;
        ends
    }

    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Length of the terminator that stands here, if one does.
    fn terminator(&self) -> Option<usize> {
        let (cr, lf) = (self.byte() == Some(b'\r'), self.byte() == Some(b'\n'));
        let crlf = cr && self.text.get(self.at + 1) == Some(&b'\n');
        match self.grammar.terminator {
            Terminator::Any if crlf => Some(2),
            Terminator::Lf => {
                let rest = &self.text[self.at..];
                let ends = [&b"\n"[..], b"\r\n", b"\r\r\n"];
                ends.into_iter().find(|end| rest.starts_with(end)).map(<[u8]>::len)
            }
            Terminator::Cr => cr.then_some(1),
            Terminator::Any => (cr || lf).then_some(1),
            Terminator::Byte(byte) => (self.byte() == Some(byte)).then_some(1),
        }
    }

    fn lines_before(&self, offset: usize) -> usize {
        let ends_line = |&at: &usize| match (self.grammar.terminator, self.text[at]) {
            (Terminator::Lf | Terminator::Any, b'\n') | (Terminator::Cr, b'\r') => true,
            (Terminator::Byte(terminator), byte) => byte == terminator,
            (Terminator::Any, b'\r') => self.text.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        (0..offset).filter(ends_line).count()
    }
}

#[cfg(test)]
mod tests;
