//! The verb from its plan to a report that is recorded: the log, the intent, the
//! lease, and what happens to files whose report was lost.

use super::stage;
use crate::commit::{Committed, Steps, Table};
use crate::documents::{Plan, TaskReport};
use crate::error::count::count;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::Runtime;

/// How a task ended.
#[derive(Debug)]
pub enum TaskEnd {
    /// Its files are staged in every target, and its report is recorded.
    Staged {
        /// The report that counts.
        report: TaskReport,
        /// Whether another try of the task had recorded it; this one's files are removed.
        another_was_first: bool,
    },
    /// There is nothing to do: a task that is repeated, or runs late, does no harm and
    /// fails no schedule.
    NothingToDo {
        /// That of an earlier try, or an empty one.
        report: TaskReport,
        /// Why.
        reason: String,
    },
}

/// Runs one task of a plan, wherever the others run: says in every target that it is
/// about to stage, stages, and records its report in the first target. `hand_on` then
/// gets the report, for whoever waits for it.
///
/// # Errors
/// Usage for a number that no task has; a conflict where the attempt was given up;
/// those of the stages, after which what was staged is removed; those of `hand_on`,
/// after which it stays, as the commit finds the recorded report.
pub fn run(
    plan: &Plan,
    number: u32,
    runtime: &Runtime,
    mut hand_on: impl FnMut(&TaskReport) -> Result<()>,
) -> Result<TaskEnd> {
    let mut nothing = |standing: Option<TaskReport>, reason: String| {
        let report = standing.unwrap_or_else(|| TaskReport::of_nothing(plan, number));
        hand_on(&report).map(|()| TaskEnd::NothingToDo { report, reason })
    };
    if plan.is_nothing() {
        // Whatever its number: arrays of jobs have as many tasks as they were made for.
        return nothing(None, "every input was read before it was planned".into());
    }
    let Some(task) = plan.tasks.iter().find(|task| task.number == number) else {
        let tasks = count(plan.tasks.len(), "task");
        let message = format!("the plan has {tasks}, numbered from 0; there is no {number}");
        return Err(Error::usage(message).remedy("give the number of one of them to `sawmill task --task`"));
    };
    let (table, history) = Table::opened(&plan.job, runtime)?;
    if let Some(done) = history.commit_of(&plan.attempt).or(history.commit_of_key(&plan.job_key)) {
        let Committed { version, commit, .. } = done;
        let reason = format!("attempt {} did this job on these inputs, as version {version}", commit.attempt);
        let recorded = runtime.wait(table.recorded(&plan.attempt))?;
        return nothing(recorded.into_iter().find(|report| report.task == number), reason);
    }
    if history.fenced.contains(&plan.attempt) {
        let message = format!("attempt {} was given up: nothing can be added to it", plan.attempt);
        return Err(Error::new(ErrorKind::Conflict { message }).remedy("plan again"));
    }
    runtime.wait(table.intend(plan, Steps::Separate, &history))?;
    let alive = table.keep_alive(&plan.attempt, &runtime.handle());
    runtime.cancel().shutdown().stages(&plan.attempt, true);
    let staged = stage(plan, task, &table.staging_stores(), runtime, None)
        .map_err(|error| runtime.cancel().with_last_words(error))?;
    let recorded = runtime.wait(table.record(&staged));
    let handed_on = recorded.and_then(|report| hand_on(&report).map(|()| report));
    drop(alive);
    let report = match handed_on {
        Ok(report) => report,
        Err(error) => {
            // Another try of the task may have been recorded; then this one's files belong to no report.
            runtime.block_on(runtime.cancel().in_time(discard_unless_recorded(&table, &staged)));
            return Err(runtime.cancel().with_last_words(error));
        }
    };
    let another_was_first = report != staged;
    if another_was_first {
        runtime.block_on(table.remove_staged(std::slice::from_ref(&staged)));
    }
    runtime.cancel().shutdown().settled();
    Ok(TaskEnd::Staged { report, another_was_first })
}

/// Without a report no command could commit or remove what was staged.
async fn discard_unless_recorded(table: &Table, staged: &TaskReport) {
    match table.recorded(&staged.attempt).await {
        Ok(recorded) if recorded.contains(staged) => {}
        Ok(_) => drop(table.remove_staged(std::slice::from_ref(staged)).await),
        Err(error) => tracing::warn!(%error, "what the task staged is left to `sawmill commit --abort`"),
    }
}
