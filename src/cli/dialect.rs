//! Flags that describe the CSV, shared by `convert` and `infer`.

use super::policy;
use crate::error::{Error, JobPlace, Result};
use crate::parse::{Delimiter, StrayQuotes, Trim};
use crate::spanned::{KeyPath, Problem, Problems};
use crate::spec::{BlankNames, ByName, DialectSpec, DuplicateColumns, Named};

/// What is left out is found from a sample.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "How the CSV is written (left out: found from a sample)")]
pub(super) struct DialectArgs {
    /// Separates fields: one to four bytes, such as `;`, `\t`, `||` or `\u{1f}`
    #[arg(short, long, value_name = "TEXT", value_parser = parse_delimiter)]
    delimiter: Option<String>,
    /// Ends records: \n (and \r\n), \r, any of them, or one other character
    #[arg(long, value_name = "TEXT", value_parser = parse_terminator)]
    line_terminator: Option<String>,
    /// Encloses fields: one ASCII character
    #[arg(long, value_name = "CHAR", value_parser = parse_character, conflicts_with = "no_quote")]
    quote: Option<String>,
    /// No character encloses fields
    #[arg(long)]
    no_quote: bool,
    /// Escapes a quote inside quotes, or with --no-quote a delimiter or line end; without it a quote is written twice
    #[arg(long, value_name = "CHAR", value_parser = parse_character)]
    escape: Option<String>,
    /// The first record names the columns
    #[arg(long, overrides_with = "no_header")]
    header: bool,
    /// There is no header; columns are called column_1, column_2, …
    #[arg(long, overrides_with = "header")]
    no_header: bool,
    /// Records that name the columns, joined by position [default: 1]
    #[arg(long, value_name = "N", conflicts_with = "no_header")]
    header_rows: Option<u64>,
    /// A column whose name in the header is blank, and the empty field of a delimiter at the end of each record: position (name it column_3), drop (leave it out; a value in it is a bad record), fail, or auto (drop it if it is empty in the sample) [default: auto]
    #[arg(long, value_name = "POLICY", value_parser = policy::<BlankNames>)]
    blank_names: Option<BlankNames>,
    /// If the header names a column several times, read the first [default: fail]
    #[arg(long, conflicts_with = "number_duplicate_columns")]
    first_duplicate_columns: bool,
    /// If the header names a column several times, read all of them, the others as name_2, name_3, … [default: fail]
    #[arg(long)]
    number_duplicate_columns: bool,
    /// A first line such as sep=; is a record; without this it names the delimiter and is passed over, unless --skip-records counts it
    #[arg(long)]
    no_separator_line: bool,
    /// Records to skip before the header [default: as many as a sample shows]
    #[arg(long, value_name = "N")]
    skip_records: Option<u64>,
    /// Records to skip between the header and the data [default: 0]
    #[arg(long, value_name = "N")]
    skip_records_after_header: Option<u64>,
    /// Records at the end of each input that are not data [default: 0]
    #[arg(long, value_name = "N")]
    footer_records: Option<u64>,
    /// Drop spaces and tabs around fields: left, right or both
    #[arg(long, value_name = "SIDE", value_parser = parse_trim)]
    trim: Option<Trim>,
    /// The most fields that a record may have, the header too [default: 16384]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_fields: Option<u64>,
    /// Largest field in bytes [default: 8388608, 8 MiB]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    max_field_bytes: Option<u64>,
    /// Largest record in bytes [default: 16777216, 16 MiB]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    max_record_bytes: Option<u64>,
    /// A record that begins with this character is a comment
    #[arg(long, value_name = "CHAR", value_parser = parse_character, conflicts_with = "no_comment")]
    comment: Option<String>,
    /// No record is a comment
    #[arg(long)]
    no_comment: bool,
    /// WHATWG label of the encoding, such as windows-1252 or utf-16le [default: by byte order mark, else utf-8; `infer` looks for others]
    #[arg(long, value_name = "LABEL")]
    encoding: Option<String>,
    /// Keep a quote inside an unquoted field, or what follows the closing quote of a quoted one, as text, instead of failing: of "a"b the second quote still closes, which gives ab
    #[arg(long)]
    keep_stray_quotes: bool,
    /// Quotes inside quoted fields may stand as they are: one closes the field only before a delimiter, a line end or the end of the input, so that "a"b" gives a"b; "" is still one quote
    #[arg(long, conflicts_with = "no_quote")]
    unescaped_quotes: bool,
}

impl DialectArgs {
    /// What a name means that the header has several times.
    pub(super) fn duplicate_columns(&self) -> DuplicateColumns {
        match () {
            () if self.first_duplicate_columns => DuplicateColumns::First,
            () if self.number_duplicate_columns => DuplicateColumns::Number,
            () => DuplicateColumns::Fail,
        }
    }

    pub(super) fn spec(&self) -> Result<DialectSpec> {
        Ok(DialectSpec {
            delimiter: self.delimiter.clone(),
            line_terminator: self.line_terminator.clone(),
            quote_char: if self.no_quote { Some(String::new()) } else { self.quote.clone() },
            escape_char: self.escape.clone(),
            header: match (self.header || self.header_rows.is_some(), self.no_header) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            header_rows: self.header_rows,
            blank_names: self.blank_names,
            separator_line: self.no_separator_line.then_some(false),
            skip_records: self.skip_records,
            footer_records: self.footer_records,
            skip_records_after_header: self.skip_records_after_header,
            max_fields: self.max_fields,
            max_field_bytes: self.max_field_bytes,
            max_record_bytes: self.max_record_bytes,
            trim: self.trim,
            comment_char: if self.no_comment { Some(String::new()) } else { self.comment.clone() },
            encoding: self
                .encoding
                .as_deref()
                .map(|name| named(["dialect", "encoding"], name))
                .transpose()?,
            stray_quotes: self.keep_stray_quotes.then_some(StrayQuotes::Keep),
            unescaped_quotes: self.unescaped_quotes.then_some(true),
            ..DialectSpec::default()
        })
    }
}

/// Flags by the keys that they stand for, where these may be named as the place of a mistake.
pub(super) const FLAG_OF_KEY: [(&str, &str); 24] = [
    ("dialect.delimiter", "--delimiter"),
    ("dialect.lineTerminator", "--line-terminator"),
    ("dialect.quoteChar", "--quote"),
    ("dialect.escapeChar", "--escape"),
    ("dialect.commentChar", "--comment"),
    ("dialect.encoding", "--encoding"),
    ("dialect.header", "--header"),
    ("dialect.headerRows", "--header-rows"),
    ("dialect.skipRecords", "--skip-records"),
    ("dialect.skipRecordsAfterHeader", "--skip-records-after-header"),
    ("dialect.footerRecords", "--footer-records"),
    ("dialect.trim", "--trim"),
    ("dialect.maxFields", "--max-fields"),
    ("dialect.maxFieldBytes", "--max-field-bytes"),
    ("dialect.maxRecordBytes", "--max-record-bytes"),
    ("source.path_columns", "--path-column"),
    ("source.settle_seconds", "--settle"),
    ("source.region", "--region"),
    ("source.endpoint", "--endpoint"),
    ("source.max_expansion_ratio", "--max-expansion-ratio"),
    ("output.compression", "--compression"),
    ("output.partition_by", "--partition-by"),
    ("targets", "--output"),
    ("schema", "--schema"),
];

/// Mistakes of a job that was made of flags.
pub(super) fn mistaken(mut problems: Problems) -> Error {
    for problem in problems.0.iter_mut().filter(|problem| problem.place.is_none()) {
        let key = problem.key.to_string();
        let begins = |known: &str| {
            key.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
        };
        let key = match FLAG_OF_KEY.iter().find(|(known, _)| begins(known)) {
            Some((_, flag)) => (*flag).to_owned(),
            None => key,
        };
        let key = Some(key).filter(|key| !key.is_empty());
        problem.place = Some(JobPlace { file: "the command line".into(), key, ..JobPlace::default() }.into());
    }
    problems.into_error("the command line")
}

/// What a flag names that stands for this key.
pub(super) fn named<T: ByName>(key: [&str; 2], name: &str) -> Result<Named<T>> {
    let key = KeyPath::from(key[0]).key(key[1]);
    name.parse().map_err(|problem: Problem| mistaken(problem.under(&key).into()))
}

fn parse_character(text: &str) -> Result<String, String> {
    match unescaped(text) {
        Some(text) if text.len() == 1 && text.is_ascii() => Ok(text),
        _ => Err("expected one ASCII character, or \\t for a tab".into()),
    }
}

fn parse_delimiter(text: &str) -> Result<String, String> {
    let text = unescaped(text).filter(|text| Delimiter::new(text).is_some());
    text.ok_or_else(|| "expected one to four bytes, \\t for a tab, or \\u{…} for another character".into())
}

fn parse_terminator(text: &str) -> Result<String, String> {
    let text = match text {
        r"\r\n" | r"\n" => "\n".into(),
        r"\r" => "\r".into(),
        _ => unescaped(text).unwrap_or_default(),
    };
    let spec = DialectSpec { line_terminator: Some(text.clone()), ..DialectSpec::default() };
    match spec.resolve() {
        Ok(_) => Ok(text),
        Err(_) => {
            Err("expected \\n, \\r, any, or one character other than a letter, a digit or a special one"
                .into())
        }
    }
}

fn parse_trim(text: &str) -> Result<Trim, String> {
    match text {
        "none" => Ok(Trim::None),
        "left" => Ok(Trim::Left),
        "right" => Ok(Trim::Right),
        "both" => Ok(Trim::Both),
        _ => Err("expected none, left, right or both".into()),
    }
}

/// Text in which `\t` and `\u{…}` stand for what shells do not let one type;
/// `tab` is a tab, too. `None` if a code is not a character.
fn unescaped(text: &str) -> Option<String> {
    if text == "tab" {
        return Some("\t".into());
    }
    let (mut rest, mut found) = (text, String::new());
    while let Some(at) = rest.find(r"\u{") {
        let (code, after) = rest[at + 3..].split_once('}')?;
        found.push_str(&rest[..at]);
        found.push(u32::from_str_radix(code, 16).ok().and_then(char::from_u32)?);
        rest = after;
    }
    found.push_str(rest);
    Some(found.replace(r"\t", "\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_cannot_be_typed_have_codes() {
        for (text, delimiter) in [
            (",", Some(",")),
            (r"\t", Some("\t")),
            ("tab", Some("\t")),
            (r"\u{1f}", Some("\u{1f}")),
            (r"|\u{7c}", Some("||")),
            ("¦", Some("¦")),
            (r"\", Some(r"\")),
            ("", None),
            ("|||||", None),
            (r"\u{1f", None),
            (r"\u{110000}", None),
        ] {
            assert_eq!(parse_delimiter(text).ok().as_deref(), delimiter, "{text}");
        }
        assert_eq!(parse_character(r"\u{1}").as_deref(), Ok("\u{1}"));
        assert!(parse_character("¦").is_err());
    }
}
