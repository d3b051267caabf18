//! The rules of Redshift Spectrum, one by one.

use std::fmt;

/// A rule that files are checked against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// Data pages are of version 1.
    PageVersion,
    /// Values are plain or in a dictionary.
    Encoding,
    /// Column chunks are compressed with Snappy or gzip, or not at all.
    Codec,
    /// No type that Spectrum has no name for: unsigned, 8 bits, time of day, UUID, nanoseconds, nested.
    ReadableType,
    /// Types are those of the table: Spectrum converts nothing.
    DeclaredType,
    /// Decimals in bytes take as few as hold their precision.
    DecimalLength,
    /// The columns are those of the table, in its order, in each file.
    Columns,
    /// Names are in lower case.
    NameCase,
    /// Names have 1 to 127 bytes.
    NameLength,
    /// No name is a duplicate.
    NameTwice,
    /// There are 1,598 columns or fewer.
    ColumnCount,
    /// Partition keys are in directories only.
    PartitionColumn,
    /// Texts have 65,535 bytes or fewer.
    TextLength,
    /// Keys of objects have 1,024 bytes or fewer.
    KeyLength,
}

impl Rule {
    /// A stable word for logs and JSON.
    pub fn id(self) -> &'static str {
        match self {
            Rule::PageVersion => "page_version",
            Rule::Encoding => "encoding",
            Rule::Codec => "codec",
            Rule::ReadableType => "readable_type",
            Rule::DeclaredType => "declared_type",
            Rule::DecimalLength => "decimal_length",
            Rule::Columns => "columns",
            Rule::NameCase => "name_case",
            Rule::NameLength => "name_length",
            Rule::NameTwice => "name_twice",
            Rule::ColumnCount => "column_count",
            Rule::PartitionColumn => "partition_column",
            Rule::TextLength => "text_length",
            Rule::KeyLength => "key_length",
        }
    }

    /// What to do where it is broken.
    pub fn remedy(self) -> &'static str {
        const DEFECT: &str =
            "this should not happen, whatever the job says: please report it with the job file";
        match self {
            Rule::Encoding => {
                "take `encoding` out of `output.columns` in the job file, or use `output.profile = \"standard\"` (--profile standard)"
            }
            Rule::Codec => "use `output.compression = \"snappy\"` (--compression snappy) or gzip",
            Rule::ReadableType => {
                "give the column another type in the schema, or use `output.profile = \"standard\"` (--profile standard)"
            }
            Rule::NameCase | Rule::NameLength | Rule::NameTwice => "rename the column in the schema",
            Rule::ColumnCount => "drop columns, or use `output.profile = \"standard\"` (--profile standard)",
            Rule::TextLength => {
                "declare the column as `varchar(65535)`, which makes longer texts bad values to \
                 reject or null; cut it in a transform, such as `left(note, 10000)`; \
                 drop it; or use `output.profile = \"standard\"` (--profile standard)"
            }
            Rule::KeyLength => {
                "choose other keys in `output.partition_by` (--partition-by), or a shorter target URL"
            }
            Rule::PartitionColumn => "rename the derived key in `output.partition_by` (--partition-by)",
            Rule::PageVersion | Rule::DeclaredType | Rule::DecimalLength | Rule::Columns => DEFECT,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}
