#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use super::*;
use crate::schema::{Column, ResolveContext};
use crate::spec::TableSchema;
use arrow::array::{
    Array, Decimal128Array, Float64Array, Int16Array, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::DataType;
use std::sync::Arc;

/// The columns of fields as a schema file has them, or the first problem.
fn column(field: &str) -> Result<Column, String> {
    let schema: TableSchema =
        serde_json::from_str(&format!(r#"{{"fields": [{{"name": "a", {field}}}]}}"#)).unwrap();
    let resolved = schema.try_resolve(&ResolveContext::default());
    resolved.map(|(mut schema, _)| schema.columns.remove(0)).map_err(|problems| problems.0[0].to_string())
}

fn broken_rows(constraint: &Constraint, array: &ArrayRef) -> Vec<usize> {
    match constraint.violations(array).unwrap() {
        None => Vec::new(),
        Some(rows) => {
            assert!(rows.null_count() == 0 && rows.true_count() > 0, "{constraint}");
            (0..rows.len()).filter(|row| rows.value(*row)).collect()
        }
    }
}

#[test]
fn texts() {
    let array: ArrayRef =
        Arc::new(StringArray::from(vec![Some("a"), None, Some("äöü"), Some("abcd"), Some("")]));
    for (field, expected) in [
        (r#""constraints": {"minLength": 3}"#, vec![0, 4]),
        (r#""constraints": {"maxLength": 3}"#, vec![3]),
        (r#""constraints": {"maxLength": 4}"#, vec![]),
        (r#""type": "varchar(4)""#, vec![2]),
        (r#""constraints": {"pattern": "[a-d]*"}"#, vec![2]),
        // The whole text, whatever the alternatives.
        (r#""constraints": {"pattern": "a|äöü|"}"#, vec![3]),
        (r#""constraints": {"pattern": "(?x) a  # a comment"}"#, vec![2, 3, 4]),
        (r#""constraints": {"enum": ["a", "abcd"]}"#, vec![2, 4]),
        (r#""categories": ["a", {"value": "abcd", "label": "all"}, "äöü", ""]"#, vec![]),
    ] {
        let constraint = &column(field).unwrap().constraints[0];
        assert_eq!(broken_rows(constraint, &array), expected, "{field}");
        let view = arrow::compute::cast(&array, &DataType::Utf8View).unwrap();
        assert_eq!(broken_rows(constraint, &view), expected, "{field}, as views");
    }
}

#[test]
fn bounds() {
    let floats: ArrayRef = Arc::new(Float64Array::from(vec![Some(-0.0), None, Some(1.5), Some(f64::NAN)]));
    let decimals: ArrayRef = Arc::new(
        Decimal128Array::from(vec![Some(0), None, Some(1), Some(2)]).with_precision_and_scale(5, 2).unwrap(),
    );
    let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![-1, 0, 1_000_000]));
    let wide: ArrayRef = Arc::new(Int16Array::from(vec![-1, 0, 200]));
    for (field, array, expected) in [
        (r#""type": "number", "constraints": {"minimum": 0}"#, &floats, vec![3]),
        (r#""type": "number", "constraints": {"maximum": 1}"#, &floats, vec![2, 3]),
        (r#""type": "number", "constraints": {"enum": [0, 1.5]}"#, &floats, vec![3]),
        (r#""type": "decimal(5,2)", "constraints": {"minimum": 0.01}"#, &decimals, vec![0]),
        (r#""type": "decimal(5,2)", "constraints": {"exclusiveMinimum": "0.01"}"#, &decimals, vec![0, 2]),
        (r#""type": "decimal(5,2)", "constraints": {"exclusiveMaximum": 0.02}"#, &decimals, vec![3]),
        (r#""type": "decimal(5,2)", "constraints": {"enum": ["0", 0.01]}"#, &decimals, vec![3]),
        (r#""type": "datetime", "constraints": {"minimum": "1970-01-01T00:00:00Z"}"#, &times, vec![0]),
        // Types that a profile has widened.
        (r#""type": "timestamp(s)", "constraints": {"maximum": "1970-01-01T00:00:00"}"#, &times, vec![2]),
        (r#""type": "int8", "constraints": {"maximum": 127, "minimum": -5}"#, &wide, vec![]),
    ] {
        let constraint = &column(field).unwrap().constraints[0];
        assert_eq!(broken_rows(constraint, array), expected, "{field}");
    }
    let all =
        column(r#""type": "int8", "constraints": {"maximum": 127, "minimum": -5}"#).unwrap().constraints;
    assert_eq!(broken_rows(&all[1], &wide), [2]);
}

#[test]
fn bounds_are_read_as_the_column_reads_its_text() {
    let described =
        |field| column(field).unwrap().constraints.iter().map(Constraint::describe).collect::<Vec<_>>();
    for (field, expected) in [
        (
            r#""type": "date", "format": "%d.%m.%Y", "constraints": {"minimum": "31.12.2020"}"#,
            "minimum: 31.12.2020",
        ),
        (
            r#""type": "date", "format": "%d.%m.%Y", "constraints": {"minimum": "2020-12-31"}"#,
            "minimum: 2020-12-31",
        ),
        (r#""type": "decimal(5,2)", "decimalChar": ",", "constraints": {"minimum": "1,5"}"#, "minimum: 1,5"),
        (r#""type": "decimal(5,2)", "decimalChar": ",", "constraints": {"minimum": 1.5}"#, "minimum: 1.5"),
        (r#""type": "boolean", "constraints": {"enum": [true]}"#, "enum: true"),
    ] {
        assert_eq!(described(field), [expected], "{field}");
    }
    let long: Vec<String> = (0..12).map(|n| n.to_string()).collect();
    let field = format!(r#""type": "integer", "constraints": {{"enum": [{}]}}"#, long.join(", "));
    assert_eq!(described(&field), ["enum: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"]);
}

#[test]
fn mistakes_name_the_key() {
    for (field, expected) in [
        (
            r#""type": "integer", "constraints": {"pattern": "a"}"#,
            "constraints.pattern: is a constraint on text, and the column is int64",
        ),
        (
            r#""constraints": {"minimum": 1}"#,
            "constraints.minimum: is a constraint on numbers, dates and times, and the column is string",
        ),
        (
            r#""type": "integer", "constraints": {"maxLength": 1}"#,
            "constraints.maxLength: is a constraint on text",
        ),
        (
            r#""type": "integer", "constraints": {"minimum": 5, "maximum": 4}"#,
            "constraints.minimum: no value lies between 5 and the 4 of `maximum`",
        ),
        (
            r#""type": "integer", "constraints": {"minimum": 5, "exclusiveMaximum": 5}"#,
            "constraints.minimum: no value lies between",
        ),
        (
            r#""constraints": {"minLength": 5, "maxLength": 4}"#,
            "constraints.minLength: 5 is above `maxLength`, which is 4",
        ),
        (
            r#""type": "date", "constraints": {"minimum": "soon"}"#,
            "constraints.minimum: \"soon\" is not a value of the column's type, date",
        ),
        (
            r#""type": "int8", "constraints": {"maximum": 200}"#,
            "constraints.maximum: 200 is not a value of the column's type, int8",
        ),
        (
            r#""type": "decimal(5,2)", "constraints": {"minimum": 0.001}"#,
            "constraints.minimum: 0.001 is not a value",
        ),
        (r#""constraints": {"enum": []}"#, "constraints.enum: allows no value"),
        (r#""type": "integer", "constraints": {"enum": [1, "x"]}"#, "constraints.enum: \"x\" is not a value"),
        (
            r#""constraints": {"jsonSchema": {}}"#,
            "constraints.jsonSchema: values are not checked against a JSON Schema",
        ),
        (r#""categories": "a""#, "categories: is not a list"),
        (
            r#""constraints": {"pattern": "a(b"}"#,
            "constraints.pattern: is not a valid regular expression: regex parse error:\n    a(b\n     ^\nerror: unclosed group",
        ),
        (r#""constraints": {"pattern": "a)|(b"}"#, "constraints.pattern: is not a valid regular expression"),
    ] {
        let problem = column(field).unwrap_err();
        assert!(problem.starts_with(&format!("fields[0].{expected}")), "{field}: {problem}");
        assert!(problem.ends_with(')'), "a remedy: {problem}");
    }
}
