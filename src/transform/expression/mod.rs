//! SQL text → an expression over the columns of a row, and its values.
//!
//! Everything that can be wrong with the text is a [`Mistake`] at
//! [`Expression::compile`], with its place. What can go wrong with the values
//! is a [`BadRow`] for exactly the rows it goes wrong for: the values never
//! depend on which other rows are in the batch. Called by the operations of
//! [`crate::transform`].
//!
//! The language is DataFusion's, its planner and its kernels; what is added is
//! that overflow is an error, that names are matched in any case if that is
//! unambiguous, and that nothing may depend on other rows or on the time.

mod functions;
mod mistake;
mod parse;
mod plan;

pub(super) use mistake::Mistake;

use crate::schema::ColumnType;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options, concat, kernels::cmp};
use arrow::datatypes::{DataType, Decimal128Type, Field, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use datafusion_common::DataFusionError;
use datafusion_physical_expr::PhysicalExpr;
use std::sync::Arc;

#[cfg(test)]
mod tests;

/// Longest expression.
const MAX_BYTES: usize = 32 << 10;

/// Trees are parsed, planned and dropped by recursion, thousands deep for a
/// long chain of operators before it is refused. Pages that are not touched cost nothing.
const COMPILER_STACK_BYTES: usize = 64 << 20;

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Expression {
    text: String,
    expr: Arc<dyn PhysicalExpr>,
    /// The columns that `expr` sees, and nothing else.
    schema: SchemaRef,
    result: ColumnType,
}

/// A row without a value, counted from the first of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadRow {
    pub(super) row: usize,
    pub(super) cause: String,
}

impl Expression {
    /// Compiles `text` over columns of these names and types. Also gives the
    /// positions of those that the expression needs, in the order in which
    /// [`Self::evaluate`] wants them.
    pub(super) fn compile(
        text: &str,
        columns: &[(&str, ColumnType)],
    ) -> Result<(Expression, Vec<usize>), Mistake> {
        if text.len() > MAX_BYTES {
            return Err(Mistake::new(format!("the expression has more than {MAX_BYTES} bytes")));
        }
        std::thread::scope(|scope| {
            let compiler = std::thread::Builder::new().stack_size(COMPILER_STACK_BYTES);
            let compiled = compiler.spawn_scoped(scope, || Self::compile_here(text, columns));
            match compiled.map(|thread| thread.join()) {
                Ok(Ok(compiled)) => compiled,
                Ok(Err(_)) => Err(Mistake::new("DataFusion gave up on the expression")),
                Err(error) => Err(Mistake::new(format!("no thread to compile the expression on: {error}"))),
            }
        })
    }

    fn compile_here(text: &str, columns: &[(&str, ColumnType)]) -> Result<(Expression, Vec<usize>), Mistake> {
        let mut used = Vec::new();
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let tree = parse::parse(text, &names, &mut used)?;
        let fields = used.iter().map(|&i| Field::new(columns[i].0, columns[i].1.arrow(), true));
        let schema: SchemaRef = Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
        let expr = plan::plan(tree, &schema)?;
        let data_type = plan::data_type(&expr, &schema)?;
        let result = column_type(&data_type).ok_or_else(|| {
            Mistake::new(format!("the result is of the type {data_type}, which a column cannot have"))
                .remedy(remedy_for(&data_type))
        })?;
        let result = without_idle_nanoseconds(result, &schema);
        Ok((Expression { text: text.to_owned(), expr, schema, result }, used))
    }

    /// As the job spells it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The type of the values.
    pub(super) fn result(&self) -> ColumnType {
        self.result
    }

    /// The value of every row; null for the bad ones, which follow in order.
    pub(super) fn evaluate(
        &self,
        columns: Vec<ArrayRef>,
        rows: usize,
    ) -> Result<(ArrayRef, Vec<BadRow>), ArrowError> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?;
        let mut parts = Parts::default();
        self.bisect(&batch, 0, &mut parts);
        let values = match &parts.values[..] {
            [] => new_null_array(&self.result.arrow(), 0),
            [whole] => whole.clone(),
            several => concat(&several.iter().map(|part| part.as_ref()).collect::<Vec<_>>())?,
        };
        Ok((values, parts.bad))
    }

    /// Halves a batch that has no values until the rows to blame are alone.
    /// `first` is the number of its first row.
    fn bisect(&self, batch: &RecordBatch, first: usize, parts: &mut Parts) {
        match (self.try_evaluate(batch), batch.num_rows()) {
            (Ok(values), _) => parts.values.push(values),
            (Err(_), 0) => {}
            (Err(error), 1) => {
                parts.values.push(new_null_array(&self.result.arrow(), 1));
                parts.bad.push(BadRow { row: first, cause: mistake::said(&error) });
            }
            (Err(_), rows) => {
                let half = rows / 2;
                self.bisect(&batch.slice(0, half), first, parts);
                self.bisect(&batch.slice(half, rows - half), first + half, parts);
            }
        }
    }

    fn try_evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, DataFusionError> {
        let values = self.expr.evaluate(batch)?.into_array(batch.num_rows())?;
        Ok(conform(values, self.result)?)
    }
}

/// What bisection has found so far, in order of the rows.
#[derive(Default)]
struct Parts {
    values: Vec<ArrayRef>,
    bad: Vec<BadRow>,
}

/// The type of a column that holds what an expression of this type gives.
fn column_type(data_type: &DataType) -> Option<ColumnType> {
    Some(match data_type {
        DataType::Boolean => ColumnType::Boolean,
        DataType::Int8 => ColumnType::Int { bits: 8 },
        DataType::Int16 => ColumnType::Int { bits: 16 },
        DataType::Int32 => ColumnType::Int { bits: 32 },
        DataType::Int64 => ColumnType::Int { bits: 64 },
        DataType::UInt8 => ColumnType::UInt { bits: 8 },
        DataType::UInt16 => ColumnType::UInt { bits: 16 },
        DataType::UInt32 => ColumnType::UInt { bits: 32 },
        DataType::UInt64 => ColumnType::UInt { bits: 64 },
        DataType::Float16 | DataType::Float32 => ColumnType::Float32,
        DataType::Float64 => ColumnType::Float64,
        DataType::Decimal32(precision, scale)
        | DataType::Decimal64(precision, scale)
        | DataType::Decimal128(precision, scale) => {
            let scale = u8::try_from(*scale).ok().filter(|scale| scale <= precision)?;
            ColumnType::Decimal { precision: *precision, scale }
        }
        DataType::Date32 => ColumnType::Date,
        DataType::Time32(_) | DataType::Time64(_) => ColumnType::Time,
        DataType::Timestamp(unit, zone) => ColumnType::Timestamp { unit: *unit, utc: zone.is_some() },
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => ColumnType::Text,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            ColumnType::Binary
        }
        DataType::Dictionary(_, values) => column_type(values)?,
        _ => return None,
    })
}

/// DataFusion's functions give nanoseconds for anything. They are kept if a
/// column has them; else the type is microseconds, which readers know.
fn without_idle_nanoseconds(result: ColumnType, inputs: &arrow::datatypes::Schema) -> ColumnType {
    let is_nanoseconds =
        |field: &Arc<Field>| matches!(field.data_type(), DataType::Timestamp(TimeUnit::Nanosecond, _));
    match result {
        ColumnType::Timestamp { unit: TimeUnit::Nanosecond, utc }
            if !inputs.fields().iter().any(is_nanoseconds) =>
        {
            ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc }
        }
        other => other,
    }
}

fn remedy_for(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Null => "say of which type the null is: CAST(NULL AS BIGINT)",
        DataType::Duration(_) | DataType::Interval(_) => {
            "for seconds between two times use date_part('epoch', later) - date_part('epoch', earlier)"
        }
        DataType::Decimal256(..) => "CAST it AS DECIMAL(38, …)",
        _ => "CAST it to a type of a column, or to VARCHAR",
    }
}

/// The values in the Arrow type of the column; fails if one is changed by that.
fn conform(values: ArrayRef, to: ColumnType) -> Result<ArrayRef, ArrowError> {
    let (from, wanted) = (values.data_type().clone(), to.arrow());
    let values = if from == wanted {
        values
    } else {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let conformed = cast_with_options(&values, &wanted, &options)?;
        // The only conversions here that can drop digits.
        if matches!(
            from,
            DataType::Time64(TimeUnit::Nanosecond) | DataType::Timestamp(TimeUnit::Nanosecond, _)
        ) {
            let back = cast_with_options(&conformed, &from, &options)?;
            if cmp::distinct(&values, &back)?.true_count() > 0 {
                return Err(ArrowError::ComputeError("the time has digits below microseconds".into()));
            }
        }
        conformed
    };
    // Arrow's arithmetic keeps to 128 bits, which hold more than the type allows.
    if let ColumnType::Decimal { precision, .. } = to {
        values.as_primitive::<Decimal128Type>().validate_decimal_precision(precision)?;
    }
    Ok(values)
}
