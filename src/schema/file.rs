//! Reading a schema file.

use super::resolve::ResolveContext;
use crate::error::Result;
use crate::spanned::{Document, DocumentFormat, KeyPath, Problem, Problems, json_schema, read_text};
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

/// Reads a Table Schema, or the `schema` (and `dialect`) of a Data Resource or
/// of a Data Package with one resource. `file` tells JSON (`.json`) from TOML.
///
/// Whether the schema resolves is checked, so that its mistakes are reported
/// with line and column.
pub fn read_schema(text: &str, file: &str) -> Result<SchemaFile> {
    try_read(text, file).map_err(|problems| problems.into_error(file))
}

fn try_read(text: &str, file: &str) -> Result<SchemaFile, Problems> {
    let document = Document::parse(text, DocumentFormat::of_name(file), file)?;
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
