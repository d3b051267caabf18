//! Rejected records → Parquet beside the table, in every target.
//!
//! The files lie under an ignored name inside an ignored directory, and are not called
//! `*.parquet`: what readers of the table scan does not hold them, whichever of the three rules
//! a reader follows ([`rejects_key`]). They are staged and committed like the table's own.

use crate::documents::{FileReport, Plan, RecordCounts, Task};
use crate::encode::{Consumed, CutLimits, FileNames, FileShape, NoRows, TableWriter, rejects_key};
use crate::error::{ErrorKind, InputProblem, Location, Result};
use crate::partition::{PartitionId, PartitionRows};
use crate::spec::{OutputSpec, Profile};
use crate::store::tee::TeeFactory;
use arrow::array::{
    ArrayRef, BinaryArray, DictionaryArray, Int32Array, Int64Array, RecordBatch, StringArray,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// A record that was set aside.
#[derive(Debug, Clone)]
pub(super) struct Reject {
    /// Records before it in its block, headers included.
    pub(super) record_in_block: usize,
    pub(super) location: Location,
    pub(super) rule: &'static str,
    pub(super) message: String,
    /// As it stands in the text, decoded to UTF-8, without its terminator;
    /// `None` if values are not to be kept.
    pub(super) raw: Option<Vec<u8>>,
}

impl Reject {
    /// `keep_values`: whether what is kept may hold values of the record.
    pub(super) fn new(
        problem: InputProblem,
        location: Location,
        record_in_block: usize,
        raw: &[u8],
        keep_values: bool,
    ) -> Self {
        let rule = problem.rule();
        let problem = if keep_values { problem } else { problem.without_values() };
        let raw = keep_values.then(|| raw.to_vec());
        Reject { record_in_block, location, rule, message: problem.to_string(), raw }
    }
}

/// Writes the rejects of one task. No reject, no file.
pub(super) struct Quarantine<'a> {
    plan: &'a Plan,
    key: String,
    tee: &'a TeeFactory,
    writer: Option<TableWriter<'a>>,
    /// Rows written so far.
    rows: u64,
}

impl<'a> Quarantine<'a> {
    pub(super) fn new(plan: &'a Plan, task: &Task, tee: &'a TeeFactory) -> Self {
        let key = rejects_key(task.number, &plan.attempt);
        Quarantine { plan, key, tee, writer: None, rows: 0 }
    }

    /// Adds the rejects of some blocks, in order, as [`batch`] made them.
    pub(super) fn write(&mut self, rejects: Vec<RecordBatch>) -> Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        self.rows += rejects.iter().map(|batch| batch.num_rows() as u64).sum::<u64>();
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.open()?,
        };
        let rows = rejects.into_iter().map(|batch| PartitionRows { partition: PartitionId::ROOT, batch });
        let consumed = self.consumed();
        self.writer.insert(writer).write(rows, consumed)
    }

    /// The staged files.
    pub(super) fn finish(self) -> Result<Vec<FileReport>> {
        let records = self.consumed().records;
        self.writer.map_or(Ok(Vec::new()), |writer| writer.finish(records))
    }

    /// What this table has taken up: nothing but rejected records.
    fn consumed(&self) -> Consumed {
        let records = RecordCounts { read: self.rows, rejected: self.rows, ..RecordCounts::default() };
        Consumed { records, ..Consumed::default() }
    }

    fn open(&self) -> Result<TableWriter<'a>> {
        // Not for Spectrum to read: its rules do not hold here.
        let output = OutputSpec {
            profile: Profile::Standard,
            compression: self.plan.job.output.compression.clone(),
            ..OutputSpec::default()
        };
        let shape = FileShape::new(&schema(), schema(), &output)?;
        let limits = CutLimits { target_file_bytes: u64::MAX, ..super::lane::cut_limits(self.plan) };
        let names = FileNames::Single(self.key.clone());
        TableWriter::new(shape, limits, names, NoRows::WriteNothing, self.tee, Arc::default())
    }
}

/// Rejects of one block as rows of the quarantine. What is the same in all of
/// them is held once: where every record is bad, there are many.
pub(super) fn batch(run: &str, url: &str, rejects: &[Reject]) -> Result<RecordBatch> {
    let number = |of: fn(&Location) -> Option<u64>| -> ArrayRef {
        let numbers = rejects.iter().map(|reject| of(&reject.location).map(|number| number as i64));
        Arc::new(numbers.collect::<Int64Array>())
    };
    let text = |of: fn(&Reject) -> Option<&str>| -> ArrayRef {
        Arc::new(rejects.iter().map(of).collect::<StringArray>())
    };
    let same = |text: &str| -> ArrayRef {
        let keys = Int32Array::from(vec![0; rejects.len()]);
        Arc::new(DictionaryArray::new(keys, Arc::new(StringArray::from(vec![text]))))
    };
    let columns: Vec<ArrayRef> = vec![
        same(run),
        same(url),
        number(|location| location.byte_offset),
        number(|location| location.line),
        number(|location| location.record),
        text(|reject| reject.location.column.as_deref()),
        text(|reject| Some(reject.rule)),
        text(|reject| Some(&reject.message)),
        Arc::new(rejects.iter().map(|reject| reject.raw.as_deref()).collect::<BinaryArray>()),
    ];
    RecordBatch::try_new(schema(), columns)
        .map_err(|cause| ErrorKind::Compute { step: "collecting rejected records", cause }.into())
}

fn schema() -> SchemaRef {
    let once = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let field = |name, data_type, nullable| Field::new(name, data_type, nullable);
    Arc::new(Schema::new(vec![
        field("run", once.clone(), false),
        field("source", once, false),
        field("byte_offset", DataType::Int64, true),
        field("line", DataType::Int64, true),
        field("record", DataType::Int64, true),
        field("column", DataType::Utf8, true),
        field("rule", DataType::Utf8, false),
        field("message", DataType::Utf8, false),
        field("raw", DataType::Binary, true),
    ]))
}
