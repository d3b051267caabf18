//! [`DialectSpec`] ↔ [`Dialect`].

use super::{DialectSpec, Framing, InvalidBytes, TrailerCount};
use crate::parse::{Delimiter, Escape, Grammar, StrayQuotes, Terminator};
use crate::spanned::Problem;
use serde::{Deserialize, Serialize};

/// A resolved dialect: bytes and policies, nothing left to infer.
///
/// Vocabulary after the Frictionless *CSV Dialect* descriptor, which is how job
/// files spell it, as `dialect`.
///
/// Delimiter, quote, comment and the bytes of the terminator are to be all
/// different, which the loader of the job file checks. Nothing panics where they
/// are not, but what the text then means is not defined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Dialect {
    /// How bytes are cut into records and fields.
    #[serde(flatten)]
    pub grammar: Grammar,
    /// Which records are data, and what the columns are called.
    #[serde(flatten)]
    pub framing: Framing,
    /// What happens to bytes that the encoding does not allow.
    pub invalid_bytes: InvalidBytes,
}

impl Dialect {
    /// The same with another grammar.
    pub fn with_grammar(&self, grammar: Grammar) -> Self {
        Dialect { grammar, ..self.clone() }
    }

    /// The same with so many records skipped before the header.
    pub fn skipping(&self, skip_records: u64) -> Self {
        Dialect { framing: Framing { skip_records, ..self.framing.clone() }, ..*self }
    }
}

impl From<Grammar> for Dialect {
    fn from(grammar: Grammar) -> Self {
        Dialect { grammar, ..Dialect::default() }
    }
}

/// Header records and footer records that are held in memory at once.
const MAX_HELD_RECORDS: u64 = 100;

impl DialectSpec {
    /// The dialect, with defaults for what is left out. Keys of the problem
    /// are relative to the dialect.
    pub fn resolve(&self) -> Result<Dialect, Problem> {
        let Dialect { grammar, framing, invalid_bytes } = Dialect::default();
        let quote = match self.quote_char.as_deref() {
            Some("") => None,
            Some(text) => Some(one_byte("quoteChar", text)?),
            None => grammar.quote,
        };
        let grammar = Grammar {
            delimiter: self.delimiter.as_deref().map_or(Ok(grammar.delimiter), delimiter)?,
            quote,
            escape: self.escape(quote)?,
            terminator: self.line_terminator.as_deref().map_or(Ok(grammar.terminator), terminator)?,
            stray_quotes: self.stray_quotes.unwrap_or(grammar.stray_quotes),
            unescaped_quotes: self.unescaped_quotes.unwrap_or(grammar.unescaped_quotes),
            comment: match self.comment_char.as_deref() {
                None | Some("") => None,
                Some(text) => Some(one_byte("commentChar", text)?),
            },
            guessed_comment_fields: self.guessed_comment_fields,
            trim: self.trim.unwrap_or(grammar.trim),
            skip_initial_space: self.skip_initial_space.unwrap_or(grammar.skip_initial_space),
            max_field_bytes: above_zero("maxFieldBytes", self.max_field_bytes, grammar.max_field_bytes)?,
            max_record_bytes: above_zero("maxRecordBytes", self.max_record_bytes, grammar.max_record_bytes)?,
            max_fields: above_zero("maxFields", self.max_fields, grammar.max_fields)?,
        };
        let framing = Framing {
            header: self.header.unwrap_or(framing.header),
            header_rows: self.header_rows()?,
            header_join: self.header_join.clone().unwrap_or(framing.header_join),
            blank_names: self.blank_names.unwrap_or(framing.blank_names),
            duplicate_names: framing.duplicate_names,
            // Who skips records counts that line.
            separator_line: self.separator_line.unwrap_or(self.skip_records.unwrap_or_default() == 0),
            skip_records: self.skip_records.unwrap_or(framing.skip_records),
            skip_records_after_header: self.skip_records_after_header.unwrap_or_default(),
            footer_records: self.footer_records()?,
            trailer_count: self.trailer_count.clone(),
        };
        check_distinct(&grammar)?;
        check_space(&grammar)?;
        let invalid_bytes = self.invalid_bytes.unwrap_or(invalid_bytes);
        Ok(Dialect { grammar, framing, invalid_bytes })
    }

    fn header_rows(&self) -> Result<u64, Problem> {
        match (self.header_rows, self.header) {
            (Some(_), Some(false)) => {
                Err(Problem::new("headerRows", "`header` says that there is no header")
                    .remedy("leave out `headerRows` (--header-rows), or use `header = true` (--header)"))
            }
            (Some(rows), _) if rows == 0 || rows > MAX_HELD_RECORDS => {
                Err(Problem::new("headerRows", format!("must be between 1 and {MAX_HELD_RECORDS}, got {rows}"))
                    .remedy("use `header = false` (--no-header) if there is no header, and `skipRecords` (--skip-records) for records that are not a header"))
            }
            (rows, _) => Ok(rows.unwrap_or(1)),
        }
    }

    fn footer_records(&self) -> Result<u64, Problem> {
        match (self.footer_records, &self.trailer_count) {
            (Some(0), Some(_)) => {
                Err(Problem::new("footerRecords", "the record of `trailerCount` is a footer record")
                    .remedy("leave out one of the two"))
            }
            (Some(records), _) if records > MAX_HELD_RECORDS => Err(Problem::new(
                "footerRecords",
                format!("must be between 0 and {MAX_HELD_RECORDS}, got {records}"),
            )
            .remedy("cut the footer off before, or filter its records out with `transforms` in a job file")),
            (_, Some(TrailerCount { field: 0, .. })) => {
                Err(Problem::new("trailerCount", "`field` counts from 1").remedy("the first field is 1"))
            }
            (records, trailer) => Ok(records.unwrap_or(trailer.is_some() as u64)),
        }
    }

    fn escape(&self, quote: Option<u8>) -> Result<Escape, Problem> {
        let Some(text) = &self.escape_char else {
            return match (self.double_quote, quote) {
                (Some(false), Some(_)) => {
                    Err(Problem::new("doubleQuote", "a quote could not be written inside quotes at all")
                        .remedy("name an `escapeChar` (--escape), or leave `doubleQuote` out"))
                }
                _ => Ok(Escape::Doubled),
            };
        };
        let byte = one_byte("escapeChar", text)?;
        match (quote, self.double_quote) {
            (None, _) => Ok(Escape::Byte(byte)),
            // Some tools spell doubling like this.
            (Some(quote), _) if quote == byte => Ok(Escape::Doubled),
            (Some(_), Some(true)) => {
                Err(Problem::new("escapeChar", "a quote is written either twice or after an escape")
                    .remedy("leave out `doubleQuote` or `escapeChar` (--escape)"))
            }
            (Some(_), _) => Ok(Escape::Byte(byte)),
        }
    }

    /// What this says, and of what it leaves out, what `other` says.
    pub fn or(self, other: DialectSpec) -> DialectSpec {
        DialectSpec {
            // Of a mark that is said here, nothing was guessed.
            guessed_comment_fields: match self.comment_char {
                Some(_) => self.guessed_comment_fields,
                None => other.guessed_comment_fields,
            },
            delimiter: self.delimiter.or(other.delimiter),
            line_terminator: self.line_terminator.or(other.line_terminator),
            quote_char: self.quote_char.or(other.quote_char),
            double_quote: self.double_quote.or(other.double_quote),
            escape_char: self.escape_char.or(other.escape_char),
            null_sequence: self.null_sequence.or(other.null_sequence),
            skip_initial_space: self.skip_initial_space.or(other.skip_initial_space),
            header: self.header.or(other.header),
            comment_char: self.comment_char.or(other.comment_char),
            case_sensitive_header: self.case_sensitive_header.or(other.case_sensitive_header),
            csvddf_version: self.csvddf_version.or(other.csvddf_version),
            encoding: self.encoding.or(other.encoding),
            skip_records: self.skip_records.or(other.skip_records),
            stray_quotes: self.stray_quotes.or(other.stray_quotes),
            unescaped_quotes: self.unescaped_quotes.or(other.unescaped_quotes),
            max_field_bytes: self.max_field_bytes.or(other.max_field_bytes),
            max_record_bytes: self.max_record_bytes.or(other.max_record_bytes),
            trim: self.trim.or(other.trim),
            header_rows: self.header_rows.or(other.header_rows),
            header_join: self.header_join.or(other.header_join),
            blank_names: self.blank_names.or(other.blank_names),
            separator_line: self.separator_line.or(other.separator_line),
            skip_records_after_header: self.skip_records_after_header.or(other.skip_records_after_header),
            footer_records: self.footer_records.or(other.footer_records),
            trailer_count: self.trailer_count.or(other.trailer_count),
            invalid_bytes: self.invalid_bytes.or(other.invalid_bytes),
            max_fields: self.max_fields.or(other.max_fields),
        }
    }

    /// The descriptor of a dialect: what differs from the defaults of
    /// [`DialectSpec::resolve`], and the delimiter, for people.
    pub fn from_dialect(dialect: &Dialect) -> Self {
        let Dialect { grammar, framing, invalid_bytes } = dialect;
        let default = Dialect::default();
        let text = |byte: u8| char::from(byte).to_string();
        let differing = |value: u64, default: u64| (value != default).then_some(value);
        DialectSpec {
            delimiter: Some(grammar.delimiter.into()),
            line_terminator: match grammar.terminator {
                Terminator::Lf => None,
                Terminator::Cr => Some("\r".into()),
                Terminator::Any => Some("any".into()),
                Terminator::Byte(byte) => Some(text(byte)),
            },
            quote_char: match grammar.quote {
                quote if quote == default.grammar.quote => None,
                Some(byte) => Some(text(byte)),
                None => Some(String::new()),
            },
            escape_char: match grammar.escape {
                Escape::Byte(byte) => Some(text(byte)),
                Escape::Doubled => None,
            },
            skip_initial_space: grammar.skip_initial_space.then_some(true),
            trim: (grammar.trim != default.grammar.trim).then_some(grammar.trim),
            header_rows: differing(framing.header_rows, default.framing.header_rows),
            header_join: (framing.header_join != default.framing.header_join)
                .then(|| framing.header_join.clone()),
            blank_names: (framing.blank_names != default.framing.blank_names).then_some(framing.blank_names),
            separator_line: (framing.separator_line != (framing.skip_records == 0))
                .then_some(framing.separator_line),
            skip_records_after_header: differing(framing.skip_records_after_header, 0),
            footer_records: differing(framing.footer_records, default.framing.footer_records),
            trailer_count: framing.trailer_count.clone(),
            invalid_bytes: (*invalid_bytes != default.invalid_bytes).then_some(*invalid_bytes),
            header: (framing.header != default.framing.header).then_some(framing.header),
            comment_char: grammar.comment.map(text),
            guessed_comment_fields: grammar.guessed_comment_fields,
            skip_records: differing(framing.skip_records, default.framing.skip_records),
            stray_quotes: (grammar.stray_quotes == StrayQuotes::Keep).then_some(StrayQuotes::Keep),
            unescaped_quotes: grammar.unescaped_quotes.then_some(true),
            max_field_bytes: differing(grammar.max_field_bytes, default.grammar.max_field_bytes),
            max_record_bytes: differing(grammar.max_record_bytes, default.grammar.max_record_bytes),
            max_fields: differing(grammar.max_fields, default.grammar.max_fields),
            ..DialectSpec::default()
        }
    }
}

/// No byte may have two meanings at one place.
fn check_distinct(grammar: &Grammar) -> Result<(), Problem> {
    let escape = match grammar.escape {
        Escape::Byte(byte) => Some(byte),
        Escape::Doubled => None,
    };
    let terminator = match grammar.terminator {
        Terminator::Byte(byte) => Some(byte),
        Terminator::Lf | Terminator::Cr | Terminator::Any => None,
    };
    let special = [
        ("quoteChar", grammar.quote),
        ("escapeChar", escape),
        ("commentChar", grammar.comment),
        ("lineTerminator", terminator),
    ];
    for (i, (key, byte)) in special.iter().enumerate() {
        let Some(byte) = *byte else { continue };
        let in_delimiter = grammar.delimiter.as_bytes().contains(&byte).then_some("delimiter");
        let first = special[..i].iter().find(|(_, earlier)| *earlier == Some(byte)).map(|(key, _)| *key);
        if let Some(other) = in_delimiter.or(first) {
            let whole = other != "delimiter" || grammar.delimiter.single().is_some();
            let relation = if whole { "is" } else { "is in" };
            let message = format!("{:?} {relation} the {}", char::from(byte), named(other));
            return Err(Problem::new(*key, message).remedy(format!(
                "give {} and {} different characters",
                named(key),
                named(other)
            )));
        }
    }
    Ok(())
}

/// A key as messages name it.
fn named(key: &str) -> String {
    let flag = match key {
        "quoteChar" => "--quote",
        "escapeChar" => "--escape",
        "commentChar" => "--comment",
        "lineTerminator" => "--line-terminator",
        _ => "--delimiter",
    };
    format!("`{key}` ({flag})")
}

/// What is trimmed may mean nothing else.
fn check_space(grammar: &Grammar) -> Result<(), Problem> {
    let space = [grammar.leading_space(), grammar.trailing_space()].concat();
    let means = |byte: Option<u8>| byte.is_some_and(|byte| space.contains(&byte));
    let terminator = match grammar.terminator {
        Terminator::Byte(byte) => Some(byte),
        Terminator::Lf | Terminator::Cr | Terminator::Any => None,
    };
    for (key, byte) in
        [("quoteChar", grammar.quote), ("escapeChar", grammar.escape_byte()), ("lineTerminator", terminator)]
    {
        if means(byte) {
            return Err(Problem::new(key, "is white space, which is to be trimmed")
                .remedy("leave out `trim` (--trim) and `skipInitialSpace`, or choose another character"));
        }
    }
    Ok(())
}

fn delimiter(text: &str) -> Result<Delimiter, Problem> {
    let problem = match Delimiter::new(text) {
        _ if text.contains(['\r', '\n', '\0']) => {
            Problem::new("delimiter", format!("{text:?} contains a line end or NUL"))
        }
        Some(delimiter) => return Ok(delimiter),
        None => Problem::new("delimiter", format!("{text:?} is not one to four bytes")),
    };
    Err(problem.remedy(r#"write what separates fields, such as ",", "\t" or "||""#))
}

fn terminator(text: &str) -> Result<Terminator, Problem> {
    match (text, text.as_bytes()) {
        ("\n" | "\r\n", _) => Ok(Terminator::Lf),
        ("\r", _) => Ok(Terminator::Cr),
        ("any", _) => Ok(Terminator::Any),
        // A letter or digit would rather be a mistake.
        (_, [byte]) if byte.is_ascii() && !byte.is_ascii_alphanumeric() && *byte != 0 => {
            Ok(Terminator::Byte(*byte))
        }
        _ => Err(Problem::new("lineTerminator", format!("{text:?} is not a record terminator"))
            .remedy(r#"write "\n" (which takes CRLF, too), "\r\n", "\r", "any", or one other character"#)),
    }
}

fn one_byte(key: &'static str, text: &str) -> Result<u8, Problem> {
    let problem = match text.as_bytes() {
        [b'\r' | b'\n' | 0] => Problem::new(key, format!("{text:?} cannot be a special character")),
        [byte] if byte.is_ascii() => return Ok(*byte),
        _ => Problem::new(key, format!("{text:?} is not one ASCII character")),
    };
    Err(problem.remedy(match key {
        "quoteChar" => r#"write one character, or "" for no quoting"#,
        _ => "write one character, or leave the key out",
    }))
}

fn above_zero(key: &'static str, given: Option<u64>, default: u64) -> Result<u64, Problem> {
    match given {
        Some(0) => Err(Problem::new(key, "must be more than 0").remedy(format!("default: {default}"))),
        given => Ok(given.unwrap_or(default)),
    }
}

#[cfg(test)]
#[path = "settled_dialect_tests.rs"]
mod tests;
