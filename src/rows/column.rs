//! One column of a block: its fields → an Arrow array.

use crate::parse::Grammar;
use crate::parse::scan::{FieldForm, FieldSpan, null_text, unescape};
use crate::schema::Column;
use crate::value::convert::ConvertError;
use crate::value::converter::{BadValue, Texts, read_whole_text};
use crate::value::nulls::NullTokens;
use crate::value::{ColumnType, Converter};
use arrow::array::ArrayRef;

/// What is the same for every block of a column, made once.
#[derive(Debug, Clone)]
pub(super) struct ColumnReader {
    converter: Converter,
    nulls: NullTokens,
    required: bool,
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
    pub(super) grammar: &'a Grammar,
}

/// Decides what happens to a bad value: an error ends the reading of the column.
pub(super) type OnBadValue<'f> = dyn FnMut(BadValue) -> Result<(), BadValue> + 'f;

/// Fields as their column reads them.
struct FieldTexts<'r, 'f> {
    reader: &'r ColumnReader,
    fields: &'r ColumnFields<'r>,
    on_bad_value: &'r mut OnBadValue<'f>,
}

impl<'a> ColumnFields<'a> {
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
        unescape(self.grammar, raw, scratch);
        scratch
    }
}

impl ColumnReader {
    pub(super) fn new(column: &Column) -> Self {
        ColumnReader {
            converter: Converter::new(column.column_type, &column.rules),
            nulls: NullTokens::new(&column.rules),
            required: !column.nullable,
        }
    }

    /// The array of [`ColumnType::arrow`] with one row a record. A field that
    /// gives no value is null, if `on_bad_value` lets that pass; its error ends the
    /// reading. Bad values come in order of the rows.
    pub(super) fn read(
        &self,
        fields: &ColumnFields<'_>,
        on_bad_value: &mut OnBadValue<'_>,
    ) -> Result<ArrayRef, BadValue> {
        // What ends this reading is found by the other again.
        if self.converter.column_type() == ColumnType::Text
            && let Some(array) =
                read_whole_text(&mut FieldTexts { reader: self, fields, on_bad_value: &mut Err })
        {
            return Ok(array);
        }
        self.converter.read(&mut FieldTexts { reader: self, fields, on_bad_value })
    }

    /// Whether the column refuses nulls.
    pub(super) fn is_required(&self) -> bool {
        self.required
    }
}

impl Texts for FieldTexts<'_, '_> {
    type Error = BadValue;

    fn rows(&self) -> usize {
        self.fields.spans.len() / self.fields.fields_per_record
    }

    fn content_bytes(&self) -> usize {
        let ColumnFields { spans, fields_per_record, field, .. } = *self.fields;
        let spans = spans.chunks_exact(fields_per_record).map(|record| record[field]);
        spans.map(|span| (span.end - span.start) as usize).sum()
    }

    #[inline(always)]
    fn for_each(
        &mut self,
        mut take: impl FnMut(Option<&[u8]>) -> Result<(), ConvertError>,
    ) -> Result<(), BadValue> {
        let FieldTexts { reader: ColumnReader { nulls, required, .. }, fields, .. } = *self;
        let mut scratch = Vec::new();
        for (row, record) in fields.spans.chunks_exact(fields.fields_per_record).enumerate() {
            let span = record[fields.field];
            let value = fields.value(span, &mut scratch);
            let is_null = span.form == FieldForm::Missing
                || nulls.is_null(null_text(fields.block, &span, value), span.form.is_quoted());
            let taken = match take((!is_null).then_some(value)) {
                Ok(()) if is_null && *required => Err(ConvertError::RequiredNull),
                taken => taken,
            };
            if let Err(why) = taken {
                (self.on_bad_value)(BadValue { row, why })?;
            }
        }
        Ok(())
    }
}
