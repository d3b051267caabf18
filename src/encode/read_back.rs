//! The bytes that went to the targets → the footer as a reader will see it.
//!
//! The third count of the ledger, beside the block cutter's and the parser's.
//! It must not come from the Parquet writer, which would only repeat itself:
//! the footer is decoded from what was sent, and checked against the rows that
//! were counted before they went to the encoders.

use crate::error::count::{agree, count};
use crate::error::{Error, ErrorKind};
use crate::schema::WrittenColumn;
use crate::value::ColumnType;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::basic::Type;
use parquet::errors::ParquetError;
use parquet::file::metadata::{FooterTail, ParquetMetaData, ParquetMetaDataOptions, ParquetMetaDataReader};

/// Length of the metadata and the magic, at the end of each file.
const FOOTER_TAIL_BYTES: usize = 8;

/// The footer of a file whose last bytes are `tail`. `groups` are the rows that
/// were handed over for each row group.
///
/// # Errors
/// [`ErrorKind::Accounting`] where the footer cannot be decoded or has other rows.
pub(super) fn footer(file: &str, tail: &[u8], groups: &[u64]) -> Result<ParquetMetaData, Error> {
    let metadata = decode(tail).map_err(|cause| {
        differs(format!("the footer of {file}, as it was sent, cannot be read back: {cause}"))
    })?;
    let handed_over: u64 = groups.iter().sum();
    let in_footer = rows(&metadata);
    if in_footer != handed_over {
        return Err(differs(format!(
            "{file}: {} {} written, its footer says {in_footer}",
            count(handed_over, "row"),
            agree(handed_over, "was", "were")
        )));
    }
    let found: Vec<u64> = metadata.row_groups().iter().map(|group| group.num_rows().max(0) as u64).collect();
    if found != groups {
        let unlike = found.iter().zip(groups).position(|(found, rows)| found != rows);
        let (number, of) = (unlike.unwrap_or(found.len().min(groups.len())), groups.len());
        let rows = |groups: &[u64]| groups.get(number).map_or("none".to_owned(), |rows| count(*rows, "row"));
        return Err(differs(format!(
            "{file}: row group {number} of {of} was given {}, the footer says {}",
            rows(groups),
            rows(&found)
        )));
    }
    Ok(metadata)
}

/// The rows of a file as its footer says.
pub(crate) fn rows(metadata: &ParquetMetaData) -> u64 {
    metadata.file_metadata().num_rows().max(0) as u64
}

/// The columns of a file as its footer says.
///
/// # Errors
/// One has a type that no column of ours has.
pub(crate) fn columns(metadata: &ParquetMetaData) -> Result<Vec<WrittenColumn>, ParquetError> {
    let stored = metadata.file_metadata().schema_descr();
    let schema = parquet_to_arrow_schema(stored, None)?;
    let columns = schema.fields().iter().enumerate().map(|(position, field)| {
        let name = field.name().clone();
        let Some(column_type) = ColumnType::of_arrow(field.data_type()) else {
            let message = format!("its column {name:?} is a {}", field.data_type());
            return Err(ParquetError::General(message));
        };
        // A field of a type of ours is one column.
        let int96 = stored.columns().get(position).is_some_and(|c| c.physical_type() == Type::INT96);
        Ok(WrittenColumn { name, column_type, int96, required: !field.is_nullable() })
    });
    columns.collect()
}

/// The footer at the end of `tail`, or how many bytes of the file's end it takes to read it.
///
/// # Errors
/// What stands there is no footer.
pub(crate) fn footer_in(tail: &[u8]) -> Result<Result<ParquetMetaData, u64>, ParquetError> {
    let Some(last) = tail.last_chunk::<FOOTER_TAIL_BYTES>() else {
        return Err(ParquetError::General("it is cut off".into()));
    };
    let needed = FooterTail::try_new(last)?.metadata_length() + FOOTER_TAIL_BYTES;
    if needed > tail.len() {
        return Ok(Err(needed as u64));
    }
    decode(tail).map(Ok)
}

fn differs(message: String) -> Error {
    Error::new(ErrorKind::Accounting { message })
}

fn decode(tail: &[u8]) -> Result<ParquetMetaData, ParquetError> {
    let cut_off = || ParquetError::General("it is cut off".into());
    let (before, last) = tail.split_last_chunk::<FOOTER_TAIL_BYTES>().ok_or_else(cut_off)?;
    let length = FooterTail::try_new(last)?.metadata_length();
    let start = before.len().checked_sub(length).ok_or_else(cut_off)?;
    // Not as a mask: the preflight looks at the encoding of each kind of page.
    let options = ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
    ParquetMetaDataReader::decode_metadata_with_options(&before[start..], Some(&options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::data_type::Int32Type;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::SerializedFileWriter;
    use parquet::schema::parser::parse_message_type;
    use std::sync::Arc;

    /// A file of row groups of 3 and 1 rows.
    fn file() -> Vec<u8> {
        let schema = Arc::new(parse_message_type("message m { required int32 n; }").unwrap());
        let mut bytes = Vec::new();
        let properties = Arc::new(WriterProperties::default());
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, properties).unwrap();
        for values in [&[1, 2, 3][..], &[4]] {
            let mut group = writer.next_row_group().unwrap();
            let mut column = group.next_column().unwrap().unwrap();
            column.typed::<Int32Type>().write_batch(values, None, None).unwrap();
            column.close().unwrap();
            group.close().unwrap();
        }
        writer.close().unwrap();
        bytes
    }

    #[track_caller]
    fn assert_differs(tail: &[u8], groups: &[u64], says: &str) {
        let error = footer("k=1/part-0.parquet", tail, groups).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Accounting { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("k=1/part-0.parquet") && text.contains(says), "{text}");
    }

    #[test]
    fn rows_are_those_that_were_handed_over() {
        let file = file();
        assert_eq!(rows(&footer("f", &file, &[3, 1]).unwrap()), 4);
        // Bytes before the footer do not matter, nor that they are there.
        assert_eq!(rows(&footer("f", &file[40..], &[3, 1]).unwrap()), 4);
        assert_differs(&file, &[3, 2], "5 rows were written, its footer says 4");
        assert_differs(&file, &[3], "3 rows were written");
        assert_differs(&file, &[], "0 rows were written");
        assert_differs(&file, &[2, 2], "row group 0 of 2 was given 2 rows, the footer says 3");
        assert_differs(&file, &[3, 1, 0], "row group 2 of 3 was given 0 rows, the footer says none");
    }

    #[test]
    fn bytes_that_were_lost_or_altered_on_the_way_are_found() {
        let file = file();
        assert_differs(&file[..file.len() - 1], &[3, 1], "cannot be read back");
        assert_differs(&file[file.len() - 20..], &[3, 1], "cut off");
        assert_differs(b"PAR1", &[3, 1], "cut off");
        let length = u32::from_le_bytes(*file[file.len() - 8..].first_chunk().unwrap()) as usize;
        let footer_at = file.len() - 8 - length;
        // Whatever counts rows: the footer with a byte more or less, one after the other.
        let altered = (footer_at..file.len() - 8).filter(|&position| {
            let mut file = file.clone();
            file[position] ^= 2;
            footer("f", &file, &[3, 1]).is_err()
        });
        assert!(altered.count() >= 3, "the file's rows and those of each row group");
    }
}
