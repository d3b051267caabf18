//! How the Parquet is written: `output` of the job file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
