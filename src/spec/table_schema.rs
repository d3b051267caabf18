//! The schema file as users write it: Frictionless *Table Schema*.
//!
//! An existing descriptor works as it is: keys that the specification knows are
//! all here, custom ones are tolerated. Keys marked *extension* are sawmill's.
//! `schema` makes settled columns of it ([`TableSchema::resolve`]).

use crate::value::{AmbiguousTime, LeadingZeros, Rounding};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A Frictionless Table Schema descriptor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableSchema {
    /// The columns, in the order of the output.
    pub fields: Vec<Field>,
    /// Texts that are null in every column, compared after the trimming that the dialect asks for. Default: `[""]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_values: Option<Vec<MissingValue>>,
    /// Name or names of the columns whose values together are never null and never the same in two records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<Value>,
    /// Lists of names of columns whose values together are never the same in two records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unique_keys: Option<Value>,
    /// References to other tables. Accepted, not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreign_keys: Option<Value>,
    /// How fields and columns are matched in Table Schema 2. Accepted and ignored: `source.match_columns` of the job decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fields_match: Option<Value>,
    /// Profile of the descriptor. Accepted and ignored.
    #[serde(default, rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub profile: Option<Value>,
    /// Name of the schema, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Title of the schema, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Description of the schema, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the reader of the file found odd, such as keys that look misspelt;
    /// [`TableSchema::resolve`] passes it on among its warnings.
    #[serde(skip)]
    pub notes: Vec<String>,
}

/// One column of a [`TableSchema`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Name in the output, and in the header unless `sourceName` says otherwise.
    pub name: String,
    /// Extension: name in the header of the CSV. Default: `name`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_name: Option<String>,
    /// `string`, `integer`, `number`, `boolean`, `date`, `time`, `datetime`, `year`, or another type of Table Schema (read as text). Extensions: `int8` to `int64`, `uint8` to `uint64`, `float32`, `float64`, `decimal(precision,scale)`, `timestamp(s|ms|us|ns)`, `timestamp(unit,UTC)`, `binary`. SQL's names work, too: `smallint`, `int`, `bigint`, `real`, `double precision`, `numeric(precision,scale)`, `varchar(n)` and `char(n)` (text of up to n bytes), `bool`, `timestamptz`. Default: `string`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub field_type: Option<String>,
    /// Of dates and times: a strftime pattern (also `%s` and `%Q`: seconds and milliseconds since 1970), or `default` for ISO 8601. Of strings: `binary` means base64. Of `binary`: `base64` (the default) or `hex`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Extension: strftime patterns of dates and times, tried in order, instead of `format`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub formats: Option<Vec<String>>,
    /// Title, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Description, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// A value, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<Value>,
    /// Class of the values in RDF, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rdf_type: Option<String>,
    /// What must hold of the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Constraints>,
    /// Texts that are null in this column, instead of the schema's, compared after the trimming that the dialect asks for. Default: the schema's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_values: Option<Vec<MissingValue>>,
    /// Extension: whether a quoted text of `missingValues` is null, too. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_nulls: Option<bool>,
    /// Extension: IANA name of the zone of timestamps that carry none, for types `timestamp(unit,UTC)`. Default: `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_time_zone: Option<String>,
    /// Extension: which instant a local time is that the clocks of `sourceTimeZone` showed twice: `error` (a bad value), `earlier` or `later`. Default: `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ambiguous_time: Option<AmbiguousTime>,
    /// Extension: first of the hundred years in which two-digit years (`%y`) lie; 2000 means 2000 to 2099. Default: 1969, as POSIX has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub two_digit_year_pivot: Option<u16>,
    /// Texts that are true. Default: `["true", "True", "TRUE", "1"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_values: Option<Vec<String>>,
    /// Texts that are false. Default: `["false", "False", "FALSE", "0"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_values: Option<Vec<String>>,
    /// Extension: whether `trueValues` and `falseValues` match in any case of the letters A to Z. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore_case: Option<bool>,
    /// The mark between whole and fraction, one ASCII character. Default: `.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_char: Option<String>,
    /// The mark between groups of digits, one ASCII character. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_char: Option<String>,
    /// Whether numbers stand without currency signs, percent signs or units, which are dropped unread otherwise: `5%` is 5, `5k` is 5. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bare_number: Option<bool>,
    /// Extension: what happens to digits that a decimal or integer type does not keep: `error` (unless they are zeros, the value is bad; integers have no point at all), `half_up`, `half_even` or `down`. Default: `error`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rounding: Option<Rounding>,
    /// Extension: whether numbers may begin with zeros that say nothing, as `007`: `allow` or `error`. Default: `allow`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leading_zeros: Option<LeadingZeros>,
    /// The values allowed, as Table Schema 2 lists them: texts or integers, or tables with `value` and `label`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories: Option<Value>,
    /// Whether categories are ordered. Accepted and ignored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub categories_ordered: Option<bool>,
    /// Type of the items of a list. Accepted and ignored: lists are text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_type: Option<String>,
    /// What separates the items of a list. Accepted and ignored: lists are text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
}

/// What must hold of a column's values. Nulls break none of it but `required`.
///
/// Values are written as JSON has them, or as texts that the column would read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Constraints {
    /// Whether nulls are refused. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Whether values are unique. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<bool>,
    /// Shortest text in characters, or binary in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// Longest text in characters, or binary in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// Smallest value of numbers, dates and times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Value>,
    /// Largest value of numbers, dates and times.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Value>,
    /// Value that all are larger than.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_minimum: Option<Value>,
    /// Value that all are smaller than.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_maximum: Option<Value>,
    /// Regular expression that the whole text matches, in the syntax of Rust's `regex` (Perl's without look-around and backreferences).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The values allowed.
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    pub enumeration: Option<Vec<Value>>,
    /// JSON Schema of the value. Not supported: an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_schema: Option<Value>,
}

/// A text that is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected a string, or an object with `value` and `label`")]
pub enum MissingValue {
    /// The text.
    Text(String),
    /// The text and what it stands for (Table Schema 2).
    Labelled {
        /// The text.
        value: String,
        /// What it stands for, for people.
        label: String,
    },
}

impl MissingValue {
    /// The text.
    pub fn text(&self) -> &str {
        match self {
            MissingValue::Text(text) | MissingValue::Labelled { value: text, .. } => text,
        }
    }
}

/// The JSON Schema of schema files, as in `schemas/table-schema.schema.json`.
pub fn table_schema_json_schema() -> Value {
    crate::spanned::json_schema::<TableSchema>()
}
