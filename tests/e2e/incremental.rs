//! Runs that read only what is new, and runs that read again: no row is lost,
//! none stands twice.

use crate::harness::{Run, Workspace, readback};

/// A job that appends what is new under `in/` to two places.
fn landing() -> Workspace {
    let workspace = Workspace::new();
    workspace.write(
        "job.toml",
        "schema = { fields = [{ name = \"id\", type = \"int64\" }, { name = \"day\", type = \"string\" }] }\n\
         targets = [{ url = \"one/\" }, { url = \"two/\" }]\n\
         [source]\ninputs = [\"in/*.csv\"]\nincremental = true\n\
         [output]\nmode = \"append\"\npartition_by = [\"day\"]\n",
    );
    workspace
}

fn deliver(workspace: &Workspace, name: &str, ids: std::ops::Range<u32>) {
    let rows = ids.map(|id| format!("{id},{}\n", id % 3)).collect::<String>();
    workspace.write(&format!("in/{name}.csv"), format!("id,day\n{rows}"));
}

fn run(workspace: &Workspace, more: &[&str]) -> Run {
    workspace.sawmill(["run", "job.toml"].iter().chain(more)).run()
}

/// Every id once, in both targets.
#[track_caller]
fn assert_ids(workspace: &Workspace, expected: std::ops::Range<u32>) {
    for target in ["one", "two"] {
        let ids = readback::query(&workspace.path(target), "SELECT id FROM t ORDER BY id");
        let expected: Vec<_> = expected.clone().map(|id| vec![Some(id.to_string())]).collect();
        assert_eq!(ids, expected, "{target}");
        assert!(workspace.staged(target).is_empty());
    }
    let _ = workspace.sawmill(["verify", "job.toml", "--deep"]).run().succeeds();
}

#[test]
fn a_prefix_is_read_as_it_grows() {
    let workspace = landing();
    deliver(&workspace, "a", 0..10);
    let _ = run(&workspace, &[]).succeeds().says(&["10 written"]);
    let _ = run(&workspace, &[]).succeeds().says(&["nothing to do", "Every input was read"]);
    deliver(&workspace, "b", 10..15);
    let _ = run(&workspace, &["--dry-run"]).succeeds().says(&["1 file"]);
    let _ = run(&workspace, &[]).succeeds().says(&["1 file", "5 written"]);
    assert_ids(&workspace, 0..15);
    let plan = workspace.sawmill(["plan", "job.toml"]).run().succeeds().says(&["nothing to do"]);
    assert_eq!(plan.json()["tasks"], serde_json::json!([]));
    // A schedule gives the reports of as many tasks as there are, of none here.
    workspace.write("plan.json", plan.json().to_string());
    for abort in [&["--abort"][..], &[]] {
        let words = ["commit", "plan.json", "reports/*.json"].iter().chain(abort);
        let _ = workspace.sawmill(words).run().succeeds();
    }
}

#[test]
fn an_input_that_changed_is_not_read_twice_without_a_word() {
    let workspace = landing();
    deliver(&workspace, "a", 0..10);
    deliver(&workspace, "b", 10..12);
    let _ = run(&workspace, &[]).succeeds();
    deliver(&workspace, "a", 0..10);
    workspace.write("in/b.csv", "id,day\n10,1\n11,1\n12,1\n");
    let changed = run(&workspace, &[]).exits_with(4).says(&["changed since version 1", "--reprocess-from 1"]);
    let _ = changed.helps();
    let _ = run(&workspace, &["--reprocess-from", "1"]).succeeds();
    assert_ids(&workspace, 0..13);
}

#[test]
fn reprocessing_leaves_no_duplicates() {
    let workspace = landing();
    for (name, ids) in [("a", 0..10), ("b", 10..20), ("c", 20..30)] {
        deliver(&workspace, name, ids);
        let _ = run(&workspace, &[]).succeeds();
    }
    // Twice: each time the versions that hold the rows are replaced.
    for _ in 0..2 {
        let _ = run(&workspace, &["--reprocess"]).succeeds().says(&["3 files", "30 written"]);
        assert_ids(&workspace, 0..30);
    }
    deliver(&workspace, "d", 30..32);
    let _ = run(&workspace, &[]).succeeds().says(&["2 written"]);
    let _ = run(&workspace, &["--reprocess-from", "6"]).succeeds().says(&["1 file", "2 written"]);
    assert_ids(&workspace, 0..32);
    // One input of a version alone: the others would lose their rows.
    let lost = run(&workspace, &["--input", "in/a.csv", "--reprocess"]).exits_with(2);
    let _ = lost.says(&["would be lost"]).helps();
    assert_ids(&workspace, 0..32);
    let log = workspace.sawmill(["log", "job.toml"]).run().succeeds();
    assert!(log.stdout.contains("in place of versions 1, 2 and 3"), "{log}");
}

#[test]
fn steps_of_their_own_read_what_is_new_too() {
    let workspace = landing();
    for (name, ids) in [("a", 0..10), ("b", 10..20)] {
        deliver(&workspace, name, ids);
        let _ = workspace.sawmill(["plan", "job.toml", "-o", "plan.json"]).run().succeeds();
        let _ = workspace.sawmill(["task", "plan.json", "-o", "report.json"]).run().succeeds();
        // The reports are in the first target, too.
        let _ = workspace.sawmill(["commit", "plan.json"]).run().succeeds().says(&["10 written"]);
    }
    assert_ids(&workspace, 0..20);
}

/// Both have listed the same new input before either is decided.
#[test]
fn of_runs_that_overlap_one_reads_what_is_new() {
    let workspace = landing();
    deliver(&workspace, "a", 0..10);
    let steps = |plan: &str, report: &str| {
        let _ = workspace.sawmill(["plan", "job.toml", "-o", plan]).run().succeeds();
        let _ = workspace.sawmill(["task", plan, "-o", report]).run().succeeds();
    };
    steps("p1.json", "r1.json");
    deliver(&workspace, "b", 10..15);
    steps("p2.json", "r2.json");
    let _ = workspace.sawmill(["commit", "p1.json"]).run().succeeds();
    let late = workspace.sawmill(["commit", "p2.json"]).run().exits_with(8);
    let _ = late.says(&["version 1 has read", "a.csv"]).helps();
    let _ = workspace.sawmill(["commit", "--abort", "p2.json"]).run().succeeds();
    let _ = run(&workspace, &[]).succeeds().says(&["1 file", "5 written"]);
    assert_ids(&workspace, 0..15);
}

#[test]
fn rows_of_inputs_that_are_gone_are_given_up_only_when_asked() {
    let workspace = landing();
    deliver(&workspace, "a", 0..10);
    deliver(&workspace, "b", 10..15);
    let _ = run(&workspace, &[]).succeeds();
    std::fs::remove_file(workspace.path("in/b.csv")).unwrap();
    let _ = run(&workspace, &["--reprocess"]).exits_with(2).says(&["would be lost", "--drop-missing"]);
    let _ = run(&workspace, &["--reprocess", "--drop-missing"]).succeeds();
    assert_ids(&workspace, 0..10);
    let _ = run(&workspace, &["--reprocess-from", "99"]).exits_with(2).says(&["no version 99"]).helps();
    let _ = run(&workspace, &["--drop-missing"]).exits_with(2);
}
