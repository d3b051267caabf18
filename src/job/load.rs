//! Reading a job file.

use super::interpolate::interpolate;
use crate::error::{Error, JobPlace, Result};
use crate::spanned::{
    Document, DocumentFormat, KeyPath, Problem, Problems, json_schema, parse_set_value, read_text,
};
use crate::spec::location::check_no_credentials;
use crate::spec::{JobSpec, SchemaSpec};
use std::path::Path;

/// One `--set key.path=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Dotted key, such as `output.compression` or `targets[0].region`.
    pub key: String,
    /// A TOML value, or a bare string.
    pub value: String,
}

impl std::str::FromStr for Override {
    type Err = String;

    /// Reads `key=value`; the value may hold further `=`.
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((key, value)) => Ok(Override { key: key.trim().into(), value: value.trim().into() }),
            None => Err("write `key.path=value`".into()),
        }
    }
}

/// The JSON Schema of job files, as in `schemas/job.schema.json`.
pub fn job_json_schema() -> serde_json::Value {
    json_schema::<JobSpec>()
}

/// Reads, interpolates, overrides and validates a job file: JSON if its name
/// ends in `.json`, else TOML.
///
/// Every location in the result is absolute, every target's URL ends in `/`.
/// Errors name file, line, column and key; mistakes of one kind (unknown keys,
/// values) are reported together.
pub fn load(path: &Path, overrides: &[Override]) -> Result<JobSpec> {
    let file = path.display().to_string();
    let fail = |problem: Problem| Problems::from(problem).into_error(&file);
    let text = read_text(path).map_err(fail)?;
    let absolute = std::path::absolute(path).map_err(|error| {
        fail(Problem::new(KeyPath::root(), format!("the current directory is not known: {error}")))
    })?;
    let base_dir = absolute.parent().unwrap_or(Path::new("/"));
    load_str(
        &text,
        DocumentFormat::of_name(&file),
        &file,
        base_dir,
        &|name| std::env::var(name).ok(),
        overrides,
    )
}

/// [`load`] with everything from outside given: the text, what messages call
/// the file, the directory of relative paths (absolute) and the environment.
pub fn load_str(
    text: &str,
    format: DocumentFormat,
    file: &str,
    base_dir: &Path,
    env: &dyn Fn(&str) -> Option<String>,
    overrides: &[Override],
) -> Result<JobSpec> {
    let read = || {
        let mut document = Document::parse(text, format, file)?;
        interpolate_all(&mut document, env)?;
        apply(&mut document, overrides)?;
        refuse_credentials(&mut document)?;
        let findings = document.check(&job_json_schema());
        findings.errors.or_ok(())?;
        let mut job: JobSpec = document.read()?;
        if let Some(SchemaSpec::Inline(schema)) = &mut job.schema {
            schema.notes = findings.misspelt.0.iter().map(Problem::to_string).collect();
        }
        if job.name.is_empty() {
            job.name =
                Path::new(file).file_stem().map(|stem| stem.to_string_lossy().into()).unwrap_or_default();
        }
        job.finish(base_dir).map_err(|problems| document.locate(problems))
    };
    read().map_err(|problems: Problems| -> Error { problems.into_error(file) })
}

fn interpolate_all(document: &mut Document, env: &dyn Fn(&str) -> Option<String>) -> Result<(), Problems> {
    let mut problems = Problems::default();
    document.root.for_each_text(&mut |key, text| match interpolate(text, env) {
        Ok(value) => *text = value,
        Err((message, remedy)) => problems.0.push(Problem::new(key.clone(), message).remedy(remedy)),
    });
    document.locate(problems).or_ok(())
}

fn apply(document: &mut Document, overrides: &[Override]) -> Result<(), Problems> {
    for Override { key, value } in overrides {
        let place = JobPlace { file: "--set".into(), key: Some(key.clone()), ..JobPlace::default() };
        let at_flag = |problem: Problem| Problem { place: Some(place.clone().into()), ..problem };
        let path: KeyPath = key.parse().map_err(|message: String| {
            at_flag(Problem::new(KeyPath::root(), message).remedy("write a key such as `targets[0].region`"))
        })?;
        document.root.set(&path, parse_set_value(value)).map_err(at_flag)?;
    }
    Ok(())
}

/// Looked for in every text before anything else is said about the values, so
/// that no other message can repeat a secret.
fn refuse_credentials(document: &mut Document) -> Result<(), Problems> {
    let mut problems = Problems::default();
    document.root.for_each_text(&mut |key, text| {
        if let Err(error) = check_no_credentials(text) {
            problems.0.push(Problem::new(key.clone(), error.message).remedy(error.remedy));
        }
    });
    document.locate(problems).or_ok(())
}
