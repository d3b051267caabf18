//! `sawmill task`

use super::Global;
use super::documents::DocumentArgs;
use crate::documents::Plan;
use crate::error::Result;
use crate::error::count::count;
use crate::spec::EngineSpec;
use crate::task::{self, TaskEnd};

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
    let destination = args.documents.destination(&args.output)?;
    // The plan says how many threads, but it takes a runtime to read it.
    let plan: Plan = args.documents.read(&args.plan, &global.runtime(1, &EngineSpec::default())?)?;
    let runtime = global.runtime(plan.job.engine.threads, &plan.job.engine)?;
    let mut bar = Some(global.messages.progress_bar(&runtime));
    let done = task::run(&plan, args.task, &runtime, |report| {
        // Standard output may be the same terminal.
        drop(bar.take());
        destination.write(report, &runtime)
    });
    match done? {
        TaskEnd::NothingToDo { report, reason } => {
            global.say(&format!("task {}: nothing to do: {reason}", report.task));
        }
        TaskEnd::Staged { report, another_was_first } => {
            if another_was_first {
                global
                    .say(&format!("task {}: another try finished first; this one was removed", report.task));
            }
            let rows: u64 = report.files.iter().map(|file| file.rows).sum();
            global.say(&format!(
                "task {}: staged {} in {} in every target; nothing is visible before `sawmill commit`",
                report.task,
                count(rows, "row"),
                count(report.files.len(), "file")
            ));
        }
    }
    Ok(())
}
