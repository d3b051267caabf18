//! Rejected records → Parquet beside the table, in every target.
//!
//! The files lie under an ignored name inside an ignored directory: what
//! readers of the table scan does not hold them, whichever of the two rules a
//! reader follows. They are staged and committed like the table's own.

use crate::encode::{Consumed, CutLimits, FileNames, FileShape, NoRows, TableWriter};
use crate::error::{Error, ErrorKind, InputProblem, Location, Result};
use crate::job::{OutputSpec, Profile};
use crate::partition::{Partition, PartitionRows};
use crate::plan::{Plan, Task};
use crate::store::tee::TeeFactory;
use crate::task::{FileReport, RecordCounts};
use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use parquet::errors::ParquetError;
use std::sync::Arc;

/// A record that was set aside.
#[derive(Debug, Clone)]
pub(super) struct Reject {
    /// Records before it in its block, headers included.
    pub(super) record_in_block: usize,
    pub(super) location: Location,
    pub(super) rule: &'static str,
    pub(super) message: String,
    /// As it stands in the text, decoded to UTF-8, without its terminator.
    pub(super) raw: Vec<u8>,
}

impl Reject {
    pub(super) fn new(problem: InputProblem, location: Location, record_in_block: usize, raw: &[u8]) -> Self {
        Reject {
            record_in_block,
            location,
            rule: problem.rule(),
            message: problem.to_string(),
            raw: raw.to_vec(),
        }
    }
}

/// Writes the rejects of one task. No reject, no file.
pub(super) struct Quarantine<'a> {
    plan: &'a Plan,
    key: String,
    schema: SchemaRef,
    tee: &'a TeeFactory,
    writer: Option<TableWriter<'a>>,
    /// Rows written so far.
    rows: u64,
}

impl<'a> Quarantine<'a> {
    pub(super) fn new(plan: &'a Plan, task: &Task, tee: &'a TeeFactory) -> Self {
        let key = match &plan.single_file {
            Some(name) => format!("{}.rejects.parquet", name.strip_suffix(".parquet").unwrap_or(name)),
            None => format!("_sawmill/quarantine/_rejects-{:05}-{}.parquet", task.number, plan.attempt),
        };
        Quarantine { plan, key, schema: schema(), tee, writer: None, rows: 0 }
    }

    /// Adds rejects, in order.
    pub(super) fn write(&mut self, rejects: Vec<Reject>) -> Result<()> {
        if rejects.is_empty() || !self.plan.job.errors.quarantine {
            return Ok(());
        }
        let batch = self.batch(&rejects).map_err(|cause| self.failure(cause.into()))?;
        self.rows += batch.num_rows() as u64;
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.open()?,
        };
        let (rows, consumed) = (PartitionRows { partition: Partition::default(), batch }, self.consumed());
        self.writer.insert(writer).write([rows], consumed)
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
        let shape = FileShape::new(&self.schema, self.schema.clone(), &output)?;
        let limits = CutLimits { target_file_bytes: u64::MAX, ..super::cut_limits(self.plan) };
        TableWriter::new(shape, limits, FileNames::Single(self.key.clone()), NoRows::WriteNothing, self.tee)
    }

    fn batch(&self, rejects: &[Reject]) -> Result<RecordBatch, arrow::error::ArrowError> {
        let number = |of: fn(&Location) -> Option<u64>| -> ArrayRef {
            let numbers = rejects.iter().map(|reject| of(&reject.location).map(|number| number as i64));
            Arc::new(numbers.collect::<Int64Array>())
        };
        let text = |of: fn(&Reject) -> Option<&str>| -> ArrayRef {
            Arc::new(rejects.iter().map(of).collect::<StringArray>())
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(rejects.iter().map(|_| &self.plan.attempt))),
            text(|reject| Some(&reject.location.url)),
            number(|location| location.byte_offset),
            number(|location| location.line),
            number(|location| location.record),
            text(|reject| reject.location.column.as_deref()),
            text(|reject| Some(reject.rule)),
            text(|reject| Some(&reject.message)),
            Arc::new(BinaryArray::from_iter_values(rejects.iter().map(|reject| &reject.raw))),
        ];
        RecordBatch::try_new(self.schema.clone(), columns)
    }

    fn failure(&self, cause: ParquetError) -> Error {
        ErrorKind::Encode { file: self.key.clone(), cause }.into()
    }
}

fn schema() -> SchemaRef {
    let field = |name, data_type, nullable| Field::new(name, data_type, nullable);
    Arc::new(Schema::new(vec![
        field("run", DataType::Utf8, false),
        field("source", DataType::Utf8, false),
        field("byte_offset", DataType::Int64, true),
        field("line", DataType::Int64, true),
        field("record", DataType::Int64, true),
        field("column", DataType::Utf8, true),
        field("rule", DataType::Utf8, false),
        field("message", DataType::Utf8, false),
        field("raw", DataType::Binary, false),
    ]))
}
