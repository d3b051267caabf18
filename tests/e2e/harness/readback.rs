//! Second readers: what DuckDB, pyarrow and Spark make of a table.

use super::python::Helper;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// The reader that all tests share; held for one question at a time.
pub(crate) fn shared() -> MutexGuard<'static, Helper> {
    static READER: OnceLock<Mutex<Helper>> = OnceLock::new();
    let reader = READER.get_or_init(|| Mutex::new(Helper::start("readback.py")));
    // A test that failed while it asked has had its answer: the next can go on.
    reader.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All of a table that matters when it is compared, as DuckDB reads it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Table {
    pub(crate) rows: u64,
    /// DuckDB's types by column.
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) columns: BTreeMap<String, ColumnFacts>,
    /// Of all values of all rows, in any order.
    hash: String,
}

/// Facts that tell where two tables differ. Values are text.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct ColumnFacts {
    pub(crate) nulls: u64,
    pub(crate) min: Option<String>,
    pub(crate) max: Option<String>,
    pub(crate) sum: Option<String>,
}

impl Table {
    /// The Parquet files under a directory, with keys from `name=value/`.
    pub(crate) fn of_parquet(directory: &Path) -> Table {
        let files = parquet_files(directory);
        assert!(!files.is_empty(), "no Parquet files under {}", directory.display());
        parse(shared().ask("parquet", json!({ "files": files })))
    }

    /// CSV files with a header, each column read as the given DuckDB type.
    pub(crate) fn of_csv(files: &[PathBuf], types: &[(&str, &str)], nulls: &[&str]) -> Table {
        let types: serde_json::Map<String, Value> =
            types.iter().map(|&(name, kind)| (name.to_owned(), kind.into())).collect();
        parse(shared().ask("csv", json!({ "files": files, "types": types, "nulls": nulls })))
    }

    /// Fails unless both hold the same values; types may differ (keys of
    /// partitions have no type of their own).
    #[track_caller]
    pub(crate) fn assert_same_values(&self, other: &Table) {
        assert_eq!(self.rows, other.rows, "rows differ");
        for (name, facts) in &other.columns {
            assert_eq!(self.columns.get(name), Some(facts), "column {name:?} differs");
        }
        assert_eq!(self.columns.len(), other.columns.len(), "columns differ: {self:?} {other:?}");
        assert_eq!(self.hash, other.hash, "some value differs");
    }
}

/// Which records a table holds, told by a column of integers: none is lost and
/// none written twice if this is what the input comes to.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Ids {
    pub(crate) count: u64,
    pub(crate) distinct: u64,
    pub(crate) sum: u64,
    /// Of all of them, in any order, repeats and all.
    pub(crate) hash: String,
}

impl Ids {
    /// Of the Parquet files under a directory; a table without files has no records.
    pub(crate) fn of(directory: &Path, column: &str) -> Ids {
        parse(shared().ask("ids", json!({ "files": parquet_files(directory), "column": column })))
    }

    /// What a table comes to that holds each of these once.
    pub(crate) fn once(ids: std::ops::Range<u64>) -> Ids {
        parse(shared().ask("ids_of_range", json!({ "first": ids.start, "end": ids.end })))
    }
}

/// What pyarrow or Spark sees in a table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct View {
    pub(crate) rows: u64,
    pub(crate) types: BTreeMap<String, String>,
    pub(crate) nulls: BTreeMap<String, u64>,
}

/// A partitioned table as pyarrow reads it.
pub(crate) fn arrow(directory: &Path) -> View {
    parse(shared().ask("arrow", json!({ "directory": directory })))
}

/// Whether Spark is to be asked: the user may leave it out, which is said.
/// Fails if it is wanted and there is no Java.
pub(crate) fn spark_is_wanted() -> bool {
    if std::env::var_os("SAWMILL_SKIP_SPARK").is_some_and(|value| value == "1") {
        eprintln!("SAWMILL_SKIP_SPARK=1: Spark's side is NOT tested");
        return false;
    }
    let java = std::process::Command::new("java").arg("-version").output();
    assert!(
        java.as_ref().is_ok_and(|output| output.status.success()),
        "Spark needs Java 17 or later and there is no working `java` ({java:?}): install it, \
         or set SAWMILL_SKIP_SPARK=1 to leave out Spark's side"
    );
    true
}

/// A partitioned table as Spark reads it; `None` if the user leaves Spark out.
pub(crate) fn spark(directory: &Path) -> Option<View> {
    if !spark_is_wanted() {
        return None;
    }
    // A process of its own: a JVM takes seconds to start, others need not wait.
    Some(parse(Helper::start("readback.py").ask("spark", json!({ "directory": directory }))))
}

/// How a table is stored, from footers and page headers.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Layout {
    pub(crate) codecs: Vec<String>,
    pub(crate) page_versions: Vec<u8>,
    pub(crate) row_groups: usize,
    pub(crate) row_group_rows: Vec<u64>,
    pub(crate) chunks_without_statistics: usize,
    pub(crate) created_by: Vec<String>,
    /// Physical and logical type by column.
    pub(crate) column_types: BTreeMap<String, String>,
}

impl Layout {
    /// Of all Parquet files under a directory.
    pub(crate) fn of(directory: &Path) -> Layout {
        parse(shared().ask("layout", json!({ "files": parquet_files(directory) })))
    }
}

/// A footer as pyarrow reads it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Footer {
    pub(crate) rows: u64,
    pub(crate) row_groups: usize,
    /// Position, whether descending, whether nulls come first; for each row group.
    pub(crate) sorting: Vec<Vec<(u32, bool, bool)>>,
    pub(crate) pairs: BTreeMap<String, String>,
    pub(crate) columns: BTreeMap<String, ChunkFacts>,
}

/// What is said of the column chunks of one column.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct ChunkFacts {
    pub(crate) physical: String,
    /// Of values of fixed length.
    pub(crate) length: u32,
    pub(crate) codecs: Vec<String>,
    pub(crate) encodings: Vec<String>,
    pub(crate) has_statistics: bool,
    pub(crate) has_page_index: bool,
}

impl Footer {
    /// Of all Parquet files under a directory, in order of their names.
    pub(crate) fn of(directory: &Path) -> Vec<Footer> {
        parse(shared().ask("footers", json!({ "files": parquet_files(directory) })))
    }
}

/// The result of a query over the table `t`, values as text.
pub(crate) fn query(directory: &Path, sql: &str) -> Vec<Vec<Option<String>>> {
    parse(shared().ask("query", json!({ "sql": sql, "files": parquet_files(directory) })))
}

/// Fails unless a document is as `schemas/<name>.schema.json` says, and has no member that the
/// schema does not know.
#[track_caller]
pub(crate) fn assert_valid(name: &str, document: &Value) {
    let path = format!("{}/schemas/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut schema: Value = serde_json::from_str(&schema).expect("schemas are JSON");
    schema["additionalProperties"] = json!(false);
    let problems: Vec<String> =
        parse(shared().ask("problems", json!({ "schema": schema, "document": document })));
    assert!(problems.is_empty(), "not a {name}: {problems:?}: {document:#}");
}

/// Visible Parquet files under a directory, or the file itself, sorted.
fn parquet_files(directory: &Path) -> Vec<PathBuf> {
    if directory.is_file() {
        return vec![directory.to_owned()];
    }
    super::files_under(directory)
        .into_iter()
        .filter(|name| name.ends_with(".parquet") && super::is_visible(name))
        .map(|name| directory.join(name))
        .collect()
}

#[track_caller]
fn parse<T: for<'de> Deserialize<'de>>(answer: Value) -> T {
    serde_json::from_value(answer).expect("readback.py answers in the agreed form")
}
