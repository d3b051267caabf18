//! An attempt: from the intent to stage, by way of signs of life, to a decision
//! or to nothing.

use super::documents::{Intent, Lease, Steps, attempt_of, intent_key, is_attempt, lease_key, pending_key};
use super::log::{Fenced, History};
use super::process::Process;
use super::table::{self, Table, rfc3339};
use crate::documents::{COMMIT_FORMAT, Plan, StagedFile, Staging, TaskReport};
use crate::error::count::count;
use crate::error::{Error, ErrorKind, Result};
use crate::spec::ConditionalWrites;
use crate::store::WriteOutcome;
use futures::StreamExt;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Renewals within one lease: one may fail, and the next still comes in time.
const RENEWALS: u32 = 3;

/// The renewals of an attempt's lease; they end when this is dropped.
#[derive(Debug)]
pub struct SignsOfLife {
    stop: DropGuard,
    renewals: JoinHandle<()>,
}

impl SignsOfLife {
    /// Ends them, and waits for one that is on its way.
    async fn end(self) {
        drop(self.stop);
        // It can only fail by a panic, which ends it, too.
        let _ = self.renewals.await;
    }
}

impl Table {
    /// Says that files of this plan are about to be staged. Nothing may be
    /// staged before, or a sweep could not tell whose it is.
    ///
    /// Repeatable: several tasks of one plan all say so.
    ///
    /// # Errors
    /// The home target takes no conditional writes, see [`ConditionalWrites`].
    pub async fn intend(&self, plan: &Plan, steps: Steps, history: &History) -> Result<()> {
        let intent = Intent {
            format: COMMIT_FORMAT,
            attempt: plan.attempt.clone(),
            base_version: history.tip,
            started_at: self.time(),
            steps,
            plan: plan.clone(),
        };
        let key = intent_key(&plan.attempt);
        self.renew(&plan.attempt).await?;
        if self.create(&key, table::json(&intent)).await? == WriteOutcome::AlreadyExists {
            return Ok(());
        }
        // The second conditional write has to be refused. A server that accepts it ignores the
        // condition, so two runs could both create the log entry of the same version.
        let needed = self.settings.conditional_writes == ConditionalWrites::Required;
        if needed && self.create(&key, table::json(&intent)).await? == WriteOutcome::Created {
            self.forget(&plan.attempt).await;
            let message = format!(
                "{} ignores `If-None-Match`, so two runs could both take the same version of the log",
                self.home().describe().url
            );
            return Err(Error::usage(message).remedy(
                "put a target with conditional writes first; or use `commit.conditional_writes = \"not_needed\"` in a job file, \
                 if no two runs ever write this table at once",
            ));
        }
        Ok(())
    }

    /// Writes the lease of an attempt anew.
    pub(super) async fn renew(&self, attempt: &str) -> Result<()> {
        let expires_at = rfc3339(self.now() + self.settings.lease_seconds as i64);
        let lease = Lease { format: COMMIT_FORMAT, expires_at, process: Process::this() };
        self.home().put(&lease_key(attempt), table::json(&lease)).await
    }

    /// Gives signs of life until they are ended or dropped.
    pub fn keep_alive(&self, attempt: &str, runtime: &tokio::runtime::Handle) -> SignsOfLife {
        let stop = CancellationToken::new();
        let (table, attempt, stopped) = (self.clone(), attempt.to_owned(), stop.clone());
        let renewals = runtime.spawn(async move {
            let pause = async || tokio::time::sleep(table.lease() / RENEWALS).await;
            // A renewal that has begun is not dropped: its request may be on the way.
            while stopped.run_until_cancelled(pause()).await.is_some() {
                if let Err(error) = table.renew(&attempt).await
                    && !matches!(error.kind(), ErrorKind::Interrupted)
                {
                    // Once the lease has run out, another run may fence this attempt in the log; this
                    // run then stops when it wants to decide, and its work is lost.
                    tracing::warn!(%error, "the lease could not be renewed");
                }
            }
        });
        SignsOfLife { stop: stop.drop_guard(), renewals }
    }

    /// Whether somebody may still be at work on an attempt, or wants to come back to it.
    pub(super) async fn is_alive(&self, attempt: &str) -> Result<bool> {
        let home = self.home();
        let lease = match table::read::<Lease>(home, &lease_key(attempt)).await {
            Err(error) if matches!(error.kind(), ErrorKind::Damage { .. }) => {
                tracing::warn!(%error, "an attempt whose lease cannot be read is assumed to be alive; \
                    `sawmill recover --give-up` ends it");
                return Ok(true);
            }
            lease => lease?,
        };
        if lease.is_some_and(|lease| self.holds(&lease)) {
            return Ok(true);
        }
        let intent = match table::read::<Intent>(home, &intent_key(attempt)).await {
            Err(error) if matches!(error.kind(), ErrorKind::Damage { .. }) => {
                tracing::warn!(%error, "an attempt whose intent cannot be read is assumed to be alive; \
                    `sawmill recover --give-up` ends it");
                return Ok(true);
            }
            intent => intent?,
        };
        let Some(Intent { steps: Steps::Separate, started_at, .. }) = intent else { return Ok(false) };
        let waits = i64::try_from(self.settings.staged_hours.saturating_mul(3600)).unwrap_or(i64::MAX);
        Ok(seconds(&started_at).is_some_and(|start| self.now() < start.saturating_add(waits)))
    }

    /// Whether a process gives signs of life for an attempt. Other than [`Table::is_alive`], nothing is
    /// said for tasks that only wait, or where the lease cannot be read.
    pub(super) async fn is_at_work(&self, attempt: &str) -> Result<bool> {
        match table::read::<Lease>(self.home(), &lease_key(attempt)).await {
            Err(error) if matches!(error.kind(), ErrorKind::Damage { .. }) => Ok(false),
            lease => Ok(lease?.is_some_and(|lease| self.holds(&lease))),
        }
    }

    fn holds(&self, lease: &Lease) -> bool {
        let is_gone = lease.process.as_ref().is_some_and(Process::is_gone);
        !is_gone && seconds(&lease.expires_at).is_some_and(|end| self.now() < end)
    }

    /// Keeps the report of a task in the home target. Of several tries of one
    /// task the first to come here counts: its report is given back.
    pub async fn record(&self, report: &TaskReport) -> Result<TaskReport> {
        let key = pending_key(&report.attempt, report.task);
        let written = self.create(&key, table::json(report)).await;
        match (written, table::read::<TaskReport>(self.home(), &key).await) {
            (Ok(WriteOutcome::Created), _) => Ok(report.clone()),
            (_, Ok(Some(standing))) => Ok(standing),
            (Err(error), _) | (_, Err(error)) => Err(error),
            (Ok(WriteOutcome::AlreadyExists), Ok(None)) => Ok(report.clone()),
        }
    }

    /// The reports of tasks that came to their end.
    pub async fn recorded(&self, attempt: &str) -> Result<Vec<TaskReport>> {
        let prefix = format!("{}{attempt}/pending/", super::documents::ATTEMPTS);
        let mut reports = Vec::new();
        for key in self.home().list_documents(&prefix, "").await? {
            match table::read::<TaskReport>(self.home(), &key).await {
                Err(error) if matches!(error.kind(), ErrorKind::Damage { .. }) => {
                    tracing::warn!(%error, "a task report is skipped");
                }
                report => reports.extend(report?),
            }
        }
        Ok(reports)
    }

    /// Whether somebody has ever said that this attempt would stage files.
    pub async fn knows(&self, attempt: &str) -> Result<bool> {
        Ok(is_attempt(attempt) && self.home().head(&intent_key(attempt)).await?.is_some())
    }

    /// Gives up an attempt that was never tried to be decided: removes what it
    /// staged and says no more of it. Gives the first thing that could not be removed.
    ///
    /// `alive` are the attempt's signs of life, which end before its lease is removed: a renewal
    /// that came later would leave one that is never removed.
    pub async fn withdraw(
        &self,
        attempt: &str,
        reports: &[TaskReport],
        alive: Option<SignsOfLife>,
    ) -> Option<Error> {
        let ended = async {
            if let Some(alive) = alive {
                self.cancel.in_time(alive.end()).await;
            }
        };
        let removed = async { self.remove_staged(reports).await.or(self.remove_strays(attempt).await) };
        let (failure, ()) = tokio::join!(removed, ended);
        if failure.is_none() {
            self.cancel.in_time(self.forget(attempt)).await;
        }
        failure
    }

    /// Gives up an attempt that somebody may have decided, or may be deciding:
    /// first in the log, then in the targets.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if it was decided: its files are the table's.
    pub async fn give_up(
        &self,
        attempt: &str,
        reports: &[TaskReport],
        reason: &str,
    ) -> Result<Option<Error>> {
        let fenced = async {
            let mut history = self.history().await?;
            self.fence(&mut history, attempt, reason).await
        };
        match self.cancel.in_time(fenced).await.unwrap_or_else(|| Err(ErrorKind::Interrupted.into()))? {
            Fenced::Fenced => Ok(self.remove_staged(reports).await),
            Fenced::Committed(version) => Err(Error::new(ErrorKind::Conflict {
                message: format!(
                    "attempt {attempt} was decided: its staged files are version {version}'s only copy"
                ),
            })
            .remedy("finish it with `sawmill recover`")),
        }
    }

    /// Removes documents of an attempt that came to nothing; only tidiness depends on it.
    async fn forget(&self, attempt: &str) {
        for key in [intent_key(attempt), lease_key(attempt)] {
            if let Err(error) = self.home().delete(&key).await {
                tracing::warn!(%error, "a document of an attempt that was given up is left");
            }
        }
    }

    /// Removes what tasks staged and is not visible. Logs what could not be
    /// removed, after trying all, and gives the first failure.
    pub async fn remove_staged(&self, reports: &[TaskReport]) -> Option<Error> {
        let files = reports.iter().flat_map(TaskReport::all_files);
        let staged = files.flat_map(|file| file.staged.iter().enumerate());
        // The job may have other targets by now than the tasks had.
        let here = |target: usize| target < self.stores().len();
        let staged = staged.filter(|(target, staged)| staged.staging != Staging::Absent && here(*target));
        self.abort_all(staged.map(|(target, staged)| (target, staged.clone())).collect()).await
    }

    /// Removes what is staged under the name of an attempt that stages no more and has made
    /// visible what it should: begun by requests whose answers were lost, or by a second try of
    /// a task. Gives the first failure; a later recovery finds what is left.
    pub async fn remove_strays(&self, attempt: &str) -> Option<Error> {
        // Targets are cleaned up concurrently: a target that hangs delays no other.
        let targets = self.present().map(|(target, store)| async move {
            let listed = self.cancel.in_time(store.list_staged(None)).await;
            match listed.unwrap_or_else(|| Err(ErrorKind::Interrupted.into())) {
                Ok(mut staged) => {
                    staged.retain(|file| attempt_of(&file.key) == Some(attempt));
                    let failure = self.abort_in(target, staged).await;
                    if failure.is_none() {
                        self.cancel.shutdown().swept(&store.describe().url);
                    }
                    failure
                }
                Err(error) => {
                    let url = &store.describe().url;
                    tracing::warn!(%error, url, "whether something is still staged could not be determined");
                    Some(error)
                }
            }
        });
        futures::future::join_all(targets).await.into_iter().flatten().next()
    }

    pub(super) async fn abort_all(&self, staged: Vec<(usize, StagedFile)>) -> Option<Error> {
        let mut targets: BTreeMap<usize, Vec<StagedFile>> = BTreeMap::new();
        for (target, staged) in staged {
            targets.entry(target).or_default().push(staged);
        }
        let aborts = targets.into_iter().map(|(target, staged)| self.abort_in(target, staged));
        futures::future::join_all(aborts).await.into_iter().flatten().next()
    }

    /// Aborts files in one target, which is not asked again when it did not answer one request
    /// in the time that a process has for its end.
    async fn abort_in(&self, target: usize, staged: Vec<StagedFile>) -> Option<Error> {
        let (store, all) = (&self.stores()[target], staged.len());
        let (url, shutdown) = (&store.describe().url, self.cancel.shutdown());
        let silent = &AtomicBool::new(false);
        let aborts = futures::stream::iter(staged).map(|staged| async move {
            let aborted = match silent.load(Ordering::Relaxed) {
                true => None,
                false => self.cancel.in_time(store.abort(&staged)).await,
            };
            match aborted {
                Some(Ok(())) => {
                    shutdown.removed(url, staged.staging.handle());
                    None
                }
                Some(Err(error)) => Some(error),
                None => {
                    silent.store(true, Ordering::Relaxed);
                    Some(super::unanswered(store.as_ref(), &staged))
                }
            }
        });
        let failures = aborts.buffered(table::CONCURRENCY).filter_map(futures::future::ready);
        let failures: Vec<Error> = failures.collect().await;
        if let Some(error) = failures.first() {
            let left = failures.len();
            tracing::warn!(%error, url, "{left} of {} could not be removed", count(all, "staged file"));
        }
        failures.into_iter().next()
    }
}

fn seconds(time: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp())
}
