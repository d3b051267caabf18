//! How much an expression may make of the rows of a block.
//!
//! DataFusion bounds a text, but not an array of texts: `repeat(name, n)` with
//! large numbers in `n` takes all memory, or panics when an array passes 2 GiB.
//! Two things keep an evaluation small. [`bounded`] puts a check before those
//! functions whose result can be any multiple of what they are given. And as
//! all others give at most a few times what goes in, [`Weight`] says how much
//! that is, so that large inputs are evaluated a few rows at a time.

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch};
use arrow::compute::cast;
use arrow::compute::kernels::length::length;
use arrow::datatypes::{DataType, FieldRef, Int64Type};
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{Result, exec_err};
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_expr::{ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use datafusion_expr::{ScalarUDFImpl, Signature};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, Literal};
use std::sync::Arc;

/// Most bytes of text that one call of a function may make of rows evaluated
/// together, and an expression of all rows of a block. A block has 512 KiB, so
/// this is 128 times as much; 32 blocks are between transform and encode, so one
/// column that always comes close takes 2 GiB.
pub(super) const MAX_TEXT_BYTES: u64 = 64 << 20;

/// At most so many bytes of text, of numbers that each row gives for the
/// arguments: the length of a text, or an integer as it is.
type Growth = fn(&[u64]) -> u64;

/// The functions that can make any multiple of what they are given.
const GROWING: &[(&str, Growth)] = &[
    ("repeat", repeated),
    ("lpad", padded),
    ("rpad", padded),
    ("replace", replaced),
    ("regexp_replace", matched),
];

fn repeated(of: &[u64]) -> u64 {
    let &[text, times] = of else { return 0 };
    text.saturating_mul(times)
}

/// Lengths are in characters of up to 4 bytes.
fn padded(of: &[u64]) -> u64 {
    let (&[text, length] | &[text, length, _]) = of else { return 0 };
    let fill = of.get(2).map_or(1, |&fill| fill.min(4));
    text.min(length.saturating_mul(4)).saturating_add(length.saturating_mul(fill))
}

fn replaced(of: &[u64]) -> u64 {
    let &[text, from, to] = of else { return 0 };
    // An empty text is found before and after every character.
    let found = text.checked_div(from).unwrap_or(text + 1);
    text.saturating_add(found.saturating_mul(to))
}

/// With flags, all that matches may be replaced, else the first. Each two bytes
/// of the replacement may stand for what was matched; matches do not overlap.
fn matched(of: &[u64]) -> u64 {
    let &[text, _, to, ..] = of else { return 0 };
    let found = if of.len() > 3 { text + 1 } else { 1 };
    text.saturating_add(found.saturating_mul(to)).saturating_add(text.saturating_mul(to / 2))
}

/// The function as it may be called: with a check before it, if it needs one.
pub(super) fn bounded(function: Arc<ScalarUDF>) -> Arc<ScalarUDF> {
    match GROWING.iter().find(|(name, _)| *name == function.name()) {
        Some(_) => Arc::new(ScalarUDF::new_from_impl(Bounded { function })),
        None => function,
    }
}

/// A function that refuses to make more than [`MAX_TEXT_BYTES`].
#[derive(Debug, PartialEq, Eq, Hash)]
struct Bounded {
    function: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for Bounded {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn aliases(&self) -> &[String] {
        self.function.aliases()
    }

    fn signature(&self) -> &Signature {
        self.function.signature()
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        self.function.return_type(arg_types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        self.function.return_field_from_args(args)
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        self.function.coerce_types(arg_types)
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        self.function.simplify(args, info)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let bytes = most_bytes(self.name(), &args)?;
        if bytes > MAX_TEXT_BYTES {
            let (name, most) = (self.name(), MAX_TEXT_BYTES >> 20);
            return exec_err!("{name} could make {bytes} bytes of text here, more than {most} MiB");
        }
        self.function.invoke_with_args(args)
    }
}

/// What a call makes of all its rows at most.
fn most_bytes(name: &str, args: &ScalarFunctionArgs) -> Result<u64> {
    let Some((_, growth)) = GROWING.iter().find(|(growing, _)| *growing == name) else { return Ok(0) };
    let sizes = args.args.iter().map(sizes).collect::<Result<Vec<_>>>()?;
    // All arguments are constants: there is one value.
    let rows = if sizes.iter().all(|of| of.is_constant) { 1 } else { args.number_rows };
    let mut of_row = vec![0; sizes.len()];
    let mut bytes = 0_u64;
    for row in 0..rows {
        of_row.iter_mut().zip(&sizes).for_each(|(size, of)| *size = of.at(row));
        bytes = bytes.saturating_add(growth(&of_row));
    }
    Ok(bytes)
}

/// The lengths of texts in bytes, or integers.
struct Sizes {
    values: Int64Array,
    is_constant: bool,
}

impl Sizes {
    /// Zero for what is null or negative.
    fn at(&self, row: usize) -> u64 {
        let row = if self.is_constant { 0 } else { row };
        if self.values.is_null(row) { 0 } else { u64::try_from(self.values.value(row)).unwrap_or(0) }
    }
}

fn sizes(argument: &ColumnarValue) -> Result<Sizes> {
    let (values, is_constant) = match argument {
        ColumnarValue::Scalar(value) => (value.to_array()?, true),
        ColumnarValue::Array(values) => (values.clone(), false),
    };
    let numbers = match values.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => length(&values)?,
        _ => values,
    };
    Ok(Sizes { values: cast(&numbers, &DataType::Int64)?.as_primitive::<Int64Type>().clone(), is_constant })
}

/// How much text goes into an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weight {
    /// How often columns stand in it.
    columns: u64,
    /// Bytes of its constants, which every row may get a copy of.
    constants: u64,
}

impl Weight {
    pub(super) fn of(expr: &Arc<dyn PhysicalExpr>) -> Result<Self> {
        let mut weight = Weight { columns: 0, constants: 0 };
        expr.apply(|node| {
            if node.downcast_ref::<Column>().is_some() {
                weight.columns += 1;
            } else if let Some(constant) = node.downcast_ref::<Literal>() {
                weight.constants += text_bytes(&constant.value().to_array()?);
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
        Ok(weight)
    }

    /// Whether these rows are too many to evaluate together.
    pub(super) fn is_too_much(&self, batch: &RecordBatch) -> bool {
        let columns: u64 = batch.columns().iter().map(text_bytes).sum();
        let constants = self.constants.saturating_mul(batch.num_rows() as u64);
        columns.saturating_mul(self.columns).saturating_add(constants) > MAX_TEXT_BYTES
    }
}

/// The bytes of the texts in an array; zero for other types.
pub(super) fn text_bytes(values: &ArrayRef) -> u64 {
    let between = |first: i64, last: i64| u64::try_from(last - first).unwrap_or(0);
    match values.data_type() {
        DataType::Utf8 => {
            let offsets = values.as_string::<i32>().value_offsets();
            between(offsets[0].into(), offsets[values.len()].into())
        }
        DataType::LargeUtf8 => {
            let offsets = values.as_string::<i64>().value_offsets();
            between(offsets[0], offsets[values.len()])
        }
        DataType::Binary => {
            let offsets = values.as_binary::<i32>().value_offsets();
            between(offsets[0].into(), offsets[values.len()].into())
        }
        DataType::Utf8View => values.as_string_view().iter().flatten().map(|text| text.len() as u64).sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transform::expression::functions;

    /// What is true of the worst texts for each function.
    #[test]
    fn no_call_makes_more_than_is_foreseen() {
        for (name, arguments, foreseen) in [
            ("repeat", vec!["abc", "4"], 12),
            ("repeat", vec!["abc", "-4"], 0),
            ("lpad", vec!["abc", "5"], 8),
            ("rpad", vec!["äää", "5", "ß"], 16),
            ("replace", vec!["aaaa", "a", "xyz"], 16),
            ("replace", vec!["aaaa", "", "xyz"], 19),
            ("regexp_replace", vec!["aaaa", "a", "\\0\\0", "g"], 32),
            ("regexp_replace", vec!["aaaa", "a*", "\\0\\0"], 16),
        ] {
            let (_, growth) = GROWING.iter().find(|(growing, _)| *growing == name).unwrap();
            let sizes: Vec<u64> = arguments
                .iter()
                .enumerate()
                .map(|(i, text)| match (name, i) {
                    ("repeat" | "lpad" | "rpad", 1) => text.parse::<i64>().unwrap().max(0) as u64,
                    _ => text.len() as u64,
                })
                .collect();
            assert_eq!(growth(&sizes), foreseen, "{name} {arguments:?}");
        }
    }

    #[test]
    fn every_growing_function_is_bounded() {
        for (name, _) in GROWING {
            let function = functions::find(name).unwrap();
            assert!(function.inner().downcast_ref::<Bounded>().is_some(), "{name}");
        }
    }
}
