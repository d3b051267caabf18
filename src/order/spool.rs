//! Record batches on disk, in order.

use super::scratch::{Scratch, ScratchFile};
use crate::error::{Error, Result};
use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use arrow::error::ArrowError;
use arrow::ipc::CompressionType;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::{IpcWriteOptions, StreamWriter};
use std::io::{BufReader, BufWriter};

/// Writes a [`Spool`]: an Arrow IPC stream, buffers compressed with LZ4, which
/// costs less time than the disk saves.
pub struct SpoolWriter {
    stream: StreamWriter<BufWriter<ScratchFile>>,
    scratch: Scratch,
}

impl SpoolWriter {
    /// An empty spool for batches of this schema.
    pub fn create(schema: &Schema, scratch: &Scratch) -> Result<Self> {
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::LZ4_FRAME));
        let file = BufWriter::new(scratch.file()?);
        let stream = options.and_then(|options| StreamWriter::try_new_with_options(file, schema, options));
        match stream {
            Ok(stream) => Ok(SpoolWriter { stream, scratch: scratch.clone() }),
            Err(cause) => Err(failed(scratch, "write", cause)),
        }
    }

    /// Appends a batch. Takes about its size in memory until it returns.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.stream.write(batch).map_err(|cause| failed(&self.scratch, "write", cause))
    }

    /// Ends the spool.
    pub fn finish(self) -> Result<Spool> {
        let scratch = self.scratch;
        let buffered = self.stream.into_inner().map_err(|cause| failed(&scratch, "write", cause))?;
        let file = buffered.into_inner().map_err(|e| scratch.failed("write", e.error()))?;
        Ok(Spool { file })
    }
}

/// Record batches on disk, compressed, to be read once.
#[derive(Debug)]
pub struct Spool {
    file: ScratchFile,
}

impl Spool {
    /// The batches as they were pushed, one in memory at a time. The file is
    /// gone when the reader is dropped.
    pub fn read(mut self) -> Result<SpoolReader> {
        self.file.rewind()?;
        let scratch = self.file.scratch().clone();
        match StreamReader::try_new(BufReader::new(self.file), None) {
            Ok(stream) => Ok(SpoolReader { stream, scratch }),
            Err(cause) => Err(failed(&scratch, "read", cause)),
        }
    }
}

/// Gives the batches of a [`Spool`].
#[derive(Debug)]
pub struct SpoolReader {
    stream: StreamReader<BufReader<ScratchFile>>,
    scratch: Scratch,
}

impl Iterator for SpoolReader {
    type Item = Result<RecordBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.stream.next()?.map_err(|cause| failed(&self.scratch, "read", cause)))
    }
}

fn failed(scratch: &Scratch, operation: &str, cause: ArrowError) -> Error {
    match cause {
        ArrowError::IoError(_, cause) => scratch.failed(operation, &cause),
        other => scratch.failed(operation, &std::io::Error::other(other)),
    }
}

#[cfg(test)]
#[path = "spool_tests.rs"]
mod tests;
