//! Reading the names of types.

use super::ColumnType;
use crate::error::nearest;
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

/// What a type's name in a schema file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeName {
    /// The type.
    pub column_type: ColumnType,
    /// Most bytes of a value, in UTF-8: the n of `varchar(n)` and `char(n)`,
    /// which Redshift counts in bytes.
    pub max_bytes: Option<u64>,
}

impl FromStr for ColumnType {
    type Err = TypeNameError;

    fn from_str(text: &str) -> Result<Self, TypeNameError> {
        let TypeName { column_type, max_bytes } = text.parse()?;
        match max_bytes {
            None => Ok(column_type),
            // Dropping it would leave unchecked what seems to be said.
            Some(_) => Err(TypeNameError {
                message: format!("`{text}` has a length, which only the columns of a schema can have"),
                remedy: format!("write `{column_type}`"),
            }),
        }
    }
}

impl FromStr for TypeName {
    type Err = TypeNameError;

    /// Reads names in any case.
    fn from_str(text: &str) -> Result<Self, TypeNameError> {
        let (name, inner) = match text.trim().split_once('(') {
            Some((name, inner)) => (name.trim_end(), Some(inner)),
            None => (text.trim(), None),
        };
        let name = name.to_ascii_lowercase();
        let parameters = match inner.map(|inner| inner.strip_suffix(')')) {
            None => Vec::new(),
            Some(Some(inner)) => inner.split(',').map(str::trim).collect(),
            Some(None) => return Err(unknown(text, &name)),
        };
        let column_type = match (name.as_str(), parameters.as_slice()) {
            ("decimal" | "numeric" | "dec", parameters) => decimal(text, parameters)?,
            ("timestamp", parameters) => timestamp(text, parameters)?,
            ("varchar" | "character varying" | "char" | "character" | "nvarchar" | "nchar", [length]) => {
                return text_of(text, length);
            }
            (plain, []) => plain_type(plain).ok_or_else(|| unknown(text, plain))?,
            _ => return Err(unknown(text, &name)),
        };
        Ok(TypeName { column_type, max_bytes: None })
    }
}

/// Whether values of a type of Table Schema, other than strings, are kept as text.
pub(crate) fn is_kept_as_text(name: &str) -> bool {
    TEXT_TYPES.contains(&name.trim().to_ascii_lowercase().as_str()) && !matches!(name, "string" | "any")
}

/// Types without parameters: first Table Schema's name and ours, then SQL's.
fn plain_type(name: &str) -> Option<ColumnType> {
    Some(match name {
        "boolean" | "bool" => ColumnType::Boolean,
        "integer" | "int64" | "bigint" | "long" => ColumnType::Int { bits: 64 },
        "int32" | "year" | "int" | "int4" => ColumnType::Int { bits: 32 },
        // Redshift's `int8` has eight bytes and is `int64` here.
        "int16" | "smallint" | "int2" | "short" => ColumnType::Int { bits: 16 },
        "int8" | "tinyint" => ColumnType::Int { bits: 8 },
        "uint64" => ColumnType::UInt { bits: 64 },
        "uint32" => ColumnType::UInt { bits: 32 },
        "uint16" => ColumnType::UInt { bits: 16 },
        "uint8" => ColumnType::UInt { bits: 8 },
        "float32" | "real" | "float4" => ColumnType::Float32,
        // `float` alone has four bytes in Spark and eight in Redshift.
        "number" | "float64" | "double" | "double precision" | "float8" => ColumnType::Float64,
        "date" => ColumnType::Date,
        "time" => ColumnType::Time,
        "datetime" => ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: false },
        "timestamptz" => ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: true },
        "binary" | "varbyte" | "varbinary" | "bytea" => ColumnType::Binary,
        "varchar" | "text" => ColumnType::Text,
        _ if TEXT_TYPES.contains(&name) => ColumnType::Text,
        _ => return None,
    })
}

fn unknown(text: &str, name: &str) -> TypeNameError {
    // What other tools call the same thing.
    let known = match name {
        "str" | "char" | "character" | "utf8" => Some("string"),
        "i64" => Some("int64"),
        "i32" => Some("int32"),
        "i16" => Some("int16"),
        "byte" => Some("int8"),
        "float" => Some("float64` or `float32"),
        "f64" => Some("float64"),
        "f32" => Some("float32"),
        "bytes" | "blob" => Some("binary"),
        _ => nearest(name, PLAIN_NAMES.iter().copied()),
    };
    TypeNameError {
        message: format!("unknown type `{text}`"),
        remedy: match known {
            Some("decimal") => "did you mean `decimal(precision,scale)`?".into(),
            Some("timestamp") => "did you mean `timestamp(us)`?".into(),
            Some(known) => format!("did you mean `{known}`?"),
            None => format!(
                "known types: {}; of SQL also smallint, int, bigint, real, double precision, numeric(p,s), \
                 varchar(n), char(n), bool, timestamptz",
                PLAIN_NAMES.join(", ")
            ),
        },
    }
}

/// Text of so many bytes.
fn text_of(text: &str, length: &str) -> Result<TypeName, TypeNameError> {
    match length.parse::<u64>() {
        Ok(bytes @ 1..) => Ok(TypeName { column_type: ColumnType::Text, max_bytes: Some(bytes) }),
        _ => Err(TypeNameError {
            message: format!("`{text}` does not say how many bytes a text may have"),
            remedy: "write `varchar(n)` with n from 1, or `string`".into(),
        }),
    }
}

/// Digits that 128 bits hold; Arrow's and Redshift's limit.
const MAX_PRECISION: u8 = 38;

fn decimal(text: &str, parts: &[&str]) -> Result<ColumnType, TypeNameError> {
    let remedy = "write `decimal(precision,scale)` with precision 1 to 38 and scale 0 to precision";
    let error = |message: String| TypeNameError { message, remedy: remedy.into() };
    let (precision, scale) = match parts {
        [precision, scale] => (precision, scale),
        // As in SQL.
        [precision] => (precision, &"0"),
        _ => return Err(error(format!("`{text}` does not say precision and scale"))),
    };
    match (precision.parse::<u8>(), scale.parse::<u8>()) {
        (Ok(precision @ 1..=MAX_PRECISION), Ok(scale)) if scale <= precision => {
            Ok(ColumnType::Decimal { precision, scale })
        }
        _ => Err(error(format!("`{text}` is not a decimal that can be stored"))),
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
        other => return Err(error(format!("`{other}` is not a timestamp unit"))),
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
