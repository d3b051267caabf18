//! plan, task and commit in one process: what `sawmill run` and `sawmill
//! convert` do.

mod preview;

pub use preview::{Outlook, TableState, preview};

use crate::commit::{
    Choice, Committed, Decided, History, Manifest, Outcome, Recovered, SignsOfLife, Standing, Steps, Table,
    Verified, finish_single,
};
use crate::documents::{Plan, TaskReport};
use crate::error::{Aftermath, Error, ErrorKind, Result, StoreFailure, StoreReason};
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
        options.table = table.before(&history, job, &options.replaces).await?;
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
        return nothing_new(&job, started, runtime);
    }
    let Planned { plan, first_text } = plan::build(job, &plan_options, runtime)?;
    let table = runtime.wait(Table::open(&plan.job))?.stopped_by(runtime.cancel());
    let run = Run { plan: &plan, table: &table, runtime, started };
    match (&plan.single_file, extent) {
        (Some(name), _) => run.single(name, extent, first_text),
        (None, _) => run.whole(first_text),
    }
}

/// A run that finds every input read: it only finishes or removes what earlier runs left.
pub(crate) fn nothing_new(job: &JobSpec, started: Instant, runtime: &Runtime) -> Result<RunReport> {
    let table = runtime.wait(Table::open(job))?.stopped_by(runtime.cancel());
    runtime.block_on(table.until_stopped(async {
        let mut history = table.history().await?;
        table.check_places(&mut history).await?;
        // What was read last may be decided and not visible yet.
        let recovered = table.recover(&mut history, None).await?;
        let mut report = RunReport::nothing_new(job, &table.identities(), started.elapsed().as_secs_f64());
        // Who changes a setting expects it of the newest files, at least.
        if let Some(newest) = history.commits.last() {
            report.unapplied = table.unapplied(&newest.commit.attempt, &job.output).await;
        }
        report.recovered = recovered;
        Ok(report)
    }))
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
            let deadline = silent_since.unwrap_or_else(Instant::now) + self.table.patience();
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
        let stores = table.present_stores();
        self.runtime.cancel().shutdown().stages(&self.plan.attempt, self.plan.single_file.is_none());
        let mut reports = Vec::with_capacity(self.plan.tasks.len());
        let staged = self.plan.tasks.iter().try_for_each(|task| {
            let mut report = task::run(self.plan, task, &stores, self.runtime, first_text.take())?;
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
                if runtime.wait(store.look(name))?.is_some() {
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
                        "mend the target and run the same command again, with --overwrite if some outputs are there",
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

/// What a run finds before it stages anything.
pub(crate) enum Prepared {
    /// Something to do. The log as it was when the table was looked at.
    ToStage(History),
    /// The table holds the rows of this very job already.
    AlreadyDone(Box<Committed>),
}

/// Finishes or removes what earlier runs left half done, looks whether there is
/// anything to do, and says that it is about to be done.
pub(crate) async fn prepare(plan: &Plan, table: &Table) -> Result<(Recovered, Prepared)> {
    let (recovered, prepared) = table.until_stopped(look_around(plan, table)).await?;
    if let Prepared::ToStage(history) = &prepared {
        // Not dropped half-way: what is withdrawn afterwards could be written once more.
        let intended = table.cancel.in_time(table.intend(plan, Steps::OneProcess, history)).await;
        intended.unwrap_or_else(|| Err(ErrorKind::Interrupted.into()))?;
    }
    Ok((recovered, prepared))
}

async fn look_around(plan: &Plan, table: &Table) -> Result<(Recovered, Prepared)> {
    let mut history = table.history().await?;
    table.check_places(&mut history).await?;
    let mut recovered = tidy(table, &mut history).await?;
    let read_until = history.tip;
    match table.standing(&mut history, plan).await? {
        Standing::AlreadyDone(done) => {
            if done.version > read_until {
                // Decided a moment ago: it may not be visible yet.
                recovered.add(tidy(table, &mut history).await?);
            }
            // Nobody has recovered it where a target is away, and then it is not visible anywhere.
            if !table.absent().is_empty() && table.unfinished(&history).await?.contains(&done.version) {
                return Err(table.waits_for_absent(done.version));
            }
            Ok((recovered, Prepared::AlreadyDone(done)))
        }
        Standing::Free => Ok((recovered, Prepared::ToStage(history))),
    }
}

/// Finishes or removes what earlier runs left half done, unless a target is away.
async fn tidy(table: &Table, history: &mut History) -> Result<Recovered> {
    if !table.absent().is_empty() {
        return Ok(Recovered::default());
    }
    let recovered = table.recover(history, None).await?;
    table.check_complete(history).await?;
    Ok(recovered)
}

/// How a run ended whose files were staged.
pub(crate) enum Concluded {
    /// They are visible in every target.
    Committed(Box<Manifest>),
    /// Another run did the same job first, and they are removed.
    AlreadyDone(Box<Committed>),
}

/// A run that was not decided, and whether that is certain and nothing is left of it.
pub(crate) struct Unsettled {
    pub(crate) error: Error,
    withdrawn: bool,
}

impl From<Error> for Unsettled {
    fn from(error: Error) -> Self {
        Unsettled { error, withdrawn: false }
    }
}

/// Commits what was staged, or removes it. `alive` are its signs of life, which
/// end before what they are written to is removed.
pub(crate) async fn conclude(
    plan: &Plan,
    table: &Table,
    history: History,
    reports: &[TaskReport],
    staged: Result<()>,
    mut alive: Option<SignsOfLife>,
) -> Result<Concluded, Unsettled> {
    let verified = match staged.and_then(|()| Verified::check(plan, reports)) {
        Ok(verified) => verified,
        Err(error) => {
            table.withdraw(&plan.attempt, reports, alive.take()).await;
            return Err(Unsettled { error, withdrawn: true });
        }
    };
    match decide(&verified, table, history, reports, &mut alive).await? {
        Outcome::Decided(decided, history) => {
            let manifest = finish(*decided, history, table).await?;
            table.cancel.shutdown().settled();
            table.remove_strays(&plan.attempt).await;
            Ok(Concluded::Committed(Box::new(manifest)))
        }
        Outcome::AlreadyDone(done) => {
            table.withdraw(&plan.attempt, reports, alive.take()).await;
            let recovered = async {
                let mut history = table.history().await?;
                table.recover(&mut history, None).await
            };
            table.until_stopped(recovered).await?;
            Ok(Concluded::AlreadyDone(done))
        }
    }
}

/// Decides; where that fails, gives the attempt up, unless it cannot be known
/// whether it was decided.
async fn decide(
    verified: &Verified<'_>,
    table: &Table,
    history: History,
    reports: &[TaskReport],
    alive: &mut Option<SignsOfLife>,
) -> Result<Outcome> {
    let attempt = verified.attempt();
    let checked = table.cancel.or(verified.check_staged(table)).await;
    if let Err(error) = checked.and_then(|()| verified.check_inputs()) {
        table.withdraw(attempt, reports, alive.take()).await;
        return Err(error);
    }
    let error = match table.cancel.or(verified.decide(table, history.clone())).await {
        Ok(outcome) => return Ok(outcome),
        Err(error) => error,
    };
    if matches!(error.kind(), ErrorKind::Conflict { .. }) {
        // The log is clear: the attempt is not in it and cannot come to be.
        table.withdraw(attempt, reports, alive.take()).await;
        return Err(error);
    }
    match table.give_up(attempt, reports, "its run failed").await {
        Ok(_) => Err(error.leaving_nothing()),
        Err(refused) if matches!(refused.kind(), ErrorKind::Conflict { .. }) => {
            // It was decided, and the answer was lost.
            let decided = table.cancel.in_time(verified.decide(table, history)).await;
            decided.unwrap_or_else(|| Err(unknown(ErrorKind::Interrupted.into())))
        }
        Err(_) => Err(unknown(error)),
    }
}

fn unknown(error: Error) -> Error {
    error.leaving(Aftermath::Unknown).remedy(
        "whether the run was decided is not known: what it staged is left as it is. Mend the target, then \
         `sawmill recover` with the same job finishes or removes it",
    )
}

/// Makes what was decided visible, and tells everybody.
pub(crate) async fn finish(decided: Decided, history: History, table: &Table) -> Result<Manifest> {
    let version = decided.version();
    table.cancel.shutdown().decided(version);
    let finished = table.cancel.in_time(table.finish(decided, history)).await;
    let finished = finished.unwrap_or_else(|| Err(ErrorKind::Interrupted.into()));
    finished.map_err(|error: Error| {
        if error.aftermath() == Some(Aftermath::Replaced) {
            // Decided in a log that counts no more; the same job in the new one finds out.
            return error.leaving(Aftermath::Unknown);
        }
        let remedy = match (error.kind(), table.cancel.shutdown().last_words()) {
            (ErrorKind::Interrupted, Some(words)) => words,
            _ => format!(
                "version {version} is decided and its data is safe, but not visible and announced in every \
                 target. Mend the target, then run the job again, or `sawmill recover` with the same job"
            ),
        };
        error.leaving(Aftermath::Decided(version)).remedy(remedy)
    })
}

/// What is there is not replaced unasked.
pub(crate) fn exists(identity: &TargetIdentity, name: &str) -> Error {
    Error::new(ErrorKind::Target(StoreFailure {
        operation: "write to".into(),
        url: identity.url.clone(),
        region: identity.region.clone(),
        attempts: None,
        elapsed: None,
        reason: StoreReason::Exists,
        detail: format!("{name} is there already"),
    }))
    .remedy("say --overwrite to replace it, or give another name")
}
