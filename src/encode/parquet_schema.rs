//! Arrow types → the Parquet types that the job asks for.

use crate::profile::types::decimal_bytes;
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

fn repetition(field: &Field) -> Repetition {
    if field.is_nullable() { Repetition::OPTIONAL } else { Repetition::REQUIRED }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Preflight;
    use crate::profile::footer::tests::empty_file;
    use crate::spec::OutputSpec;

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

    #[test]
    fn what_the_encoders_are_told_to_write_is_what_is_declared() {
        use arrow::datatypes::TimeUnit::Microsecond;
        let types = [
            DataType::Boolean,
            DataType::Int16,
            DataType::Int32,
            DataType::Int64,
            DataType::Float32,
            DataType::Float64,
            DataType::Decimal128(1, 0),
            DataType::Decimal128(9, 2),
            DataType::Decimal128(18, 18),
            DataType::Decimal128(38, 4),
            DataType::Date32,
            DataType::Timestamp(Microsecond, None),
            DataType::Timestamp(Microsecond, Some("UTC".into())),
            DataType::Utf8,
            DataType::Binary,
        ];
        let fields =
            types.iter().enumerate().map(|(i, t)| Field::new(format!("c{i}"), t.clone(), i % 2 == 0));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        for decimals in [DecimalForm::Int, DecimalForm::Fixed] {
            for timestamps in [TimestampForm::Int64, TimestampForm::Int96] {
                let output = OutputSpec { decimals, timestamps, ..OutputSpec::default() };
                let parquet = parquet_schema(&schema, timestamps, decimals).unwrap();
                let columns = parquet.get_fields().iter().map(|field| field.as_ref().clone()).collect();
                Preflight::new(&schema, &schema, &output).check("f", &empty_file(columns), &[]).unwrap();
            }
        }
    }
}
