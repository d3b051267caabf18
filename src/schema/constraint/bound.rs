//! Values in a schema file → values of the column's type.

use crate::value::convert::{
    ConvertError, Format, NumberRules, TimestampRules, binary, boolean, date, decimal, float, integer, time,
};
use crate::value::{ColumnType, TextRules};
use arrow::array::*;
use arrow::datatypes::{TimeUnit, *};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// A value that others are checked against.
#[derive(Debug, Clone)]
pub struct Bound {
    /// As the document has it: a text or a number.
    spelling: Value,
    /// One value of the column's type.
    value: ArrayRef,
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.spelling == other.spelling && *self.value == *other.value
    }
}

impl Bound {
    /// A value as a column would read it; `None` if it is none of its type.
    ///
    /// Texts are read by the column's rules, dates and times also in ISO 8601.
    /// Numbers in the document are just that, whatever marks the column has.
    pub fn new(spelling: &Value, column_type: ColumnType, rules: &TextRules) -> Option<Self> {
        let value = match spelling {
            Value::String(text) => read(text.as_bytes(), column_type, rules).or_else(|why| {
                let plain = TextRules { formats: Vec::new(), ..rules.clone() };
                if rules.formats.is_empty() { Err(why) } else { read(text.as_bytes(), column_type, &plain) }
            }),
            Value::Number(number) => {
                // A column with a format such as %Y%m%d reads these, too.
                let rules = TextRules { formats: rules.formats.clone(), ..TextRules::default() };
                read(number.to_string().as_bytes(), column_type, &rules)
            }
            Value::Bool(value) if column_type == ColumnType::Boolean => {
                Ok(Arc::new(BooleanArray::from(vec![*value])) as ArrayRef)
            }
            _ => return None,
        };
        Some(Bound { spelling: spelling.clone(), value: value.ok()? })
    }

    /// As the document has it.
    pub fn spelling(&self) -> &Value {
        &self.spelling
    }

    /// An array of this value alone, of the column's type.
    pub fn value(&self) -> &ArrayRef {
        &self.value
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&spelled(&self.spelling))
    }
}

/// A value without the quotes of JSON.
pub(super) fn spelled(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The value of one text. Bounds are exact: a column that rounds does not round them.
fn read(text: &[u8], column_type: ColumnType, rules: &TextRules) -> Result<ArrayRef, ConvertError> {
    let numbers = NumberRules::new(rules);
    let mut scratch = Vec::new();
    let formats = Format::list(&rules.formats, rules.two_digit_year_pivot);
    let number = if column_type.is_numeric() { numbers.plain(text, &mut scratch)? } else { text };
    Ok(match column_type {
        ColumnType::Boolean => {
            let value = boolean::boolean(text, &rules.true_tokens, &rules.false_tokens, rules.ignore_case)?;
            Arc::new(BooleanArray::from(vec![value]))
        }
        ColumnType::Int { bits: 8 } => one::<Int8Type>(integer::signed(number)?),
        ColumnType::Int { bits: 16 } => one::<Int16Type>(integer::signed(number)?),
        ColumnType::Int { bits: 32 } => one::<Int32Type>(integer::signed(number)?),
        ColumnType::Int { .. } => one::<Int64Type>(integer::signed(number)?),
        ColumnType::UInt { bits: 8 } => one::<UInt8Type>(integer::unsigned(number)?),
        ColumnType::UInt { bits: 16 } => one::<UInt16Type>(integer::unsigned(number)?),
        ColumnType::UInt { bits: 32 } => one::<UInt32Type>(integer::unsigned(number)?),
        ColumnType::UInt { .. } => one::<UInt64Type>(integer::unsigned(number)?),
        ColumnType::Float32 => one::<Float32Type>(float::float(number)?),
        ColumnType::Float64 => one::<Float64Type>(float::float(number)?),
        ColumnType::Decimal { precision, scale } => {
            let value = decimal::decimal(number, precision, scale, crate::value::Rounding::Error)?;
            let array = Decimal128Array::from(vec![value]);
            Arc::new(array.with_data_type(column_type.arrow()))
        }
        ColumnType::Date => one::<Date32Type>(date::date(text, &formats)?),
        ColumnType::Time => one::<Time64MicrosecondType>(time::time(text, &formats)?),
        ColumnType::Timestamp { unit, utc } => {
            let (source_zone, ambiguous) = (rules.source_zone, rules.ambiguous_time);
            let ticks = TimestampRules { unit, utc, source_zone, ambiguous, formats }.timestamp(text)?;
            let array: ArrayRef = match unit {
                TimeUnit::Second => one::<TimestampSecondType>(ticks),
                TimeUnit::Millisecond => one::<TimestampMillisecondType>(ticks),
                TimeUnit::Microsecond => one::<TimestampMicrosecondType>(ticks),
                TimeUnit::Nanosecond => one::<TimestampNanosecondType>(ticks),
            };
            let data = array.to_data().into_builder().data_type(column_type.arrow());
            make_array(data.build().map_err(|_| ConvertError::Malformed)?)
        }
        ColumnType::Text => {
            let text = std::str::from_utf8(text).map_err(|_| ConvertError::Malformed)?;
            Arc::new(StringArray::from(vec![text]))
        }
        ColumnType::Binary => {
            let mut bytes = Vec::new();
            binary::binary(text, rules.binary_form, &mut bytes)?;
            Arc::new(BinaryArray::from(vec![bytes.as_slice()]))
        }
    })
}

fn one<T: ArrowPrimitiveType>(value: T::Native) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::from_iter_values([value]))
}
