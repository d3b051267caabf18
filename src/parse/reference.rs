//! The slow, obvious twin of [`super::scan`]: it defines what a dialect means.
//!
//! Input: a whole text. Output: every record with its values and places, one
//! byte at a time and with an allocation for each value. Tests and fuzz targets
//! call it; the engine never does.
//!
//! The grammar, where [`Dialect`] does not say it already:
//!
//! - A record ends at a terminator outside quotes, or at the end of the text;
//!   nothing after the last terminator is no record.
//! - A blank line is no record, nor is a comment, which extends to the next
//!   terminator whatever quotes it holds.
//! - A field that begins with a quote is quoted. What follows its closing quote
//!   up to the delimiter or terminator is stray.
//! - In one record, what breaks the grammar is found before what is too large,
//!   and a field that is too large before the record. A comment that is too
//!   large is a record that is.

use super::{Dialect, ScanError, ScanProblem, StrayQuotes, Terminator};
use std::ops::Range;

/// What a text holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// Every record, or those before the one that is wrong.
    pub records: Vec<Record>,
    /// What is wrong, if anything.
    pub error: Option<ScanError>,
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
    /// Without quotes and escapes.
    pub value: Vec<u8>,
    /// Whether it began with a quote.
    pub quoted: bool,
    /// Its bytes in the text, quotes included.
    pub raw: Range<usize>,
}

/// Parses a whole text.
pub fn parse(dialect: &Dialect, text: &[u8]) -> Parsed {
    let mut parser = Parser { dialect, text, at: 0, records: Vec::new(), field: 0 };
    while parser.at < text.len() {
        if let Err((offset, problem)) = parser.record() {
            let error = ScanError {
                offset,
                record: parser.records.len(),
                field: parser.field,
                line: parser.lines_before(offset),
                problem,
            };
            return Parsed { records: parser.records, error: Some(error) };
        }
    }
    Parsed { records: parser.records, error: None }
}

struct Parser<'a> {
    dialect: &'a Dialect,
    text: &'a [u8],
    at: usize,
    records: Vec<Record>,
    /// Index of the field that is being parsed or judged.
    field: usize,
}

/// Where, and what.
type Wrong = (usize, ScanProblem);

impl Parser<'_> {
    /// One record, blank line or comment.
    fn record(&mut self) -> Result<(), Wrong> {
        let start = self.at;
        self.field = 0;
        if let Some(length) = self.terminator() {
            self.at += length;
            return Ok(());
        }
        let mut fields = Vec::new();
        if self.byte() == self.dialect.comment {
            while self.byte().is_some() && self.terminator().is_none() {
                self.at += 1;
            }
        } else {
            fields.push(self.field()?);
            while self.byte() == Some(self.dialect.delimiter) {
                self.at += 1;
                self.field += 1;
                fields.push(self.field()?);
            }
        }
        self.judge_sizes(start, &fields)?;
        self.at += self.terminator().unwrap_or(0);
        if !fields.is_empty() {
            let (lines_before, records_before) = (self.lines_before(start), self.records.len());
            self.records.push(Record { fields, byte_offset: start, lines_before, records_before });
        }
        Ok(())
    }

    fn judge_sizes(&mut self, start: usize, fields: &[Field]) -> Result<(), Wrong> {
        for (index, field) in fields.iter().enumerate() {
            self.field = index;
            if field.raw.len() as u64 > self.dialect.max_field_bytes {
                return Err((field.raw.start, ScanProblem::FieldTooLarge));
            }
        }
        self.field = 0;
        if (self.at - start) as u64 > self.dialect.max_record_bytes {
            return Err((start, ScanProblem::RecordTooLarge));
        }
        Ok(())
    }

    /// One field, up to its delimiter, terminator or the end.
    fn field(&mut self) -> Result<Field, Wrong> {
        let start = self.at;
        let mut value = Vec::new();
        let quoted = self.dialect.quote.is_some() && self.byte() == self.dialect.quote;
        if quoted {
            self.quoted_part(&mut value)?;
        }
        while let Some(byte) = self.byte() {
            if byte == self.dialect.delimiter || self.terminator().is_some() {
                break;
            }
            if self.dialect.stray_quotes == StrayQuotes::Error {
                if quoted {
                    return Err((self.at, ScanProblem::TextAfterQuote));
                }
                if Some(byte) == self.dialect.quote {
                    return Err((self.at, ScanProblem::QuoteInBareField));
                }
            }
            value.push(byte);
            self.at += 1;
        }
        Ok(Field { value, quoted, raw: start..self.at })
    }

    /// From the opening quote to after the closing one.
    fn quoted_part(&mut self, value: &mut Vec<u8>) -> Result<(), Wrong> {
        let unterminated = (self.at, ScanProblem::UnterminatedQuote);
        self.at += 1;
        loop {
            let byte = self.byte().ok_or(unterminated)?;
            self.at += 1;
            if Some(byte) == self.dialect.escape_byte() {
                value.push(self.byte().ok_or(unterminated)?);
                self.at += 1;
            } else if Some(byte) != self.dialect.quote {
                value.push(byte);
            } else if self.dialect.escape_byte().is_none() && self.byte() == self.dialect.quote {
                value.push(byte);
                self.at += 1;
            } else {
                return Ok(());
            }
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Length of the terminator that stands here, if one does.
    fn terminator(&self) -> Option<usize> {
        let (cr, lf) = (self.byte() == Some(b'\r'), self.byte() == Some(b'\n'));
        let crlf = cr && self.text.get(self.at + 1) == Some(&b'\n');
        match self.dialect.terminator {
            Terminator::Lf | Terminator::Any if crlf => Some(2),
            Terminator::Lf => lf.then_some(1),
            Terminator::Cr => cr.then_some(1),
            Terminator::Any => (cr || lf).then_some(1),
        }
    }

    fn lines_before(&self, offset: usize) -> usize {
        let ends_line = |&at: &usize| match (self.dialect.terminator, self.text[at]) {
            (Terminator::Lf | Terminator::Any, b'\n') | (Terminator::Cr, b'\r') => true,
            (Terminator::Any, b'\r') => self.text.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        (0..offset).filter(ends_line).count()
    }
}

#[cfg(test)]
mod tests;
