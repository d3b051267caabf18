//! A plan for a table that has rows: its files are to have what the others have.

use super::Plan;
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::pipeline::Columns;
use crate::schema::{Column, ColumnType, Misfit, WrittenSchema, evolve, holds};
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
/// after the table has got other types is the same job.
///
/// # Errors
/// They cannot stand beside those of the table.
pub(super) fn fit(plan: &mut Plan, table: &TableBefore, is_inferred: bool) -> Result<()> {
    if table.done.contains(&plan.job_key) {
        return Ok(());
    }
    if is_inferred {
        take_types(plan, &table.schema)?;
    }
    let own = Columns::of_plan(plan)?.written(&plan.job);
    let lacking = table.schema.columns.iter().map(|column| &column.name);
    let lacking: Vec<_> = lacking.filter(|name| own.column(name).is_none()).collect();
    if !lacking.is_empty() {
        tracing::warn!(
            "the table has columns that the job has not, and its rows have nulls there: {lacking:?}"
        );
    }
    let fitted = evolve(&table.schema, &own, plan.job.output.schema_change);
    plan.written = Some(fitted.map_err(|misfit| refused(plan, &misfit))?);
    Ok(())
}

/// What samples say of a type is a guess, and the table knows.
fn take_types(plan: &mut Plan, table: &WrittenSchema) -> Result<()> {
    let columns = Columns::of_plan(plan)?;
    let mut schema = plan.schema()?;
    for (position, output) in columns.program.plain_outputs() {
        let Some(wanted) = table.type_of(&output.name).filter(|wanted| *wanted != output.column_type) else {
            continue;
        };
        if is_doubtful(output.column_type, wanted) {
            let (name, found) = (&output.name, output.column_type);
            tracing::warn!(
                "the column {name:?} looks like `{found}` in the samples and is `{wanted}` in the table: what is no \
                 `{wanted}` is a bad value"
            );
        }
        adopt(&mut schema.columns[position], wanted);
    }
    plan.schema = schema.to_table_schema();
    Ok(())
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

fn adopt(column: &mut Column, wanted: ColumnType) {
    let keeps_formats = match (column.column_type, wanted) {
        (ColumnType::Timestamp { utc, .. }, ColumnType::Timestamp { utc: wanted, .. }) => utc == wanted,
        (one, other) => one == other,
    };
    if !keeps_formats {
        column.rules.formats.clear();
    }
    column.column_type = wanted;
}

fn refused(plan: &Plan, misfit: &Misfit) -> Error {
    let (url, region) = match plan.job.targets.first() {
        Some(home) => (home.url.clone(), home.region.clone()),
        None => (String::new(), None),
    };
    Error::new(ErrorKind::Target(StoreFailure {
        operation: "add to the table in".into(),
        url,
        region,
        attempts: None,
        elapsed: None,
        reason: StoreReason::Exists,
        detail: misfit.to_string(),
    }))
    .remedy(misfit.remedy())
}
