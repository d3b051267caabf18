//! Runs that write many small files say so, and each remedy they name makes them fewer.

use crate::harness::moto::Region;
use crate::harness::proxy::{Moment, Operation, Proxy};
use crate::harness::{Workspace, readback};
use serde_json::{Value, json};

const JOB: &str = "source.inputs = [\"in/*.csv\"]\ntargets = [{ url = \"out/\" }]\n\
                   schema.fields = [{ name = \"id\", type = \"int32\" }, { name = \"day\", type = \"date\" }, \
                   { name = \"carrier\" }]\n";

/// Days of the records that [`deliver`] writes.
const DAYS: u64 = 120;

/// An input with so many records, on all days in turn.
fn deliver(workspace: &Workspace, name: &str, records: u64) {
    let record = |n: u64| {
        let day = n % DAYS;
        let text = n.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!("{n},2024-{:02}-{:02},{text:016x}\n", 1 + day / 28, 1 + day % 28)
    };
    let records: String = (0..records).map(record).collect();
    workspace.write(&format!("in/{name}.csv"), format!("id,day,carrier\n{records}"));
}

/// Runs the job with these keys into a new table.
fn run(workspace: &Workspace, keys: &str) -> Value {
    let _ = std::fs::remove_dir_all(workspace.path("out"));
    workspace.write("job.toml", format!("{JOB}{keys}\n"));
    workspace.sawmill(["run", "job.toml", "--json"]).run().succeeds().json()
}

fn remedies(report: &Value) -> String {
    report["small_files"]["remedies"].to_string()
}

const BY_DAY: &str = "output.partition_by = [\"day\"]\n";
const BY_MONTH: &str = "output.partition_by = [\"year(day)\", \"month(day)\"]\n";

#[test]
fn coarser_keys_make_files_fewer() {
    let workspace = Workspace::new();
    deliver(&workspace, "a", 1_000);
    let report = run(&workspace, BY_DAY);
    let small = &report["small_files"];
    assert_eq!((&small["files"], &small["partitions"]), (&json!(DAYS), &json!(DAYS)));
    let median = small["median_bytes"].as_u64().unwrap();
    let files = report["files"].as_array().unwrap();
    let bytes = |file: &Value| file["bytes"].as_u64().unwrap();
    let below = files.iter().filter(|file| bytes(file) <= median).count();
    assert!(below >= files.len() / 2 && files.iter().any(|file| bytes(file) == median), "{report}");
    assert!(remedies(&report).contains("120 values"), "{report}");
    assert!(remedies(&report).contains("`year(day)` and `month(day)`"), "{report}");

    let by_month = run(&workspace, BY_MONTH);
    assert_eq!(by_month["files"].as_array().unwrap().len(), 5);
    assert_eq!(by_month["small_files"], Value::Null, "a few small files are a small table");

    // A key that is not a date is to be left out.
    let by_text = run(&workspace, "output.partition_by = [\"year(day)\", \"carrier\"]\n");
    assert!(by_text["small_files"]["remedies"][0].as_str().unwrap().contains("\"carrier\" has 1,000 values"));
    let without = run(&workspace, "output.partition_by = [\"year(day)\"]\n");
    assert_eq!(without["files"].as_array().unwrap().len(), 1);

    let _ = std::fs::remove_dir_all(workspace.path("out"));
    workspace.write("job.toml", format!("{JOB}{BY_DAY}"));
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds().says(&[
        "warning   120 files in 120 partitions, half of them of ",
        "for fewer, larger files use fewer or coarser keys in `output.partition_by`: \"day\" has 120 values here",
        "for fewer, larger files read more input in each run",
    ]);
}

#[test]
fn more_input_in_one_run_makes_files_fewer() {
    let workspace = Workspace::new();
    deliver(&workspace, "a", 500);
    let often = format!("{BY_DAY}output.mode = \"append\"\nsource.incremental = true\n");
    let first = run(&workspace, &often);
    assert!(remedies(&first).contains("read more input in each run"), "{first}");
    deliver(&workspace, "b", 600);
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    assert_eq!(workspace.visible("out").len() as u64, 2 * DAYS);
    let _ = run(&workspace, &often);
    assert_eq!(workspace.visible("out").len() as u64, DAYS);
}

#[test]
fn fewer_tasks_make_files_fewer() {
    let workspace = Workspace::new();
    for name in ["a", "b", "c"] {
        deliver(&workspace, name, 500);
    }
    let files = |tasks: u64| {
        let _ = std::fs::remove_dir_all(workspace.path("out"));
        workspace.write("job.toml", format!("{JOB}{BY_DAY}"));
        let count = tasks.to_string();
        let _ =
            workspace.sawmill(["plan", "job.toml", "--tasks", &count, "-o", "plan.json"]).run().succeeds();
        for task in 0..tasks {
            let (task, report) = (task.to_string(), format!("task-{task}.json"));
            let arguments = ["task", "plan.json", "--task", &task, "-o", &report];
            let _ = workspace.sawmill(arguments).run().succeeds();
        }
        let report = workspace.sawmill(["commit", "plan.json", "--json"]).run().succeeds().json();
        (report["small_files"]["files"].as_u64().unwrap(), remedies(&report))
    };
    let (three, told) = files(3);
    assert_eq!(three, 3 * DAYS);
    assert!(told.contains("plan fewer tasks (`sawmill plan --tasks`): each of the 3"), "{told}");
    assert_eq!(files(1).0, DAYS);
}

/// A table without partitions, too.
#[test]
fn a_larger_target_makes_files_fewer() {
    let workspace = Workspace::new();
    deliver(&workspace, "a", 550_000);
    let tiny = "output.target_file_bytes = 20000\noutput.max_row_group_rows = 4000\n";
    let report = run(&workspace, tiny);
    let files = report["small_files"]["files"].as_u64().unwrap();
    assert_eq!(report["small_files"]["partitions"], 1);
    assert!(
        remedies(&report).contains("raise `output.target_file_bytes` in a job file; it is 20000"),
        "{report}"
    );
    let larger = run(&workspace, "");
    assert_eq!(larger["small_files"], Value::Null);
    assert!((larger["files"].as_array().unwrap().len() as u64) < files / 10, "{files}");
}

/// More text than two waves take, and memory for the row groups of one.
#[test]
fn order_and_memory_make_files_fewer() {
    let workspace = Workspace::new();
    deliver(&workspace, "a", 550_000);
    let little = "engine.open_files_bytes = 200000\n";
    let files = |report: &Value| report["files"].as_array().unwrap().len() as u64;
    let report = run(&workspace, &format!("{BY_DAY}{little}"));
    assert!(files(&report) >= 2 * DAYS, "{}", files(&report));
    assert!(remedies(&report).contains("`output.sort_by`"), "{report}");
    assert!(remedies(&report).contains("engine.open_files_bytes = 200000"), "{report}");
    assert_eq!(files(&run(&workspace, &format!("{BY_DAY}{little}output.sort_by = [\"id\"]\n"))), DAYS);
    assert_eq!(files(&run(&workspace, BY_DAY)), DAYS);
}

/// While the answer for one object is waited for, those that follow are asked for already.
#[test]
fn objects_are_asked_for_before_their_turn() {
    let workspace = Workspace::new();
    let bucket = Region::home().bucket("ahead");
    for n in 0..40 {
        bucket.put(&format!("in/{n:02}.csv"), &workspace.write("one.csv", format!("id\n{n}\n")));
    }
    let proxy = Proxy::before(Region::home());
    let job = "targets = [{ url = \"out/\" }]\nschema.fields = [{ name = \"id\", type = \"int32\" }]\n";
    workspace.write("job.toml", format!("{job}{}", proxy.source(&bucket, "in/")));
    let _ = workspace.sawmill(["plan", "job.toml", "-o", "plan.json"]).run().succeeds();
    let following = Operation::GetObject.of("in/3");
    let before = proxy.count(following.clone());
    let gate = proxy.hold(Operation::GetObject.of("in/20.csv"), 1, Moment::Before);
    let task = workspace.sawmill(["task", "plan.json", "-o", "report.json"]).start();
    let task = task.until("the next ten are asked for", || proxy.count(following.clone()) >= before + 10);
    assert!(gate.is_reached());
    gate.release();
    let _ = task.wait().succeeds();
    let _ = workspace.sawmill(["commit", "plan.json", "report.json"]).run().succeeds();
    let ids = readback::query(&workspace.path("out"), "SELECT id FROM t");
    let ids: Vec<String> = ids.into_iter().flatten().flatten().collect();
    assert_eq!(ids, (0..40).map(|n| n.to_string()).collect::<Vec<_>>(), "in the order of the inputs");
}
