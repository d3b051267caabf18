//! The types of the job file; `schemas/job.schema.json` is made from them.

use crate::schema::table_schema::TableSchema;
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
    /// Left out, it is inferred from samples of up to 16 inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<SchemaSpec>,
    /// Changes to the columns, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transforms: Vec<TransformSpec>,
    /// Where the table is written: every target gets the same files.
    pub targets: Vec<TargetSpec>,
    /// How the Parquet is written.
    #[serde(default)]
    pub output: OutputSpec,
    /// Threads, memory and part sizes.
    #[serde(default)]
    pub engine: EngineSpec,
}

/// What is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// URLs (`s3://`, `file://`), paths, globs (`*`, `?`, `[…]`, `**`), or prefixes ending in `/`.
    pub inputs: Vec<String>,
    /// Region of S3 inputs. Default: the AWS chain's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Endpoint of an S3-compatible server, such as `http://127.0.0.1:9000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Address buckets as `endpoint/bucket` instead of `bucket.endpoint`. Default: true when `endpoint` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
    /// Profile of the AWS configuration files to take credentials from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// What an input without records means. Default: `fail`.
    #[serde(default)]
    pub empty_input: EmptyInput,
    /// How columns are found in an input. Default: `name` when there is a header, else `position`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_columns: Option<MatchColumns>,
    /// What a column of the header that the schema lacks means. Default: `fail`.
    #[serde(default)]
    pub extra_columns: ExtraColumns,
}

impl SourceSpec {
    /// These inputs, everything else by default.
    pub fn of(inputs: Vec<String>) -> Self {
        SourceSpec {
            inputs,
            region: None,
            endpoint: None,
            path_style: None,
            profile: None,
            empty_input: EmptyInput::default(),
            match_columns: None,
            extra_columns: ExtraColumns::default(),
        }
    }
}

/// What an input without records means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmptyInput {
    /// The run fails.
    #[default]
    Fail,
    /// The input counts as read, with no records.
    Allow,
}

/// How columns are found in an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchColumns {
    /// By the names in the header, in any order.
    Name,
    /// By position; names in a header are ignored.
    Position,
}

/// What a column of the header that the schema lacks means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExtraColumns {
    /// The run fails.
    #[default]
    Fail,
    /// The column is left out.
    Ignore,
}

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

/// One change to the columns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransformSpec {
    /// Keeps these columns, in this order.
    Select(Vec<String>),
    /// Leaves these columns out.
    Drop(Vec<String>),
    /// Old name = new name.
    Rename(std::collections::BTreeMap<String, String>),
}

/// One place where the table is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetSpec {
    /// Root of the table: `s3://bucket/prefix/`, `file:///directory/` or a path.
    pub url: String,
    /// Region of the bucket. Default: the AWS chain's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Endpoint of an S3-compatible server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Address buckets as `endpoint/bucket`. Default: true when `endpoint` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
    /// Profile of the AWS configuration files to take credentials from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Server-side encryption. Default: the bucket's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encryption: Option<Encryption>,
    /// Account that must own the bucket; requests to another's bucket fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_bucket_owner: Option<String>,
}

impl TargetSpec {
    /// This place, everything else by default.
    pub fn of(url: String) -> Self {
        TargetSpec {
            url,
            region: None,
            endpoint: None,
            path_style: None,
            profile: None,
            encryption: None,
            expected_bucket_owner: None,
        }
    }
}

/// Server-side encryption of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Encryption {
    /// SSE-S3.
    S3,
    /// SSE-KMS with the bucket's or account's default key.
    Kms,
    /// SSE-KMS with this key (id, alias or ARN).
    KmsKey(String),
}

/// How the Parquet is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSpec {
    /// Which readers the files are for. Default: `spectrum`.
    pub profile: Profile,
    /// What a table that holds data already means. Default: `error_if_exists`.
    pub mode: WriteMode,
    /// Partition keys, outermost first: a column, or a derived key.
    pub partition_by: Vec<PartitionKey>,
    /// `snappy`, `zstd`, `zstd(level)`, `gzip`, `gzip(level)`, `lz4` or `none`. Default: `snappy`.
    pub compression: String,
    /// Largest row group in records. Default: 1,048,576.
    pub max_row_group_rows: usize,
    /// Encoded bytes at which a row group is closed, checked after every 16 MiB of text. Default: 134,217,728 (128 MiB).
    pub max_row_group_bytes: u64,
    /// A file is finished after the row group that reaches this many bytes. Default: 536,870,912 (512 MiB).
    pub target_file_bytes: u64,
}

impl Default for OutputSpec {
    fn default() -> Self {
        OutputSpec {
            profile: Profile::default(),
            mode: WriteMode::default(),
            partition_by: Vec::new(),
            compression: "snappy".into(),
            max_row_group_rows: 1 << 20,
            max_row_group_bytes: 128 << 20,
            target_file_bytes: 512 << 20,
        }
    }
}

/// Which readers the files are for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Amazon Redshift Spectrum: version-1 pages, names in lower case, unsigned and 8-bit integers widened, timestamps in microseconds, types it cannot read refused.
    #[default]
    Spectrum,
    /// Any Parquet reader: types as they are.
    Standard,
}

/// What a table that holds data already means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteMode {
    /// The run fails before it writes.
    #[default]
    ErrorIfExists,
    /// Files are added.
    Append,
}

/// A partition key: directories are `name=value/`. As text it is the name of a
/// column, or `part(column)` or `name=part(column)` such as `year(sold_at)`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PartitionKey {
    /// A column's own values; the column is left out of the files.
    Column(String),
    /// A key made from a column, which stays in the files.
    Derived(DerivedKey),
}

/// A key made from a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DerivedKey {
    /// Name of the key.
    pub name: String,
    /// The column it is made from.
    pub column: String,
    /// What is made of it.
    pub part: DatePart,
}

/// What is made of a date or timestamp (in UTC, if it is an instant).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DatePart {
    /// `2013`
    Year,
    /// `1` to `12`
    Month,
    /// Day of the month, `1` to `31`
    Day,
    /// `0` to `23`; timestamps only
    Hour,
    /// `2013-01-31`
    Date,
}

/// Threads, memory and part sizes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EngineSpec {
    /// Threads that compute. Default: 0, which is one for each core. Never changes what is written.
    pub threads: usize,
    /// Bytes of row groups under construction, and again of row groups that wait to fill a part: beyond it the largest are ended early and become smaller row groups or files. Default: 67,108,864 (64 MiB).
    pub open_files_bytes: u64,
    /// Files that may be open at once, over all partitions; a local target takes a descriptor for each. Default: 256.
    pub max_open_files: usize,
    /// Size of a part of an S3 upload in bytes, 5 MiB to 5 GiB. Default: 8,388,608 (8 MiB).
    pub part_bytes: usize,
    /// Bytes of parts on their way to the targets at once. Default: 33,554,432 (32 MiB).
    pub upload_bytes_in_flight: usize,
    /// Range of one GET from S3 in bytes. Default: 8,388,608 (8 MiB).
    pub fetch_bytes: usize,
    /// GETs of one input at once. Default: 4.
    pub fetch_concurrency: usize,
}

impl Default for EngineSpec {
    fn default() -> Self {
        EngineSpec {
            threads: 0,
            open_files_bytes: 64 << 20,
            max_open_files: 256,
            part_bytes: 8 << 20,
            upload_bytes_in_flight: 32 << 20,
            fetch_bytes: 8 << 20,
            fetch_concurrency: 4,
        }
    }
}
