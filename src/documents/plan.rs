//! What is to be done, in full.

use super::{Input, salt};
use crate::error::{Error, Result};
use crate::schema::{ResolveContext, Schema, WrittenSchema};
use crate::spec::table_schema::TableSchema;
use crate::spec::{Dialect, EncodingName, JobSpec, ReadAgain, WriteMode};
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// Version of the documents [`Plan`] and [`super::TaskReport`].
pub const DOCUMENT_FORMAT: u32 = 1;

/// What is to be done, in full.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// [`DOCUMENT_FORMAT`].
    pub format: u32,
    /// Name and version of the engine that planned.
    pub engine: String,
    /// Names this try; part of every file's name.
    pub attempt: String,
    /// SHA-256 over the job (but for `engine`), schema, dialect and pinned
    /// inputs: two runs with the same key do the same work.
    pub job_key: String,
    /// RFC 3339, UTC.
    pub planned_at: String,
    /// The job with every default filled in and every path absolute.
    pub job: JobSpec,
    /// The dialect, settled.
    pub dialect: Dialect,
    /// The encoding of the inputs; absent: UTF-8 unless a byte order mark says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<EncodingName>,
    /// The schema, settled.
    pub schema: TableSchema,
    /// Without a schema of the job: columns whose types are not inferred, but given by flags or the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types_given: Vec<String>,
    /// Columns and partition keys of the files: those of the job, or of the table that they are
    /// added to. Absent in plans of an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<WrittenSchema>,
    /// For each salt that a `hash` step names, by its environment variable: what
    /// tells it from others. Never the salt.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub salts: BTreeMap<String, String>,
    /// One file of this name instead of a table of part files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub single_file: Option<String>,
    /// The log's tip when the inputs were chosen by what the table had read, where they were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_at: Option<u64>,
    /// Number of the epoch whose log that was, one more with each change of home; absent in the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen_in: Option<u64>,
    /// Versions of the table whose files this run replaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaces: Vec<u64>,
    /// The pinned inputs.
    pub inputs: Vec<Input>,
    /// Every split of every input is in exactly one task.
    pub tasks: Vec<Task>,
}

impl Plan {
    /// Whether the run appends inputs that the table must not hold: not where they were chosen
    /// by what it holds, or will be.
    pub fn refuses_to_read_again(&self) -> bool {
        let JobSpec { source, output, .. } = &self.job;
        let chosen = source.incremental || self.chosen_at.is_some() || !self.replaces.is_empty();
        output.mode == WriteMode::Append
            && source.read_again == ReadAgain::Fail
            && !chosen
            && self.single_file.is_none()
    }

    /// Size of all inputs as stored; 0 if that of one is not known.
    pub fn total_bytes(&self) -> u64 {
        self.inputs.iter().map(|input| input.bytes).sum::<Option<u64>>().unwrap_or(0)
    }

    /// Whether this process has the salts that the plan was made with.
    ///
    /// # Errors
    /// Usage, naming the environment variable.
    pub fn check_salts(&self) -> Result<()> {
        salt::check(&self.salts, &self.job.transforms)
    }

    /// Whether the plan is one that this version can carry out: its format,
    /// and that the splits of all tasks tile every input exactly once.
    pub fn validate(&self) -> Result<()> {
        if self.format != DOCUMENT_FORMAT {
            let message = format!("the plan has format {}; this version has {DOCUMENT_FORMAT}", self.format);
            return Err(invalid(message));
        }
        self.time()?;
        // A single file may lie beside its inputs, which the job's own checks refuse.
        if self.single_file.is_none() {
            let checked = self.job.clone().finish(Path::new("/"));
            checked.map_err(|problems| problems.into_error("the plan"))?;
        }
        let has_ranges = self.tasks.iter().flat_map(|task| &task.splits).any(|split| split.range.is_some());
        if has_ranges && self.dialect.framing.footer_records > 0 {
            return Err(invalid("inputs with footer records cannot be cut into ranges".into()));
        }
        let mut splits: Vec<&Split> = self.tasks.iter().flat_map(|task| &task.splits).collect();
        splits.sort_by_key(|split| (split.input, split.range.map_or(0, |range| range.start)));
        let mut covered = splits.chunk_by(|a, b| a.input == b.input);
        for (number, input) in self.inputs.iter().enumerate() {
            let of_input = covered.next().filter(|splits| splits[0].input == number);
            let tiles = of_input.is_some_and(|splits| match splits {
                [Split { range: None, .. }] => true,
                _ => {
                    let ranges: Option<Vec<SplitRange>> = splits.iter().map(|split| split.range).collect();
                    ranges.is_some_and(|ranges| {
                        let joined = ranges.windows(2).all(|pair| pair[0].end == pair[1].start);
                        joined && ranges[0].start == 0 && ranges.last().map(|last| last.end) == input.bytes
                    })
                }
            });
            if !tiles {
                return Err(invalid(format!(
                    "the splits of the plan do not cover {} exactly once",
                    input.url
                )));
            }
        }
        match covered.next() {
            Some(_) => Err(invalid("the plan has splits of inputs that it does not list".into())),
            None => Ok(()),
        }
    }

    /// When it was made.
    ///
    /// # Errors
    /// `planned_at` is not a time.
    pub fn time(&self) -> Result<DateTime<FixedOffset>> {
        let message = || format!("`planned_at` of the plan is {:?}, which is not a time", self.planned_at);
        DateTime::parse_from_rfc3339(&self.planned_at).map_err(|_| invalid(message()))
    }

    /// The columns of the inputs.
    pub fn schema(&self) -> Result<Schema> {
        let context = ResolveContext { file: "the plan", null_sequence: None };
        Ok(self.schema.resolve(&context)?.0)
    }

    /// Whether there is nothing to read.
    pub fn is_nothing(&self) -> bool {
        self.inputs.is_empty()
    }
}

fn invalid(message: String) -> Error {
    Error::usage(message).remedy("plan again with this version")
}

/// The share of one process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// From 0; part of the names of this task's files.
    pub number: u32,
    /// In the order in which their records are written.
    pub splits: Vec<Split>,
}

/// A run of whole records of one input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// Index into [`Plan::inputs`].
    pub input: usize,
    /// Absent: the whole input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<SplitRange>,
}

/// A range of an uncompressed UTF-8 input between two true record boundaries.
/// Offsets do not count a byte order mark; the last range of an input ends at
/// its size as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SplitRange {
    /// First byte of text.
    pub start: u64,
    /// End (exclusive).
    pub end: u64,
    /// Lines before `start`.
    pub lines_before: u64,
    /// Records before `start`; headers and skipped records count.
    pub records_before: u64,
}
