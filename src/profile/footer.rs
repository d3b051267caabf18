//! The footer of a file, as it went to the targets → what Redshift Spectrum would not read.
//!
//! [`super::columns`] refuses columns before a run. This looks at the other end:
//! it takes the footer as the encoders have read it back from the bytes that were
//! sent, and checks it against the table's columns and every [`Rule`]. A file that
//! breaks one fails its task before the file, or any other, is visible. What only
//! costs speed is said, not refused ([`super::settings`]). Called by `encode` for
//! `output.profile = "spectrum"`.

use super::Rule;
use super::columns::{MAX_COLUMNS, MAX_NAME_BYTES};
use super::declared::{self, Declared};
use crate::error::lists::quoted;
use crate::error::{Error, ErrorKind};
use crate::spec::OutputSpec;
use arrow::datatypes::Schema;
use parquet::basic::{Compression, Encoding, PageType};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use std::collections::HashSet;

/// Longest VARCHAR in bytes ("Character types", Amazon Redshift Database Developer Guide).
pub const MAX_TEXT_BYTES: u64 = 65_535;

/// What the footers of a table are checked against.
#[derive(Debug)]
pub struct Preflight {
    columns: Vec<Declared>,
    /// Columns that only directories hold.
    partition_columns: Vec<String>,
}

/// A rule that a file breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What is found, and where.
    pub message: String,
}

pub(super) fn broken(rule: Rule, message: impl Into<String>) -> Result<(), Violation> {
    Err(Violation { rule, message: message.into() })
}

impl Preflight {
    /// For files with the columns `file`, which are those of `table` but for
    /// partition columns.
    pub fn new(table: &Schema, file: &Schema, output: &OutputSpec) -> Self {
        let in_directories = table.fields().iter().filter(|field| file.index_of(field.name()).is_err());
        let derived = output.partition_by.iter().map(|key| key.name().to_owned());
        let partition_columns = in_directories.map(|field| field.name().clone()).chain(derived);
        Preflight {
            columns: file.fields().iter().map(|field| Declared::new(field, output)).collect(),
            partition_columns: partition_columns.collect(),
        }
    }

    /// Checks a file by its footer and by `longest`, the bytes of the longest
    /// value of each column of texts, which no footer holds.
    ///
    /// # Errors
    /// [`ErrorKind::Preflight`] with the first rule that the file breaks.
    pub fn check(
        &self,
        file: &str,
        metadata: &ParquetMetaData,
        longest: &[Option<u64>],
    ) -> Result<(), Error> {
        let checked = self.check_metadata(metadata).and_then(|()| self.check_longest(longest));
        checked.map_err(|Violation { rule, message }| {
            let kind = ErrorKind::Preflight { file: file.to_owned(), rule: rule.id(), message };
            Error::new(kind).remedy(rule.remedy())
        })
    }

    fn check_metadata(&self, metadata: &ParquetMetaData) -> Result<(), Violation> {
        self.check_names(metadata)?;
        self.check_types(metadata)?;
        for (number, group) in metadata.row_groups().iter().enumerate() {
            for column in group.columns() {
                check_chunk(column).map_err(|violation| Violation {
                    message: format!("row group {number}, {}", violation.message),
                    ..violation
                })?;
            }
        }
        Ok(())
    }

    fn check_names(&self, metadata: &ParquetMetaData) -> Result<(), Violation> {
        let columns = metadata.file_metadata().schema_descr().columns();
        let all = columns.len() + self.partition_columns.len();
        if all > MAX_COLUMNS {
            return broken(Rule::ColumnCount, format!("there are {all} columns, keys included"));
        }
        let mut names = HashSet::new();
        for column in columns {
            let name = column.name();
            if name.to_lowercase() != name {
                return broken(Rule::NameCase, format!("{name:?} is not in lower case"));
            }
            if name.is_empty() || name.len() > MAX_NAME_BYTES {
                return broken(Rule::NameLength, format!("{name:?} has {} bytes", name.len()));
            }
            if !names.insert(name) {
                return broken(Rule::NameTwice, format!("there are two columns {name:?}"));
            }
            if self.partition_columns.iter().any(|key| key == name) {
                return broken(Rule::PartitionColumn, format!("the file holds the partition key {name:?}"));
            }
        }
        Ok(())
    }

    fn check_types(&self, metadata: &ParquetMetaData) -> Result<(), Violation> {
        let columns = metadata.file_metadata().schema_descr().columns();
        for column in columns {
            declared::check_readable(column)?;
        }
        let names: Vec<_> = columns.iter().map(|column| column.path().string()).collect();
        if !names.iter().eq(self.columns.iter().map(|declared| &declared.name)) {
            let declared = quoted(self.columns.iter().map(|declared| &declared.name));
            let message =
                format!("the columns of the file are {}, those of the table {declared}", quoted(names));
            return broken(Rule::Columns, message);
        }
        columns.iter().zip(&self.columns).try_for_each(|(column, declared)| declared.check(column))
    }

    fn check_longest(&self, longest: &[Option<u64>]) -> Result<(), Violation> {
        for (declared, longest) in self.columns.iter().zip(longest) {
            if let Some(bytes) = longest.filter(|bytes| declared.is_text && *bytes > MAX_TEXT_BYTES) {
                let message = format!("column {:?} holds a value of {bytes} bytes", declared.name);
                return broken(Rule::TextLength, message);
            }
        }
        Ok(())
    }
}

fn check_chunk(chunk: &ColumnChunkMetaData) -> Result<(), Violation> {
    let name = chunk.column_path().string();
    match chunk.compression() {
        // Zstandard is not documented, and read in practice: `settings_notes` says so.
        Compression::UNCOMPRESSED | Compression::SNAPPY | Compression::GZIP(_) | Compression::ZSTD(_) => {}
        other => return broken(Rule::Codec, format!("column {name:?} is compressed with {other}")),
    }
    let pages = chunk.page_encoding_stats().into_iter().flatten();
    for page in pages.clone() {
        if page.page_type == PageType::DATA_PAGE_V2 {
            return broken(Rule::PageVersion, format!("column {name:?} has data pages of version 2"));
        }
    }
    for encoding in chunk.encodings().chain(pages.map(|page| page.encoding)) {
        match encoding {
            Encoding::PLAIN | Encoding::RLE | Encoding::RLE_DICTIONARY => {}
            // How pages of version 1 call a dictionary, and levels.
            #[expect(deprecated, reason = "both stand in files")]
            Encoding::PLAIN_DICTIONARY | Encoding::BIT_PACKED => {}
            other => return broken(Rule::Encoding, format!("column {name:?} has values in {other}")),
        }
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;
