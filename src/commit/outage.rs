//! A target that does not answer: fail, wait, or go on without it.

use super::table::Table;
use crate::documents::{FileReport, StagedFile, Staging, TaskReport};
use crate::error::{Aftermath, Error, ErrorKind, Result, StoreReason};
use crate::runtime::Cancel;
use crate::spec::UnreachableTarget;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// Time between two looks at a target that is waited for.
const LOOK_EVERY: Duration = Duration::from_secs(5);

impl Table {
    /// Asks every target, and does what `commit.unreachable_target` says of those
    /// that do not answer: the table to go on with. Where the policy is to fail, the next
    /// request will.
    ///
    /// # Errors
    /// The home target, or one that is needed, does not answer by `deadline`.
    pub async fn reachable(&self, deadline: Instant, cancel: &Cancel) -> Result<Table> {
        if self.settings.unreachable_target == UnreachableTarget::Fail {
            return Ok(self.clone());
        }
        loop {
            let mut absent = BTreeSet::new();
            let mut silence = None;
            for (position, store) in self.stores().iter().enumerate() {
                match store.head(super::SUCCESS_KEY).await {
                    Ok(_) => {}
                    Err(error) if position > 0 && is_unreachable(&error) => {
                        absent.insert(position);
                        silence = Some(error);
                    }
                    Err(error) => return Err(error),
                }
            }
            let Some(error) = silence else { return Ok(self.without(absent)) };
            match self.settings.unreachable_target {
                UnreachableTarget::CatchUp => {
                    tracing::warn!("{error}: the run goes on without it");
                    return Ok(self.without(absent));
                }
                UnreachableTarget::Wait if Instant::now() < deadline => {
                    tracing::warn!("{error}: the run waits for it");
                    let pause = async {
                        tokio::time::sleep(LOOK_EVERY).await;
                        Ok(())
                    };
                    cancel.or(pause).await?;
                }
                _ => return Err(error),
            }
        }
    }

    /// Whether it makes sense to stage again after this failure.
    /// `silent_since`: when a target did not answer for the first time.
    pub fn may_stage_again(&self, error: &Error, silent_since: Option<Instant>) -> bool {
        let patient = match self.settings.unreachable_target {
            UnreachableTarget::Fail => false,
            UnreachableTarget::Wait => silent_since.is_none_or(|since| since.elapsed() < self.wait_limit()),
            UnreachableTarget::CatchUp => true,
        };
        patient && is_unreachable(error)
    }

    /// A version that is decided, and not visible anywhere before a target answers.
    pub fn waits_for_absent(&self, version: u64) -> Error {
        let away = self.absent().first().and_then(|position| self.stores().get(*position));
        let identity = away.unwrap_or(&self.stores()[0]).describe();
        let detail = format!(
            "until it answers, version {version}, which is decided, cannot be made visible; its data is safe in \
             the other targets"
        );
        Error::new(ErrorKind::Target(identity.failure("reach", "", StoreReason::Unreachable, detail)))
            .leaving(Aftermath::Decided(version))
            .remedy("once the target answers: `sawmill catchup` with the same job, or the next run")
    }

    /// Until when targets are waited for.
    pub fn wait_limit(&self) -> Duration {
        Duration::from_secs(self.settings.wait_seconds)
    }

    /// Puts the targets that a task went without into its report.
    pub fn fill_in_absent(&self, report: &mut TaskReport) {
        for file in report.files.iter_mut().chain(&mut report.quarantine) {
            for position in self.absent() {
                file.staged.insert(*position, absent_file(file));
            }
        }
    }

    /// Says in a task's report that no target holds anything of it, as in a dry run.
    pub fn fill_in_unstaged(&self, report: &mut TaskReport) {
        for file in report.files.iter_mut().chain(&mut report.quarantine) {
            file.staged = self.stores().iter().map(|_| absent_file(file)).collect();
        }
    }
}

fn absent_file(file: &FileReport) -> StagedFile {
    let crc64nvme = file.staged.first().map_or_else(String::new, |staged| staged.crc64nvme.clone());
    StagedFile { key: file.key.clone(), bytes: file.bytes, crc64nvme, staging: Staging::Absent }
}

/// Whether an error says that a target did not answer, or only that it is too busy.
fn is_unreachable(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Target(failure) => {
            matches!(failure.reason, StoreReason::Unreachable | StoreReason::Throttled)
        }
        _ => false,
    }
}
