//! What happens to bad values and records: `errors` of the job file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What happens to bad values and records. Rejected records are kept in a
/// quarantine in every target; beyond a budget, the run fails.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorsSpec {
    /// A value that does not fit its column: not of its type, null though required, against a constraint. Default: `fail`.
    pub bad_value: ValuePolicy,
    /// The same for single columns, by their names in the schema, instead of `bad_value`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, ValuePolicy>,
    /// A record that breaks the dialect: a stray quote, a quote that is never closed, a field that is too large. Default: `fail`.
    pub bad_record: RecordPolicy,
    /// A record with fewer fields than the header. Default: as `bad_record`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub short_record: Option<ShortRecord>,
    /// A record with more fields than the header. Default: as `bad_record`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub long_record: Option<LongRecord>,
    /// Whether rejected records are written to `_sawmill/quarantine/` in every target. Default: true.
    pub quarantine: bool,
    /// Whether the quarantine holds the rejected records (`raw`), and it and the report the values in their messages. Default: true.
    pub quarantine_values: bool,
    /// More rejected records in the run fail it. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rejected: Option<u64>,
    /// A larger share of rejected records in the run fails it: 0.01 is one in a hundred. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rejected_share: Option<f64>,
    /// More rejected records in one input fail the run. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rejected_per_input: Option<u64>,
    /// A larger share of rejected records in one input fails the run. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rejected_share_per_input: Option<f64>,
    /// What an input means of which every record is rejected, where none of the four limits above is given. Default: `fail`.
    #[serde(skip_serializing_if = "AllRejected::is_default")]
    pub all_rejected: AllRejected,
    /// Fewer rows written by the run fail it. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_rows: Option<u64>,
    /// More rows written by the run fail it. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u64>,
}

impl Default for ErrorsSpec {
    fn default() -> Self {
        ErrorsSpec {
            bad_value: ValuePolicy::Fail,
            columns: BTreeMap::new(),
            bad_record: RecordPolicy::Fail,
            short_record: None,
            long_record: None,
            quarantine: true,
            quarantine_values: true,
            max_rejected: None,
            max_rejected_share: None,
            max_rejected_per_input: None,
            max_rejected_share_per_input: None,
            all_rejected: AllRejected::default(),
            min_rows: None,
            max_rows: None,
        }
    }
}

/// What happens to a bad value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ValuePolicy {
    /// The run fails at the first one.
    #[default]
    Fail,
    /// The record goes to the quarantine.
    Reject,
    /// The value becomes null, and is counted. In a required column the record is rejected.
    Null,
}

/// What happens to a bad record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordPolicy {
    /// The run fails at the first one.
    #[default]
    Fail,
    /// The record goes to the quarantine.
    Reject,
}

/// What an input means of which every record is rejected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AllRejected {
    /// The run fails: the input is not what the job takes it for.
    #[default]
    Fail,
    /// Its records are rejected, like those of any other input.
    Allow,
}

impl AllRejected {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_default(&self) -> bool {
        *self == AllRejected::default()
    }
}

/// What happens to a record with too few fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ShortRecord {
    /// The run fails at the first one.
    Fail,
    /// The record goes to the quarantine.
    Reject,
    /// The missing fields are null.
    Pad,
}

/// What happens to a record with too many fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LongRecord {
    /// The run fails at the first one.
    Fail,
    /// The record goes to the quarantine.
    Reject,
    /// The fields too many are left out, and the record is counted.
    Truncate,
}

impl ErrorsSpec {
    /// Whether records that break the dialect are put aside instead of failing the run.
    pub fn tolerates_bad_records(&self) -> bool {
        self.bad_record != RecordPolicy::Fail
    }

    /// Whether values of rejected records come to stand in the quarantine.
    pub fn leaves_values_in_quarantine(&self) -> bool {
        let rejects = |policy: &ValuePolicy| *policy != ValuePolicy::Fail;
        let some = rejects(&self.bad_value)
            || self.columns.values().any(rejects)
            || self.bad_record == RecordPolicy::Reject;
        some && self.quarantine && self.quarantine_values
    }

    /// Whether an input of which nothing is left fails the run: whoever gives a limit has said how
    /// much may be rejected.
    pub fn fails_if_all_rejected(&self) -> bool {
        let counts = [self.max_rejected, self.max_rejected_per_input];
        let shares = [self.max_rejected_share, self.max_rejected_share_per_input];
        let is_limited = counts.iter().any(Option::is_some) || shares.iter().any(Option::is_some);
        self.all_rejected == AllRejected::Fail && !is_limited
    }

    /// The policy for values of this column of the schema.
    pub fn for_column(&self, name: &str) -> ValuePolicy {
        self.columns.get(name).copied().unwrap_or(self.bad_value)
    }

    /// The policy for records with too few fields.
    pub fn for_short_records(&self) -> ShortRecord {
        self.short_record.unwrap_or(match self.bad_record {
            RecordPolicy::Fail => ShortRecord::Fail,
            RecordPolicy::Reject => ShortRecord::Reject,
        })
    }

    /// The policy for records with too many fields.
    pub fn for_long_records(&self) -> LongRecord {
        self.long_record.unwrap_or(match self.bad_record {
            RecordPolicy::Fail => LongRecord::Fail,
            RecordPolicy::Reject => LongRecord::Reject,
        })
    }
}
