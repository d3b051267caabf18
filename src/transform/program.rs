//! The transforms of a job, compiled.

use super::compile::{Compiler, Environment, Live, blame, column_policy};
use super::frame::{Frame, Slot};
use super::keys::Key;
use super::operations::{CheckConstraint, Operation};
use super::rows::{BlockContext, KeyCheck, KeyMeaning, RunContext, TransformedRows};
use crate::error::{ErrorKind, Result};
use crate::profile;
use crate::profile::types::{as_parsed, readable};
use crate::rows::{Rows, arrow_schema, judge};
use crate::schema::{Column, Constraint, Schema, WrittenSchema};
use crate::spanned::Problem;
use crate::spec::{ColumnNames, ErrorsSpec, OutputSpec, Profile, TransformSpec};
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is done to the rows of every block.
#[derive(Debug)]
pub struct Program {
    input: Schema,
    /// Slots of the input; for each, the position in the schema of the job is the same number.
    input_slots: Vec<Slot>,
    operations: Vec<ScheduledOperation>,
    slots: usize,
    output: Schema,
    output_slots: Vec<Slot>,
    output_schema: SchemaRef,
    keys: Vec<Key>,
    checks: Vec<KeyCheck>,
    policy_names: BTreeSet<String>,
    /// Whether rows go out as they come in.
    is_identity: bool,
    renamed: Vec<(String, String)>,
}

/// An operation and the slots that nothing needs after it.
#[derive(Debug)]
struct ScheduledOperation {
    operation: Box<dyn Operation>,
    last_use_of: Vec<Slot>,
}

impl Program {
    /// Compiles `steps` for the columns of `schema`. `written`: what the
    /// files are to have, where that is known already; it holds all that the job gives.
    ///
    /// # Errors
    /// Everything that can be wrong with the steps, naming `transforms[n]`; a
    /// salt that the environment lacks; columns that the output profile refuses.
    pub fn compile(
        schema: &Schema,
        steps: &[TransformSpec],
        errors: &ErrorsSpec,
        output: &OutputSpec,
        run: &RunContext,
        written: Option<&WrittenSchema>,
    ) -> Result<Self> {
        Self::compile_in(schema, steps, errors, output, run, written, &|name| std::env::var(name).ok())
    }

    /// [`Self::compile`] in this environment.
    pub(super) fn compile_in(
        schema: &Schema,
        steps: &[TransformSpec],
        errors: &ErrorsSpec,
        output: &OutputSpec,
        run: &RunContext,
        written: Option<&WrittenSchema>,
        env: Environment<'_>,
    ) -> Result<Self> {
        let OutputSpec { profile, column_names, .. } = *output;
        let parsed = Schema {
            columns: schema.columns.iter().map(|column| as_parsed(column, profile)).collect(),
            keys: schema.keys.clone(),
        };
        let mut compiler = Compiler::new(&parsed, errors, run, env);
        for (number, step) in steps.iter().enumerate() {
            compiler.step(number, step)?;
        }
        let mut output = fit_profile(&mut compiler, profile, column_names)?;
        let outputs = compiler.columns.iter().zip(&output.columns);
        let renamed = outputs.map(|(live, column)| (live.column.name.clone(), column.name.clone()));
        let renamed = match column_names {
            ColumnNames::Keep => Vec::new(),
            ColumnNames::Plain => {
                renamed.filter(|(from, to)| from.to_lowercase() != to.to_lowercase()).collect()
            }
        };
        if let Some(written) = written {
            output = conform(&mut compiler, &output, written);
        }
        Ok(Program { renamed, ..assemble(compiler, &parsed, output, errors)? })
    }

    /// The columns to be parsed: those that a step or the output needs, in the
    /// order and by the names of the schema of the job. Types are those of the
    /// output profile where it has a wider one.
    pub fn input(&self) -> &Schema {
        &self.input
    }

    /// For each column of [`Self::input`]: its position in the schema of the job.
    pub fn input_positions(&self) -> &[usize] {
        &self.input_slots
    }

    /// The columns of the rows that [`Self::apply`] gives, partition columns included.
    pub fn output(&self) -> &Schema {
        &self.output
    }

    /// Columns that `output.column_names` gives another name: before and after.
    pub fn renamed(&self) -> &[(String, String)] {
        &self.renamed
    }

    /// Columns of the output whose values are those of a column of the schema as they were
    /// read, with its position there.
    pub fn plain_outputs(&self) -> impl Iterator<Item = (usize, &Column)> {
        let outputs = self.output_slots.iter().copied().zip(&self.output.columns);
        // They ascend.
        outputs.filter(|(slot, _)| self.input_slots.binary_search(slot).is_ok())
    }

    /// Comparisons of rows that one block cannot make for itself: first those
    /// of `deduplicate`, then those of unique keys, in which its result counts.
    pub fn key_checks(&self) -> &[KeyCheck] {
        &self.checks
    }

    /// The names by which `errors.columns` is asked: those of the schema, and of
    /// columns at the steps that can make bad values of them. A name in another
    /// case, as the output profile may spell it, is not among them.
    pub fn policy_names(&self) -> &BTreeSet<String> {
        &self.policy_names
    }

    /// Applies the transforms to rows with the columns of [`Self::input`].
    ///
    /// # Errors
    /// None that data can cause: what is wrong with rows is in [`TransformedRows::faults`].
    pub fn apply(&self, rows: Rows, block: &BlockContext<'_>) -> Result<TransformedRows> {
        if self.is_identity {
            let (filtered, faults, nulled) = (0, Vec::new(), BTreeMap::new());
            return Ok(TransformedRows { rows, filtered, faults, nulled, keys: Vec::new() });
        }
        self.run(rows, block).map_err(|cause| ErrorKind::Compute { step: "transforming rows", cause }.into())
    }

    fn run(&self, rows: Rows, block: &BlockContext<'_>) -> Result<TransformedRows, ArrowError> {
        let mut frame = Frame::new(rows, self.slots, &self.input_slots);
        for planned in &self.operations {
            planned.operation.run(&mut frame, block)?;
            frame.free(&planned.last_use_of);
        }
        let keys = self.keys.iter().map(|key| key.of_rows(&frame)).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(frame.rows()));
        let columns = frame.columns(&self.output_slots)?;
        let batch = RecordBatch::try_new_with_options(self.output_schema.clone(), columns, &options)?;
        Ok(frame.finish(batch, keys))
    }
}

/// The output as `profile` has it; derived columns of other types are cast.
fn fit_profile(compiler: &mut Compiler<'_>, profile: Profile, names: ColumnNames) -> Result<Schema> {
    let columns = compiler.columns.iter().map(|live| Column {
        column_type: if live.derived {
            readable(live.column.column_type, profile)
        } else {
            live.column.column_type
        },
        ..live.column.clone()
    });
    let wanted = Schema::new(columns.collect());
    let output = profile::for_profile(&wanted, profile, names)
        .map_err(|problems| problems.into_error("the columns after `transforms`"))?;
    for (position, column) in output.columns.iter().enumerate() {
        let live = &compiler.columns[position].column;
        if live.column_type != column.column_type {
            let policy = compiler.policy(&live.name.clone());
            compiler.cast_column(position, column.column_type, policy);
        }
    }
    Ok(output)
}

/// The columns of the output as the files of the table have them: in its order, with its types, and
/// with nulls where the job has none. Those that make directories come last.
fn conform(compiler: &mut Compiler<'_>, output: &Schema, written: &WrittenSchema) -> Schema {
    let (mut lives, mut columns) = (Vec::new(), Vec::new());
    let given = output.columns.iter().enumerate();
    let position_of: HashMap<&str, usize> =
        given.map(|(position, column)| (column.name.as_str(), position)).collect();
    for wanted in &written.columns {
        let Some(&position) = position_of.get(wanted.name.as_str()) else {
            let live = compiler.null_column(&wanted.name, wanted.column_type);
            columns.push(live.column.clone());
            lives.push(live);
            continue;
        };
        let column = &output.columns[position];
        // INT96 is made of any timestamp by the encoder.
        let column_type = if wanted.int96 { column.column_type } else { wanted.column_type };
        if column_type != column.column_type {
            let name = compiler.columns[position].column.name.clone();
            let policy = compiler.policy(&name);
            compiler.cast_column(position, column_type, policy);
        }
        lives.push(compiler.columns[position].clone());
        columns.push(Column { column_type, ..column.clone() });
    }
    let in_files = written.by_name();
    for (column, live) in output.columns.iter().zip(&compiler.columns) {
        if !in_files.contains_key(column.name.as_str()) {
            columns.push(column.clone());
            lives.push(live.clone());
        }
    }
    compiler.columns = lives;
    Schema { columns, keys: output.keys.clone() }
}

fn assemble(compiler: Compiler<'_>, parsed: &Schema, output: Schema, errors: &ErrorsSpec) -> Result<Program> {
    let Compiler { columns, mut operations, mut keys, slots, policy_names, .. } = compiler;
    let output_slots: Vec<Slot> = columns.iter().map(|Live { slot, .. }| *slot).collect();
    let mut used = vec![false; slots];
    let reads = operations.iter().flat_map(|operation| operation.inputs());
    let compared = keys.iter().flat_map(|key| key.slots.iter().copied());
    reads.chain(compared).chain(output_slots.iter().copied()).for_each(|slot| used[slot] = true);
    let input_slots: Vec<Slot> = (0..parsed.columns.len()).filter(|&slot| used[slot]).collect();

    let constraints =
        input_slots.iter().flat_map(|&slot| constraint_checks(&parsed.columns[slot], slot, errors));
    operations.splice(0..0, constraints);
    let uniques = unique_keys(parsed, &input_slots, errors)
        .map_err(|cause| ErrorKind::Compute { step: "comparing rows by key", cause })?;
    keys.extend(match keys.first() {
        Some(deduplicated) => beside_deduplication(uniques, deduplicated)?,
        None => uniques,
    });

    let input = Schema::new(input_slots.iter().map(|&slot| parsed.columns[slot].clone()).collect());
    let output_schema = arrow_schema(&output);
    Ok(Program {
        is_identity: operations.is_empty()
            && keys.is_empty()
            && input_slots == output_slots
            && arrow_schema(&input) == output_schema,
        policy_names,
        checks: keys.iter().map(|key| key.check.clone()).collect(),
        operations: plan_memory(operations, &output_slots, &keys, slots),
        input,
        input_slots,
        slots,
        output,
        output_slots,
        output_schema,
        keys,
        renamed: Vec::new(),
    })
}

/// Finds the last use of each slot.
fn plan_memory(
    operations: Vec<Box<dyn Operation>>,
    output: &[Slot],
    keys: &[Key],
    slots: usize,
) -> Vec<ScheduledOperation> {
    let mut needed = vec![false; slots];
    output.iter().chain(keys.iter().flat_map(|key| &key.slots)).for_each(|&slot| needed[slot] = true);
    let mut planned: Vec<ScheduledOperation> = Vec::with_capacity(operations.len());
    for operation in operations.into_iter().rev() {
        let mut last_use_of = operation.inputs();
        last_use_of.retain(|&slot| !std::mem::replace(&mut needed[slot], true));
        planned.push(ScheduledOperation { operation, last_use_of });
    }
    planned.reverse();
    planned
}

fn constraint_checks(column: &Column, slot: Slot, errors: &ErrorsSpec) -> Vec<Box<dyn Operation>> {
    let check = |constraint: &Constraint| -> Box<dyn Operation> {
        let constraint = constraint.clone();
        let blame = blame(column, column_policy(errors, &column.name));
        Box::new(CheckConstraint { slot, constraint, blame })
    };
    column.constraints.iter().map(check).collect()
}

/// The unique keys all of whose columns are parsed.
fn unique_keys(schema: &Schema, parsed: &[Slot], errors: &ErrorsSpec) -> Result<Vec<Key>, ArrowError> {
    let keys = schema.keys.iter().filter(|key| key.iter().all(|slot| parsed.contains(slot))).cloned();
    let key = |slots: Vec<Slot>| {
        let columns: Vec<String> = slots.iter().map(|&slot| schema.columns[slot].name.clone()).collect();
        // One column has a policy of its own; rows cannot become null.
        let (policy, key) = match &columns[..] {
            [only] => column_policy(errors, only),
            _ => (errors.bad_value, "errors.bad_value".to_owned()),
        };
        let meaning = KeyMeaning::Unique(judge(policy, false));
        let check = KeyCheck { columns, meaning, policy_key: Some(key) };
        let columns: Vec<_> =
            slots.into_iter().map(|slot| (slot, schema.columns[slot].column_type)).collect();
        Key::new(check, &columns)
    };
    keys.map(key).collect()
}

/// Unique keys beside a deduplication: those that hold its key cannot repeat any
/// more. Others would have to be compared after rows that may still wait on disk.
fn beside_deduplication(uniques: Vec<Key>, deduplicated: &Key) -> Result<Vec<Key>> {
    let implied = |unique: &Key| deduplicated.slots.iter().all(|slot| unique.slots.contains(slot));
    match uniques.into_iter().find(|unique| !implied(unique)) {
        None => Ok(Vec::new()),
        Some(other) => {
            let message = format!(
                "`deduplicate` by ({}) does not go together with the unique key ({}) of the schema",
                deduplicated.check.columns.join(", "),
                other.check.columns.join(", ")
            );
            Err(Problem::new("transforms", message)
                .remedy("deduplicate by that key, or take the constraint out of the schema")
                .into_error("job"))
        }
    }
}

#[cfg(test)]
mod tests;
