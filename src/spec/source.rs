//! What is read: `source` of the job file.

use super::{BlankNames, DialectSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// URLs (`s3://`, `file://`), paths, globs (`*`, `?`, `[…]`, `**`), or prefixes ending in `/`. Names that begin with `_` or `.` are found only where that character is written.
    pub inputs: Vec<String>,
    /// Whether a run reads only what no version of the table has read, by URL and entity tag (or size and time, where there is none); the table's log knows. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incremental: bool,
    /// What an input means whose rows the table holds already, by URL and entity tag (or size and time), when a run that is not incremental appends. Default: `fail`.
    #[serde(default, skip_serializing_if = "ReadAgain::is_default")]
    pub read_again: ReadAgain,
    /// Wait before planning until each local input has been still for so many seconds; a file that does not become still within `settle_limit_seconds` fails the run. Default: do not wait, but warn of files that were modified within the last 5 seconds; 0 neither waits nor warns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_seconds: Option<u64>,
    /// How long to wait for inputs to become still. Default: ten times `settle_seconds`, and at least 600.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settle_limit_seconds: Option<u64>,
    /// Columns whose values stand in the paths of the inputs, in directories `name=value/` as Hive and Spark write them. A schema may give them a type; otherwise it is inferred with the others, or `string` beside a schema. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub path_columns: Vec<String>,
    /// Region of S3 inputs. Default: the AWS chain's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Endpoint of an S3-compatible server, such as `http://127.0.0.1:9000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// Take an endpoint whose URL begins with `http://`, so that data travels as it is: for a server in a private network. On this machine plain http is always taken. Default: false.
    #[serde(default)]
    pub allow_http: bool,
    /// Address buckets as `endpoint/bucket` instead of `bucket.endpoint`. Default: true when `endpoint` is set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_style: Option<bool>,
    /// Profile of the AWS configuration files to take credentials from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// Account that must own the buckets; requests to another's bucket fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_bucket_owner: Option<String>,
    /// What an input without records means. Default: `fail`.
    #[serde(default)]
    pub empty_input: EmptyInput,
    /// How columns are found in an input. Default: `name` when there is a header, else `position`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_columns: Option<MatchColumns>,
    /// What a column of the header that the schema lacks means. Default: `fail`.
    #[serde(default)]
    pub extra_columns: ExtraColumns,
    /// What a column of the schema that an input lacks means. Default: `fail`.
    #[serde(default)]
    pub missing_columns: MissingColumns,
    /// What a column that the header names twice means. Default: `fail`.
    #[serde(default)]
    pub duplicate_columns: DuplicateColumns,
    /// Whether the header may have the columns in another order than the schema. Default: `any`.
    #[serde(default)]
    pub column_order: ColumnOrder,
    /// How many times its stored size a compressed input may unpack to; above it the run fails.
    /// Checked from 16 MiB of unpacked bytes on. Default: 1000, which no gzip of real records
    /// comes near (DEFLATE cannot pass 1032).
    #[serde(default = "default_max_expansion_ratio")]
    pub max_expansion_ratio: u64,
}

/// Records compress by 5 to 20, very repetitive ones by 100 to 200.
pub const MAX_EXPANSION_RATIO: u64 = 1000;

fn default_max_expansion_ratio() -> u64 {
    MAX_EXPANSION_RATIO
}

impl SourceSpec {
    /// These inputs, everything else by default.
    pub fn of(inputs: Vec<String>) -> Self {
        SourceSpec {
            inputs,
            incremental: false,
            read_again: ReadAgain::default(),
            settle_seconds: None,
            settle_limit_seconds: None,
            path_columns: Vec::new(),
            region: None,
            endpoint: None,
            allow_http: false,
            path_style: None,
            profile: None,
            expected_bucket_owner: None,
            empty_input: EmptyInput::default(),
            match_columns: None,
            extra_columns: ExtraColumns::default(),
            missing_columns: MissingColumns::default(),
            duplicate_columns: DuplicateColumns::default(),
            column_order: ColumnOrder::default(),
            max_expansion_ratio: MAX_EXPANSION_RATIO,
        }
    }

    /// How long local inputs have to be still.
    pub fn settling(&self) -> Settling {
        let seconds = self.settle_seconds.unwrap_or(0);
        let limit = self.settle_limit_seconds.unwrap_or(seconds.saturating_mul(10).max(600));
        Settling {
            pause: Duration::from_secs(seconds),
            limit: Duration::from_secs(limit),
            warns_of_recent: self.settle_seconds.is_none(),
        }
    }

    /// How the columns of the schema are found in inputs of this dialect.
    pub fn column_policies(&self, dialect: &DialectSpec) -> ColumnPolicies {
        ColumnPolicies {
            by_position: self.match_columns == Some(MatchColumns::Position),
            any_case: dialect.case_sensitive_header == Some(false),
            extra: self.extra_columns,
            missing: self.missing_columns,
            duplicate: self.duplicate_columns,
            order: self.column_order,
            blank: dialect.blank_names.unwrap_or_default(),
        }
    }
}

/// How long local inputs have to be still before they are pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settling {
    /// Time without a change; zero: as much as their clock can tell.
    pub pause: Duration,
    /// An input that has not been still for as long by then fails the run.
    pub limit: Duration,
    /// Whether to warn of inputs that were modified just now.
    pub warns_of_recent: bool,
}

/// How columns are found in an input, and what may differ between those of an input and those of the
/// schema. By default they are found by name, and nothing but the order may differ.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ColumnPolicies {
    /// `source.match_columns`: by position, though there may be a header.
    pub by_position: bool,
    /// `dialect.caseSensitiveHeader`: whether names that differ in case only are the same.
    pub any_case: bool,
    /// `source.extra_columns`.
    pub extra: ExtraColumns,
    /// `source.missing_columns`.
    pub missing: MissingColumns,
    /// `source.duplicate_columns`.
    pub duplicate: DuplicateColumns,
    /// `source.column_order`.
    pub order: ColumnOrder,
    /// `dialect.blankNames`.
    pub blank: BlankNames,
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

/// What an input means whose rows the table holds already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReadAgain {
    /// The run fails before it stages anything.
    #[default]
    Fail,
    /// Its rows are appended once more.
    Allow,
}

impl ReadAgain {
    fn is_default(&self) -> bool {
        *self == ReadAgain::default()
    }
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

/// What a column of the schema that an input lacks means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MissingColumns {
    /// The run fails.
    #[default]
    Fail,
    /// The column is null in every record of that input; if it is required, the run fails.
    Null,
}

/// What a column that the header names twice means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DuplicateColumns {
    /// The run fails, if it is a column of the schema.
    #[default]
    Fail,
    /// The first is read, the others are left out.
    First,
    /// All are read, and all but the first get a number: `a`, `a_2`, `a_3`.
    Number,
}

/// Whether the header may have the columns in another order than the schema.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnOrder {
    /// Any order.
    #[default]
    Any,
    /// The order of the schema; the run fails at any other.
    Same,
}
