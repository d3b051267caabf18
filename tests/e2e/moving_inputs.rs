//! Inputs that somebody writes while they are read: never half of the one and half of the other.

use crate::harness::{Run, Workspace};
use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const JOB: &str = "schema = { fields = [{ name = \"id\", type = \"int64\" }] }\n\
                   [source]\ninputs = [\"in/a.csv\"]\n[[targets]]\nurl = \"one/\"\n[[targets]]\nurl = \"two/\"\n\
                   [output]\nmode = \"append\"\n";

fn workspace() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "id\n1\n2\n");
    workspace.write("job.toml", JOB);
    workspace
}

/// Writes to a file in place and gives it a time of its own, whatever the clock's tick is.
fn rewrite(path: &Path, content: &str) {
    let before = path.metadata().unwrap().modified().unwrap();
    std::fs::write(path, content).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(before + Duration::from_millis(1)).unwrap();
}

type Change = fn(&Path);

const CHANGES: [(Change, &str); 4] = [
    (|path| rewrite(path, "id\n3\n4\n"), "it still has 7 bytes, but was modified at"),
    (|path| rewrite(path, "id\n1\n2\n3\n"), "it is still being written: it grew from 7 to 9 bytes"),
    (|path| rewrite(path, "id\n1\n"), "it shrank from 7 to 5 bytes"),
    (
        // Another file with the size and the time of the first.
        |path| {
            let other = path.with_extension("new");
            std::fs::write(&other, "id\n3\n4\n").unwrap();
            let time = path.metadata().unwrap().modified().unwrap();
            File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
            std::fs::rename(other, path).unwrap();
        },
        "another file of the same size and time was put in its place",
    ),
];

fn rows(workspace: &Workspace) -> u64 {
    let run = workspace.sawmill(["verify", "job.toml", "--deep", "--json"]).run().succeeds();
    run.json()["rows"].as_u64().unwrap_or_else(|| panic!("no rows: {run}"))
}

#[track_caller]
fn assert_nothing_is_visible(workspace: &Workspace) {
    for target in ["one", "two"] {
        let nothing: [String; 0] = [];
        assert_eq!(workspace.visible(target), nothing);
        assert_eq!(workspace.staged(target), nothing);
    }
}

/// The first input was planned, and is read or about to be, while the run waits for the second.
#[test]
fn an_input_that_changes_while_a_run_reads_is_not_committed() {
    for (change, what) in CHANGES {
        let workspace = workspace();
        let pipe = workspace.pipe("pipe");
        let arguments = ["run", "job.toml", "--json", "--input", "in/a.csv", "--input", "pipe"];
        let (running, mut writer) = workspace.sawmill(arguments).start().until_it_reads(&pipe);
        change(&workspace.path("in/a.csv"));
        writer.write_all(b"id\n7\n").unwrap();
        drop(writer);
        let run = running.wait().exits_with(4).says(&["in/a.csv", what]).helps();
        let failure = run.json();
        assert_eq!(
            (&failure["error"]["kind"], &failure["error"]["exit_code"]),
            (&"changed".into(), &4.into())
        );
        assert_eq!(failure["status"], "failed", "{failure}");
        assert_nothing_is_visible(&workspace);
        let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    }
}

/// The inputs of a plan are looked at by each task, and once more when all of it is decided.
#[test]
fn an_input_that_changes_between_the_steps_is_not_committed() {
    for (change, what) in CHANGES {
        let workspace = workspace();
        let sawmill = |arguments: &[&str]| workspace.sawmill(arguments).run();
        let _ = sawmill(&["plan", "job.toml", "-o", "plan.json"]).succeeds();
        let _ = sawmill(&["task", "plan.json", "-o", "report.json"]).succeeds();
        change(&workspace.path("in/a.csv"));
        let changed = |run: Run| run.exits_with(4).says(&["in/a.csv", what]).helps();
        let _ = changed(sawmill(&["task", "plan.json", "-o", "late.json"]));
        let commit = changed(sawmill(&["commit", "plan.json", "report.json"]));
        // What it advises works.
        let _ = commit.says(&["sawmill commit --abort", "plan again"]);
        let _ = sawmill(&["commit", "plan.json", "--abort"]).succeeds();
        assert_nothing_is_visible(&workspace);
        let _ = sawmill(&["plan", "job.toml", "-o", "plan.json"]).succeeds();
        let _ = sawmill(&["task", "plan.json", "-o", "report.json"]).succeeds();
        let _ = sawmill(&["commit", "plan.json", "report.json"]).succeeds();
        let now = std::fs::read_to_string(workspace.path("in/a.csv")).unwrap().lines().count() - 1;
        assert_eq!(rows(&workspace), now as u64);
    }
}

/// It was the planned one when its last byte was read.
#[test]
fn an_input_may_be_archived_once_it_was_read() {
    let workspace = workspace();
    let sawmill = |arguments: &[&str]| workspace.sawmill(arguments).run().succeeds();
    let _ = sawmill(&["plan", "job.toml", "-o", "plan.json"]);
    let _ = sawmill(&["task", "plan.json", "-o", "report.json"]);
    std::fs::rename(workspace.path("in/a.csv"), workspace.path("archived.csv")).unwrap();
    let _ = sawmill(&["commit", "plan.json", "report.json"]);
    assert_eq!(rows(&workspace), 2);
}

#[test]
fn a_file_that_was_written_just_now_is_told() {
    let workspace = workspace();
    let dry = |setting: &str| {
        workspace.sawmill(["run", "job.toml", "--dry-run", "--set", setting]).run().succeeds()
    };
    let file = File::options().write(true).open(workspace.path("in/a.csv")).unwrap();
    let told = |run: &Run| run.stderr.contains("before planning");
    // A machine that is so slow that the file is old by then tries again.
    loop {
        file.set_modified(std::time::SystemTime::now()).unwrap();
        let begun = Instant::now();
        let run = dry("source.incremental=false");
        if begun.elapsed() < Duration::from_secs(4) {
            assert!(told(&run), "{run}");
            let _ = run.says(&["in/a.csv", "source.settle_seconds"]);
            break;
        }
    }
    file.set_modified(std::time::SystemTime::now()).unwrap();
    let run = dry("source.settle_seconds=0");
    assert!(!told(&run), "{run}");
    let begun = std::time::SystemTime::now();
    file.set_modified(begun).unwrap();
    let _ = dry("source.settle_seconds=1").says(&["waiting until", "in/a.csv", "1 s"]);
    assert!(begun.elapsed().unwrap() >= Duration::from_secs(1));
    file.set_modified(begun - Duration::from_secs(3_600)).unwrap();
    let run = dry("source.settle_seconds=1");
    assert!(!told(&run) && !run.stderr.contains("waiting until"), "{run}");
}

#[test]
fn settings_of_stillness_are_checked() {
    let workspace = workspace();
    for (settings, key) in [
        (&["source.settle_seconds=100000"][..], "source.settle_seconds"),
        (&["source.settle_seconds=60", "source.settle_limit_seconds=10"], "source.settle_limit_seconds"),
    ] {
        let set = settings.iter().flat_map(|setting| ["--set", setting]);
        let run = workspace.sawmill(["check", "job.toml"].into_iter().chain(set)).run();
        let _ = run.exits_with(2).says(&[key, "must be between"]).helps();
    }
}
