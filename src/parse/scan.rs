//! The record scanner: a block of whole records → a [`RecordIndex`].
//!
//! [`structural`] finds the bytes that can mean something, the walk here decides
//! what they mean. What is right is defined by [`super::reference`].

mod structural;

use super::{Dialect, StrayQuotes, Terminator};
use structural::{Needles, Positions};

/// Where the records and fields of one block are. Reused from block to block.
#[derive(Debug, Clone, Default)]
pub struct RecordIndex {
    /// Field spans in order, `records × fields` of them when no record is ragged.
    pub fields: Vec<FieldSpan>,
    /// For each record: the index in `fields` after its last field.
    pub record_ends: Vec<u32>,
    /// For each record: byte offset of its first byte in the block.
    pub record_starts: Vec<u32>,
    /// For each record: byte offset after its last byte, its terminator not included.
    pub record_stops: Vec<u32>,
    /// For each record: lines that end before it in the block, see
    /// [`Terminator::count_lines`].
    pub record_lines: Vec<u32>,
}

/// One field, as bytes of its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpan {
    /// First byte of the content, after an opening quote.
    pub start: u32,
    /// End of the content (exclusive): before a closing quote, unless stray text
    /// follows that; then the end of this text.
    pub end: u32,
    /// How the bytes become the value.
    pub form: FieldForm,
}

/// How the bytes of a span become the field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldForm {
    /// As they stand, and the field was not quoted.
    Bare,
    /// As they stand; the field was quoted.
    Quoted,
    /// The field was quoted and holds escapes, or stray text after its closing
    /// quote: see [`unescape`].
    Escaped,
    /// Not there at all: what padding adds to a short record. Always null; the
    /// scanner never makes it.
    Missing,
}

/// A record that breaks the grammar. Offsets are relative to the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanError {
    /// Offset in the block of the byte that is wrong: the opening quote, the
    /// stray byte, or the first byte of what is too large.
    pub offset: usize,
    /// Records before it in the block.
    pub record: usize,
    /// Field of that record, from 0.
    pub field: usize,
    /// Lines before it in the block.
    pub line: usize,
    /// What is wrong.
    pub problem: ScanProblem,
}

/// What breaks the grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScanProblem {
    /// The block, which is the end of the input, ends inside quotes.
    UnterminatedQuote,
    /// A quote inside an unquoted field.
    QuoteInBareField,
    /// Text after a closing quote.
    TextAfterQuote,
    /// See [`Dialect::max_field_bytes`].
    FieldTooLarge,
    /// See [`Dialect::max_record_bytes`].
    RecordTooLarge,
}

impl RecordIndex {
    /// Records.
    pub fn len(&self) -> usize {
        self.record_ends.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.record_ends.is_empty()
    }

    /// The fields of one record, at least one.
    ///
    /// # Panics
    ///
    /// If there is no such record.
    pub fn record(&self, index: usize) -> &[FieldSpan] {
        let start = if index == 0 { 0 } else { self.record_ends[index - 1] };
        &self.fields[start as usize..self.record_ends[index] as usize]
    }

    fn clear(&mut self) {
        self.fields.clear();
        self.record_ends.clear();
        self.record_starts.clear();
        self.record_stops.clear();
        self.record_lines.clear();
    }
}

/// Scans blocks of whole records.
#[derive(Debug, Clone)]
pub struct Scanner {
    dialect: Dialect,
    needles: Needles,
    /// No record up to this size can break a limit.
    unsuspicious_bytes: usize,
}

impl Scanner {
    /// A scanner for this dialect.
    pub fn new(dialect: &Dialect) -> Self {
        let limit = dialect.max_field_bytes.min(dialect.max_record_bytes);
        Scanner {
            dialect: dialect.clone(),
            needles: Needles::new(dialect),
            unsuspicious_bytes: usize::try_from(limit).unwrap_or(usize::MAX),
        }
    }

    /// Replaces the contents of `index` with the records of `block`.
    ///
    /// `block` begins at a record boundary and ends at one, or at the end of
    /// the input. Blank lines and comments make no record.
    ///
    /// # Errors
    ///
    /// The first record that is wrong; `index` then holds those before it. In
    /// one record, what breaks the grammar comes before what is too large. A
    /// block of 4 GiB or more, which the block cutter never makes, is a
    /// [`ScanProblem::RecordTooLarge`] at its first byte, as spans cannot tell
    /// its offsets.
    pub fn scan(&self, block: &[u8], index: &mut RecordIndex) -> Result<(), ScanError> {
        index.clear();
        let mut walk = Walk {
            dialect: &self.dialect,
            unsuspicious_bytes: self.unsuspicious_bytes,
            block,
            positions: Positions::new(&self.needles, block),
            at: 0,
            lines: 0,
            index,
        };
        if u32::try_from(block.len()).is_err() {
            return Err(walk.error(0, ScanProblem::RecordTooLarge));
        }
        while walk.at < block.len() {
            if let Err(error) = walk.record() {
                let whole = walk.index.record_ends.last().map_or(0, |&end| end as usize);
                walk.index.fields.truncate(whole);
                return Err(error);
            }
        }
        Ok(())
    }
}

/// One pass over one block.
struct Walk<'a> {
    dialect: &'a Dialect,
    unsuspicious_bytes: usize,
    block: &'a [u8],
    /// Every byte up to the last position taken has been dealt with.
    positions: Positions<'a>,
    /// The record boundary that was reached.
    at: usize,
    /// Lines that end before the last position taken.
    lines: usize,
    index: &'a mut RecordIndex,
}

/// What stands after a field.
enum FieldEnd {
    /// A delimiter; the next field begins here.
    Delimiter { next: usize },
    /// A terminator or the end of the input; the record's bytes end here.
    Record { end: usize },
}

impl Walk<'_> {
    /// Walks over one record, blank line or comment.
    #[inline]
    fn record(&mut self) -> Result<(), ScanError> {
        let record_start = self.at;
        let lines_before = self.lines;
        if self.dialect.comment.is_some() && self.byte(record_start) == self.dialect.comment {
            return self.comment();
        }
        let mut start = record_start;
        let end = loop {
            let Some(at) = self.positions.next() else {
                self.push(start, self.block.len(), FieldForm::Bare);
                break self.end_of_input();
            };
            let byte = self.block[at];
            if byte == self.dialect.delimiter {
                self.push(start, at, FieldForm::Bare);
                start = at + 1;
            } else if self.is_terminator(byte) {
                let end = self.terminator(start, at);
                if end == record_start {
                    return Ok(()); // A blank line.
                }
                self.push(start, end, FieldForm::Bare);
                break end;
            } else if Some(byte) == self.dialect.quote {
                if at == start {
                    match self.quoted_field(start)? {
                        FieldEnd::Delimiter { next } => start = next,
                        FieldEnd::Record { end } => break end,
                    }
                } else if self.dialect.stray_quotes == StrayQuotes::Error {
                    return Err(self.error(at, ScanProblem::QuoteInBareField));
                }
            }
            // Else an escape byte, which means nothing outside quotes.
        };
        if end - record_start > self.unsuspicious_bytes {
            self.judge_sizes(record_start, end)?;
        }
        self.index.record_ends.push(self.index.fields.len() as u32);
        self.index.record_starts.push(record_start as u32);
        self.index.record_stops.push(end as u32);
        self.index.record_lines.push(lines_before as u32);
        Ok(())
    }

    /// A field whose opening quote is the last position taken.
    fn quoted_field(&mut self, open: usize) -> Result<FieldEnd, ScanError> {
        let Some((close, escapes)) = self.closing_quote() else {
            return Err(self.error(open, ScanProblem::UnterminatedQuote));
        };
        let after = close + 1;
        let (end, field_end) = loop {
            let Some(at) = self.positions.next() else {
                let end = self.end_of_input();
                break (end, FieldEnd::Record { end });
            };
            let byte = self.block[at];
            if byte == self.dialect.delimiter {
                break (at, FieldEnd::Delimiter { next: at + 1 });
            }
            if self.is_terminator(byte) {
                let end = self.terminator(after, at);
                break (end, FieldEnd::Record { end });
            }
        };
        let content = open + 1;
        if end == after {
            self.push(content, close, if escapes { FieldForm::Escaped } else { FieldForm::Quoted });
        } else if self.dialect.stray_quotes == StrayQuotes::Error {
            return Err(self.error(after, ScanProblem::TextAfterQuote));
        } else {
            self.push(content, end, FieldForm::Escaped);
        }
        Ok(field_end)
    }

    /// The position of the next closing quote, and whether escapes stand before it.
    fn closing_quote(&mut self) -> Option<(usize, bool)> {
        let quote = self.dialect.quote;
        let escape = self.dialect.escape_byte();
        let mut escapes = false;
        let mut escaped_at = usize::MAX;
        while let Some(at) = self.positions.next() {
            let byte = self.byte(at);
            if at == escaped_at {
                self.lines += self.ends_line(at) as usize;
            } else if escape.is_some() && byte == escape {
                escapes = true;
                escaped_at = at + 1;
            } else if byte != quote {
                self.lines += self.ends_line(at) as usize;
            } else if escape.is_none() && self.byte(at + 1) == quote {
                escapes = true;
                escaped_at = at + 1;
            } else {
                return Some((at, escapes));
            }
        }
        None
    }

    /// Walks over a comment to after its terminator.
    fn comment(&mut self) -> Result<(), ScanError> {
        let start = self.at;
        let end = loop {
            match self.positions.next() {
                Some(at) if self.is_terminator(self.block[at]) => break self.terminator(start, at),
                Some(_) => {}
                None => break self.end_of_input(),
            }
        };
        self.judge_record_size(start, end)
    }

    /// Takes the terminator whose first structural byte stands at `at`, and
    /// gives the end of what stands before it, which is not before `floor`.
    #[inline(always)]
    fn terminator(&mut self, floor: usize, at: usize) -> usize {
        self.lines += 1;
        self.at = at + 1;
        match self.dialect.terminator {
            // Not structural, or every CR elsewhere would be walked over.
            Terminator::Lf if at > floor && self.block[at - 1] == b'\r' => at - 1,
            Terminator::Any if self.block[at] == b'\r' && self.byte(at + 1) == Some(b'\n') => {
                self.positions.next();
                self.at = at + 2;
                at
            }
            _ => at,
        }
    }

    #[inline(always)]
    fn is_terminator(&self, byte: u8) -> bool {
        match self.dialect.terminator {
            Terminator::Lf => byte == b'\n',
            Terminator::Cr => byte == b'\r',
            Terminator::Any => byte == b'\n' || byte == b'\r',
        }
    }

    /// Whether a line ends with the byte at `at`, inside quotes.
    fn ends_line(&self, at: usize) -> bool {
        let followed_by_lf = || self.byte(at + 1) == Some(b'\n');
        self.is_terminator(self.block[at])
            && !(self.dialect.terminator == Terminator::Any && self.block[at] == b'\r' && followed_by_lf())
    }

    fn end_of_input(&mut self) -> usize {
        self.at = self.block.len();
        self.at
    }

    #[inline(always)]
    fn byte(&self, at: usize) -> Option<u8> {
        self.block.get(at).copied()
    }

    #[inline(always)]
    fn push(&mut self, start: usize, end: usize, form: FieldForm) {
        self.index.fields.push(FieldSpan { start: start as u32, end: end as u32, form });
    }

    /// Judges the record whose fields were pushed last. The raw end of a field
    /// is one byte before the raw start of the next, as delimiters are one byte.
    #[cold]
    fn judge_sizes(&self, start: usize, end: usize) -> Result<(), ScanError> {
        let first = self.index.record_ends.last().map_or(0, |&end| end as usize);
        let fields = &self.index.fields[first..];
        let raw_start = |span: &FieldSpan| span.start as usize - (span.form != FieldForm::Bare) as usize;
        for (number, span) in fields.iter().enumerate() {
            let raw_end = fields.get(number + 1).map_or(end, |next| raw_start(next) - 1);
            let offset = raw_start(span);
            if (raw_end - offset) as u64 > self.dialect.max_field_bytes {
                return Err(ScanError { field: number, ..self.error(offset, ScanProblem::FieldTooLarge) });
            }
        }
        self.judge_record_size(start, end)
    }

    fn judge_record_size(&self, start: usize, end: usize) -> Result<(), ScanError> {
        if (end - start) as u64 > self.dialect.max_record_bytes {
            return Err(ScanError { field: 0, ..self.error(start, ScanProblem::RecordTooLarge) });
        }
        Ok(())
    }

    /// An error in the field after the last one pushed.
    #[cold]
    fn error(&self, offset: usize, problem: ScanProblem) -> ScanError {
        let whole = self.index.record_ends.last().map_or(0, |&end| end as usize);
        ScanError {
            offset,
            record: self.index.len(),
            field: self.index.fields.len() - whole,
            line: self.dialect.terminator.count_lines(&self.block[..offset]),
            problem,
        }
    }
}

/// Appends the value of an [`FieldForm::Escaped`] span to `value`.
///
/// The first quote of `raw` that is not escaped closes the field, and what
/// stands after it is text as it is ([`StrayQuotes::Keep`]); without such a
/// quote all of `raw` stood inside the quotes.
pub fn unescape(dialect: &Dialect, raw: &[u8], value: &mut Vec<u8>) {
    let Some(quote) = dialect.quote else {
        return value.extend_from_slice(raw);
    };
    let escape = dialect.escape_byte();
    let mut rest = raw;
    while let Some(at) = memchr::memchr2(quote, escape.unwrap_or(quote), rest) {
        value.extend_from_slice(&rest[..at]);
        let after = rest.get(at + 1).copied();
        let escapes = if escape.is_none() { after == Some(quote) } else { Some(rest[at]) == escape };
        if !escapes {
            rest = &rest[at + 1..];
            break;
        }
        value.extend(after);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    value.extend_from_slice(rest);
}

/// The value of a field: bytes of `block` where they are the value as they
/// stand, else of `scratch`, whose contents are replaced.
///
/// # Panics
///
/// If `span` is not a span of `block`.
#[inline]
pub fn field_value<'a>(
    dialect: &Dialect,
    block: &'a [u8],
    span: &FieldSpan,
    scratch: &'a mut Vec<u8>,
) -> &'a [u8] {
    let raw = &block[span.start as usize..span.end as usize];
    match span.form {
        FieldForm::Bare | FieldForm::Quoted | FieldForm::Missing => raw,
        FieldForm::Escaped => {
            scratch.clear();
            unescape(dialect, raw, scratch);
            scratch
        }
    }
}
