//! The footer of a file, as it went to the targets → what Redshift Spectrum would not read.
//!
//! [`crate::schema::profile`] refuses columns before a run. This looks at the
//! other end: it takes the footer as [`crate::encode`] has read it back from the
//! bytes that were sent, and holds it against the table's columns and against
//! every [`Rule`]. A file that breaks one fails its task before the file, or
//! any other, is visible.
//! What only costs speed is said, not refused ([`settings_notes`],
//! [`size_notes`]). Called by [`crate::encode`] for `output.profile = "spectrum"`.

mod declared;
mod rule;

pub use rule::Rule;

use crate::documents::FileReport;
use crate::error::{Error, ErrorKind};
use crate::lists::quoted;
use crate::schema::profile::{MAX_COLUMNS, MAX_NAME_BYTES};
use crate::spec::{OutputSpec, parse_compression};
use arrow::datatypes::Schema;
use declared::Declared;
use parquet::basic::{Compression, Encoding, PageType};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData};
use std::collections::{BTreeMap, HashSet};

/// Longest VARCHAR in bytes ("Character types", Amazon Redshift Database Developer Guide).
pub const MAX_TEXT_BYTES: u64 = 65_535;
/// The sizes of files that Spectrum reads best (best practices for Redshift Spectrum).
const GOOD_FILE_BYTES: std::ops::RangeInclusive<u64> = (100 << 20)..=(1 << 30);

/// What the footers of a table are held against.
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

fn broken(rule: Rule, message: impl Into<String>) -> Result<(), Violation> {
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

/// What of the settings is not documented for Spectrum, though it is no rule.
pub fn settings_notes(output: &OutputSpec) -> Vec<String> {
    let codecs = output.columns.values().filter_map(|column| column.compression.as_ref());
    let zstd = codecs
        .chain([&output.compression])
        .any(|codec| matches!(parse_compression(codec), Ok(Compression::ZSTD(_))));
    let note = "AWS does not list zstd among what Redshift Spectrum reads in Parquet; \
                test it, or set output.compression to \"snappy\" or \"gzip\"";
    zstd.then(|| note.to_owned()).into_iter().collect()
}

/// Which files are larger than Spectrum reads well, or smaller although
/// they need not be.
pub fn size_notes(files: &[FileReport]) -> Vec<String> {
    let mut by_partition: BTreeMap<_, Vec<&FileReport>> = BTreeMap::new();
    for file in files {
        by_partition.entry(&file.partition).or_default().push(file);
    }
    let large = files.iter().filter(|file| file.bytes > *GOOD_FILE_BYTES.end()).count();
    let in_company = by_partition.values().filter(|files| files.len() > 1).flatten();
    let small = in_company.filter(|file| file.bytes < *GOOD_FILE_BYTES.start()).count();
    let note = |count: usize, what: &str, remedy: &str| {
        let note =
            format!("Redshift Spectrum is fastest with files of 100 MiB to 1 GiB; {count} {what}: {remedy}");
        (count > 0).then_some(note)
    };
    let large = note(large, "are larger", "lower `output.target_file_bytes` in a job file");
    let small = note(
        small,
        "are smaller beside others of their partition",
        "raise `output.target_file_bytes` or `engine.open_files_bytes` in a job file",
    );
    large.into_iter().chain(small).collect()
}

#[cfg(test)]
mod tests;
