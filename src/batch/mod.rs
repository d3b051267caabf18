//! Field spans of a block → an Arrow record batch with the schema's types.
//!
//! Input: a block of whole records and the [`RecordIndex`] the scanner made of
//! it. Output: one batch with a row for every record, or the *first* record
//! that does not fit the schema, whichever column it fails in: the answer never
//! depends on the order of the work. Pure computation; [`crate::pipeline`] calls
//! it on the Rayon pool, with one [`BatchBuilder`] for every input. [`convert`] says what
//! text is which value, [`nulls`] what is null, [`binding`] which field is
//! which column.

pub mod binding;
mod column;
pub mod convert;
pub mod nulls;

pub use binding::Binding;

use crate::error::InputProblem;
use crate::parse::scan::FieldSpan;
use crate::parse::{Dialect, RecordIndex};
use crate::schema::{ColumnType, Schema};
use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, SchemaRef};
use column::{ColumnFields, ColumnReader, Fault, FaultKind};
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// The Arrow schema of the batches: output names, [`ColumnType::arrow`] types.
pub fn arrow_schema(schema: &Schema) -> SchemaRef {
    let field = |column: &crate::schema::Column| {
        Field::new(&column.name, column.column_type.arrow(), column.nullable)
    };
    Arc::new(arrow::datatypes::Schema::new(schema.columns.iter().map(field).collect::<Vec<_>>()))
}

/// A record that does not fit the schema. Every place is relative to its block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordError {
    /// Records before it, skipped ones included.
    pub record: usize,
    /// Column of the schema, from 0, if one is to blame.
    pub column: Option<usize>,
    /// Bytes before the field's content (after an opening quote), or before the
    /// record if no column is to blame.
    pub byte_offset: usize,
    /// Lines before that place.
    pub line: usize,
    /// What is wrong.
    pub problem: InputProblem,
}

/// Makes record batches of the blocks of one input.
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    arrow_schema: SchemaRef,
    dialect: Dialect,
    binding: Binding,
    readers: Vec<ColumnReader>,
    /// For every column, [`InputProblem::Value::expected`].
    expected: Vec<String>,
}

impl BatchBuilder {
    /// A builder for records that are bound to `schema` by `binding`.
    ///
    /// # Panics
    /// If the binding was made for another schema.
    pub fn new(schema: &Schema, dialect: &Dialect, binding: &Binding) -> Self {
        assert_eq!(binding.field_of_column.len(), schema.columns.len(), "a field for every column");
        assert!(
            binding.field_of_column.iter().flatten().all(|field| *field < binding.fields_per_record),
            "columns are bound to fields that every record has"
        );
        BatchBuilder {
            arrow_schema: arrow_schema(schema),
            dialect: dialect.clone(),
            binding: binding.clone(),
            readers: schema.columns.iter().map(ColumnReader::new).collect(),
            expected: schema
                .columns
                .iter()
                .map(|column| expected(column.column_type, &column.rules.formats))
                .collect(),
        }
    }

    /// The schema of the batches, as [`arrow_schema`] makes it.
    pub fn schema(&self) -> &SchemaRef {
        &self.arrow_schema
    }

    /// The batch of a block's records, without the first `skip` (headers),
    /// which need not fit anything.
    ///
    /// # Errors
    /// The first record in the block that is ragged or has a field that gives
    /// no value; of that record, the first column of the schema to do so.
    pub fn build(&self, block: &[u8], index: &RecordIndex, skip: usize) -> Result<RecordBatch, RecordError> {
        let skip = skip.min(index.record_ends.len());
        let first_span = if skip == 0 { 0 } else { index.record_ends[skip - 1] as usize };
        let mut first_error = self.first_ragged(index, skip, first_span);
        let mut rows = first_error.as_ref().map_or(index.record_ends.len(), |error| error.record) - skip;

        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.readers.len());
        for (column, reader) in self.readers.iter().enumerate() {
            let Some(field) = self.binding.field_of_column[column] else {
                arrays.push(new_null_array(self.arrow_schema.field(column).data_type(), rows));
                continue;
            };
            let fields = ColumnFields {
                block,
                spans: &index.fields[first_span..][..rows * self.binding.fields_per_record],
                fields_per_record: self.binding.fields_per_record,
                field,
                dialect: &self.dialect,
            };
            match reader.read(&fields) {
                Ok(array) => arrays.push(array),
                Err(fault) => {
                    // Later columns count only if they fail in an earlier record.
                    rows = fault.row;
                    first_error = Some(self.record_error(&fields, index, skip, column, fault));
                }
            }
        }
        match first_error {
            Some(error) => Err(error),
            None => {
                let options = RecordBatchOptions::new().with_row_count(Some(rows));
                Ok(RecordBatch::try_new_with_options(self.arrow_schema.clone(), arrays, &options)
                    .expect("arrays of the schema's types, one row a record, nulls only where allowed"))
            }
        }
    }

    /// The first record after those skipped with the wrong number of fields.
    fn first_ragged(&self, index: &RecordIndex, skip: usize, first_span: usize) -> Option<RecordError> {
        let expected = self.binding.fields_per_record;
        let mut begin = first_span;
        for (record, end) in index.record_ends.iter().enumerate().skip(skip) {
            let found = *end as usize - begin;
            if found != expected {
                return Some(RecordError {
                    record,
                    column: None,
                    byte_offset: index.record_starts[record] as usize,
                    line: index.record_lines[record] as usize,
                    problem: InputProblem::Ragged { found, expected },
                });
            }
            begin = *end as usize;
        }
        None
    }

    #[cold]
    fn record_error(
        &self,
        fields: &ColumnFields<'_>,
        index: &RecordIndex,
        skip: usize,
        column: usize,
        fault: Fault,
    ) -> RecordError {
        let record = skip + fault.row;
        let span: FieldSpan = fields.span(fault.row);
        let byte_offset = span.start as usize;
        let before = &fields.block[index.record_starts[record] as usize..byte_offset];
        let mut scratch = Vec::new();
        let value = fields.value(span, &mut scratch);
        let problem = match fault.why {
            FaultKind::RequiredNull => InputProblem::RequiredNull,
            FaultKind::NulByte => InputProblem::NulByte,
            FaultKind::NotUtf8 => not_utf8(value),
            FaultKind::TooLarge => InputProblem::RecordTooLarge { limit: i32::MAX as u64 },
            FaultKind::Unconvertible(why) => InputProblem::Value {
                value: excerpt(value),
                expected: self.expected[column].clone(),
                detail: why.detail(),
            },
        };
        RecordError {
            record,
            column: Some(column),
            byte_offset,
            line: index.record_lines[record] as usize + self.dialect.terminator.count_lines(before),
            problem,
        }
    }
}

/// The type as schema files spell it, with the formats it is read by.
fn expected(column_type: ColumnType, formats: &[String]) -> String {
    let has_formats =
        matches!(column_type, ColumnType::Date | ColumnType::Time | ColumnType::Timestamp { .. });
    match formats {
        [format] if has_formats => format!("{column_type} in the format {format:?}"),
        [_, _, ..] if has_formats => {
            let list: Vec<String> = formats.iter().map(|format| format!("{format:?}")).collect();
            format!("{column_type} in one of the formats {}", list.join(", "))
        }
        _ => column_type.to_string(),
    }
}

/// The first 100 characters of a value.
fn excerpt(value: &[u8]) -> String {
    const CHARACTERS: usize = 100;
    /// No character takes more bytes.
    const BYTES: usize = CHARACTERS * 4;
    String::from_utf8_lossy(&value[..value.len().min(BYTES)]).chars().take(CHARACTERS).collect()
}

fn not_utf8(value: &[u8]) -> InputProblem {
    let bad = value.utf8_chunks().map(|part| part.invalid()).find(|bad| !bad.is_empty()).unwrap_or_default();
    InputProblem::InvalidEncoding { bytes: hex::encode(bad), encoding: "UTF-8".into() }
}
