//! What is wrong with one record of a block.

use crate::error::InputProblem;
use crate::parse::{Grammar, RecordIndex};
use crate::spec::ValuePolicy;

/// A record that gives no row, or a row that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Records before it in its block, headers and skipped ones included.
    pub record: u32,
    /// Name of the column to blame, if one is.
    pub column: Option<String>,
    /// What is wrong.
    pub problem: InputProblem,
    /// What happens to it, as [`judge`] says: [`ValuePolicy::Fail`] or [`ValuePolicy::Reject`].
    pub policy: ValuePolicy,
    /// Where it was found: its place in the input and its remedy follow from that.
    pub origin: Origin,
}

/// Where a fault was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In the text of a block.
    Text {
        /// Bytes before the field's content (after an opening quote), or before what is wrong
        /// with the record.
        byte_offset: usize,
        /// Lines before that place.
        line: usize,
    },
    /// In a row, whose place is the start of its record.
    Row {
        /// The key of the job file that has the last word on the policy, such as
        /// `errors.bad_value` or `transforms[2].check.on_fail`: what to name in a remedy.
        /// `None` where no policy could help.
        policy_key: Option<String>,
    },
}

impl Origin {
    /// A place in a record of a block.
    pub(super) fn in_text(
        index: &RecordIndex,
        record: usize,
        byte_offset: usize,
        block: &[u8],
        grammar: &Grammar,
    ) -> Self {
        let before = &block[index.record_starts[record] as usize..byte_offset];
        let line = index.record_lines[record] as usize + grammar.terminator.count_lines(before);
        Origin::Text { byte_offset, line }
    }
}

/// What happens to what is bad: null only where null may stand, else the record goes.
pub fn judge(policy: ValuePolicy, may_be_null: bool) -> ValuePolicy {
    match policy {
        ValuePolicy::Null if !may_be_null => ValuePolicy::Reject,
        policy => policy,
    }
}
