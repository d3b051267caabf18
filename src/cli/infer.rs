//! `sawmill infer`

use super::dialect::{DialectArgs, mistaken};
use super::documents::{Destination, to_json};
use super::{Global, places};
use crate::commit::Table;
use crate::error::{Error, Result};
use crate::infer::{InputRecords, TypeInference, note_lines};
use crate::plan::path_columns::{Types, add_path_columns};
use crate::plan::{
    GivenType, PlanOptions, Settled, add_nulls, named_columns, settle, take_types_of, with_tried_remedies,
};
use crate::runtime::Runtime;
use crate::schema::WrittenSchema;
use crate::source::{self, Access};
use crate::spec::{
    CommitSpec, DialectSpec, EngineSpec, ErrorsSpec, JobSpec, MAX_EXPANSION_RATIO, OutputSpec, SourceSpec,
    TargetSpec, WriteMode,
};
use crate::split::stream::InputText;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// URLs, paths, globs, or prefixes ending in `/`; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// Look at every record for the types, not only at the first 1 MiB of up to 16 inputs and, where
    /// they are neither compressed nor transcoded, at 1 MiB more in 8 windows down to their ends
    #[arg(long)]
    full: bool,
    /// Text that means null, besides nothing at all. Repeatable
    #[arg(long = "null", value_name = "TOKEN")]
    null_tokens: Vec<String>,
    /// Type of a column, whatever its values look like, with the format of dates and times: code=string, price='decimal(9,2)', day=date:%d/%m/%Y. Repeatable
    #[arg(long = "type", value_name = "COLUMN=TYPE")]
    types: Vec<GivenType>,
    /// Table that the inputs are for: columns that it has are of its types
    #[arg(long, value_name = "URL")]
    table: Option<String>,
    /// A column whose values are in directories NAME=VALUE/ above the inputs. Repeatable
    #[arg(long = "path-column", value_name = "NAME")]
    path_columns: Vec<String>,
    /// Where the schema file goes: a path, an s3:// URL, or `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: String,
    /// Replace an existing schema file [default: fail]
    #[arg(long)]
    overwrite: bool,
    /// How many times its stored size a compressed input may unpack to
    #[arg(long, value_name = "N", default_value_t = MAX_EXPANSION_RATIO, value_parser = clap::value_parser!(u64).range(1..))]
    max_expansion_ratio: u64,
    /// Region of S3 inputs and of the schema file on S3 [default: the AWS chain's]
    #[arg(long)]
    region: Option<String>,
    /// Endpoint of an S3-compatible server
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    #[command(flatten)]
    dialect: DialectArgs,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    places::endpoint("--endpoint", args.endpoint.as_deref())?;
    let destination = Destination::of(&args.output, args.region.clone(), args.endpoint.clone())?;
    let inputs = args.inputs.iter().map(|place| places::input(place)).collect::<Result<_>>()?;
    let source = SourceSpec {
        region: args.region.clone(),
        endpoint: args.endpoint.clone(),
        path_columns: args.path_columns.clone(),
        max_expansion_ratio: args.max_expansion_ratio,
        duplicate_columns: args.dialect.duplicate_columns(),
        ..SourceSpec::of(inputs)
    };
    let job = JobSpec {
        json_schema: None,
        name: "infer".into(),
        source,
        dialect: args.dialect.spec()?,
        schema: None,
        transforms: Vec::new(),
        errors: ErrorsSpec::default(),
        targets: Vec::new(),
        output: OutputSpec::default(),
        commit: CommitSpec::default(),
        engine: EngineSpec::default(),
    };
    job.dialect.resolve().map_err(|problem| mistaken(problem.under(&"dialect".into()).into()))?;
    let runtime = global.runtime(0, &job.engine)?;
    if !args.overwrite {
        destination.check_absent(&runtime)?;
    }
    let access = Access::of(&job.source, &job.engine);
    let inputs = runtime.wait(source::list(&job.source.inputs, &access))?;
    let options = PlanOptions {
        infer_header: true,
        infer_encoding: true,
        null_tokens: args.null_tokens.clone(),
        types: args.types.clone(),
        ..PlanOptions::default()
    };
    let tried = |error| with_tried_remedies(error, &job, &options, &runtime);
    let settled = settle(&job, &inputs, &options, &runtime).map_err(tried)?;
    let Settled { spec, dialect, mut schema, notes, mut column_notes, mut seen, mut first_text, .. } =
        settled;
    if args.full {
        let mut inference = TypeInference::with_null_tokens(&args.null_tokens);
        for input in &inputs {
            let text = match first_text.take() {
                Some(text) => text,
                None => {
                    let decoding = source::Decoding::of(spec.encoding.as_ref(), dialect.invalid_bytes);
                    source::open(input, &access, decoding, None, &runtime, runtime.cancel())?
                }
            };
            let mut records = InputRecords::new(&input.url, &dialect, &mut inference);
            records.read(InputText::new(text, runtime.cancel()), true, &mut inference)?;
        }
        let inferred = inference.finish();
        let url = inputs.first().map_or("", |input| &input.url);
        schema = named_columns(&inferred, job.source.duplicate_columns, url)?;
        (column_notes, seen) = (inferred.notes, inferred.seen);
        let (of_paths, seen_in_paths) = add_path_columns(&mut schema, &job.source, &inputs, Types::Inferred)?;
        column_notes.extend(of_paths);
        seen.extend(seen_in_paths);
        options.give(&mut schema, &mut column_notes, &seen)?;
        add_nulls(&mut schema, &args.null_tokens);
    }
    let mut misfits = Vec::new();
    if let Some(place) = &args.table {
        let adopted;
        (adopted, misfits) = take_types_of(&table_schema(place, &job, &runtime)?, &mut schema, &seen);
        column_notes.retain(|note| note.is_of_name || !adopted.contains(&note.column));
    }
    for note in notes.into_iter().chain(note_lines(&column_notes)).chain(misfits) {
        global.say(&format!("note: {note}"));
    }
    // What was said stays said, or the next command would guess it again.
    let dialect = spec.or(DialectSpec::from_dialect(&dialect));
    let file = serde_json::json!({ "dialect": dialect, "schema": schema.to_table_schema() });
    match &destination {
        // A reader that went away (`| head`) has seen what it wanted.
        Destination::StandardOutput => super::print(&(to_json(&file) + "\n")),
        place if args.overwrite => place.write(&file, &runtime),
        place => place.create(&file, &runtime),
    }
}

/// What the files of a table have, as its log says.
fn table_schema(place: &str, job: &JobSpec, runtime: &Runtime) -> Result<WrittenSchema> {
    let target = TargetSpec {
        region: job.source.region.clone(),
        endpoint: job.source.endpoint.clone(),
        ..TargetSpec::of(places::output(place)?)
    };
    let appended = OutputSpec { mode: WriteMode::Append, ..OutputSpec::default() };
    let job = JobSpec { targets: vec![target], ..job.clone() };
    let before = runtime.wait(async {
        let table = Table::open(&job).await?;
        let history = table.history().await?;
        table.before(&history, &appended, &[]).await
    })?;
    before.map(|table| table.schema).ok_or_else(|| {
        Error::usage(format!("{place} has no rows of a table, so it has no types to use"))
            .remedy("name the first target of the job, or leave out --table")
    })
}
