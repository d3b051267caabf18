//! A Parquet file on its way to the targets: row groups, then the footer.

use super::column_encoder::EncodedColumn;
use super::column_report::column_reports;
use super::{FileShape, encode_error};
use crate::error::{Error, Result};
use crate::partition::Partition;
use crate::preflight::Written;
use crate::store::tee::{TeeFile, TeeWriter};
use crate::task::FileReport;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;
use std::io::{self, Write};

/// A file that is being written.
pub(super) struct OpenFile {
    number: u32,
    key: String,
    writer: SerializedFileWriter<Sink>,
    /// Bytes of the longest value of each column.
    longest: Vec<Option<u64>>,
}

/// Lets the tee be taken out of the Parquet writer once the footer is written,
/// without losing it (and the error it keeps) if writing the footer fails.
struct Sink {
    tee: Option<TeeWriter>,
    /// What is sent from the moment that the file is ended; the footer is its end.
    tail: Option<Vec<u8>>,
}

impl Sink {
    fn take_error(&mut self) -> Option<Error> {
        self.tee.as_mut().and_then(|tee| tee.take_error())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(tee) = &mut self.tee else { return Err(io::ErrorKind::BrokenPipe.into()) };
        let written = tee.write(bytes)?;
        if let Some(tail) = &mut self.tail {
            tail.extend_from_slice(&bytes[..written]);
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tee.as_mut().map_or(Ok(()), TeeWriter::flush)
    }
}

impl OpenFile {
    pub(super) fn create(number: u32, key: String, tee: TeeWriter, shape: &FileShape) -> Result<Self> {
        let (schema, properties) = (shape.parquet_schema(), shape.properties());
        let writer = SerializedFileWriter::new(Sink { tee: Some(tee), tail: None }, schema, properties)
            .map_err(|e| encode_error(&key, e))?;
        let longest = vec![None; shape.schema().fields().len()];
        Ok(OpenFile { number, key, writer, longest })
    }

    /// Files count in the order in which they were begun.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Bytes so far, those that are still to be sent included.
    pub(super) fn bytes(&self) -> u64 {
        self.writer.bytes_written() as u64
    }

    pub(super) fn append(&mut self, columns: Vec<EncodedColumn>) -> Result<()> {
        for (longest, column) in self.longest.iter_mut().zip(&columns) {
            *longest = (*longest).max(column.longest);
        }
        let appended = (|| {
            let mut group = self.writer.next_row_group()?;
            for column in columns {
                column.append_to(&mut group)?;
            }
            group.close().map(drop)
        })();
        // A target that fails reaches us as an I/O error inside a Parquet
        // error; the tee keeps the real one.
        appended.map_err(|e: ParquetError| {
            self.writer.inner_mut().take_error().unwrap_or_else(|| encode_error(&self.key, e))
        })
    }

    /// Writes the footer, holds it against the profile, and waits until every
    /// target has the file durably.
    pub(super) fn finish(
        self,
        partition: &Partition,
        shape: &FileShape,
        ledger: KeyValue,
    ) -> Result<FileReport> {
        let OpenFile { key, mut writer, longest, .. } = self;
        let groups = writer.flushed_row_groups();
        let rows = groups.iter().map(|group| group.num_rows()).sum::<i64>() as u64;
        let row_groups = groups.len();
        for pair in shape.metadata().iter().cloned().chain([ledger]) {
            writer.append_key_value_metadata(pair);
        }
        writer.inner_mut().tail = shape.preflight().map(|_| Vec::new());
        let metadata = match writer.finish() {
            Ok(metadata) => metadata,
            Err(e) => {
                return Err(writer.inner_mut().take_error().unwrap_or_else(|| encode_error(&key, e)));
            }
        };
        let sink = writer.inner_mut();
        if let (Some(preflight), Some(tail)) = (shape.preflight(), sink.tail.take()) {
            preflight.check(&key, &tail, &Written { rows, longest: &longest })?;
        }
        let columns = column_reports(shape.schema(), &metadata, &longest);
        let tee = sink.tee.take().expect("taken only here, and `self` is gone after");
        let TeeFile { key, bytes, sha256, staged } = tee.finish()?;
        let partition = partition.values.clone();
        Ok(FileReport { key, partition, rows, row_groups, bytes, sha256, columns, staged })
    }
}
