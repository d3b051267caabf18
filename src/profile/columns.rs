//! What a profile makes of a schema: types widened, names folded, or a refusal.

use super::names::{RefusedBy, make_plain, refusal};
use crate::error::excerpt::excerpt;
use crate::schema::{Column, Schema};
use crate::spanned::{KeyPath, Problem, Problems};
use crate::spec::{ColumnNames, Profile};
use crate::value::ColumnType;
use arrow::datatypes::TimeUnit;
use std::collections::HashMap;

/// Longest name of a column in Redshift, in bytes ("Names and identifiers",
/// Amazon Redshift Database Developer Guide).
pub const MAX_NAME_BYTES: usize = 127;
/// Most columns of an external table ("CREATE EXTERNAL TABLE", same guide).
pub const MAX_COLUMNS: usize = 1_598;

/// The schema of the files: what `profile` can read of `schema`.
///
/// Source names and rules stay as they are; `names` says whether names are made plain first; [`Profile::Standard`] makes
/// milliseconds of seconds and changes nothing else. The keys of the problems are relative to the schema file; all are
/// reported at once.
pub fn for_profile(schema: &Schema, profile: Profile, names: ColumnNames) -> Result<Schema, Problems> {
    let mut schema = schema.clone();
    if names == ColumnNames::Plain {
        make_plain(&mut schema.columns);
    }
    let mut problems = Problems::default();
    for (i, column) in schema.columns.iter().enumerate().filter(|(_, column)| column.name.contains('\0')) {
        let key = KeyPath::from("fields").index(i).key("name");
        problems
            .0
            .push(Problem::new(key, format!("the name {:?} contains a NUL", column.name)).remedy(
                "rename the column, or use `output.column_names = \"plain\"` (--column-names plain)",
            ));
    }
    problems.or_ok(())?;
    match profile {
        Profile::Standard => Ok(standard(&schema)),
        Profile::Spectrum => spectrum(&schema),
    }
}

/// Parquet has no seconds: readers would see plain integers.
fn standard(schema: &Schema) -> Schema {
    let mut schema = schema.clone();
    for column in &mut schema.columns {
        if let ColumnType::Timestamp { unit: unit @ TimeUnit::Second, .. } = &mut column.column_type {
            *unit = TimeUnit::Millisecond;
        }
    }
    schema
}

fn spectrum(schema: &Schema) -> Result<Schema, Problems> {
    let mut problems = Problems::default();
    if schema.columns.len() > MAX_COLUMNS {
        let message =
            format!("Spectrum reads {MAX_COLUMNS} columns, the schema has {}", schema.columns.len());
        problems.0.push(
            Problem::new("fields", message)
                .remedy("drop columns, or use `output.profile = \"standard\"` (--profile standard)"),
        );
    }
    let mut names: HashMap<String, &str> = HashMap::new();
    let mut columns = Vec::with_capacity(schema.columns.len());
    for (i, column) in schema.columns.iter().enumerate() {
        let key = KeyPath::from("fields").index(i);
        let name = column.name.to_lowercase();
        if let Err(problem) = check_name(column, &name, &mut names) {
            problems.0.push(problem.under(&key));
        }
        match widen(column.column_type) {
            Ok(column_type) => columns.push(Column { name, column_type, ..column.clone() }),
            Err((what, remedy)) => {
                let message = format!("column {:?}: Spectrum does not read {what}", column.name);
                problems.0.push(Problem::new("type", message).remedy(remedy).under(&key));
            }
        }
    }
    problems.or_ok(Schema { columns, keys: schema.keys.clone() })
}

fn check_name<'a>(
    column: &'a Column,
    folded: &str,
    names: &mut HashMap<String, &'a str>,
) -> Result<(), Problem> {
    if folded.trim().is_empty() {
        return Err(Problem::new("name", "Spectrum needs a name for each column").remedy("name the column"));
    }
    if folded.len() > MAX_NAME_BYTES {
        let message = format!(
            "column {:?}: the name has {} bytes, Spectrum reads {MAX_NAME_BYTES}",
            excerpt(&column.name),
            folded.len()
        );
        return Err(Problem::new("name", message).remedy(
            "shorten `name` and put the header's text in `sourceName`, or use `output.profile = \"standard\"` (--profile standard)",
        ));
    }
    if refusal(folded) == Some(RefusedBy::Glue) {
        let message = format!("column {:?}: AWS Glue takes no control characters in names", column.name);
        return Err(Problem::new("name", message).remedy(
            "rename the column and put the header's text in `sourceName`, or use `output.column_names = \"plain\"` (--column-names plain)",
        ));
    }
    match names.insert(folded.into(), &column.name) {
        Some(other) => {
            let message =
                format!("columns {other:?} and {:?} are both {folded:?} in lower case", column.name);
            Err(Problem::new("name", message).remedy(
                "rename one and put the header's text in `sourceName`, or use `output.profile = \"standard\"` (--profile standard)",
            ))
        }
        None => Ok(()),
    }
}

/// The narrowest type of Spectrum that holds every value; otherwise what is refused and a remedy.
fn widen(column_type: ColumnType) -> Result<ColumnType, (&'static str, &'static str)> {
    const MICROSECONDS: TimeUnit = TimeUnit::Microsecond;
    Ok(match column_type {
        ColumnType::Int { bits: 8 } | ColumnType::UInt { bits: 8 } => ColumnType::Int { bits: 16 },
        ColumnType::UInt { bits: 16 } => ColumnType::Int { bits: 32 },
        ColumnType::UInt { bits: 32 } => ColumnType::Int { bits: 64 },
        ColumnType::UInt { .. } => ColumnType::Decimal { precision: 20, scale: 0 },
        ColumnType::Time => {
            return Err((
                "times of day",
                "make its type `string`, or use `output.profile = \"standard\"` (--profile standard)",
            ));
        }
        ColumnType::Timestamp { unit: TimeUnit::Nanosecond, .. } => {
            return Err((
                "nanoseconds",
                "make its type `timestamp(us)` or `timestamp(us,UTC)`, or use `output.profile = \"standard\"` (--profile standard)",
            ));
        }
        // Exact, and Spectrum reads no other unit.
        ColumnType::Timestamp { utc, .. } => ColumnType::Timestamp { unit: MICROSECONDS, utc },
        ColumnType::Boolean
        | ColumnType::Int { .. }
        | ColumnType::Float32
        | ColumnType::Float64
        | ColumnType::Decimal { .. }
        | ColumnType::Date
        | ColumnType::Text
        | ColumnType::Binary => column_type,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectrum_widens_folds_and_refuses() {
        let timestamp = |unit, utc| ColumnType::Timestamp { unit, utc };
        for (from, expected) in [
            (ColumnType::Int { bits: 8 }, Some("int16")),
            (ColumnType::UInt { bits: 8 }, Some("int16")),
            (ColumnType::UInt { bits: 16 }, Some("int32")),
            (ColumnType::UInt { bits: 32 }, Some("int64")),
            (ColumnType::UInt { bits: 64 }, Some("decimal(20,0)")),
            (ColumnType::Int { bits: 64 }, Some("int64")),
            (timestamp(TimeUnit::Second, true), Some("timestamp(us,UTC)")),
            (timestamp(TimeUnit::Millisecond, false), Some("timestamp(us)")),
            (timestamp(TimeUnit::Nanosecond, false), None),
            (ColumnType::Time, None),
        ] {
            let schema = Schema::new(vec![Column::new("Größe", from)]);
            let found = for_profile(&schema, Profile::Spectrum, ColumnNames::Keep)
                .ok()
                .map(|mut s| s.columns.remove(0));
            assert_eq!(found.as_ref().map(|c| c.column_type.to_string()).as_deref(), expected);
            if let Some(found) = found {
                assert_eq!((found.name.as_str(), found.source_name.as_str()), ("größe", "Größe"));
            }
            let mut standard = schema.clone();
            if let ColumnType::Timestamp { unit: unit @ TimeUnit::Second, .. } =
                &mut standard.columns[0].column_type
            {
                *unit = TimeUnit::Millisecond;
            }
            assert_eq!(for_profile(&schema, Profile::Standard, ColumnNames::Keep), Ok(standard));
        }
    }

    #[test]
    fn spectrum_reports_every_problem() {
        let columns = vec![
            Column::new("Id", ColumnType::Text),
            Column::new("ID", ColumnType::Time),
            Column::new("x".repeat(128), ColumnType::Text),
        ];
        let problems = for_profile(&Schema::new(columns), Profile::Spectrum, ColumnNames::Keep).unwrap_err();
        let keys = problems.0.iter().map(|p| p.key.to_string()).collect::<Vec<_>>();
        assert_eq!(keys, ["fields[1].name", "fields[1].type", "fields[2].name"]);
        assert!(problems.0.iter().all(|p| p.remedy.is_some()));
        let many = (0..1_599).map(|i| Column::new(format!("c{i}"), ColumnType::Text)).collect();
        let problems = for_profile(&Schema::new(many), Profile::Spectrum, ColumnNames::Keep).unwrap_err();
        assert_eq!(problems.0[0].message, "Spectrum reads 1598 columns, the schema has 1599");
    }
}
