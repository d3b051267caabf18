//! plan, task and commit in one process: what `sawmill run` and `sawmill
//! convert` do.

use crate::commit::{self, Standing, Verified};
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::job::{JobSpec, WriteMode};
use crate::plan::{self, PlanOptions, Planned};
use crate::report::{RunReport, Status};
use crate::runtime::Runtime;
use crate::store::{self, Store};
use crate::task;
use std::sync::Arc;
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

/// Runs a job to its end, in this process.
///
/// On any error before the commit, nothing is visible, and what was staged is
/// removed from every target that answers. The same job on the same inputs again writes nothing
/// and reports [`Status::NothingToDo`].
pub fn run(job: JobSpec, options: &PlanOptions, extent: Extent, runtime: &Runtime) -> Result<RunReport> {
    let started = Instant::now();
    let Planned { plan, first_text } = plan::build(job, options, runtime)?;
    let stores = open_stores(&plan.job, runtime)?;
    let targets: Vec<_> = stores.iter().map(|store| store.describe().clone()).collect();
    if let Some(earlier) = check_standing(&plan, &stores, runtime)? {
        let elapsed = started.elapsed().as_secs_f64();
        let mut report = RunReport::of_plan(&plan, &targets, Status::NothingToDo, elapsed);
        report.attempt = earlier.attempt;
        return Ok(report);
    }
    if extent == Extent::PlanOnly {
        return Ok(RunReport::of_plan(&plan, &targets, Status::Planned, started.elapsed().as_secs_f64()));
    }
    let total = plan.inputs.iter().map(|input| input.bytes).sum::<Option<u64>>().unwrap_or(0);
    runtime.progress().total_bytes.store(total, Ordering::Relaxed);

    let mut reports = Vec::with_capacity(plan.tasks.len());
    let mut first_text = first_text;
    let staged = plan.tasks.iter().try_for_each(|task| {
        reports.push(task::run(&plan, task, &stores, runtime, first_text.take())?);
        Ok(())
    });
    // The last moment at which stopping leaves nothing behind.
    let decided = staged.and_then(|()| runtime.cancel().check()).and_then(|()| {
        let verified = Verified::check(&plan, &reports, &stores)?;
        runtime.block_on(verified.decide())
    });
    let manifest = match decided {
        Ok(decided) => commit::finish(decided, runtime)?,
        Err(error) => {
            commit::abort(&reports, &stores, runtime);
            return Err(error);
        }
    };
    let elapsed = started.elapsed().as_secs_f64();
    Ok(RunReport::of_commit(&plan, &reports, manifest, &targets, elapsed))
}

/// The targets of a job, in its order.
pub fn open_stores(job: &JobSpec, runtime: &Runtime) -> Result<Vec<Arc<dyn Store>>> {
    let open = |(position, target)| runtime.block_on(store::open_target(target, &job.engine, position));
    job.targets.iter().enumerate().map(open).collect()
}

/// The manifest of an earlier run that did the same; an error if the table
/// holds other data and the job does not append.
pub fn check_standing(
    plan: &plan::Plan,
    stores: &[Arc<dyn Store>],
    runtime: &Runtime,
) -> Result<Option<commit::Manifest>> {
    let (target, key, remedy) = match &plan.single_file {
        _ if plan.job.output.mode == WriteMode::Append && plan.single_file.is_some() => return Ok(None),
        Some(name) => {
            let there = stores.iter().map(|store| runtime.block_on(store.look(name)));
            let there = there.collect::<Result<Vec<_>>>()?;
            match there.iter().position(Option::is_some) {
                Some(target) => (target, name.clone(), "say --overwrite to replace it, or give another name"),
                None => return Ok(None),
            }
        }
        None => match runtime.block_on(commit::standing(&plan.job_key, stores))? {
            Standing::Empty => return Ok(None),
            Standing::AlreadyDone(manifest) => return Ok(Some(*manifest)),
            Standing::Unfinished { attempt, how } => {
                let message = format!("attempt {attempt} of this very job was decided and broke off");
                return Err(target_failure(&stores[0], StoreReason::Exists, message).remedy(how));
            }
            Standing::Data { .. } if plan.job.output.mode == WriteMode::Append => return Ok(None),
            Standing::Data { target, key } => (target, key, APPEND_REMEDY),
        },
    };
    Err(target_failure(&stores[target], StoreReason::Exists, format!("{key} is there already"))
        .remedy(remedy))
}

fn target_failure(store: &Arc<dyn Store>, reason: StoreReason, detail: String) -> Error {
    let identity = store.describe();
    Error::new(ErrorKind::Target(StoreFailure {
        operation: "write to".into(),
        url: identity.url.clone(),
        region: identity.region.clone(),
        attempts: None,
        elapsed: None,
        reason,
        detail,
    }))
}

const APPEND_REMEDY: &str = "this table holds data of another run: add files to it with `output.mode = \"append\"` \
     (--set output.mode=append, or --append), or choose another place";
