//! The reports against the plan, before anything becomes visible.

use super::invalid;
use super::table::{CONCURRENCY, Table};
use crate::account;
use crate::documents::{
    FileReport, Findings, Plan, RecordCounts, SplitAccount, StagedFile, Staging, TaskReport,
};
use crate::error::count::{agree, count};
use crate::error::{Error, ErrorKind, Result, StoreReason};
use crate::source;
use crate::store::Store;
use futures::StreamExt;
use std::collections::HashMap;

/// Whether a target holds this file whole, staged or visible. `open` are the
/// staged files that the target has listed.
async fn is_whole(
    store: &dyn Store,
    open: &HashMap<&str, &StagedFile>,
    file: &FileReport,
    position: usize,
) -> Result<bool> {
    let staged = file.staged[position].staging.handle();
    let holds = |found: &StagedFile| match found.staging {
        Staging::TemporaryFile { .. } => found.bytes == file.bytes,
        // A listing of uploads tells no sizes; Complete checks the parts.
        Staging::MultipartUpload { .. } => true,
        Staging::Absent => false,
    };
    if open.get(staged).is_some_and(|found| holds(found)) {
        return Ok(true);
    }
    // Some servers list uploads for exact keys only.
    let of_key = store.list_staged(Some(&file.key)).await?;
    if of_key.iter().any(|found| found.staging.handle() == staged && holds(found)) {
        return Ok(true);
    }
    Ok(store.head(&file.key).await?.is_some_and(|found| found.bytes == file.bytes))
}

/// Reports that are complete, belong to the plan, and add up.
#[derive(Debug)]
pub struct Verified<'a> {
    pub(super) plan: &'a Plan,
    /// In order of task number.
    pub(super) reports: Vec<&'a TaskReport>,
}

impl<'a> Verified<'a> {
    /// One report for each task, for the splits that the plan gave it; records
    /// in balance; every file staged in every target under a key of its own.
    pub fn check(plan: &'a Plan, reports: &'a [TaskReport]) -> Result<Self> {
        plan.validate()?;
        let mut ordered = Vec::with_capacity(plan.tasks.len());
        for task in &plan.tasks {
            let mut of_task = reports.iter().filter(|report| report.task == task.number);
            let Some(report) = of_task.next() else {
                let message = format!("the report of task {} is missing", task.number);
                return Err(Error::usage(message).remedy("give the reports of all tasks of the plan"));
            };
            if of_task.next().is_some() {
                let message = format!("there are two reports of task {}", task.number);
                return Err(Error::usage(message).remedy("give one report for each task"));
            }
            if (&report.attempt, &report.job_key) != (&plan.attempt, &plan.job_key) {
                let message =
                    format!("the report of task {} belongs to attempt {}", task.number, report.attempt);
                return Err(Error::usage(message).remedy("give reports of the same plan"));
            }
            let planned = task.splits.iter().map(|split| (split.input, split.range.map_or(0, |r| r.start)));
            if !planned.eq(report.splits.iter().map(|split| (split.input, split.start))) {
                let message = format!("the report of task {} covers other splits than planned", task.number);
                return Err(invalid(message));
            }
            account::check_balance(&report.splits, &report.files)?;
            account::check_quarantine(&plan.job.errors, &report.splits, &report.quarantine)?;
            ordered.push(report);
        }
        if reports.len() != plan.tasks.len() {
            return Err(invalid(format!(
                "there {} {} for {}",
                agree(reports.len(), "is", "are"),
                count(reports.len(), "report"),
                count(plan.tasks.len(), "task")
            )));
        }
        let verified = Verified { plan, reports: ordered };
        verified.check_files()?;
        verified.check_bounds()?;
        Ok(verified)
    }

    /// Whether the inputs are still what was read, as far as they are local files.
    /// To be asked last, right before the decision.
    ///
    /// # Errors
    /// [`ErrorKind::Changed`].
    pub fn check_inputs(&self) -> Result<()> {
        source::check_unchanged(&self.plan.inputs)
    }

    /// What only the whole run can tell: the budgets of rejected records and
    /// the bounds on rows.
    fn check_bounds(&self) -> Result<()> {
        let mut inputs: Vec<(&str, RecordCounts)> =
            self.plan.inputs.iter().map(|input| (input.url.as_str(), RecordCounts::default())).collect();
        for split in self.reports.iter().flat_map(|report| &report.splits) {
            inputs[split.input].1 += split.records;
        }
        let mut findings = Findings::default();
        self.reports.iter().for_each(|report| findings.add(&report.findings));
        account::check_run(&self.plan.job.errors, inputs.iter().copied(), &findings)?;
        for (input, (url, records)) in inputs.into_iter().enumerate() {
            let of_input = |split: &&SplitAccount| split.input == input;
            let splits = self.reports.iter().flat_map(|report| &report.splits).filter(of_input);
            // The split that comes first in the input has the first of them.
            let first = splits.filter(|split| split.first_reject.is_some()).min_by_key(|split| split.start);
            let first = first.and_then(|split| split.first_reject.as_ref());
            account::check_left(&self.plan.job.errors, url, records, first)?;
        }
        account::check_rows(&self.plan.job.errors, self.plan.job.output.empty, self.records())
    }

    fn check_files(&self) -> Result<()> {
        let mut keys = std::collections::HashSet::new();
        for file in self.all_files() {
            if !keys.insert(&file.key) {
                return Err(invalid(format!("two files have the key {}", file.key)));
            }
            let everywhere = file.staged.len() == self.plan.job.targets.len()
                && file.staged.iter().all(|staged| staged.key == file.key && staged.bytes == file.bytes);
            if !everywhere {
                return Err(invalid(format!("{} is not completely staged in every target", file.key)));
            }
        }
        Ok(())
    }

    /// Whether every target still holds every file, staged or visible. Tasks
    /// may have run days ago, and uploads expire.
    pub async fn check_staged(&self, table: &Table) -> Result<()> {
        for (position, store) in table.present() {
            let listed = store.list_staged(None).await?;
            let open: HashMap<&str, &StagedFile> =
                listed.iter().map(|staged| (staged.staging.handle(), staged)).collect();
            let mut checks = futures::stream::iter(self.all_files())
                .map(async |file| {
                    Ok::<_, Error>((file, is_whole(store.as_ref(), &open, file, position).await?))
                })
                .buffered(CONCURRENCY);
            while let Some((file, whole)) = checks.next().await.transpose()? {
                if !whole {
                    // Somebody may have taken the attempt for dead and removed it.
                    if table.history().await?.fenced.contains(&self.plan.attempt) {
                        return Err(super::decide::fenced(&self.plan.attempt));
                    }
                    let identity = store.describe();
                    return Err(Error::new(ErrorKind::Target(identity.failure(
                        "make visible",
                        &file.key,
                        StoreReason::NotFound,
                        "it is no longer staged there, or not completely",
                    )))
                    .remedy(
                        "nothing was changed; remove what is left (`sawmill commit --abort`) and plan again",
                    ));
                }
            }
        }
        Ok(())
    }

    /// The attempt whose reports these are.
    pub fn attempt(&self) -> &'a str {
        &self.plan.attempt
    }

    /// The files of all tasks, in order of task and file number.
    pub fn files(&self) -> impl Iterator<Item = &'a FileReport> {
        self.reports.clone().into_iter().flat_map(|report| &report.files)
    }

    /// The files of rejected records of all tasks.
    pub fn quarantine(&self) -> impl Iterator<Item = &'a FileReport> {
        self.reports.clone().into_iter().flat_map(|report| &report.quarantine)
    }

    /// Every file that is to become visible.
    pub fn all_files(&self) -> impl Iterator<Item = &'a FileReport> {
        self.reports.clone().into_iter().flat_map(TaskReport::all_files)
    }

    /// Over all inputs.
    pub fn records(&self) -> RecordCounts {
        let mut total = RecordCounts::default();
        for split in self.reports.iter().flat_map(|report| &report.splits) {
            total += split.records;
        }
        total
    }
}
