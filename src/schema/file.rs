//! Reading a schema file.

use super::resolve::ResolveContext;
use crate::document::{Document, Format, KeyPath, Problem, Problems, json_schema};
use crate::error::{JobPlace, Result};
use crate::spec::DialectSpec;
use crate::spec::table_schema::{TableSchema, table_schema_json_schema};
use std::path::Path;

/// What a schema file holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SchemaFile {
    /// The columns.
    pub schema: TableSchema,
    /// The dialect that stands beside them in a Data Resource.
    pub dialect: Option<DialectSpec>,
}

/// Reads a schema file from disk, see [`read_schema`].
pub fn load_schema(path: &Path) -> Result<SchemaFile> {
    let file = path.display().to_string();
    let text = read_text(path).map_err(|problem| Problems::from(problem).into_error(&file))?;
    read_schema(&text, &file)
}

/// The text of a file; the problem says why there is none.
pub(crate) fn read_text(path: &Path) -> Result<String, Problem> {
    let at_root = |message: String| Problem::new(KeyPath::root(), message);
    let bytes = std::fs::read(path)
        .map_err(|error| at_root(format!("cannot be read: {error}")).remedy("check the path"))?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        let place = JobPlace { file: path.display().to_string(), line: Some(line), ..JobPlace::default() };
        let problem = at_root("the text is not UTF-8".into()).remedy("save the file as UTF-8");
        Problem { place: Some(place.into()), ..problem }
    })
}

/// Reads a Table Schema, or the `schema` (and `dialect`) of a Data Resource or
/// of a Data Package with one resource. `file` tells JSON (`.json`) from TOML.
///
/// Whether the schema resolves is checked, so that its mistakes are reported
/// with line and column.
pub fn read_schema(text: &str, file: &str) -> Result<SchemaFile> {
    try_read(text, file).map_err(|problems| problems.into_error(file))
}

fn try_read(text: &str, file: &str) -> Result<SchemaFile, Problems> {
    let document = Document::parse(text, Format::of_name(file), file)?;
    let resource = match document.part(&KeyPath::from("resources").index(0)) {
        Some(_) if document.part(&KeyPath::from("resources").index(1)).is_some() => {
            let problem = Problem::new("resources", "the package has several resources")
                .remedy("give the schema of one of them in a file of its own");
            return Err(document.locate(problem.into()));
        }
        Some(resource) => resource,
        None => document,
    };
    let schema = match resource.part(&"schema".into()) {
        Some(part) if part.root.is_text() => {
            let problem =
                Problem::new("schema", "the schema is in another file").remedy("name that file instead");
            return Err(resource.locate(problem.into()));
        }
        Some(part) => part,
        // A bare Table Schema; its own `dialect` would be a custom property.
        None => return Ok(SchemaFile { schema: table_schema(&resource)?, dialect: None }),
    };
    let dialect = resource.part(&"dialect".into()).map(|part| dialect(&part)).transpose()?;
    Ok(SchemaFile { schema: table_schema(&schema)?, dialect })
}

fn table_schema(document: &Document) -> Result<TableSchema, Problems> {
    let findings = document.check(&table_schema_json_schema());
    findings.errors.or_ok(())?;
    let mut schema: TableSchema = document.read()?;
    schema.try_resolve(&ResolveContext::default()).map_err(|problems| document.locate(problems))?;
    schema.notes = findings.misspelt.0.iter().map(Problem::to_string).collect();
    Ok(schema)
}

fn dialect(document: &Document) -> Result<DialectSpec, Problems> {
    document.check(&json_schema::<DialectSpec>()).errors.or_ok(())?;
    let spec: DialectSpec = document.read()?;
    spec.resolve().map_err(|problem| document.locate(problem.into()))?;
    Ok(spec)
}
