//! `sawmill commit`

use super::Global;
use super::documents::DocumentArgs;
use super::run::print_report;
use crate::commit;
use crate::documents::{Plan, TaskReport};
use crate::error::Result;
use crate::report::RunReport;
use crate::spec::EngineSpec;
use std::time::Instant;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan: a path or an s3:// URL
    #[arg(value_name = "PLAN")]
    plan: String,
    /// The reports of its tasks: paths, s3:// URLs or globs [default: those that the tasks left in the first target]
    #[arg(value_name = "REPORT")]
    reports: Vec<String>,
    /// Remove what the tasks staged instead of making it visible
    #[arg(long)]
    abort: bool,
    /// Print the run report, or that of the failure, as JSON on standard output
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    documents: DocumentArgs,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    let started = Instant::now();
    let runtime = global.runtime(1, &EngineSpec::default())?;
    let plan: Plan = args.documents.read(&args.plan, &runtime)?;
    let given = || {
        let read = |place: &String| args.documents.read_all(place, &runtime);
        let reports: Vec<Vec<TaskReport>> = args.reports.iter().map(read).collect::<Result<_>>()?;
        Ok(reports.into_iter().flatten().collect())
    };
    if args.abort {
        commit::abort(&plan, given, &runtime)?;
        let what = match plan.is_nothing() {
            true => "the plan has no tasks, so nothing was staged".to_owned(),
            false => format!("removed what attempt {} had staged", plan.attempt),
        };
        global.say(&format!("{}: {what}", plan.job.name));
        return Ok(());
    }
    let done = commit::run(&plan, given, &runtime)?;
    let elapsed = done.task_seconds + started.elapsed().as_secs_f64();
    print_report(RunReport::of_done(&plan, done, elapsed), args.json, global)
}
