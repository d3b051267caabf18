//! How the CSV is written: `dialect` of the job file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A CSV dialect in the vocabulary of Frictionless *CSV Dialect*; keys beyond
/// it are marked as extensions. What is left out is found from a sample.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DialectSpec {
    /// Separates fields: one ASCII character. Default: found from a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// What ends a record: `"\n"` or `"\r\n"` (both take LF and CRLF), `"\r"`, or `any`. Default: found from a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line_terminator: Option<String>,
    /// Encloses fields: one ASCII character, or `""` for no quoting. Default: `"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote_char: Option<String>,
    /// Whether a quote inside quotes is written twice. Default: true, unless `escapeChar` is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub double_quote: Option<bool>,
    /// Escapes a quote inside quotes: one ASCII character. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escape_char: Option<String>,
    /// Text that is null in every column. Default: none, see `missingValues` of the schema.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null_sequence: Option<String>,
    /// Whether spaces after a delimiter are dropped. Only false is supported. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_initial_space: Option<bool>,
    /// Whether the first record names the columns. Default: true; in `convert` and `infer`, found from a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// A record that begins with this character is a comment. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment_char: Option<String>,
    /// Whether names in the header must match in case. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_sensitive_header: Option<bool>,
    /// Version of the CSV Dialect specification; accepted and ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csvddf_version: Option<serde_json::Value>,
    /// Extension: WHATWG label of the encoding, such as `utf-8`, `utf-16le`, `latin1`, `windows-1252`. Default: by byte order mark, else UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// Extension: records to skip before the header. Default: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_records: Option<u64>,
    /// Extension: `error` or `keep` a quote where the grammar has none. Default: `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stray_quotes: Option<crate::parse::StrayQuotes>,
    /// Extension: largest field in bytes. Default: 8,388,608 (8 MiB).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_field_bytes: Option<u64>,
    /// Extension: largest record in bytes. Default: 16,777,216 (16 MiB).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_record_bytes: Option<u64>,
}
