//! Rejected records → Parquet beside the table, in every target.
//!
//! The files lie under an ignored name inside an ignored directory: what
//! readers of the table scan does not hold them, whichever of the two rules a
//! reader follows. They are staged and committed like the table's own.

use crate::document::{KeyPath, Problem};
use crate::encode::{CutLimits, FileNames, FileShape, TableWriter};
use crate::error::{Error, ErrorKind, InputProblem, Location, Result};
use crate::job::parse_compression;
use crate::partition::{Partition, PartitionRows};
use crate::plan::{Plan, Task};
use crate::store::tee::TeeFactory;
use crate::task::FileReport;
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
}

impl<'a> Quarantine<'a> {
    pub(super) fn new(plan: &'a Plan, task: &Task, tee: &'a TeeFactory) -> Self {
        let key = match &plan.single_file {
            Some(name) => format!("{}.rejects.parquet", name.strip_suffix(".parquet").unwrap_or(name)),
            None => format!("_sawmill/quarantine/_rejects-{:05}-{}.parquet", task.number, plan.attempt),
        };
        Quarantine { plan, key, schema: schema(), tee, writer: None }
    }

    /// Adds rejects, in order.
    pub(super) fn write(&mut self, rejects: Vec<Reject>) -> Result<()> {
        if rejects.is_empty() {
            return Ok(());
        }
        let batch = self.batch(&rejects).map_err(|cause| self.failure(cause.into()))?;
        let writer = match self.writer.take() {
            Some(writer) => writer,
            None => self.open()?,
        };
        let rows = PartitionRows { partition: Partition::default(), batch };
        self.writer.insert(writer).write([rows])
    }

    /// The staged files.
    pub(super) fn finish(self) -> Result<Vec<FileReport>> {
        self.writer.map_or(Ok(Vec::new()), TableWriter::finish)
    }

    fn open(&self) -> Result<TableWriter<'a>> {
        let output = &self.plan.job.output;
        let compression = parse_compression(&output.compression).map_err(|error| {
            Problem::new(KeyPath::from("output.compression"), error.to_string()).into_error("job")
        })?;
        let shape =
            FileShape::new(self.schema.clone(), compression, false).map_err(|cause| self.failure(cause))?;
        let limits = CutLimits { target_file_bytes: u64::MAX, ..super::cut_limits(self.plan) };
        TableWriter::new(shape, limits, FileNames::Single(self.key.clone()), self.tee)
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
