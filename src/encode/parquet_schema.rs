//! Arrow types → the Parquet types that the job asks for.

use crate::spec::{DecimalForm, TimestampForm};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{LogicalType, Repetition, Type as PhysicalType};
use parquet::errors::ParquetError;
use parquet::schema::types::{Type, TypePtr};
use std::sync::Arc;

/// Digits that fit into 32 and 64 bits ("DECIMAL", LogicalTypes.md of parquet-format).
const INT32_DIGITS: u8 = 9;
const INT64_DIGITS: u8 = 18;

/// The Parquet schema of `schema`, as arrow-rs makes it but for timestamps and
/// decimals.
pub(crate) fn parquet_schema(
    schema: &Schema,
    timestamps: TimestampForm,
    decimals: DecimalForm,
) -> Result<TypePtr, ParquetError> {
    let plain = ArrowSchemaConverter::new().schema_root("schema").convert(schema)?;
    let fields = plain.root_schema().get_fields().iter().zip(schema.fields());
    let fields = fields.map(|(plain, field)| match (field.data_type(), timestamps) {
        (DataType::Timestamp(..), TimestampForm::Int96) => int96(field),
        (DataType::Decimal128(precision, scale), _) => decimal(field, *precision, *scale, decimals),
        _ => Ok(plain.clone()),
    });
    let fields = fields.collect::<Result<Vec<_>, _>>()?;
    Type::group_type_builder("schema").with_fields(fields).build().map(Arc::new)
}

fn int96(field: &Field) -> Result<TypePtr, ParquetError> {
    Type::primitive_type_builder(field.name(), PhysicalType::INT96)
        .with_repetition(repetition(field))
        .build()
        .map(Arc::new)
}

fn decimal(field: &Field, precision: u8, scale: i8, form: DecimalForm) -> Result<TypePtr, ParquetError> {
    let (physical, length) = match (form, precision) {
        // arrow-rs takes 64 bits for a single digit; other writers do not.
        (DecimalForm::Int, 1..=INT32_DIGITS) => (PhysicalType::INT32, -1),
        (DecimalForm::Int, ..=INT64_DIGITS) => (PhysicalType::INT64, -1),
        _ => (PhysicalType::FIXED_LEN_BYTE_ARRAY, decimal_bytes(precision)),
    };
    let (precision, scale) = (i32::from(precision), i32::from(scale));
    Type::primitive_type_builder(field.name(), physical)
        .with_repetition(repetition(field))
        .with_length(length)
        .with_logical_type(Some(LogicalType::decimal(scale, precision)))
        .with_precision(precision)
        .with_scale(scale)
        .build()
        .map(Arc::new)
}

/// Bytes of the smallest two's complement that holds so many digits.
pub(crate) fn decimal_bytes(precision: u8) -> i32 {
    let bits = (f64::from(precision) * 10f64.log2() + 1.0).ceil();
    (bits / 8.0).ceil() as i32
}

fn repetition(field: &Field) -> Repetition {
    if field.is_nullable() { Repetition::OPTIONAL } else { Repetition::REQUIRED }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_take_the_least_bytes_that_hold_their_digits() {
        for precision in 1..=38u8 {
            let most = 10i128.checked_pow(precision.into()).unwrap() - 1;
            let bytes = (1..=16).find(|bytes| most < (1i128 << (8 * bytes - 1)) || *bytes == 16).unwrap();
            assert_eq!(decimal_bytes(precision), bytes, "{precision}");
        }
    }

    #[test]
    fn each_form_has_its_physical_type() {
        let of = |precision, form| {
            let field = Field::new("d", DataType::Decimal128(precision, 0), true);
            let schema = parquet_schema(&Schema::new(vec![field]), TimestampForm::Int64, form).unwrap();
            schema.get_fields()[0].get_physical_type()
        };
        for (precision, int) in [
            (1, PhysicalType::INT32),
            (9, PhysicalType::INT32),
            (10, PhysicalType::INT64),
            (18, PhysicalType::INT64),
            (19, PhysicalType::FIXED_LEN_BYTE_ARRAY),
        ] {
            assert_eq!(of(precision, DecimalForm::Int), int, "{precision}");
            assert_eq!(of(precision, DecimalForm::Fixed), PhysicalType::FIXED_LEN_BYTE_ARRAY);
        }
    }
}
