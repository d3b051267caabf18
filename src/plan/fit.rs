//! A plan for a table that has rows: its files are to have what the others have.

use crate::columns::Columns;
use crate::documents::Plan;
use crate::error::lists::quoted;
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::infer::Seen;
use crate::schema::{Column, Misfit, Schema, WrittenSchema, evolve, holds};
use crate::value::ColumnType;
use std::collections::BTreeSet;

/// What the log says of a table whose rows stay beside those of a run.
#[derive(Debug, Clone)]
pub struct TableBefore {
    /// What its files have.
    pub schema: WrittenSchema,
    /// The job keys of all versions: what is done already need not fit any more.
    pub done: BTreeSet<String>,
}

/// Settles what the files are to have, once the job key is known: a job that is repeated
/// after the table has got other types is the same job. `seen`: what the samples
/// have of the columns, if they are inferred. Gives the columns that have taken another type
/// from the table, by their names in the inputs.
///
/// # Errors
/// They cannot stand beside those of the table.
pub(super) fn fit(
    plan: &mut Plan,
    table: &TableBefore,
    seen: Option<&Vec<Seen>>,
) -> Result<BTreeSet<String>> {
    let mut adopted = BTreeSet::new();
    if table.done.contains(&plan.job_key) {
        return Ok(adopted);
    }
    if let Some(seen) = seen {
        adopted = take_types(plan, &table.schema, seen)?;
    }
    let own = Columns::of_plan(plan)?.written(plan.job.output.timestamps);
    let lacking = table.schema.columns.iter().map(|column| &column.name);
    let in_job = own.by_name();
    let lacking: Vec<_> = lacking.filter(|name| !in_job.contains_key(name.as_str())).collect();
    if !lacking.is_empty() {
        tracing::warn!(
            "the table has columns that the job does not have; its rows will have nulls there: {}",
            quoted(lacking)
        );
    }
    let fitted = evolve(&table.schema, &own, plan.job.output.schema_change);
    plan.written = Some(fitted.map_err(|misfit| refused(plan, &misfit))?);
    Ok(adopted)
}

/// What samples say of a type is a guess, and the table knows.
fn take_types(plan: &mut Plan, table: &WrittenSchema, seen: &[Seen]) -> Result<BTreeSet<String>> {
    let mut adopted = BTreeSet::new();
    let (columns, types) = (Columns::of_plan(plan)?, table.types());
    let mut schema = plan.schema()?;
    for (position, output) in columns.program.plain_outputs() {
        let wanted = types.get(output.name.as_str()).copied();
        let Some(wanted) = wanted.filter(|wanted| *wanted != output.column_type) else {
            continue;
        };
        let column = &mut schema.columns[position];
        if let Some(warning) = take_type(column, &output.name, output.column_type, wanted, seen) {
            tracing::warn!("{warning}");
        }
        adopted.insert(column.source_name.clone());
    }
    plan.schema = schema.to_table_schema();
    Ok(adopted)
}

/// The types of a table for columns that are called the same, in any case of ASCII letters,
/// as the profile `spectrum` writes names. Gives their names and what does not fit.
pub fn take_types_of(
    table: &WrittenSchema,
    schema: &mut Schema,
    seen: &[Seen],
) -> (BTreeSet<String>, Vec<String>) {
    let (mut adopted, mut warnings) = (BTreeSet::new(), Vec::new());
    let types = table.types();
    for column in &mut schema.columns {
        let (name, found) = (column.name.clone(), column.column_type);
        let wanted = types.get(name.as_str()).or_else(|| types.get(name.to_lowercase().as_str())).copied();
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            warnings.extend(take_type(column, &name, found, wanted, seen));
            adopted.insert(column.source_name.clone());
        }
    }
    (adopted, warnings)
}

/// Gives a column the type of the table, and says where its values do not look like it.
fn take_type(
    column: &mut Column,
    name: &str,
    found: ColumnType,
    wanted: ColumnType,
    seen: &[Seen],
) -> Option<String> {
    let seen = seen.iter().find(|seen| seen.column == column.source_name);
    let nulls = seen.map_or(&[][..], |seen| &seen.null_tokens);
    adopt(column, wanted, nulls);
    let changes = seen.map_or(&[][..], |seen| &seen.changes);
    is_doubtful(found, wanted).then(|| {
        let first = changes.iter().find(|change| is_doubtful(change.to, wanted));
        let by = first.map_or_else(String::new, |change| format!("; the first that shows it is {}", change.by));
        format!(
            "the column {name:?} looks like `{found}` in the samples and is `{wanted}` in the table: what is not a \
             valid `{wanted}` is a bad value{by}"
        )
    })
}

/// Whether some values most likely do not fit. Integers have 64 bits where nothing else is known.
fn is_doubtful(found: ColumnType, wanted: ColumnType) -> bool {
    let is_integer = |column_type| matches!(column_type, ColumnType::Int { .. });
    let fits = match wanted {
        ColumnType::Text => true,
        ColumnType::Int { .. } | ColumnType::Float32 | ColumnType::Float64 => is_integer(found),
        // What is found of amounts does not depend on their digits.
        ColumnType::Decimal { .. } => is_integer(found) || found == ColumnType::Float64,
        _ => false,
    };
    !fits && !holds(wanted, found)
}

/// Reads a column as another type; `nulls` are the null tokens that were seen in it.
pub(super) fn adopt(column: &mut Column, wanted: ColumnType, nulls: &[String]) {
    let keeps_formats = match (column.column_type, wanted) {
        (ColumnType::Timestamp { utc, .. }, ColumnType::Timestamp { utc: wanted, .. }) => utc == wanted,
        (one, other) => one == other,
    };
    if !keeps_formats {
        column.rules.formats.clear();
    }
    if column.column_type == ColumnType::Text && wanted != ColumnType::Text {
        for token in nulls {
            if !column.rules.null_tokens.contains(token) {
                column.rules.null_tokens.push(token.clone());
            }
        }
    }
    column.column_type = wanted;
}

fn refused(plan: &Plan, misfit: &Misfit) -> Error {
    let (url, region) = match plan.job.targets.first() {
        Some(home) => (home.url.clone(), home.region.clone()),
        None => (String::new(), None),
    };
    Error::new(ErrorKind::Target(StoreFailure {
        region,
        ..StoreFailure::new("add to the table in", url, StoreReason::Exists, misfit.to_string())
    }))
    .remedy(misfit.remedy())
}
