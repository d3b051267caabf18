//! Constraints of the schema.

use super::Operation;
use crate::error::InputProblem;
use crate::schema::Constraint;
use crate::transform::frame::{Blame, Frame, Slot, texts};
use crate::transform::rows::BlockContext;
use arrow::error::ArrowError;

/// Deals with the values of a column that break one constraint.
#[derive(Debug)]
pub(in crate::transform) struct CheckConstraint {
    pub(in crate::transform) slot: Slot,
    pub(in crate::transform) constraint: Constraint,
    pub(in crate::transform) blame: Blame,
}

impl Operation for CheckConstraint {
    fn inputs(&self) -> Vec<Slot> {
        vec![self.slot]
    }

    fn run(&self, frame: &mut Frame, _block: &BlockContext<'_>) -> Result<(), ArrowError> {
        let values = frame.column(self.slot)?.clone();
        let Some(violations) = self.constraint.violations(&values)? else { return Ok(()) };
        let rows: Vec<usize> = violations
            .iter()
            .enumerate()
            .filter(|(_, broken)| *broken == Some(true))
            .map(|(row, _)| row)
            .collect();
        let shown = texts(&values, rows.iter().copied())?;
        let problem = |value| InputProblem::Constraint { constraint: self.constraint.describe(), value };
        let bad = rows.into_iter().zip(shown.into_iter().map(problem)).collect();
        frame.set_with_bad(self.slot, values, bad, &self.blame)
    }
}
