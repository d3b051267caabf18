//! The types a column can have.

use arrow::datatypes::{DataType, TimeUnit};
use std::fmt;

/// The type of a column: what its text means and how it is stored.
///
/// The spelling in schema files is what [`fmt::Display`] gives and
/// [`std::str::FromStr`] reads: the types of Frictionless Table Schema where it
/// has them, extensions such as `int32`, `decimal(15,2)` or `timestamp(us,UTC)`
/// where it lacks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// `boolean`
    Boolean,
    /// `int8`, `int16`, `int32`, `int64`; `integer` is `int64`.
    Int {
        /// 8, 16, 32 or 64.
        bits: u8,
    },
    /// `uint8`, `uint16`, `uint32`, `uint64`
    UInt {
        /// 8, 16, 32 or 64.
        bits: u8,
    },
    /// `float32`
    Float32,
    /// `float64`; `number` is `float64`.
    Float64,
    /// `decimal(precision,scale)`, exact.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point, 0 to `precision`.
        scale: u8,
    },
    /// `date`: days.
    Date,
    /// `time`: time of day in microseconds.
    Time,
    /// `timestamp(unit)` without a zone, `timestamp(unit,UTC)` an instant;
    /// `datetime` is `timestamp(us)`.
    Timestamp {
        /// Resolution of the stored value.
        unit: TimeUnit,
        /// Whether the value is an instant (stored in UTC).
        utc: bool,
    },
    /// `string`: UTF-8 text.
    Text,
    /// `binary`: bytes, written in the CSV as base64 or hexadecimal.
    Binary,
}

impl ColumnType {
    /// Whether values are numbers.
    pub fn is_numeric(self) -> bool {
        matches!(
            self,
            ColumnType::Int { .. }
                | ColumnType::UInt { .. }
                | ColumnType::Float32
                | ColumnType::Float64
                | ColumnType::Decimal { .. }
        )
    }

    /// The Arrow type that batches hold.
    pub fn arrow(&self) -> DataType {
        match *self {
            ColumnType::Boolean => DataType::Boolean,
            ColumnType::Int { bits: 8 } => DataType::Int8,
            ColumnType::Int { bits: 16 } => DataType::Int16,
            ColumnType::Int { bits: 32 } => DataType::Int32,
            ColumnType::Int { .. } => DataType::Int64,
            ColumnType::UInt { bits: 8 } => DataType::UInt8,
            ColumnType::UInt { bits: 16 } => DataType::UInt16,
            ColumnType::UInt { bits: 32 } => DataType::UInt32,
            ColumnType::UInt { .. } => DataType::UInt64,
            ColumnType::Float32 => DataType::Float32,
            ColumnType::Float64 => DataType::Float64,
            ColumnType::Decimal { precision, scale } => DataType::Decimal128(precision, scale as i8),
            ColumnType::Date => DataType::Date32,
            ColumnType::Time => DataType::Time64(TimeUnit::Microsecond),
            ColumnType::Timestamp { unit, utc } => DataType::Timestamp(unit, utc.then(|| "UTC".into())),
            ColumnType::Text => DataType::Utf8,
            ColumnType::Binary => DataType::Binary,
        }
    }
}

impl fmt::Display for ColumnType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            ColumnType::Boolean => f.write_str("boolean"),
            ColumnType::Int { bits } => write!(f, "int{bits}"),
            ColumnType::UInt { bits } => write!(f, "uint{bits}"),
            ColumnType::Float32 => f.write_str("float32"),
            ColumnType::Float64 => f.write_str("float64"),
            ColumnType::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            ColumnType::Date => f.write_str("date"),
            ColumnType::Time => f.write_str("time"),
            ColumnType::Timestamp { unit, utc } => {
                let unit = match unit {
                    TimeUnit::Second => "s",
                    TimeUnit::Millisecond => "ms",
                    TimeUnit::Microsecond => "us",
                    TimeUnit::Nanosecond => "ns",
                };
                write!(f, "timestamp({unit}{})", if utc { ",UTC" } else { "" })
            }
            ColumnType::Text => f.write_str("string"),
            ColumnType::Binary => f.write_str("binary"),
        }
    }
}

impl ColumnType {
    /// The type whose batches have this Arrow type, if there is one.
    pub fn of_arrow(data_type: &DataType) -> Option<ColumnType> {
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
            DataType::Float32 => ColumnType::Float32,
            DataType::Float64 => ColumnType::Float64,
            DataType::Decimal128(precision, scale) => {
                let scale = u8::try_from(*scale).ok().filter(|scale| scale <= precision)?;
                ColumnType::Decimal { precision: *precision, scale }
            }
            DataType::Date32 => ColumnType::Date,
            DataType::Time64(TimeUnit::Microsecond) => ColumnType::Time,
            DataType::Timestamp(unit, zone) => ColumnType::Timestamp { unit: *unit, utc: zone.is_some() },
            DataType::Utf8 => ColumnType::Text,
            DataType::Binary => ColumnType::Binary,
            _ => return None,
        })
    }
}
