//! Flags that describe the CSV, shared by `convert` and `infer`.

use crate::job::DialectSpec;
use crate::parse::StrayQuotes;

/// What is left out is found from a sample.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "How the CSV is written (left out: found from a sample)")]
pub(super) struct DialectArgs {
    /// Separates fields: one ASCII character, or `\t`
    #[arg(short, long, value_name = "CHAR", value_parser = parse_character)]
    delimiter: Option<String>,
    /// Encloses fields: one ASCII character
    #[arg(long, value_name = "CHAR", value_parser = parse_character, conflicts_with = "no_quote")]
    quote: Option<String>,
    /// No character encloses fields
    #[arg(long)]
    no_quote: bool,
    /// Escapes a quote inside quotes; without it a quote is written twice
    #[arg(long, value_name = "CHAR", value_parser = parse_character)]
    escape: Option<String>,
    /// The first record names the columns
    #[arg(long, overrides_with = "no_header")]
    header: bool,
    /// There is no header; columns are called column_1, column_2, …
    #[arg(long, overrides_with = "header")]
    no_header: bool,
    /// Records to skip before the header [default: 0]
    #[arg(long, value_name = "N")]
    skip_records: Option<u64>,
    /// A record that begins with this character is a comment
    #[arg(long, value_name = "CHAR", value_parser = parse_character)]
    comment: Option<String>,
    /// WHATWG label of the encoding, such as windows-1252 or utf-16le [default: by byte order mark, else utf-8]
    #[arg(long, value_name = "LABEL")]
    encoding: Option<String>,
    /// Keep a quote that stands where the grammar has none as text, instead of failing
    #[arg(long)]
    keep_stray_quotes: bool,
}

impl DialectArgs {
    pub(super) fn spec(&self) -> DialectSpec {
        DialectSpec {
            delimiter: self.delimiter.clone(),
            quote_char: if self.no_quote { Some(String::new()) } else { self.quote.clone() },
            escape_char: self.escape.clone(),
            header: match (self.header, self.no_header) {
                (true, _) => Some(true),
                (_, true) => Some(false),
                _ => None,
            },
            skip_records: self.skip_records,
            comment_char: self.comment.clone(),
            encoding: self.encoding.clone(),
            stray_quotes: self.keep_stray_quotes.then_some(StrayQuotes::Keep),
            ..DialectSpec::default()
        }
    }
}

fn parse_character(text: &str) -> Result<String, String> {
    match text {
        r"\t" | "tab" => Ok("\t".into()),
        _ if text.len() == 1 && text.is_ascii() => Ok(text.into()),
        _ => Err("expected one ASCII character, or \\t for a tab".into()),
    }
}
