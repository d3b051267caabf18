//! One partition: the row group being encoded, and the file being filled.

use super::{CutLimits, FileShape, encode_error};
use crate::error::{Error, Result};
use crate::partition::Partition;
use crate::store::tee::{TeeFile, TeeWriter};
use crate::task::FileReport;
use arrow::array::{ArrayRef, RecordBatch};
use arrow::compute::concat_batches;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedFileWriter;
use rayon::prelude::*;
use std::io::{self, Write};

/// Rows of a partition that are kept as record batches before its encoders are
/// set up. An encoder begins with a dictionary table of some 70 KiB a column,
/// so a partition that gets few rows is far smaller unencoded. Also the number
/// of rows below which slices are joined: a write to a column costs about a
/// microsecond however few rows it brings.
const ENCODE_FROM_ROWS: usize = 8_192;

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
    /// Pieces of `queue`, from its start, that no block is kept alive for.
    owned: usize,
    /// Rows in `queue`.
    queued_rows: usize,
    /// Rows since the last cut, those in `queue` included.
    group_rows: usize,
    /// Empty while no row group is being encoded.
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
            owned: 0,
            queued_rows: 0,
            group_rows: 0,
            columns: Vec::new(),
            closed: Vec::new(),
            file: None,
        }
    }

    /// Queues rows, cutting row groups at exactly the limit.
    pub(super) fn push(&mut self, mut batch: RecordBatch, limits: &CutLimits) {
        self.queued_rows += batch.num_rows();
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

    /// Takes in what a wave has brought: encodes it, columns in parallel, or
    /// keeps it as rows while there are few.
    pub(super) fn settle(
        &mut self,
        shape: &FileShape,
        factory: &ArrowRowGroupWriterFactory,
        limits: &CutLimits,
    ) -> Result<()> {
        if self.columns.is_empty() && self.queued_rows < ENCODE_FROM_ROWS {
            return self.own_queued_rows(shape);
        }
        self.encode(shape, factory)?;
        let encoded: usize = self.columns.iter().map(|column| column.get_estimated_total_bytes()).sum();
        if encoded as u64 >= limits.max_row_group_bytes {
            self.close_group()?;
            self.group_rows = 0;
        }
        Ok(())
    }

    /// Ends the row group with what is queued.
    pub(super) fn end_group(
        &mut self,
        shape: &FileShape,
        factory: &ArrowRowGroupWriterFactory,
    ) -> Result<()> {
        self.encode(shape, factory)?;
        self.group_rows = 0;
        self.close_group()
    }

    /// Copies slices: each would keep the whole block alive that it was cut from.
    fn own_queued_rows(&mut self, shape: &FileShape) -> Result<()> {
        let mut slices = Vec::new();
        for piece in self.queue.split_off(self.owned) {
            match piece {
                Piece::Rows(batch) => slices.push(batch),
                Piece::Cut => {
                    self.own(&mut slices, shape)?;
                    self.queue.push(Piece::Cut);
                }
            }
        }
        self.own(&mut slices, shape)?;
        self.owned = self.queue.len();
        Ok(())
    }

    fn own(&mut self, slices: &mut Vec<RecordBatch>, shape: &FileShape) -> Result<()> {
        if !slices.is_empty() {
            // One array alone would be sliced, not copied.
            slices.push(RecordBatch::new_empty(shape.schema().clone()));
            let joined = concat_batches(shape.schema(), slices.iter());
            let joined = joined.map_err(|e| encode_error(&self.partition.path, e.into()))?;
            self.queue.push(Piece::Rows(joined));
            slices.clear();
        }
        Ok(())
    }

    fn encode(&mut self, shape: &FileShape, factory: &ArrowRowGroupWriterFactory) -> Result<()> {
        let mut batches = Vec::new();
        (self.queued_rows, self.owned) = (0, 0);
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
        self.encode_batches(&batches, shape, factory)
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
        let join = batches.len() > 1 && rows / batches.len() < ENCODE_FROM_ROWS;
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

    /// Ends the row group that is being encoded, if there is one.
    fn close_group(&mut self) -> Result<()> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let columns = std::mem::take(&mut self.columns);
        let chunks: Result<Vec<_>, _> = columns.into_par_iter().map(ArrowColumnWriter::close).collect();
        self.closed.push(chunks.map_err(|e| encode_error(&self.partition.path, e))?);
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

    /// Bytes of the row group under construction: rows, pages, dictionaries.
    pub(super) fn group_bytes(&self) -> u64 {
        let queued = self.queue.iter().map(|piece| match piece {
            Piece::Rows(batch) => batch.get_array_memory_size() as u64,
            Piece::Cut => 0,
        });
        let pages = self.columns.iter().map(|column| column.memory_size() as u64);
        queued.sum::<u64>() + pages.sum::<u64>()
    }

    /// Bytes of the open file that may wait to become a part.
    ///
    /// Depends on what was written and the job's settings only, not on the kind
    /// of target: it decides what is cut, and every target must get the same files.
    pub(super) fn unsent_bytes(&self, limits: &CutLimits) -> u64 {
        self.file.as_ref().map_or(0, |file| file.writer.bytes_written() as u64 % limits.part_bytes)
    }

    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
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
