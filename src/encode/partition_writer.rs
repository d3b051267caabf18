//! One partition: the row group being encoded, and the file being filled.

use super::column_encoder::{ColumnEncoder, EncodedColumn};
use super::file_sizer::{Cut, FileSizer, Fill};
use super::open_file::OpenFile;
use super::shape::RowGroupFactory;
use super::{CutLimits, FileShape, encode_error};
use crate::error::Result;
use crate::partition::Partition;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use parquet::errors::ParquetError;
use rayon::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;

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
    /// The row group is full, with so many rows.
    Cut(u64),
}

/// Encodes the rows of one partition.
pub(super) struct PartitionWriter {
    partition: Arc<Partition>,
    queue: Vec<Piece>,
    /// Pieces of `queue`, from its start, that no block is kept alive for.
    owned: usize,
    /// Rows in `queue`.
    queued_rows: usize,
    /// Rows since the last cut, those in `queue` included.
    group_rows: usize,
    /// Empty while no row group is being encoded.
    columns: Vec<ColumnEncoder>,
    /// Encoded row groups that are not in a file yet.
    closed: VecDeque<ClosedGroup>,
    file: Option<OpenFile>,
    sizer: FileSizer,
    /// Rows so far.
    rows: u64,
    /// Rows in the end, where that is known.
    expected_rows: Option<u64>,
}

/// An encoded row group.
struct ClosedGroup {
    columns: Vec<EncodedColumn>,
    /// As they were counted before they were encoded.
    rows: u64,
    /// Whether the file ends with it.
    ends_file: bool,
}

impl PartitionWriter {
    /// `expected_rows`: that will come, where that is known.
    pub(super) fn new(partition: Arc<Partition>, limits: &CutLimits, expected_rows: Option<u64>) -> Self {
        PartitionWriter {
            partition,
            queue: Vec::new(),
            owned: 0,
            queued_rows: 0,
            group_rows: 0,
            columns: Vec::new(),
            closed: VecDeque::new(),
            file: None,
            sizer: FileSizer::new(limits.target_file_bytes),
            rows: 0,
            expected_rows,
        }
    }

    /// Queues rows, cutting row groups at exactly the limit.
    pub(super) fn push(&mut self, mut batch: RecordBatch, limits: &CutLimits) {
        self.queued_rows += batch.num_rows();
        self.rows += batch.num_rows() as u64;
        while self.group_rows + batch.num_rows() > limits.max_row_group_rows {
            let room = limits.max_row_group_rows - self.group_rows;
            if room > 0 {
                self.group_rows += room;
                self.queue.push(Piece::Rows(batch.slice(0, room)));
                batch = batch.slice(room, batch.num_rows() - room);
            }
            let rows = self.end_count();
            self.queue.push(Piece::Cut(rows));
        }
        if batch.num_rows() > 0 {
            self.group_rows += batch.num_rows();
            self.queue.push(Piece::Rows(batch));
        }
    }

    /// Takes in what a wave has brought: encodes it, columns in parallel, or
    /// keeps it as rows while there are few.
    pub(super) fn settle(&mut self, shape: &FileShape, factory: &RowGroupFactory) -> Result<()> {
        if self.columns.is_empty() && self.queued_rows < ENCODE_FROM_ROWS {
            return self.own_queued_rows(shape);
        }
        self.encode(shape, factory)
    }

    /// Ends the row group if it is large enough, or the file would be with it.
    /// `share` is that of the task's text which has been read, where known;
    /// a known number of rows goes before it.
    /// Called after the wave's full row groups have been moved into files.
    pub(super) fn cut(&mut self, limits: &CutLimits, share: Option<f64>) -> Result<()> {
        let cut = self.sizer.after_wave(self.fill(share), limits.max_row_group_bytes);
        if cut != Cut::None {
            let rows = self.end_count();
            self.close_group(rows, cut == Cut::File)?;
        }
        Ok(())
    }

    /// Ends the row group with what is queued.
    pub(super) fn end_group(&mut self, shape: &FileShape, factory: &RowGroupFactory) -> Result<()> {
        let rows = self.end_count();
        self.queue.push(Piece::Cut(rows));
        self.encode(shape, factory)
    }

    /// The rows of the row group that ends here.
    fn end_count(&mut self) -> u64 {
        std::mem::take(&mut self.group_rows) as u64
    }

    /// Copies slices: each would keep the whole block alive that it was cut from.
    fn own_queued_rows(&mut self, shape: &FileShape) -> Result<()> {
        let mut slices = Vec::new();
        for piece in self.queue.split_off(self.owned) {
            match piece {
                Piece::Rows(batch) => slices.push(batch),
                Piece::Cut(rows) => {
                    self.own(&mut slices, shape)?;
                    self.queue.push(Piece::Cut(rows));
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

    fn encode(&mut self, shape: &FileShape, factory: &RowGroupFactory) -> Result<()> {
        let mut batches = Vec::new();
        (self.queued_rows, self.owned) = (0, 0);
        for piece in std::mem::take(&mut self.queue) {
            match piece {
                Piece::Rows(batch) => batches.push(batch),
                Piece::Cut(rows) if self.columns.is_empty() => {
                    self.encode_group(&batches, rows, shape, factory)?;
                    batches.clear();
                }
                Piece::Cut(rows) => {
                    self.encode_batches(&batches, shape, factory)?;
                    batches.clear();
                    self.close_group(rows, false)?;
                }
            }
        }
        self.encode_batches(&batches, shape, factory)
    }

    fn encode_batches(
        &mut self,
        batches: &[RecordBatch],
        shape: &FileShape,
        factory: &RowGroupFactory,
    ) -> Result<()> {
        if batches.is_empty() {
            return Ok(());
        }
        if self.columns.is_empty() {
            let columns = factory.encoders();
            self.columns = columns.map_err(|e| encode_error(&self.partition.path, e))?;
        }
        self.columns
            .par_iter_mut()
            .enumerate()
            .try_for_each(|(position, column)| write_column(column, batches, position, shape))
            .map_err(|e| encode_error(&self.partition.path, e))
    }

    /// Encodes a row group whose rows are all here, column by column: an encoder
    /// is gone before its thread begins the next.
    fn encode_group(
        &mut self,
        batches: &[RecordBatch],
        rows: u64,
        shape: &FileShape,
        factory: &RowGroupFactory,
    ) -> Result<()> {
        if batches.is_empty() {
            return Ok(());
        }
        let columns =
            (0..shape.schema().fields().len()).into_par_iter().map(|position| -> Result<_, ParquetError> {
                let mut encoder = factory.encoder(position)?;
                write_column(&mut encoder, batches, position, shape)?;
                encoder.close()
            });
        let columns: Result<Vec<_>, ParquetError> = columns.collect();
        let columns = columns.map_err(|e| encode_error(&self.partition.path, e))?;
        self.closed.push_back(ClosedGroup { columns, rows, ends_file: false });
        Ok(())
    }

    /// Ends the row group that is being encoded, if there is one; it was given
    /// so many `rows`.
    fn close_group(&mut self, rows: u64, ends_file: bool) -> Result<()> {
        if self.columns.is_empty() {
            return Ok(());
        }
        let columns = std::mem::take(&mut self.columns);
        let columns: Result<Vec<_>, _> = columns.into_par_iter().map(ColumnEncoder::close).collect();
        let columns = columns.map_err(|e| encode_error(&self.partition.path, e))?;
        self.closed.push_back(ClosedGroup { columns, rows, ends_file });
        Ok(())
    }

    /// Moves closed row groups into files; finished files go to `finished`.
    pub(super) fn flush(
        &mut self,
        share: Option<f64>,
        open: &mut dyn FnMut(&Partition) -> Result<OpenFile>,
        finished: &mut Vec<(Arc<Partition>, OpenFile)>,
    ) -> Result<()> {
        while let Some(group) = self.closed.pop_front() {
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(open(&self.partition)?),
            };
            let before = file.bytes();
            file.append(group.columns, group.rows)?;
            let last = file.bytes() - before;
            if group.ends_file || self.sizer.after_group(self.fill(share), last) {
                self.finish_file(finished);
            }
        }
        Ok(())
    }

    fn fill(&self, share: Option<f64>) -> Fill {
        let group: usize = self.columns.iter().map(ColumnEncoder::encoded_bytes).sum();
        let closed: u64 =
            self.closed.iter().flat_map(|group| &group.columns).map(|column| column.bytes()).sum();
        let file = self.file.as_ref().map_or(0, OpenFile::bytes);
        Fill { file, waiting: group as u64 + closed, share: self.share().or(share) }
    }

    /// Share of the partition's own rows, where their number is known.
    fn share(&self) -> Option<f64> {
        let expected = self.expected_rows.filter(|expected| *expected >= self.rows)?;
        (self.rows > 0).then(|| self.rows as f64 / expected as f64)
    }

    pub(super) fn finish_file(&mut self, finished: &mut Vec<(Arc<Partition>, OpenFile)>) {
        if let Some(file) = self.file.take() {
            self.sizer.end_file(file.bytes());
            finished.push((self.partition.clone(), file));
        }
    }

    /// Bytes of the row group under construction: rows, pages, dictionaries.
    pub(super) fn group_bytes(&self) -> u64 {
        let queued = self.queue.iter().map(|piece| match piece {
            Piece::Rows(batch) => batch.get_array_memory_size() as u64,
            Piece::Cut(_) => 0,
        });
        let pages = self.columns.iter().map(|column| column.memory_bytes() as u64);
        queued.sum::<u64>() + pages.sum::<u64>()
    }

    /// Bytes of the open file that may wait to become a part.
    ///
    /// Depends on what was written and the job's settings only, not on the kind
    /// of target: it decides what is cut, and every target must get the same files.
    pub(super) fn unsent_bytes(&self, limits: &CutLimits) -> u64 {
        self.file.as_ref().map_or(0, |file| file.bytes() % limits.part_bytes)
    }

    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
    }
}

/// Writes one column of the rows to its encoder, joined if they are many slices.
fn write_column(
    encoder: &mut ColumnEncoder,
    batches: &[RecordBatch],
    position: usize,
    shape: &FileShape,
) -> Result<(), ParquetError> {
    let field = shape.schema().field(position);
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    if batches.len() > 1 && rows / batches.len() < ENCODE_FROM_ROWS {
        let arrays: Vec<_> = batches.iter().map(|batch| batch.column(position).as_ref()).collect();
        return encoder.write(field, &arrow::compute::concat(&arrays)?);
    }
    batches.iter().try_for_each(|batch| encoder.write(field, batch.column(position)))
}
