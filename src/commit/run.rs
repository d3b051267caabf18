//! The verb from its plan to a version: the log, what earlier attempts left, the
//! decision and its effects, in the order that `docs/commit.md` promises.

use super::{Outcome, Recovered, Steps, Table, Verified};
use crate::documents::{Manifest, Plan, TaskReport};
use crate::error::{Aftermath, Error, ErrorKind, Result};
use crate::runtime::Runtime;
use crate::spec::JobSpec;
use crate::store::TargetIdentity;

/// How a commit ended.
#[derive(Debug)]
pub struct CommitEnd {
    /// What the table has of it.
    pub ending: Ending,
    /// What was finished or removed of earlier attempts.
    pub recovered: Recovered,
    /// The targets, in the order of the job.
    pub targets: Vec<TargetIdentity>,
    /// Wall-clock seconds of the longest task; 0 where the reports were not needed.
    pub task_seconds: f64,
}

/// What the table has of a commit.
#[derive(Debug)]
pub enum Ending {
    /// A new version, visible in every target, and the reports that it is made of.
    Committed(Box<Manifest>, Vec<TaskReport>),
    /// The rows of the same job on the same inputs.
    AlreadyDone {
        /// The attempt that wrote them.
        attempt: String,
        /// Settings that say how files are written, and said something else then.
        unapplied: Vec<String>,
    },
    /// The rows of every input that the job found.
    NothingNew {
        /// As above, for the newest version.
        unapplied: Vec<String>,
    },
}

/// Makes visible what the tasks of a plan staged: everywhere, or nowhere. `given`
/// reads reports of tasks, once the targets have answered; without any, those count
/// that the tasks left in the first target. The same call again finishes what was broken off, or finds it done.
///
/// # Errors
/// Whatever is in the way; where the error does not say otherwise, what the tasks
/// staged is still there.
pub fn run(
    plan: &Plan,
    given: impl FnOnce() -> Result<Vec<TaskReport>>,
    runtime: &Runtime,
) -> Result<CommitEnd> {
    plan.validate()?;
    runtime.cancel().shutdown().take_at_most(plan.job.engine.shutdown_seconds);
    if plan.is_nothing() {
        return nothing_new(&plan.job, runtime);
    }
    let (table, mut history) = Table::opened(&plan.job, runtime)?;
    let given = checked(plan, given()?)?;
    let done = |ending, recovered, task_seconds| CommitEnd {
        ending,
        recovered,
        targets: table.identities(),
        task_seconds,
    };
    let mine = history.commit_of(&plan.attempt).is_none().then_some(plan.attempt.as_str());
    let mut recovered = runtime.block_on(table.until_stopped(table.recover(&mut history, mine)))?;
    if history.commit_of(&plan.attempt).is_some() {
        let ending = Ending::AlreadyDone { attempt: plan.attempt.clone(), unapplied: Vec::new() };
        return Ok(done(ending, recovered, 0.0));
    }
    if let Some(other) = history.commit_of_key(&plan.job_key) {
        let attempt = other.commit.attempt.clone();
        let unapplied = table.unapplied(&attempt, &plan.job.output);
        let unapplied = runtime.wait(async { Ok(unapplied.await) })?;
        // Where no task has begun there is nothing to give up, and nothing for the log to say.
        let reports = with_recorded(&table, plan, &given, runtime)?;
        if runtime.wait(table.knows(&plan.attempt))? {
            let reason = "another attempt did the same job";
            if let Some(error) = runtime.block_on(table.give_up(&plan.attempt, &reports, reason))? {
                return Err(error);
            }
        }
        return Ok(done(Ending::AlreadyDone { attempt, unapplied }, recovered, 0.0));
    }
    runtime.wait(table.check_complete(&history))?;
    // Others may have written since it was planned. Whoever does the same job at this moment, the
    // decision finds, too.
    runtime.wait(table.standing(&mut history, plan))?;
    runtime.wait(table.intend(plan, Steps::Separate, &history))?;
    let mut alive = Some(table.keep_alive(&plan.attempt, &runtime.handle()));
    let reports = match given.is_empty() {
        true => runtime.wait(table.recorded(&plan.attempt))?,
        false => given,
    };
    let outcome = Verified::check(plan, &reports)
        .and_then(|verified| {
            runtime.wait(async {
                verified.check_staged(&table).await?;
                verified.check_inputs().map_err(stale)?;
                verified.decide(&table, history).await
            })
        })
        .map_err(undecided)?;
    // The tasks may have run side by side, or one after the other: the longest is the least.
    let task_seconds = reports.iter().map(|report| report.elapsed_seconds).fold(0.0, f64::max);
    let ending = match outcome {
        Outcome::Decided(decided, history) => {
            let manifest = runtime.block_on(table.finish_in_time(*decided, history))?;
            runtime.cancel().shutdown().settled();
            Ending::Committed(Box::new(manifest), reports)
        }
        Outcome::AlreadyDone(other) => {
            runtime.block_on(table.withdraw(&plan.attempt, &reports, alive.take()));
            Ending::AlreadyDone { attempt: other.commit.attempt, unapplied: Vec::new() }
        }
    };
    drop(alive);
    // Tasks may have run twice: what the slower try staged belongs to no report now.
    match runtime.block_on(table.until_stopped(swept(&table))) {
        Ok(swept) => recovered.add(swept),
        // The other's version may not be visible yet.
        Err(error) if matches!(ending, Ending::AlreadyDone { .. }) => return Err(error),
        // The version is there, whatever happens to the clean-up.
        Err(error) => tracing::warn!(%error, "what is still staged is left to the next run"),
    }
    Ok(done(ending, recovered, task_seconds))
}

/// Gives a plan up and removes what its tasks staged; `given` as of [`run`].
///
/// # Errors
/// Those of the targets; a conflict where the plan is decided already.
pub fn abort(plan: &Plan, given: impl FnOnce() -> Result<Vec<TaskReport>>, runtime: &Runtime) -> Result<()> {
    plan.validate()?;
    runtime.cancel().shutdown().take_at_most(plan.job.engine.shutdown_seconds);
    if plan.is_nothing() {
        return Ok(());
    }
    let (table, _) = Table::opened(&plan.job, runtime)?;
    let given = checked(plan, given()?)?;
    let reports = with_recorded(&table, plan, &given, runtime)?;
    if let Some(error) = runtime.block_on(table.give_up(&plan.attempt, &reports, "commit --abort"))? {
        return Err(error);
    }
    // What tasks staged that never came to a report.
    runtime.wait(swept(&table)).map(drop)
}

/// What there is to do where every input is read: finish or remove what earlier
/// attempts left.
fn nothing_new(job: &JobSpec, runtime: &Runtime) -> Result<CommitEnd> {
    let (table, mut history) = Table::opened(job, runtime)?;
    runtime.block_on(table.until_stopped(async {
        // What was read last may be decided and not visible yet.
        let recovered = table.recover(&mut history, None).await?;
        // Who changes a setting expects it of the newest files, at least.
        let unapplied = match history.commits.last() {
            Some(newest) => table.unapplied(&newest.commit.attempt, &job.output).await,
            None => Vec::new(),
        };
        let ending = Ending::NothingNew { unapplied };
        Ok(CommitEnd { ending, recovered, targets: table.identities(), task_seconds: 0.0 })
    }))
}

/// Reports that are all of the plan.
fn checked(plan: &Plan, given: Vec<TaskReport>) -> Result<Vec<TaskReport>> {
    let Some(foreign) = given.iter().find(|report| report.attempt != plan.attempt) else { return Ok(given) };
    let message = format!("a report belongs to attempt {}, the plan is of {}", foreign.attempt, plan.attempt);
    Err(Error::usage(message).remedy("give reports of the same plan"))
}

/// The reports that the tasks left in the first target, and those that are given beside them.
fn with_recorded(
    table: &Table,
    plan: &Plan,
    given: &[TaskReport],
    runtime: &Runtime,
) -> Result<Vec<TaskReport>> {
    let mut reports = runtime.wait(table.recorded(&plan.attempt))?;
    let others = given.iter().filter(|report| !reports.contains(report)).cloned().collect::<Vec<_>>();
    reports.extend(others);
    Ok(reports)
}

async fn swept(table: &Table) -> Result<Recovered> {
    let mut history = table.history().await?;
    table.recover(&mut history, None).await
}

/// The plan is of inputs that are no more.
fn stale(error: Error) -> Error {
    error.remedy(
        "remove what the tasks staged with `sawmill commit --abort` and the same plan, then plan again",
    )
}

/// What the tasks staged outlives a commit that fails before its decision.
fn undecided(error: Error) -> Error {
    let again = match error.kind() {
        ErrorKind::Changed { .. } => "",
        _ => "the same command tries again, ",
    };
    let still_there = format!("what the tasks have staged is still there: {again}--abort removes it");
    match error.kind() {
        ErrorKind::Interrupted => error
            .leaving(Aftermath::Unknown)
            .remedy(format!("it is not known whether the run was decided: {still_there}")),
        _ => {
            tracing::warn!("{still_there}");
            error
        }
    }
}
