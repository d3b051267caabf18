//! Changes to the columns and rows: `transforms` of the job file.

use super::{RecordPolicy, ValuePolicy};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

/// One change to the columns or rows. Each step sees the columns as the step before left them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransformSpec {
    /// Keeps these columns, in this order.
    Select(Vec<String>),
    /// Leaves these columns out.
    Drop(Vec<String>),
    /// Old name = new name.
    Rename(BTreeMap<String, String>),
    /// Moves these columns to the front, in this order; the others follow as they are.
    Reorder(Vec<String>),
    /// Column = another type, as in a schema file. A value that the type does not hold exactly is a bad value.
    Cast(Entries<TextOr<CastSpec>>),
    /// Column = what replaces its nulls.
    Default(Entries<DefaultValue>),
    /// New column = an SQL expression over the columns before this step. An existing column is replaced in its place.
    Derive(Entries<TextOr<DeriveSpec>>),
    /// An SQL expression: rows for which it is true are kept, those for which it is false or null are left out and counted.
    Filter(String),
    /// A condition that every row must meet.
    Check(CheckSpec),
    /// Keeps one row for each key. No `filter`, `check` or second `deduplicate` may follow.
    Deduplicate(DeduplicateSpec),
    /// Column = how its values are hidden. Nulls stay null.
    Mask(Entries<MaskSpec>),
    /// Replaces values by their salted hash.
    Hash(HashSpec),
    /// New column = where the row comes from.
    Lineage(Entries<LineageSpec>),
}

impl TransformSpec {
    /// The key of the job file.
    pub fn name(&self) -> &'static str {
        match self {
            TransformSpec::Select(_) => "select",
            TransformSpec::Drop(_) => "drop",
            TransformSpec::Rename(_) => "rename",
            TransformSpec::Reorder(_) => "reorder",
            TransformSpec::Cast(_) => "cast",
            TransformSpec::Default(_) => "default",
            TransformSpec::Derive(_) => "derive",
            TransformSpec::Filter(_) => "filter",
            TransformSpec::Check(_) => "check",
            TransformSpec::Deduplicate(_) => "deduplicate",
            TransformSpec::Mask(_) => "mask",
            TransformSpec::Hash(_) => "hash",
            TransformSpec::Lineage(_) => "lineage",
        }
    }
}

/// The type that a column gets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CastSpec {
    /// The type, as in a schema file: `int32`, `decimal(15,2)`, `timestamp(us,UTC)`.
    #[serde(rename = "type")]
    pub to: String,
    /// What happens to a value that the type does not hold. Default: as `errors` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<ValuePolicy>,
}

/// How a column is computed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeriveSpec {
    /// The SQL expression.
    pub expression: String,
    /// What happens to a row for which it cannot be computed. Default: as `errors` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_error: Option<ValuePolicy>,
}

/// What stands instead of null: parsed as the column's type, as the schema's defaults would parse it.
/// Put decimals with many digits in quotes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum DefaultValue {
    /// Text of any column.
    Text(String),
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Number(f64),
}

impl fmt::Display for DefaultValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DefaultValue::Text(text) => f.write_str(text),
            DefaultValue::Boolean(value) => write!(f, "{value}"),
            DefaultValue::Integer(value) => write!(f, "{value}"),
            DefaultValue::Number(value) => write!(f, "{value}"),
        }
    }
}

/// A condition that every row must meet.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSpec {
    /// What messages and the quarantine call it. Default: the expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The SQL expression. Rows for which it is false fail; true and null pass, as in SQL.
    pub expression: String,
    /// What happens to a row that fails. Default: as `errors.bad_value` says, where `null` means `reject`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_fail: Option<RecordPolicy>,
}

/// Which rows are the same, and which of them is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeduplicateSpec {
    /// Rows with the same values in all these columns are the same; nulls are equal to each other.
    pub key: Vec<String>,
    /// Which of them is kept, in the order of the inputs. Default: `first`.
    #[serde(default)]
    pub keep: KeepRow,
}

/// Which of several rows with one key is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeepRow {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
}

/// How the values of a column are hidden.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MaskSpec {
    /// Every value becomes null.
    Null,
    /// Every text becomes `***`.
    Redact,
    /// Dates and timestamps become the beginning of their year.
    YearOnly,
    /// Every text becomes this one.
    ReplaceWith(String),
    /// So many characters at the front stay, each of the rest becomes `*`; texts that are no longer are hidden whole.
    KeepFirst(u32),
    /// So many characters at the end stay, each of the rest becomes `*`; texts that are no longer are hidden whole.
    KeepLast(u32),
}

/// Replaces values by the HMAC-SHA-256 of their text, as 64 hexadecimal digits. Nulls stay null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HashSpec {
    /// The columns; they become text.
    pub columns: Vec<String>,
    /// Name of the environment variable with the salt. Its value is read by each process and stands in no document.
    pub salt_env: String,
}

/// Where a row comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineageSpec {
    /// URL of the input (text).
    SourceUrl,
    /// Number of the data record in its input, from 1 (int64).
    RecordNumber,
    /// Name of the run (text).
    RunId,
    /// When the run was planned (`timestamp(us,UTC)`).
    LoadedAt,
}

/// A table of the job file whose order counts: new columns stand in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entries<T>(pub Vec<(String, T)>);

impl<T: Serialize> Serialize for Entries<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

/// As a map with any keys.
impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Entries_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, T>::json_schema(generator)
    }
}

/// The short form, a text, or the table with everything that can be said.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum TextOr<T> {
    /// The short form.
    Text(String),
    /// The long form.
    Table(T),
}

/// By hand, because serde's untagged enums forget which key was wrong.
impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOrVisitor<T> {
            type Value = TextOr<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a table")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<TextOr<T>, E> {
                Ok(TextOr::Text(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TextOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(TextOr::Table)
            }
        }
        deserializer.deserialize_any(TextOrVisitor(PhantomData))
    }
}

impl TextOr<CastSpec> {
    /// The name of the type.
    pub fn to(&self) -> &str {
        match self {
            TextOr::Text(text) => text,
            TextOr::Table(table) => &table.to,
        }
    }

    /// The policy, if the step has its own.
    pub fn on_error(&self) -> Option<ValuePolicy> {
        match self {
            TextOr::Text(_) => None,
            TextOr::Table(table) => table.on_error,
        }
    }
}

impl TextOr<DeriveSpec> {
    /// The SQL.
    pub fn expression(&self) -> &str {
        match self {
            TextOr::Text(text) => text,
            TextOr::Table(table) => &table.expression,
        }
    }

    /// The policy, if the step has its own.
    pub fn on_error(&self) -> Option<ValuePolicy> {
        match self {
            TextOr::Text(_) => None,
            TextOr::Table(table) => table.on_error,
        }
    }
}

#[cfg(test)]
mod tests;
