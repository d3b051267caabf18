//! The report that `--json` prints, as far as tests look at it.

use super::Run;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) status: String,
    pub(crate) attempt: String,
    pub(crate) inputs: Vec<Input>,
    pub(crate) totals: Counts,
    pub(crate) targets: Vec<Target>,
    pub(crate) files: Vec<File>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Input {
    pub(crate) url: String,
    #[serde(flatten)]
    pub(crate) counts: Counts,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Counts {
    pub(crate) read: u64,
    pub(crate) written: u64,
    pub(crate) rejected: u64,
    pub(crate) filtered: u64,
    pub(crate) deduplicated: u64,
    pub(crate) text_bytes: u64,
    pub(crate) data_bytes: u64,
    /// By kind.
    #[serde(default)]
    pub(crate) not_data: BTreeMap<String, NotData>,
}

/// Records or lines of one kind that are not data.
#[derive(Debug, Clone, Deserialize, PartialEq)]
pub(crate) struct NotData {
    pub(crate) count: u64,
    pub(crate) bytes: u64,
    #[serde(default)]
    pub(crate) first: Vec<Line>,
}

#[derive(Debug, Clone, Deserialize, PartialEq)]
pub(crate) struct Line {
    pub(crate) line: u64,
    pub(crate) text: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) files: usize,
    pub(crate) bytes: u64,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct File {
    pub(crate) key: String,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) partition: BTreeMap<String, serde_json::Value>,
}

impl Report {
    /// Of a run that succeeded and whose figures add up.
    #[track_caller]
    pub(crate) fn of(run: Run) -> Report {
        let run = run.succeeds();
        let report: Report = serde_json::from_value(run.json())
            .unwrap_or_else(|error| panic!("the report is not as agreed: {error}: {run}"));
        for counts in report.inputs.iter().map(|input| &input.counts).chain([&report.totals]) {
            let accounted = counts.written + counts.rejected + counts.filtered + counts.deduplicated;
            assert_eq!(counts.read, accounted, "records are lost: {run}");
            let tiled = counts.data_bytes + counts.not_data.values().map(|kind| kind.bytes).sum::<u64>();
            assert_eq!(counts.text_bytes, tiled, "bytes are lost: {run}");
        }
        if report.status == "committed" {
            let (rows, bytes) =
                report.files.iter().fold((0, 0), |(r, b), file| (r + file.rows, b + file.bytes));
            assert_eq!(rows, report.totals.written, "files do not hold what was written: {run}");
            for target in &report.targets {
                assert_eq!(
                    (target.files, target.bytes),
                    (report.files.len(), bytes),
                    "a target lacks files: {run}"
                );
            }
        }
        report
    }

    /// Key, rows and checksum of every file, the attempt left out of the key:
    /// the same for every run of a job on the same inputs.
    pub(crate) fn content(&self) -> Vec<(String, u64, &str)> {
        let suffix = format!("-{}.parquet", self.attempt);
        self.files
            .iter()
            .map(|file| {
                let stem = file.key.strip_suffix(&suffix);
                let stem = stem.unwrap_or_else(|| panic!("{} does not end in {suffix}", file.key));
                (stem.to_owned(), file.rows, file.sha256.as_str())
            })
            .collect()
    }
}
