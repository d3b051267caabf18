//! Jobs, their plans, and the process that carries one out.

use super::store::url;
use crate::commit::{Concluded, Depth, Fault, Outcome, Prepared, Steps, Table, Verified, conclude, prepare};
use crate::documents::{
    DOCUMENT_FORMAT, FileReport, Input, Plan, RecordCounts, Split, SplitAccount, StagedFile, Task, TaskReport,
};
use crate::error::{Error, ErrorKind, Result, StoreReason};
use crate::runtime::Cancel;
use crate::schema::{WrittenColumn, WrittenSchema};
use crate::spec::{Dialect, JobSpec, Layout, UnreachableTarget, WriteMode};
use crate::store::{StagedWrite, StagingStore};
use crate::value::ColumnType;
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// A job with as many targets as there ever are.
static SPEC: LazyLock<JobSpec> = LazyLock::new(|| {
    let targets: Vec<_> = (0..3).map(|target| serde_json::json!({ "url": url(target) })).collect();
    let spec = serde_json::json!({ "source": { "inputs": ["/input.csv"] }, "targets": targets });
    let spec: JobSpec = serde_json::from_value(spec).expect("a job");
    spec.finish(Path::new("/")).expect("a job without mistakes")
});

/// The type that nearly all jobs agree on.
pub(super) const COLUMN: ColumnType = ColumnType::Text;

/// What a process is to do.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Job {
    /// Two with the same key do the same.
    pub(super) key: String,
    pub(super) mode: WriteMode,
    pub(super) layout: Layout,
    /// What it does if a target does not answer.
    pub(super) policy: UnreachableTarget,
    /// A directory for each file.
    pub(super) files: Vec<String>,
    pub(super) replaces: Vec<u64>,
    /// The input that it reads.
    pub(super) input: String,
    /// The type of the one column of its files.
    pub(super) column: ColumnType,
    /// Whether it reads what no version has read.
    pub(super) is_incremental: bool,
    /// The attempt that tasks have staged, where `sawmill commit` is to commit it.
    pub(super) staged: Option<String>,
}

impl Job {
    /// A job of two files in two partitions.
    pub(super) fn new(key: &str, mode: WriteMode) -> Job {
        Job {
            key: key.into(),
            mode,
            layout: Layout::Direct,
            policy: UnreachableTarget::Fail,
            files: vec!["d=1/".into(), "d=2/".into()],
            replaces: Vec::new(),
            input: key.into(),
            column: COLUMN,
            is_incremental: false,
            staged: None,
        }
    }

    /// The same in a versioned layout, to which nothing can be added.
    pub(super) fn versioned(self) -> Job {
        let mode = match self.mode {
            WriteMode::Append => WriteMode::OverwritePartitions,
            other => other,
        };
        Job { layout: Layout::Versioned, mode, ..self }
    }

    /// What a file holds: records that tell whose they are.
    fn body(&self, file: usize) -> String {
        // One file of one part, and the others of more.
        let records = if file == 0 { 1 } else { 3 };
        (0..records).map(|record| format!("{}-{file}-{record}\n", self.key)).collect()
    }

    fn plan(&self, attempt: &str, table: &Table) -> Plan {
        let mut spec = SPEC.clone();
        spec.name.clone_from(&self.key);
        let of_url = |url: &str| SPEC.targets.iter().find(|target| target.url == url).cloned();
        spec.targets = table.identities().iter().filter_map(|target| of_url(&target.url)).collect();
        (spec.output.mode, spec.output.layout) = (self.mode, self.layout);
        Plan {
            format: DOCUMENT_FORMAT,
            engine: "sawmill".into(),
            attempt: attempt.into(),
            job_key: self.key.clone(),
            planned_at: "2024-01-01T00:00:00Z".into(),
            job: spec,
            dialect: Dialect::default(),
            encoding: None,
            schema: Default::default(),
            types_given: Vec::new(),
            written: Some(WrittenSchema {
                columns: vec![WrittenColumn {
                    name: "record".into(),
                    column_type: self.column,
                    int96: false,
                    required: false,
                }],
                partition_by: Vec::new(),
            }),
            salts: Default::default(),
            single_file: None,
            replaces: self.replaces.clone(),
            // That is before all versions, and so none is missed.
            chosen_at: self.is_incremental.then_some(0),
            chosen_in: None,
            inputs: vec![Input {
                url: format!("file:///{}.csv", self.input),
                bytes: Some(1),
                ..Input::default()
            }],
            tasks: vec![Task { number: 0, splits: vec![Split { input: 0, range: None }] }],
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Committed(u64),
    NothingToDo,
    /// A task, and nothing is visible.
    Staged,
    /// What is not about a job of its own.
    Tended,
    /// Another run is in the way: trying again need not help.
    Refused(String),
    Failed(String),
}

/// Name of the `n`th attempt.
pub(super) fn attempt(n: u64) -> String {
    format!("20240101t000000z-{n:08x}")
}

/// `sawmill run`, but for where its rows are from; or `sawmill commit`.
pub(super) async fn run(job: Job, attempt: String, table: Table) -> Ended {
    let plan = job.plan(job.staged.as_ref().unwrap_or(&attempt), &table);
    let ended = match &job.staged {
        None => carry_out(&job, &plan, &table).await,
        Some(_) => commit(&plan, &table).await,
    };
    ended.unwrap_or_else(|error| failed(&error))
}

/// `sawmill task`.
pub(super) async fn task(job: Job, attempt: String, table: Table) -> Ended {
    let plan = job.plan(&attempt, &table);
    let staged = async {
        let history = table.history().await?;
        table.intend(&plan, Steps::Separate, &history).await?;
        table.record(&stage(&job, &plan, &table).await?).await
    };
    staged.await.map_or_else(|error| failed(&error), |_| Ended::Staged)
}

/// `sawmill commit --abort`.
pub(super) async fn abort(attempt: String, table: Table) -> Ended {
    let aborted = async {
        let reports = table.recorded(&attempt).await?;
        table.give_up(&attempt, &reports, "commit --abort").await?;
        let mut history = table.history().await?;
        table.recover(&mut history, None).await
    };
    aborted.await.map_or_else(|error| failed(&error), |_| Ended::Tended)
}

/// `sawmill recover`.
pub(super) async fn recover(table: Table) -> Ended {
    let recovered = async {
        let mut history = table.history().await?;
        table.check_places(&mut history).await?;
        table.recover(&mut history, None).await
    };
    recovered.await.map_or_else(|error| failed(&error), |_| Ended::Tended)
}

/// `sawmill catchup`.
pub(super) async fn catch_up(table: Table) -> Ended {
    catch_up_by(table, Depth::Bytes).await
}

pub(super) async fn catch_up_by(table: Table, depth: Depth) -> Ended {
    match table.catch_up_targets(depth).await {
        Ok(done) if done.lost.is_empty() => Ended::Tended,
        Ok(done) => Ended::Failed(format!("{:?} are lost", done.lost)),
        Err(error) => failed(&error),
    }
}

/// `sawmill promote`, of the job's `home`th target.
pub(super) async fn promote(table: Table, home: usize, accept_loss: bool) -> Ended {
    match table.promote(home, accept_loss).await {
        Ok(promoted) if promoted.version.is_some() => Ended::Tended,
        Ok(promoted) => Ended::Refused(format!("is begun: {}, {:?}", promoted.is_begun, promoted.loss)),
        Err(error) => failed(&error),
    }
}

/// `sawmill recover --give-up-lost`.
pub(super) async fn give_up_lost(table: Table) -> Ended {
    let given_up = async {
        let mut history = table.history().await?;
        table.check_places(&mut history).await?;
        table.give_up_lost(&mut history).await?;
        table.recover(&mut history, None).await
    };
    given_up.await.map_or_else(|error| failed(&error), |_| Ended::Tended)
}

/// `sawmill gc`.
pub(super) async fn collect_garbage(table: Table) -> Ended {
    let collected = table.collect_garbage(Duration::ZERO, true).await;
    collected.map_or_else(|error| failed(&error), |_| Ended::Tended)
}

/// `sawmill verify`, of which no version may be damaged. No file here is Parquet, so nothing is
/// said of footers.
pub(super) async fn verify(table: Table) -> Ended {
    let audit = match table.audit(Depth::Bytes).await {
        Ok(audit) => audit,
        Err(error) => return failed(&error),
    };
    if let Some(version) = audit.unfinished.iter().find(|version| !audit.publishing.contains(version)) {
        return Ended::Failed(format!("version {version} was broken off"));
    }
    let damage = audit.damages.iter().find(|damage| damage.kind != Fault::Footer);
    match (damage, audit.strangers.first()) {
        (None, None) => Ended::Tended,
        (damage, stranger) => Ended::Failed(format!("{damage:?}, {stranger:?}")),
    }
}

fn failed(error: &Error) -> Ended {
    match error.kind() {
        ErrorKind::Conflict { .. } => Ended::Refused(error.to_string()),
        ErrorKind::Target(failure) if failure.reason == StoreReason::Exists => {
            Ended::Refused(error.to_string())
        }
        _ => Ended::Failed(error.to_string()),
    }
}

async fn carry_out(job: &Job, plan: &Plan, table: &Table) -> Result<Ended> {
    let table = &table.reachable(Instant::now(), &Cancel::default()).await?;
    let history = match prepare(plan, table).await?.1 {
        Prepared::AlreadyDone(_) => return Ok(Ended::NothingToDo),
        Prepared::ToStage(history) => history,
    };
    let (reports, staged) = match stage(job, plan, table).await {
        Ok(report) => (vec![report], Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    };
    match conclude(plan, table, history, &reports, staged, None).await.map_err(|unsettled| unsettled.error)? {
        Concluded::Committed(manifest) => Ok(Ended::Committed(manifest.version)),
        Concluded::AlreadyDone(_) => Ok(Ended::NothingToDo),
    }
}

/// As `sawmill commit` does.
async fn commit(plan: &Plan, table: &Table) -> Result<Ended> {
    let mut history = table.history().await?;
    table.check_places(&mut history).await?;
    let mine = history.commit_of(&plan.attempt).is_none().then_some(plan.attempt.as_str());
    table.recover(&mut history, mine).await?;
    if history.commit_of(&plan.attempt).is_some() {
        return Ok(Ended::NothingToDo);
    }
    if history.commit_of_key(&plan.job_key).is_some() {
        let reports = table.recorded(&plan.attempt).await?;
        table.give_up(&plan.attempt, &reports, "another attempt did the same job").await?;
        return Ok(Ended::NothingToDo);
    }
    table.check_complete(&history).await?;
    table.standing(&mut history, plan).await?;
    table.intend(plan, Steps::Separate, &history).await?;
    let reports = table.recorded(&plan.attempt).await?;
    let verified = Verified::check(plan, &reports)?;
    verified.check_staged(table).await?;
    let ended = match verified.decide(table, history).await? {
        Outcome::Decided(decided, history) => {
            let manifest = table.finish_in_time(*decided, history).await?;
            Ended::Committed(manifest.version)
        }
        Outcome::AlreadyDone(_) => {
            table.withdraw(&plan.attempt, &reports, None).await;
            Ended::NothingToDo
        }
    };
    let mut history = table.history().await?;
    table.recover(&mut history, None).await?;
    Ok(ended)
}

/// The one task of a plan, in the order in which it would put parts if there
/// were one connection. What it staged is removed where it fails, as
/// [`crate::store::tee`] does.
pub(super) async fn stage(job: &Job, plan: &Plan, table: &Table) -> Result<TaskReport> {
    let mut begun = Vec::new();
    match stage_files(job, plan, table, &mut begun).await {
        Ok(report) => Ok(report),
        Err(error) => {
            for (store, handle) in begun {
                // What stays is swept.
                let _ = store.abort(&handle).await;
            }
            Err(error)
        }
    }
}

async fn stage_files(
    job: &Job,
    plan: &Plan,
    table: &Table,
    begun: &mut Vec<(Arc<dyn StagingStore>, StagedFile)>,
) -> Result<TaskReport> {
    let mut files = Vec::new();
    for (number, directory) in job.files.iter().enumerate() {
        let version = match job.layout {
            Layout::Direct => String::new(),
            Layout::Versioned => format!("{}/", plan.attempt),
        };
        let key = format!("{version}{directory}part-00000-{number:05}-{}.parquet", plan.attempt);
        let body = job.body(number);
        let mut writes: Vec<Box<dyn StagedWrite>> = Vec::new();
        for store in table.staging_stores() {
            let write = store.begin(&key).await?;
            begun.push((Arc::clone(&store), write.handle()));
            writes.push(write);
        }
        let mut staged = Vec::new();
        for (store, write) in table.staging_stores().iter().zip(writes) {
            let mut parts = Vec::new();
            for (position, part) in body.as_bytes().chunks(store.part_bytes()).enumerate() {
                let (number, offset) = (position as u32 + 1, (position * store.part_bytes()) as u64);
                parts.push(write.put_part(number, offset, Bytes::copy_from_slice(part)).await?);
            }
            staged.push(write.seal(parts).await?);
        }
        files.push(FileReport {
            key,
            partition: Default::default(),
            rows: body.lines().count() as u64,
            row_groups: 1,
            bytes: body.len() as u64,
            sha256: hex::encode(Sha256::digest(body.as_bytes())),
            columns: Vec::new(),
            staged,
        });
    }
    let rows = files.iter().map(|file| file.rows).sum();
    let records = RecordCounts { read: rows, written: rows, ..RecordCounts::default() };
    let mut report = TaskReport {
        format: DOCUMENT_FORMAT,
        attempt: plan.attempt.clone(),
        job_key: plan.job_key.clone(),
        task: 0,
        splits: vec![SplitAccount { text_bytes: 1, records, ..SplitAccount::default() }],
        files,
        quarantine: Vec::new(),
        findings: Default::default(),
        elapsed_seconds: 0.0,
    };
    table.fill_in_absent(&mut report);
    Ok(report)
}
