//! `sawmill commit`

use super::Global;
use super::documents::DocumentArgs;
use super::run::print_report;
use crate::commit;
use crate::error::Result;
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
    #[arg(required = true, value_name = "REPORT")]
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
    let stores = open_stores(&plan.job, &runtime)?;
    if args.abort {
        commit::abort(&reports, &stores, &runtime);
        global.say(&format!("{}: removed what attempt {} had staged", plan.job.name, plan.attempt));
        return Ok(());
    }
    let manifest = commit::run(&plan, &reports, &stores, &runtime)?;
    let targets: Vec<_> = stores.iter().map(|store| store.describe().clone()).collect();
    let elapsed = started.elapsed().as_secs_f64();
    print_report(&RunReport::of_commit(&plan, &reports, manifest, &targets, elapsed), args.json, global)
}
