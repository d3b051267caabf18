//! How the Parquet is written: `output` of the job file.

use super::{Codec, ColumnOutput, SortKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the Parquet is written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OutputSpec {
    /// Which readers the files are for. Default: `spectrum`.
    pub profile: Profile,
    /// Whether columns keep the names of the schema or get plain ones, of letters, digits and underscores. Keys of `output` then name the new ones. Default: `keep`.
    #[serde(skip_serializing_if = "ColumnNames::is_default")]
    pub column_names: ColumnNames,
    /// What a table that holds data already means. Default: `error_if_exists`.
    pub mode: WriteMode,
    /// What a run may change of the columns of a table whose rows stay. Partition keys always stay as they are. Default: `fail`.
    #[serde(skip_serializing_if = "SchemaChange::is_default")]
    pub schema_change: SchemaChange,
    /// Where the files of a run lie. Default: `direct`.
    pub layout: Layout,
    /// What a run without rows writes. Default: `write_schema`.
    pub empty: EmptyOutput,
    /// Partition keys, outermost first: a column, or a derived key.
    pub partition_by: Vec<PartitionKey>,
    /// Order of the rows in each file, most significant first: `price`, `price desc`, `price desc nulls first`. Default: as in the inputs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sort_by: Vec<SortKey>,
    /// `snappy`, `zstd`, `zstd(level)`, `gzip`, `gzip(level)`, `lz4` or `none`; profile `spectrum` takes no `lz4`. Default: `snappy`.
    pub compression: Codec,
    /// Statistics for readers to skip by. Default: `page`.
    pub statistics: StatisticsLevel,
    /// Largest data page in bytes before compression. Default: 1,048,576 (1 MiB).
    pub page_bytes: usize,
    /// Largest data page in records. Default: 20,000.
    pub page_rows: usize,
    /// Largest dictionary of a column chunk in bytes; beyond it, values are written plainly. Default: 1,048,576 (1 MiB).
    pub dictionary_page_bytes: usize,
    /// Settings of single columns, by their names in the output.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, ColumnOutput>,
    /// How timestamps are stored. Default: `int64`.
    pub timestamps: TimestampForm,
    /// How decimals are stored. Default: `int`.
    pub decimals: DecimalForm,
    /// Largest row group in records. Default: 1,048,576.
    pub max_row_group_rows: usize,
    /// Encoded bytes at which a row group is closed, checked after every 8 MiB of text. Default: 134,217,728 (128 MiB).
    pub max_row_group_bytes: u64,
    /// Size of a file in bytes, to aim at: where the size of the inputs is known, or rows are sorted, the files of a partition are made equal, of two thirds to one and a half times this. Else (standard input, compressed inputs, rows that `deduplicate` held back) files end at about this size and the last of a partition is what remains. Default: 536,870,912 (512 MiB).
    pub target_file_bytes: u64,
    /// Key-value pairs for the footer of each file, besides those that begin with `sawmill.`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Default for OutputSpec {
    fn default() -> Self {
        OutputSpec {
            profile: Profile::default(),
            column_names: ColumnNames::default(),
            mode: WriteMode::default(),
            schema_change: SchemaChange::default(),
            layout: Layout::default(),
            empty: EmptyOutput::default(),
            partition_by: Vec::new(),
            sort_by: Vec::new(),
            compression: Codec::default(),
            statistics: StatisticsLevel::default(),
            page_bytes: 1 << 20,
            page_rows: 20_000,
            dictionary_page_bytes: 1 << 20,
            columns: BTreeMap::new(),
            timestamps: TimestampForm::default(),
            decimals: DecimalForm::default(),
            max_row_group_rows: 1 << 20,
            max_row_group_bytes: 128 << 20,
            target_file_bytes: 512 << 20,
            metadata: BTreeMap::new(),
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

/// What happens to the names of columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnNames {
    /// They stay as they are, but for the profile's lower case. What Athena, AWS Glue or Spark refuse is reported, and control characters fail the run, in profile `spectrum`.
    #[default]
    Keep,
    /// What is not a letter, digit or underscore becomes an underscore, one for several side by side and none at the ends: `order id` is `order_id`, `a.b` is `a_b`. Names that come to the same end in `_2`, `_3`, … by position. The run says which are renamed.
    Plain,
}

impl ColumnNames {
    fn is_default(&self) -> bool {
        *self == ColumnNames::default()
    }
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
    /// Files are added, and those that stood in the same partitions are removed once the new ones are visible. Without partition keys, those of the whole table.
    OverwritePartitions,
}

/// What a run may change of the columns of a table whose rows stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemaChange {
    /// Nothing: a run with other columns or types fails before it writes. A column that it lacks is null in its rows, unless it is required.
    #[default]
    Fail,
    /// Columns that the table has not are added to it. Older files do not have them.
    AddColumns,
    /// The same, and of two types of a column the one that holds all values of the other is written: the table's, as of a job that still says `int32` of an `int64`, or the job's, from here on. Files of before keep their types until `--reprocess` writes them anew.
    Widen,
}

impl SchemaChange {
    fn is_default(&self) -> bool {
        *self == SchemaChange::default()
    }
}

/// Where the files of a run lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// In the directories of their partitions: a reader that lists one during a commit may see old and new files together.
    #[default]
    Direct,
    /// In directories of their own, `<attempt>/<partition>/`. `locations` in `_SUCCESS` says where each partition is; who follows them, as a catalog does, never sees a mixture. What is replaced stays until `sawmill gc`. Not for `append`.
    Versioned,
}

/// What a run without rows writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EmptyOutput {
    /// The run fails.
    Fail,
    /// No file. With `overwrite_partitions` nothing is removed either: there is no partition that was written.
    WriteNothing,
    /// One file with the columns and no rows; none where there are partition keys, which only directories hold. As Spark does. Of a plan with several tasks, the first task writes it if it has no rows itself, whether or not others have some.
    #[default]
    WriteSchema,
}

/// Which statistics are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StatisticsLevel {
    /// None.
    None,
    /// Least value, greatest value and nulls of each column chunk.
    Chunk,
    /// Those, and a page index with the same for each page.
    #[default]
    Page,
}

/// How timestamps are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TimestampForm {
    /// As 64-bit integers, of microseconds in profile `spectrum`.
    #[default]
    Int64,
    /// As INT96, which older Hive, Impala and Spark read: no statistics, no distinction of instants and local times.
    Int96,
}

/// How decimals are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecimalForm {
    /// As integers of 32 bits up to 9 digits and of 64 bits up to 18; longer ones as `fixed`. As arrow-rs, Arrow C++ and Spark 2 and later do.
    #[default]
    Int,
    /// As big-endian bytes of the least length that holds the precision. As Hive and Spark's `writeLegacyFormat` do.
    Fixed,
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
