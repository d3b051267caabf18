//! The record scanner.

use super::Dialect;

/// Where the records and fields of one block are. Reused from block to block.
#[derive(Debug, Clone, Default)]
pub struct RecordIndex {
    /// Field spans in order, `records × fields` of them when no record is ragged.
    pub fields: Vec<FieldSpan>,
    /// For each record: the index in `fields` after its last field.
    pub record_ends: Vec<u32>,
    /// For each record: byte offset of its first byte in the block.
    pub record_starts: Vec<u32>,
    /// For each record: line feeds (as the terminator counts lines) before it in the block.
    pub record_lines: Vec<u32>,
}

/// One field, as bytes of its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldSpan {
    /// First byte of the content, after an opening quote.
    pub start: u32,
    /// End of the content (exclusive), before a closing quote.
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
}

/// A record that breaks the grammar. Offsets are relative to the block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanError {
    /// Offset in the block of the byte that is wrong.
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

/// Scans blocks of whole records.
#[derive(Debug, Clone)]
pub struct Scanner {
    dialect: Dialect,
}

impl Scanner {
    /// A scanner for this dialect.
    pub fn new(dialect: &Dialect) -> Self {
        Scanner { dialect: dialect.clone() }
    }

    /// Replaces the contents of `index` with the records of `block`.
    ///
    /// `block` begins at a record boundary and ends at one, or at the end of
    /// the input. Blank lines and comments make no record.
    pub fn scan(&self, block: &[u8], index: &mut RecordIndex) -> Result<(), ScanError> {
        let _ = (&self.dialect, block, index);
        todo!()
    }
}

/// Appends the value of an [`FieldForm::Escaped`] span to `value`.
pub fn unescape(dialect: &Dialect, raw: &[u8], value: &mut Vec<u8>) {
    let _ = (dialect, raw, value);
    todo!()
}
