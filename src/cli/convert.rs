//! `sawmill convert`

use super::dialect::{DialectArgs, mistaken, named};
use super::run::print_report;
use super::{Global, current_directory, places, policy};
use crate::commit::Choice;
use crate::error::{Error, Result};
use crate::plan::{GivenType, PlanOptions};
use crate::run::{Extent, RunOptions, run as run_job};
use crate::spec::location::local_path;
use crate::spec::{
    AllRejected, ColumnNames, CommitSpec, EmptyInput, EngineSpec, ErrorsSpec, ExtraColumns, JobSpec,
    LongRecord, MAX_EXPANSION_RATIO, MatchColumns, MissingColumns, OutputSpec, PartitionKey, Profile,
    ReadAgain, RecordPolicy, SchemaChange, SchemaSpec, ShortRecord, SourceSpec, TargetSpec, ValuePolicy,
    WriteMode,
};
use crate::store::local::is_stream;
use std::path::Path;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sawmill convert flights.csv -o flights.parquet
  sawmill convert 's3://landing/flights/*.csv.gz' -o s3://lake/flights/ --partition-by 'year(time_hour)'
  zcat flights.csv.gz | sawmill convert - -o flights.parquet")]
pub(super) struct Args {
    /// URLs, paths, globs, or prefixes ending in `/`; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<String>,
    /// One file if it ends in .parquet, else a directory of part files. Repeat it to write the same to several places, files under the same name
    #[arg(short, long, required = true, value_name = "OUTPUT")]
    output: Vec<String>,
    /// Table Schema file with the columns and their types [default: inferred from a sample]
    #[arg(long, value_name = "FILE", conflicts_with = "all_text")]
    schema: Option<String>,
    /// Every column is text, exactly as in the file
    #[arg(long)]
    all_text: bool,
    /// Text that means null, besides nothing at all. Repeatable
    #[arg(long = "null", value_name = "TOKEN")]
    null_tokens: Vec<String>,
    /// Type of a column, whatever its values look like, with the format of dates and times: code=string, price='decimal(9,2)', day=date:%d/%m/%Y. Repeatable
    #[arg(long = "type", value_name = "COLUMN=TYPE", conflicts_with_all = ["schema", "all_text"])]
    types: Vec<GivenType>,
    /// A column whose values are in directories NAME=VALUE/ above the inputs. Repeatable
    #[arg(long = "path-column", value_name = "NAME")]
    path_columns: Vec<String>,
    /// Partition key: a column, or a part of a date or timestamp: [NAME=]year(COLUMN), month, day, hour or date. Repeatable
    #[arg(long, value_name = "KEY")]
    partition_by: Vec<String>,
    /// snappy, zstd, zstd(1..22), gzip, gzip(1..9), lz4 or none
    #[arg(long, value_name = "CODEC", default_value = "snappy")]
    compression: String,
    /// Which readers the files are for: spectrum or standard
    #[arg(long, value_name = "PROFILE", value_parser = parse_profile, default_value = "standard")]
    profile: Profile,
    /// Names of columns: keep, or plain (letters, digits and underscores)
    #[arg(long, value_name = "NAMES", value_parser = policy::<ColumnNames>, default_value = "keep")]
    column_names: ColumnNames,
    /// Add files to a directory that holds data [default: fail]
    #[arg(long)]
    append: bool,
    /// With --append, add rows again of inputs that the directory already holds [default: fail]
    #[arg(long, requires = "append")]
    read_again: bool,
    /// With --append, what may change in the columns of the directory: fail (nothing), add_columns, or widen (types, too)
    #[arg(long, value_name = "CHANGE", requires = "append", value_parser = policy::<SchemaChange>, default_value = "fail")]
    schema_change: SchemaChange,
    /// Replace an existing output file [default: fail]
    #[arg(long)]
    overwrite: bool,
    /// Leave out columns of the header that the schema lacks [default: fail]
    #[arg(long)]
    ignore_extra_columns: bool,
    /// A column of the schema that an input lacks is null there, unless it is required [default: fail]
    #[arg(long)]
    null_missing_columns: bool,
    /// How columns are found in an input: by name or by position [default: name, if there is a header]
    #[arg(long, value_name = "HOW", value_parser = policy::<MatchColumns>)]
    match_columns: Option<MatchColumns>,
    /// Accept inputs without records [default: fail]
    #[arg(long)]
    allow_empty: bool,
    /// What a value that does not fit its column means: fail, reject the record, or null the value. Rejected records are reported, and kept in the quarantine if the output is a directory
    #[arg(long, value_name = "POLICY", value_parser = policy::<ValuePolicy>, default_value = "fail")]
    on_bad_value: ValuePolicy,
    /// What a record that breaks the dialect means: fail or reject
    #[arg(long, value_name = "POLICY", value_parser = policy::<RecordPolicy>, default_value = "fail")]
    on_bad_record: RecordPolicy,
    /// What a record with fewer fields than the header means: fail, reject, or pad it with nulls [default: as --on-bad-record]
    #[arg(long, value_name = "POLICY", value_parser = policy::<ShortRecord>)]
    on_short_record: Option<ShortRecord>,
    /// What a record with more fields than the header means: fail, reject, or truncate it [default: as --on-bad-record]
    #[arg(long, value_name = "POLICY", value_parser = policy::<LongRecord>)]
    on_long_record: Option<LongRecord>,
    /// Wait until each local input has been still for so many seconds, at most ten times as long or 10 minutes [default: only warn of files modified just now]
    #[arg(long, value_name = "SECONDS")]
    settle: Option<u64>,
    /// Fail if more records than this are rejected
    #[arg(long, value_name = "N")]
    max_rejected: Option<u64>,
    /// Accept inputs of which every record is rejected, where --max-rejected does not limit them [default: fail]
    #[arg(long)]
    allow_all_rejected: bool,
    /// How many times its stored size a compressed input may unpack to
    #[arg(long, value_name = "N", default_value_t = MAX_EXPANSION_RATIO, value_parser = clap::value_parser!(u64).range(1..))]
    max_expansion_ratio: u64,
    /// Region of S3 inputs and outputs [default: the AWS chain's]
    #[arg(long)]
    region: Option<String>,
    /// Endpoint of an S3-compatible server
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// Print the run report, or that of the failure, as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    dialect: DialectArgs,
}

fn parse_profile(text: &str) -> Result<Profile, String> {
    match text {
        "spectrum" => Ok(Profile::Spectrum),
        "standard" => Ok(Profile::Standard),
        _ => Err("expected spectrum or standard".into()),
    }
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let (targets, single_file) = outputs(args)?;
    let job = JobSpec {
        json_schema: None,
        name: "convert".into(),
        source: SourceSpec {
            region: args.region.clone(),
            endpoint: args.endpoint.clone(),
            read_again: if args.read_again { ReadAgain::Allow } else { ReadAgain::Fail },
            settle_seconds: args.settle,
            path_columns: args.path_columns.clone(),
            match_columns: args.match_columns,
            max_expansion_ratio: args.max_expansion_ratio,
            empty_input: if args.allow_empty { EmptyInput::Allow } else { EmptyInput::Fail },
            extra_columns: if args.ignore_extra_columns { ExtraColumns::Ignore } else { ExtraColumns::Fail },
            missing_columns: if args.null_missing_columns {
                MissingColumns::Null
            } else {
                MissingColumns::Fail
            },
            duplicate_columns: args.dialect.duplicate_columns(),
            ..SourceSpec::of(args.inputs.clone())
        },
        dialect: args.dialect.spec()?,
        schema: args.schema.clone().map(SchemaSpec::Location),
        transforms: Vec::new(),
        errors: ErrorsSpec {
            bad_value: args.on_bad_value,
            bad_record: args.on_bad_record,
            short_record: args.on_short_record,
            long_record: args.on_long_record,
            max_rejected: args.max_rejected,
            all_rejected: if args.allow_all_rejected { AllRejected::Allow } else { AllRejected::Fail },
            // A single file has nowhere to put them.
            quarantine: single_file.is_none(),
            ..ErrorsSpec::default()
        },
        targets,
        output: OutputSpec {
            profile: args.profile,
            column_names: args.column_names,
            mode: if args.append || args.overwrite { WriteMode::Append } else { WriteMode::ErrorIfExists },
            partition_by: args
                .partition_by
                .iter()
                .map(|key| {
                    key.parse::<PartitionKey>().map_err(|e| Error::usage(format!("--partition-by: {e}")))
                })
                .collect::<Result<_>>()?,
            schema_change: args.schema_change,
            compression: named(["output", "compression"], &args.compression)?,
            ..OutputSpec::default()
        },
        commit: CommitSpec::default(),
        engine: EngineSpec::default(),
    };
    let plan = PlanOptions {
        single_file: single_file.clone(),
        all_text: args.all_text,
        null_tokens: args.null_tokens.clone(),
        types: args.types.clone(),
        infer_header: true,
        ..PlanOptions::default()
    };
    let options = RunOptions { plan, extent: Extent::Whole, choice: Choice::All };
    let mut job = job.finish(&current_directory()?).map_err(mistaken)?;
    if single_file.is_some() {
        // Checked as files, which may lie beside the inputs; written into their directories.
        for target in &mut job.targets {
            let above = target.url.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
            target.url.truncate(above);
        }
    }
    let runtime = global.runtime(job.engine.threads, &job.engine)?;
    let bar = global.messages.progress_bar(&runtime);
    let outcome = run_job(job, &options, &runtime);
    drop(bar);
    print_report(outcome?, args.json, global)
}

/// Whether there is something that Parquet cannot be written to. It would be found
/// out at the end, too, when all is encoded.
fn check_place(output: &str, path: &Path, is_file: bool) -> Result<()> {
    if is_stream(path) {
        let message =
            format!("{output} is a pipe, a device or a socket, and Parquet cannot be written to one");
        return Err(Error::usage(message).remedy("name a file or a directory"));
    }
    if is_file && path.is_dir() {
        return Err(Error::usage(format!("{output} is a directory, but has the name of a file")).remedy(
            "name a file in it; for a directory of part files, one whose name does not end in .parquet",
        ));
    }
    Ok(())
}

/// Targets, and the name of the file if the outputs are single files.
fn outputs(args: &Args) -> Result<(Vec<TargetSpec>, Option<String>)> {
    let mut names = Vec::new();
    let mut targets = Vec::new();
    for output in &args.output {
        if output == "-" {
            return Err(Error::usage("Parquet cannot be written to standard output").remedy("name a file"));
        }
        let location = places::output(output)?;
        let path = local_path(&location);
        let name = path.as_ref().map_or(location.as_str(), |path| path.to_str().unwrap_or_default());
        let name = name.rsplit('/').next().filter(|name| name.ends_with(".parquet")).map(str::to_owned);
        if let Some(path) = &path {
            check_place(output, path, name.is_some())?;
        }
        names.push(name);
        targets.push(TargetSpec {
            region: args.region.clone(),
            endpoint: args.endpoint.clone(),
            ..TargetSpec::of(location)
        });
    }
    if names.iter().any(|name| *name != names[0]) {
        return Err(Error::usage("several outputs must be directories, or files of the same name"));
    }
    if names[0].is_some() && args.append {
        return Err(Error::usage("--append is for directories; a Parquet file cannot be appended to"));
    }
    if names[0].is_none() && args.overwrite {
        return Err(
            Error::usage("--overwrite is for single files").remedy("use --append, or another directory")
        );
    }
    if names[0].is_some() && !args.partition_by.is_empty() {
        return Err(Error::usage("--partition-by makes directories, but the output is one file")
            .remedy("give an output that does not end in .parquet"));
    }
    Ok((targets, names.swap_remove(0)))
}
