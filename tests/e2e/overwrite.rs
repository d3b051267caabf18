//! Partitions that are written anew: the old files go once the new ones are
//! visible, and only those.

use crate::harness::moto::Region;
use crate::harness::{Workspace, readback};

const JOB: &str = "schema = { fields = [{ name = \"id\", type = \"int64\" }, { name = \"day\", type = \"string\" }] }\n\
     [source]\ninputs = [\"${INPUT}.csv\"]\n[output]\nmode = \"overwrite_partitions\"\n";

fn ids(directory: &std::path::Path) -> String {
    let rows = readback::query(directory, "SELECT id FROM t ORDER BY id");
    let ids: Vec<String> = rows.iter().map(|row| row[0].clone().unwrap()).collect();
    ids.join(" ")
}

fn deliver(workspace: &Workspace) {
    workspace.write("first.csv", "id,day\n1,mon\n2,tue\n3,wed\n");
    workspace.write("second.csv", "id,day\n20,tue\n21,tue\n40,thu\n");
    workspace.write("third.csv", "id,day\n30,wed\n");
}

#[test]
fn partitions_are_replaced_in_directories() {
    let workspace = Workspace::new();
    deliver(&workspace);
    let targets = "partition_by = [\"day\"]\n[[targets]]\nurl = \"one/\"\n[[targets]]\nurl = \"two/\"\n";
    workspace.write("job.toml", format!("{JOB}{targets}"));
    // Files of another program in a partition that is written go, too; others stay.
    for (input, expected) in [("first", "1 2 3"), ("second", "1 3 20 21 40"), ("third", "1 20 21 30 40")] {
        let _ = workspace.sawmill(["run", "job.toml"]).env("INPUT", input).run().succeeds();
        assert_eq!([ids(&workspace.path("one")), ids(&workspace.path("two"))], [expected; 2], "{input}");
        let _ = workspace.sawmill(["verify", "job.toml"]).env("INPUT", input).run().succeeds();
    }
    let foreign = std::fs::read_dir(workspace.path("one/day=wed")).unwrap().next().unwrap().unwrap().path();
    std::fs::copy(&foreign, workspace.path("one/day=mon/spark.parquet")).unwrap();
    std::fs::copy(&foreign, workspace.path("one/day=wed/spark.parquet")).unwrap();
    workspace.write("third.csv", "id,day\n31,wed\n");
    let _ = workspace.sawmill(["run", "job.toml"]).env("INPUT", "third").run().succeeds();
    let files = workspace.visible("one");
    assert!(files.iter().any(|file| file == "day=mon/spark.parquet"), "{files:?}");
    assert!(!files.iter().any(|file| file == "day=wed/spark.parquet"), "{files:?}");
}

#[test]
fn a_table_without_partitions_is_replaced_whole_in_buckets() {
    let workspace = Workspace::new();
    deliver(&workspace);
    let (home, remote) = (Region::home().bucket("overwrite"), Region::remote().bucket("overwrite"));
    workspace.write("job.toml", format!("{JOB}{}{}", home.target("t/"), remote.target("t/")));
    for (input, expected) in [("first", "1 2 3"), ("second", "20 21 40"), ("third", "30")] {
        let _ = workspace.sawmill(["run", "job.toml"]).env("INPUT", input).run().succeeds();
        for bucket in [&home, &remote] {
            let copy = bucket.download("t/", &workspace);
            assert_eq!(ids(&copy), expected, "{input}");
            std::fs::remove_dir_all(copy).unwrap();
            assert_eq!(bucket.open_uploads(), [""; 0]);
        }
    }
    let _ = workspace.sawmill(["verify", "job.toml", "--deep"]).env("INPUT", "third").run().succeeds();
}

/// Who follows `locations` reads one version or the other, whole.
#[test]
fn versions_have_directories_of_their_own() {
    let workspace = Workspace::new();
    deliver(&workspace);
    let targets = "partition_by = [\"day\"]\nlayout = \"versioned\"\n[[targets]]\nurl = \"one/\"\n[[targets]]\nurl = \"two/\"\n";
    workspace.write("job.toml", format!("{JOB}{targets}"));
    let sawmill =
        |arguments: &[&str], input: &str| workspace.sawmill(arguments).env("INPUT", input).run().succeeds();
    let marker = || std::fs::read(workspace.path("two/_SUCCESS")).unwrap();
    for (input, expected) in [("first", "1 2 3"), ("second", "1 3 20 21 40"), ("third", "1 20 21 30 40")] {
        let before = workspace.visible("one");
        let _ = sawmill(&["run", "job.toml"], input);
        let marker: serde_json::Value = serde_json::from_slice(&marker()).unwrap();
        let mut found = Vec::new();
        for (partition, location) in marker["locations"].as_object().unwrap() {
            let location = location.as_str().unwrap();
            assert!(location.ends_with(partition), "{marker}");
            found.extend(ids(&workspace.path(&format!("two/{location}"))).split(' ').map(str::to_owned));
        }
        found.sort_by_key(|id| id.parse::<u32>().unwrap());
        assert_eq!(found.join(" "), expected, "{input}");
        assert!(before.iter().all(|file| workspace.path("one").join(file).exists()), "something was removed");
        let _ = sawmill(&["verify", "job.toml", "--deep"], input);
    }
    let _ = sawmill(&["gc", "job.toml", "--delete"], "third");
    assert_eq!(workspace.visible("one").len(), 6, "replaced files are kept for a day");
    std::thread::sleep(std::time::Duration::from_secs(1));
    let _ = sawmill(&["gc", "job.toml", "--delete", "--keep-hours", "0"], "third").says(&["removed 4 files"]);
    assert_eq!(workspace.visible("one").len(), 4);
    let _ = sawmill(&["verify", "job.toml", "--deep"], "third");
}

#[test]
fn a_layout_that_changes_leaves_no_old_rows() {
    let workspace = Workspace::new();
    deliver(&workspace);
    for (layout, input, expected) in [
        ("versioned", "first", "1 2 3"),
        ("direct", "second", "1 3 20 21 40"),
        ("direct", "third", "1 20 21 30 40"),
    ] {
        let targets =
            format!("layout = \"{layout}\"\npartition_by = [\"day\"]\n[[targets]]\nurl = \"one/\"\n");
        workspace.write("job.toml", format!("{JOB}{targets}"));
        let _ = workspace.sawmill(["run", "job.toml"]).env("INPUT", input).run().succeeds();
        assert_eq!(ids(&workspace.path("one")), expected, "{layout} {input}");
    }
}
