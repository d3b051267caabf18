//! What a run would find, without a write: for `run --dry-run`, `plan` and `check`.
//!
//! The same questions in the same order as a run asks them before it stages, or these
//! commands would promise what the run refuses.

use super::choose;
use crate::commit::{Choice, Committed, History, Standing, Table, Verified};
use crate::documents::{Plan, Removed};
use crate::error::Result;
use crate::plan::{self, PlanOptions, Planned};
use crate::report::{RunReport, Status};
use crate::runtime::Runtime;
use crate::source::TextStream;
use crate::spec::{JobSpec, WriteMode};
use crate::task;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// The table of a job as a run would find it.
#[derive(Debug)]
pub struct TableState {
    /// Its targets; those that a run would go on without are absent.
    pub table: Table,
    /// Its log.
    pub history: History,
    /// Versions that are decided and not visible and announced everywhere: a run finishes them first.
    pub unfinished: Vec<u64>,
}

impl TableState {
    /// Opens the targets and checks them against the log. Targets that do not answer are not waited for.
    ///
    /// # Errors
    /// Those of the targets, and those for which a run would be refused: a target that does not
    /// belong to the log, or that has to catch up.
    pub fn open(job: &JobSpec, runtime: &Runtime) -> Result<TableState> {
        runtime.wait(async {
            let table = Table::open(job).await?.reachable(Instant::now(), runtime.cancel()).await?;
            let history = table.checked_history().await?;
            let unfinished = table.unfinished(&history).await?;
            // What waits to be finished brings the newest version to every target first.
            if unfinished.is_empty() && table.absent().is_empty() {
                table.check_complete(&history).await?;
            }
            Ok(TableState { table, history, unfinished })
        })
    }

    /// Whether a run of this plan may write.
    ///
    /// # Errors
    /// As [`Table::standing`].
    pub fn standing(&mut self, plan: &Plan, runtime: &Runtime) -> Result<Standing> {
        runtime.wait(self.table.standing(&mut self.history, plan))
    }
}

/// What a run of a job would do.
#[derive(Debug)]
pub enum Outlook {
    /// Nothing: every input was read by a version of the table.
    NothingNew,
    /// Nothing: the table holds the rows of this very job.
    AlreadyDone(Box<Plan>, Box<Committed>),
    /// What the plan says.
    Free(Box<Planned>),
}

/// Looks at inputs and table as a run does, and writes nothing.
///
/// # Errors
/// Whatever a run would be refused for.
pub fn preview(
    job: JobSpec,
    choice: Choice,
    mut options: PlanOptions,
    runtime: &Runtime,
) -> Result<(TableState, Outlook)> {
    if !choose(&job, choice, &mut options, runtime)? {
        return Ok((TableState::open(&job, runtime)?, Outlook::NothingNew));
    }
    let planned = Box::new(plan::build(job, &options, runtime)?);
    let mut state = TableState::open(&planned.plan.job, runtime)?;
    let outlook = match state.standing(&planned.plan, runtime)? {
        Standing::AlreadyDone(done) => Outlook::AlreadyDone(Box::new(planned.plan), done),
        Standing::Free => Outlook::Free(planned),
    };
    Ok((state, outlook))
}

/// `run --dry-run`.
pub(super) fn dry_run(
    job: JobSpec,
    choice: Choice,
    options: PlanOptions,
    started: Instant,
    runtime: &Runtime,
) -> Result<RunReport> {
    let spec = job.clone();
    let (TableState { table, history, unfinished }, outlook) = preview(job, choice, options, runtime)?;
    let targets = table.identities();
    let elapsed = || started.elapsed().as_secs_f64();
    let (mut report, done) = match outlook {
        Outlook::NothingNew => {
            let newest = history.commits.last().map(|newest| newest.commit.attempt.clone());
            (RunReport::nothing_new(&spec, &targets, elapsed()), newest)
        }
        Outlook::AlreadyDone(plan, done) => {
            let mut report = RunReport::of_plan(&plan, &targets, Status::NothingToDo, elapsed());
            done.commit.attempt.clone_into(&mut report.attempt);
            (report, Some(done.commit.attempt))
        }
        Outlook::Free(planned) => {
            let removed = would_remove(&planned.plan, planned.first_text, &table, &history, runtime)?;
            let report = RunReport::of_plan(&planned.plan, &targets, Status::Planned, elapsed());
            (RunReport { removed, ..report }, None)
        }
    };
    if let Some(attempt) = done {
        let unapplied = table.unapplied(&attempt, &spec.output);
        report.unapplied = runtime.wait(async { Ok(unapplied.await) })?;
    }
    report.unfinished = unfinished;
    Ok(report)
}

/// What a run would take out of the table. Where it overwrites partitions, only its rows tell which:
/// they are read and encoded as in the run, and go nowhere.
fn would_remove(
    plan: &Plan,
    first_text: Option<TextStream>,
    table: &Table,
    history: &History,
    runtime: &Runtime,
) -> Result<Option<Removed>> {
    let output = &plan.job.output;
    let mut reports = Vec::new();
    if output.mode == WriteMode::OverwritePartitions && !output.partition_by.is_empty() {
        let mut first_text = first_text;
        runtime.progress().total_bytes.store(plan.total_bytes(), Ordering::Relaxed);
        for task in &plan.tasks {
            reports.push(task::stage(plan, task, &[], runtime, first_text.take())?);
        }
        reports.iter_mut().for_each(|report| table.fill_in_unstaged(report));
        // Records that are too many or too bad, the run refuses as well.
        Verified::check(plan, &reports)?;
    }
    runtime.block_on(runtime.cancel().or(table.would_remove(plan, &reports, history)))
}
