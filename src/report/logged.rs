//! What `sawmill log --json` prints of each entry.

use crate::commit::{Entry, Unseen};
use schemars::JsonSchema;
use serde::Serialize;

/// An entry of the log, how far it got, and what could not be seen.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct LoggedEntry {
    /// The entry as it stands in the log.
    #[serde(flatten)]
    pub entry: Entry,
    /// Of a commit: whether it is visible and announced everywhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<bool>,
    /// URL of an old home whose log alone holds the entry: it is not of the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only_in: Option<String>,
    /// The same in each entry: targets that were not looked at. Entries that only one of them holds, as an old
    /// home does, are not in the list.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Unseen>,
}
