//! [`Schema`] → [`TableSchema`]: the file that `infer` writes.

use super::resolve::{DEFAULT_FALSE, DEFAULT_TRUE};
use super::table_schema::{Constraints, Field, MissingValue, TableSchema};
use super::{BinaryForm, Column, ColumnType, Schema};
use arrow::datatypes::TimeUnit;

impl Schema {
    /// The descriptor that resolves to this schema, without what is default.
    pub fn to_table_schema(&self) -> TableSchema {
        // What all columns share is said once.
        let shared = self.columns.first().map(|column| &column.rules.null_tokens);
        let shared = shared.filter(|tokens| self.columns.iter().all(|c| c.rules.null_tokens == **tokens));
        let fields = self.columns.iter().map(|column| {
            let own = shared.is_none() && !is_default_null(&column.rules.null_tokens);
            Field { missing_values: own.then(|| missing_values(&column.rules.null_tokens)), ..field(column) }
        });
        TableSchema {
            fields: fields.collect(),
            missing_values: shared.filter(|tokens| !is_default_null(tokens)).map(|t| missing_values(t)),
            ..TableSchema::default()
        }
    }
}

fn is_default_null(tokens: &[String]) -> bool {
    tokens == [""]
}

fn missing_values(tokens: &[String]) -> Vec<MissingValue> {
    tokens.iter().cloned().map(MissingValue::Text).collect()
}

fn field(column: &Column) -> Field {
    let rules = &column.rules;
    let tokens = |given: &[String], default: [&str; 4]| (given != default).then(|| given.to_vec());
    let format = match (column.column_type, rules.formats.as_slice()) {
        (ColumnType::Binary, _) => (rules.binary_form == BinaryForm::Hex).then(|| "hex".into()),
        (_, [one]) => Some(one.clone()),
        _ => None,
    };
    Field {
        name: column.name.clone(),
        source_name: (column.source_name != column.name).then(|| column.source_name.clone()),
        field_type: Some(type_name(column.column_type)),
        format,
        formats: (rules.formats.len() > 1).then(|| rules.formats.clone()),
        constraints: (!column.nullable)
            .then(|| Constraints { required: Some(true), ..Constraints::default() }),
        quoted_nulls: rules.quoted_nulls.then_some(true),
        source_time_zone: (rules.source_zone != chrono_tz::Tz::UTC).then(|| rules.source_zone.name().into()),
        true_values: tokens(&rules.true_tokens, DEFAULT_TRUE),
        false_values: tokens(&rules.false_tokens, DEFAULT_FALSE),
        decimal_char: (rules.decimal_mark != b'.').then(|| char::from(rules.decimal_mark).into()),
        group_char: rules.group_mark.map(|mark| char::from(mark).into()),
        ..Field::default()
    }
}

/// The name that Table Schema has, if it has one.
fn type_name(column_type: ColumnType) -> String {
    match column_type {
        ColumnType::Int { bits: 64 } => "integer".into(),
        ColumnType::Float64 => "number".into(),
        ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: false } => "datetime".into(),
        other => other.to_string(),
    }
}
