//! `primaryKey`, `uniqueKeys` and unique columns → sets of columns.

use super::Column;
use crate::error::nearest;
use crate::spanned::{KeyPath, Problem, Problems};
use crate::spec::table_schema::TableSchema;
use serde_json::Value;

/// The keys of a schema, each once, in the order of the document. Columns of
/// the primary key become required.
pub(super) fn resolve(
    schema: &TableSchema,
    columns: &mut [Column],
    problems: &mut Problems,
) -> Vec<Vec<usize>> {
    let mut keys = Vec::new();
    if let Some(primary) = &schema.primary_key {
        let key = key_columns(primary, KeyPath::from("primaryKey"), columns, problems);
        for position in key.iter().flatten() {
            columns[*position].nullable = false;
        }
        keys.extend(key);
    }
    match &schema.unique_keys {
        Some(Value::Array(unique)) => {
            for (i, names) in unique.iter().enumerate() {
                keys.extend(key_columns(names, KeyPath::from("uniqueKeys").index(i), columns, problems));
            }
        }
        Some(_) => problems.0.push(
            Problem::new("uniqueKeys", "is not a list of keys")
                .remedy("write a list of lists of names, such as `[[\"id\"], [\"city\", \"day\"]]`"),
        ),
        None => {}
    }
    let is_unique = |field: &crate::spec::table_schema::Field| {
        field.constraints.as_ref().and_then(|constraints| constraints.unique) == Some(true)
    };
    keys.extend(schema.fields.iter().enumerate().filter(|(_, f)| is_unique(f)).map(|(i, _)| vec![i]));
    let mut seen: Vec<Vec<usize>> = Vec::new();
    keys.retain(|key| {
        let mut sorted = key.clone();
        sorted.sort_unstable();
        let new = !seen.contains(&sorted);
        seen.push(sorted);
        new
    });
    keys
}

/// The positions of the columns that a key names.
fn key_columns(
    names: &Value,
    place: KeyPath,
    columns: &[Column],
    problems: &mut Problems,
) -> Option<Vec<usize>> {
    let names: Option<Vec<&str>> = match names {
        Value::String(name) => Some(vec![name.as_str()]),
        Value::Array(names) if !names.is_empty() => names.iter().map(Value::as_str).collect(),
        _ => None,
    };
    let Some(names) = names else {
        let problem = Problem::new(place, "lists no columns");
        problems.0.push(problem.remedy("write the names of the columns that make the key"));
        return None;
    };
    let mut key = Vec::with_capacity(names.len());
    for name in names {
        let Some(position) = columns.iter().position(|column| column.name == name) else {
            let known = nearest(name, columns.iter().map(|column| column.name.as_str()));
            let remedy = match known {
                Some(known) => format!("did you mean `{known}`?"),
                None => "write the `name` of one of the fields".into(),
            };
            problems.0.push(Problem::new(place, format!("there is no column {name:?}")).remedy(remedy));
            return None;
        };
        if key.contains(&position) {
            let problem = Problem::new(place, format!("names the column {name:?} twice"));
            problems.0.push(problem.remedy("name each column once"));
            return None;
        }
        key.push(position);
    }
    Some(key)
}
