//! What a run would find, without a write: for `run --dry-run`, `plan` and `check`.
//!
//! The same questions in the same order as a run asks them before it stages, or these
//! commands would promise what the run refuses.

use super::choose;
use crate::commit::{Choice, Committed, History, Standing, Table};
use crate::error::Result;
use crate::job::JobSpec;
use crate::plan::{self, Plan, PlanOptions};
use crate::report::{RunReport, Status};
use crate::runtime::Runtime;
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
    /// Opens the targets and holds them against the log. Targets that do not answer are not waited for.
    ///
    /// # Errors
    /// Those of the targets, and those for which a run would be refused: a target that does not
    /// belong to the log, or that has to catch up.
    pub fn open(job: &JobSpec, runtime: &Runtime) -> Result<TableState> {
        runtime.block_on(runtime.cancel().or(async {
            let table = Table::open(job).await?.reachable(Instant::now(), runtime.cancel()).await?;
            let mut history = table.history().await?;
            table.check_places(&mut history).await?;
            let unfinished = table.unfinished(&history).await?;
            // What waits to be finished brings the newest version to every target first.
            if unfinished.is_empty() && table.absent().is_empty() {
                table.check_complete(&history).await?;
            }
            Ok(TableState { table, history, unfinished })
        }))
    }

    /// Whether a run of this plan may write.
    ///
    /// # Errors
    /// As [`Table::standing`].
    pub fn standing(&mut self, plan: &Plan, runtime: &Runtime) -> Result<Standing> {
        runtime.block_on(self.table.standing(&mut self.history, plan))
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
    Free(Box<Plan>),
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
    let plan = Box::new(plan::build(job, &options, runtime)?.plan);
    let mut state = TableState::open(&plan.job, runtime)?;
    let outlook = match state.standing(&plan, runtime)? {
        Standing::AlreadyDone(done) => Outlook::AlreadyDone(plan, done),
        Standing::Free => Outlook::Free(plan),
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
        Outlook::Free(plan) => (RunReport::of_plan(&plan, &targets, Status::Planned, elapsed()), None),
    };
    if let Some(attempt) = done {
        report.unapplied = runtime.block_on(table.unapplied(&attempt, &spec.output));
    }
    report.unfinished = unfinished;
    Ok(report)
}
