//! SQL text → an expression over the columns of a row, and its values.
//!
//! Everything that can be wrong with the text is a [`Mistake`] at
//! [`Expression::compile`], with its place. What can go wrong with the values
//! is a [`BadRow`] for exactly the rows it goes wrong for: the values never
//! depend on which other rows are in the batch. Only where the values of a block
//! come to more than memory has room for, evaluation stops. Called by the operations of
//! [`crate::transform`].
//!
//! The language is DataFusion's, its planner and its kernels; what is added is
//! that overflow is an error, that names are matched in any case if that is
//! unambiguous, and that nothing may depend on other rows or on the time.

mod bounds;
mod formats;
mod functions;
mod guard;
mod mistake;
mod parse;
mod plan;

pub(super) use mistake::Mistake;

use crate::value::ColumnType;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::{CastOptions, cast_with_options, concat, kernels::cmp};
use arrow::datatypes::{DataType, Decimal128Type, Field, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use bounds::{MAX_TEXT_BYTES, Weight, text_bytes};
use datafusion_common::DataFusionError;
use datafusion_physical_expr::PhysicalExpr;
use guard::catch_panic;
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
    weight: Weight,
}

/// A row without a value, counted from the first of the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BadRow {
    pub(super) row: usize,
    pub(super) cause: String,
}

/// What an expression gives for the rows of a block.
#[derive(Debug)]
pub(super) struct Evaluated {
    /// The value of every row; null for those that have none.
    pub(super) values: ArrayRef,
    /// Rows without a value, in order.
    pub(super) bad: Vec<BadRow>,
    /// The row from which on nothing was computed, as the values of the rows
    /// before it fill the memory that a block may take. No matter of that row:
    /// the run cannot go on.
    pub(super) stopped_at: Option<BadRow>,
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
            let compile = || catch_panic(|| Self::compile_here(text, columns));
            match compiler.spawn_scoped(scope, compile).map(|thread| thread.join()) {
                Ok(Ok(Ok(compiled))) => compiled,
                Ok(Ok(Err(panic))) => Err(Mistake::new(panicked(&panic))),
                Ok(Err(_)) => Err(Mistake::new("DataFusion failed on the expression")),
                Err(error) => Err(Mistake::new(format!("no thread to compile the expression on: {error}"))),
            }
        })
    }

    fn compile_here(text: &str, columns: &[(&str, ColumnType)]) -> Result<(Expression, Vec<usize>), Mistake> {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let parse::Parsed { tree, used, formats } = parse::parse(text, &names)?;
        let fields = used.iter().map(|&i| Field::new(columns[i].0, columns[i].1.arrow(), true));
        let schema: SchemaRef = Arc::new(arrow::datatypes::Schema::new(fields.collect::<Vec<_>>()));
        let expr = plan::plan(tree, &schema, &formats)?;
        let data_type = plan::data_type(&expr, &schema)?;
        let result = column_type(&data_type).ok_or_else(|| {
            Mistake::new(format!("the result is of the type {data_type}, which a column cannot have"))
                .remedy(remedy_for(&data_type))
        })?;
        let result = without_idle_nanoseconds(result, &schema);
        let weight = Weight::of(&expr).map_err(|error| Mistake::of(&error))?;
        Ok((Expression { text: text.to_owned(), expr, schema, result, weight }, used))
    }

    /// As the job spells it.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The type of the values.
    pub(super) fn result(&self) -> ColumnType {
        self.result
    }

    /// Computes the value of every row.
    ///
    /// # Errors
    /// None that data can cause.
    pub(super) fn evaluate(&self, columns: Vec<ArrayRef>, rows: usize) -> Result<Evaluated, ArrowError> {
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let batch = RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)?;
        let mut parts = Parts::default();
        self.bisect(&batch, 0, &mut parts);
        let values = match &parts.values[..] {
            [] => new_null_array(&self.result.arrow(), 0),
            [whole] => whole.clone(),
            several => concat(&several.iter().map(|part| part.as_ref()).collect::<Vec<_>>())?,
        };
        Ok(Evaluated { values, bad: parts.bad, stopped_at: parts.stopped_at })
    }

    /// Halves a batch that has no values, or too much text to be evaluated at
    /// once, until the rows to blame are alone. `first` is the number of its first row.
    fn bisect(&self, batch: &RecordBatch, first: usize, parts: &mut Parts) {
        let rows = batch.num_rows();
        if parts.stopped_at.is_some() {
            return parts.values.push(new_null_array(&self.result.arrow(), rows));
        }
        let evaluated = match rows > 1 && self.weight.is_too_much(batch) {
            true => None,
            false => Some(self.try_evaluate(batch)),
        };
        match (evaluated, rows) {
            (Some(Ok(values)), _) => parts.push(values, first, self.result),
            (Some(Err(_)), 0) => {}
            (Some(Err(error)), 1) => {
                parts.values.push(new_null_array(&self.result.arrow(), 1));
                parts.bad.push(BadRow { row: first, cause: mistake::said(&error) });
            }
            (Some(Err(_)) | None, _) => {
                let half = rows / 2;
                self.bisect(&batch.slice(0, half), first, parts);
                self.bisect(&batch.slice(half, rows - half), first + half, parts);
            }
        }
    }

    fn try_evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef, DataFusionError> {
        // Nothing of a panic is left over: expression and batch are immutable.
        let evaluated = catch_panic(|| {
            let values = self.expr.evaluate(batch)?.into_array(batch.num_rows())?;
            Ok(conform(values, self.result)?)
        });
        evaluated.unwrap_or_else(|panic| Err(DataFusionError::Execution(panicked(&panic))))
    }
}

/// The message for a panic, which is a bug of the library that no row should stop a run by.
fn panicked(panic: &str) -> String {
    format!("DataFusion failed: {panic}")
}

/// What bisection has found so far, in order of the rows.
#[derive(Default)]
struct Parts {
    values: Vec<ArrayRef>,
    text_bytes: u64,
    bad: Vec<BadRow>,
    stopped_at: Option<BadRow>,
}

impl Parts {
    /// Adds the values of the rows from `first` on, if there is room for them.
    fn push(&mut self, values: ArrayRef, first: usize, result: ColumnType) {
        self.text_bytes += text_bytes(&values);
        if self.text_bytes <= MAX_TEXT_BYTES {
            return self.values.push(values);
        }
        self.values.push(new_null_array(&result.arrow(), values.len()));
        let most = MAX_TEXT_BYTES >> 20;
        let cause = format!("the values of a block of records would come to more than {most} MiB");
        self.stopped_at = Some(BadRow { row: first, cause });
    }
}

/// The type of a column that holds what an expression of this type gives.
fn column_type(data_type: &DataType) -> Option<ColumnType> {
    Some(match data_type {
        DataType::Float16 => ColumnType::Float32,
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            column_type(&DataType::Decimal128(*precision, *scale))?
        }
        DataType::Time32(_) | DataType::Time64(_) => ColumnType::Time,
        DataType::LargeUtf8 | DataType::Utf8View => ColumnType::Text,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => ColumnType::Binary,
        DataType::Dictionary(_, values) => column_type(values)?,
        _ => ColumnType::of_arrow(data_type)?,
    })
}

/// DataFusion's functions give nanoseconds for anything. They are kept if a
/// column has them; otherwise the type is microseconds, which readers know.
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
        DataType::Null => "give the null a type: CAST(NULL AS BIGINT)",
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
