//! How the CSV is written: `dialect` of the job file.

use super::{BlankNames, EncodingName, TrailerCount};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A CSV dialect in the vocabulary of Frictionless *CSV Dialect*; keys beyond
/// it are marked as extensions. What is left out is found from a sample.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DialectSpec {
    /// Separates fields: one to four bytes, such as `,`, `\t`, `||` or `¦`. Default: found from a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// What ends a record: `"\n"` or `"\r\n"` (both take LF and CRLF), `"\r"`, `any` of these, or one other ASCII character, such as U+001E. Default: found from a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_terminator: Option<String>,
    /// Encloses fields: one ASCII character, or `""` for no quoting. Default: `"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_char: Option<String>,
    /// Whether a quote inside quotes is written twice. Default: true, unless `escapeChar` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub double_quote: Option<bool>,
    /// Escapes a quote and itself inside quotes, and is text before anything else: one ASCII character. Where `quoteChar` is `""`, it takes the meaning from a delimiter, a terminator or itself. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escape_char: Option<String>,
    /// Text that is null in every column. Default: none, see `missingValues` of the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null_sequence: Option<String>,
    /// Whether spaces at the start of a field are dropped, also before an opening quote. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_initial_space: Option<bool>,
    /// Whether the first record names the columns. Default: true; in `convert` and `infer`, found from a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// A record that begins with this character is a comment; empty: nothing is. Default: none; in `convert` and `infer`, found from a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_char: Option<String>,
    /// Extension: written by `infer` where it found `commentChar`: fields of a record. A comment that has as many may be a record, so it fails the run. Take it out once all such lines are known to be comments. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guessed_comment_fields: Option<u64>,
    /// Whether names in the header must match in case. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_sensitive_header: Option<bool>,
    /// Version of the CSV Dialect specification; accepted and ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csvddf_version: Option<serde_json::Value>,
    /// Extension: WHATWG label of the encoding, such as `utf-8`, `utf-16le`, `latin1`, `windows-1252`. Default: by byte order mark, else UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<EncodingName>,
    /// Extension: whether a first line such as `sep=;`, as spreadsheets write it, is passed over; where no `delimiter` is given, it names it. Default: true, unless `skipRecords` is more than 0, which then counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator_line: Option<bool>,
    /// Extension: records to skip before the header. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_records: Option<u64>,
    /// Extension: `error` or `keep` a quote where the grammar has none, or text after the quote that closes a field. Default: `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stray_quotes: Option<crate::parse::StrayQuotes>,
    /// Extension: quotes inside quoted fields may stand as they are: one ends the field only if a delimiter, a line end or the end of the input follows, and is text else. A doubled or escaped one is one quote all the same. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unescaped_quotes: Option<bool>,
    /// Extension: drop spaces and tabs around a field, and around the quotes of a quoted one: `none`, `left`, `right` or `both`. Default: `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim: Option<crate::parse::Trim>,
    /// Extension: records that name the columns, joined by position; from 1 to 100. Default: 1, if there is a header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_rows: Option<u64>,
    /// Extension: stands between the parts of a name where `headerRows` is more than 1; empty parts are left out. Default: one space.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_join: Option<String>,
    /// Extension: what happens to a column whose name in the header is blank, and of the empty field that a delimiter at the end of each record makes: `position` names it `column_3` by its position, `drop` leaves it out, and a value in it is a record with too many fields, `fail` fails the run. Default: `auto`, which is `position` where the schema has the column or the sample a value in it, else `drop`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blank_names: Option<BlankNames>,
    /// Extension: records to skip between the header and the data. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_records_after_header: Option<u64>,
    /// Extension: records at the end of each input that are not data, at most 100. Default: 0; 1 if `trailerCount` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub footer_records: Option<u64>,
    /// Extension: where the last footer record says how many records the input has; a difference fails the run. Default: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trailer_count: Option<TrailerCount>,
    /// Extension: what happens to bytes that the encoding does not allow: `error`, or `replace` by U+FFFD. Default: `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_bytes: Option<InvalidBytes>,
    /// Extension: most fields in a record. Default: 16,384.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_fields: Option<u64>,
    /// Extension: largest field in bytes. Default: 8,388,608 (8 MiB).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_field_bytes: Option<u64>,
    /// Extension: largest record in bytes. Default: 16,777,216 (16 MiB).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_record_bytes: Option<u64>,
}

/// What happens to bytes that the encoding of an input does not allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InvalidBytes {
    /// The first ends the run with its place.
    #[default]
    Error,
    /// Each malformed sequence becomes one U+FFFD, as the Encoding Standard has it.
    Replace,
}
