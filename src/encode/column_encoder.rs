//! One column of a row group: arrays → an encoded column chunk.

use super::chunk::{ChunkEncoder, EncodedChunk};
use super::int96::{Int96Chunk, Int96Encoder};
use arrow::array::{Array, ArrayRef, AsArray, OffsetSizeTrait};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field};
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::writer::SerializedRowGroupWriter;
use std::io::Write;

/// Encodes one column.
pub(super) struct ColumnEncoder {
    form: Form,
    /// Bytes of the longest text or binary value so far.
    longest: Option<u64>,
}

enum Form {
    Own(Box<ChunkEncoder>),
    Arrow(ArrowColumnWriter),
    Int96(Int96Encoder),
}

/// An encoded column chunk.
pub(super) struct EncodedColumn {
    form: EncodedForm,
    pub(super) longest: Option<u64>,
}

enum EncodedForm {
    Own(EncodedChunk),
    Arrow(ArrowColumnChunk),
    Int96(Int96Chunk),
}

impl From<ArrowColumnWriter> for ColumnEncoder {
    fn from(writer: ArrowColumnWriter) -> Self {
        ColumnEncoder { form: Form::Arrow(writer), longest: None }
    }
}

impl From<ChunkEncoder> for ColumnEncoder {
    fn from(encoder: ChunkEncoder) -> Self {
        ColumnEncoder { form: Form::Own(Box::new(encoder)), longest: None }
    }
}

impl From<Int96Encoder> for ColumnEncoder {
    fn from(encoder: Int96Encoder) -> Self {
        ColumnEncoder { form: Form::Int96(encoder), longest: None }
    }
}

impl ColumnEncoder {
    pub(super) fn write(&mut self, field: &Field, array: &ArrayRef) -> Result<(), ParquetError> {
        self.longest = self.longest.max(longest_value(array));
        match &mut self.form {
            Form::Own(encoder) => encoder.write(array),
            Form::Arrow(writer) => {
                compute_leaves(field, array)?.iter().try_for_each(|leaf| writer.write(leaf))
            }
            Form::Int96(encoder) => encoder
                .write(array)
                .map_err(|e| ParquetError::General(format!("column {:?}: {e}", field.name()))),
        }
    }

    /// Bytes of what is encoded, about.
    pub(super) fn encoded_bytes(&self) -> usize {
        match &self.form {
            Form::Own(encoder) => encoder.encoded_bytes(),
            Form::Arrow(writer) => writer.get_estimated_total_bytes(),
            Form::Int96(encoder) => encoder.encoded_bytes(),
        }
    }

    /// Bytes held in memory, about.
    pub(super) fn memory_bytes(&self) -> usize {
        match &self.form {
            Form::Own(encoder) => encoder.memory_bytes(),
            Form::Arrow(writer) => writer.memory_size(),
            Form::Int96(encoder) => encoder.memory_bytes(),
        }
    }

    pub(super) fn close(self) -> Result<EncodedColumn, ParquetError> {
        let form = match self.form {
            Form::Own(encoder) => EncodedForm::Own(encoder.close()?),
            Form::Arrow(writer) => EncodedForm::Arrow(writer.close()?),
            Form::Int96(encoder) => EncodedForm::Int96(encoder.close()?),
        };
        Ok(EncodedColumn { form, longest: self.longest })
    }
}

impl EncodedColumn {
    /// Size.
    pub(super) fn bytes(&self) -> u64 {
        match &self.form {
            EncodedForm::Own(chunk) => chunk.close.bytes_written,
            EncodedForm::Arrow(chunk) => chunk.close().bytes_written,
            EncodedForm::Int96(chunk) => chunk.close.bytes_written,
        }
    }

    pub(super) fn append_to<W: Write + Send>(
        self,
        group: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<(), ParquetError> {
        match self.form {
            EncodedForm::Own(chunk) => group.append_column(&chunk.pages, chunk.close),
            EncodedForm::Arrow(chunk) => chunk.append_to_row_group(group),
            EncodedForm::Int96(chunk) => group.append_column(&chunk.pages, chunk.close),
        }
    }
}

/// Bytes of the longest value of a column of texts or bytes.
fn longest_value(array: &ArrayRef) -> Option<u64> {
    fn longest<O: OffsetSizeTrait>(offsets: &OffsetBuffer<O>) -> Option<u64> {
        offsets.windows(2).map(|pair| (pair[1] - pair[0]).as_usize() as u64).max()
    }
    match array.data_type() {
        DataType::Utf8 => longest(array.as_string::<i32>().offsets()),
        DataType::LargeUtf8 => longest(array.as_string::<i64>().offsets()),
        DataType::Binary => longest(array.as_binary::<i32>().offsets()),
        DataType::LargeBinary => longest(array.as_binary::<i64>().offsets()),
        _ => None,
    }
}
