//! The record scanner: a block of whole records → a [`RecordIndex`].
//!
//! [`structural`] finds the bytes that can mean something, [`walk`] decides what
//! they mean. What is right is defined by [`super::reference`].

mod structural;
mod walk;

use super::Grammar;

#[cfg(doc)]
use super::{StrayQuotes, Terminator};
use structural::Needles;
use walk::{Limits, Walk};

/// Where the records and fields of one block are. Reused from block to block.
#[derive(Debug, Clone, Default)]
pub struct RecordIndex {
    /// Field spans in order, `records × fields` of them when no record is ragged.
    pub fields: Vec<FieldSpan>,
    /// For each record: the index in `fields` after its last field.
    pub record_ends: Vec<u32>,
    /// For each record: byte offset of its first byte in the block.
    pub record_starts: Vec<u32>,
    /// For each record: byte offset after its last byte in the block; the
    /// terminator is not part of it.
    pub record_stops: Vec<u32>,
    /// For each record: lines that end before it in the block, see
    /// [`Terminator::count_lines`].
    pub record_lines: Vec<u32>,
}

/// One field, as bytes of its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpan {
    /// First byte of the content, after an opening quote or what is trimmed.
    pub start: u32,
    /// End of the content (exclusive), before what is trimmed: before a closing
    /// quote, unless stray text follows that; then the end of this text.
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
    /// The field was not quoted, as quoting is off, and holds escapes: see
    /// [`unescape`].
    BareEscaped,
    /// The record ends before this field. The scanner makes no such span; a
    /// short record is padded with them. Always null, whatever the column takes
    /// an empty field for.
    Missing,
}

impl FieldForm {
    /// Whether the field was quoted.
    #[inline]
    pub fn is_quoted(self) -> bool {
        matches!(self, FieldForm::Quoted | FieldForm::Escaped)
    }

    /// Whether the value differs from the bytes of the span.
    #[inline]
    pub fn has_escapes(self) -> bool {
        matches!(self, FieldForm::Escaped | FieldForm::BareEscaped)
    }
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
    /// See [`Grammar::max_field_bytes`].
    FieldTooLarge,
    /// See [`Grammar::max_fields`].
    TooManyFields,
    /// See [`Grammar::max_record_bytes`].
    RecordTooLarge,
    /// See [`Grammar::guessed_comment_fields`].
    CommentLikeRecord,
}

impl ScanProblem {
    /// Whether the end of the record is known all the same, so that what
    /// follows it can be read.
    pub fn is_recoverable(self) -> bool {
        match self {
            ScanProblem::UnterminatedQuote | ScanProblem::RecordTooLarge | ScanProblem::CommentLikeRecord => {
                false
            }
            ScanProblem::QuoteInBareField
            | ScanProblem::TextAfterQuote
            | ScanProblem::FieldTooLarge
            | ScanProblem::TooManyFields => true,
        }
    }
}

impl RecordIndex {
    /// Bytes that it takes.
    pub fn memory_bytes(&self) -> usize {
        size_of_val(&self.fields[..]) + 4 * size_of_val(&self.record_ends[..])
    }

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

    /// Replaces all by one record of `bytes` bytes, which begins with the block
    /// and is one field as it stands.
    pub(crate) fn hold_one_record(&mut self, bytes: usize) {
        self.clear();
        let end = bytes as u32;
        self.fields.push(FieldSpan { start: 0, end, form: FieldForm::Bare });
        self.record_ends.push(1);
        self.record_starts.push(0);
        self.record_stops.push(end);
        self.record_lines.push(0);
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
    grammar: Grammar,
    needles: Needles,
    limits: Limits,
}

impl Scanner {
    /// A scanner for this grammar.
    pub fn new(grammar: &Grammar) -> Self {
        Scanner { grammar: *grammar, needles: Needles::new(grammar), limits: Limits::new(grammar) }
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
        self.scan_noting(block, index, None)
    }

    /// Like [`Scanner::scan`], but goes on after a record whose end is known
    /// although it is wrong ([`ScanProblem::is_recoverable`]). It is then in
    /// `index` with the fields that [`StrayQuotes::Keep`] reads in it, and the
    /// first thing wrong with it is in `faults`, in the order of the records;
    /// [`ScanError::record`] is its position in `index`. What `faults` held
    /// before is gone.
    ///
    /// # Errors
    ///
    /// The first record that is wrong beyond that; `index` and `faults` then
    /// tell of those before it.
    pub fn scan_tolerant(
        &self,
        block: &[u8],
        index: &mut RecordIndex,
        faults: &mut Vec<ScanError>,
    ) -> Result<(), ScanError> {
        faults.clear();
        self.scan_noting(block, index, Some(faults))
    }

    fn scan_noting(
        &self,
        block: &[u8],
        index: &mut RecordIndex,
        faults: Option<&mut Vec<ScanError>>,
    ) -> Result<(), ScanError> {
        // Once for the block, so that the loop of most inputs has nothing to ask.
        match self.grammar.is_plain() {
            true => Walk::<true>::new(self, block, index, faults).run(),
            false => Walk::<false>::new(self, block, index, faults).run(),
        }
    }
}

/// Appends the value of a span that [has escapes](FieldForm::has_escapes) to `value`.
///
/// The first quote of `raw` that is not escaped closes the field, and what
/// stands after it is text as it is ([`StrayQuotes::Keep`]); without such a
/// quote all of `raw` stood inside the quotes. With [`Grammar::unescaped_quotes`]
/// it always did, as nothing stands after a closing quote then. Where quoting is off, an escape
/// is dropped before a byte that would mean something ([`Grammar::is_escapable`]).
pub fn unescape(grammar: &Grammar, raw: &[u8], value: &mut Vec<u8>) {
    let Some(quote) = grammar.quote else {
        return unescape_bare(grammar, raw, value);
    };
    let escape = grammar.escape_byte();
    let mut rest = raw;
    while let Some(at) = memchr::memchr2(quote, escape.unwrap_or(quote), rest) {
        value.extend_from_slice(&rest[..at]);
        let after = rest.get(at + 1).copied();
        let escapes = if escape.is_none() { after == Some(quote) } else { Some(rest[at]) == escape };
        if !escapes {
            let closing = rest[at];
            rest = &rest[at + 1..];
            if grammar.unescaped_quotes {
                value.push(closing);
                continue;
            }
            break;
        }
        // Before anything else an escape is text, or `"C:\temp"` would lose it.
        if escape.is_some() && after != Some(quote) && after != escape {
            value.push(rest[at]);
        }
        value.extend(after);
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    value.extend_from_slice(rest);
}

fn unescape_bare(grammar: &Grammar, raw: &[u8], value: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(escape) = grammar.bare_escape()
        && let Some(at) = memchr::memchr(escape, rest)
        && let Some(&escaped) = rest.get(at + 1)
    {
        value.extend_from_slice(&rest[..at + !grammar.is_escapable(escaped) as usize]);
        value.push(escaped);
        rest = &rest[at + 2..];
    }
    value.extend_from_slice(rest);
}

/// The value of a field: bytes of `block` where they are the value as they
/// stand, else of `scratch`, whose contents are replaced. Empty if it is missing.
///
/// # Panics
///
/// If `span` is not a span of `block`.
#[inline]
pub fn field_value<'a>(
    grammar: &Grammar,
    block: &'a [u8],
    span: &FieldSpan,
    scratch: &'a mut Vec<u8>,
) -> &'a [u8] {
    let raw = &block[span.start as usize..span.end as usize];
    match span.form {
        FieldForm::Bare | FieldForm::Quoted => raw,
        FieldForm::Escaped | FieldForm::BareEscaped => {
            scratch.clear();
            unescape(grammar, raw, scratch);
            scratch
        }
        FieldForm::Missing => b"",
    }
}

/// What null tokens are compared with: the value of a quoted field, and an
/// unquoted one as it is written. So where a backslash escapes, `\N` can be null
/// and `\\N` is the text `\N`, as MySQL and Hive have it.
#[inline]
pub fn null_text<'a>(block: &'a [u8], span: &FieldSpan, value: &'a [u8]) -> &'a [u8] {
    match span.form {
        FieldForm::BareEscaped => &block[span.start as usize..span.end as usize],
        _ => value,
    }
}
