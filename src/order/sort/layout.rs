//! What rows are sorted by, as bytes that compare like them.

use super::buffer::{Batch, PartitionOf};
use super::chunks::Chunk;
use crate::error::{Error, Result};
use crate::order::refused;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};
use parquet::file::metadata::SortingColumn;
use std::sync::Arc;

/// A column to sort by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SortColumn {
    /// Its position in the files.
    pub column: usize,
    /// Largest first.
    pub descending: bool,
    /// Nulls before all values, or behind all; whatever `descending` is.
    pub nulls_first: bool,
}

impl From<&SortingColumn> for SortColumn {
    fn from(declared: &SortingColumn) -> Self {
        // Positions of columns are never negative; one that is not there fails [`Layout::new`].
        let column = usize::try_from(declared.column_idx).unwrap_or(usize::MAX);
        SortColumn { column, descending: declared.descending, nulls_first: declared.nulls_first }
    }
}

/// The columns of rows, in memory and on disk.
pub(super) struct Layout {
    schema: SchemaRef,
    spool_schema: SchemaRef,
    columns: Vec<usize>,
    converter: RowConverter,
}

impl Layout {
    pub(super) fn new(schema: &SchemaRef, columns: &[SortColumn]) -> Result<Self> {
        let key = |&SortColumn { column, descending, nulls_first }: &SortColumn| {
            let field = schema.fields().get(column)?;
            let options = SortOptions { descending, nulls_first };
            Some(SortField::new_with_options(field.data_type().clone(), options))
        };
        let fields: Option<Vec<SortField>> = columns.iter().map(key).collect();
        let Some(fields) = fields.filter(|fields| !fields.is_empty()) else {
            return Err(Error::usage("a sort needs columns, and they must be in the files"));
        };
        let mut spilled = schema.fields().to_vec();
        spilled.push(Arc::new(Field::new("partition", DataType::UInt32, false)));
        Ok(Layout {
            schema: schema.clone(),
            spool_schema: Arc::new(Schema::new_with_metadata(spilled, schema.metadata().clone())),
            columns: columns.iter().map(|column| column.column).collect(),
            converter: RowConverter::new(fields).map_err(refused)?,
        })
    }

    pub(super) fn spool_schema(&self) -> &SchemaRef {
        &self.spool_schema
    }

    /// The keys of rows with these columns.
    pub(super) fn keys(&self, columns: &[ArrayRef]) -> Result<Rows> {
        let columns: Vec<ArrayRef> = self.columns.iter().map(|&column| columns[column].clone()).collect();
        self.converter.convert_columns(&columns).map_err(refused)
    }

    /// A chunk as it goes to disk.
    pub(super) fn with_partitions(&self, chunk: Chunk) -> Result<RecordBatch> {
        let mut columns = chunk.rows.columns().to_vec();
        let numbers = chunk.partitions.iter().map(|partition| partition.number());
        columns.push(Arc::new(UInt32Array::from_iter_values(numbers)));
        RecordBatch::try_new(self.spool_schema.clone(), columns).map_err(refused)
    }

    /// A chunk as it came from disk, and its bytes with keys.
    pub(super) fn loaded(&self, chunk: &RecordBatch) -> Result<(Batch, u64)> {
        let (partitions, columns) = chunk.columns().split_last().expect("the writer adds a column");
        let rows = RecordBatch::try_new(self.schema.clone(), columns.to_vec()).map_err(refused)?;
        let keys = self.keys(rows.columns())?;
        let count = rows.num_rows() as u64;
        let bytes = row_bytes(&rows) + 4 * count + keys.size() as u64;
        let partitions = PartitionOf::Each(partitions.as_primitive().clone());
        Ok((Batch { rows, keys, partitions, row_bytes: bytes / count.max(1) }, bytes))
    }
}

/// Bytes that the rows of this batch take, without what else its buffers hold.
pub(super) fn row_bytes(batch: &RecordBatch) -> u64 {
    let size = |column: &ArrayRef| column.to_data().get_slice_memory_size();
    // Types whose slices cannot be measured are counted whole.
    batch
        .columns()
        .iter()
        .map(|column| size(column).unwrap_or_else(|_| column.get_buffer_memory_size()) as u64)
        .sum()
}
