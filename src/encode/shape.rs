//! What every file of a table has in common.

use arrow::datatypes::SchemaRef;
use parquet::arrow::arrow_writer::ArrowRowGroupWriterFactory;
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::TypePtr;
use std::sync::Arc;

/// Columns, types, codec and page settings of every file of a table.
#[derive(Debug, Clone)]
pub struct FileShape {
    schema: SchemaRef,
    parquet_schema: TypePtr,
    properties: WriterPropertiesPtr,
}

impl FileShape {
    /// Version-1 data pages, PLAIN and dictionary encodings (what Redshift
    /// Spectrum documents), statistics for each column chunk, a page index.
    ///
    /// `embed_arrow_schema` stores the Arrow schema in the footer, from which
    /// Arrow readers restore types that Parquet lacks.
    pub fn new(
        schema: SchemaRef,
        compression: Compression,
        embed_arrow_schema: bool,
    ) -> Result<Self, ParquetError> {
        let parquet_schema = ArrowSchemaConverter::new().schema_root("schema").convert(&schema)?;
        let mut properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_compression(compression)
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_created_by(concat!("sawmill version ", env!("CARGO_PKG_VERSION")).to_owned())
            .build();
        if embed_arrow_schema {
            add_encoded_arrow_schema_to_metadata(&schema, &mut properties);
        }
        let parquet_schema = parquet_schema.root_schema_ptr();
        Ok(FileShape { schema, parquet_schema, properties: Arc::new(properties) })
    }

    /// The Arrow schema of the batches that go into the files.
    pub fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn parquet_schema(&self) -> TypePtr {
        self.parquet_schema.clone()
    }

    pub(super) fn properties(&self) -> WriterPropertiesPtr {
        self.properties.clone()
    }

    /// Makes column writers for row groups of any file of this shape.
    pub(super) fn row_group_factory(&self) -> Result<ArrowRowGroupWriterFactory, ParquetError> {
        // The factory takes its settings from a file writer, but its column
        // writers belong to no file: one that leads nowhere serves for all.
        let nowhere = SerializedFileWriter::new(std::io::sink(), self.parquet_schema(), self.properties())?;
        Ok(ArrowRowGroupWriterFactory::new(&nowhere, self.schema.clone()))
    }
}
