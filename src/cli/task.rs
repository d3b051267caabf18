//! `sawmill task`

use super::Global;
use super::documents::{Destination, DocumentArgs};
use crate::commit::{Committed, Steps, Table};
use crate::documents::{Plan, TaskReport};
use crate::error::count::count;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::Runtime;
use crate::spec::EngineSpec;
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
    let destination = args.documents.destination(&args.output)?;
    // The plan says how many threads, but it takes a runtime to read it.
    let plan: Plan = args.documents.read(&args.plan, &global.runtime(1, &EngineSpec::default())?)?;
    let runtime = global.runtime(plan.job.engine.threads, &plan.job.engine)?;
    if plan.is_nothing() {
        // Whatever its number: arrays of jobs have as many tasks as they were made for.
        return nothing_to_do(
            args,
            &destination,
            &plan,
            None,
            "every input was read before it was planned",
            global,
            &runtime,
        );
    }
    let Some(task) = plan.tasks.iter().find(|task| task.number == args.task) else {
        let message = format!(
            "the plan has {}, numbered from 0; there is no {}",
            count(plan.tasks.len(), "task"),
            args.task
        );
        return Err(Error::usage(message).remedy("give one of them with --task"));
    };
    let table = runtime.wait(Table::open(&plan.job))?.stopped_by(runtime.cancel());
    let mut history = runtime.wait(table.history())?;
    runtime.wait(table.check_places(&mut history))?;
    if let Some(done) = history.commit_of(&plan.attempt).or(history.commit_of_key(&plan.job_key)) {
        let Committed { version, commit, .. } = done;
        let reason = format!("attempt {} did this job on these inputs, as version {version}", commit.attempt);
        let recorded = runtime.wait(table.recorded(&plan.attempt))?;
        let standing = recorded.into_iter().find(|report| report.task == task.number);
        return nothing_to_do(args, &destination, &plan, standing, &reason, global, &runtime);
    }
    if history.fenced.contains(&plan.attempt) {
        let message = format!("attempt {} was given up: nothing can be added to it", plan.attempt);
        return Err(Error::new(ErrorKind::Conflict { message }).remedy("plan again"));
    }
    runtime.wait(table.intend(&plan, Steps::Separate, &history))?;
    let alive = table.keep_alive(&plan.attempt, &runtime.handle());
    runtime.cancel().shutdown().stages(&plan.attempt, true);
    let bar = global.messages.progress_bar(&runtime);
    let outcome = task::run(&plan, task, table.stores(), &runtime, None);
    drop(bar);
    let staged = outcome.map_err(|error| runtime.cancel().with_last_words(error))?;
    let recorded = runtime.wait(table.record(&staged));
    let written = recorded.and_then(|report| {
        destination.write(&report, &runtime)?;
        Ok(report)
    });
    drop(alive);
    let report = match written {
        Ok(report) => report,
        Err(error) => {
            // Another try of the task may have been recorded; then this one's files are nobody's.
            runtime.block_on(runtime.cancel().in_time(discard_unless_recorded(&table, &staged)));
            return Err(runtime.cancel().with_last_words(error));
        }
    };
    if report != staged {
        runtime.block_on(table.remove_staged(std::slice::from_ref(&staged)));
        global.say(&format!("task {}: another try of it was first; this one is removed", report.task));
    }
    let rows: u64 = report.files.iter().map(|file| file.rows).sum();
    global.say(&format!(
        "task {}: staged {} in {} in every target; nothing is visible before `sawmill commit`",
        report.task,
        count(rows, "row"),
        count(report.files.len(), "file")
    ));
    Ok(())
}

/// A task that is repeated, or runs late, does no harm and fails no schedule. Whoever waits for
/// its report gets that of an earlier try, or an empty one.
fn nothing_to_do(
    args: &Args,
    destination: &Destination,
    plan: &Plan,
    standing: Option<TaskReport>,
    reason: &str,
    global: &Global,
    runtime: &Runtime,
) -> Result<()> {
    let report = standing.unwrap_or_else(|| TaskReport::of_nothing(plan, args.task));
    destination.write(&report, runtime)?;
    global.say(&format!("task {}: nothing to do: {reason}", args.task));
    Ok(())
}

/// Without a report nobody could commit or remove what was staged.
async fn discard_unless_recorded(table: &Table, staged: &TaskReport) {
    match table.recorded(&staged.attempt).await {
        Ok(recorded) if recorded.contains(staged) => {}
        Ok(_) => drop(table.remove_staged(std::slice::from_ref(staged)).await),
        Err(error) => tracing::warn!(%error, "what the task staged is left to `sawmill commit --abort`"),
    }
}
