//! Runs of one table at the same time: of the same job one wins and the others
//! adopt it, of different jobs each is part of the table.

use crate::harness::moto::Region;
use crate::harness::readback::Ids;
use crate::harness::{Run, Workspace};
use std::path::PathBuf;

const RUNS: u64 = 4;

fn deliver(workspace: &Workspace, name: &str, ids: std::ops::Range<u64>) {
    let rows: String = ids.map(|id| format!("{id},{}\n", id % 3)).collect();
    workspace.write(&format!("{name}.csv"), format!("id,key\n{rows}"));
}

fn job(workspace: &Workspace, targets: &str, mode: &str) {
    workspace.write(
        "job.toml",
        format!(
            "schema = {{ fields = [{{ name = \"id\", type = \"int64\" }}, {{ name = \"key\", type = \"string\" }}] }}\n\
             [source]\ninputs = [\"${{INPUT}}.csv\"]\n{targets}\
             [output]\nmode = \"{mode}\"\npartition_by = [\"key\"]\n"
        ),
    );
}

const DIRECTORIES: &str = "[[targets]]\nurl = \"one/\"\n[[targets]]\nurl = \"two/\"\n";

fn at_once(workspace: &Workspace, input: impl Fn(u64) -> String) -> Vec<Run> {
    let start = |number| {
        let arguments = ["run", "job.toml", "--json", "--threads", "1"];
        workspace.sawmill(arguments).env("INPUT", input(number)).start()
    };
    let running: Vec<_> = (0..RUNS).map(start).collect();
    running.into_iter().map(|running| running.wait()).collect()
}

fn committed(runs: &[Run]) -> usize {
    runs.iter().filter(|run| run.json()["status"] == "committed").count()
}

#[test]
fn of_the_same_job_one_wins_and_the_others_adopt() {
    let workspace = Workspace::new();
    deliver(&workspace, "in", 0..3_000);
    let (home, remote) = (Region::home().bucket("together"), Region::remote().bucket("together"));
    for (targets, mode) in
        [(DIRECTORIES.to_owned(), "error_if_exists"), (home.target("t/") + &remote.target("t/"), "append")]
    {
        job(&workspace, &targets, mode);
        let runs: Vec<Run> = at_once(&workspace, |_| "in".into()).into_iter().map(Run::succeeds).collect();
        assert_eq!(committed(&runs), 1);
    }
    let tables: [PathBuf; 4] = [
        workspace.path("one"),
        workspace.path("two"),
        home.download("t/", &workspace),
        remote.download("t/", &workspace),
    ];
    for table in tables {
        assert_eq!(Ids::of(&table, "id"), Ids::once(0..3_000), "{}", table.display());
    }
    assert_eq!((home.open_uploads().len(), remote.open_uploads().len()), (0, 0));
    for target in ["one", "two"] {
        assert!(workspace.staged(target).is_empty());
    }
}

#[test]
fn different_jobs_all_append() {
    let workspace = Workspace::new();
    (0..RUNS).for_each(|n| deliver(&workspace, &format!("in-{n}"), n * 1_000..(n + 1) * 1_000));
    job(&workspace, DIRECTORIES, "append");
    let runs: Vec<Run> = at_once(&workspace, |n| format!("in-{n}")).into_iter().map(Run::succeeds).collect();
    assert_eq!(committed(&runs), RUNS as usize);
    for target in ["one", "two"] {
        assert_eq!(Ids::of(&workspace.path(target), "id"), Ids::once(0..RUNS * 1_000));
        assert!(workspace.staged(target).is_empty());
    }
    let audit = workspace.sawmill(["verify", "job.toml", "--json"]).env("INPUT", "in-0").run().succeeds();
    assert_eq!(audit.json()["version"], RUNS, "{audit}");
}

/// Each run overwrites all partitions: what stays is what one of them wrote.
#[test]
fn different_jobs_that_overwrite_leave_what_the_last_wrote() {
    let workspace = Workspace::new();
    (0..RUNS).for_each(|n| deliver(&workspace, &format!("in-{n}"), n * 1_000..(n + 1) * 1_000));
    job(&workspace, DIRECTORIES, "overwrite_partitions");
    let _ = at_once(&workspace, |n| format!("in-{n}")).into_iter().map(Run::succeeds).collect::<Vec<_>>();
    let log = workspace.sawmill(["log", "job.toml", "--json"]).env("INPUT", "in-0").run().succeeds();
    let last = log.json().as_array().unwrap().iter().rev().find(|entry| entry["kind"] == "commit").unwrap()["attempt"].clone();
    for target in ["one", "two"] {
        let files = workspace.visible(target);
        assert!(files.iter().all(|file| file.contains(last.as_str().unwrap())), "{last}: {files:?}");
        let ids = Ids::of(&workspace.path(target), "id");
        assert!((0..RUNS).any(|n| ids == Ids::once(n * 1_000..(n + 1) * 1_000)), "{ids:?}");
    }
    let _ = workspace.sawmill(["verify", "job.toml", "--deep"]).env("INPUT", "in-0").run().succeeds();
}

/// Where a table must be new, one run is part of it.
#[test]
fn of_different_jobs_that_want_a_new_table_one_gets_it() {
    let workspace = Workspace::new();
    (0..RUNS).for_each(|n| deliver(&workspace, &format!("in-{n}"), n * 1_000..(n + 1) * 1_000));
    job(&workspace, DIRECTORIES, "error_if_exists");
    let runs = at_once(&workspace, |n| format!("in-{n}"));
    assert_eq!(runs.iter().filter(|run| run.code() == 0).count(), 1);
    // Too late before it staged, or too late to be decided.
    assert!(runs.iter().all(|run| [0, 5, 8].contains(&run.code())), "{runs:?}");
    for target in ["one", "two"] {
        assert_eq!(Ids::of(&workspace.path(target), "id").count, 1_000);
        assert!(workspace.staged(target).is_empty());
    }
}

#[test]
fn garbage_is_shown_and_then_removed() {
    let workspace = Workspace::new();
    deliver(&workspace, "in", 0..300);
    job(&workspace, DIRECTORIES, "append");
    let sawmill = |arguments: &[&str]| workspace.sawmill(arguments).env("INPUT", "in").run().succeeds();
    let _ = sawmill(&["run", "job.toml"]);
    let before = workspace.files("one");
    let _ = sawmill(&["gc", "job.toml"]).says(&["can be removed, with --delete", "intent.json"]);
    assert_eq!(workspace.files("one"), before);
    let _ = sawmill(&["gc", "job.toml", "--delete"]);
    assert!(workspace.files("one").len() < before.len());
    let _ = sawmill(&["verify", "job.toml", "--deep"]);
    let _ = sawmill(&["run", "job.toml"]).says(&["nothing to do"]);
    let _ =
        sawmill(&["gc", "job.toml", "--delete"]).says(&["removed 0 files, 0 documents and 0 staged files"]);
}
