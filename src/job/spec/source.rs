//! What is read: `source` of the job file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
