//! The statistics of a closed file → what reports say of its columns.

use crate::documents::ColumnReport;
use arrow::array::{Array, ArrayRef};
use arrow::compute::{SortOptions, sort_to_indices};
use arrow::datatypes::Schema;
use arrow::util::display::array_value_to_string;
use parquet::arrow::arrow_reader::statistics::StatisticsConverter;
use parquet::basic::Type as PhysicalType;
use parquet::file::metadata::ParquetMetaData;

/// One report for each column. `longest`: bytes of the longest value of each.
pub(super) fn column_reports(
    schema: &Schema,
    metadata: &ParquetMetaData,
    longest: &[Option<u64>],
) -> Vec<ColumnReport> {
    let groups = metadata.row_groups();
    let columns = schema.fields().iter().enumerate();
    let reports = columns.map(|(position, field)| {
        let chunks = || groups.iter().map(|group| group.column(position));
        let nulls =
            chunks().map(|chunk| chunk.statistics().and_then(|statistics| statistics.null_count_opt()));
        let (min, max) = bounds(schema, metadata, position).unwrap_or_default();
        ColumnReport {
            name: field.name().clone(),
            nulls: nulls.sum(),
            min,
            max,
            compressed_bytes: chunks().map(|chunk| chunk.compressed_size().max(0) as u64).sum(),
            max_value_bytes: longest.get(position).copied().flatten(),
        }
    });
    reports.collect()
}

/// Least and greatest value over all row groups, as text.
fn bounds(
    schema: &Schema,
    metadata: &ParquetMetaData,
    position: usize,
) -> Option<(Option<String>, Option<String>)> {
    let parquet = metadata.file_metadata().schema_descr();
    if parquet.column(position).physical_type() == PhysicalType::INT96 {
        // Its order is not defined.
        return None;
    }
    // By its name, it would be looked for among all the others.
    let converter = StatisticsConverter::from_column_index(position, schema.field(position), parquet).ok()?;
    let least = converter.row_group_mins(metadata.row_groups()).ok()?;
    let greatest = converter.row_group_maxes(metadata.row_groups()).ok()?;
    Some((first(&least, false), first(&greatest, true)))
}

/// The first value in this order.
fn first(values: &ArrayRef, descending: bool) -> Option<String> {
    let options = SortOptions { descending, nulls_first: false };
    let order = sort_to_indices(values, Some(options), Some(1)).ok()?;
    let position = order.values().first().map(|position| *position as usize)?;
    values.is_valid(position).then(|| array_value_to_string(values, position).ok()).flatten()
}
