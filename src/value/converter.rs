//! The texts of one column → an array of its type: the one table of what reads which type.
//!
//! A type is looked up once an array, never once a value: every loop over texts is compiled for
//! the one converter that it calls.

use super::convert::{
    ConvertError, Format, NumberRules, TimestampRules, binary, boolean, date, decimal, float, integer, time,
};
use super::{ColumnType, TextRules};
use arrow::array::builder::{BooleanBufferBuilder, NullBufferBuilder};
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, PrimitiveArray, StringArray, types::*,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::TimeUnit;
use std::sync::Arc;

/// A text that gives no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadValue {
    /// Its row in the array, which is null.
    pub row: usize,
    /// Why.
    pub why: ConvertError,
}

/// Texts that become the rows of an array.
pub trait Texts {
    /// What ends the reading.
    type Error;

    /// Number of the rows.
    fn rows(&self) -> usize;

    /// Bytes of all texts: no fewer than their values have.
    fn content_bytes(&self) -> usize;

    /// Hands every row to `take`, in order: a text, or null. A text that `take` refuses is null
    /// in the array.
    ///
    /// # Errors
    /// What the implementor makes of a refusal, if it does not let that pass.
    fn for_each(
        &mut self,
        take: impl FnMut(Option<&[u8]>) -> Result<(), ConvertError>,
    ) -> Result<(), Self::Error>;
}

/// What reads the values of one column, made once.
#[derive(Debug, Clone)]
pub struct Converter {
    column_type: ColumnType,
    rules: TextRules,
    numbers: NumberRules,
    formats: Vec<Format>,
}

/// What an array of values of any width is made of.
struct VariableWidth {
    offsets: OffsetBuffer<i32>,
    values: Vec<u8>,
    nulls: Option<NullBuffer>,
}

/// One text, which has to give a value.
struct One<'t>(&'t [u8]);

impl Converter {
    /// The converter of a column of this type, whose text is written by these rules.
    pub fn new(column_type: ColumnType, rules: &TextRules) -> Self {
        Converter {
            column_type,
            numbers: NumberRules::new(rules),
            formats: Format::list(&rules.formats, rules.two_digit_year_pivot),
            rules: rules.clone(),
        }
    }

    /// The converter of a column without rules of its own: ISO 8601, a decimal point, the tokens
    /// of Table Schema.
    pub fn plain(column_type: ColumnType) -> Self {
        Converter::new(column_type, &TextRules::default())
    }

    /// The type of the values.
    pub fn column_type(&self) -> ColumnType {
        self.column_type
    }

    /// The array of [`ColumnType::arrow`] with the values of these texts.
    ///
    /// # Errors
    /// What ends the reading of `texts`.
    pub fn read<S: Texts>(&self, texts: &mut S) -> Result<ArrayRef, S::Error> {
        let Converter { rules, formats, .. } = self;
        match self.column_type {
            ColumnType::Boolean => self.booleans(texts),
            ColumnType::Int { bits: 8 } => self.integers::<Int8Type, S>(texts, integer::signed),
            ColumnType::Int { bits: 16 } => self.integers::<Int16Type, S>(texts, integer::signed),
            ColumnType::Int { bits: 32 } => self.integers::<Int32Type, S>(texts, integer::signed),
            ColumnType::Int { .. } => self.integers::<Int64Type, S>(texts, integer::signed),
            ColumnType::UInt { bits: 8 } => self.integers::<UInt8Type, S>(texts, integer::unsigned),
            ColumnType::UInt { bits: 16 } => self.integers::<UInt16Type, S>(texts, integer::unsigned),
            ColumnType::UInt { bits: 32 } => self.integers::<UInt32Type, S>(texts, integer::unsigned),
            ColumnType::UInt { .. } => self.integers::<UInt64Type, S>(texts, integer::unsigned),
            ColumnType::Float32 => self.numbers::<Float32Type, S>(texts, float::float),
            ColumnType::Float64 => self.numbers::<Float64Type, S>(texts, float::float),
            ColumnType::Decimal { precision, scale } => self.numbers::<Decimal128Type, S>(texts, |text| {
                decimal::decimal(text, precision, scale, rules.rounding)
            }),
            ColumnType::Date => self.primitives::<Date32Type, S>(texts, |text| date::date(text, formats)),
            ColumnType::Time => {
                self.primitives::<Time64MicrosecondType, S>(texts, |text| time::time(text, formats))
            }
            ColumnType::Timestamp { unit, utc } => {
                let (source_zone, ambiguous) = (rules.source_zone, rules.ambiguous_time);
                let rules = TimestampRules { unit, utc, source_zone, ambiguous, formats };
                let convert = |text: &[u8]| rules.timestamp(text);
                match unit {
                    TimeUnit::Second => self.primitives::<TimestampSecondType, S>(texts, convert),
                    TimeUnit::Millisecond => self.primitives::<TimestampMillisecondType, S>(texts, convert),
                    TimeUnit::Microsecond => self.primitives::<TimestampMicrosecondType, S>(texts, convert),
                    TimeUnit::Nanosecond => self.primitives::<TimestampNanosecondType, S>(texts, convert),
                }
            }
            ColumnType::Text => text(texts),
            ColumnType::Binary => {
                let append =
                    |text: &[u8], bytes: &mut Vec<u8>| binary::binary(text, rules.binary_form, bytes);
                let VariableWidth { offsets, values, nulls } = variable_width(texts, append)?;
                Ok(Arc::new(BinaryArray::new(offsets, values.into(), nulls)))
            }
        }
    }

    /// An array of one value.
    ///
    /// # Errors
    /// Why the text gives none.
    pub fn read_one(&self, text: &str) -> Result<ArrayRef, ConvertError> {
        match self.column_type {
            // It is UTF-8 already, and what a schema or job says may hold a NUL.
            ColumnType::Text => Ok(Arc::new(StringArray::from(vec![text]))),
            _ => self.read(&mut One(text.as_bytes())),
        }
    }

    /// Values of a fixed width, as `convert` makes them.
    fn primitives<T: ArrowPrimitiveType, S: Texts>(
        &self,
        texts: &mut S,
        convert: impl FnMut(&[u8]) -> Result<T::Native, ConvertError>,
    ) -> Result<ArrayRef, S::Error> {
        let mut values = Vec::with_capacity(texts.rows());
        let mut validity = NullBufferBuilder::new(texts.rows());
        convert_each(texts, convert, |value| {
            values.push(value.unwrap_or_default());
            validity.append(value.is_some());
        })?;
        let array = PrimitiveArray::<T>::new(values.into(), validity.finish());
        Ok(Arc::new(array.with_data_type(self.column_type.arrow())))
    }

    /// As [`Self::primitives`], of texts by the column's [`NumberRules`].
    fn numbers<T: ArrowPrimitiveType, S: Texts>(
        &self,
        texts: &mut S,
        convert: impl Fn(&[u8]) -> Result<T::Native, ConvertError>,
    ) -> Result<ArrayRef, S::Error> {
        if self.numbers.is_plain() {
            return self.primitives::<T, S>(texts, convert);
        }
        let mut scratch = Vec::new();
        self.primitives::<T, S>(texts, |text| convert(self.numbers.plain(text, &mut scratch)?))
    }

    fn integers<T: ArrowPrimitiveType, S: Texts>(
        &self,
        texts: &mut S,
        strict: impl Fn(&[u8]) -> Result<T::Native, ConvertError>,
    ) -> Result<ArrayRef, S::Error>
    where
        T::Native: TryFrom<i128>,
    {
        self.numbers::<T, S>(texts, |text| self.numbers.integer(text, &strict))
    }

    fn booleans<S: Texts>(&self, texts: &mut S) -> Result<ArrayRef, S::Error> {
        let mut values = BooleanBufferBuilder::new(texts.rows());
        let mut validity = NullBufferBuilder::new(texts.rows());
        let TextRules { true_tokens, false_tokens, ignore_case, .. } = &self.rules;
        let convert = |text: &[u8]| boolean::boolean(text, true_tokens, false_tokens, *ignore_case);
        convert_each(texts, convert, |value| {
            values.append(value.unwrap_or_default());
            validity.append(value.is_some());
        })?;
        Ok(Arc::new(BooleanArray::new(values.finish(), validity.finish())))
    }
}

/// Text that is copied first and checked for NUL and UTF-8 as a whole, many times faster than
/// text by text as [`Converter::read`] does; `None` if that or the reading of `texts` fails.
pub fn read_whole_text<S: Texts>(texts: &mut S) -> Option<ArrayRef> {
    let copy = |text: &[u8], bytes: &mut Vec<u8>| {
        bytes.extend_from_slice(text);
        Ok(())
    };
    let VariableWidth { offsets, values, nulls } = variable_width(texts, copy).ok()?;
    if memchr::memchr(0, &values).is_some() {
        return None;
    }
    Some(Arc::new(StringArray::try_new(offsets, values.into(), nulls).ok()?))
}

fn text<S: Texts>(texts: &mut S) -> Result<ArrayRef, S::Error> {
    let checked = |text: &[u8], bytes: &mut Vec<u8>| {
        if memchr::memchr(0, text).is_some() {
            return Err(ConvertError::NulByte);
        }
        let text = std::str::from_utf8(text).map_err(|_| ConvertError::NotUtf8)?;
        bytes.extend_from_slice(text.as_bytes());
        Ok(())
    };
    let VariableWidth { offsets, values, nulls } = variable_width(texts, checked)?;
    let array = StringArray::try_new(offsets, values.into(), nulls);
    Ok(Arc::new(array.expect("every value was checked to be UTF-8")))
}

/// Hands the value of every row to `push`: null for null, and for texts that have none.
#[inline(always)]
fn convert_each<S: Texts, V: Copy>(
    texts: &mut S,
    mut convert: impl FnMut(&[u8]) -> Result<V, ConvertError>,
    mut push: impl FnMut(Option<V>),
) -> Result<(), S::Error> {
    texts.for_each(|text| {
        let value = text.map(&mut convert).transpose();
        push(value.unwrap_or_default());
        value.map(|_| ())
    })
}

/// Values of any width: `append` adds one to the bytes of all.
fn variable_width<S: Texts>(
    texts: &mut S,
    mut append: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), ConvertError>,
) -> Result<VariableWidth, S::Error> {
    let mut values = Vec::with_capacity(texts.content_bytes());
    let mut offsets = Vec::with_capacity(texts.rows() + 1);
    offsets.push(0i32);
    let mut validity = NullBufferBuilder::new(texts.rows());
    let mut end = 0;
    texts.for_each(|text| {
        let appended = text.map_or(Ok(end), |text| {
            append(text, &mut values)?;
            i32::try_from(values.len()).map_err(|_| ConvertError::TooLarge)
        });
        match appended {
            Ok(new_end) => end = new_end,
            Err(_) => values.truncate(end as usize),
        }
        offsets.push(end);
        validity.append(text.is_some() && appended.is_ok());
        appended.map(|_| ())
    })?;
    Ok(VariableWidth { offsets: OffsetBuffer::new(offsets.into()), values, nulls: validity.finish() })
}

impl Texts for One<'_> {
    type Error = ConvertError;

    fn rows(&self) -> usize {
        1
    }

    fn content_bytes(&self) -> usize {
        self.0.len()
    }

    fn for_each(
        &mut self,
        mut take: impl FnMut(Option<&[u8]>) -> Result<(), ConvertError>,
    ) -> Result<(), ConvertError> {
        take(Some(self.0))
    }
}
