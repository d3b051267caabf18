//! Record batches on disk, in order.

use super::spill_directory::{SpillDirectory, SpillFile};
use crate::error::{Error, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use std::io::{BufReader, BufWriter};

/// Writes a [`Spill`]: an Arrow IPC stream, buffers compressed with LZ4, which
/// costs less time than the disk saves.
pub struct SpillWriter {
    stream: StreamWriter<BufWriter<SpillFile>>,
    spill_directory: SpillDirectory,
}

impl SpillWriter {
    /// An empty spill for batches of this schema.
    pub fn create(schema: &Schema, spill_directory: &SpillDirectory) -> Result<Self> {
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
        let file = BufWriter::new(spill_directory.file()?);
        let stream = options.and_then(|options| StreamWriter::try_new_with_options(file, schema, options));
        match stream {
            Ok(stream) => Ok(SpillWriter { stream, spill_directory: spill_directory.clone() }),
            Err(cause) => Err(failed(spill_directory, "write", cause)),
        }
    }

    /// Appends a batch. Takes about its size in memory until it returns.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.stream.write(batch).map_err(|cause| failed(&self.spill_directory, "write", cause))
    }

    /// Ends the spill.
    pub fn finish(self) -> Result<Spill> {
        let spill_directory = self.spill_directory;
        let buffered = self.stream.into_inner().map_err(|cause| failed(&spill_directory, "write", cause))?;
        let file = buffered.into_inner().map_err(|e| spill_directory.failed("write", e.error()))?;
        Ok(Spill { file })
    }
}

/// Record batches on disk, compressed, to be read once.
#[derive(Debug)]
pub struct Spill {
    file: SpillFile,
}

impl Spill {
    /// The batches as they were pushed, one in memory at a time. The file is
    /// gone when the reader is dropped.
    pub fn read(mut self) -> Result<SpillReader> {
        self.file.rewind()?;
        let spill_directory = self.file.spill_directory().clone();
        match StreamReader::try_new(BufReader::new(self.file), None) {
            Ok(stream) => Ok(SpillReader { stream, spill_directory }),
            Err(cause) => Err(failed(&spill_directory, "read", cause)),
        }
    }
}

/// Gives the batches of a [`Spill`].
#[derive(Debug)]
pub struct SpillReader {
    stream: StreamReader<BufReader<SpillFile>>,
    spill_directory: SpillDirectory,
}

impl Iterator for SpillReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.stream.next()?.map_err(|cause| failed(&self.spill_directory, "read", cause)))
    }
}

fn failed(spill_directory: &SpillDirectory, operation: &str, cause: ArrowError) -> Error {
    match cause {
        ArrowError::IoError(_, cause) => spill_directory.failed(operation, &cause),
        other => spill_directory.failed(operation, &std::io::Error::other(other)),
    }
}

#[cfg(test)]
#[path = "spill_tests.rs"]
mod tests;
