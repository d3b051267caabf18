//! [`DialectSpec`] ↔ [`Dialect`].

use super::DialectSpec;
use crate::parse::{Delimiter, Dialect, Escape, StrayQuotes, Terminator, TrailerCount};
use crate::spanned::Problem;

/// Header records and footer records that are held in memory at once.
const MAX_HELD_RECORDS: u64 = 100;

impl DialectSpec {
    /// The dialect, with defaults for what is left out. Keys of the problem
    /// are relative to the dialect.
    pub fn resolve(&self) -> Result<Dialect, Problem> {
        let default = Dialect::default();
        let quote = match self.quote_char.as_deref() {
            Some("") => None,
            Some(text) => Some(one_byte("quoteChar", text)?),
            None => default.quote,
        };
        let dialect = Dialect {
            delimiter: self.delimiter.as_deref().map_or(Ok(default.delimiter), delimiter)?,
            quote,
            escape: self.escape(quote)?,
            terminator: self.line_terminator.as_deref().map_or(Ok(default.terminator), terminator)?,
            stray_quotes: self.stray_quotes.unwrap_or(default.stray_quotes),
            unescaped_quotes: self.unescaped_quotes.unwrap_or(default.unescaped_quotes),
            comment: match self.comment_char.as_deref() {
                None | Some("") => None,
                Some(text) => Some(one_byte("commentChar", text)?),
            },
            guessed_comment_fields: self.guessed_comment_fields,
            trim: self.trim.unwrap_or(default.trim),
            skip_initial_space: self.skip_initial_space.unwrap_or(default.skip_initial_space),
            header: self.header.unwrap_or(default.header),
            header_rows: self.header_rows()?,
            header_join: self.header_join.clone().unwrap_or(default.header_join),
            blank_names: self.blank_names.unwrap_or(default.blank_names),
            duplicate_names: default.duplicate_names,
            // Who skips records counts that line.
            separator_line: self.separator_line.unwrap_or(self.skip_records.unwrap_or_default() == 0),
            skip_records: self.skip_records.unwrap_or(default.skip_records),
            skip_records_after_header: self.skip_records_after_header.unwrap_or_default(),
            footer_records: self.footer_records()?,
            trailer_count: self.trailer_count.clone(),
            invalid_bytes: self.invalid_bytes.unwrap_or(default.invalid_bytes),
            max_field_bytes: above_zero("maxFieldBytes", self.max_field_bytes, default.max_field_bytes)?,
            max_record_bytes: above_zero("maxRecordBytes", self.max_record_bytes, default.max_record_bytes)?,
            max_fields: above_zero("maxFields", self.max_fields, default.max_fields)?,
        };
        check_distinct(&dialect)?;
        check_space(&dialect)?;
        Ok(dialect)
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
        let default = Dialect::default();
        let text = |byte: u8| char::from(byte).to_string();
        let differing = |value: u64, default: u64| (value != default).then_some(value);
        DialectSpec {
            delimiter: Some(dialect.delimiter.into()),
            line_terminator: match dialect.terminator {
                Terminator::Lf => None,
                Terminator::Cr => Some("\r".into()),
                Terminator::Any => Some("any".into()),
                Terminator::Byte(byte) => Some(text(byte)),
            },
            quote_char: match dialect.quote {
                quote if quote == default.quote => None,
                Some(byte) => Some(text(byte)),
                None => Some(String::new()),
            },
            escape_char: match dialect.escape {
                Escape::Byte(byte) => Some(text(byte)),
                Escape::Doubled => None,
            },
            skip_initial_space: dialect.skip_initial_space.then_some(true),
            trim: (dialect.trim != default.trim).then_some(dialect.trim),
            header_rows: differing(dialect.header_rows, default.header_rows),
            header_join: (dialect.header_join != default.header_join).then(|| dialect.header_join.clone()),
            blank_names: (dialect.blank_names != default.blank_names).then_some(dialect.blank_names),
            separator_line: (dialect.separator_line != (dialect.skip_records == 0))
                .then_some(dialect.separator_line),
            skip_records_after_header: differing(dialect.skip_records_after_header, 0),
            footer_records: differing(dialect.footer_records, default.footer_records),
            trailer_count: dialect.trailer_count.clone(),
            invalid_bytes: (dialect.invalid_bytes != default.invalid_bytes).then_some(dialect.invalid_bytes),
            header: (dialect.header != default.header).then_some(dialect.header),
            comment_char: dialect.comment.map(text),
            guessed_comment_fields: dialect.guessed_comment_fields,
            skip_records: differing(dialect.skip_records, default.skip_records),
            stray_quotes: (dialect.stray_quotes == StrayQuotes::Keep).then_some(StrayQuotes::Keep),
            unescaped_quotes: dialect.unescaped_quotes.then_some(true),
            max_field_bytes: differing(dialect.max_field_bytes, default.max_field_bytes),
            max_record_bytes: differing(dialect.max_record_bytes, default.max_record_bytes),
            max_fields: differing(dialect.max_fields, default.max_fields),
            ..DialectSpec::default()
        }
    }
}

/// No byte may have two meanings at one place.
fn check_distinct(dialect: &Dialect) -> Result<(), Problem> {
    let escape = match dialect.escape {
        Escape::Byte(byte) => Some(byte),
        Escape::Doubled => None,
    };
    let terminator = match dialect.terminator {
        Terminator::Byte(byte) => Some(byte),
        Terminator::Lf | Terminator::Cr | Terminator::Any => None,
    };
    let special = [
        ("quoteChar", dialect.quote),
        ("escapeChar", escape),
        ("commentChar", dialect.comment),
        ("lineTerminator", terminator),
    ];
    for (i, (key, byte)) in special.iter().enumerate() {
        let Some(byte) = *byte else { continue };
        let in_delimiter = dialect.delimiter.as_bytes().contains(&byte).then_some("delimiter");
        let first = special[..i].iter().find(|(_, earlier)| *earlier == Some(byte)).map(|(key, _)| *key);
        if let Some(other) = in_delimiter.or(first) {
            let whole = other != "delimiter" || dialect.delimiter.single().is_some();
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
fn check_space(dialect: &Dialect) -> Result<(), Problem> {
    let space = [dialect.leading_space(), dialect.trailing_space()].concat();
    let means = |byte: Option<u8>| byte.is_some_and(|byte| space.contains(&byte));
    let terminator = match dialect.terminator {
        Terminator::Byte(byte) => Some(byte),
        Terminator::Lf | Terminator::Cr | Terminator::Any => None,
    };
    for (key, byte) in
        [("quoteChar", dialect.quote), ("escapeChar", dialect.escape_byte()), ("lineTerminator", terminator)]
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
#[path = "grammar_tests.rs"]
mod tests;
