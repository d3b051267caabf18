//! `sawmill task`

use super::Global;
use super::documents::DocumentArgs;
use crate::error::{Error, Result};
use crate::plan::Plan;
use crate::report::progress_bar;
use crate::run::open_stores;
use crate::task;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The plan: a path or an s3:// URL
    #[arg(value_name = "PLAN")]
    plan: String,
    /// Which task, from 0; AWS Batch array jobs set it by themselves
    #[arg(long, value_name = "N", env = "AWS_BATCH_JOB_ARRAY_INDEX", default_value_t = 0)]
    task: u32,
    /// Where the report goes: a path, an s3:// URL, or `-` for standard output
    #[arg(short, long, value_name = "REPORT", default_value = "-")]
    output: String,
    #[command(flatten)]
    documents: DocumentArgs,
}

pub(super) fn run(args: &Args, global: &Global) -> Result<()> {
    // The plan says how many threads, but it takes a runtime to read it.
    let plan: Plan = args.documents.read(&args.plan, &global.runtime(1)?)?;
    let runtime = global.runtime(plan.job.engine.threads)?;
    let Some(task) = plan.tasks.iter().find(|task| task.number == args.task) else {
        let message =
            format!("the plan has {} tasks, numbered from 0; there is no {}", plan.tasks.len(), args.task);
        return Err(Error::usage(message).remedy("give one of them with --task"));
    };
    let stores = open_stores(&plan.job, &runtime)?;
    let bar = progress_bar(runtime.progress().clone());
    let outcome = task::run(&plan, task, &stores, &runtime, None);
    drop(bar);
    let report = outcome?;
    if let Err(error) = args.documents.write(&args.output, &report, &runtime) {
        // Without a report nobody could commit or remove what was staged.
        crate::commit::abort(std::slice::from_ref(&report), &stores, &runtime);
        return Err(error);
    }
    let rows: u64 = report.files.iter().map(|file| file.rows).sum();
    global.say(&format!(
        "task {}: staged {rows} rows in {} files in every target; nothing is visible before `sawmill commit`",
        report.task,
        report.files.len()
    ));
    Ok(())
}
