//! Values in a schema file → values of the column's type.

use crate::value::{ColumnType, Converter, Rounding, TextRules};
use arrow::array::{ArrayRef, BooleanArray};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// A value that others are checked against.
#[derive(Debug, Clone)]
pub struct Bound {
    /// As the document has it: a text or a number.
    spelling: Value,
    /// One value of the column's type.
    value: ArrayRef,
}

impl PartialEq for Bound {
    fn eq(&self, other: &Self) -> bool {
        self.spelling == other.spelling && *self.value == *other.value
    }
}

impl Bound {
    /// A value as a column would read it; `None` if it is none of its type.
    ///
    /// Texts are read by the column's rules, dates and times also in ISO 8601.
    /// Numbers in the document are just that, whatever marks the column has.
    pub fn new(spelling: &Value, column_type: ColumnType, rules: &TextRules) -> Option<Self> {
        // Bounds are exact: a column that rounds does not round them.
        let read = |text: &str, rules: TextRules| {
            Converter::new(column_type, &TextRules { rounding: Rounding::Error, ..rules }).read_one(text).ok()
        };
        let value = match spelling {
            Value::String(text) => read(text, rules.clone())
                .or_else(|| read(text, TextRules { formats: Vec::new(), ..rules.clone() })),
            // A column with a format such as %Y%m%d reads these, too.
            Value::Number(number) => read(
                &number.to_string(),
                TextRules { formats: rules.formats.clone(), ..TextRules::default() },
            ),
            Value::Bool(value) if column_type == ColumnType::Boolean => {
                Some(Arc::new(BooleanArray::from(vec![*value])) as ArrayRef)
            }
            _ => None,
        };
        Some(Bound { spelling: spelling.clone(), value: value? })
    }

    /// As the document has it.
    pub fn spelling(&self) -> &Value {
        &self.spelling
    }

    /// An array of this value alone, of the column's type.
    pub fn value(&self) -> &ArrayRef {
        &self.value
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&spelled(&self.spelling))
    }
}

/// A value without the quotes of JSON.
pub(super) fn spelled(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
