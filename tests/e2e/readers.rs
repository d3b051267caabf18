//! What `docs/reading.md` says: every call of it runs in the reader's own library, as the page
//! has it, against tables with rejected records.

use crate::harness::moto::{Bucket, Region};
use crate::harness::python::{Environment, Helper};
use crate::harness::readback::spark_is_wanted;
use crate::harness::{Workspace, testdata};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Written and rejected records of [`deliver`].
const ROWS: u64 = 90;
const REJECTS: u64 = 10;

const SCHEMA: &str = "schema.fields = [{ name = \"id\", type = \"int32\" }, { name = \"day\", type = \"date\" }, \
                      { name = \"name\", type = \"string\" }]\n";

/// A tenth of the records has a bad id.
fn deliver(workspace: &Workspace) {
    let record = |id: u64| {
        let bad = if id.is_multiple_of(10) { "x" } else { "" };
        format!("{bad}{id},2024-01-0{},name {id}\n", 1 + id % 3)
    };
    let records: String = (0..ROWS + REJECTS).map(record).collect();
    workspace.write("in/a.csv", format!("id,day,name\n{records}"));
}

/// A job with these targets; `rest` are keys at the top.
fn job(workspace: &Workspace, targets: &str, rest: &str) {
    let text =
        format!("source.inputs = [\"in/*.csv\"]\nerrors.bad_value = \"reject\"\n{SCHEMA}{rest}{targets}");
    workspace.write("job.toml", text);
}

fn page() -> String {
    std::fs::read_to_string(testdata("../docs/reading.md")).unwrap()
}

/// Rows of the tables below a heading of the page, cells trimmed.
fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let section = section(page, heading);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    let lines = section.lines().filter(|line| line.starts_with('|'));
    let rows: Vec<_> = lines.skip(2).map(cells).collect();
    assert!(!rows.is_empty(), "there is no table below {heading:?}");
    rows
}

fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, from) = page.split_once(heading).unwrap_or_else(|| panic!("the page has no {heading:?}"));
    from.split("\n## ").next().unwrap()
}

/// The first block of code in a language.
fn block<'a>(section: &'a str, language: &str) -> &'a str {
    let (_, from) = section.split_once(&format!("```{language}\n")).unwrap();
    from.split("```").next().unwrap()
}

/// What Polars and awswrangler say of files that are not Parquet, and DuckDB of a prefix.
const REFUSALS: [&str; 3] = [
    "directory contained paths with different file extensions",
    "Parquet magic bytes not found",
    "404 Not Found",
];

/// Asks for one thing; gives what is wrong with the answer, if anything.
fn complaint(readers: &mut Helper, call: &str, root: &str, expected: &str, rows: u64) -> Option<String> {
    let call = call.trim_matches('`').replace("s3://lake-us/flights", root).replace("lake/flights", root);
    if call.starts_with("spark.") && !spark_is_wanted() {
        return None;
    }
    let answer = readers.try_ask("call", json!({ "text": call }));
    match (expected, answer) {
        ("rows", Ok(found)) if found == json!(rows) => None,
        ("fails", Err(error)) if REFUSALS.iter().any(|says| error.contains(says)) => None,
        (_, Ok(found)) => Some(format!("{call}: {found} rows, expected {expected} ({rows})\n")),
        (_, Err(error)) => Some(format!("{call}: expected {expected} ({rows}), got {error}\n")),
    }
}

/// Fails unless there is below `_sawmill/` what readers may stumble over, under names that they do not.
#[track_caller]
fn check_documents(root: &Path) {
    let documents = crate::harness::files_under(&root.join("_sawmill"));
    for kind in ["log/", "applied/", "success/", "attempts/", "quarantine/_rejects="] {
        assert!(documents.iter().any(|name| name.starts_with(kind)), "{kind} is missing: {documents:?}");
    }
    assert!(!documents.iter().any(|name| name.ends_with(".parquet")), "{documents:?}");
}

const PARTITIONED: &str = "output.partition_by = [\"day\"]\n";

#[test]
fn every_call_of_the_page_reads_directories_as_it_says() {
    let page = page();
    let mut readers = Helper::start("readers.py");
    let mut wrong = String::new();
    for partitions in [PARTITIONED, ""] {
        let workspace = Workspace::new();
        deliver(&workspace);
        job(&workspace, "targets = [{ url = \"one/\" }, { url = \"two/\" }]\n", partitions);
        let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
        check_documents(&workspace.path("one"));
        for target in ["one", "two"] {
            let root = workspace.path(target).display().to_string();
            for row in table(&page, "# Reading a table") {
                let [_, call, expected, _] = &row[..] else { panic!("four cells: {row:?}") };
                if !expected.is_empty() {
                    wrong.extend(complaint(&mut readers, call, &root, expected, ROWS));
                }
            }
            for row in table(&page, "## Rejected records") {
                wrong.extend(complaint(&mut readers, &row[1], &root, "rows", REJECTS));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_call_of_the_page_reads_buckets_as_it_says() {
    let page = page();
    let mut wrong = String::new();
    for region in [Region::home(), Region::remote()] {
        let mut readers = Helper::start("readers.py");
        let mut duckdb = Helper::start_in(Environment::DuckDbOnS3, "readers.py");
        let server = json!({ "endpoint": region.endpoint, "region": region.name });
        readers.ask("use_server", server.clone());
        duckdb.ask("use_httpfs", server);
        for partitions in [PARTITIONED, ""] {
            let workspace = Workspace::new();
            deliver(&workspace);
            let bucket: Bucket<'_> = region.bucket("readers");
            job(&workspace, &bucket.target("lake/t/"), partitions);
            let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
            if partitions == PARTITIONED {
                let database = bucket.name.replace('-', "_");
                let arguments = json!({ "root": bucket.url("lake/t/"), "database": database, "table": "t" });
                assert_eq!(readers.ask("register", arguments), json!(3));
                let text = block(section(&page, "# Reading a table"), "python");
                let text = text.replace("\"lake\"", &format!("{database:?}")).replace("\"flights\"", "\"t\"");
                let text = format!("import awswrangler as wr\n{text}");
                assert_eq!(readers.ask("script", json!({ "text": text, "result": "rows" })), json!(ROWS));
            }
            for row in table(&page, "# Reading a table") {
                let [reader, call, _, expected] = &row[..] else { panic!("four cells: {row:?}") };
                let helper = if reader == "DuckDB" { &mut duckdb } else { &mut readers };
                if !expected.is_empty() {
                    wrong.extend(complaint(helper, call, &bucket.url("lake/t"), expected, ROWS));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_versioned_table_is_read_by_its_locations() {
    let page = page();
    let versioned = section(&page, "## A versioned table");
    let readme = std::fs::read_to_string(testdata("../README.md")).unwrap();
    let mut readers = Helper::start("readers.py");
    for partitions in [PARTITIONED, ""] {
        let workspace = Workspace::new();
        deliver(&workspace);
        let layout = "output.layout = \"versioned\"\noutput.mode = \"overwrite_partitions\"\n";
        let rest = format!("{layout}{partitions}");
        job(&workspace, "targets = [{ url = \"one/\" }, { url = \"two/\" }]\n", &rest);
        let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
        // One partition is replaced: its old rows are below the table, and no longer of it.
        workspace.write("in/a.csv", "id,day,name\n1,2024-01-01,again\n");
        let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
        let expected = if partitions.is_empty() { 1 } else { 1 + ROWS - replaced() };
        for target in ["one", "two"] {
            let root = workspace.path(target).display().to_string();
            let python = block(versioned, "python").replace("s3://lake-us/flights", &root);
            let found = readers.ask("script", json!({ "text": python, "result": "table" }));
            assert_eq!(found, json!(expected), "{python}");
            for sql in [block(versioned, "sql"), block(section(&readme, "\n## What it writes"), "sql")] {
                let sql = sql.replace("lake/flights", &root);
                assert_eq!(readers.ask("statements", json!({ "text": sql })), json!(expected), "{sql}");
            }
        }
    }
}

/// Records of the first day that [`deliver`] has and that are not rejected.
fn replaced() -> u64 {
    (0..ROWS + REJECTS).filter(|id| id % 3 == 0 && id % 10 != 0).count() as u64
}

/// A table as versions before wrote it: rejected records in files called `*.parquet`.
fn age(root: &Path) -> String {
    let files = crate::harness::files_under(root);
    let key =
        files.iter().find(|name| name.ends_with(".rejects")).expect("a file of rejected records").clone();
    let old = key.replace("_rejects=", "_rejects-").replace(".rejects", ".parquet");
    std::fs::rename(root.join(&key), root.join(&old)).unwrap();
    let mut renamed = vec![(key, old.clone())];
    // The changes have their SHA-256 in their name, which the log has in turn.
    let mut documents: Vec<&String> = files.iter().filter(|name| name.ends_with(".json")).collect();
    documents.sort_by_key(|name| !name.contains("/changes-"));
    for name in documents.into_iter().chain([&"_SUCCESS".to_owned()]) {
        let mut text = std::fs::read_to_string(root.join(name)).unwrap();
        for (from, to) in &renamed {
            text = text.replace(from, to);
        }
        std::fs::remove_file(root.join(name)).unwrap();
        let mut place = name.clone();
        if let Some((directory, sha256)) = name.split_once("/changes-") {
            let sha256 = sha256.trim_end_matches(".json").to_owned();
            let anew = hex::encode(Sha256::digest(text.as_bytes()));
            place = format!("{directory}/changes-{anew}.json");
            renamed.push((sha256, anew));
        }
        std::fs::write(root.join(place), text).unwrap();
    }
    old
}

#[test]
fn tables_with_the_old_names_are_understood() {
    let workspace = Workspace::new();
    deliver(&workspace);
    job(&workspace, "targets = [{ url = \"one/\" }, { url = \"two/\" }]\n", PARTITIONED);
    let sawmill = |arguments: &[&str]| workspace.sawmill(arguments).run().succeeds();
    let _ = sawmill(&["run", "job.toml"]);
    let old = [age(&workspace.path("one")), age(&workspace.path("two"))];
    assert_eq!(old[0], old[1]);
    let page = page();
    let sql = block(section(&page, "## Rejected records"), "sql");
    let sql = sql.replace("lake/flights", &workspace.path("one").display().to_string());
    let mut readers = Helper::start("readers.py");
    assert_eq!(readers.ask("statements", json!({ "text": sql })), json!(ROWS), "{sql}");
    let is_there = |target: &str| workspace.path(target).join(&old[0]).exists();

    let _ = sawmill(&["verify", "job.toml", "--deep"]);
    let _ = sawmill(&["run", "job.toml"]).says(&["nothing to do"]);
    let _ = sawmill(&["gc", "job.toml", "--delete", "--keep-hours", "0"]);
    assert!(is_there("one") && is_there("two"), "gc took a file of the table");
    // Lost in one target, and brought back from the other.
    std::fs::remove_file(workspace.path("two").join(&old[0])).unwrap();
    let _ = workspace.sawmill(["verify", "job.toml"]).run().exits_with(9).says(&[&old[0]]);
    let _ = sawmill(&["catchup", "job.toml"]);
    let _ = sawmill(&["verify", "job.toml", "--deep"]);
    // Replaced by one with the new name.
    let _ = sawmill(&["run", "job.toml", "--reprocess"]);
    let _ = sawmill(&["verify", "job.toml", "--deep"]);
    assert!(!is_there("one") && !is_there("two"), "the old rejects are still there");
    check_documents(&workspace.path("one"));
}

/// What a killed run of an older version had staged.
#[test]
fn staged_files_with_the_old_name_are_swept() {
    let workspace = Workspace::new();
    deliver(&workspace);
    job(&workspace, "targets = [{ url = \"one/\" }]\n", "");
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    let attempt = "20200101t000000z-0123abcd";
    for name in [format!("_rejects-00000-{attempt}.parquet"), format!("_rejects=00000-{attempt}.rejects")] {
        workspace.write(&format!("one/_sawmill/quarantine/.{name}.0123456789abcdef.sawmill-tmp"), "PAR1");
    }
    let _ = workspace.sawmill(["recover", "job.toml"]).run().succeeds().says(&["removed 2 staged files"]);
    assert_eq!(workspace.staged("one"), [""; 0]);
}

#[test]
fn a_change_of_codec_is_told_and_reprocessed() {
    let workspace = Workspace::new();
    deliver(&workspace);
    job(&workspace, "targets = [{ url = \"one/\" }, { url = \"two/\" }]\n", PARTITIONED);
    let run = |more: &[&str]| {
        let arguments = ["run", "job.toml"].iter().chain(more);
        workspace.sawmill(arguments).run().succeeds()
    };
    let codecs = || crate::harness::readback::Layout::of(&workspace.path("two")).codecs;
    let _ = run(&[]);
    let again: Value = run(&["--json"]).json();
    assert_eq!(again["unapplied"], Value::Null, "{again}");

    let zstd = ["--set", "output.compression=zstd", "--set", "output.page_rows=50"];
    let told = ["nothing to do", "`output.compression`, `output.page_rows` were different", "--reprocess"];
    let _ = run(&zstd).says(&told);
    let report = run(&[&zstd[..], &["--json"]].concat()).json();
    assert_eq!(report["unapplied"], json!(["output.compression", "output.page_rows"]));
    // Where inputs are chosen by what was read, too.
    let new = ["--set", "source.incremental=true", "--set", "output.mode=append"];
    let _ = run(&[&zstd[..], &new].concat()).says(&told);
    let _ = run(&new).says(&["read by an earlier run.\n"]);
    assert_eq!(codecs(), ["SNAPPY"]);

    let _ = run(&[&zstd[..], &["--reprocess"]].concat());
    assert_eq!(codecs(), ["ZSTD"]);
    let rows = crate::harness::readback::query(&workspace.path("two"), "SELECT count(*) FROM t");
    assert_eq!(rows, [[Some(ROWS.to_string())]]);
}
