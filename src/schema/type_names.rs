//! Reading the names of types.

use super::ColumnType;
use crate::document::nearest;
use arrow::datatypes::TimeUnit;
use std::str::FromStr;

/// A type's name that cannot be read: what is wrong and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TypeNameError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

/// Types of Table Schema whose values are kept as the text they are.
const TEXT_TYPES: &[&str] =
    &["string", "yearmonth", "duration", "geopoint", "geojson", "object", "array", "list", "any"];

/// Every name without parameters that is read.
const PLAIN_NAMES: &[&str] = &[
    "string",
    "integer",
    "number",
    "boolean",
    "date",
    "time",
    "datetime",
    "year",
    "yearmonth",
    "duration",
    "geopoint",
    "geojson",
    "object",
    "array",
    "list",
    "any",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "float32",
    "float64",
    "binary",
    "decimal",
    "timestamp",
];

impl FromStr for ColumnType {
    type Err = TypeNameError;

    fn from_str(text: &str) -> Result<Self, TypeNameError> {
        let name = text.trim();
        Ok(match name {
            "boolean" => ColumnType::Boolean,
            "integer" | "int64" => ColumnType::Int { bits: 64 },
            "int32" | "year" => ColumnType::Int { bits: 32 },
            "int16" => ColumnType::Int { bits: 16 },
            "int8" => ColumnType::Int { bits: 8 },
            "uint64" => ColumnType::UInt { bits: 64 },
            "uint32" => ColumnType::UInt { bits: 32 },
            "uint16" => ColumnType::UInt { bits: 16 },
            "uint8" => ColumnType::UInt { bits: 8 },
            "float32" => ColumnType::Float32,
            "number" | "float64" => ColumnType::Float64,
            "date" => ColumnType::Date,
            "time" => ColumnType::Time,
            "datetime" => ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: false },
            "binary" => ColumnType::Binary,
            _ if TEXT_TYPES.contains(&name) => ColumnType::Text,
            _ => return with_parameters(name),
        })
    }
}

fn with_parameters(text: &str) -> Result<ColumnType, TypeNameError> {
    let (name, inner) = match text.split_once('(') {
        Some((name, inner)) => (name.trim_end(), inner.strip_suffix(')')),
        None => (text, None),
    };
    let parts = inner.map(|inner| inner.split(',').map(str::trim).collect::<Vec<_>>()).unwrap_or_default();
    match name {
        "decimal" => decimal(text, &parts),
        "timestamp" => timestamp(text, &parts),
        _ => Err(unknown(text, name)),
    }
}

fn unknown(text: &str, name: &str) -> TypeNameError {
    // What other tools call the same thing.
    let known = match name.to_ascii_lowercase().as_str() {
        "text" | "str" | "varchar" | "char" | "utf8" => Some("string"),
        "int" | "int4" => Some("int32"),
        "bigint" | "long" | "i64" => Some("int64"),
        "smallint" | "short" | "i16" => Some("int16"),
        "tinyint" | "byte" => Some("int8"),
        "double" | "real8" | "f64" => Some("float64"),
        "float" | "real" | "f32" => Some("float32"),
        "bool" => Some("boolean"),
        "numeric" => Some("decimal(precision,scale)"),
        "timestamptz" => Some("timestamp(us,UTC)"),
        "bytes" | "varbyte" | "varbinary" | "blob" => Some("binary"),
        _ => nearest(name, PLAIN_NAMES.iter().copied()),
    };
    TypeNameError {
        message: format!("unknown type `{text}`"),
        remedy: match known {
            Some("decimal") => "did you mean `decimal(precision,scale)`?".into(),
            Some("timestamp") => "did you mean `timestamp(us)`?".into(),
            Some(known) => format!("did you mean `{known}`?"),
            None => format!("known types: {}", PLAIN_NAMES.join(", ")),
        },
    }
}

/// Digits that 128 bits hold; Arrow's and Redshift's limit.
const MAX_PRECISION: u8 = 38;

fn decimal(text: &str, parts: &[&str]) -> Result<ColumnType, TypeNameError> {
    let remedy = "write `decimal(precision,scale)` with precision 1 to 38 and scale 0 to precision";
    let error = |message: String| TypeNameError { message, remedy: remedy.into() };
    let [precision, scale] = parts else {
        return Err(error(format!("`{text}` does not say precision and scale")));
    };
    match (precision.parse::<u8>(), scale.parse::<u8>()) {
        (Ok(precision @ 1..=MAX_PRECISION), Ok(scale)) if scale <= precision => {
            Ok(ColumnType::Decimal { precision, scale })
        }
        _ => Err(error(format!("`{text}` is no decimal that can be stored"))),
    }
}

fn timestamp(text: &str, parts: &[&str]) -> Result<ColumnType, TypeNameError> {
    let remedy = "write `timestamp(us)`, or `timestamp(us,UTC)` for instants; units are s, ms, us, ns";
    let error = |message: String| TypeNameError { message, remedy: remedy.into() };
    let (unit, zone) = match parts {
        [unit] => (*unit, None),
        [unit, zone] => (*unit, Some(*zone)),
        _ => return Err(error(format!("`{text}` does not say its unit"))),
    };
    let unit = match unit {
        "s" => TimeUnit::Second,
        "ms" => TimeUnit::Millisecond,
        "us" => TimeUnit::Microsecond,
        "ns" => TimeUnit::Nanosecond,
        other => return Err(error(format!("`{other}` is no unit of a timestamp"))),
    };
    match zone {
        None => Ok(ColumnType::Timestamp { unit, utc: false }),
        Some("UTC") => Ok(ColumnType::Timestamp { unit, utc: true }),
        Some(zone) => Err(TypeNameError {
            message: format!("`{text}`: instants are stored in UTC, not in `{zone}`"),
            remedy: format!("write `timestamp({},UTC)` and `sourceTimeZone` = \"{zone}\"", parts[0]),
        }),
    }
}
