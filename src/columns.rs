//! The columns of a plan at each stage, and how those of an input are found in its fields.

use crate::documents::{Input, Plan};
use crate::encode::{FileShape, path_limits};
use crate::error::count::agree;
use crate::error::lists::quoted;
use crate::error::{Error, InputProblem, Result, nearest};
use crate::partition::Partitioner;
use crate::rows::{BatchBuilder, Binding, Policies, arrow_schema};
use crate::runtime::Runtime;
use crate::schema::{Column, Schema, WrittenColumn, WrittenSchema};
use crate::spanned::{KeyPath, Problem};
use crate::spec::{
    BlankNames, ColumnPolicies, ErrorsSpec, ExtraColumns, JobSpec, MissingColumns, SourceSpec, TimestampForm,
};
use crate::split::header::{Header, Trailing};
use crate::split::place::header_error;
use crate::split::read::SplitReader;
use crate::split::start::InputStart;
use crate::transform::Program;
use crate::transform::rows::RunContext;
use crate::value::ColumnType;
use arrow::datatypes::{Field, SchemaRef};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// The columns at each stage.
#[derive(Debug)]
pub struct Columns {
    /// As in the input.
    pub input: Schema,
    /// What happens to them.
    pub program: Program,
    /// Which of the program's output make directories.
    pub partitioner: Partitioner,
    /// Arrow schema of the program's output.
    pub batch_schema: SchemaRef,
    /// What the files have in common.
    pub shape: FileShape,
    /// What happens to bad values and records.
    pub(crate) policies: Policies,
}

impl Columns {
    /// Those of a plan; everything that can be wrong about them is an error here, before any data is read.
    pub fn of_plan(plan: &Plan) -> Result<Self> {
        let schema = plan.schema()?;
        let JobSpec { transforms, errors, output, targets, .. } = &plan.job;
        let run = RunContext { run_id: plan.attempt.clone(), loaded_at_us: plan.time()?.timestamp_micros() };
        let program = Program::compile(&schema, transforms, errors, output, &run, plan.written.as_ref())?;
        let limits = path_limits(targets, output.layout, &plan.attempt);
        let partitioner = Partitioner::new(program.output(), &output.partition_by)?.with_limits(limits);
        let batch_schema = arrow_schema(program.output());
        let shape = FileShape::new(&batch_schema, partitioner.file_schema(&batch_schema), output)?;
        check_policies(errors, &program)?;
        let names = program.input_positions().iter().map(|&column| schema.columns[column].name.as_str());
        let policies = Policies::of(errors, names);
        Ok(Columns { input: schema, program, partitioner, batch_schema, shape, policies })
    }

    /// What the files have, as the log of the table keeps it.
    pub fn written(&self, timestamps: TimestampForm) -> WrittenSchema {
        let column = |field: &Arc<Field>| {
            let column_type = ColumnType::of_arrow(field.data_type())?;
            let int96 =
                timestamps == TimestampForm::Int96 && matches!(column_type, ColumnType::Timestamp { .. });
            Some(WrittenColumn {
                name: field.name().clone(),
                column_type,
                int96,
                required: !field.is_nullable(),
            })
        };
        WrittenSchema {
            // Each was made of a type of a column.
            columns: self.shape.schema().fields().iter().filter_map(column).collect(),
            partition_by: self.partitioner.written(self.program.output()),
        }
    }

    /// Finds the columns in the fields of an input; those that stand in its path are in no field.
    pub(crate) fn bind(&self, plan: &Plan, start: &InputStart) -> Result<BoundInput, InputProblem> {
        let JobSpec { source, dialect, .. } = &plan.job;
        let header = start.header.as_deref();
        let framing = &plan.dialect.framing;
        let policies = ColumnPolicies { blank: framing.blank_names, ..source.column_policies(dialect) };
        let path_columns = &source.path_columns;
        let in_path = |column: &Column| path_columns.contains(&column.source_name);
        let in_fields = match path_columns.is_empty() {
            true => Cow::Borrowed(&self.input),
            false => {
                let columns = self.input.columns.iter().filter(|column| !in_path(column));
                Cow::Owned(Schema::new(columns.cloned().collect()))
            }
        };
        if let (Some(header), ExtraColumns::Fail) = (header, policies.extra)
            && let Some(name) = path_columns.iter().find(|name| header.contains(name))
        {
            return Err(InputProblem::PathColumnInHeader { name: name.clone() });
        }
        let by_name = header.is_some() && !policies.by_position;
        let header = header.map(|names| Header::of(names, start.first, framing)).unwrap_or_default();
        let found = match by_name {
            true => Binding::by_name(&in_fields, &header.names, policies)?,
            false => {
                let columns = in_fields.columns.len();
                let trails = start.header.is_none()
                    && policies.blank != BlankNames::Fail
                    && start.first.is_some_and(|first| first.has_trailing(columns));
                let (fields, blank): (usize, Vec<usize>) = match &start.header {
                    Some(_) => (header.names.len(), header.blank().collect()),
                    None if trails => (columns + 1, vec![columns]),
                    None => (columns, Vec::new()),
                };
                Binding::by_position(&in_fields, fields, &blank, policies)?
            }
        };
        let mut found_fields = found.field_of_column.iter().copied();
        let fields: Vec<Option<usize>> = self
            .input
            .columns
            .iter()
            .map(|column| if in_path(column) { None } else { found_fields.next().flatten() })
            .collect();
        let positions = self.program.input_positions();
        let field_of_column = positions.iter().map(|&column| fields[column]).collect();
        Ok(BoundInput { header, binding: Binding { field_of_column, ..found } })
    }

    /// The parsed columns whose values stand in the path of an input, each with
    /// its position and its value there.
    pub(crate) fn path_values(
        &self,
        source: &SourceSpec,
        input: &Input,
    ) -> Result<Vec<(usize, Option<String>)>, InputProblem> {
        if source.path_columns.is_empty() {
            return Ok(Vec::new());
        }
        // Of a key that comes twice, the innermost counts.
        let found: HashMap<_, _> = input.path_values().into_iter().collect();
        let mut values = Vec::new();
        for (position, column) in self.program.input().columns.iter().enumerate() {
            let name = &column.source_name;
            if !source.path_columns.contains(name) {
                continue;
            }
            match found.get(name) {
                Some(value) => values.push((position, value.clone())),
                None if source.missing_columns == MissingColumns::Null && column.nullable => {}
                None => return Err(InputProblem::PathColumnMissing { name: name.clone() }),
            }
        }
        Ok(values)
    }

    /// Columns with constraints or keys that are not parsed.
    pub fn unchecked(&self) -> Vec<&str> {
        let parsed = self.program.input_positions();
        let demands = |position: usize, column: &Column| {
            !column.nullable
                || !column.constraints.is_empty()
                || self.input.keys.iter().any(|key| key.contains(&position))
        };
        let columns = self.input.columns.iter().enumerate();
        columns
            // They ascend.
            .filter(|(position, column)| {
                parsed.binary_search(position).is_err() && demands(*position, column)
            })
            .map(|(_, column)| column.name.as_str())
            .collect()
    }

    /// What makes rows of the records of an input that begins like this; `tell` is for people.
    pub(crate) fn builder(
        &self,
        plan: &Plan,
        input: &Input,
        start: &InputStart,
        tell: impl FnOnce(&BoundInput),
    ) -> Result<BatchBuilder, InputProblem> {
        let bound = self.bind(plan, start)?;
        tell(&bound);
        let BoundInput { binding, .. } = bound;
        let values = self.path_values(&plan.job.source, input)?;
        let schema = self.program.input();
        BatchBuilder::new(schema, &plan.dialect.grammar, &binding, self.policies.clone())
            .with_values(schema, &values)
    }
}

/// What the fields of an input are.
pub(crate) struct BoundInput {
    /// Without names where there is none.
    pub(crate) header: Header,
    pub(crate) binding: Binding,
}

impl BoundInput {
    /// What a person should know of fields without a name, where the schema was declared: nobody has
    /// looked at the header before.
    pub(crate) fn note(&self, input: &Input) -> Option<String> {
        let fields = |list: &[usize]| {
            let numbers: Vec<_> = list.iter().map(|field| (field + 1).to_string()).collect();
            let noun = agree(list.len(), "field", "fields");
            format!("{noun} {}", numbers.join(", "))
        };
        let Binding { empty_fields, field_of_column, .. } = &self.binding;
        let read = |field: &usize| field_of_column.contains(&Some(*field));
        let named: Vec<usize> = self.header.blank().filter(read).collect();
        let mut notes = Vec::new();
        if !empty_fields.is_empty() {
            notes.push(format!(
                "{} without a name in the header {} left out, and a value there is a bad record",
                fields(empty_fields),
                agree(empty_fields.len(), "is", "are")
            ));
        }
        if !named.is_empty() {
            let names = named.iter().map(|field| &self.header.names[*field].name);
            notes.push(format!(
                "{} without a name in the header {} called {}",
                fields(&named),
                agree(named.len(), "is", "are"),
                quoted(names)
            ));
        }
        if self.header.trailing == Some(Trailing::Header) {
            notes.push("the header ends in a delimiter that the records lack".into());
        }
        (!notes.is_empty()).then(|| format!("{}: {}", input.url, notes.join("; ")))
    }
}

/// Policies are for names that something looks up: columns of the schema, and of
/// steps at their place.
fn check_policies(errors: &ErrorsSpec, program: &Program) -> Result<()> {
    let known = program.policy_names();
    match errors.columns.keys().find(|name| !known.contains(*name)) {
        None => Ok(()),
        Some(name) => {
            let key = KeyPath::from("errors").key("columns").key(name);
            let remedy = match nearest(name, known.iter().map(String::as_str)) {
                Some(known) => format!("did you mean `{known}`?"),
                None => "name a column as the schema has it, or as it is called at a step".to_owned(),
            };
            Err(Problem::new(key, "no value has this policy").remedy(remedy).into_error("job"))
        }
    }
}

/// Rows that are to be compared with all others have to be in one task.
pub fn check_tasks(tasks: usize, columns: &Columns) -> Result<()> {
    let compared = columns.program.key_checks().first();
    match compared {
        Some(check) if tasks > 1 => {
            let message = format!(
                "the key ({}) is compared over all records, and the plan has {tasks} tasks",
                check.columns.join(", ")
            );
            Err(Error::usage(message)
                .remedy("plan one task (`sawmill plan --tasks 1`) for `deduplicate` and unique keys"))
        }
        _ => Ok(()),
    }
}

/// Whether the header of an input fits the plan's schema; reads no further.
pub fn check_header(plan: &Plan, input: &Input, runtime: &Runtime) -> Result<()> {
    let reader = SplitReader::new(plan, runtime, runtime.cancel().clone(), crossbeam_channel::never());
    let start = if plan.dialect.framing.header { reader.read_start(input)? } else { InputStart::default() };
    if plan.dialect.framing.header && start.header.is_none() {
        return Ok(());
    }
    let columns = Columns::of_plan(plan)?;
    let bound = columns.builder(plan, input, &start, |_| ());
    bound.map_err(|problem| header_error(problem, input)).map(drop)
}
