//! `sawmill commit`

use super::Global;
use super::documents::DocumentArgs;
use super::run::print_report;
use crate::commit::{self, Standing, Verified};
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::report::RunReport;
use crate::run::open_stores;
use crate::task::TaskReport;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan: a path or an s3:// URL
    #[arg(value_name = "PLAN")]
    plan: String,
    /// The reports of all its tasks: paths, s3:// URLs or globs
    #[arg(required_unless_present = "abort", value_name = "REPORT")]
    reports: Vec<String>,
    /// Remove what the tasks staged instead of making it visible
    #[arg(long)]
    abort: bool,
    /// Print the run report as JSON on standard output
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    documents: DocumentArgs,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let started = std::time::Instant::now();
    let runtime = global.runtime(1)?;
    let plan: Plan = args.documents.read(&args.plan, &runtime)?;
    let mut reports: Vec<TaskReport> = Vec::new();
    for place in &args.reports {
        reports.extend(args.documents.read_all(place, &runtime)?);
    }
    plan.validate()?;
    if let Some(foreign) = reports.iter().find(|report| report.attempt != plan.attempt) {
        let message =
            format!("a report belongs to attempt {}, the plan is of {}", foreign.attempt, plan.attempt);
        return Err(Error::usage(message).remedy("give reports of the same plan"));
    }
    let stores = open_stores(&plan.job, &runtime)?;
    let standing = runtime.block_on(commit::standing(&plan.job_key, &stores))?;
    let other = match &standing {
        Standing::AlreadyDone(manifest) => Some(&manifest.attempt),
        Standing::Unfinished { attempt, .. } => Some(attempt),
        _ => None,
    };
    if args.abort {
        if other == Some(&plan.attempt) {
            let message =
                format!("attempt {} was decided: its staged files are the table's only copy", plan.attempt);
            return Err(Error::usage(message).remedy("finish it: the same command without --abort"));
        }
        let failures = commit::abort(&reports, &stores, &runtime);
        // What tasks staged that never came to a report.
        runtime.block_on(commit::sweep(&plan, &stores));
        if let Some((_, error)) = failures.into_iter().next() {
            return Err(error);
        }
        global.say(&format!("{}: removed what attempt {} had staged", plan.job.name, plan.attempt));
        return Ok(());
    }
    if let Some(other) = other.filter(|other| **other != plan.attempt) {
        let message = format!("attempt {other} did this very job on these very inputs already");
        return Err(Error::usage(message)
            .remedy("remove what this attempt has staged: the same command with --abort"));
    }
    let verified =
        Verified::check(&plan, &reports, &stores).and_then(|verified| runtime.block_on(verified.decide()));
    let decided = verified.inspect_err(|_| {
        tracing::warn!("what the tasks have staged is still there; the same command with --abort removes it");
    })?;
    let manifest = commit::finish(decided, &runtime)?;
    // Tasks that ran on their own may have run twice.
    runtime.block_on(commit::sweep(&plan, &stores));
    let targets: Vec<_> = stores.iter().map(|store| store.describe().clone()).collect();
    // The tasks may have run side by side, or one after the other: the longest is the least.
    let longest = reports.iter().map(|report| report.elapsed_seconds).fold(0.0, f64::max);
    let elapsed = longest + started.elapsed().as_secs_f64();
    print_report(&RunReport::of_commit(&plan, &reports, manifest, &targets, elapsed), args.json, global)
}
