//! The report of a run.

use crate::commit::{CommitEnd, Ending, Recovered};
use crate::documents::{Findings, Manifest, ManifestFile, NotData, Plan, RecordCounts, Removed, TaskReport};
use crate::error::Wording;
use crate::report::SmallFiles;
use crate::spec::JobSpec;
use crate::store::TargetIdentity;
use serde::Serialize;

/// What a run did. `--json` prints it on standard output.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct RunReport {
    /// Name of the job.
    pub job: String,
    /// Names this try.
    pub attempt: String,
    /// What was done, on which inputs.
    pub job_key: String,
    /// How it ended.
    pub status: Status,
    /// The version of the table that it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// What earlier runs had left half done, and this one finished or removed first.
    #[serde(skip_serializing_if = "Recovered::is_nothing")]
    pub recovered: Recovered,
    /// With `--dry-run`: versions that are decided and not visible and announced everywhere, which a run
    /// finishes first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unfinished: Vec<u64>,
    /// One for each input, in the plan's order.
    pub inputs: Vec<InputReport>,
    /// Over all inputs.
    pub totals: Totals,
    /// One for each target, in the job's order.
    pub targets: Vec<TargetReport>,
    /// The files, the same in every target.
    pub files: Vec<ManifestFile>,
    /// The files of rejected records, the same in every target.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub quarantine: Vec<ManifestFile>,
    /// What was found wrong with the data.
    #[serde(skip_serializing_if = "Findings::is_empty")]
    pub findings: Findings,
    /// What it took out of the table; with `--dry-run`, what it would take out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removed>,
    /// Given where the files are many and small, with what makes them fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub small_files: Option<SmallFiles>,
    /// Where there was nothing to do: keys of the job file that say how files are written, and said something
    /// else when these were. They change no row, so the files stay as they are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unapplied: Vec<String>,
    /// Wall-clock seconds from plan to commit; of `sawmill commit` alone, those
    /// of the longest task and of the commit.
    pub elapsed_seconds: f64,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The files are visible in every target.
    Committed,
    /// An earlier run did the same job on the same inputs; nothing was written.
    NothingToDo,
    /// `--dry-run`: nothing was written.
    Planned,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct InputReport {
    /// URL.
    pub url: String,
    /// Size as stored; absent for standard input.
    pub bytes: Option<u64>,
    /// Its text, decompressed and decoded: `data_bytes` and those of `not_data`.
    pub text_bytes: u64,
    /// Bytes of data records.
    pub data_bytes: u64,
    /// What is not data: header, skipped records, comments, blank lines, footer.
    #[serde(skip_serializing_if = "NotData::is_nothing")]
    pub not_data: NotData,
    /// Its records.
    #[serde(flatten)]
    pub records: RecordCounts,
}

/// Over all inputs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Totals {
    /// Number of inputs.
    pub inputs: usize,
    /// Their size as stored.
    pub input_bytes: u64,
    /// Their text, decompressed and decoded.
    pub text_bytes: u64,
    /// Bytes of data records.
    pub data_bytes: u64,
    /// What is not data, counted.
    #[serde(skip_serializing_if = "NotData::is_nothing")]
    pub not_data: NotData,
    /// Their records.
    #[serde(flatten)]
    pub records: RecordCounts,
}

/// One target.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct TargetReport {
    /// URL and region.
    #[serde(flatten)]
    pub identity: TargetIdentity,
    /// Files made visible.
    pub files: usize,
    /// Their size.
    pub bytes: u64,
}

impl TargetReport {
    fn untouched(identity: &TargetIdentity) -> Self {
        TargetReport { identity: identity.clone(), files: 0, bytes: 0 }
    }
}

impl RunReport {
    /// With one name for each setting.
    #[must_use]
    pub fn worded(mut self, wording: &Wording) -> Self {
        for remedy in self.small_files.iter_mut().flat_map(|small| &mut small.remedies) {
            *remedy = wording.shown(remedy);
        }
        self
    }

    /// The report of a job all of whose inputs were read before.
    pub fn nothing_new(job: &JobSpec, targets: &[TargetIdentity], elapsed_seconds: f64) -> Self {
        let targets = targets.iter().map(TargetReport::untouched);
        RunReport {
            job: job.name.clone(),
            attempt: String::new(),
            job_key: String::new(),
            status: Status::NothingToDo,
            version: None,
            recovered: Recovered::default(),
            unfinished: Vec::new(),
            inputs: Vec::new(),
            totals: Totals::default(),
            targets: targets.collect(),
            files: Vec::new(),
            quarantine: Vec::new(),
            findings: Findings::default(),
            removed: None,
            small_files: None,
            unapplied: Vec::new(),
            elapsed_seconds,
        }
    }

    /// The report of a plan that was committed, or need not be.
    pub fn of_done(plan: &Plan, done: CommitEnd, elapsed_seconds: f64) -> Self {
        let CommitEnd { ending, recovered, targets, .. } = done;
        let report = match ending {
            Ending::Committed(manifest, reports) => {
                RunReport::of_commit(plan, &reports, *manifest, &targets, elapsed_seconds)
            }
            Ending::AlreadyDone { attempt, unapplied } => RunReport {
                attempt,
                unapplied,
                ..RunReport::of_plan(plan, &targets, Status::NothingToDo, elapsed_seconds)
            },
            Ending::NothingNew { unapplied } => {
                RunReport { unapplied, ..RunReport::nothing_new(&plan.job, &targets, elapsed_seconds) }
            }
        };
        RunReport { recovered, ..report }
    }

    /// The report of a plan that was not carried out.
    pub fn of_plan(plan: &Plan, targets: &[TargetIdentity], status: Status, elapsed_seconds: f64) -> Self {
        let inputs = plan.inputs.iter().map(|input| InputReport {
            url: input.url.clone(),
            bytes: input.bytes,
            text_bytes: 0,
            data_bytes: 0,
            not_data: NotData::default(),
            records: RecordCounts::default(),
        });
        RunReport {
            job: plan.job.name.clone(),
            attempt: plan.attempt.clone(),
            job_key: plan.job_key.clone(),
            status,
            version: None,
            recovered: Recovered::default(),
            unfinished: Vec::new(),
            inputs: inputs.collect(),
            totals: Totals {
                inputs: plan.inputs.len(),
                input_bytes: plan.inputs.iter().filter_map(|input| input.bytes).sum(),
                ..Totals::default()
            },
            targets: targets.iter().map(TargetReport::untouched).collect(),
            files: Vec::new(),
            quarantine: Vec::new(),
            findings: Findings::default(),
            removed: None,
            small_files: None,
            unapplied: Vec::new(),
            elapsed_seconds,
        }
    }

    /// The report of a committed run.
    pub fn of_commit(
        plan: &Plan,
        reports: &[TaskReport],
        manifest: Manifest,
        targets: &[TargetIdentity],
        elapsed_seconds: f64,
    ) -> Self {
        let mut report = RunReport::of_plan(plan, targets, Status::Committed, elapsed_seconds);
        for split in reports.iter().flat_map(|report| &report.splits) {
            let input = &mut report.inputs[split.input];
            input.records += split.records;
            input.text_bytes += split.text_bytes;
            input.data_bytes += split.data_bytes;
            input.not_data.add(&split.not_data);
            report.totals.records += split.records;
            report.totals.text_bytes += split.text_bytes;
            report.totals.data_bytes += split.data_bytes;
            report.totals.not_data.add_counts(&split.not_data);
        }
        for target in &mut report.targets {
            target.files = manifest.files.len();
            target.bytes = manifest.files.iter().map(|file| file.bytes).sum();
        }
        reports.iter().for_each(|task| report.findings.add(&task.findings));
        report.version = (manifest.version > 0).then_some(manifest.version);
        report.small_files = SmallFiles::look(plan, &manifest.files);
        report.removed = manifest.removed;
        report.files = manifest.files;
        report.quarantine = manifest.quarantine;
        report
    }
}
