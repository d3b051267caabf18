//! `sawmill run`

use super::{Global, LogFormat, current_directory};
use crate::commit::{Choice, Missing};
use crate::error::{Error, Result};
use crate::job;
use crate::job::Override;
use crate::plan::PlanOptions;
use crate::report::{RunReport, summary};
use crate::run::{Extent, RunOptions, run as run_job};
use crate::spec::JobSpec;
use std::path::PathBuf;

/// Flags that change a job file's contents, shared by all commands that take one.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct JobArgs {
    /// The job file (TOML, or JSON if it ends in .json)
    #[arg(value_name = "JOB")]
    job: PathBuf,
    /// Read this instead of the job's inputs: a URL, path, glob, or prefix ending in `/`. Repeatable
    #[arg(long, value_name = "URL")]
    input: Vec<String>,
    /// Replace one value of the job, such as `--set output.compression=zstd`. Repeatable
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<Override>,
}

impl JobArgs {
    pub(super) fn load(&self) -> Result<JobSpec> {
        let mut job = job::load(&self.job, &self.overrides)?;
        if !self.input.is_empty() {
            job.source.inputs = self.input.clone();
            // Relative to the current directory, as everything on the command line.
            job = job.finish(&current_directory()?).map_err(|problems| problems.into_error("--input"))?;
        }
        Ok(job)
    }
}

/// Flags that have inputs read again.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct ReprocessArgs {
    /// Read the inputs again, though the table holds their rows: the versions that did are replaced, without duplicates
    #[arg(long)]
    reprocess: bool,
    /// The same, but only for this version of the table and later ones
    #[arg(long, value_name = "VERSION", conflicts_with = "reprocess")]
    reprocess_from: Option<u64>,
    /// When versions are replaced, give up the rows of inputs that are gone [default: fail]
    #[arg(long)]
    drop_missing: bool,
}

impl ReprocessArgs {
    /// What of the job's inputs is to be read.
    pub(super) fn choice(&self, job: &JobSpec) -> Result<Choice> {
        let missing = if self.drop_missing { Missing::Drop } else { Missing::Refuse };
        match self.reprocess_from.or(self.reprocess.then_some(1)) {
            Some(version) => Ok(Choice::AgainFrom(version, missing)),
            None if self.drop_missing => {
                Err(Error::usage("--drop-missing has no effect without --reprocess or --reprocess-from"))
            }
            None if job.source.incremental => Ok(Choice::New),
            None => Ok(Choice::All),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    reprocess: ReprocessArgs,
    /// Show what would be read, written and removed; write nothing. Where partitions are overwritten it reads
    /// all inputs, as only their rows tell which
    #[arg(long)]
    dry_run: bool,
    /// Print the run report, or that of the failure, as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let job = args.job.load()?;
    let runtime = global.runtime(job.engine.threads, &job.engine)?;
    let options = RunOptions {
        plan: PlanOptions::default(),
        extent: if args.dry_run { Extent::PlanOnly } else { Extent::Whole },
        choice: args.reprocess.choice(&job)?,
    };
    let bar = global.messages.progress_bar(&runtime);
    let outcome = run_job(job, &options, &runtime);
    drop(bar);
    print_report(outcome?, args.json, global)
}

/// The report as JSON on standard output, or its summary on standard error.
pub(super) fn print_report(report: RunReport, as_json: bool, global: &Global) -> Result<()> {
    let report = &report.worded(global.wording());
    if as_json {
        return super::documents::print_json(report);
    }
    match global.messages.log_format() {
        LogFormat::Text => global.say(summary(report).trim_end()),
        LogFormat::Json => global.messages.note_fields(serde_json::json!({
            "level": "INFO",
            "message": summary(report).lines().next(),
            "status": report.status,
            "totals": report.totals,
            "targets": report.targets,
            "removed": report.removed,
            "small_files": report.small_files,
        })),
    }
    Ok(())
}
