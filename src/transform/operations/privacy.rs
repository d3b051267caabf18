//! Masks and salted hashes of personal data.

use super::Operation;
use crate::error::InputProblem;
use crate::spec::MaskSpec;
use crate::transform::frame::{Blame, Frame, RowProblem, Slot};
use crate::transform::lossless_cast;
use crate::transform::rows::BlockContext;
use crate::value::ColumnType;
use arrow::array::{Array, ArrayRef, AsArray, StringArray, StringBuilder, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Date32Type};
use arrow::error::ArrowError;
use chrono::{Datelike, NaiveDate};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use std::sync::Arc;

/// What stands in the place of a hidden character.
const HIDDEN: char = '*';
/// What stands in the place of a hidden text.
const REDACTED: &str = "***";

/// Hides the values of a column.
#[derive(Debug)]
pub(in crate::transform) struct Mask {
    pub(in crate::transform) how: MaskSpec,
    pub(in crate::transform) from: Slot,
    pub(in crate::transform) to: Slot,
    /// Of the column.
    pub(in crate::transform) blame: Blame,
}

impl Mask {
    /// Why values of this type cannot be hidden so; `None` if they can.
    pub(in crate::transform) fn refusal(how: &MaskSpec, column_type: ColumnType) -> Option<&'static str> {
        let fits = match how {
            MaskSpec::Null => true,
            MaskSpec::YearOnly => matches!(column_type, ColumnType::Date | ColumnType::Timestamp { .. }),
            MaskSpec::Redact | MaskSpec::ReplaceWith(_) | MaskSpec::KeepFirst(_) | MaskSpec::KeepLast(_) => {
                column_type == ColumnType::Text
            }
        };
        match how {
            _ if fits => None,
            MaskSpec::YearOnly => Some("`year_only` takes dates and timestamps"),
            _ => Some("this mask takes text: `cast` the column to `string` first, or use the mask `null`"),
        }
    }

    fn hide(&self, values: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        let each = |hide: &dyn Fn(&str) -> String| -> ArrayRef {
            let texts = values.as_string::<i32>().iter().map(|text| text.map(hide));
            Arc::new(texts.collect::<StringArray>())
        };
        Ok(match &self.how {
            MaskSpec::Null => new_null_array(values.data_type(), values.len()),
            MaskSpec::Redact => each(&|_| REDACTED.to_owned()),
            MaskSpec::ReplaceWith(text) => each(&|_| text.clone()),
            MaskSpec::KeepFirst(kept) => {
                each(&|text| hide_characters(text, |at, _| at < *kept as usize, *kept))
            }
            MaskSpec::KeepLast(kept) => {
                each(&|text| hide_characters(text, |at, len| at + *kept as usize >= len, *kept))
            }
            MaskSpec::YearOnly => beginning_of_year(values)?,
        })
    }
}

impl Operation for Mask {
    fn inputs(&self) -> Vec<Slot> {
        vec![self.from]
    }

    fn run(&self, frame: &mut Frame, _block: &BlockContext<'_>) -> Result<(), ArrowError> {
        let values = frame.column(self.from)?.clone();
        let hidden = self.hide(&values)?;
        let bad = match self.how {
            MaskSpec::YearOnly => without_beginning(&values, &hidden),
            _ => Vec::new(),
        };
        frame.set_with_bad(self.to, hidden, bad, &self.blame)
    }
}

/// Hides the characters that `stays` does not name by position and length of
/// the text; all of them, where nothing would be hidden.
fn hide_characters(text: &str, stays: impl Fn(usize, usize) -> bool, kept: u32) -> String {
    let length = text.chars().count();
    let all = length <= kept as usize;
    let hide = |(at, character)| if !all && stays(at, length) { character } else { HIDDEN };
    text.chars().enumerate().map(hide).collect()
}

fn beginning_of_year(values: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let days = cast(values, &DataType::Date32)?;
    let first = days.as_primitive::<Date32Type>().unary_opt::<_, Date32Type>(|days| {
        let year = Date32Type::to_naive_date_opt(days)?.year();
        Some(Date32Type::from_naive_date(NaiveDate::from_ymd_opt(year, 1, 1)?))
    });
    cast(&first, values.data_type())
}

/// The rows that have a value and no `beginning` of its year: nanoseconds begin
/// within 1677. The message does not show what is to be hidden.
fn without_beginning(values: &ArrayRef, beginning: &ArrayRef) -> Vec<RowProblem> {
    if values.null_count() == beginning.null_count() {
        return Vec::new();
    }
    let lost = (0..values.len()).filter(|&row| values.is_valid(row) && beginning.is_null(row));
    let problem = |row| {
        let (value, expected) = (REDACTED.to_owned(), "value for `year_only`".to_owned());
        (
            row,
            InputProblem::Value {
                value,
                expected,
                detail: Some("its type cannot hold the start of its year"),
            },
        )
    };
    lost.map(problem).collect()
}

/// A secret; never shown.
#[derive(Clone)]
pub(in crate::transform) struct Salt(Hmac<Sha256>);

impl Salt {
    /// A salt of these bytes.
    pub(in crate::transform) fn new(secret: &str) -> Result<Self, hmac::digest::InvalidLength> {
        Hmac::new_from_slice(secret.as_bytes()).map(Salt)
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(…)")
    }
}

/// Replaces the values of a column by the HMAC-SHA-256 of their text.
#[derive(Debug)]
pub(in crate::transform) struct Hash {
    pub(in crate::transform) salt: Salt,
    pub(in crate::transform) from: (Slot, ColumnType),
    pub(in crate::transform) to: Slot,
}

impl Operation for Hash {
    fn inputs(&self) -> Vec<Slot> {
        vec![self.from.0]
    }

    fn run(&self, frame: &mut Frame, _block: &BlockContext<'_>) -> Result<(), ArrowError> {
        let (texts, _) = lossless_cast::cast(frame.column(self.from.0)?, self.from.1, ColumnType::Text)?;
        let texts = texts.as_string::<i32>();
        let mut hashes = StringBuilder::with_capacity(texts.len(), texts.len() * 64);
        for text in texts {
            hashes.append_option(text.map(|text| {
                let keyed = self.salt.0.clone().chain_update(text.as_bytes());
                hex::encode(keyed.finalize().into_bytes())
            }));
        }
        frame.set(self.to, Arc::new(hashes.finish()));
        Ok(())
    }
}
