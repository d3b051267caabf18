//! Changes to the columns and rows: `transforms` of the job file.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
