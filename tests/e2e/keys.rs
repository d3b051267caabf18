//! Keys of objects hold values of the data, which may be anything: they are
//! never taken for an answer of the store, and every target has the same.

use crate::harness::Workspace;
use crate::harness::moto::{Bucket, Region};
use crate::harness::readback::{Table, query};

/// Words of S3's errors, and characters that paths, URLs or XML mean something by.
const VALUES: [&str; 24] = [
    "SlowDown",
    "InternalError",
    "AccessDenied",
    "NoSuchKey",
    "503 Slow Down",
    "<Error><Code>SlowDown</Code></Error>",
    "..",
    ".",
    "_hidden",
    "a/b",
    "a//b",
    "/",
    "%2F",
    "%",
    "a=b",
    "a+b c",
    "?x=1&y=2#z",
    "back\\slash",
    "quote'",
    "\u{1}",
    "\t",
    "\u{7f}",
    "ünï → 🪵",
    "__HIVE_DEFAULT_PARTITION",
];

fn job(source: &str, buckets: &[&Bucket<'_>]) -> String {
    let targets: String = buckets.iter().map(|bucket| bucket.target("SlowDown=1/t/")).collect();
    format!(
        "schema = {{ fields = [{{ name = \"id\", type = \"int32\" }}, {{ name = \"k\", type = \"string\" }}] }}\n\
         {source}[[targets]]\nurl = \"local/\"\n{targets}[output]\npartition_by = [\"k\"]\n"
    )
}

#[test]
fn values_that_look_like_answers_or_paths_are_values() {
    let workspace = Workspace::new();
    let mut csv = String::from("id,k\n");
    for (id, value) in VALUES.iter().enumerate() {
        csv.push_str(&format!("{id},\"{value}\"\n"));
    }
    let file = workspace.write("in.csv", csv);
    let (home, remote) = (Region::home().bucket("keys"), Region::remote().bucket("keys"));
    let key = "in/SlowDown InternalError=ü+%2F.csv";
    home.put(key, &file);
    let source = format!(
        "[source]\ninputs = [{:?}]\nregion = \"us-east-1\"\nendpoint = {:?}\n",
        home.url(key),
        home.region.endpoint
    );
    workspace.write("job.toml", job(&source, &[&home, &remote]));
    let run = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    assert!(!run.stderr.contains("warn"), "nothing went wrong, nothing is tried again: {run}");

    let local = workspace.path("local");
    let expected: Vec<Vec<Option<String>>> = VALUES
        .iter()
        .enumerate()
        .map(|(id, value)| vec![Some(id.to_string()), Some((*value).to_owned())])
        .collect();
    let local_table = Table::of_parquet(&local);
    for bucket in [&home, &remote] {
        let copy = bucket.download("SlowDown=1/t/", &workspace);
        assert_eq!(query(&copy, "SELECT id, k FROM t ORDER BY id"), expected);
        Table::of_parquet(&copy).assert_same_values(&local_table);
        assert!(bucket.open_uploads().is_empty());
    }
    assert_eq!(query(&local, "SELECT id, k FROM t ORDER BY id"), expected);
    // The same run again finds all of it.
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds().says(&["nothing to do"]);
}

#[test]
fn a_key_that_s3_cannot_hold_is_refused_before_anything_is_visible() {
    let workspace = Workspace::new();
    workspace.write("in.csv", format!("id,k\n1,short\n2,{}\n", "v".repeat(1_100)));
    let (home, remote) = (Region::home().bucket("long"), Region::remote().bucket("long"));
    let job = job("[source]\ninputs = [\"in.csv\"]\n", &[&home, &remote]);
    workspace.write("job.toml", job.replace("[[targets]]\nurl = \"local/\"\n", ""));
    let run = workspace.sawmill(["run", "job.toml"]).run().exits_with(3);
    let _ = run.says(&["line 3", "record 2", "column \"k\"", "S3 leaves", "output.partition_by"]).helps();
    home.assert_untouched();
    remote.assert_untouched();
}
