//! `sawmill commit`

use super::Global;
use super::documents::DocumentArgs;
use super::run::print_report;
use crate::commit::{Outcome, Steps, Table, Verified};
use crate::documents::{Plan, TaskReport};
use crate::error::{Aftermath, Error, ErrorKind, Result};
use crate::report::{RunReport, Status};
use crate::run::{finish, nothing_new};
use crate::runtime::Runtime;
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
    plan.validate()?;
    runtime.cancel().shutdown().take_at_most(plan.job.engine.shutdown_seconds);
    if plan.is_nothing() {
        if args.abort {
            global.say(&format!("{}: the plan has no tasks, so nothing was staged", plan.job.name));
            return Ok(());
        }
        return print_report(nothing_new(&plan.job, started, &runtime)?, args.json, global);
    }
    let table = runtime.wait(Table::open(&plan.job))?.stopped_by(runtime.cancel());
    let given = given_reports(args, &plan, &runtime)?;
    if args.abort {
        return abort(&plan, &table, &given, &runtime, global);
    }
    let report = commit(&plan, &table, &given, &runtime, started)?;
    print_report(report, args.json, global)
}

fn given_reports(args: &Args, plan: &Plan, runtime: &Runtime) -> Result<Vec<TaskReport>> {
    let mut reports: Vec<TaskReport> = Vec::new();
    for place in &args.reports {
        reports.extend(args.documents.read_all(place, runtime)?);
    }
    if let Some(foreign) = reports.iter().find(|report| report.attempt != plan.attempt) {
        let message =
            format!("a report belongs to attempt {}, the plan is of {}", foreign.attempt, plan.attempt);
        return Err(Error::usage(message).remedy("give reports of the same plan"));
    }
    Ok(reports)
}

fn commit(
    plan: &Plan,
    table: &Table,
    given: &[TaskReport],
    runtime: &Runtime,
    started: Instant,
) -> Result<RunReport> {
    let targets: Vec<_> = table.stores().iter().map(|store| store.describe().clone()).collect();
    let mut history = runtime.wait(table.history())?;
    runtime.wait(table.check_places(&mut history))?;
    let mine = history.commit_of(&plan.attempt).is_none().then_some(plan.attempt.as_str());
    let mut recovered = runtime.block_on(table.until_stopped(table.recover(&mut history, mine)))?;
    if history.commit_of(&plan.attempt).is_some() {
        let elapsed = started.elapsed().as_secs_f64();
        let mut report = RunReport::of_plan(plan, &targets, Status::NothingToDo, elapsed);
        report.recovered = recovered;
        return Ok(report);
    }
    let done = history.commit_of_key(&plan.job_key);
    if let Some(done) = done {
        let mut report =
            RunReport::of_plan(plan, &targets, Status::NothingToDo, started.elapsed().as_secs_f64());
        done.commit.attempt.clone_into(&mut report.attempt);
        let unapplied = table.unapplied(&report.attempt, &plan.job.output);
        report.unapplied = runtime.wait(async { Ok(unapplied.await) })?;
        let mut reports = runtime.wait(table.recorded(&plan.attempt))?;
        reports.extend(given.iter().filter(|report| !reports.contains(report)).cloned().collect::<Vec<_>>());
        // Where no task has begun there is nothing to give up, and nothing for the log to say.
        if runtime.wait(table.knows(&plan.attempt))? {
            let reason = "another attempt did the same job";
            if let Some(error) = runtime.block_on(table.give_up(&plan.attempt, &reports, reason))? {
                return Err(error);
            }
        }
        report.recovered = recovered;
        return Ok(report);
    }
    runtime.wait(table.check_complete(&history))?;
    // Others may have written since it was planned. Whoever does the same job at this moment, the
    // decision finds, too.
    runtime.wait(table.standing(&mut history, plan))?;
    runtime.wait(table.intend(plan, Steps::Separate, &history))?;
    let mut alive = Some(table.keep_alive(&plan.attempt, &runtime.handle()));
    let reports = match given {
        [] => runtime.wait(table.recorded(&plan.attempt))?,
        given => given.to_vec(),
    };
    let outcome = Verified::check(plan, &reports)
        .and_then(|verified| {
            runtime.wait(async {
                verified.check_staged(table).await?;
                verified.check_inputs().map_err(stale)?;
                verified.decide(table, history).await
            })
        })
        .map_err(|error| {
            let again = match error.kind() {
                ErrorKind::Changed { .. } => "",
                _ => "the same command tries again, ",
            };
            let still_there = format!("what the tasks have staged is still there: {again}--abort removes it");
            match error.kind() {
                ErrorKind::Interrupted => error
                    .leaving(Aftermath::Unknown)
                    .remedy(format!("whether the run was decided is not known: {still_there}")),
                _ => {
                    tracing::warn!("{still_there}");
                    error
                }
            }
        })?;
    // The tasks may have run side by side, or one after the other: the longest is the least.
    let longest = reports.iter().map(|report| report.elapsed_seconds).fold(0.0, f64::max);
    let elapsed = || longest + started.elapsed().as_secs_f64();
    let is_adopted = matches!(outcome, Outcome::AlreadyDone(_));
    let mut report = match outcome {
        Outcome::Decided(decided, history) => {
            let manifest = runtime.block_on(finish(*decided, history, table))?;
            RunReport::of_commit(plan, &reports, manifest, &targets, elapsed())
        }
        Outcome::AlreadyDone(done) => {
            runtime.block_on(table.withdraw(&plan.attempt, &reports, alive.take()));
            let mut report = RunReport::of_plan(plan, &targets, Status::NothingToDo, elapsed());
            report.attempt = done.commit.attempt;
            report
        }
    };
    drop(alive);
    // Tasks may have run twice: what the slower try staged is nobody's now.
    let swept = runtime.block_on(table.until_stopped(async {
        let mut history = table.history().await?;
        table.recover(&mut history, None).await
    }));
    match swept {
        Ok(swept) => recovered.add(swept),
        // The other's version may not be visible yet.
        Err(error) if is_adopted => return Err(error),
        // The version is there, whatever becomes of the clean-up.
        Err(error) => tracing::warn!(%error, "what is still staged is left to the next run"),
    }
    report.recovered = recovered;
    Ok(report)
}

/// The plan is of inputs that are no more.
fn stale(error: Error) -> Error {
    error.remedy(
        "remove what the tasks staged with `sawmill commit --abort` and the same plan, then plan again",
    )
}

fn abort(plan: &Plan, table: &Table, given: &[TaskReport], runtime: &Runtime, global: &Global) -> Result<()> {
    let mut history = runtime.wait(table.history())?;
    runtime.wait(table.check_places(&mut history))?;
    let mut reports = runtime.wait(table.recorded(&plan.attempt))?;
    reports.extend(given.iter().filter(|report| !reports.contains(report)).cloned().collect::<Vec<_>>());
    if let Some(error) = runtime.block_on(table.give_up(&plan.attempt, &reports, "commit --abort"))? {
        return Err(error);
    }
    // What tasks staged that never came to a report.
    let mut history = runtime.wait(table.history())?;
    runtime.wait(table.recover(&mut history, None))?;
    global.say(&format!("{}: removed what attempt {} had staged", plan.job.name, plan.attempt));
    Ok(())
}
