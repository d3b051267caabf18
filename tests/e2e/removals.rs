//! What a version takes out of the table is said before, when, and ever after.

use crate::harness::Workspace;
use crate::harness::moto::Region;
use crate::harness::readback::assert_valid;
use serde_json::{Value, json};

const JOB: &str = "schema = { fields = [{ name = \"id\", type = \"int64\" }, { name = \"day\", type = \"string\" }] }\n\
     [source]\ninputs = [\"${INPUT}.csv\"]\n[output]\nmode = \"overwrite_partitions\"\n";
const PARTITIONED: &str =
    "partition_by = [\"day\"]\n[[targets]]\nurl = \"one/\"\n[[targets]]\nurl = \"two/\"\n";

fn deliver(workspace: &Workspace) {
    workspace.write("first.csv", "id,day\n1,mon\n2,tue\n3,wed\n4,wed\n");
    workspace.write("second.csv", "id,day\n20,tue\n40,thu\n");
    workspace.write("third.csv", "id,day\n30,wed\n21,tue\n22,tue\n");
    workspace.write("bad.csv", "id,day\nx,wed\n");
}

/// Runs a job dry and then really, and gives what both said of what is removed, once it is sure
/// that they, the log, and the marker say the same.
#[track_caller]
fn removed_by(workspace: &Workspace, arguments: &[&str], input: &str, marker: Option<&str>) -> Value {
    let sawmill = |arguments: &[&str]| workspace.sawmill(arguments).env("INPUT", input).run().succeeds();
    let dry = sawmill(&[arguments, &["--dry-run", "--json"]].concat()).json();
    let report = sawmill(&[arguments, &["--json"]].concat()).json();
    assert_eq!(report["status"], json!("committed"), "{report}");
    assert_eq!(dry["removed"], report["removed"]);
    assert_valid("run-report", &report);
    let log = sawmill(&["log", "job.toml", "--json"]).json();
    let newest = log.as_array().unwrap().last().unwrap();
    assert_eq!((&newest["version"], &newest["removed"]), (&report["version"], &report["removed"]));
    if let Some(marker) = marker {
        let marker: Value = serde_json::from_slice(&std::fs::read(workspace.path(marker)).unwrap()).unwrap();
        assert_eq!(marker["removed"], report["removed"]);
    }
    report["removed"].clone()
}

fn size(workspace: &Workspace, file: &str) -> u64 {
    std::fs::metadata(workspace.path(file)).unwrap().len()
}

fn visible_in(workspace: &Workspace, partition: &str) -> u64 {
    let files = workspace.visible("one").into_iter().filter(|file| file.starts_with(partition));
    files.map(|file| size(workspace, &format!("one/{file}"))).sum()
}

#[test]
fn overwritten_partitions_are_counted_in_directories() {
    let workspace = Workspace::new();
    deliver(&workspace);
    workspace.write("job.toml", format!("{JOB}{PARTITIONED}"));
    let removed = |input| removed_by(&workspace, &["run", "job.toml"], input, Some("two/_SUCCESS"));
    assert_eq!(removed("first"), Value::Null);
    let tuesday = visible_in(&workspace, "day=tue/");
    assert_eq!(removed("second"), json!({ "files": 1, "rows": 1, "bytes": tuesday, "partitions": 1 }));
    // Other programs: a Parquet file in both targets, one in the second alone, and no Parquet.
    let model = workspace.visible("one").into_iter().find(|file| file.starts_with("day=mon/")).unwrap();
    let model = workspace.path(&format!("one/{model}"));
    let parquet = std::fs::metadata(&model).unwrap().len();
    for copy in ["one/day=wed/spark.parquet", "two/day=wed/spark.parquet", "two/day=wed/b.parquet"] {
        std::fs::copy(&model, workspace.path(copy)).unwrap();
    }
    workspace.write("one/day=tue/notes.csv", "a,b\n");
    workspace.write("one/day=fri/kept.csv", "a,b\n");
    let bytes = visible_in(&workspace, "day=tue/") + visible_in(&workspace, "day=wed/") + parquet;
    let expected = json!({
        "files": 5, "rows": 5, "bytes": bytes, "partitions": 2, "unread": 1,
        "foreign": {
            "files": 3, "rows": 2, "bytes": 2 * parquet + 4,
            "first": format!("file://{}", workspace.path("one/day=tue/notes.csv").display()),
        },
    });
    assert_eq!(removed("third"), expected);
    assert!(workspace.path("one/day=fri/kept.csv").exists());
    let sawmill = |arguments: &[&str]| workspace.sawmill(arguments).env("INPUT", "first").run().succeeds();
    let log = sawmill(&["log", "job.toml"]);
    let says = "removed 5 files, 5 rows (and those of 1 file that cannot be counted)";
    assert!(
        log.stdout.contains(says) && log.stdout.contains("3 files with 2 rows of another program"),
        "{log}"
    );
    let _ = sawmill(&["verify", "job.toml", "--deep"]);
}

#[test]
fn people_are_told_too() {
    let workspace = Workspace::new();
    deliver(&workspace);
    workspace.write("job.toml", format!("{JOB}{PARTITIONED}"));
    let sawmill = |more: &[&str], input: &str| {
        workspace.sawmill([&["run", "job.toml"], more].concat()).env("INPUT", input).run()
    };
    let first = sawmill(&[], "first").succeeds();
    assert!(!first.stderr.contains("removed"), "{first}");
    let before = workspace.files("");
    let _ = sawmill(&["--dry-run"], "third")
        .succeeds()
        .says(&["would remove 2 files, 3 rows, ", "in 2 partitions"]);
    // Rows are read to know their partitions, so what is wrong with them is found as well.
    let _ = sawmill(&["--dry-run"], "bad").exits_with(3).says(&["line 2", "not a valid int64"]);
    assert_eq!(workspace.files(""), before);
    let _ = sawmill(&[], "third").succeeds().says(&["removed   2 files, 3 rows, ", "in 2 partitions"]);
}

#[test]
fn steps_of_their_own_count_as_well() {
    let workspace = Workspace::new();
    deliver(&workspace);
    workspace.write("job.toml", format!("{JOB}{PARTITIONED}"));
    let sawmill =
        |arguments: &[&str], input| workspace.sawmill(arguments).env("INPUT", input).run().succeeds();
    let _ = sawmill(&["run", "job.toml"], "first");
    let _ = sawmill(&["plan", "job.toml", "-o", "plan.json"], "third");
    let _ = sawmill(&["task", "plan.json", "-o", "report.json"], "third");
    let commit = || sawmill(&["commit", "plan.json", "report.json", "--json"], "third").json();
    let report = commit();
    assert_eq!((&report["removed"]["files"], &report["removed"]["rows"]), (&json!(2), &json!(3)), "{report}");
    assert_eq!(commit().get("removed"), None, "nothing was done");
}

#[test]
fn replaced_versions_are_counted_without_what_was_gone_before() {
    let workspace = Workspace::new();
    deliver(&workspace);
    workspace.write("job.toml", format!("{JOB}{PARTITIONED}"));
    for input in ["first", "second"] {
        let _ = workspace.sawmill(["run", "job.toml"]).env("INPUT", input).run().succeeds();
    }
    // Of the first version Tuesday is gone; the version that is written anew overwrites Tuesday of the second.
    let rewritten = ["run", "job.toml", "--reprocess-from", "1"];
    let removed = removed_by(&workspace, &rewritten, "first", Some("one/_SUCCESS"));
    assert_eq!(
        (&removed["files"], &removed["rows"], &removed["partitions"]),
        (&json!(3), &json!(4), &json!(3))
    );
    // The same where files are added.
    let workspace = Workspace::new();
    deliver(&workspace);
    workspace.write("job.toml", format!("{}{PARTITIONED}", JOB.replace("overwrite_partitions", "append")));
    for input in ["first", "second"] {
        let _ = workspace.sawmill(["run", "job.toml"]).env("INPUT", input).run().succeeds();
    }
    let removed = removed_by(&workspace, &["run", "job.toml", "--reprocess"], "first", Some("one/_SUCCESS"));
    assert_eq!(
        (&removed["files"], &removed["rows"], &removed["partitions"]),
        (&json!(3), &json!(4), &json!(3))
    );
}

#[test]
fn versions_that_stay_for_their_readers_are_no_longer_of_the_table() {
    let workspace = Workspace::new();
    deliver(&workspace);
    workspace.write("job.toml", format!("{JOB}layout = \"versioned\"\n{PARTITIONED}"));
    let removed = |input| removed_by(&workspace, &["run", "job.toml"], input, Some("one/_SUCCESS"));
    assert_eq!(removed("first"), Value::Null);
    let removed = removed("third");
    assert_eq!(
        (&removed["files"], &removed["rows"], &removed["partitions"]),
        (&json!(2), &json!(3), &json!(2))
    );
}

#[test]
fn a_table_without_partitions_is_counted_in_buckets() {
    let workspace = Workspace::new();
    deliver(&workspace);
    let (home, remote) = (Region::home().bucket("removals"), Region::remote().bucket("removals"));
    workspace.write("job.toml", format!("{JOB}{}{}", home.target("t/"), remote.target("t/")));
    let removed = |input| removed_by(&workspace, &["run", "job.toml"], input, None);
    assert_eq!(removed("first"), Value::Null);
    remote.put("t/other.csv", &workspace.write("other.csv", "a,b\n"));
    let removed = removed("second");
    assert_eq!(
        (&removed["files"], &removed["rows"], &removed["partitions"]),
        (&json!(2), &json!(4), &json!(1))
    );
    let foreign = &removed["foreign"];
    assert_eq!((&foreign["files"], &foreign["rows"], &foreign["bytes"]), (&json!(1), &json!(0), &json!(4)));
    assert!(foreign["first"].as_str().is_some_and(|url| url.ends_with("/t/other.csv")), "{removed}");
}

#[test]
fn a_single_file_that_is_replaced_is_counted() {
    let workspace = Workspace::new();
    deliver(&workspace);
    let convert = |input: &str, more: &[&str]| {
        workspace.sawmill([&["convert", input, "-o", "x.parquet"], more].concat()).run().succeeds()
    };
    let first = convert("first.csv", &["--json"]).json();
    assert_eq!(first.get("removed"), None);
    let expected = json!({ "files": 1, "rows": 4, "bytes": size(&workspace, "x.parquet"), "partitions": 1 });
    let second = convert("second.csv", &["--overwrite", "--json"]).json();
    assert_eq!(second["removed"], expected);
    workspace.write("x.parquet", "not Parquet");
    let _ = convert("second.csv", &["--overwrite"]).says(&["removed   1 file, 0 rows (and those of 1 file"]);
}
