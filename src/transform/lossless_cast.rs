//! Casts that change no value: an array of one type → another, and which rows it cannot hold.
//!
//! One rule: a value that does not come back the same when it is cast back is
//! bad. So a float with a fraction is not an integer, an integer above 2^53 no
//! `float64`, a decimal loses no digits, a timestamp with a time of day is no
//! date. Text is read as the schema's defaults read it and written as SQL does.
//! [`refusal`] says which pairs of types are not casts at all.

use crate::value::convert::ConvertError;
use crate::value::converter::{BadValue, Texts};
use crate::value::{ColumnType, Converter};
use arrow::array::{Array, ArrayRef, AsArray, StringArray, types::*};
use arrow::compute::{CastOptions, cast_with_options, kernels::cmp};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use std::convert::Infallible;
use std::sync::Arc;

/// Texts and which of them are lost.
struct CastTexts<'a> {
    texts: &'a StringArray,
    lost: Vec<BadValue>,
}

/// Why values of one type are never cast to another, and what to do instead; `None` if they are.
pub(super) fn refusal(from: ColumnType, to: ColumnType) -> Option<&'static str> {
    use ColumnType::*;
    let is_integer = |t| matches!(t, Int { .. } | UInt { .. });
    let is_number = |t| is_integer(t) || matches!(t, Float32 | Float64 | Decimal { .. });
    match (from, to) {
        _ if from == to => None,
        (Binary, _) | (_, Binary) => {
            Some("bytes become text only through `derive` with encode(…) or decode(…)")
        }
        (Text, _) | (_, Text) => None,
        _ if is_number(from) && is_number(to) => None,
        (Boolean, _) if is_integer(to) => None,
        (_, Boolean) if is_integer(from) => None,
        (Date | Timestamp { .. }, Date | Timestamp { .. }) => None,
        _ => Some("convert explicitly with `derive`, as with date_part('epoch', …) or CAST(… AS …)"),
    }
}

/// Casts an array of `from` to `to`; rows that are lost are null in it.
pub(super) fn cast(
    values: &ArrayRef,
    from: ColumnType,
    to: ColumnType,
) -> Result<(ArrayRef, Vec<BadValue>), ArrowError> {
    if from == to {
        return Ok((values.clone(), Vec::new()));
    }
    if from == ColumnType::Text {
        return Ok(parse(values.as_string::<i32>(), to));
    }
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let there = cast_with_options(values, &to.arrow(), &options)?;
    if to == ColumnType::Text {
        return Ok((there, Vec::new()));
    }
    let back = cast_with_options(&there, &from.arrow(), &options)?;
    let differs = cmp::distinct(&without_negative_zero(values), &back)?;
    let lost = differs.values().set_indices().map(|row| BadValue { row, why: ConvertError::Malformed });
    let lost = lost.collect::<Vec<_>>();
    let kept = if lost.is_empty() { there } else { arrow::compute::nullif(&there, &differs)? };
    Ok((kept, lost))
}

/// Zero has a sign in floats only; losing it loses nothing that anyone counts.
fn without_negative_zero(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float32 => {
            Arc::new(values.as_primitive::<Float32Type>().unary::<_, Float32Type>(|x| x + 0.0))
        }
        DataType::Float64 => {
            Arc::new(values.as_primitive::<Float64Type>().unary::<_, Float64Type>(|x| x + 0.0))
        }
        _ => values.clone(),
    }
}

/// Reads text as [`Converter::plain`] does.
fn parse(texts: &StringArray, to: ColumnType) -> (ArrayRef, Vec<BadValue>) {
    let mut texts = CastTexts { texts, lost: Vec::new() };
    let Ok(values) = Converter::plain(to).read(&mut texts);
    (values, texts.lost)
}

impl Texts for CastTexts<'_> {
    type Error = Infallible;

    fn rows(&self) -> usize {
        self.texts.len()
    }

    fn content_bytes(&self) -> usize {
        self.texts.value_data().len()
    }

    #[inline(always)]
    fn for_each(
        &mut self,
        mut take: impl FnMut(Option<&[u8]>) -> Result<(), ConvertError>,
    ) -> Result<(), Infallible> {
        for (row, text) in self.texts.iter().enumerate() {
            let taken = take(text.map(str::as_bytes));
            self.lost.extend(taken.err().map(|why| match why {
                // The `rounding` that this tells of is a column's in a schema: casts have none.
                ConvertError::NotWhole => BadValue { row, why: ConvertError::Malformed },
                why => BadValue { row, why },
            }));
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "lossless_cast_tests.rs"]
mod tests;
