//! `output.columns`, `output.sort_by` and the rest of `output` against the schema → settings of the Parquet writer.

use crate::error::nearest;
use crate::profile::settings::{stores_arrow_schema, writer_version};
use crate::spanned::{KeyPath, Problem, Problems};
use crate::spec::{ColumnEncoding, ColumnOutput, NullOrder, OutputSpec, SortOrder, StatisticsLevel};
use arrow::datatypes::Schema;
use parquet::arrow::add_encoded_arrow_schema_to_metadata;
use parquet::basic::{Encoding, Type as PhysicalType};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{
    BloomFilterProperties, EnabledStatistics, WriterProperties, WriterPropertiesBuilder,
};
use parquet::schema::types::{ColumnPath, Type};

/// Settings of files with the columns `file`, which are those of `table` but
/// for partition columns.
///
/// PLAIN and dictionary encodings unless a column asks for something else.
pub(super) fn writer_properties(
    table: &Schema,
    file: &Schema,
    parquet: &Type,
    output: &OutputSpec,
) -> Result<WriterProperties, Problems> {
    let mut settings = Settings { table, file, parquet, problems: Problems::default() };
    let mut builder = WriterProperties::builder()
        .set_writer_version(writer_version(output.profile))
        .set_compression(output.compression.get())
        .set_statistics_enabled(statistics(output.statistics))
        .set_data_page_size_limit(output.page_bytes)
        .set_data_page_row_count_limit(output.page_rows)
        .set_dictionary_page_size_limit(output.dictionary_page_bytes)
        .set_sorting_columns(settings.sorting_columns(output))
        .set_created_by(concat!("sawmill version ", env!("CARGO_PKG_VERSION")).to_owned());
    for (name, column) in &output.columns {
        builder = settings.column(builder, name, column);
    }
    let mut properties = settings.problems.or_ok(builder.build())?;
    if stores_arrow_schema(output.profile) {
        add_encoded_arrow_schema_to_metadata(file, &mut properties);
    }
    Ok(properties)
}

fn statistics(level: StatisticsLevel) -> EnabledStatistics {
    match level {
        StatisticsLevel::None => EnabledStatistics::None,
        StatisticsLevel::Chunk => EnabledStatistics::Chunk,
        StatisticsLevel::Page => EnabledStatistics::Page,
    }
}

struct Settings<'a> {
    table: &'a Schema,
    file: &'a Schema,
    parquet: &'a Type,
    problems: Problems,
}

/// Where a column of the output is.
enum ColumnPlace {
    /// Position in the files.
    InFiles(usize),
    /// In the names of directories.
    InDirectories,
}

impl Settings<'_> {
    /// Profiles fold names, so any case will do where it names one column.
    fn find(&mut self, key: &KeyPath, name: &str) -> Option<ColumnPlace> {
        let position = |schema: &Schema| {
            let names = || schema.fields().iter().map(|field| field.name());
            let folded = name.to_lowercase();
            names().position(|other| other == name).or_else(|| {
                let mut alike = names().enumerate().filter(|(_, other)| other.to_lowercase() == folded);
                alike.next().filter(|_| alike.next().is_none()).map(|(position, _)| position)
            })
        };
        if let Some(position) = position(self.file) {
            return Some(ColumnPlace::InFiles(position));
        }
        if position(self.table).is_some() {
            return Some(ColumnPlace::InDirectories);
        }
        let names: Vec<&str> = self.table.fields().iter().map(|field| field.name().as_str()).collect();
        let remedy = match nearest(name, names.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("the columns are: {}", names.join(", ")),
        };
        self.problem(key.clone(), format!("the output has no column {name:?}"), remedy);
        None
    }

    fn problem(&mut self, key: KeyPath, message: impl Into<String>, remedy: impl Into<String>) {
        self.problems.0.push(Problem::new(key, message).remedy(remedy));
    }

    /// Within a file, partition columns have one value, so an order that
    /// names them is the same without them.
    fn sorting_columns(&mut self, output: &OutputSpec) -> Option<Vec<SortingColumn>> {
        let mut columns = Vec::new();
        for (i, sort_key) in output.sort_by.iter().enumerate() {
            let key = KeyPath::from("output").key("sort_by").index(i);
            if let Some(ColumnPlace::InFiles(position)) = self.find(&key, &sort_key.column) {
                if columns.iter().any(|column: &SortingColumn| column.column_idx == position as i32) {
                    // Spelled in two ways, or the check of the job file had found it.
                    let message = format!("duplicate sort column {:?}", sort_key.column);
                    self.problem(key, message, "leave it out");
                    continue;
                }
                columns.push(SortingColumn {
                    column_idx: position as i32,
                    descending: sort_key.order == SortOrder::Descending,
                    nulls_first: sort_key.nulls == NullOrder::First,
                });
            }
        }
        (!columns.is_empty()).then_some(columns)
    }

    fn column(
        &mut self,
        mut builder: WriterPropertiesBuilder,
        name: &str,
        column: &ColumnOutput,
    ) -> WriterPropertiesBuilder {
        let key = KeyPath::from("output").key("columns").key(name);
        let position = match self.find(&key, name) {
            Some(ColumnPlace::InFiles(position)) => position,
            Some(ColumnPlace::InDirectories) => {
                let message = format!("{name:?} is a partition key, which the files do not hold");
                self.problem(
                    key,
                    message,
                    "leave it out here, or out of `output.partition_by` (--partition-by)",
                );
                return builder;
            }
            None => return builder,
        };
        let physical = self.parquet.get_fields()[position].get_physical_type();
        let path = || ColumnPath::new(vec![self.file.field(position).name().clone()]);
        if let Some(codec) = &column.compression {
            builder = builder.set_column_compression(path(), codec.get());
        }
        if let Some(level) = column.statistics {
            builder = builder.set_column_statistics_enabled(path(), statistics(level));
        }
        if let Some(dictionary) = column.dictionary {
            builder = builder.set_column_dictionary_enabled(path(), dictionary);
        }
        if let Some(size) = column.bloom_filter.and_then(|filter| filter.size()) {
            if physical == PhysicalType::BOOLEAN {
                let message = format!("{name:?} is a boolean, which cannot have a bloom filter");
                self.problem(key.key("bloom_filter"), message, "leave it out");
            } else {
                let filter = BloomFilterProperties::builder().with_fpp(size.fpp).with_max_ndv(size.ndv);
                builder = builder.set_column_bloom_filter_properties(path(), filter.build());
            }
        }
        if let Some(encoding) = column.encoding {
            match parquet_encoding(encoding, physical) {
                Some(encoding) => builder = builder.set_column_encoding(path(), encoding),
                None => {
                    let message =
                        format!("{name:?} is stored as {physical}, which this encoding does not support");
                    self.problem(key.key("encoding"), message, "leave it out, or write `plain`");
                }
            }
        }
        builder
    }
}

/// `None`: not for this type ("Encodings.md" of parquet-format).
fn parquet_encoding(encoding: ColumnEncoding, physical: PhysicalType) -> Option<Encoding> {
    use PhysicalType::{BYTE_ARRAY, DOUBLE, FIXED_LEN_BYTE_ARRAY, FLOAT, INT32, INT64};
    match (encoding, physical) {
        (ColumnEncoding::Plain, _) => Some(Encoding::PLAIN),
        (ColumnEncoding::DeltaBinaryPacked, INT32 | INT64) => Some(Encoding::DELTA_BINARY_PACKED),
        (ColumnEncoding::DeltaLengthByteArray, BYTE_ARRAY) => Some(Encoding::DELTA_LENGTH_BYTE_ARRAY),
        (ColumnEncoding::DeltaByteArray, BYTE_ARRAY | FIXED_LEN_BYTE_ARRAY) => {
            Some(Encoding::DELTA_BYTE_ARRAY)
        }
        (ColumnEncoding::ByteStreamSplit, INT32 | INT64 | FLOAT | DOUBLE | FIXED_LEN_BYTE_ARRAY) => {
            Some(Encoding::BYTE_STREAM_SPLIT)
        }
        _ => None,
    }
}
