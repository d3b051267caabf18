//! Casts and defaults.

use super::Operation;
use crate::error::InputProblem;
use crate::transform::frame::{Blame, Frame, Slot, texts};
use crate::transform::lossless_cast;
use crate::transform::rows::BlockContext;
use crate::value::ColumnType;
use crate::value::converter::BadValue;
use arrow::array::{Array, ArrayRef, Scalar, new_null_array};
use arrow::compute::{is_not_null, kernels::zip::zip};
use arrow::error::ArrowError;

/// Gives a column another type.
#[derive(Debug)]
pub(in crate::transform) struct Cast {
    pub(in crate::transform) from: (Slot, ColumnType),
    pub(in crate::transform) to: (Slot, ColumnType),
    pub(in crate::transform) blame: Blame,
}

impl Operation for Cast {
    fn inputs(&self) -> Vec<Slot> {
        vec![self.from.0]
    }

    fn run(&self, frame: &mut Frame, _block: &BlockContext<'_>) -> Result<(), ArrowError> {
        let values = frame.column(self.from.0)?;
        let (cast, lost) = lossless_cast::cast(values, self.from.1, self.to.1)?;
        let shown = texts(values, lost.iter().map(|lost| lost.row))?;
        let problem = |(BadValue { row, why }, value)| {
            (row, InputProblem::Value { value, expected: self.to.1.to_string(), detail: why.detail() })
        };
        let bad = lost.into_iter().zip(shown).map(problem).collect();
        frame.set_with_bad(self.to.0, cast, bad, &self.blame)
    }
}

/// Puts one value where there is none.
#[derive(Debug)]
pub(in crate::transform) struct FillNulls {
    pub(in crate::transform) from: Slot,
    pub(in crate::transform) to: Slot,
    /// Of the column's type.
    pub(in crate::transform) value: Scalar<ArrayRef>,
}

impl Operation for FillNulls {
    fn inputs(&self) -> Vec<Slot> {
        vec![self.from]
    }

    fn run(&self, frame: &mut Frame, _block: &BlockContext<'_>) -> Result<(), ArrowError> {
        let values = frame.column(self.from)?;
        let filled = match values.null_count() {
            0 => values.clone(),
            _ => zip(&is_not_null(values)?, values, &self.value)?,
        };
        frame.set(self.to, filled);
        Ok(())
    }
}

/// Makes a column without values.
#[derive(Debug)]
pub(in crate::transform) struct Nulls {
    pub(in crate::transform) to: Slot,
    pub(in crate::transform) column_type: ColumnType,
}

impl Operation for Nulls {
    fn inputs(&self) -> Vec<Slot> {
        Vec::new()
    }

    fn run(&self, frame: &mut Frame, _block: &BlockContext<'_>) -> Result<(), ArrowError> {
        frame.set(self.to, new_null_array(&self.column_type.arrow(), frame.rows()));
        Ok(())
    }
}
