//! How the bytes of a CSV text are cut into records and fields.

/// A resolved dialect: single bytes and policies, nothing left to infer.
///
/// Vocabulary after the Frictionless *CSV Dialect* descriptor; the job file's
/// spelling of it is [`crate::job::DialectSpec`].
///
/// Delimiter, quote, comment and the bytes of the terminator are to be all
/// different, which the loader of the job file checks. Nothing panics where they
/// are not, but what the text then means is not defined.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Dialect {
    /// Separates fields.
    pub delimiter: u8,
    /// Encloses fields; `None` switches quoting off.
    pub quote: Option<u8>,
    /// What a quote inside a quoted field looks like.
    pub escape: Escape,
    /// What ends a record.
    pub terminator: Terminator,
    /// What to make of a quote where the grammar has none.
    pub stray_quotes: StrayQuotes,
    /// A record that begins with this byte is a comment.
    pub comment: Option<u8>,
    /// Whether the first record after `skip_records` names the columns.
    pub header: bool,
    /// Records to skip before the header.
    pub skip_records: u64,
    /// A larger field is an error; bytes, quotes included.
    pub max_field_bytes: u64,
    /// A larger record is an error; bytes, terminator not included.
    pub max_record_bytes: u64,
}

/// How a quote is written inside a quoted field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Escape {
    /// Twice (RFC 4180).
    Doubled,
    /// After this byte, which also escapes itself and, inside quotes only,
    /// any other byte (the escape is dropped, the byte kept).
    Byte(u8),
}

/// What ends a record, outside quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Terminator {
    /// LF, with a CR right before it taken as part of it. A lone CR is data.
    Lf,
    /// A lone CR. LF is data.
    Cr,
    /// LF, CRLF and CR alike.
    Any,
}

/// What to make of a quote inside an unquoted field, or of text between a
/// closing quote and the next delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StrayQuotes {
    /// An error with its place.
    Error,
    /// Text like any other: the quote in `a"b` is kept; in `"a"b` the field is
    /// `ab`, as the `csv` crate reads it.
    Keep,
}

impl Dialect {
    /// The byte that escapes others inside quotes; `None` where a quote is
    /// written twice, which is also what an escape equal to the quote means.
    pub fn escape_byte(&self) -> Option<u8> {
        match self.escape {
            Escape::Byte(byte) if Some(byte) != self.quote => Some(byte),
            Escape::Byte(_) | Escape::Doubled => None,
        }
    }
}

impl Terminator {
    /// Lines that end in `text`, inside quotes or not: LF for [`Terminator::Lf`],
    /// CR for [`Terminator::Cr`], LF and every CR without an LF after it for
    /// [`Terminator::Any`]. A CR at the very end counts as one without.
    pub fn count_lines(self, text: &[u8]) -> usize {
        let count = |byte| memchr::memchr_iter(byte, text).count();
        match self {
            Terminator::Lf => count(b'\n'),
            Terminator::Cr => count(b'\r'),
            Terminator::Any => {
                let lone = |&at: &usize| text.get(at + 1) != Some(&b'\n');
                count(b'\n') + memchr::memchr_iter(b'\r', text).filter(lone).count()
            }
        }
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect {
            delimiter: b',',
            quote: Some(b'"'),
            escape: Escape::Doubled,
            terminator: Terminator::Lf,
            stray_quotes: StrayQuotes::Error,
            comment: None,
            header: true,
            skip_records: 0,
            max_field_bytes: 8 << 20,
            max_record_bytes: 16 << 20,
        }
    }
}
