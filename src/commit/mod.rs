//! The third verb: task reports → files visible in every target, then a marker.
//!
//! The order is what matters. [`Verified::check`] holds the reports against
//! the plan; [`Verified::decide`] keeps plan and reports in the home target
//! (the first) and says there that this attempt is the one to finish, so that
//! a commit that breaks off is finished and never done again by another;
//! [`Decided::complete`] makes the files visible, the home target last;
//! [`Completed::announce`] writes the markers, which exist only in a world in
//! which every target holds every file. Each step consumes the one before, so
//! none can be left out. Every effect may be repeated: a commit that broke off
//! is run again with the same documents.

mod verify;

pub use verify::Verified;

use crate::error::{Error, ErrorKind, JobPlace, Result, StoreFailure, StoreReason};
use crate::plan::{DOCUMENT_FORMAT, Plan};
use crate::runtime::Runtime;
use crate::store::{StagedFile, Store, TargetIdentity};
use crate::task::{FileReport, RecordCounts, TaskReport};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Marks a table whose files are all visible in every target. Readers skip it.
pub const SUCCESS_KEY: &str = "_SUCCESS";

/// A target that is not there should not keep a process from ending.
const ABORT_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests to one target at once.
const CONCURRENCY: usize = 16;

/// The contents of `_SUCCESS`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Manifest {
    /// [`DOCUMENT_FORMAT`].
    pub format: u32,
    /// Name of the job.
    pub job: String,
    /// As in the plan: what was done, on which inputs.
    pub job_key: String,
    /// The attempt that wrote the files.
    pub attempt: String,
    /// RFC 3339, UTC.
    pub committed_at: String,
    /// Over all inputs.
    pub records: RecordCounts,
    /// In order of task and file number.
    pub files: Vec<ManifestFile>,
    /// Files of rejected records, under ignored names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quarantine: Vec<ManifestFile>,
}

/// One visible file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct ManifestFile {
    /// Relative to the target's URL.
    pub key: String,
    /// Partition key = value; `null` for the default partition.
    pub partition: BTreeMap<String, Option<String>>,
    /// Rows in the file.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// Hexadecimal; the same in every target.
    pub sha256: String,
}

impl From<&FileReport> for ManifestFile {
    fn from(file: &FileReport) -> Self {
        ManifestFile {
            key: file.key.clone(),
            partition: file.partition.clone(),
            rows: file.rows,
            bytes: file.bytes,
            sha256: file.sha256.clone(),
        }
    }
}

/// Completes and announces what was decided.
///
/// Errors say how to finish; of a single file, nothing new is left staged.
pub fn finish(decided: Decided<'_>, runtime: &Runtime) -> Result<Manifest> {
    let Verified { plan, stores, .. } = decided.0;
    let reports: Vec<TaskReport> = decided.0.reports.iter().copied().cloned().collect();
    let finished = runtime.block_on(async { decided.complete().await?.announce().await });
    finished.map_err(|error: Error| {
        let remedy = match &plan.single_file {
            Some(_) => {
                abort(&reports, stores, runtime);
                "mend the target and run the same command again, with --overwrite if some outputs are there"
                    .to_owned()
            }
            None => format!(
                "every target holds all data, but not all of it is visible. Mend the target, then {}",
                finish_command(stores[0].describe(), &plan.attempt)
            ),
        };
        error.remedy(remedy)
    })
}

/// Removes what any try of the plan's tasks has staged and is not visible, with
/// or without a report. Nothing depends on it, so failures are only logged.
pub async fn sweep(plan: &Plan, stores: &[Arc<dyn Store>]) {
    let ending = format!("-{}.parquet", plan.attempt);
    for store in stores {
        let removed = async {
            for staged in store.list_staged(None).await?.iter().filter(|staged| staged.key.ends_with(&ending))
            {
                store.abort(staged).await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = removed.await {
            tracing::warn!(%error, "what earlier tries of the tasks have staged could not be removed");
        }
    }
}

/// Removes what the tasks staged and is not visible. Gives the files that
/// could not be removed, with the reason, after trying all.
pub fn abort(reports: &[TaskReport], stores: &[Arc<dyn Store>], runtime: &Runtime) -> Vec<(String, Error)> {
    let files = reports.iter().flat_map(TaskReport::all_files);
    let staged = files.flat_map(|file| stores.iter().zip(&file.staged));
    let aborts = futures::stream::iter(staged).map(|(store, staged)| async move {
        let error = match tokio::time::timeout(ABORT_TIMEOUT, store.abort(staged)).await {
            Ok(aborted) => aborted.err()?,
            Err(_) => unanswered(store, staged),
        };
        tracing::warn!(%error, key = staged.key, "a staged file could not be removed");
        Some((staged.key.clone(), error))
    });
    runtime.block_on(aborts.buffer_unordered(CONCURRENCY).filter_map(futures::future::ready).collect())
}

fn unanswered(store: &Arc<dyn Store>, staged: &StagedFile) -> Error {
    let identity = store.describe();
    Error::new(ErrorKind::Target(StoreFailure {
        operation: "remove the staged".into(),
        url: format!("{}{}", identity.url, staged.key),
        region: identity.region.clone(),
        attempts: None,
        elapsed: Some(ABORT_TIMEOUT),
        reason: StoreReason::Unreachable,
        detail: format!("no answer in {} s", ABORT_TIMEOUT.as_secs()),
    }))
}

/// Plan and reports are kept in the home target, and the job key is taken.
#[derive(Debug)]
pub struct Decided<'a>(Verified<'a>);

/// Every file is visible in every target.
#[derive(Debug)]
pub struct Completed<'a>(Verified<'a>);

impl<'a> Verified<'a> {
    /// Looks whether everything is still staged, then keeps plan and reports
    /// under `_sawmill/attempts/<attempt>/` of the home
    /// target, then `_sawmill/decided/<job key>.json`, which names the attempt.
    ///
    /// Single files have no documents: nobody could tell them from the user's own.
    pub async fn decide(self) -> Result<Decided<'a>> {
        self.check_staged().await?;
        if self.plan.single_file.is_none() {
            let home = &self.stores[0];
            home.put(&document_key(self.plan, "plan.json"), json(self.plan)).await?;
            futures::stream::iter(&self.reports)
                .map(|report| {
                    let name = format!("pending/{:05}.json", report.task);
                    async move { home.put(&document_key(self.plan, &name), json(report)).await }
                })
                .buffer_unordered(CONCURRENCY)
                .try_collect::<()>()
                .await?;
            let decision =
                Decision { job_key: self.plan.job_key.clone(), attempt: self.plan.attempt.clone() };
            let key = decided_key(&self.plan.job_key);
            if let Err(error) = home.put(&key, json(&decision)).await {
                // The answer may be lost and the decision made: what stands there counts.
                match document::<Decision>(home.as_ref(), &key).await {
                    Ok(Some(standing)) if standing == decision => {}
                    _ => return Err(error),
                }
            }
        }
        Ok(Decided(self))
    }
}

/// Which attempt a job key was decided for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Decision {
    job_key: String,
    attempt: String,
}

fn decided_key(job_key: &str) -> String {
    format!("_sawmill/decided/{job_key}.json")
}

fn done_key(job_key: &str) -> String {
    format!("_sawmill/done/{job_key}.json")
}

fn finish_command(home: &TargetIdentity, attempt: &str) -> String {
    let place = format!("{}_sawmill/attempts/{attempt}", home.url);
    let region =
        home.region.as_ref().map_or_else(String::new, |region| format!(" --document-region {region}"));
    format!(
        "finish with `sawmill commit {place}/plan.json '{place}/pending/*.json'{region}` \
         (with --document-endpoint, if the target has an `endpoint`)"
    )
}

fn document_key(plan: &Plan, name: &str) -> String {
    format!("_sawmill/attempts/{}/{name}", plan.attempt)
}

fn json(document: &impl Serialize) -> Bytes {
    let mut text =
        serde_json::to_vec_pretty(document).expect("our documents have string keys and no failing parts");
    text.push(b'\n');
    text.into()
}

impl<'a> Decided<'a> {
    /// Makes every file visible: remote targets first, the home target last.
    pub async fn complete(self) -> Result<Completed<'a>> {
        let verified = self.0;
        for position in (0..verified.stores.len()).rev() {
            let store = &verified.stores[position];
            futures::stream::iter(verified.all_files())
                .map(|file| store.complete(&file.staged[position]))
                .buffer_unordered(CONCURRENCY)
                .try_collect::<()>()
                .await?;
        }
        Ok(Completed(verified))
    }
}

impl Completed<'_> {
    /// Writes `_SUCCESS` in every target, then `_sawmill/done/<job key>.json` in
    /// every target, both with the manifest. The last is what makes a re-run a
    /// no-op, so nothing may be missing once it stands.
    pub async fn announce(self) -> Result<Manifest> {
        let Verified { plan, stores, .. } = &self.0;
        let manifest = Manifest {
            format: DOCUMENT_FORMAT,
            job: plan.job.name.clone(),
            job_key: plan.job_key.clone(),
            attempt: plan.attempt.clone(),
            committed_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            records: self.0.records(),
            files: self.0.files().map(ManifestFile::from).collect(),
            quarantine: self.0.quarantine().map(ManifestFile::from).collect(),
        };
        if plan.single_file.is_none() {
            let body = json(&manifest);
            for key in [SUCCESS_KEY.to_owned(), done_key(&plan.job_key)] {
                for store in stores.iter() {
                    store.put(&key, body.clone()).await?;
                }
            }
        }
        Ok(manifest)
    }
}

/// What stands in the targets before a run.
#[derive(Debug)]
pub enum Standing {
    /// No target holds data of this table.
    Empty,
    /// Some target holds data; the key of a file there.
    Data {
        /// Position of the target.
        target: usize,
        /// One of its keys.
        key: String,
    },
    /// This very job was decided, and did not get to its end.
    Unfinished {
        /// The attempt that is to be finished.
        attempt: String,
        /// The command that does it.
        how: String,
    },
    /// Every target holds the files of this very job.
    AlreadyDone(Box<Manifest>),
}

/// Looks at the targets: was this very job done on these very inputs before?
pub async fn standing(job_key: &str, stores: &[Arc<dyn Store>]) -> Result<Standing> {
    let mut done = Vec::new();
    for store in stores {
        done.push(document::<Manifest>(store.as_ref(), &done_key(job_key)).await?);
    }
    if done.iter().all(Option::is_some)
        && let Some(manifest) = done.into_iter().flatten().next()
    {
        return Ok(Standing::AlreadyDone(Box::new(manifest)));
    }
    let home = &stores[0];
    if let Some(decision) = document::<Decision>(home.as_ref(), &decided_key(job_key)).await? {
        let how = finish_command(home.describe(), &decision.attempt);
        return Ok(Standing::Unfinished { attempt: decision.attempt, how });
    }
    for (target, store) in stores.iter().enumerate() {
        if let Some(key) = store.list("", 1).await?.pop() {
            return Ok(Standing::Data { target, key });
        }
    }
    Ok(Standing::Empty)
}

async fn document<T: serde::de::DeserializeOwned>(store: &dyn Store, key: &str) -> Result<Option<T>> {
    let Some(standing) = store.get(key).await? else { return Ok(None) };
    let read = serde_json::from_slice(&standing.body).map_err(|e| {
        let url = format!("{}{key}", store.describe().url);
        let place = JobPlace { file: url, line: Some(e.line()), column: Some(e.column()), key: None };
        let error =
            Error::new(ErrorKind::Job { message: format!("this document cannot be read: {e}"), place });
        error.remedy("another version or another program wrote it; look at it before you remove it")
    })?;
    Ok(Some(read))
}

fn invalid(message: impl Into<String>) -> Error {
    ErrorKind::Accounting { message: message.into() }.into()
}
