//! Casts that change no value: an array of one type → another, and which rows it cannot hold.
//!
//! One rule: a value that does not come back the same when it is cast back is
//! bad. So a float with a fraction is not an integer, an integer above 2^53 no
//! `float64`, a decimal loses no digits, a timestamp with a time of day is no
//! date. Text is read as the schema's defaults read it and written as SQL does.
//! [`refusal`] says which pairs of types are not casts at all.

use crate::value::convert::{ConvertError, TimestampRules, boolean, date, decimal, float, integer, time};
use crate::value::{AmbiguousTime, ColumnType, DEFAULT_FALSE, DEFAULT_TRUE, Rounding};
use arrow::array::builder::{BooleanBuilder, PrimitiveBuilder};
use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, StringArray, types::*};
use arrow::compute::{CastOptions, cast_with_options, kernels::cmp};
use arrow::datatypes::{DataType, TimeUnit};
use arrow::error::ArrowError;
use std::sync::Arc;

/// A row whose value the type does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Lost {
    pub(super) row: usize,
    /// Why, where more is known than that.
    pub(super) detail: Option<&'static str>,
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
) -> Result<(ArrayRef, Vec<Lost>), ArrowError> {
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
    let lost = differs.values().set_indices().map(|row| Lost { row, detail: None }).collect::<Vec<_>>();
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

/// Reads text as a column without rules of its own would be read from a CSV:
/// ISO 8601, a decimal point, the tokens of Table Schema.
pub(super) fn parse(texts: &StringArray, to: ColumnType) -> (ArrayRef, Vec<Lost>) {
    match to {
        ColumnType::Boolean => booleans(texts),
        ColumnType::Int { bits: 8 } => primitives::<Int8Type>(texts, to, integer::signed),
        ColumnType::Int { bits: 16 } => primitives::<Int16Type>(texts, to, integer::signed),
        ColumnType::Int { bits: 32 } => primitives::<Int32Type>(texts, to, integer::signed),
        ColumnType::Int { .. } => primitives::<Int64Type>(texts, to, integer::signed),
        ColumnType::UInt { bits: 8 } => primitives::<UInt8Type>(texts, to, integer::unsigned),
        ColumnType::UInt { bits: 16 } => primitives::<UInt16Type>(texts, to, integer::unsigned),
        ColumnType::UInt { bits: 32 } => primitives::<UInt32Type>(texts, to, integer::unsigned),
        ColumnType::UInt { .. } => primitives::<UInt64Type>(texts, to, integer::unsigned),
        ColumnType::Float32 => primitives::<Float32Type>(texts, to, float::float),
        ColumnType::Float64 => primitives::<Float64Type>(texts, to, float::float),
        ColumnType::Decimal { precision, scale } => primitives::<Decimal128Type>(texts, to, |text| {
            decimal::decimal(text, precision, scale, Rounding::Error)
        }),
        ColumnType::Date => primitives::<Date32Type>(texts, to, |text| date::date(text, &[])),
        ColumnType::Time => primitives::<Time64MicrosecondType>(texts, to, |text| time::time(text, &[])),
        ColumnType::Timestamp { unit, utc } => {
            let (source_zone, ambiguous) = (chrono_tz::UTC, AmbiguousTime::default());
            let rules = TimestampRules { unit, utc, source_zone, ambiguous, formats: Vec::new() };
            let convert = |text: &[u8]| rules.timestamp(text);
            match unit {
                TimeUnit::Second => primitives::<TimestampSecondType>(texts, to, convert),
                TimeUnit::Millisecond => primitives::<TimestampMillisecondType>(texts, to, convert),
                TimeUnit::Microsecond => primitives::<TimestampMicrosecondType>(texts, to, convert),
                TimeUnit::Nanosecond => primitives::<TimestampNanosecondType>(texts, to, convert),
            }
        }
        ColumnType::Text | ColumnType::Binary => (Arc::new(texts.clone()), Vec::new()),
    }
}

fn primitives<T: ArrowPrimitiveType>(
    texts: &StringArray,
    to: ColumnType,
    convert: impl Fn(&[u8]) -> Result<T::Native, ConvertError>,
) -> (ArrayRef, Vec<Lost>) {
    let mut values = PrimitiveBuilder::<T>::with_capacity(texts.len()).with_data_type(to.arrow());
    let lost = convert_each(texts, |text| values.append_option(text), convert);
    (Arc::new(values.finish()), lost)
}

fn booleans(texts: &StringArray) -> (ArrayRef, Vec<Lost>) {
    let mut values = BooleanBuilder::with_capacity(texts.len());
    let convert = |text: &[u8]| boolean::boolean(text, &DEFAULT_TRUE, &DEFAULT_FALSE, false);
    let lost = convert_each(texts, |value| values.append_option(value), convert);
    (Arc::new(values.finish()), lost)
}

fn convert_each<V>(
    texts: &StringArray,
    mut append: impl FnMut(Option<V>),
    convert: impl Fn(&[u8]) -> Result<V, ConvertError>,
) -> Vec<Lost> {
    let mut lost = Vec::new();
    for (row, text) in texts.iter().enumerate() {
        append(text.and_then(|text| match convert(text.as_bytes()) {
            Ok(value) => Some(value),
            Err(why) => {
                lost.push(Lost { row, detail: why.detail() });
                None
            }
        }));
    }
    lost
}

#[cfg(test)]
#[path = "lossless_cast_tests.rs"]
mod tests;
