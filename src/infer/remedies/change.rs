//! One setting that reads a text otherwise.

use crate::error::wording;
use crate::infer::dialect::shell_quoted;
use crate::parse::{Delimiter, StrayQuotes, Trim};
use crate::spec::{DialectSpec, EncodingName};

/// One setting that reads a text otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    NoQuote,
    Quote(u8),
    Escape(u8),
    UnescapedQuotes,
    KeepStrayQuotes,
    Delimiter(Delimiter),
    Trim(Trim),
    Comment(u8),
    NoComment,
    SkipRecords(u64),
    FooterRecords(u64),
    NoHeader,
    NumberDuplicates,
    FirstOfDuplicates,
    MaxFields(u64),
    Encoding(EncodingName),
    PadShortRecords,
    TruncateLongRecords,
    RejectRecords,
}

/// What a job says of how a text is read, as far as remedies change it.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    pub(super) dialect: DialectSpec,
    /// Whether a name may stand twice in the header.
    pub(super) takes_duplicates: bool,
    /// Whether then only the first is read.
    pub(super) leaves_duplicates_out: bool,
    /// `errors.bad_record = "reject"`.
    pub(super) rejects: bool,
    /// `errors.short_record = "pad"`.
    pub(super) pads: bool,
    /// `errors.long_record = "truncate"`.
    pub(super) truncates: bool,
}

impl Change {
    /// Whether both decide the same, so that they cannot go together.
    pub(super) fn excludes(&self, other: &Change) -> bool {
        let quotes = |change: &Change| matches!(change, Change::NoQuote | Change::Quote(_));
        let needs_quote = |change: &Change| {
            matches!(change, Change::UnescapedQuotes | Change::KeepStrayQuotes | Change::Trim(_))
        };
        std::mem::discriminant(self) == std::mem::discriminant(other)
            || quotes(self) && quotes(other)
            || *self == Change::NoQuote && needs_quote(other)
            || *other == Change::NoQuote && needs_quote(self)
    }

    /// Whether a quote may then stand where another one closes.
    pub(super) fn joins_lines(&self) -> bool {
        matches!(self, Change::KeepStrayQuotes | Change::UnescapedQuotes)
    }

    /// The settings with this one changed.
    pub(super) fn applied(&self, mut settings: Settings) -> Settings {
        let dialect = &mut settings.dialect;
        let text = |byte: &u8| Some(char::from(*byte).to_string());
        match self {
            Change::NoQuote => dialect.quote_char = Some(String::new()),
            Change::Quote(quote) => dialect.quote_char = text(quote),
            Change::Escape(escape) => dialect.escape_char = text(escape),
            Change::UnescapedQuotes => dialect.unescaped_quotes = Some(true),
            Change::KeepStrayQuotes => dialect.stray_quotes = Some(StrayQuotes::Keep),
            Change::Delimiter(delimiter) => dialect.delimiter = Some(delimiter.as_str().to_owned()),
            Change::Trim(trim) => dialect.trim = Some(*trim),
            Change::Comment(mark) => dialect.comment_char = text(mark),
            Change::NoComment => dialect.comment_char = Some(String::new()),
            Change::SkipRecords(records) => dialect.skip_records = Some(*records),
            Change::FooterRecords(records) => dialect.footer_records = Some(*records),
            Change::NoHeader => dialect.header = Some(false),
            Change::NumberDuplicates => settings.takes_duplicates = true,
            Change::FirstOfDuplicates => {
                settings.takes_duplicates = true;
                settings.leaves_duplicates_out = true;
            }
            Change::MaxFields(fields) => dialect.max_fields = Some(*fields),
            Change::Encoding(encoding) => dialect.encoding = Some(encoding.clone()),
            Change::PadShortRecords => settings.pads = true,
            Change::TruncateLongRecords => settings.truncates = true,
            Change::RejectRecords => settings.rejects = true,
        }
        settings
    }

    /// The key of a job with its value, and the flag of `convert`.
    pub(super) fn told(&self) -> (String, String) {
        let setting = |key: &str, value: &str, flag: &str| (format!("{key} = {value}"), flag.to_owned());
        let text = |key: &str, value: &str, flag: &str| {
            setting(key, &wording::text(value), &format!("{flag} {}", shell_quoted(value)))
        };
        let word = |key: &str, value: &str, flag: &str| {
            setting(key, &wording::text(value), &format!("{flag} {value}"))
        };
        let number =
            |key: &str, value: &u64, flag: &str| setting(key, &value.to_string(), &format!("{flag} {value}"));
        let character = |byte: &u8| char::from(*byte).to_string();
        match self {
            Change::NoQuote => setting("dialect.quoteChar", "\"\"", "--no-quote"),
            Change::Quote(quote) => text("dialect.quoteChar", &character(quote), "--quote"),
            Change::Escape(escape) => text("dialect.escapeChar", &character(escape), "--escape"),
            Change::UnescapedQuotes => setting("dialect.unescapedQuotes", "true", "--unescaped-quotes"),
            Change::KeepStrayQuotes => setting("dialect.strayQuotes", "\"keep\"", "--keep-stray-quotes"),
            Change::Delimiter(delimiter) => text("dialect.delimiter", delimiter.as_str(), "--delimiter"),
            Change::Trim(trim) => word("dialect.trim", side(*trim), "--trim"),
            Change::Comment(mark) => text("dialect.commentChar", &character(mark), "--comment"),
            Change::NoComment => setting("dialect.commentChar", "\"\"", "--no-comment"),
            Change::SkipRecords(records) => number("dialect.skipRecords", records, "--skip-records"),
            Change::FooterRecords(records) => number("dialect.footerRecords", records, "--footer-records"),
            Change::NoHeader => setting("dialect.header", "false", "--no-header"),
            Change::NumberDuplicates => {
                setting("source.duplicate_columns", "\"number\"", "--number-duplicate-columns")
            }
            Change::FirstOfDuplicates => {
                setting("source.duplicate_columns", "\"first\"", "--first-duplicate-columns")
            }
            Change::MaxFields(fields) => number("dialect.maxFields", fields, "--max-fields"),
            Change::Encoding(encoding) => word("dialect.encoding", encoding.name(), "--encoding"),
            Change::PadShortRecords => word("errors.short_record", "pad", "--on-short-record"),
            Change::TruncateLongRecords => word("errors.long_record", "truncate", "--on-long-record"),
            Change::RejectRecords => word("errors.bad_record", "reject", "--on-bad-record"),
        }
    }
}

fn side(trim: Trim) -> &'static str {
    match trim {
        Trim::None => "none",
        Trim::Left => "left",
        Trim::Right => "right",
        Trim::Both => "both",
    }
}
