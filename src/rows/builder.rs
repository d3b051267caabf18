//! Blocks of records → rows, a column at a time.

use super::column::{ColumnFields, ColumnReader};
use super::shape::{Fields, Shaped};
use crate::error::InputProblem;
use crate::parse::scan::{FieldForm, FieldSpan};
use crate::parse::{Grammar, RecordIndex};
use crate::rows::{Binding, Fault, Origin, judge};
use crate::schema::Schema;
use crate::spec::{ErrorsSpec, LongRecord, ShortRecord, ValuePolicy};
use crate::value::ColumnType;
use crate::value::convert::ConvertError;
use crate::value::converter::BadValue;
use arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{filter, take};
use arrow::datatypes::{Field, SchemaRef};
use std::ops::Range;
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

/// Rows of one block, and which records they were.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The values.
    pub batch: RecordBatch,
    /// For each row of `batch`: its record, counted from the start of the
    /// block, headers included. Ascending.
    pub records: Vec<u32>,
}

/// What a block gave.
#[derive(Debug, Clone)]
pub struct Built {
    /// One row for each record that fits.
    pub rows: Rows,
    /// The records that do not, in their order; one bad value each.
    pub faults: Vec<Fault>,
    /// For every column: values that were bad and are null now.
    pub nulled: Vec<u64>,
    /// Records with too few fields that were padded with nulls.
    pub padded: u64,
    /// Records with too many fields that were cut.
    pub truncated: u64,
}

/// What happens to records and values that do not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policies {
    /// For every column.
    pub values: Vec<ValuePolicy>,
    /// Records with too few fields.
    pub short_records: ShortRecord,
    /// Records with too many fields.
    pub long_records: LongRecord,
}

impl Policies {
    /// Those of a job, for these columns; they are known by `names`.
    pub fn of<'n>(errors: &ErrorsSpec, names: impl IntoIterator<Item = &'n str>) -> Self {
        Policies {
            values: names.into_iter().map(|name| errors.for_column(name)).collect(),
            short_records: errors.for_short_records(),
            long_records: errors.for_long_records(),
        }
    }
}

/// Which records of a block are rows.
#[derive(Debug, Clone)]
pub struct DataRecords<'a> {
    /// Those between headers and footers.
    pub range: Range<usize>,
    /// Records of the range that the scanner found broken, ascending; they are left out.
    pub broken: &'a [usize],
}

/// Makes record batches of the blocks of one input.
#[derive(Debug, Clone)]
pub struct BatchBuilder {
    arrow_schema: SchemaRef,
    grammar: Grammar,
    binding: Binding,
    policies: Policies,
    readers: Vec<ColumnReader>,
    /// For every column, [`InputProblem::Value::expected`].
    expected: Vec<String>,
    /// For every column: its value in all records, one row, if it stands in no field.
    constants: Vec<Option<ArrayRef>>,
}

impl BatchBuilder {
    /// A builder for records that are bound to `schema` by `binding`.
    ///
    /// # Panics
    /// If the binding or the policies were made for another schema.
    pub fn new(schema: &Schema, grammar: &Grammar, binding: &Binding, policies: Policies) -> Self {
        assert_eq!(binding.field_of_column.len(), schema.columns.len(), "a field for every column");
        assert_eq!(policies.values.len(), schema.columns.len(), "a policy for every column");
        assert!(
            binding.field_of_column.iter().flatten().all(|field| *field < binding.fields_per_record),
            "columns are bound to fields that every record has"
        );
        BatchBuilder {
            arrow_schema: arrow_schema(schema),
            grammar: *grammar,
            binding: binding.clone(),
            policies,
            readers: schema.columns.iter().map(ColumnReader::new).collect(),
            expected: schema
                .columns
                .iter()
                .map(|column| expected(column.column_type, &column.rules.formats))
                .collect(),
            constants: vec![None; schema.columns.len()],
        }
    }

    /// The same with values that hold for all records of the input, read by the
    /// rules of their columns.
    ///
    /// # Errors
    /// [`InputProblem::PathValue`], whatever the policy: the records are not to blame.
    pub fn with_values(
        mut self,
        schema: &Schema,
        values: &[(usize, Option<String>)],
    ) -> Result<Self, InputProblem> {
        for (column, value) in values {
            let text = value.as_deref().unwrap_or_default();
            let bad = || InputProblem::PathValue {
                name: schema.columns[*column].source_name.clone(),
                value: text.to_owned(),
                expected: match schema.columns[*column].nullable {
                    true => self.expected[*column].clone(),
                    false => format!("required {}", self.expected[*column]),
                },
            };
            let reader = &self.readers[*column];
            let array = if value.is_none() {
                if reader.is_required() {
                    return Err(bad());
                }
                new_null_array(self.arrow_schema.field(*column).data_type(), 1)
            } else {
                let end = u32::try_from(text.len()).map_err(|_| bad())?;
                let spans = &[FieldSpan { start: 0, end, form: FieldForm::Bare }];
                let (block, grammar) = (text.as_bytes(), &self.grammar);
                let fields = ColumnFields { block, spans, fields_per_record: 1, field: 0, grammar };
                reader.read(&fields, &mut Err).map_err(|_| bad())?
            };
            self.constants[*column] = Some(array);
        }
        Ok(self)
    }

    /// The schema of the batches, as [`arrow_schema`] makes it.
    pub fn schema(&self) -> &SchemaRef {
        &self.arrow_schema
    }

    /// The rows of a block's data records.
    ///
    /// # Errors
    /// The first record that is ragged or has a field that gives no value where
    /// the policy is to fail; of that record, the first column of the schema to
    /// do so.
    pub fn build(
        &self,
        block: &[u8],
        index: &RecordIndex,
        data: &DataRecords<'_>,
    ) -> Result<Built, Box<Fault>> {
        let fields = Fields {
            per_record: self.binding.fields_per_record,
            empty: &self.binding.empty_fields,
            block,
            grammar: &self.grammar,
        };
        let mut shaped = Shaped::of(index, data, &fields, &self.policies);
        let mut rows = shaped.records.len();
        let mut failure = shaped.failure.take();
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.readers.len());
        let mut faults: Vec<(usize, BadValue)> = Vec::new();
        let mut nulled = Vec::new();
        for (column, reader) in self.readers.iter().enumerate() {
            if let Some(constant) = &self.constants[column] {
                let every_row = UInt32Array::from(vec![0; rows]);
                arrays.push(take(constant, &every_row, None).expect("there is a first row"));
                continue;
            }
            let Some(field) = self.binding.field_of_column[column] else {
                arrays.push(new_null_array(self.arrow_schema.field(column).data_type(), rows));
                continue;
            };
            let fields = ColumnFields {
                block,
                spans: &shaped.spans[..rows * self.binding.fields_per_record],
                fields_per_record: self.binding.fields_per_record,
                field,
                grammar: &self.grammar,
            };
            let policy = judge(self.policies.values[column], !reader.is_required());
            let mut on_bad_value = |bad_value: BadValue| match (policy, bad_value.why) {
                (ValuePolicy::Fail, _) | (_, ConvertError::TooLarge) => Err(bad_value),
                (ValuePolicy::Null, _) => {
                    nulled.push((column, bad_value.row));
                    Ok(())
                }
                (ValuePolicy::Reject, _) => {
                    faults.push((column, bad_value));
                    Ok(())
                }
            };
            match reader.read(&fields, &mut on_bad_value) {
                Ok(array) => arrays.push(array),
                Err(bad_value) => {
                    // Later columns count only if they fail in an earlier record.
                    rows = bad_value.row;
                    let fault = self.fault(&fields, index, shaped.records[rows], column, bad_value);
                    failure = Some(Fault { policy: ValuePolicy::Fail, ..fault });
                }
            }
        }
        match failure {
            Some(failure) => Err(Box::new(failure)),
            None => Ok(self.finish(block, index, shaped, arrays, faults, nulled)),
        }
    }

    /// Takes the rows with faults out.
    fn finish(
        &self,
        block: &[u8],
        index: &RecordIndex,
        shaped: Shaped<'_>,
        mut arrays: Vec<ArrayRef>,
        mut faults: Vec<(usize, BadValue)>,
        nulled: Vec<(usize, usize)>,
    ) -> Built {
        let Shaped { spans, mut records, faults: ragged, padded, truncated, .. } = shaped;
        let mut record_faults = ragged;
        // Of each row, the bad value of the first column.
        faults.sort_by_key(|(column, bad_value)| (bad_value.row, *column));
        faults.dedup_by_key(|(_, bad_value)| bad_value.row);
        let mut nulled_in_column = vec![0; self.readers.len()];
        for (column, row) in nulled {
            // A record that is rejected for another reason has no nulls.
            let stays = faults.binary_search_by_key(&row, |(_, bad_value)| bad_value.row).is_err();
            nulled_in_column[column] += u64::from(stays);
        }
        if !faults.is_empty() {
            let spans = &spans[..];
            record_faults.extend(faults.iter().filter_map(|&(column, bad_value)| {
                let fields = ColumnFields {
                    block,
                    spans,
                    fields_per_record: self.binding.fields_per_record,
                    // A column without a field has no faults.
                    field: self.binding.field_of_column[column]?,
                    grammar: &self.grammar,
                };
                Some(self.fault(&fields, index, records[bad_value.row], column, bad_value))
            }));
            record_faults.sort_by_key(|fault| fault.record);
            let mut bad = faults.iter().map(|(_, bad_value)| bad_value.row).peekable();
            let keep = BooleanBuffer::collect_bool(records.len(), |row| bad.next_if_eq(&row).is_none());
            let keep = BooleanArray::new(keep, None);
            for array in &mut arrays {
                *array = filter(array, &keep).expect("the mask has the length of the array");
            }
            let mut kept = keep.values().iter();
            records.retain(|_| kept.next().unwrap_or_default());
        }
        let options = RecordBatchOptions::new().with_row_count(Some(records.len()));
        let batch = RecordBatch::try_new_with_options(self.arrow_schema.clone(), arrays, &options)
            .expect("arrays of the schema's types, one row a record, nulls only where allowed");
        Built {
            rows: Rows { batch, records },
            faults: record_faults,
            nulled: nulled_in_column,
            padded,
            truncated,
        }
    }

    /// The fault of a record that is set aside.
    #[cold]
    fn fault(
        &self,
        fields: &ColumnFields<'_>,
        index: &RecordIndex,
        record: u32,
        column: usize,
        bad_value: BadValue,
    ) -> Fault {
        let span = fields.span(bad_value.row);
        // A field that padding made stands nowhere.
        let byte_offset = span.start.max(index.record_starts[record as usize]) as usize;
        Fault {
            record,
            column: Some(self.arrow_schema.field(column).name().clone()),
            problem: bad_value.why.problem(fields.value(span, &mut Vec::new()), &self.expected[column]),
            policy: ValuePolicy::Reject,
            origin: Origin::in_text(index, record as usize, byte_offset, fields.block, &self.grammar),
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
