//! A task from its plan to staged files, and the account of its records.

use super::lane;
use crate::account;
use crate::documents::{DOCUMENT_FORMAT, Plan, Task, TaskReport};
use crate::error::Result;
use crate::runtime::Runtime;
use crate::source::{self, TextStream};
use crate::store::StagingStore;
use crate::store::tee::TeeFactory;
use std::sync::Arc;

/// Runs one task to its end. On any error, what it had staged is removed.
///
/// `first_text` is a stream that planning has opened already (standard input,
/// whose sample cannot be read twice); it replaces the first split's. Without `stores`, everything is
/// read and encoded and nothing is written, which tells what a run would write.
pub fn stage(
    plan: &Plan,
    task: &Task,
    stores: &[Arc<dyn StagingStore>],
    runtime: &Runtime,
    first_text: Option<TextStream>,
) -> Result<TaskReport> {
    plan.validate()?;
    plan.check_salts()?;
    let started = std::time::Instant::now();
    let in_flight = plan.job.engine.upload_bytes_in_flight;
    // Dropped on the way out with an error, it removes what was staged.
    let tee =
        TeeFactory::new(stores.to_vec(), runtime.handle(), runtime.budget(), in_flight, runtime.cancel());
    let done = lane::run(plan, task, &tee, runtime, first_text)
        .map_err(|error| source::or_changed(error, &plan.inputs))?;
    account::check_balance(&done.splits, &done.files)?;
    account::check_quarantine(&plan.job.errors, &done.splits, &done.quarantine)?;
    tee.keep();
    let (files, elapsed_seconds) = (done.files.len(), started.elapsed().as_secs_f64());
    let what = if stores.is_empty() { "encoded, and written nowhere" } else { "staged in every target" };
    tracing::info!(task = task.number, files, elapsed_seconds, "{what}");
    tracing::debug!(peak_bytes = %runtime.budget(), "most memory held so far");
    Ok(TaskReport {
        format: DOCUMENT_FORMAT,
        attempt: plan.attempt.clone(),
        job_key: plan.job_key.clone(),
        task: task.number,
        splits: done.splits,
        files: done.files,
        quarantine: done.quarantine,
        findings: done.findings,
        elapsed_seconds,
    })
}
