//! What was found wrong with the data, in short: part of every report.

use crate::error::Location;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was found wrong with the data and did not fail the run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default)]
pub struct Findings {
    /// Why records were rejected, in the order in which the reasons came up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Reason>,
    /// Values that were bad and became null, by column, in records that were
    /// not rejected; a later step may still leave them out.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub nulled: BTreeMap<String, u64>,
    /// Records with too few fields that were padded with nulls, whatever became of them then.
    #[serde(skip_serializing_if = "is_zero")]
    pub padded: u64,
    /// Records with too many fields that were cut, whatever became of them then.
    #[serde(skip_serializing_if = "is_zero")]
    pub truncated: u64,
}

/// Records that were rejected for the same reason: the same rule, broken in the
/// same column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Reason {
    /// The rule, as in the quarantine: `type`, `required`, `ragged`, ….
    pub rule: String,
    /// The column, if one is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Records.
    pub records: u64,
    /// What was wrong with the first of them.
    pub example: String,
    /// Where the first of them is.
    pub place: Location,
}

/// The first record of a split that was rejected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FirstReject {
    /// What was wrong with it.
    pub message: String,
    /// Where it is.
    pub place: Location,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
pub(super) fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Findings {
    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        *self == Findings::default()
    }

    /// Counts one rejected record.
    pub fn reject(&mut self, rule: &str, message: &str, place: &Location) {
        match self.reason(rule, place.column.as_deref()) {
            Some(reason) => reason.records += 1,
            None => self.rejected.push(Reason {
                rule: rule.to_owned(),
                column: place.column.clone(),
                records: 1,
                example: message.to_owned(),
                place: place.clone(),
            }),
        }
    }

    /// The first of the rejected records.
    pub fn first_reject(&self) -> Option<FirstReject> {
        let first = self.rejected.iter().min_by_key(|reason| reason.place.byte_offset)?;
        Some(FirstReject { message: first.example.clone(), place: first.place.clone() })
    }

    /// Adds what was found in later records.
    pub fn add(&mut self, later: &Findings) {
        for reason in &later.rejected {
            match self.reason(&reason.rule, reason.column.as_deref()) {
                Some(same) => same.records += reason.records,
                None => self.rejected.push(reason.clone()),
            }
        }
        for (column, count) in &later.nulled {
            *self.nulled.entry(column.clone()).or_default() += count;
        }
        self.padded += later.padded;
        self.truncated += later.truncated;
    }

    fn reason(&mut self, rule: &str, column: Option<&str>) -> Option<&mut Reason> {
        self.rejected.iter_mut().find(|reason| reason.rule == rule && reason.column.as_deref() == column)
    }
}
