//! The schema file as users write it: Frictionless *Table Schema*.
//!
//! An existing descriptor works as it is: keys that the specification knows are
//! all here, custom ones are tolerated. Keys marked *extension* are sawmill's.
//! [`TableSchema::resolve`] (in [`super::resolve`]) makes a [`super::Schema`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A Frictionless Table Schema descriptor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableSchema {
    /// The columns, in the order of the output.
    pub fields: Vec<Field>,
    /// Texts that are null in every column. Default: `[""]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_values: Option<Vec<MissingValue>>,
    /// Name or names of the key's columns. Accepted, not checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub primary_key: Option<Value>,
    /// Sets of columns whose values are unique. Accepted, not checked.
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
    /// `string`, `integer`, `number`, `boolean`, `date`, `time`, `datetime`, `year`, or another type of Table Schema (read as text). Extensions: `int8` to `int64`, `uint8` to `uint64`, `float32`, `float64`, `decimal(precision,scale)`, `timestamp(s|ms|us|ns)`, `timestamp(unit,UTC)`, `binary`. Default: `string`.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub field_type: Option<String>,
    /// Of dates and times: a strftime pattern, or `default` for ISO 8601. Of strings: `binary` means base64. Of `binary`: `base64` (the default) or `hex`.
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
    /// Texts that are null in this column, instead of the schema's. Default: the schema's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing_values: Option<Vec<MissingValue>>,
    /// Extension: whether a quoted text of `missingValues` is null, too. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_nulls: Option<bool>,
    /// Extension: IANA name of the zone of timestamps that carry none, for types `timestamp(unit,UTC)`. Default: `UTC`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_time_zone: Option<String>,
    /// Texts that are true. Default: `["true", "True", "TRUE", "1"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub true_values: Option<Vec<String>>,
    /// Texts that are false. Default: `["false", "False", "FALSE", "0"]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_values: Option<Vec<String>>,
    /// The mark between whole and fraction, one ASCII character. Default: `.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_char: Option<String>,
    /// The mark between groups of digits, one ASCII character. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group_char: Option<String>,
    /// Whether numbers stand without currency or percent signs. Only true is supported. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bare_number: Option<bool>,
    /// Categories of Table Schema 2. Accepted, not checked.
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

/// What must hold of a column's values. Only `required` is checked by this version.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Constraints {
    /// Whether nulls are refused. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Whether values are unique. Accepted, not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<bool>,
    /// Shortest text. Accepted, not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u64>,
    /// Longest text. Accepted, not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u64>,
    /// Smallest value. Accepted, not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum: Option<Value>,
    /// Largest value. Accepted, not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum: Option<Value>,
    /// Value that all are larger than. Accepted, not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_minimum: Option<Value>,
    /// Value that all are smaller than. Accepted, not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exclusive_maximum: Option<Value>,
    /// Regular expression of the text. Accepted, not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// The values allowed. Accepted, not checked.
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    pub enumeration: Option<Vec<Value>>,
    /// JSON Schema of the value. Accepted, not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json_schema: Option<Value>,
}

impl Constraints {
    /// Names of the constraints that are given and not checked.
    pub(super) fn unchecked(&self) -> impl Iterator<Item = &'static str> {
        [
            ("unique", self.unique == Some(true)),
            ("minLength", self.min_length.is_some()),
            ("maxLength", self.max_length.is_some()),
            ("minimum", self.minimum.is_some()),
            ("maximum", self.maximum.is_some()),
            ("exclusiveMinimum", self.exclusive_minimum.is_some()),
            ("exclusiveMaximum", self.exclusive_maximum.is_some()),
            ("pattern", self.pattern.is_some()),
            ("enum", self.enumeration.is_some()),
            ("jsonSchema", self.json_schema.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
    }
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
    crate::document::json_schema::<TableSchema>()
}
