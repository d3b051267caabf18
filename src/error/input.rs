//! What can be wrong with the data of an input.

use crate::error::count::{agree, count};
use crate::error::excerpt::excerpt;
use crate::error::lists::{listed, quoted};
use indicatif::HumanCount;
use std::fmt;

/// What can be wrong with the data of an input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InputProblem {
    /// Zero bytes.
    #[error("the input is empty: it has no bytes")]
    EmptyFile,
    /// A header and nothing after it.
    #[error("the input has a header but no records")]
    HeaderOnly,
    /// No records, and no header either.
    #[error("the input has no records")]
    NoRecords,
    /// Records, maybe, and none that is left to be written.
    #[error("no rows are left to write")]
    NothingToWrite,
    /// A column of the header has no name.
    #[error("column {position} of the header has no name")]
    UnnamedColumn {
        /// From 1.
        position: usize,
    },
    /// The input ended before its header.
    #[error("the input ends before its header record")]
    NoHeader,
    /// The header, or the first record, goes on behind what is looked at for columns.
    #[error("the first {} of the input, which are read to find its columns, hold no complete {}", count(*limit, "byte"), if *header { "header" } else { "record" })]
    BeyondSample {
        /// Bytes that are looked at.
        limit: u64,
        /// Whether it is a header.
        header: bool,
    },
    /// A column of the schema is not in the header.
    #[error("the header has no column {}; it has {}", quoted(missing), quoted(found))]
    MissingColumns {
        /// Columns of the schema that are not there.
        missing: Vec<String>,
        /// The header as it stands.
        found: Vec<String>,
    },
    /// A column of the header is not in the schema.
    #[error("the header has columns that the schema does not know: {}", quoted(extra))]
    ExtraColumns {
        /// Columns of the header that the schema lacks.
        extra: Vec<String>,
    },
    /// The columns of the header stand in another order than the schema's.
    #[error(
        "the header has the columns in a different order: {}, where the schema has {}",
        quoted(found),
        quoted(expected)
    )]
    ReorderedColumns {
        /// Columns of the schema in its order.
        expected: Vec<String>,
        /// The same in the order of the header.
        found: Vec<String>,
    },
    /// A duplicate name in the header.
    #[error("duplicate column {:?} in the header: columns {} and {}", excerpt(name), positions.0, positions.1)]
    DuplicateColumn {
        /// The name.
        name: String,
        /// Where it stands, from 1.
        positions: (usize, usize),
    },
    /// The path of an input says nothing of a column of `source.path_columns`.
    #[error("the path of the input has no directory `{}=…`", excerpt(name))]
    PathColumnMissing {
        /// The column.
        name: String,
    },
    /// A column of `source.path_columns` stands in the header, too.
    #[error("the header has a column {:?}, which is to come from the path of the input", excerpt(name))]
    PathColumnInHeader {
        /// The column.
        name: String,
    },
    /// A value in the path of an input does not fit its column.
    #[error("{:?} in the path of the input is not a valid {expected}", excerpt(value))]
    PathValue {
        /// The column.
        name: String,
        /// As it stands in the path, unescaped.
        value: String,
        /// The type, as a schema file spells it.
        expected: String,
    },
    /// A value of a partition key makes a longer path than a target takes.
    #[error(
        "{:?} makes a {} of {bytes} bytes, and {}",
        excerpt(value),
        if *is_path { "path" } else { "directory name" },
        if *is_path { format!("S3 leaves {limit} for it") } else { format!("file systems take {limit}") }
    )]
    PartitionValue {
        /// The value, cut to 100 characters.
        value: String,
        /// Bytes of the directory, or of the path of all keys.
        bytes: usize,
        /// What is left for it.
        limit: usize,
        /// Whether the path is too long, and not the directory.
        is_path: bool,
    },
    /// A record has another number of fields than the header or schema.
    #[error("the record has {} where {expected} {} expected", count(*found, "field"), agree(*expected, "is", "are"))]
    Ragged {
        /// Fields found.
        found: usize,
        /// Fields expected.
        expected: usize,
    },
    /// A value where the header has no name, or behind its last one.
    #[error("field {field} has no name in the header and must be empty, but holds {:?}", excerpt(value))]
    NamelessValue {
        /// The field.
        value: String,
        /// Its position in the record, from 1.
        field: usize,
    },
    /// A field does not convert to its column's type.
    #[error("{:?} is not a valid {expected}{}", excerpt(value), detail.map(|d| format!(": {d}")).unwrap_or_default())]
    Value {
        /// The field, cut to 100 characters.
        value: String,
        /// The type, as a schema file spells it.
        expected: String,
        /// Why, where more is known ("out of range", …).
        detail: Option<&'static str>,
    },
    /// Nothing in a column that may not be null.
    #[error("a column that the schema calls required has no value")]
    RequiredNull,
    /// A value breaks a constraint of its column.
    #[error("{:?} violates the constraint `{constraint}`", excerpt(value))]
    Constraint {
        /// The constraint as the schema or the job spells it, such as `minimum: 0`.
        constraint: String,
        /// The value as text, cut to 100 characters.
        value: String,
    },
    /// A row fails a `check` of the job.
    #[error("the record fails the check {check:?}")]
    Check {
        /// Its name, or the expression.
        check: String,
    },
    /// A key that must be unique came up before.
    #[error("duplicate key ({})", listed(columns.iter().map(|column| excerpt(column).into_owned())))]
    Duplicate {
        /// The columns of the key.
        columns: Vec<String>,
    },
    /// An expression gives no value for this row.
    #[error("`{expression}` cannot be computed here: {cause}")]
    Expression {
        /// As the job spells it.
        expression: String,
        /// What the library said.
        cause: String,
    },
    /// A quoted field that never ends.
    #[error(
        "a quoted field that begins here is never closed{}",
        extent.map(|extent| extent.to_string()).unwrap_or_default()
    )]
    UnterminatedQuote {
        /// What it takes in, where the input was read to its end.
        extent: Option<QuoteExtent>,
    },
    /// A quote inside an unquoted field, or text after a closing quote.
    #[error("a quote where none is allowed: {what}")]
    StrayQuote {
        /// Which of the two.
        what: &'static str,
    },
    /// A NUL byte, which CSV text does not hold.
    #[error("the text contains a NUL byte")]
    NulByte,
    /// Bytes that the encoding does not allow.
    #[error("the bytes {bytes} are not valid {encoding}")]
    InvalidEncoding {
        /// The first bad bytes in hexadecimal.
        bytes: String,
        /// Name of the encoding.
        encoding: String,
    },
    /// The compressed stream ends early.
    #[error("the {format} stream is cut off: it ends before its end marker")]
    TruncatedCompression {
        /// gzip, zstd, …
        format: &'static str,
    },
    /// The compressed stream is damaged.
    #[error("the {format} stream is damaged: {cause}")]
    DamagedCompression {
        /// gzip, zstd, …
        format: &'static str,
        /// What the library said.
        cause: String,
    },
    /// Compressed in a way that is recognized and not read.
    #[error("the input is compressed with {format}, which is not supported")]
    UnsupportedCompression {
        /// lzma, zip, …
        format: &'static str,
    },
    /// Not CSV, but something that is recognized.
    #[error("the input is {what}, and sawmill reads CSV")]
    NotCsv {
        /// "a PDF document", say.
        what: String,
    },
    /// What comes out of a compressed input is out of proportion.
    #[error("the input unpacks to more than {} its size", count(*limit, "time"))]
    ExpansionTooLarge {
        /// `source.max_expansion_ratio`.
        limit: u64,
    },
    /// A field is larger than `dialect.maxFieldBytes`.
    #[error("a field is larger than the limit of {}", count(*limit, "byte"))]
    FieldTooLarge {
        /// The limit.
        limit: u64,
    },
    /// A record has more fields than `dialect.maxFields`.
    #[error("a record has more fields than the limit of {limit}")]
    TooManyFields {
        /// The limit.
        limit: u64,
    },
    /// There are fewer records after the header than `dialect.footerRecords`.
    #[error("the footer is cut off: it has {}, and {found} {} the header", count(*expected, "record"), agree(*found, "follows", "follow"))]
    FooterCutOff {
        /// `dialect.footerRecords`.
        expected: u64,
        /// Records after the header and the skipped ones, at least one.
        found: u64,
    },
    /// More blank lines and comments stand where the footer may be than are held in memory.
    #[error("more than {} of blank lines or comments where the footer may be", count(*limit, "byte"))]
    FooterTooFar {
        /// `dialect.maxRecordBytes`.
        limit: u64,
    },
    /// The input does not end in the record that `dialect.trailerCount` expects.
    #[error("the trailer is missing: {what}")]
    TrailerMissing {
        /// What stands there instead.
        what: String,
    },
    /// The input has another number of records than its trailer says.
    #[error("the trailer says {}, but there {} {counted}", count(*stated, "record"), agree(*counted, "is", "are"))]
    TrailerCount {
        /// What the trailer says.
        stated: u64,
        /// What was counted, of the records that `dialect.trailerCount` is about.
        counted: u64,
    },
    /// A record is larger than `dialect.maxRecordBytes`.
    #[error("a record is larger than the limit of {}", count(*limit, "byte"))]
    RecordTooLarge {
        /// The limit.
        limit: u64,
    },
    /// Nothing tells which of two ways to read the text is meant.
    #[error("the text can be read in two ways, as {why}: {one}; or {other}")]
    TwoReadings {
        /// What is not certain.
        why: String,
        /// What one of them gives, with its flags.
        one: String,
        /// The same of the other one.
        other: String,
    },
    /// Inputs that are read together, each a table by a delimiter that does not divide the other.
    #[error("the delimiter here is {one:?}, and in {url} it is {other:?}")]
    DifferentDelimiters {
        /// The delimiter of this input.
        one: String,
        /// The other input.
        url: String,
        /// Its delimiter.
        other: String,
    },
    /// A comment, by a mark that was guessed, that may be a record.
    #[error(
        "a line that begins with {mark:?} has the {fields} fields of a record, though {mark:?} was taken for the mark of comments"
    )]
    CommentLikeRecord {
        /// The mark.
        mark: char,
        /// Fields of a record.
        fields: u64,
    },
    /// More records were rejected than a budget of the job allows.
    #[error("{} of {} {} rejected, more than {limit} allows: {reasons}", HumanCount(*rejected), count(*read, "record"), agree(*rejected, "was", "were"))]
    TooManyRejected {
        /// Records rejected so far.
        rejected: u64,
        /// Records read so far.
        read: u64,
        /// Key of the job file and its value.
        limit: String,
        /// The most frequent reasons, each with its first place.
        reasons: String,
    },
    /// Nothing is left of an input.
    #[error(
        "nothing is left of the input, as {} rejected{}",
        if *records == 1 { "its only record was".to_owned() } else { format!("all its {} were", count(*records, "record")) },
        if first.is_empty() { String::new() } else { format!("; the first here: {first}") }
    )]
    AllRejected {
        /// Records read.
        records: u64,
        /// What was wrong with the first of them; empty if that is not known.
        first: String,
    },
    /// The run wrote fewer or more rows than the job expects.
    #[error("the run would write a number of rows that differs from what {limit} allows: {account}")]
    RowsOutOfBounds {
        /// The records of the run.
        account: String,
        /// Key of the job file and its value.
        limit: String,
    },
}

/// What the record of a quote that is never closed takes in: the rest of its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuoteExtent {
    /// Place of the quote in its line, in characters from 1.
    pub character: u64,
    /// First and last line of the record, from 1.
    pub lines: (u64, u64),
    /// Its first byte and the end of the input.
    pub bytes: (u64, u64),
    /// First bytes that are kept of a record that is set aside, if not all are.
    pub kept_bytes: Option<u64>,
}

impl QuoteExtent {
    /// How many lines it takes in.
    pub fn line_count(&self) -> u64 {
        self.lines.1 - self.lines.0 + 1
    }
}

impl fmt::Display for QuoteExtent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QuoteExtent { character, lines: (first, last), bytes: (start, end), kept_bytes } = *self;
        write!(
            f,
            ": from character {character} of the line it takes in all up to the end of the input, so that "
        )?;
        match first == last {
            true => write!(f, "line {first}")?,
            false => write!(f, "lines {first} to {last}")?,
        }
        write!(f, " (bytes {start} to {end}) {} one record", agree(self.line_count(), "is", "are"))?;
        match kept_bytes {
            Some(kept) => write!(f, ", of which the first {} are kept", count(kept, "byte")),
            None => Ok(()),
        }
    }
}

impl InputProblem {
    /// The same without values of the data.
    #[must_use]
    pub fn without_values(self) -> Self {
        let hidden = || "…".to_owned();
        match self {
            InputProblem::Value { expected, detail, .. } => {
                InputProblem::Value { value: hidden(), expected, detail }
            }
            InputProblem::PartitionValue { bytes, limit, is_path, .. } => {
                InputProblem::PartitionValue { value: hidden(), bytes, limit, is_path }
            }
            InputProblem::NamelessValue { field, .. } => {
                InputProblem::NamelessValue { value: hidden(), field }
            }
            InputProblem::PathValue { name, expected, .. } => {
                InputProblem::PathValue { name, value: hidden(), expected }
            }
            InputProblem::Constraint { constraint, .. } => {
                InputProblem::Constraint { constraint, value: hidden() }
            }
            InputProblem::Expression { expression, .. } => {
                InputProblem::Expression { expression, cause: hidden() }
            }
            InputProblem::InvalidEncoding { encoding, .. } => {
                InputProblem::InvalidEncoding { bytes: hidden(), encoding }
            }
            // No text is kept then.
            InputProblem::UnterminatedQuote { extent } => InputProblem::UnterminatedQuote {
                extent: extent.map(|extent| QuoteExtent { kept_bytes: None, ..extent }),
            },
            other => other,
        }
    }

    /// The rule that is broken, as one stable word: `rule` in the quarantine.
    pub fn rule(&self) -> &'static str {
        match self {
            InputProblem::EmptyFile
            | InputProblem::HeaderOnly
            | InputProblem::NoRecords
            | InputProblem::NothingToWrite => "empty",
            InputProblem::UnnamedColumn { .. }
            | InputProblem::NoHeader
            | InputProblem::MissingColumns { .. }
            | InputProblem::ExtraColumns { .. }
            | InputProblem::ReorderedColumns { .. }
            | InputProblem::DuplicateColumn { .. }
            | InputProblem::PathColumnMissing { .. }
            | InputProblem::PathColumnInHeader { .. } => "header",
            InputProblem::Ragged { .. } | InputProblem::NamelessValue { .. } => "ragged",
            InputProblem::Value { .. } | InputProblem::PathValue { .. } => "type",
            InputProblem::RequiredNull => "required",
            InputProblem::Constraint { .. } => "constraint",
            InputProblem::Check { .. } => "check",
            InputProblem::Duplicate { .. } => "unique",
            InputProblem::Expression { .. } => "expression",
            InputProblem::UnterminatedQuote { .. } | InputProblem::StrayQuote { .. } => "quote",
            InputProblem::NulByte | InputProblem::InvalidEncoding { .. } | InputProblem::NotCsv { .. } => {
                "encoding"
            }
            InputProblem::TruncatedCompression { .. }
            | InputProblem::DamagedCompression { .. }
            | InputProblem::UnsupportedCompression { .. } => "compression",
            InputProblem::PartitionValue { .. }
            | InputProblem::ExpansionTooLarge { .. }
            | InputProblem::FieldTooLarge { .. }
            | InputProblem::TooManyFields { .. }
            | InputProblem::BeyondSample { .. }
            | InputProblem::RecordTooLarge { .. } => "size",
            InputProblem::FooterCutOff { .. }
            | InputProblem::FooterTooFar { .. }
            | InputProblem::TrailerMissing { .. }
            | InputProblem::TrailerCount { .. } => "trailer",
            InputProblem::TwoReadings { .. } | InputProblem::DifferentDelimiters { .. } => "dialect",
            InputProblem::CommentLikeRecord { .. } => "comment",
            InputProblem::TooManyRejected { .. }
            | InputProblem::AllRejected { .. }
            | InputProblem::RowsOutOfBounds { .. } => "budget",
        }
    }
}
