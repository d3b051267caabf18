//! The reports against the plan, before anything becomes visible.

use super::invalid;
use crate::error::Result;
use crate::plan::Plan;
use crate::store::Store;
use crate::task::{FileReport, RecordCounts, TaskReport, check_account};
use std::sync::Arc;

/// Reports that are complete, belong to the plan, and add up.
#[derive(Debug)]
pub struct Verified<'a> {
    pub(super) plan: &'a Plan,
    /// In order of task number.
    pub(super) reports: Vec<&'a TaskReport>,
    pub(super) stores: &'a [Arc<dyn Store>],
}

impl<'a> Verified<'a> {
    /// One report for each task, for the splits that the plan gave it; records
    /// in balance; every file staged in every target under a key of its own.
    pub fn check(plan: &'a Plan, reports: &'a [TaskReport], stores: &'a [Arc<dyn Store>]) -> Result<Self> {
        plan.validate()?;
        let mut ordered = Vec::with_capacity(plan.tasks.len());
        for task in &plan.tasks {
            let mut of_task = reports.iter().filter(|report| report.task == task.number);
            let Some(report) = of_task.next() else {
                let message = format!("there is no report of task {}", task.number);
                return Err(invalid(message).remedy("give the reports of all tasks of the plan"));
            };
            if of_task.next().is_some() {
                let message = format!("there are two reports of task {}", task.number);
                return Err(invalid(message).remedy("give one report for each task"));
            }
            if (&report.attempt, &report.job_key) != (&plan.attempt, &plan.job_key) {
                let message =
                    format!("the report of task {} belongs to attempt {}", task.number, report.attempt);
                return Err(invalid(message).remedy("give reports of the same plan"));
            }
            let planned = task.splits.iter().map(|split| (split.input, split.range.map_or(0, |r| r.start)));
            if !planned.eq(report.splits.iter().map(|split| (split.input, split.start))) {
                let message = format!("the report of task {} covers other splits than planned", task.number);
                return Err(invalid(message));
            }
            check_account(&report.splits, &report.files)?;
            ordered.push(report);
        }
        if reports.len() != plan.tasks.len() {
            return Err(invalid(format!(
                "there are {} reports for {} tasks",
                reports.len(),
                plan.tasks.len()
            )));
        }
        let verified = Verified { plan, reports: ordered, stores };
        verified.check_files()?;
        Ok(verified)
    }

    fn check_files(&self) -> Result<()> {
        let mut keys = std::collections::HashSet::new();
        for file in self.files() {
            if !keys.insert(&file.key) {
                return Err(invalid(format!("two files have the key {}", file.key)));
            }
            let everywhere = file.staged.len() == self.stores.len()
                && file.staged.iter().all(|staged| staged.key == file.key && staged.bytes == file.bytes);
            if !everywhere {
                return Err(invalid(format!("{} is not staged whole in every target", file.key)));
            }
        }
        Ok(())
    }

    /// The files of all tasks, in order of task and file number.
    pub fn files(&self) -> impl Iterator<Item = &'a FileReport> {
        self.reports.clone().into_iter().flat_map(|report| &report.files)
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
