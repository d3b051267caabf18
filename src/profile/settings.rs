//! What a profile asks of the settings of its files: codecs, encodings, pages, sizes.

use crate::spec::{ColumnEncoding, OutputSpec, Profile};
use parquet::basic::Compression;
use parquet::file::properties::WriterVersion;
use std::collections::BTreeMap;

/// The sizes of files that Spectrum reads best (best practices for Redshift Spectrum).
const GOOD_FILE_BYTES: std::ops::RangeInclusive<u64> = (100 << 20)..=(1 << 30);

/// What is wrong with a setting, and what to do.
type Objection = (&'static str, &'static str);

/// Why files of a profile cannot have this codec.
pub fn refuses_codec(profile: Profile, codec: Compression) -> Option<Objection> {
    (profile == Profile::Spectrum && codec == Compression::LZ4_RAW).then_some((
        "Spectrum does not read `lz4`",
        "write `snappy` or `gzip`, or set output.profile = \"standard\"",
    ))
}

/// Why files of a profile cannot have this encoding.
pub fn refuses_encoding(profile: Profile, encoding: ColumnEncoding) -> Option<Objection> {
    (profile == Profile::Spectrum && encoding != ColumnEncoding::Plain).then_some((
        "Spectrum reads `plain` and dictionaries only",
        "leave it out, or set output.profile = \"standard\"",
    ))
}

/// The version of data pages: the one that Redshift Spectrum documents, and that
/// every other reader takes, too.
pub fn writer_version(profile: Profile) -> WriterVersion {
    match profile {
        Profile::Spectrum | Profile::Standard => WriterVersion::PARQUET_1_0,
    }
}

/// Whether the footer has the Arrow schema, from which Arrow readers restore types
/// that Parquet lacks.
pub fn stores_arrow_schema(profile: Profile) -> bool {
    match profile {
        Profile::Spectrum => false,
        Profile::Standard => true,
    }
}

/// What of the settings is not documented for Spectrum, though it is no rule.
pub fn settings_notes(output: &OutputSpec) -> Vec<String> {
    let codecs = output.columns.values().filter_map(|column| column.compression.as_ref());
    let zstd = codecs.chain([&output.compression]).any(|codec| matches!(codec.get(), Compression::ZSTD(_)));
    let note = "AWS does not list zstd among what Redshift Spectrum reads in Parquet; \
                test it, or set output.compression to \"snappy\" or \"gzip\"";
    zstd.then(|| note.to_owned()).into_iter().collect()
}

/// Which files are larger than Spectrum reads well, or smaller although
/// they need not be. Of each file: its partition and its bytes.
pub fn size_notes<P: Ord>(files: impl IntoIterator<Item = (P, u64)>) -> Vec<String> {
    let mut by_partition: BTreeMap<P, Vec<u64>> = BTreeMap::new();
    for (partition, bytes) in files {
        by_partition.entry(partition).or_default().push(bytes);
    }
    let large = by_partition.values().flatten().filter(|bytes| *bytes > GOOD_FILE_BYTES.end()).count();
    let in_company = by_partition.values().filter(|files| files.len() > 1).flatten();
    let small = in_company.filter(|bytes| *bytes < GOOD_FILE_BYTES.start()).count();
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
mod tests {
    use super::*;

    #[test]
    fn advice_is_for_files_that_could_be_better() {
        let none: [String; 0] = [];
        assert_eq!(size_notes([("a", 10), ("b", 200 << 20)]), none);
        assert_eq!(size_notes([("a", 10), ("a", 200 << 20)]).len(), 1);
        assert_eq!(size_notes([("a", 10), ("a", 20), ("b", 2 << 30)]).len(), 2);
        let notes = |codec: &str| {
            settings_notes(&OutputSpec { compression: codec.parse().unwrap(), ..OutputSpec::default() })
        };
        assert_eq!((notes("snappy").len(), notes("zstd(3)").len()), (0, 1));
    }
}
