//! [`Schema`] → [`TableSchema`]: the file that `infer` writes.

use super::{Column, Constraint, Schema};
use crate::spec::table_schema::{Constraints, Field, MissingValue, TableSchema};
use crate::value::{BinaryForm, ColumnType, DEFAULT_FALSE, DEFAULT_TRUE, TextRules};
use arrow::datatypes::TimeUnit;
use serde_json::Value;

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
            unique_keys: (!self.keys.is_empty())
                .then(|| self.keys.iter().map(|key| self.names(key)).collect()),
            missing_values: shared.filter(|tokens| !is_default_null(tokens)).map(|t| missing_values(t)),
            ..TableSchema::default()
        }
    }

    fn names(&self, key: &[usize]) -> Value {
        key.iter().map(|position| self.columns[*position].name.as_str()).collect()
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
    let default = TextRules::default();
    let tokens = |given: &[String], default: [&str; 4]| (given != default).then(|| given.to_vec());
    let format = match (column.column_type, rules.formats.as_slice()) {
        (ColumnType::Binary, _) => (rules.binary_form == BinaryForm::Hex).then(|| "hex".into()),
        (_, [one]) => Some(one.clone()),
        _ => None,
    };
    Field {
        name: column.name.clone(),
        source_name: (column.source_name != column.name).then(|| column.source_name.clone()),
        field_type: Some(type_name(column)),
        format,
        formats: (rules.formats.len() > 1).then(|| rules.formats.clone()),
        constraints: constraints(column),
        categories: column.constraints.iter().find_map(|constraint| match constraint {
            Constraint::Enum(allowed) if allowed.is_categories() => Some(allowed.spelling().into()),
            _ => None,
        }),
        quoted_nulls: rules.quoted_nulls.then_some(true),
        source_time_zone: (rules.source_zone != chrono_tz::Tz::UTC).then(|| rules.source_zone.name().into()),
        ambiguous_time: given(rules.ambiguous_time, default.ambiguous_time),
        two_digit_year_pivot: given(rules.two_digit_year_pivot, default.two_digit_year_pivot),
        ignore_case: given(rules.ignore_case, default.ignore_case),
        true_values: tokens(&rules.true_tokens, DEFAULT_TRUE),
        false_values: tokens(&rules.false_tokens, DEFAULT_FALSE),
        decimal_char: (rules.decimal_mark != b'.').then(|| char::from(rules.decimal_mark).into()),
        group_char: rules.group_mark.map(|mark| char::from(mark).into()),
        bare_number: given(rules.bare_number, default.bare_number),
        rounding: given(rules.rounding, default.rounding),
        leading_zeros: given(rules.leading_zeros, default.leading_zeros),
        ..Field::default()
    }
}

/// What differs from the default.
fn given<T: PartialEq>(value: T, default: T) -> Option<T> {
    (value != default).then_some(value)
}

fn constraints(column: &Column) -> Option<Constraints> {
    let mut constraints =
        Constraints { required: (!column.nullable).then_some(true), ..Constraints::default() };
    for constraint in &column.constraints {
        match constraint {
            Constraint::MinLength(length) => constraints.min_length = Some(*length),
            Constraint::MaxLength(length) => constraints.max_length = Some(*length),
            Constraint::Minimum(bound) => constraints.minimum = Some(bound.spelling().clone()),
            Constraint::Maximum(bound) => constraints.maximum = Some(bound.spelling().clone()),
            Constraint::ExclusiveMinimum(bound) => {
                constraints.exclusive_minimum = Some(bound.spelling().clone());
            }
            Constraint::ExclusiveMaximum(bound) => {
                constraints.exclusive_maximum = Some(bound.spelling().clone());
            }
            Constraint::Pattern(pattern) => constraints.pattern = Some(pattern.spelling().into()),
            Constraint::Enum(allowed) if !allowed.is_categories() => {
                constraints.enumeration = Some(allowed.spelling().to_vec());
            }
            // Said by `categories` and by the type.
            Constraint::Enum(_) | Constraint::MaxBytes(_) => {}
        }
    }
    (constraints != Constraints::default()).then_some(constraints)
}

/// The name that Table Schema has, if it has one.
fn type_name(column: &Column) -> String {
    let max_bytes = column.constraints.iter().find_map(|constraint| match constraint {
        Constraint::MaxBytes(bytes) => Some(bytes),
        _ => None,
    });
    if let Some(bytes) = max_bytes {
        return format!("varchar({bytes})");
    }
    match column.column_type {
        ColumnType::Int { bits: 64 } => "integer".into(),
        ColumnType::Float64 => "number".into(),
        ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: false } => "datetime".into(),
        other => other.to_string(),
    }
}
