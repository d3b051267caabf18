//! The job file as a whole.

use super::{
    CommitSpec, DialectSpec, EngineSpec, ErrorsSpec, OutputSpec, SourceSpec, TableSchema, TargetSpec,
    TransformSpec,
};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// A sawmill job: which CSV becomes which Parquet table, and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// Where editors find the JSON Schema of this file; ignored.
    #[serde(default, rename = "$schema", skip_serializing)]
    pub json_schema: Option<String>,
    /// Name of the job, for reports and logs. Default: the file's name without extension.
    #[serde(default)]
    pub name: String,
    /// What is read.
    pub source: SourceSpec,
    /// How the CSV is written; what is left out is found from a sample.
    #[serde(default)]
    pub dialect: DialectSpec,
    /// The columns: a path or URL of a Table Schema file, or the schema itself.
    /// Left out, it is inferred from samples of up to 16 inputs, from their start to their end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaSpec>,
    /// Changes to the columns, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<TransformSpec>,
    /// What happens to bad values and records. Default: the first one fails the run.
    #[serde(default)]
    pub errors: ErrorsSpec,
    /// Where the table is written: every target gets the same files.
    pub targets: Vec<TargetSpec>,
    /// How the Parquet is written.
    #[serde(default)]
    pub output: OutputSpec,
    /// How runs of one table live together.
    #[serde(default)]
    pub commit: CommitSpec,
    /// Threads, memory and part sizes.
    #[serde(default)]
    pub engine: EngineSpec,
}

/// Where the schema is.
#[expect(clippy::large_enum_variant, reason = "there is one in a job")]
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum SchemaSpec {
    /// Path or URL of a Table Schema file (JSON or TOML).
    Location(String),
    /// The schema itself.
    Inline(TableSchema),
}

/// By hand, because serde's untagged enums forget which key was wrong.
impl<'de> Deserialize<'de> for SchemaSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SchemaVisitor;
        impl<'de> Visitor<'de> for SchemaVisitor {
            type Value = SchemaSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path or URL of a schema file, or a table with `fields`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<SchemaSpec, E> {
                Ok(SchemaSpec::Location(text.into()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SchemaSpec, A::Error> {
                TableSchema::deserialize(MapAccessDeserializer::new(map)).map(SchemaSpec::Inline)
            }
        }
        deserializer.deserialize_any(SchemaVisitor)
    }
}
