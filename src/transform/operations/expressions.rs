//! SQL expressions: new columns, filters and checks.

use super::Operation;
use crate::error::InputProblem;
use crate::transform::expression::{BadRow, Evaluated, Expression};
use crate::transform::frame::{Blame, Frame, RowProblem, Slot};
use crate::transform::rows::BlockContext;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::prep_null_mask_filter;
use arrow::error::ArrowError;

/// An expression and the slots that it is computed from.
#[derive(Debug)]
pub(in crate::transform) struct Source {
    pub(in crate::transform) expression: Expression,
    pub(in crate::transform) inputs: Vec<Slot>,
}

impl Source {
    fn evaluate(&self, frame: &mut Frame, blame: &Blame) -> Result<(ArrayRef, Vec<RowProblem>), ArrowError> {
        let Evaluated { values, bad, stopped_at } =
            self.expression.evaluate(frame.columns(&self.inputs)?, frame.rows())?;
        let problem = |BadRow { row, cause }| {
            (row, InputProblem::Expression { expression: self.expression.text().to_owned(), cause })
        };
        if let Some(row) = stopped_at {
            frame.stop_at(problem(row), blame);
        }
        Ok((values, bad.into_iter().map(problem).collect()))
    }

    /// The truth of each row that is left: those for which it cannot be computed are faults.
    fn conditions(&self, frame: &mut Frame, blame: &Blame) -> Result<BooleanArray, ArrowError> {
        let (mut values, bad) = self.evaluate(frame, blame)?;
        if !bad.is_empty() {
            let good = BooleanBuffer::collect_bool(frame.rows(), |row| {
                bad.binary_search_by_key(&row, |(bad, _)| *bad).is_err()
            });
            values = arrow::compute::filter(&values, &BooleanArray::new(good, None))?;
            frame.fault(bad, blame)?;
        }
        Ok(values.as_boolean().clone())
    }
}

/// Computes a column.
#[derive(Debug)]
pub(in crate::transform) struct Derive {
    pub(in crate::transform) source: Source,
    pub(in crate::transform) to: Slot,
    pub(in crate::transform) blame: Blame,
}

impl Operation for Derive {
    fn inputs(&self) -> Vec<Slot> {
        self.source.inputs.clone()
    }

    fn run(&self, frame: &mut Frame, _block: &BlockContext<'_>) -> Result<(), ArrowError> {
        let (values, bad) = self.source.evaluate(frame, &self.blame)?;
        frame.set_with_bad(self.to, values, bad, &self.blame)
    }
}

/// Keeps the rows for which a condition is true.
#[derive(Debug)]
pub(in crate::transform) struct Filter {
    pub(in crate::transform) source: Source,
    pub(in crate::transform) blame: Blame,
}

impl Operation for Filter {
    fn inputs(&self) -> Vec<Slot> {
        self.source.inputs.clone()
    }

    fn run(&self, frame: &mut Frame, _block: &BlockContext<'_>) -> Result<(), ArrowError> {
        let conditions = self.source.conditions(frame, &self.blame)?;
        match conditions.nulls() {
            Some(_) => frame.filter(&prep_null_mask_filter(&conditions)),
            None => frame.filter(&conditions),
        }
    }
}

/// Takes out the rows for which a condition is false.
#[derive(Debug)]
pub(in crate::transform) struct Check {
    pub(in crate::transform) source: Source,
    pub(in crate::transform) name: String,
    pub(in crate::transform) blame: Blame,
}

impl Operation for Check {
    fn inputs(&self) -> Vec<Slot> {
        self.source.inputs.clone()
    }

    fn run(&self, frame: &mut Frame, _block: &BlockContext<'_>) -> Result<(), ArrowError> {
        let conditions = self.source.conditions(frame, &self.blame)?;
        let failed = conditions.iter().enumerate().filter(|(_, holds)| *holds == Some(false));
        let problem = || InputProblem::Check { check: self.name.clone() };
        let bad = failed.map(|(row, _)| (row, problem())).collect();
        frame.fault(bad, &self.blame)
    }
}
