//! What is done to the rows of a block, one operation after the other.
//!
//! An operation reads slots of the [`Frame`] and fills others, or takes rows
//! out; it knows nothing of names and of the job. [`super::compile`] makes them,
//! [`super::Program`] runs them.

mod constraint;
mod expressions;
mod lineage;
mod privacy;
mod values;

pub(super) use constraint::CheckConstraint;
pub(super) use expressions::{Check, Derive, Filter, Source};
pub(super) use lineage::Lineage;
pub(super) use privacy::{Hash, Mask, Salt};
pub(super) use values::{Cast, FillNulls, Nulls};

use super::frame::{Frame, Slot};
use super::rows::BlockContext;
use arrow::error::ArrowError;
use std::fmt::Debug;

/// One step, compiled. An error is a bug, not a matter of the data.
pub(super) trait Operation: Debug + Send + Sync {
    /// The slots it reads.
    fn inputs(&self) -> Vec<Slot>;

    /// Does it to all rows of the frame.
    fn run(&self, frame: &mut Frame, block: &BlockContext<'_>) -> Result<(), ArrowError>;
}
