//! The schema file as users write it: Frictionless *Table Schema*.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A Frictionless Table Schema descriptor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableSchema {
    /// The columns, in order.
    pub fields: Vec<Field>,
}

/// One column of a [`TableSchema`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// Name, as in the header.
    pub name: String,
}
