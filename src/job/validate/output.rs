//! What must hold of `output`. Names of columns are checked against the schema later, by [`crate::encode::FileShape`].

use super::Check;
use crate::profile::settings::{refuses_codec, refuses_encoding};
use crate::spanned::KeyPath;
use crate::spec::{ColumnEncoding, ColumnOutput, JobSpec, Layout, OutputSpec, Profile, WriteMode};
use parquet::basic::Compression;
use std::collections::HashSet;

/// Pages and dictionaries beyond this would not fit the 32-bit sizes of page headers.
const MAX_PAGE_BYTES: usize = 1 << 30;

impl Check {
    pub(super) fn output(&mut self, job: &JobSpec) {
        let (key, output) = (KeyPath::from("output"), &job.output);
        self.codec(key.key("compression"), output.compression.get(), output.profile);
        self.above_zero(key.key("max_row_group_rows"), output.max_row_group_rows as u64);
        self.above_zero(key.key("max_row_group_bytes"), output.max_row_group_bytes);
        self.above_zero(key.key("target_file_bytes"), output.target_file_bytes);
        self.above_zero(key.key("page_rows"), output.page_rows as u64);
        self.page_bytes(key.key("page_bytes"), output.page_bytes);
        self.page_bytes(key.key("dictionary_page_bytes"), output.dictionary_page_bytes);
        self.partition_keys(&key, output);
        self.sort_keys(&key, output);
        for (name, column) in &output.columns {
            self.output_column(&key.key("columns").key(name), column, output.profile);
        }
        if output.layout == Layout::Versioned && output.mode == WriteMode::Append {
            let message = "a partition of a versioned layout is in one place, to which nothing is added";
            let remedy = "use `output.mode = \"overwrite_partitions\"`, or leave the layout out";
            self.problem(key.key("layout"), message, remedy);
        }
        for name in output.metadata.keys() {
            let key = key.key("metadata").key(name);
            if name.is_empty() {
                self.problem(key, "a pair needs a name", "name it, or leave it out");
            } else if name.starts_with("sawmill.") || name == parquet::arrow::ARROW_SCHEMA_META_KEY {
                let message = format!("{name:?} is written by sawmill itself");
                self.problem(key, message, "choose another name");
            }
        }
    }

    fn codec(&mut self, key: KeyPath, codec: Compression, profile: Profile) {
        if let Some((message, remedy)) = refuses_codec(profile, codec) {
            self.problem(key, message, remedy);
        }
    }

    fn page_bytes(&mut self, key: KeyPath, bytes: usize) {
        if !(1..=MAX_PAGE_BYTES).contains(&bytes) {
            let message = format!("must be between 1 and 1073741824 (1 GiB), got {bytes}");
            self.problem(key, message, "leave it out for the default, 1048576 (1 MiB)");
        }
    }

    fn partition_keys(&mut self, output_key: &KeyPath, output: &OutputSpec) {
        let mut names = HashSet::new();
        for (i, partition_key) in output.partition_by.iter().enumerate() {
            let key = output_key.key("partition_by").index(i);
            let name = partition_key.name();
            if name.is_empty() {
                self.problem(key, "a partition key needs a name", "name a column");
            } else if !names.insert(name) {
                let message = format!("duplicate partition key {name:?}");
                self.problem(key, message, "name derived keys: `name=year(column)`");
            }
        }
    }

    fn sort_keys(&mut self, output_key: &KeyPath, output: &OutputSpec) {
        let mut names = HashSet::new();
        for (i, sort_key) in output.sort_by.iter().enumerate() {
            if !names.insert(&sort_key.column) {
                let message = format!("duplicate sort column {:?}", sort_key.column);
                self.problem(output_key.key("sort_by").index(i), message, "leave it out");
            }
        }
    }

    fn output_column(&mut self, key: &KeyPath, column: &ColumnOutput, profile: Profile) {
        if let Some(codec) = &column.compression {
            self.codec(key.key("compression"), codec.get(), profile);
        }
        if let Some(filter) = column.bloom_filter.and_then(|filter| filter.size()) {
            if !(filter.fpp > 0.0 && filter.fpp < 1.0) {
                let message = format!("must be more than 0 and less than 1, got {}", filter.fpp);
                let key = key.key("bloom_filter").key("fpp");
                self.problem(key, message, "leave it out for the default, 0.01");
            }
            self.above_zero(key.key("bloom_filter").key("ndv"), filter.ndv);
        }
        let Some(encoding) = column.encoding.filter(|encoding| *encoding != ColumnEncoding::Plain) else {
            return;
        };
        let unused = (column.dictionary != Some(false)).then_some((
            "it would be used only once the dictionary is full",
            "set `dictionary = false` beside it",
        ));
        if let Some((message, remedy)) = refuses_encoding(profile, encoding).or(unused) {
            self.problem(key.key("encoding"), message, remedy);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::job::load_str;
    use crate::spanned::DocumentFormat;
    use std::path::Path;

    #[test]
    fn values_that_cannot_work_are_refused() {
        for (output, key) in [
            ("page_rows = 0", "output.page_rows"),
            ("page_bytes = 0", "output.page_bytes"),
            ("dictionary_page_bytes = 2000000000", "output.dictionary_page_bytes"),
            ("sort_by = [\"a\", \"a desc\"]", "output.sort_by[1]"),
            ("sort_by = [\"a nulls frist\"]", "output.sort_by"),
            ("columns.a.compression = \"snapy\"", "output.columns.a.compression"),
            ("columns.a.compression = \"lz4\"", "output.columns.a.compression"),
            ("columns.a.bloom_filter.fpp = 1.0", "output.columns.a.bloom_filter.fpp"),
            ("columns.a.bloom_filter.ndv = 0", "output.columns.a.bloom_filter.ndv"),
            ("columns.a.bloom_filter.ndw = 1", "output.columns.a.bloom_filter.ndw"),
            ("columns.a.encoding = \"delta_byte_array\"", "output.columns.a.encoding"),
            (
                "profile = \"standard\"\ncolumns.a.encoding = \"delta_byte_array\"",
                "output.columns.a.encoding",
            ),
            ("metadata = { \"sawmill.job\" = \"x\" }", "sawmill.job"),
        ] {
            let text =
                format!("[source]\ninputs = [\"a.csv\"]\n[[targets]]\nurl = \"out/\"\n[output]\n{output}\n");
            let loaded = load_str(&text, DocumentFormat::Toml, "job.toml", Path::new("/"), &|_| None, &[]);
            let error = loaded.map(drop).expect_err(output).to_string();
            assert!(error.contains(key), "{output}: {error}");
        }
    }
}
