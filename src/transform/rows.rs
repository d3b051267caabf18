//! What the transforms work on, and what they make of it.

use crate::rows::{Fault, Rows};
use crate::spec::ValuePolicy;
use std::collections::BTreeMap;

/// Where a block stands; what lineage columns are made of.
#[derive(Debug, Clone, Copy)]
pub struct BlockContext<'a> {
    /// URL of the input.
    pub url: &'a str,
    /// Number of the block's first record as a data record, from 1; the header
    /// and skipped records have numbers below 1.
    pub first_record_number: i64,
}

/// What a run is called; the same in every task of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunContext {
    /// Names the attempt.
    pub run_id: String,
    /// When the run was planned, in microseconds since 1970-01-01T00:00:00Z.
    pub loaded_at_us: i64,
}

/// What the transforms made of the rows of one block.
#[derive(Debug, Clone)]
pub struct TransformedRows {
    /// What is left.
    pub rows: Rows,
    /// Rows that a filter left out.
    pub filtered: u64,
    /// Rows with a value that was bad, in order of `record`; none of them is in
    /// `rows`. At most one for each record.
    pub faults: Vec<Fault>,
    /// Values that were bad and are null now, by column.
    pub nulled: BTreeMap<String, u64>,
    /// For each of [`super::Program::key_checks`]: the key of every row of
    /// `rows`; `None` where a key is not to be compared.
    pub keys: Vec<Vec<Option<u128>>>,
}

/// A comparison of rows over the whole task, which the task makes in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCheck {
    /// Names of the columns that make the key, for messages.
    pub columns: Vec<String>,
    /// What a repeated key means.
    pub meaning: KeyMeaning,
    /// For [`KeyMeaning::Unique`], see [`Origin::Row`](crate::rows::Origin::Row).
    pub policy_key: Option<String>,
}

/// What a repeated key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyMeaning {
    /// All rows of a key but the first count as deduplicated.
    KeepFirst,
    /// All rows of a key but the last count as deduplicated.
    KeepLast,
    /// Every row of a key after the first breaks a `unique` constraint.
    Unique(ValuePolicy),
}
