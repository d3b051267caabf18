//! A Parquet file on its way to the targets: row groups, then the footer.

use super::column_encoder::EncodedColumn;
use super::column_report::column_reports;
use super::{FileShape, encode_error, read_back};
use crate::documents::FileReport;
use crate::error::{Error, Result};
use crate::partition::Partition;
use crate::store::tee::{TeeFile, TeeWriter};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::writer::SerializedFileWriter;
use std::io::{self, Write};

/// A file that is being written.
pub(super) struct OpenFile {
    number: u32,
    key: String,
    writer: SerializedFileWriter<Sink>,
    /// Rows of each row group, as counted before they were encoded.
    groups: Vec<u64>,
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
        Ok(OpenFile { number, key, writer, groups: Vec::new(), longest })
    }

    /// Files count in the order in which they were begun.
    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Bytes so far, those that are still to be sent included.
    pub(super) fn bytes(&self) -> u64 {
        self.writer.bytes_written() as u64
    }

    /// Appends a row group of so many `rows`.
    pub(super) fn append(&mut self, columns: Vec<EncodedColumn>, rows: u64) -> Result<()> {
        self.groups.push(rows);
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

    /// Writes the footer, reads it back from what was sent, checks it against
    /// the rows and the profile, and waits until every target has the file durably.
    pub(super) fn finish(
        self,
        partition: &Partition,
        shape: &FileShape,
        ledger: KeyValue,
    ) -> Result<FileReport> {
        let OpenFile { key, mut writer, groups, longest, .. } = self;
        for pair in shape.metadata().iter().cloned().chain([ledger]) {
            writer.append_key_value_metadata(pair);
        }
        writer.inner_mut().tail = Some(Vec::new());
        // What the writer says of the file is passed over: readers see what was sent.
        if let Err(e) = writer.finish() {
            return Err(writer.inner_mut().take_error().unwrap_or_else(|| encode_error(&key, e)));
        }
        let sink = writer.inner_mut();
        let metadata = read_back::footer(&key, &sink.tail.take().unwrap_or_default(), &groups)?;
        if let Some(preflight) = shape.preflight() {
            preflight.check(&key, &metadata, &longest)?;
        }
        let columns = column_reports(shape.schema(), &metadata, &longest);
        let tee = sink.tee.take().expect("taken only here, and `self` is gone after");
        let TeeFile { key, bytes, sha256, staged } = tee.finish()?;
        let (rows, row_groups) = (read_back::rows(&metadata), metadata.num_row_groups());
        let partition = partition.values.clone();
        tracing::debug!(key, rows, bytes, "staged a file");
        Ok(FileReport { key, partition, rows, row_groups, bytes, sha256, columns, staged })
    }
}
