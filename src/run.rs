//! plan, task and commit in one process: what `sawmill run` and `sawmill
//! convert` do.

mod preview;

pub use preview::{Outlook, TableState, preview};

use crate::commit::{
    self, Choice, Concluded, Prepared, Recovered, Table, Unsettled, Verified, conclude, finish_single,
    prepare,
};
use crate::documents::{Manifest, Plan, TaskReport};
use crate::error::{Aftermath, Error, ErrorKind, Result, StoreReason};
use crate::plan::{self, PlanOptions, Planned};
use crate::report::{RunReport, Status};
use crate::runtime::Runtime;
use crate::source::{self, TextStream};
use crate::spec::{JobSpec, WriteMode};
use crate::store::TargetIdentity;
use crate::task;
use std::sync::atomic::Ordering;
use std::time::Instant;

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Plan, task, commit.
    Whole,
    /// Plan only; nothing is written (`--dry-run`).
    PlanOnly,
}

/// What is to be run, beyond the job.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// How to plan.
    pub plan: PlanOptions,
    /// How far to go.
    pub extent: Extent,
    /// Which of the job's inputs to read.
    pub choice: Choice,
}

/// Looks up in the table's log what a plan has to know of it: which of the job's inputs are to be
/// read, where that matters (false if none is), and what the files of the table have, where its rows stay.
///
/// # Errors
/// As [`Table::choose`].
pub fn choose(job: &JobSpec, choice: Choice, options: &mut PlanOptions, runtime: &Runtime) -> Result<bool> {
    let may_add = job.output.mode != WriteMode::ErrorIfExists && options.single_file.is_none();
    if choice == Choice::All && !may_add {
        return Ok(true);
    }
    let found = match choice {
        Choice::All => None,
        _ => Some(source::pin_all(&job.source, &job.engine, runtime)?),
    };
    runtime.wait(async {
        let table = Table::open(job).await?;
        let history = table.history().await?;
        if let Some(found) = found {
            let chosen = table.choose(&history, found, choice).await?;
            if chosen.inputs.is_empty() {
                return Ok(false);
            }
            options.inputs = Some(chosen.inputs);
            options.replaces = chosen.replaces;
            options.chosen_at = chosen.chosen_at;
            options.chosen_in = chosen.chosen_in;
        }
        options.table = table.before(&history, &job.output, &options.replaces).await?;
        Ok(true)
    })
}

/// Runs a job to its end, in this process.
///
/// First finishes or removes what earlier runs of the table left half done. On
/// any error before the commit, nothing is visible, and what was staged is
/// removed from every target that answers. The same job on the same inputs again writes nothing
/// and reports [`Status::NothingToDo`].
///
/// A signal ends every wait at once, and what is staged is removed as far as
/// `engine.shutdown_seconds` allow; a run that is decided goes on for as long.
pub fn run(job: JobSpec, options: &RunOptions, runtime: &Runtime) -> Result<RunReport> {
    let spec = job.clone();
    let tried = |error| plan::with_tried_remedies(error, &spec, &options.plan, runtime);
    run_to_end(job, options, runtime).map_err(tried).map_err(|error| runtime.cancel().with_last_words(error))
}

fn run_to_end(job: JobSpec, options: &RunOptions, runtime: &Runtime) -> Result<RunReport> {
    let started = Instant::now();
    let extent = options.extent;
    let mut plan_options = options.plan.clone();
    if extent == Extent::PlanOnly && plan_options.single_file.is_none() {
        return preview::dry_run(job, options.choice, plan_options, started, runtime);
    }
    if !choose(&job, options.choice, &mut plan_options, runtime)? {
        // It only finishes or removes what earlier runs left.
        let plan = Plan::of_nothing(job)?;
        let done = commit::run(&plan, || Ok(Vec::new()), runtime)?;
        return Ok(RunReport::of_done(&plan, done, started.elapsed().as_secs_f64()));
    }
    let Planned { plan, first_text } = plan::build(job, &plan_options, runtime)?;
    let table = runtime.wait(Table::open(&plan.job))?.stopped_by(runtime.cancel());
    let run = Run { plan: &plan, table: &table, runtime, started };
    match (&plan.single_file, extent) {
        (Some(name), _) => run.single(name, extent, first_text),
        (None, _) => run.whole(first_text),
    }
}

/// How often everything is staged when targets come and go.
const STAGING_TRIES: u32 = 10;

struct Run<'a> {
    plan: &'a Plan,
    table: &'a Table,
    runtime: &'a Runtime,
    started: Instant,
}

impl Run<'_> {
    fn without_rows(&self, status: Status) -> RunReport {
        RunReport::of_plan(self.plan, &self.table.identities(), status, self.started.elapsed().as_secs_f64())
    }

    fn committed(&self, reports: &[TaskReport], manifest: Manifest, recovered: Recovered) -> RunReport {
        let elapsed = self.started.elapsed().as_secs_f64();
        let mut report =
            RunReport::of_commit(self.plan, reports, manifest, &self.table.identities(), elapsed);
        report.recovered = recovered;
        report
    }

    fn already_done(&self, attempt: &str, recovered: Recovered) -> Result<RunReport> {
        let mut report = self.without_rows(Status::NothingToDo);
        attempt.clone_into(&mut report.attempt);
        let unapplied = self.table.unapplied(attempt, &self.plan.job.output);
        report.unapplied = self.runtime.wait(async { Ok(unapplied.await) })?;
        report.recovered = recovered;
        Ok(report)
    }

    fn whole(&self, first_text: Option<TextStream>) -> Result<RunReport> {
        let Run { plan, runtime, .. } = self;
        // Targets are waited for from the first time that one does not answer.
        let mut silent_since = None;
        // What came through a pipe is gone when it has been staged once.
        let mut tries = if first_text.is_some() { 1 } else { STAGING_TRIES };
        let mut first_text = first_text;
        loop {
            let deadline = silent_since.unwrap_or_else(Instant::now) + self.table.wait_limit();
            let table = &runtime.wait(self.table.reachable(deadline, runtime.cancel()))?;
            let (recovered, prepared) = runtime.block_on(prepare(plan, table))?;
            let history = match prepared {
                Prepared::ToStage(history) => history,
                Prepared::AlreadyDone(done) => return self.already_done(&done.commit.attempt, recovered),
            };
            let alive = table.keep_alive(&plan.attempt, &runtime.handle());
            let (reports, staged) = self.stage(table, first_text.take());
            // The last moment at which stopping leaves nothing behind.
            let staged = staged.and_then(|()| runtime.cancel().check());
            tries -= 1;
            match runtime.block_on(conclude(plan, table, history, &reports, staged, Some(alive))) {
                Ok(Concluded::Committed(manifest)) => {
                    return Ok(self.committed(&reports, *manifest, recovered));
                }
                Ok(Concluded::AlreadyDone(done)) => {
                    return self.already_done(&done.commit.attempt, recovered);
                }
                Err(Unsettled { error, withdrawn: true })
                    if tries > 0 && table.may_stage_again(&error, silent_since) =>
                {
                    silent_since.get_or_insert_with(Instant::now);
                    tracing::warn!("{error}: everything is staged anew");
                }
                Err(Unsettled { error, .. }) => return Err(error),
            }
        }
    }

    /// Runs every task; gives the reports of those that came to their end, too,
    /// when one fails.
    fn stage(&self, table: &Table, mut first_text: Option<TextStream>) -> (Vec<TaskReport>, Result<()>) {
        self.runtime.progress().total_bytes.store(self.plan.total_bytes(), Ordering::Relaxed);
        let stores = table.staging_stores();
        self.runtime.cancel().shutdown().stages(&self.plan.attempt, self.plan.single_file.is_none());
        let mut reports = Vec::with_capacity(self.plan.tasks.len());
        let staged = self.plan.tasks.iter().try_for_each(|task| {
            let mut report = task::stage(self.plan, task, &stores, self.runtime, first_text.take())?;
            table.fill_in_absent(&mut report);
            reports.push(report);
            Ok(())
        });
        (reports, staged)
    }

    fn single(&self, name: &str, extent: Extent, first_text: Option<TextStream>) -> Result<RunReport> {
        let Run { plan, table, runtime, .. } = self;
        if plan.job.output.mode != WriteMode::Append {
            for store in table.stores() {
                if runtime.wait(store.head(name))?.is_some() {
                    return Err(exists(store.describe(), name));
                }
            }
        }
        let removed = runtime.wait(async { Ok(table.removed_by_single(name).await) })?;
        if extent == Extent::PlanOnly {
            return Ok(RunReport { removed, ..self.without_rows(Status::Planned) });
        }
        let (reports, staged) = self.stage(table, first_text);
        let done = staged
            .and_then(|()| runtime.cancel().check())
            .and_then(|()| Verified::check(plan, &reports))
            .and_then(|verified| verified.check_inputs().map(|()| verified))
            .and_then(|verified| {
                let finished = runtime.block_on(runtime.cancel().in_time(finish_single(&verified, table)));
                finished.unwrap_or_else(|| Err(ErrorKind::Interrupted.into())).map_err(|error| {
                    error.leaving(Aftermath::PartlyVisible).remedy(
                        "fix the target and run the same command again, with --overwrite if some outputs are there",
                    )
                })
            });
        match done {
            Ok(manifest) => {
                runtime.cancel().shutdown().settled();
                Ok(RunReport { removed, ..self.committed(&reports, manifest, Recovered::default()) })
            }
            Err(error) => {
                runtime.block_on(table.remove_staged(&reports));
                Err(error)
            }
        }
    }
}

/// What is there is not replaced unasked.
pub(crate) fn exists(identity: &TargetIdentity, name: &str) -> Error {
    Error::new(ErrorKind::Target(identity.failure(
        "write to",
        "",
        StoreReason::Exists,
        format!("{name} already exists"),
    )))
    .remedy("use --overwrite to replace it, or give another name")
}
