//! Columns whose values stand in the paths of the inputs.

use crate::documents::Input;
use crate::error::wording::{settings, text, word};
use crate::error::{Error, InputProblem, Result};
use crate::infer::{ColumnNote, FieldText, Inferred, Place, Position, Seen, TypeInference};
use crate::schema::{Column, Schema};
use crate::spec::{ExtraColumns, SourceSpec};
use crate::split::place::header_error;
use crate::value::ColumnType;
use std::collections::{BTreeMap, BTreeSet};

/// Where the types of the other columns come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Types {
    /// From a schema: what it does not name is text.
    Declared,
    /// From the inputs: every path is looked at.
    Inferred,
}

/// Adds the columns of `source.path_columns` that the schema does not have; gives
/// what there is to say of those whose types were inferred, and what was seen of them.
///
/// # Errors
/// A header that names one of them, too.
pub fn add_path_columns(
    schema: &mut Schema,
    source: &SourceSpec,
    inputs: &[Input],
    types: Types,
) -> Result<(Vec<ColumnNote>, Vec<Seen>)> {
    if source.path_columns.is_empty() {
        return Ok(Default::default());
    }
    if types == Types::Declared {
        for name in &source.path_columns {
            if !schema.columns.iter().any(|column| column.source_name == *name) {
                schema.columns.push(Column::new(name, ColumnType::Text));
            }
        }
        return Ok(Default::default());
    }
    for name in &source.path_columns {
        if let Some(position) = schema.columns.iter().position(|column| column.source_name == *name) {
            if source.extra_columns == ExtraColumns::Fail {
                return Err(in_header(name, inputs));
            }
            schema.columns.remove(position);
        }
    }
    let found = inferred(source, inputs);
    schema.columns.extend(found.schema.columns);
    Ok((found.notes, found.seen))
}

fn in_header(name: &str, inputs: &[Input]) -> Error {
    let problem = InputProblem::PathColumnInHeader { name: name.to_owned() };
    header_error(problem, inputs.first().unwrap_or(&Input::default()))
}

fn inferred(source: &SourceSpec, inputs: &[Input]) -> Inferred {
    let mut inference = TypeInference::default();
    inference.name(source.path_columns.clone());
    for input in inputs {
        let number = inference.begin_input(&input.url);
        let place = Place { input: number, at: Position::Path };
        for (key, value) in input.path_values() {
            if let Some(column) = source.path_columns.iter().position(|name| *name == key) {
                let text = value.unwrap_or_default();
                let field = FieldText { value: text.as_bytes(), null_text: text.as_bytes(), quoted: false };
                inference.observe(column, field, place);
            }
        }
    }
    inference.finish()
}

/// Says which directories of the inputs could be columns and are none.
pub(super) fn unused(schema: &Schema, inputs: &[Input]) -> Option<String> {
    let known: BTreeSet<&str> =
        schema.columns.iter().flat_map(|column| [column.name.as_str(), &column.source_name]).collect();
    let mut examples: BTreeMap<String, String> = BTreeMap::new();
    for (key, value) in inputs.iter().flat_map(Input::path_values) {
        if !known.contains(key.as_str()) {
            examples.entry(key).or_insert_with(|| value.unwrap_or_default());
        }
    }
    if examples.is_empty() {
        return None;
    }
    let directories: Vec<_> = examples.iter().map(|(key, value)| format!("`{key}={value}/`")).collect();
    let names: Vec<_> = examples.keys().map(|key| text(key)).collect();
    let flags: Vec<_> = examples.keys().map(|key| format!("--path-column {}", word(key))).collect();
    Some(format!(
        "inputs lie in directories such as {}, which give no columns; to have them as columns, use {}",
        directories.join(", "),
        settings([(format!("source.path_columns = [{}]", names.join(", ")), flags.join(" "), "")])
    ))
}
