//! Where the table is written: `targets` of the job file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Take an endpoint whose URL begins with `http://`, so that data travels as it is: for a server in a private network. On this machine plain http is always taken. Default: false.
    #[serde(default)]
    pub allow_http: bool,
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
            allow_http: false,
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

/// What an `expected_bucket_owner` looks like.
pub(crate) const ACCOUNT_REMEDY: &str = "write the 12 digits of the account, such as \"111122223333\"";
