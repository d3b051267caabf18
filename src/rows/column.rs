//! One column of a block: its fields → an Arrow array.

use crate::parse::Dialect;
use crate::parse::scan::{FieldForm, FieldSpan, null_text, unescape};
use crate::schema::Column;
use crate::value::convert::{
    ConvertError, Format, NumberRules, TimestampRules, binary, boolean, date, decimal, float, integer, time,
};
use crate::value::nulls::NullTokens;
use crate::value::{ColumnType, TextRules};
use arrow::array::builder::{BooleanBufferBuilder, NullBufferBuilder};
use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, PrimitiveArray, StringArray, types::*,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::TimeUnit;
use std::sync::Arc;

/// What is the same for every block of a column, made once.
#[derive(Debug, Clone)]
pub(super) struct ColumnReader {
    column_type: ColumnType,
    nulls: NullTokens,
    required: bool,
    rules: TextRules,
    numbers: NumberRules,
    formats: Vec<Format>,
}

/// The fields of one column in a run of records that all have the same number.
#[derive(Debug, Clone, Copy)]
pub(super) struct ColumnFields<'a> {
    /// What the spans point into.
    pub(super) block: &'a [u8],
    /// Spans of all the records, record by record.
    pub(super) spans: &'a [FieldSpan],
    pub(super) fields_per_record: usize,
    /// Which field of each record.
    pub(super) field: usize,
    pub(super) dialect: &'a Dialect,
}

/// A field that gives no value. `row` counts from the first of the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadField {
    pub(super) row: usize,
    pub(super) why: BadFieldKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadFieldKind {
    /// Null in a required column.
    RequiredNull,
    /// Not a value of the column's type.
    ConvertError(ConvertError),
    /// A NUL in text.
    NulByte,
    /// Text that is not UTF-8.
    NotUtf8,
    /// All values together are larger than the offsets of an Arrow array reach.
    TooLarge,
}

/// Decides what happens to a bad field: an error ends the reading of the column.
pub(super) type OnBadField<'f> = dyn FnMut(BadField) -> Result<(), BadField> + 'f;

/// What an array of values of any width is made of.
struct VariableWidth {
    offsets: OffsetBuffer<i32>,
    values: Vec<u8>,
    nulls: Option<NullBuffer>,
}

impl From<ConvertError> for BadFieldKind {
    fn from(why: ConvertError) -> Self {
        BadFieldKind::ConvertError(why)
    }
}

impl<'a> ColumnFields<'a> {
    fn rows(&self) -> usize {
        self.spans.len() / self.fields_per_record
    }

    /// Bytes of all fields of the column: no fewer than their values have.
    fn content_bytes(&self) -> usize {
        let spans = self.spans.chunks_exact(self.fields_per_record).map(|record| record[self.field]);
        spans.map(|span| (span.end - span.start) as usize).sum()
    }

    /// The span of this column's field in a record.
    pub(super) fn span(&self, row: usize) -> FieldSpan {
        self.spans[row * self.fields_per_record + self.field]
    }

    /// The value of a span, escapes resolved in `scratch`.
    #[inline]
    pub(super) fn value<'s>(&self, span: FieldSpan, scratch: &'s mut Vec<u8>) -> &'s [u8]
    where
        'a: 's,
    {
        let raw = &self.block[span.start as usize..span.end as usize];
        if !span.form.has_escapes() {
            return raw;
        }
        scratch.clear();
        unescape(self.dialect, raw, scratch);
        scratch
    }
}

impl ColumnReader {
    pub(super) fn new(column: &Column) -> Self {
        let rules = column.rules.clone();
        ColumnReader {
            column_type: column.column_type,
            nulls: NullTokens::new(&rules),
            required: !column.nullable,
            numbers: NumberRules::new(&rules),
            formats: Format::list(&rules.formats, rules.two_digit_year_pivot),
            rules,
        }
    }

    /// The array of [`ColumnType::arrow`] with one row a record. A field that
    /// gives no value is null, if `on_bad_field` lets that pass; its error ends the
    /// reading. Faults come in order of the rows.
    pub(super) fn read(
        &self,
        fields: &ColumnFields<'_>,
        on_bad_field: &mut OnBadField<'_>,
    ) -> Result<ArrayRef, BadField> {
        match self.column_type {
            ColumnType::Boolean => self.booleans(fields, on_bad_field),
            ColumnType::Int { bits: 8 } => self.integers::<Int8Type>(fields, on_bad_field, integer::signed),
            ColumnType::Int { bits: 16 } => self.integers::<Int16Type>(fields, on_bad_field, integer::signed),
            ColumnType::Int { bits: 32 } => self.integers::<Int32Type>(fields, on_bad_field, integer::signed),
            ColumnType::Int { .. } => self.integers::<Int64Type>(fields, on_bad_field, integer::signed),
            ColumnType::UInt { bits: 8 } => {
                self.integers::<UInt8Type>(fields, on_bad_field, integer::unsigned)
            }
            ColumnType::UInt { bits: 16 } => {
                self.integers::<UInt16Type>(fields, on_bad_field, integer::unsigned)
            }
            ColumnType::UInt { bits: 32 } => {
                self.integers::<UInt32Type>(fields, on_bad_field, integer::unsigned)
            }
            ColumnType::UInt { .. } => self.integers::<UInt64Type>(fields, on_bad_field, integer::unsigned),
            ColumnType::Float32 => self.numbers::<Float32Type>(fields, on_bad_field, float::float),
            ColumnType::Float64 => self.numbers::<Float64Type>(fields, on_bad_field, float::float),
            ColumnType::Decimal { precision, scale } => {
                self.numbers::<Decimal128Type>(fields, on_bad_field, |text| {
                    decimal::decimal(text, precision, scale, self.rules.rounding)
                })
            }
            ColumnType::Date => {
                self.primitives::<Date32Type>(fields, on_bad_field, |text| date::date(text, &self.formats))
            }
            ColumnType::Time => self.primitives::<Time64MicrosecondType>(fields, on_bad_field, |text| {
                time::time(text, &self.formats)
            }),
            ColumnType::Timestamp { unit, utc } => {
                let (source_zone, ambiguous) = (self.rules.source_zone, self.rules.ambiguous_time);
                let formats = self.formats.clone();
                let rules = TimestampRules { unit, utc, source_zone, ambiguous, formats };
                let convert = |text: &[u8]| rules.timestamp(text);
                match unit {
                    TimeUnit::Second => self.primitives::<TimestampSecondType>(fields, on_bad_field, convert),
                    TimeUnit::Millisecond => {
                        self.primitives::<TimestampMillisecondType>(fields, on_bad_field, convert)
                    }
                    TimeUnit::Microsecond => {
                        self.primitives::<TimestampMicrosecondType>(fields, on_bad_field, convert)
                    }
                    TimeUnit::Nanosecond => {
                        self.primitives::<TimestampNanosecondType>(fields, on_bad_field, convert)
                    }
                }
            }
            ColumnType::Text => self.text(fields, on_bad_field),
            ColumnType::Binary => self.binary(fields, on_bad_field),
        }
    }

    /// Whether the column refuses nulls.
    pub(super) fn is_required(&self) -> bool {
        self.required
    }

    /// Hands every row to `take`: its value, or `None` if it is null or a bad field
    /// that `on_bad_field` lets pass. `take` changes nothing when it fails.
    #[inline(always)]
    fn for_each(
        &self,
        fields: &ColumnFields<'_>,
        on_bad_field: &mut OnBadField<'_>,
        mut take: impl FnMut(Option<&[u8]>) -> Result<(), BadFieldKind>,
    ) -> Result<(), BadField> {
        let mut scratch = Vec::new();
        for (row, record) in fields.spans.chunks_exact(fields.fields_per_record).enumerate() {
            let span = record[fields.field];
            let value = fields.value(span, &mut scratch);
            let is_null = span.form == FieldForm::Missing
                || self.nulls.is_null(null_text(fields.block, &span, value), span.form.is_quoted());
            let taken = match is_null {
                false => take(Some(value)),
                true if self.required => Err(BadFieldKind::RequiredNull),
                true => take(None),
            };
            if let Err(why) = taken {
                on_bad_field(BadField { row, why })?;
                take(None).map_err(|why| BadField { row, why })?;
            }
        }
        Ok(())
    }

    /// Values of a fixed width, as `convert` makes them.
    fn primitives<T: ArrowPrimitiveType>(
        &self,
        fields: &ColumnFields<'_>,
        on_bad_field: &mut OnBadField<'_>,
        mut convert: impl FnMut(&[u8]) -> Result<T::Native, ConvertError>,
    ) -> Result<ArrayRef, BadField> {
        let mut values = Vec::with_capacity(fields.rows());
        let mut validity = NullBufferBuilder::new(fields.rows());
        self.for_each(fields, on_bad_field, |text| {
            values.push(match text {
                Some(text) => convert(text)?,
                None => T::default_value(),
            });
            validity.append(text.is_some());
            Ok(())
        })?;
        let array = PrimitiveArray::<T>::new(values.into(), validity.finish());
        Ok(Arc::new(array.with_data_type(self.column_type.arrow())))
    }

    /// As [`Self::primitives`], of texts by the column's [`NumberRules`].
    fn numbers<T: ArrowPrimitiveType>(
        &self,
        fields: &ColumnFields<'_>,
        on_bad_field: &mut OnBadField<'_>,
        convert: impl Fn(&[u8]) -> Result<T::Native, ConvertError>,
    ) -> Result<ArrayRef, BadField> {
        if self.numbers.is_plain() {
            return self.primitives::<T>(fields, on_bad_field, convert);
        }
        let mut scratch = Vec::new();
        self.primitives::<T>(fields, on_bad_field, |text| convert(self.numbers.plain(text, &mut scratch)?))
    }

    fn integers<T: ArrowPrimitiveType>(
        &self,
        fields: &ColumnFields<'_>,
        on_bad_field: &mut OnBadField<'_>,
        strict: impl Fn(&[u8]) -> Result<T::Native, ConvertError>,
    ) -> Result<ArrayRef, BadField>
    where
        T::Native: TryFrom<i128>,
    {
        self.numbers::<T>(fields, on_bad_field, |text| self.numbers.integer(text, &strict))
    }

    fn booleans(
        &self,
        fields: &ColumnFields<'_>,
        on_bad_field: &mut OnBadField<'_>,
    ) -> Result<ArrayRef, BadField> {
        let mut values = BooleanBufferBuilder::new(fields.rows());
        let mut validity = NullBufferBuilder::new(fields.rows());
        let TextRules { true_tokens, false_tokens, ignore_case, .. } = &self.rules;
        self.for_each(fields, on_bad_field, |text| {
            values.append(match text {
                Some(text) => boolean::boolean(text, true_tokens, false_tokens, *ignore_case)?,
                None => false,
            });
            validity.append(text.is_some());
            Ok(())
        })?;
        Ok(Arc::new(BooleanArray::new(values.finish(), validity.finish())))
    }

    /// Values of any width: `append` adds one to the bytes of all.
    fn variable_width(
        &self,
        fields: &ColumnFields<'_>,
        on_bad_field: &mut OnBadField<'_>,
        mut append: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), BadFieldKind>,
    ) -> Result<VariableWidth, BadField> {
        let mut values = Vec::with_capacity(fields.content_bytes());
        let mut offsets = Vec::with_capacity(fields.rows() + 1);
        offsets.push(0i32);
        let mut validity = NullBufferBuilder::new(fields.rows());
        self.for_each(fields, on_bad_field, |text| {
            if let Some(text) = text {
                let before = values.len();
                if let Err(why) = append(text, &mut values) {
                    values.truncate(before);
                    return Err(why);
                }
            }
            offsets.push(i32::try_from(values.len()).map_err(|_| BadFieldKind::TooLarge)?);
            validity.append(text.is_some());
            Ok(())
        })?;
        Ok(VariableWidth { offsets: OffsetBuffer::new(offsets.into()), values, nulls: validity.finish() })
    }

    fn binary(
        &self,
        fields: &ColumnFields<'_>,
        on_bad_field: &mut OnBadField<'_>,
    ) -> Result<ArrayRef, BadField> {
        let form = self.rules.binary_form;
        let append = |text: &[u8], bytes: &mut Vec<u8>| Ok(binary::binary(text, form, bytes)?);
        let VariableWidth { offsets, values, nulls } = self.variable_width(fields, on_bad_field, append)?;
        Ok(Arc::new(BinaryArray::new(offsets, values.into(), nulls)))
    }

    /// Text is copied first and checked for NUL and UTF-8 as a whole, many
    /// times faster than field by field; only if that fails is it read again,
    /// field by field.
    fn text(
        &self,
        fields: &ColumnFields<'_>,
        on_bad_field: &mut OnBadField<'_>,
    ) -> Result<ArrayRef, BadField> {
        let copy = |text: &[u8], bytes: &mut Vec<u8>| {
            bytes.extend_from_slice(text);
            Ok(())
        };
        // Faults of the first reading are found by the second again.
        let mut clean = true;
        let mut note = |_: BadField| {
            clean = false;
            Ok(())
        };
        if let Ok(VariableWidth { offsets, values, nulls }) = self.variable_width(fields, &mut note, copy)
            && clean
            && memchr::memchr(0, &values).is_none()
            && let Ok(array) = StringArray::try_new(offsets, values.into(), nulls)
        {
            return Ok(Arc::new(array));
        }
        let checked = |text: &[u8], bytes: &mut Vec<u8>| {
            if memchr::memchr(0, text).is_some() {
                return Err(BadFieldKind::NulByte);
            }
            let text = std::str::from_utf8(text).map_err(|_| BadFieldKind::NotUtf8)?;
            bytes.extend_from_slice(text.as_bytes());
            Ok(())
        };
        let VariableWidth { offsets, values, nulls } = self.variable_width(fields, on_bad_field, checked)?;
        Ok(Arc::new(
            StringArray::try_new(offsets, values.into(), nulls).expect("every value was checked to be UTF-8"),
        ))
    }
}
