//! Constraints against arrays.

use super::{Bound, Constraint, Enumeration, Pattern};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Datum, GenericByteArray, Scalar, new_null_array};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::compute::{cast, kernels::cmp, or};
use arrow::datatypes::{BinaryType, ByteArrayType, DataType, Float32Type, Float64Type, Utf8Type};
use arrow::error::ArrowError;
use std::collections::HashSet;

type Violations = Result<Option<BooleanArray>, ArrowError>;

pub(super) fn violations(constraint: &Constraint, array: &ArrayRef) -> Violations {
    match constraint {
        Constraint::MinLength(length) => lengths(array, Limit::AtLeast(*length)),
        Constraint::MaxLength(length) => lengths(array, Limit::AtMost(*length)),
        Constraint::MaxBytes(bytes) => Ok(bytes_over(strings(array)?.as_string::<i32>(), *bytes)),
        Constraint::Minimum(bound) => out_of_bounds(array, bound, |v, b| v >= b, cmp::lt),
        Constraint::Maximum(bound) => out_of_bounds(array, bound, |v, b| v <= b, cmp::gt),
        Constraint::ExclusiveMinimum(bound) => out_of_bounds(array, bound, |v, b| v > b, cmp::lt_eq),
        Constraint::ExclusiveMaximum(bound) => out_of_bounds(array, bound, |v, b| v < b, cmp::gt_eq),
        Constraint::Pattern(pattern) => unmatched(array, pattern),
        Constraint::Enum(allowed) => outside(array, allowed),
    }
}

/// Rows for which `breaks` is true and that are not null.
fn broken(rows: BooleanBuffer, nulls: Option<&NullBuffer>) -> Option<BooleanArray> {
    let rows = match nulls {
        Some(nulls) => &rows & nulls.inner(),
        None => rows,
    };
    (rows.count_set_bits() > 0).then(|| BooleanArray::new(rows, None))
}

type Compare = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

/// `holds` for floats, whose order in Arrow is total (-0 below 0, NaN above
/// all), `breaks` for everything else.
fn out_of_bounds(
    array: &ArrayRef,
    bound: &Bound,
    holds: fn(f64, f64) -> bool,
    breaks: Compare,
) -> Violations {
    let bound = in_type(bound.value(), array.data_type())?;
    if let Some(rows) = floats(array, |value| !floats_of(&bound).iter().all(|bound| holds(value, *bound))) {
        return Ok(broken(rows, array.nulls()));
    }
    let rows = breaks(array, &Scalar::new(bound))?;
    Ok(broken(rows.values().clone(), array.nulls()))
}

/// One row for each float: `breaks` of it. None for arrays of anything else.
fn floats(array: &ArrayRef, breaks: impl Fn(f64) -> bool) -> Option<BooleanBuffer> {
    let len = array.len();
    if let Some(array) = array.as_primitive_opt::<Float64Type>() {
        let values = array.values();
        Some(BooleanBuffer::collect_bool(len, |row| breaks(values[row])))
    } else if let Some(array) = array.as_primitive_opt::<Float32Type>() {
        let values = array.values();
        Some(BooleanBuffer::collect_bool(len, |row| breaks(f64::from(values[row]))))
    } else {
        None
    }
}

fn floats_of(array: &ArrayRef) -> Vec<f64> {
    if let Some(array) = array.as_primitive_opt::<Float64Type>() {
        array.values().to_vec()
    } else if let Some(array) = array.as_primitive_opt::<Float32Type>() {
        array.values().iter().map(|value| f64::from(*value)).collect()
    } else {
        Vec::new()
    }
}

/// Bounds in the type of the array, which may be wider than the column's.
fn in_type(values: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
    if values.data_type() == data_type {
        return Ok(values.clone());
    }
    let cast = cast(values, data_type)?;
    if cast.null_count() > values.null_count() {
        let message = format!("a bound of type {} is none of type {data_type}", values.data_type());
        return Err(ArrowError::CastError(message));
    }
    Ok(cast)
}

#[derive(Clone, Copy)]
enum Limit {
    AtLeast(u64),
    AtMost(u64),
}

impl Limit {
    fn broken_by(self, length: u64) -> bool {
        match self {
            Limit::AtLeast(least) => length < least,
            Limit::AtMost(most) => length > most,
        }
    }
}

fn lengths(array: &ArrayRef, limit: Limit) -> Violations {
    if let Some(binary) = array.as_bytes_opt::<BinaryType>() {
        let rows = BooleanBuffer::collect_bool(binary.len(), |row| limit.broken_by(byte_len(binary, row)));
        return Ok(broken(rows, binary.nulls()));
    }
    let array = strings(array)?;
    let texts = array.as_string::<i32>();
    // Characters need counting only where bytes leave it open: there are no
    // more of them than bytes, and no fewer than a quarter.
    let breaks = |row| {
        let bytes = byte_len(texts, row);
        let open = match limit {
            Limit::AtLeast(least) => bytes >= least && bytes < least.saturating_mul(4),
            Limit::AtMost(most) => bytes > most && bytes <= most.saturating_mul(4),
        };
        limit.broken_by(if open { texts.value(row).chars().count() as u64 } else { bytes })
    };
    Ok(broken(BooleanBuffer::collect_bool(texts.len(), breaks), texts.nulls()))
}

fn bytes_over(texts: &GenericByteArray<Utf8Type>, most: u64) -> Option<BooleanArray> {
    let rows = BooleanBuffer::collect_bool(texts.len(), |row| byte_len(texts, row) > most);
    broken(rows, texts.nulls())
}

fn byte_len<T: ByteArrayType<Offset = i32>>(array: &GenericByteArray<T>, row: usize) -> u64 {
    array.value_length(row).unsigned_abs().into()
}

fn unmatched(array: &ArrayRef, pattern: &Pattern) -> Violations {
    let array = strings(array)?;
    let texts = array.as_string::<i32>();
    let breaks = |row| texts.is_valid(row) && !pattern.regex.is_match(texts.value(row));
    Ok(broken(BooleanBuffer::collect_bool(texts.len(), breaks), None))
}

fn outside(array: &ArrayRef, allowed: &Enumeration) -> Violations {
    let values = in_type(&allowed.values, array.data_type())?;
    if let Some(texts) = array.as_string_opt::<i32>() {
        let allowed: HashSet<&str> = values.as_string::<i32>().iter().flatten().collect();
        let rows = BooleanBuffer::collect_bool(texts.len(), |row| !allowed.contains(texts.value(row)));
        return Ok(broken(rows, texts.nulls()));
    }
    let listed = floats_of(&values);
    if let Some(rows) = floats(array, |value| !listed.contains(&value)) {
        return Ok(broken(rows, array.nulls()));
    }
    let mut inside = BooleanArray::new(BooleanBuffer::new_unset(array.len()), None);
    for position in 0..values.len() {
        let same = cmp::eq(array, &Scalar::new(values.slice(position, 1)))?;
        inside = or(&inside, &same)?;
    }
    Ok(broken(!inside.values(), array.nulls()))
}

/// Text as one array of offsets and bytes, whatever it was.
fn strings(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Utf8 => Ok(array.clone()),
        DataType::LargeUtf8 | DataType::Utf8View | DataType::Dictionary(..) => cast(array, &DataType::Utf8),
        DataType::Null => Ok(new_null_array(&DataType::Utf8, array.len())),
        other => {
            Err(ArrowError::InvalidArgumentError(format!("a constraint on text, and an array of {other}")))
        }
    }
}
