//! How the bytes of a CSV text are cut into records and fields.

use super::Delimiter;

/// What the scanner reads: bytes and policies, nothing left to infer.
///
/// Delimiter, quote, comment and the bytes of the terminator are to be all
/// different, which the loader of the job file checks. Nothing panics where they
/// are not, but what the text then means is not defined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
pub struct Grammar {
    /// Separates fields.
    pub delimiter: Delimiter,
    /// Encloses fields; `None` switches quoting off.
    pub quote: Option<u8>,
    /// What a quote inside a quoted field looks like, or, where quoting is off,
    /// what takes the meaning from a byte.
    pub escape: Escape,
    /// What ends a record.
    pub terminator: Terminator,
    /// What to make of a quote where the grammar has none.
    pub stray_quotes: StrayQuotes,
    /// Whether quotes inside quotes may stand as they are: one ends its field only
    /// if a delimiter, a terminator or the end of the input follows, after what is
    /// trimmed. Any other is text. An escape is one all the same, so a text in
    /// which every quote is escaped means what it means otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unescaped_quotes: bool,
    /// A record that begins with this byte is a comment.
    pub comment: Option<u8>,
    /// Fields of a record, where the comment mark was guessed from a sample: a
    /// comment that has as many may be a record, so it is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guessed_comment_fields: Option<u64>,
    /// White space that belongs to no field.
    pub trim: Trim,
    /// Whether spaces (not tabs) at the start of a field belong to no field,
    /// also before an opening quote.
    pub skip_initial_space: bool,
    /// A larger field is an error; bytes, quotes included.
    pub max_field_bytes: u64,
    /// A larger record is an error; bytes, terminator not included.
    pub max_record_bytes: u64,
    /// More fields in a record are an error.
    pub max_fields: u64,
}

/// How a quote is written inside a quoted field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Escape {
    /// Twice (RFC 4180).
    Doubled,
    /// After this byte, which also escapes itself. Before any other byte inside
    /// quotes it is text: `"C:\temp"` keeps it. Outside quotes it is text, too,
    /// unless quoting is off: then it takes the meaning from the next byte, and
    /// is dropped if there was one to take. So `a\,b` is one field, and the
    /// `\N` that MySQL and Hive write for null stays `\N`.
    Byte(u8),
}

/// White space (spaces and tabs) that belongs to no field: around an unquoted
/// field, and around the quotes of a quoted one, never inside them. What begins
/// a delimiter is not white space.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Trim {
    /// All of it belongs to fields; ` "a"` is not a quoted field.
    #[default]
    None,
    /// Before the field.
    Left,
    /// After the field.
    Right,
    /// On both sides.
    Both,
}

/// What ends a record, outside quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Terminator {
    /// LF, with up to two CRs right before it taken as part of it: one as a rule,
    /// two where a file was twice translated to the line ends of Windows. Any
    /// other CR is data.
    Lf,
    /// A lone CR. LF is data.
    Cr,
    /// LF, CRLF and CR alike.
    Any,
    /// This byte, such as the record separator U+001E. CR and LF are data.
    Byte(u8),
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

impl Grammar {
    /// The byte that escapes others inside quotes; `None` where a quote is
    /// written twice, which is also what an escape equal to the quote means.
    pub fn escape_byte(&self) -> Option<u8> {
        match self.escape {
            Escape::Byte(byte) if Some(byte) != self.quote => Some(byte),
            Escape::Byte(_) | Escape::Doubled => None,
        }
    }

    /// The byte that escapes others outside quotes: only where quoting is off.
    pub fn bare_escape(&self) -> Option<u8> {
        if self.quote.is_some() { None } else { self.escape_byte() }
    }

    /// Whether `byte` after [`Grammar::bare_escape`] is one that the escape
    /// takes a meaning from. If not, the escape is text.
    pub fn is_escapable(&self, byte: u8) -> bool {
        self.delimiter.as_bytes().contains(&byte)
            || self.bare_escape() == Some(byte)
            || self.comment == Some(byte)
            || self.terminator == Terminator::Byte(byte)
            || matches!(byte, b'\r' | b'\n')
    }

    /// The bytes that belong to no field at its start.
    pub fn leading_space(&self) -> &'static [u8] {
        match self.trim {
            Trim::Left | Trim::Both => b" \t",
            _ if self.skip_initial_space => b" ",
            _ => b"",
        }
    }

    /// The bytes that belong to no field at its end.
    pub fn trailing_space(&self) -> &'static [u8] {
        match self.trim {
            Trim::Right | Trim::Both => b" \t",
            Trim::None | Trim::Left => b"",
        }
    }

    /// Whether a quote inside quotes, no escape, ends its field, by what follows
    /// it, after trimmed bytes that were passed over; `None` if there is not enough
    /// of it to tell. Where the input ends after it, nothing is `Some(true)`, and
    /// too little for a delimiter or terminator is data.
    #[inline]
    pub(crate) fn ends_field(&self, following: &[u8]) -> Option<bool> {
        let mut may_begin = following.is_empty();
        let mut stands = |end: &[u8]| {
            may_begin |= end.starts_with(following);
            following.starts_with(end)
        };
        let ends = stands(self.delimiter.as_bytes())
            || match self.terminator {
                Terminator::Lf => stands(b"\n") || stands(b"\r\n") || stands(b"\r\r\n"),
                Terminator::Cr => stands(b"\r"),
                Terminator::Any => stands(b"\r") || stands(b"\n"),
                Terminator::Byte(byte) => stands(&[byte]),
            };
        if !ends && may_begin { None } else { Some(ends) }
    }

    /// The same where the text is there to its end: `after` is the offset behind the quote.
    pub(crate) fn closes_at(&self, text: &[u8], mut after: usize) -> bool {
        loop {
            let following = text.get(after..).unwrap_or_default();
            match self.ends_field(following) {
                Some(true) => return true,
                _ if following.first().is_some_and(|byte| self.trailing_space().contains(byte)) => after += 1,
                _ => return following.is_empty(),
            }
        }
    }

    /// Whether fields are what stands between single bytes: no trimming, no
    /// escapes outside quotes, a delimiter of one byte, quotes that are escaped.
    pub fn is_plain(&self) -> bool {
        self.delimiter.single().is_some()
            && self.leading_space().is_empty()
            && self.trailing_space().is_empty()
            && self.bare_escape().is_none()
            && !self.unescaped_quotes
    }
}

impl Terminator {
    /// CRs before an LF that belong to it.
    pub(crate) const MAX_CRS: usize = 2;

    /// No terminator has more bytes.
    pub(crate) const MAX_BYTES: usize = Self::MAX_CRS + 1;

    /// Whether a line can end with this byte.
    pub(crate) fn ends_with(self, byte: u8) -> bool {
        match self {
            Terminator::Lf => byte == b'\n',
            Terminator::Cr => byte == b'\r',
            Terminator::Any => matches!(byte, b'\r' | b'\n'),
            Terminator::Byte(terminator) => byte == terminator,
        }
    }

    /// Lines that end in `text`, inside quotes or not: LF for [`Terminator::Lf`],
    /// CR for [`Terminator::Cr`], the byte of [`Terminator::Byte`], LF and every CR without an LF after it for
    /// [`Terminator::Any`]. A CR at the very end counts as one without.
    pub fn count_lines(self, text: &[u8]) -> usize {
        let count = |byte| memchr::memchr_iter(byte, text).count();
        match self {
            Terminator::Lf => count(b'\n'),
            Terminator::Cr => count(b'\r'),
            Terminator::Byte(byte) => count(byte),
            Terminator::Any => {
                let lone = |&at: &usize| text.get(at + 1) != Some(&b'\n');
                count(b'\n') + memchr::memchr_iter(b'\r', text).filter(lone).count()
            }
        }
    }
}

impl Default for Grammar {
    fn default() -> Self {
        Grammar {
            delimiter: Delimiter::from(','),
            quote: Some(b'"'),
            escape: Escape::Doubled,
            terminator: Terminator::Lf,
            stray_quotes: StrayQuotes::Error,
            unescaped_quotes: false,
            comment: None,
            guessed_comment_fields: None,
            trim: Trim::None,
            skip_initial_space: false,
            max_field_bytes: 8 << 20,
            max_record_bytes: 16 << 20,
            // As many columns as a spreadsheet has.
            max_fields: 16_384,
        }
    }
}
