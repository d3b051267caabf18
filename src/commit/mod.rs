//! The third verb: task reports → files visible in every target, then a marker.
//!
//! The order is what matters. [`Verified::check`] holds the reports against
//! the plan; [`Verified::prepare`] keeps plan and reports in the home target
//! (the first), so that a commit that breaks off can be finished;
//! [`Prepared::complete`] makes the files visible, the home target last;
//! [`Completed::announce`] writes `_SUCCESS`, which exists only in a world in
//! which every target holds every file. Each step consumes the one before, so
//! none can be left out. Every effect may be repeated: a commit that broke off
//! is run again with the same documents.

mod verify;

pub use verify::Verified;

use crate::error::{Error, ErrorKind, Result};
use crate::plan::{DOCUMENT_FORMAT, Plan};
use crate::runtime::Runtime;
use crate::store::Store;
use crate::task::{FileReport, RecordCounts, TaskReport};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Marks a table whose files are all visible in every target. Readers skip it.
pub const SUCCESS_KEY: &str = "_SUCCESS";

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

/// Verifies, prepares, completes and announces.
///
/// Errors before the first file is visible leave staged files for
/// [`abort`]; errors after it say how to finish.
pub fn run(
    plan: &Plan,
    reports: &[TaskReport],
    stores: &[Arc<dyn Store>],
    runtime: &Runtime,
) -> Result<Manifest> {
    let verified = Verified::check(plan, reports, stores)?;
    runtime.block_on(async { verified.prepare().await?.complete().await?.announce().await })
}

/// Removes what the tasks staged. Failures are logged: there is a cause already.
pub fn abort(reports: &[TaskReport], stores: &[Arc<dyn Store>], runtime: &Runtime) {
    runtime.block_on(async {
        for file in reports.iter().flat_map(|report| &report.files) {
            for (store, staged) in stores.iter().zip(&file.staged) {
                if let Err(error) = store.abort(staged).await {
                    tracing::warn!(%error, key = file.key, "a staged file could not be removed");
                }
            }
        }
    });
}

/// Plan and reports are kept in the home target.
#[derive(Debug)]
pub struct Prepared<'a>(Verified<'a>);

/// Every file is visible in every target.
#[derive(Debug)]
pub struct Completed<'a>(Verified<'a>);

impl<'a> Verified<'a> {
    /// Keeps plan and reports under `_sawmill/attempts/<attempt>/` of the home target.
    pub async fn prepare(self) -> Result<Prepared<'a>> {
        if self.plan.single_file.is_none() {
            let home = self.home();
            home.put(&document_key(self.plan, "plan.json"), json(self.plan)).await?;
            for report in &self.reports {
                let name = format!("pending/{:05}.json", report.task);
                home.put(&document_key(self.plan, &name), json(report)).await?;
            }
        }
        Ok(Prepared(self))
    }

    fn home(&self) -> &Arc<dyn Store> {
        &self.stores[0]
    }
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

impl<'a> Prepared<'a> {
    /// Makes every file visible: remote targets first, the home target last.
    pub async fn complete(self) -> Result<Completed<'a>> {
        let verified = self.0;
        for position in (0..verified.stores.len()).rev() {
            let store = &verified.stores[position];
            futures::stream::iter(verified.files())
                .map(|file| store.complete(&file.staged[position]))
                .buffer_unordered(CONCURRENCY)
                .try_collect::<()>()
                .await
                .map_err(|error| unfinished(error, verified.plan, verified.stores))?;
        }
        Ok(Completed(verified))
    }
}

/// From here on the way is forward only, and the user should know how.
fn unfinished(error: Error, plan: &Plan, stores: &[Arc<dyn Store>]) -> Error {
    let remedy = match &plan.single_file {
        Some(_) => "mend the target and run the same command again".to_owned(),
        None => format!(
            "some files may be visible already; every target holds all data. Mend the target, then finish with \
             `sawmill commit {home}_sawmill/attempts/{attempt}/plan.json {home}_sawmill/attempts/{attempt}/pending/*.json`",
            home = stores[0].describe().url,
            attempt = plan.attempt,
        ),
    };
    error.remedy(remedy)
}

impl Completed<'_> {
    /// Writes `_SUCCESS` in every target.
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
        };
        if plan.single_file.is_none() {
            let body = json(&manifest);
            for store in stores.iter() {
                let written = store.put(SUCCESS_KEY, body.clone()).await;
                written.map_err(|error| unfinished(error, plan, stores))?;
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
    /// Every target's `_SUCCESS` names this job key.
    AlreadyDone(Box<Manifest>),
}

/// Looks at the targets: was this very job done on these very inputs before?
pub async fn standing(job_key: &str, stores: &[Arc<dyn Store>]) -> Result<Standing> {
    let mut done = None;
    for (target, store) in stores.iter().enumerate() {
        let marker = store.get(SUCCESS_KEY).await?;
        let manifest = marker.and_then(|body| serde_json::from_slice::<Manifest>(&body).ok());
        let same = manifest.filter(|manifest| manifest.job_key == job_key);
        if same.is_none() {
            return Ok(match first_data(store.as_ref()).await? {
                Some(key) => Standing::Data { target, key },
                None if target == 0 => later_data(stores).await?,
                // Done in an earlier target only: that one holds data.
                None => Standing::Data { target: 0, key: SUCCESS_KEY.into() },
            });
        }
        done = same.or(done);
    }
    Ok(done.map_or(Standing::Empty, |manifest| Standing::AlreadyDone(Box::new(manifest))))
}

async fn later_data(stores: &[Arc<dyn Store>]) -> Result<Standing> {
    for (target, store) in stores.iter().enumerate().skip(1) {
        if let Some(key) = first_data(store.as_ref()).await? {
            return Ok(Standing::Data { target, key });
        }
    }
    Ok(Standing::Empty)
}

/// A key that readers would see: no part of it begins with `_` or `.`.
async fn first_data(store: &dyn Store) -> Result<Option<String>> {
    let hidden = |key: &str| key.split('/').any(|part| part.starts_with(['_', '.']));
    // Markers and documents sort among the data, so look past a few of them.
    let keys = store.list("", 10_000).await?;
    Ok(keys.into_iter().find(|key| !hidden(key)))
}

fn invalid(message: impl Into<String>) -> Error {
    ErrorKind::Accounting { message: message.into() }.into()
}
