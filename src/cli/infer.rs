//! `sawmill infer`

use super::Global;
use super::dialect::DialectArgs;
use super::documents::{Destination, to_json};
use super::places;
use crate::error::Result;
use crate::infer::{Records, TypeInference};
use crate::job::{CommitSpec, DialectSpec, EngineSpec, ErrorsSpec, JobSpec, OutputSpec, SourceSpec};
use crate::plan::{PlanOptions, Settled, settle};
use crate::source;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// URLs, paths, globs, or prefixes ending in `/`; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// Look at every record for the types, not only at the first 1 MiB of up to 16 inputs and, where
    /// they are neither compressed nor transcoded, at 1 MiB more in 8 windows down to their ends
    #[arg(long)]
    full: bool,
    /// Where the schema file goes: a path, an s3:// URL, or `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "-")]
    output: String,
    /// Replace a schema file that is there [default: fail]
    #[arg(long)]
    overwrite: bool,
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
    let source =
        SourceSpec { region: args.region.clone(), endpoint: args.endpoint.clone(), ..SourceSpec::of(inputs) };
    let job = JobSpec {
        json_schema: None,
        name: "infer".into(),
        source,
        dialect: args.dialect.spec(),
        schema: None,
        transforms: Vec::new(),
        errors: ErrorsSpec::default(),
        targets: Vec::new(),
        output: OutputSpec::default(),
        commit: CommitSpec::default(),
        engine: EngineSpec::default(),
    };
    let runtime = global.runtime(0, &job.engine)?;
    if !args.overwrite {
        destination.check_absent(&runtime)?;
    }
    let inputs = runtime.wait(source::list(&job.source, &job.engine))?;
    let options = PlanOptions { infer_header: true, infer_encoding: true, ..PlanOptions::default() };
    let Settled { spec, dialect, mut schema, notes, mut schema_notes, mut first_text, .. } =
        settle(&job, &inputs, &options, &runtime)?;
    if args.full {
        let mut inference = TypeInference::default();
        for input in &inputs {
            let mut text = match first_text.take() {
                Some(text) => text,
                None => {
                    let decoding = source::Decoding::of(spec.encoding.as_deref(), dialect.invalid_bytes);
                    source::open(input, &job.source, &job.engine, decoding, None, &runtime, runtime.cancel())?
                }
            };
            let mut records = Records::new(&input.url, &dialect, &mut inference);
            while let Some(bytes) = text.next()? {
                runtime.cancel().check()?;
                records.push(bytes, &mut inference)?;
            }
            records.finish(&mut inference)?;
        }
        (schema, schema_notes) = inference.finish();
    }
    for note in notes.iter().chain(&schema_notes) {
        global.say(&format!("note: {note}"));
    }
    let dialect = DialectSpec { encoding: spec.encoding, ..DialectSpec::from_dialect(&dialect) };
    let file = serde_json::json!({ "dialect": dialect, "schema": schema.to_table_schema() });
    match &destination {
        // A reader that went away (`| head`) has seen what it wanted.
        Destination::StandardOutput => super::print(&(to_json(&file) + "\n")),
        place if args.overwrite => place.write(&file, &runtime),
        place => place.create(&file, &runtime),
    }
}
