//! What every file of a table has in common.

use super::chunk::ChunkEncoder;
use super::column_encoder::ColumnEncoder;
use super::column_settings::writer_properties;
use super::encode_error;
use super::int96::Int96Encoder;
use super::parquet_schema::parquet_schema;
use crate::error::Result;
use crate::profile::Preflight;
use crate::spec::{OutputSpec, Profile};
use arrow::datatypes::{Schema as ArrowSchema, SchemaRef};
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::basic::Type as PhysicalType;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{SchemaDescriptor, Type as ParquetType, TypePtr};
use std::sync::Arc;

/// Columns, types and settings of every file of a table.
#[derive(Debug, Clone)]
pub struct FileShape {
    schema: SchemaRef,
    parquet_schema: TypePtr,
    properties: WriterPropertiesPtr,
    metadata: Vec<KeyValue>,
    preflight: Option<Arc<Preflight>>,
}

impl FileShape {
    /// The shape of files with the columns `file`, which are those of `table`
    /// but for partition columns.
    ///
    /// # Errors
    /// Settings of `output` that do not fit the columns, all at once, by their keys.
    pub fn new(table: &SchemaRef, file: SchemaRef, output: &OutputSpec) -> Result<Self> {
        let parquet_schema = parquet_schema(&file, output.timestamps, output.decimals)
            .map_err(|cause| encode_error("the table", cause))?;
        let properties = writer_properties(table, &file, &parquet_schema, output)
            .map_err(|problems| problems.into_error("the job"))?;
        let preflight = match output.profile {
            Profile::Standard => None,
            Profile::Spectrum => Some(Arc::new(Preflight::new(table, &file, output))),
        };
        let properties = Arc::new(properties);
        Ok(FileShape { schema: file, parquet_schema, properties, metadata: Vec::new(), preflight })
    }

    /// The same with these pairs in the footer of every file.
    #[must_use]
    pub fn with_metadata(self, metadata: Vec<KeyValue>) -> Self {
        FileShape { metadata, ..self }
    }

    /// The Arrow schema of the batches that go into the files.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The order of rows that every footer declares; positions are those of
    /// [`FileShape::schema`]. Empty: none.
    pub fn sort_columns(&self) -> &[SortingColumn] {
        self.properties.sorting_columns().map_or(&[], Vec::as_slice)
    }

    pub(super) fn parquet_schema(&self) -> TypePtr {
        self.parquet_schema.clone()
    }

    pub(super) fn properties(&self) -> WriterPropertiesPtr {
        self.properties.clone()
    }

    pub(super) fn metadata(&self) -> &[KeyValue] {
        &self.metadata
    }

    /// What footers are checked against; `None`: any will do.
    pub(super) fn preflight(&self) -> Option<&Preflight> {
        self.preflight.as_deref()
    }

    /// Makes encoders for row groups of any file of this shape.
    pub(super) fn row_group_factory(&self) -> Result<RowGroupFactory, ParquetError> {
        let factories = self.schema.fields().iter().zip(self.parquet_schema.get_fields());
        let factories = factories.map(|(field, parquet_field)| -> Result<_, ParquetError> {
            let root = ParquetType::group_type_builder(self.parquet_schema.name());
            let alone = Arc::new(root.with_fields(vec![parquet_field.clone()]).build()?);
            // The factory takes its settings from a file writer, but its column
            // writers belong to no file: one that leads nowhere serves for all.
            let properties = self.properties();
            let nowhere = SerializedFileWriter::new(std::io::sink(), alone, properties)?;
            let schema = Arc::new(ArrowSchema::new(vec![field.clone()]));
            Ok(ArrowRowGroupWriterFactory::new(&nowhere, schema))
        });
        Ok(RowGroupFactory {
            arrow: factories.collect::<Result<_, ParquetError>>()?,
            schema: self.schema.clone(),
            columns: SchemaDescriptor::new(self.parquet_schema()),
            properties: self.properties(),
        })
    }
}

/// Makes the encoders of a row group, each alone: an encoder of numbers begins
/// with some 90 KiB, so of a table with thousands of columns only as many should
/// be there at once as there are threads.
pub(super) struct RowGroupFactory {
    /// One for each column.
    arrow: Vec<ArrowRowGroupWriterFactory>,
    schema: SchemaRef,
    columns: SchemaDescriptor,
    properties: WriterPropertiesPtr,
}

impl RowGroupFactory {
    /// One encoder for each column.
    pub(super) fn encoders(&self) -> Result<Vec<ColumnEncoder>, ParquetError> {
        (0..self.arrow.len()).map(|position| self.encoder(position)).collect()
    }

    /// The encoder of one column.
    pub(super) fn encoder(&self, position: usize) -> Result<ColumnEncoder, ParquetError> {
        let column = self.columns.column(position);
        if column.physical_type() == PhysicalType::INT96 {
            return Ok(Int96Encoder::new(column, self.properties.clone()).into());
        }
        if let Some(encoder) =
            ChunkEncoder::for_column(self.schema.field(position).data_type(), &column, &self.properties)
        {
            return Ok(encoder.into());
        }
        let mut writers = self.arrow[position].create_column_writers(0)?;
        let writer =
            writers.pop().ok_or_else(|| ParquetError::General("a column without a writer".into()))?;
        Ok(writer.into())
    }
}
