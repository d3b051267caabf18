//! One partition: the row group being encoded, and the file being filled.

use super::{CutLimits, FileShape, encode_error};
use crate::error::{Error, Result};
use crate::partition::Partition;
use crate::store::tee::{TeeFile, TeeWriter};
use crate::task::FileReport;
use arrow::array::{ArrayRef, RecordBatch};
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;
use std::io::{self, Write};

/// Slices below this many rows are joined before they are encoded: each write
/// to a column costs about a microsecond however few rows it brings.
const JOIN_BELOW_ROWS: usize = 4_096;

/// What waits to be encoded.
#[derive(Debug)]
enum Piece {
    Rows(RecordBatch),
    /// The row group is full.
    Cut,
}

/// Encodes the rows of one partition.
pub(super) struct PartitionWriter {
    partition: Partition,
    queue: Vec<Piece>,
    /// Rows of the row group that is open, those still in `queue` included.
    group_rows: usize,
    /// Empty while no row group is open.
    columns: Vec<ArrowColumnWriter>,
    /// Encoded row groups that are not in a file yet.
    closed: Vec<Vec<ArrowColumnChunk>>,
    file: Option<OpenFile>,
}

/// A file that holds at least one row group.
pub(super) struct OpenFile {
    number: u32,
    key: String,
    writer: SerializedFileWriter<Sink>,
}

/// Lets the tee be taken out of the Parquet writer once the footer is written,
/// without losing it (and the error it keeps) if writing the footer fails.
struct Sink(Option<TeeWriter>);

impl Sink {
    fn take_error(&mut self) -> Option<Error> {
        self.0.as_mut().and_then(|tee| tee.take_error())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Some(tee) => tee.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.as_mut().map_or(Ok(()), TeeWriter::flush)
    }
}

impl PartitionWriter {
    pub(super) fn new(partition: Partition) -> Self {
        PartitionWriter {
            partition,
            queue: Vec::new(),
            group_rows: 0,
            columns: Vec::new(),
            closed: Vec::new(),
            file: None,
        }
    }

    /// Queues rows, cutting row groups at exactly the limit.
    pub(super) fn push(&mut self, mut batch: RecordBatch, limits: &CutLimits) {
        while self.group_rows + batch.num_rows() > limits.max_row_group_rows {
            let room = limits.max_row_group_rows - self.group_rows;
            if room > 0 {
                self.queue.push(Piece::Rows(batch.slice(0, room)));
                batch = batch.slice(room, batch.num_rows() - room);
            }
            self.queue.push(Piece::Cut);
            self.group_rows = 0;
        }
        if batch.num_rows() > 0 {
            self.group_rows += batch.num_rows();
            self.queue.push(Piece::Rows(batch));
        }
    }

    pub(super) fn has_queued(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether it holds pages or an unfinished file.
    pub(super) fn is_open(&self) -> bool {
        !self.columns.is_empty() || self.file.is_some()
    }

    /// Encodes everything queued; columns in parallel.
    pub(super) fn encode(
        &mut self,
        shape: &FileShape,
        factory: &ArrowRowGroupWriterFactory,
        limits: &CutLimits,
    ) -> Result<()> {
        let mut batches = Vec::new();
        for piece in std::mem::take(&mut self.queue) {
            match piece {
                Piece::Rows(batch) => batches.push(batch),
                Piece::Cut => {
                    self.encode_batches(&batches, shape, factory)?;
                    batches.clear();
                    self.close_group()?;
                }
            }
        }
        self.encode_batches(&batches, shape, factory)?;
        let encoded: usize = self.columns.iter().map(|column| column.get_estimated_total_bytes()).sum();
        if encoded as u64 >= limits.max_row_group_bytes {
            self.close_group()?;
        }
        Ok(())
    }

    fn encode_batches(
        &mut self,
        batches: &[RecordBatch],
        shape: &FileShape,
        factory: &ArrowRowGroupWriterFactory,
    ) -> Result<()> {
        if batches.is_empty() {
            return Ok(());
        }
        if self.columns.is_empty() {
            let columns = factory.create_column_writers(0);
            self.columns = columns.map_err(|e| encode_error(&self.partition.path, e))?;
        }
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        let join = batches.len() > 1 && rows / batches.len() < JOIN_BELOW_ROWS;
        self.columns
            .par_iter_mut()
            .enumerate()
            .try_for_each(|(position, column)| {
                let field = shape.schema().field(position);
                let mut write = |array: &ArrayRef| -> Result<(), ParquetError> {
                    for leaf in compute_leaves(field, array)? {
                        column.write(&leaf)?;
                    }
                    Ok(())
                };
                if join {
                    let arrays: Vec<_> =
                        batches.iter().map(|batch| batch.column(position).as_ref()).collect();
                    write(&arrow::compute::concat(&arrays)?)
                } else {
                    batches.iter().try_for_each(|batch| write(batch.column(position)))
                }
            })
            .map_err(|e| encode_error(&self.partition.path, e))
    }

    /// Ends the open row group, if there is one.
    pub(super) fn close_group(&mut self) -> Result<()> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let columns = std::mem::take(&mut self.columns);
        let chunks: Result<Vec<_>, _> = columns.into_par_iter().map(ArrowColumnWriter::close).collect();
        self.closed.push(chunks.map_err(|e| encode_error(&self.partition.path, e))?);
        self.group_rows = 0;
        Ok(())
    }

    /// Moves closed row groups into files; finished files go to `finished`.
    pub(super) fn flush(
        &mut self,
        limits: &CutLimits,
        open: &mut dyn FnMut(&Partition) -> Result<OpenFile>,
        finished: &mut Vec<(Partition, OpenFile)>,
    ) -> Result<()> {
        for chunks in std::mem::take(&mut self.closed) {
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(open(&self.partition)?),
            };
            file.append(chunks)?;
            if file.writer.bytes_written() as u64 >= limits.target_file_bytes {
                self.finish_file(finished);
            }
        }
        Ok(())
    }

    pub(super) fn finish_file(&mut self, finished: &mut Vec<(Partition, OpenFile)>) {
        if let Some(file) = self.file.take() {
            finished.push((self.partition.clone(), file));
        }
    }

    /// Bytes of pages held for the open row group.
    pub(super) fn group_bytes(&self) -> u64 {
        self.columns.iter().map(|column| column.memory_size() as u64).sum()
    }

    /// Bytes of the open file that are not on their way to the targets yet.
    pub(super) fn unsent_bytes(&self) -> u64 {
        self.file
            .as_ref()
            .map_or(0, |file| file.writer.inner().0.as_ref().map_or(0, |tee| tee.bytes_buffered() as u64))
    }
}

impl OpenFile {
    pub(super) fn create(number: u32, key: String, tee: TeeWriter, shape: &FileShape) -> Result<Self> {
        let (schema, properties) = (shape.parquet_schema(), shape.properties());
        let writer = SerializedFileWriter::new(Sink(Some(tee)), schema, properties)
            .map_err(|e| encode_error(&key, e))?;
        Ok(OpenFile { number, key, writer })
    }

    /// Files count in the order in which they were begun.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    fn append(&mut self, chunks: Vec<ArrowColumnChunk>) -> Result<()> {
        let appended = (|| {
            let mut group = self.writer.next_row_group()?;
            for chunk in chunks {
                chunk.append_to_row_group(&mut group)?;
            }
            group.close().map(drop)
        })();
        // A target that fails reaches us as an I/O error inside a Parquet
        // error; the tee keeps the real one.
        appended.map_err(|e: ParquetError| {
            self.writer.inner_mut().take_error().unwrap_or_else(|| encode_error(&self.key, e))
        })
    }

    /// Writes the footer and waits until every target holds the file durably.
    pub(super) fn finish(self, partition: &Partition) -> Result<FileReport> {
        let OpenFile { key, mut writer, .. } = self;
        let groups = writer.flushed_row_groups();
        let rows: i64 = groups.iter().map(|group| group.num_rows()).sum();
        let row_groups = groups.len();
        if let Err(e) = writer.finish() {
            return Err(writer.inner_mut().take_error().unwrap_or_else(|| encode_error(&key, e)));
        }
        let tee = writer.inner_mut().0.take().expect("taken only here, and `self` is gone after");
        let TeeFile { key, bytes, sha256, staged } = tee.finish()?;
        let rows = rows as u64;
        Ok(FileReport { key, partition: partition.values.clone(), rows, row_groups, bytes, sha256, staged })
    }
}
