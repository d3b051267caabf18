//! The types of the table's columns against those in a footer.

use super::Rule;
use super::footer::{Violation, broken};
use super::types::decimal_bytes;
use crate::error::count::count;
use crate::spec::{DecimalForm, OutputSpec, TimestampForm};
use arrow::datatypes::{DataType, Field};
use parquet::basic::{LogicalType, TimeUnit, Type as PhysicalType};
use parquet::schema::types::ColumnDescriptor;
use std::fmt;

/// A column as the table declares it.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) is_text: bool,
    nullable: bool,
    /// `None`: a type that Spectrum does not have.
    stored: Option<Stored>,
}

/// How a value of SQL is stored.
#[derive(Debug, Clone, PartialEq)]
struct Stored {
    physical: PhysicalType,
    logical: Option<LogicalType>,
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.physical)?;
        match &self.logical {
            None => Ok(()),
            Some(LogicalType::String) => f.write_str(" (STRING)"),
            Some(LogicalType::Date) => f.write_str(" (DATE)"),
            Some(LogicalType::Integer(of)) => {
                write!(
                    f,
                    " (INTEGER of {} bits{})",
                    of.bit_width,
                    if of.is_signed { "" } else { ", unsigned" }
                )
            }
            Some(LogicalType::Decimal(of)) => write!(f, " (DECIMAL({},{}))", of.precision, of.scale),
            Some(LogicalType::Timestamp(of)) => {
                let unit = match of.unit {
                    TimeUnit::MILLIS => "ms",
                    TimeUnit::MICROS => "us",
                    TimeUnit::NANOS => "ns",
                };
                write!(f, " (TIMESTAMP({unit}{}))", if of.is_adjusted_to_u_t_c { ",UTC" } else { "" })
            }
            // None of these is ever declared.
            Some(_) => f.write_str(" with another logical type"),
        }
    }
}

impl Declared {
    /// Made from the type alone, apart from the encoders: each checks the other.
    pub(super) fn new(field: &Field, output: &OutputSpec) -> Self {
        Declared {
            name: field.name().clone(),
            is_text: *field.data_type() == DataType::Utf8,
            nullable: field.is_nullable(),
            stored: stored(field.data_type(), output),
        }
    }

    pub(super) fn check(&self, column: &ColumnDescriptor) -> Result<(), Violation> {
        let found = Stored { physical: column.physical_type(), logical: column.logical_type_ref().cloned() };
        let name = &self.name;
        if self.stored.as_ref() != Some(&found) {
            let declared = self.stored.as_ref().map_or_else(|| "nothing known".into(), Stored::to_string);
            let message = format!("column {name:?} is stored as {found}, declared as {declared}");
            return broken(Rule::DeclaredType, message);
        }
        let is_nullable = column.max_def_level() > 0;
        if is_nullable != self.nullable {
            let nulls = |may| if may { "may be null" } else { "may not be null" };
            let (found, declared) = (nulls(is_nullable), nulls(self.nullable));
            let message = format!("column {name:?} {found} in the file, and {declared} in the table");
            return broken(Rule::DeclaredType, message);
        }
        if found.physical == PhysicalType::FIXED_LEN_BYTE_ARRAY {
            let digits = u8::try_from(column.type_precision()).unwrap_or(u8::MAX);
            let (bytes, least) = (column.type_length(), decimal_bytes(digits));
            if bytes != least {
                let message =
                    format!("column {name:?}: {digits} digits take {}, not {bytes}", count(least, "byte"));
                return broken(Rule::DecimalLength, message);
            }
        }
        Ok(())
    }
}

fn stored(data_type: &DataType, output: &OutputSpec) -> Option<Stored> {
    let plain = |physical| Some(Stored { physical, logical: None });
    let with = |physical, logical| Some(Stored { physical, logical: Some(logical) });
    match data_type {
        DataType::Boolean => plain(PhysicalType::BOOLEAN),
        DataType::Int16 => with(PhysicalType::INT32, LogicalType::integer(16, true)),
        DataType::Int32 => plain(PhysicalType::INT32),
        DataType::Int64 => plain(PhysicalType::INT64),
        DataType::Float32 => plain(PhysicalType::FLOAT),
        DataType::Float64 => plain(PhysicalType::DOUBLE),
        DataType::Date32 => with(PhysicalType::INT32, LogicalType::Date),
        DataType::Utf8 => with(PhysicalType::BYTE_ARRAY, LogicalType::String),
        DataType::Binary => plain(PhysicalType::BYTE_ARRAY),
        DataType::Timestamp(..) if output.timestamps == TimestampForm::Int96 => plain(PhysicalType::INT96),
        DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, zone) => {
            with(PhysicalType::INT64, LogicalType::timestamp(zone.is_some(), TimeUnit::MICROS))
        }
        DataType::Decimal128(precision, scale) => {
            let physical = match (output.decimals, precision) {
                (DecimalForm::Int, ..=9) => PhysicalType::INT32,
                (DecimalForm::Int, ..=18) => PhysicalType::INT64,
                _ => PhysicalType::FIXED_LEN_BYTE_ARRAY,
            };
            with(physical, LogicalType::decimal(i32::from(*scale), i32::from(*precision)))
        }
        _ => None,
    }
}

/// Whether Spectrum has a type for what is stored, whichever the table declares.
pub(super) fn check_readable(column: &ColumnDescriptor) -> Result<(), Violation> {
    use PhysicalType::{BOOLEAN, BYTE_ARRAY, DOUBLE, FIXED_LEN_BYTE_ARRAY, FLOAT, INT32, INT64, INT96};
    let (physical, logical) = (column.physical_type(), column.logical_type_ref().cloned());
    let name = column.path().string();
    if column.path().parts().len() != 1 {
        return broken(Rule::ReadableType, format!("column {name:?} is nested"));
    }
    let is_decimal = matches!(logical, Some(LogicalType::Decimal { .. }));
    let readable = match (physical, &logical) {
        (BOOLEAN | INT32 | INT64 | INT96 | FLOAT | DOUBLE | BYTE_ARRAY, None) => true,
        (INT32 | INT64 | FIXED_LEN_BYTE_ARRAY, Some(_)) if is_decimal => true,
        (INT32, Some(LogicalType::Date)) | (BYTE_ARRAY, Some(LogicalType::String)) => true,
        (INT32, Some(logical)) => [16, 32].map(|bits| LogicalType::integer(bits, true)).contains(logical),
        (INT64, Some(logical)) => {
            let instants = [true, false].map(|utc| LogicalType::timestamp(utc, TimeUnit::MICROS));
            instants.contains(logical) || *logical == LogicalType::integer(64, true)
        }
        _ => false,
    };
    if readable {
        return Ok(());
    }
    broken(Rule::ReadableType, format!("column {name:?} is {}", Stored { physical, logical }))
}
