//! Making a plan.

use super::job_key::job_key;
use super::path_columns::{Types, add_path_columns, unused};
use super::sample::sample;
use super::{GivenType, TableBefore, fit};
use crate::columns::{Columns, check_tasks};
use crate::documents::{DOCUMENT_FORMAT, Input, Plan, Split, Task};
use crate::error::lists::listed;
use crate::error::{Error, InputProblem, Location, Result};
use crate::infer::{self, ColumnNote, Inferred, Sample, Seen};
use crate::parse::Opening;
use crate::profile::{names, settings};
use crate::runtime::Runtime;
use crate::schema::{self, Column, ResolveContext, Schema, SchemaFile};
use crate::source::{self, Access, Decoding, TextStream};
use crate::spanned::{KeyPath, Problem};
use crate::spec::location::local_path;
use crate::spec::{
    Dialect, DialectSpec, DuplicateColumns, DuplicateNames, EngineSpec, JobSpec, MatchColumns, PartitionKey,
    Profile, SchemaSpec, SourceSpec, TransformSpec,
};
use crate::split::header::{Header, is_blank};
use crate::split::place::{DUPLICATE_REMEDY, NUL_NAME_REMEDY, UNNAMED_REMEDY};
use crate::split::ranges::cut_ranges;
use crate::value::{ColumnType, TextRules};
use std::collections::HashSet;

/// What a job file does not say.
#[derive(Debug, Clone)]
pub struct PlanOptions {
    /// Tasks to spread the inputs over.
    pub tasks: u32,
    /// Cut inputs into splits of about this many bytes; `None`: whole inputs.
    pub split_bytes: Option<u64>,
    /// One output file of this name.
    pub single_file: Option<String>,
    /// Infer no types: every column is text, nothing is null.
    pub all_text: bool,
    /// Null in every column, besides what the schema says.
    pub null_tokens: Vec<String>,
    /// Types of some columns, whatever is inferred of them.
    pub types: Vec<GivenType>,
    /// Whether a dialect that says nothing of a header is looked at for one.
    pub infer_header: bool,
    /// Whether inputs that do not say their encoding are looked at for one that
    /// is not UTF-8. Only where a person sees what was found.
    pub infer_encoding: bool,
    /// The inputs, where somebody has listed and chosen them already.
    pub inputs: Option<Vec<Input>>,
    /// The log's tip when they were chosen.
    pub chosen_at: Option<u64>,
    /// Number of the epoch whose log that was, if not the first.
    pub chosen_in: Option<u64>,
    /// Versions of the table whose files the run replaces.
    pub replaces: Vec<u64>,
    /// The table, where its rows stay.
    pub table: Option<TableBefore>,
}

impl Default for PlanOptions {
    fn default() -> Self {
        PlanOptions {
            tasks: 1,
            split_bytes: None,
            single_file: None,
            all_text: false,
            null_tokens: Vec::new(),
            types: Vec::new(),
            infer_header: false,
            infer_encoding: false,
            inputs: None,
            chosen_at: None,
            chosen_in: None,
            replaces: Vec::new(),
            table: None,
        }
    }
}

impl PlanOptions {
    /// Gives columns their types, and takes away what was to be said of others.
    pub fn give(&self, schema: &mut Schema, notes: &mut Vec<ColumnNote>, seen: &[Seen]) -> Result<()> {
        for given in &self.types {
            given.apply(schema, seen)?;
            notes.retain(|note| note.is_of_name || note.column != given.column);
        }
        Ok(())
    }
}

/// Tokens that are null in every column.
pub fn add_nulls(schema: &mut Schema, tokens: &[String]) {
    for column in &mut schema.columns {
        for token in tokens {
            if !column.rules.null_tokens.contains(token) {
                column.rules.null_tokens.push(token.clone());
            }
        }
    }
}

/// A plan, and what planning had to open and could not put back.
#[derive(Debug)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Standard input, with its sample still to come.
    pub first_text: Option<TextStream>,
}

/// What the inputs are: settled before any of them is read in full.
#[derive(Debug)]
pub struct Settled {
    /// What the job and its schema file say of the dialect.
    pub spec: DialectSpec,
    /// Dialect without gaps.
    pub dialect: Dialect,
    /// Columns of the inputs.
    pub schema: Schema,
    /// Whether they were not declared.
    pub is_inferred: bool,
    /// For people: what was inferred of the dialect and is not certain.
    pub notes: Vec<String>,
    /// For people: what of their schema is not checked.
    pub schema_notes: Vec<String>,
    /// The same of what was inferred of the columns.
    pub column_notes: Vec<ColumnNote>,
    /// What the samples have of the inferred columns.
    pub seen: Vec<Seen>,
    /// Standard input, with its sample still to come.
    pub first_text: Option<TextStream>,
}

/// Plans a job. Reads samples, or every input once if it is to be cut into
/// ranges; writes nothing.
pub fn build(job: JobSpec, options: &PlanOptions, runtime: &Runtime) -> Result<Planned> {
    let inputs = match &options.inputs {
        Some(inputs) => inputs.clone(),
        None => source::pin_all(&job.source, &job.engine, runtime)?,
    };
    plan_inputs(job, inputs.clone(), options, runtime).map_err(|error| source::or_changed(error, &inputs))
}

fn plan_inputs(
    mut job: JobSpec,
    inputs: Vec<Input>,
    options: &PlanOptions,
    runtime: &Runtime,
) -> Result<Planned> {
    let Settled {
        spec,
        dialect,
        schema,
        is_inferred,
        mut notes,
        schema_notes,
        mut column_notes,
        seen,
        first_text,
    } = settle(&job, &inputs, options, runtime)?;
    let encoding = spec.encoding.clone();
    job.dialect = spec;
    if job.output.profile == Profile::Spectrum {
        notes.extend(settings::settings_notes(&job.output));
    }
    for note in notes.iter().chain(&schema_notes) {
        tracing::warn!("{note}");
    }
    let salts = crate::documents::salt::fingerprints(&job.transforms);
    let mut plan = Plan {
        format: DOCUMENT_FORMAT,
        engine: concat!("sawmill ", env!("CARGO_PKG_VERSION")).into(),
        attempt: new_attempt(),
        job_key: String::new(),
        planned_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        job,
        dialect,
        encoding,
        schema: schema.to_table_schema(),
        types_given: options.types.iter().map(|given| given.column.clone()).collect(),
        written: None,
        salts,
        single_file: options.single_file.clone(),
        chosen_at: options.chosen_at,
        chosen_in: options.chosen_in,
        replaces: options.replaces.clone(),
        inputs,
        tasks: Vec::new(),
    };
    runtime.cancel().check()?;
    // Whatever is wrong with the columns should be said before the work begins.
    let columns = Columns::of_plan(&plan)?;
    name_notes(&plan, &columns).iter().for_each(|note| tracing::warn!("{note}"));
    for name in columns.unchecked() {
        tracing::warn!("nothing needs the column {name:?}, so its constraints in the schema are not checked");
    }
    if plan.job.errors.leaves_values_in_quarantine() && hides_values(&plan.job) {
        tracing::warn!(
            "rejected records are in the quarantine as they were, before any mask or hash; \
             `errors.quarantine_values = false` in the job file leaves their values out"
        );
    }
    check_tasks(options.tasks as usize, &columns)?;
    plan.job_key = job_key(&plan);
    plan.written = plan.single_file.is_none().then(|| columns.written(plan.job.output.timestamps));
    if let Some(table) = &options.table {
        plan.written = None;
        let adopted = fit::fit(&mut plan, table, is_inferred.then_some(&seen))?;
        column_notes.retain(|note| note.is_of_name || !adopted.contains(&note.column));
        plan.types_given.extend(adopted);
        // Settings of columns may not fit what the table adds.
        Columns::of_plan(&plan)?;
    }
    for note in infer::note_lines(&column_notes) {
        tracing::warn!("{note}");
    }
    plan.tasks = match options.split_bytes {
        None => spread(whole_inputs(&plan.inputs), options.tasks),
        Some(bytes) => spread(cut_ranges(&plan, bytes, runtime)?, options.tasks),
    };
    tracing::info!(inputs = plan.inputs.len(), tasks = plan.tasks.len(), attempt = plan.attempt, "planned");
    Ok(Planned { plan, first_text })
}

/// Which names are changed, and which some readers refuse.
fn name_notes(plan: &Plan, columns: &Columns) -> Vec<String> {
    let renamed = columns.program.renamed();
    let mut notes = Vec::new();
    if !renamed.is_empty() {
        let list = listed(renamed.iter().map(|(from, to)| format!("{from:?} to {to:?}")));
        notes.push(format!("columns are renamed: {list}"));
    }
    if plan.job.output.profile == Profile::Spectrum {
        let keys = plan.job.output.partition_by.iter().map(PartitionKey::name);
        let names = columns.program.output().columns.iter().map(|column| column.name.as_str());
        let keys = keys.filter(|key| {
            !columns.program.output().columns.iter().any(|column| column.name.eq_ignore_ascii_case(key))
        });
        notes.extend(names::note(names.chain(keys)));
    }
    notes
}

/// Whether some step hides personal data.
fn hides_values(job: &JobSpec) -> bool {
    job.transforms.iter().any(|step| matches!(step, TransformSpec::Mask(_) | TransformSpec::Hash(_)))
}

/// Settles dialect and schema: from the job, from its schema file, and, where
/// they say nothing, from samples.
pub fn settle(job: &JobSpec, inputs: &[Input], options: &PlanOptions, runtime: &Runtime) -> Result<Settled> {
    let (table_schema, file, dialect_of_file) = match &job.schema {
        None => (None, "", None),
        Some(SchemaSpec::Inline(schema)) => (Some(schema.clone()), "the job's schema", None),
        Some(SchemaSpec::Location(path)) => {
            let read = read_schema(path, &job.source, runtime)?;
            (Some(read.schema), path.as_str(), read.dialect)
        }
    };
    let mut spec = job.dialect.clone().or(dialect_of_file.unwrap_or_default());
    let mut dialect = spec.resolve().map_err(|problem| problem.into_error("dialect"))?;
    let policies = job.source.column_policies(&spec);
    dialect.framing.duplicate_names = match (policies.duplicate, policies.any_case) {
        (DuplicateColumns::Number, true) => DuplicateNames::NumberInAnyCase,
        (DuplicateColumns::Number, false) => DuplicateNames::Number,
        (DuplicateColumns::Fail | DuplicateColumns::First, _) => DuplicateNames::Keep,
    };
    let (mut notes, mut schema_notes) = (Vec::new(), Vec::new());
    let (mut column_notes, mut seen) = (Vec::new(), Vec::new());
    let standing = table_schema
        .map(|schema| schema.resolve(&ResolveContext { file, null_sequence: spec.null_sequence.as_deref() }))
        .transpose()?;
    // A name of the schema is one of the header, whatever it looks like.
    let is_separator = |column: &Column| {
        matches!(Opening::of(format!("{}\n", column.source_name).as_bytes(), None), Opening::Separator(_))
    };
    if let Some((schema, _)) = &standing
        && spec.separator_line.is_none()
        && schema.columns.iter().any(is_separator)
    {
        dialect.framing.separator_line = false;
    }
    let needs_sample = standing.is_none()
        || spec.delimiter.is_none()
        || spec.line_terminator.is_none()
        || (options.infer_header && spec.header.is_none());
    let (mut samples, mut first_text) = (Vec::new(), None);
    if needs_sample {
        let decoding = Decoding::of(spec.encoding.as_ref(), dialect.invalid_bytes);
        let needs_types = standing.is_none() && !options.all_text;
        let access = Access::of(&job.source, &job.engine);
        let sampled = sample(&access, inputs, decoding, options.infer_encoding, needs_types, runtime)?;
        (samples, first_text) = (sampled.samples, sampled.first_text);
        let (encoding, doubts) = infer::infer_encoding(&sampled.detected);
        spec.encoding = spec.encoding.or(encoding);
        notes.extend(doubts);
        let names: Vec<String> = match &standing {
            // Those of the path are in no record.
            Some((schema, _)) => {
                let names = schema.columns.iter().map(|column| &column.source_name);
                names.filter(|name| !job.source.path_columns.contains(name)).cloned().collect()
            }
            None => Vec::new(),
        };
        let infer_header = options.infer_header;
        let known = infer::Known { given: &spec, resolved: &dialect, names: &names, infer_header };
        let (found, doubts) = infer::infer_dialect(&samples, &known)?;
        dialect = found;
        notes.extend(doubts);
    }
    // What follows looks at all columns and waits for nothing.
    runtime.cancel().check()?;
    let is_inferred = standing.is_none() && !options.all_text;
    // A schema file has put the null sequence of its dialect into its columns.
    let of_dialect = spec.null_sequence.clone().filter(|_| is_inferred);
    let null_tokens: Vec<String> = options.null_tokens.iter().cloned().chain(of_dialect).collect();
    let mut schema = match standing {
        Some((schema, warnings)) => {
            schema_notes.extend(warnings);
            schema
        }
        None => {
            // What a run sets aside should not keep it from being planned.
            let inferred = match job.errors.tolerates_bad_records() {
                true => infer::infer_schema_leniently(&samples, &dialect, &null_tokens)?,
                false => infer::infer_schema(&samples, &dialect, &null_tokens)?,
            };
            let url = samples.first().map_or("", |sample| &sample.url);
            let schema = named_columns(&inferred, job.source.duplicate_columns, url)?;
            seen = inferred.seen;
            if schema.columns.is_empty() {
                return Err(no_columns(&samples, &dialect));
            }
            column_notes = inferred.notes;
            schema
        }
    };
    let types = if is_inferred || options.all_text { Types::Inferred } else { Types::Declared };
    let (of_paths, seen_in_paths) = add_path_columns(&mut schema, &job.source, inputs, types)?;
    column_notes.extend(of_paths);
    seen.extend(seen_in_paths);
    notes.extend(unused(&schema, inputs));
    if options.all_text {
        for column in &mut schema.columns {
            column.column_type = ColumnType::Text;
            column.rules = TextRules { null_tokens: Vec::new(), ..TextRules::default() };
        }
    }
    if options.all_text {
        schema_notes.clear();
        column_notes.retain(|note| note.is_of_name);
    }
    options.give(&mut schema, &mut column_notes, &seen)?;
    add_nulls(&mut schema, &null_tokens);
    if job.source.match_columns == Some(MatchColumns::Name) && !dialect.framing.header {
        return Err(invalid_matching());
    }
    Ok(Settled { spec, dialect, schema, is_inferred, notes, schema_notes, column_notes, seen, first_text })
}

/// A schema file, wherever it lies.
pub(super) fn read_schema(place: &str, spec: &SourceSpec, runtime: &Runtime) -> Result<SchemaFile> {
    if let Some(path) = local_path(place) {
        return schema::load_schema(&path);
    }
    let access = Access::of(spec, &EngineSpec::default());
    let (url, body) = match source::read_whole(place.to_owned(), &access, runtime)?.pop() {
        Some(read) => read,
        None => return Err(Error::usage(format!("{place} does not name a schema file"))),
    };
    schema::read_schema(&String::from_utf8_lossy(&body), &url)
}

/// The columns that were found, without those that are left out.
///
/// # Errors
/// Names that were taken from a header have to tell the columns apart. `url` is the input whose
/// header it is.
pub fn named_columns(inferred: &Inferred, duplicates: DuplicateColumns, url: &str) -> Result<Schema> {
    let names: Vec<String> =
        inferred.schema.columns.iter().map(|column| column.source_name.clone()).collect();
    if let Some(name) = names.iter().find(|name| name.contains('\0')) {
        let location = Location { column: Some(name.clone()), ..Location::object(url) };
        return Err(Error::input(InputProblem::NulByte, location).remedy(NUL_NAME_REMEDY));
    }
    let failed = |problem, remedy: &str| Err(Error::input(problem, Location::object(url)).remedy(remedy));
    if let Some(position) = names.iter().position(|name| is_blank(name)) {
        return failed(InputProblem::UnnamedColumn { position: position + 1 }, UNNAMED_REMEDY);
    }
    let mut schema = inferred.columns();
    if duplicates == DuplicateColumns::First {
        let mut known = HashSet::new();
        schema.columns.retain(|column| known.insert(column.source_name.clone()));
    } else if let Some((first, second)) = Header::repeated(&names) {
        let positions = (first + 1, second + 1);
        let problem = InputProblem::DuplicateColumn { name: names[second].clone(), positions };
        return failed(problem, DUPLICATE_REMEDY);
    }
    Ok(schema)
}

fn invalid_matching() -> Error {
    let message = "columns are to be matched by name, but the inputs have no header";
    Problem::new(KeyPath::from("source.match_columns"), message)
        .remedy("use `dialect.header = true` (--header), or `source.match_columns = \"position\"` (--match-columns position)")
        .into_error("job")
}

fn no_columns(samples: &[Sample], dialect: &Dialect) -> Error {
    let url = samples.first().map_or_else(String::new, |sample| sample.url.clone());
    let empty = samples.iter().all(|sample| sample.text.is_empty());
    if let Some(cut) = samples.iter().find(|sample| !sample.whole && !sample.text.is_empty()) {
        let problem =
            InputProblem::BeyondSample { limit: cut.text.len() as u64, header: dialect.framing.header };
        return Error::input(problem, Location::object(&cut.url)).remedy(
            "is a closing quote missing, `dialect.lineTerminator` (--line-terminator) wrong, or \
             `dialect.skipRecords` (--skip-records) too high? If not, describe the columns in a `schema` (--schema)",
        );
    }
    let problem = match (empty, dialect.framing.header) {
        (true, _) => InputProblem::EmptyFile,
        (false, true) => InputProblem::NoHeader,
        (false, false) => InputProblem::NoRecords,
    };
    Error::input(problem, Location::object(url))
        .remedy("no columns can be found here: give a `schema` (--schema)")
}

fn whole_inputs(inputs: &[Input]) -> Vec<(Split, u64)> {
    let split = |(input, pinned): (usize, &Input)| (Split { input, range: None }, pinned.bytes.unwrap_or(0));
    inputs.iter().enumerate().map(split).collect()
}

/// Consecutive splits for each task, about the same number of bytes each; the
/// order of the records is that of the inputs, over tasks as within them.
fn spread(splits: Vec<(Split, u64)>, tasks: u32) -> Vec<Task> {
    let total: u64 = splits.iter().map(|(_, bytes)| bytes).sum();
    let mut result: Vec<Task> = Vec::new();
    let (mut before, mut last_share) = (0u64, None);
    for (split, bytes) in splits {
        // The share of the bytes in which the middle of this split lies. Behind the
        // last byte, where that of an empty one is, there is no further share.
        let middle = u128::from(before + bytes / 2) * u128::from(tasks);
        let share = middle.checked_div(u128::from(total)).unwrap_or(0);
        let share = share.min(u128::from(tasks.saturating_sub(1)));
        before += bytes;
        match result.last_mut() {
            Some(task) if last_share == Some(share) => task.splits.push(split),
            _ => result.push(Task { number: result.len() as u32, splits: vec![split] }),
        }
        last_share = Some(share);
    }
    // An array of jobs of this size has something to run, if it is nothing.
    for number in result.len() as u32..tasks {
        result.push(Task { number, splits: Vec::new() });
    }
    result
}

/// A name for this try that sorts by time.
pub(super) fn new_attempt() -> String {
    use std::hash::{BuildHasher, Hasher};
    // RandomState is seeded by the operating system: the standard library's
    // own source of randomness.
    let random = std::hash::RandomState::new().build_hasher().finish();
    format!("{}-{:08x}", chrono::Utc::now().format("%Y%m%dt%H%M%Sz"), random as u32)
}

#[cfg(test)]
mod tests;
