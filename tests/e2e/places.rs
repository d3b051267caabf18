//! Tables whose targets are changed, lost or shared: refused with the reason, or
//! brought up to date, and never taken for another table.

use crate::harness::Workspace;
use crate::harness::tables::{assert_ids, command, job, run};

/// Two rows in two targets, as version 1; `b.csv` has two more.
fn table() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("a.csv", "id,day\n0,mon\n1,tue\n");
    workspace.write("b.csv", "id,day\n2,mon\n3,tue\n");
    job(&workspace, &["one", "two"]);
    let _ = run(&workspace, "a").succeeds();
    workspace
}

#[test]
fn what_is_not_the_tables_log_is_not_believed() {
    type Change = fn(&Workspace);
    let changes: [(&str, Change, &str); 5] = [
        ("targets reordered", |w| job(w, &["two", "one"]), "holds a log"),
        ("home moved", |w| job(w, &["new", "two"]), "holds version 1, but the log"),
        ("home removed", |w| std::fs::remove_dir_all(w.path("one")).unwrap(), "holds version 1, but the log"),
        (
            "last entry removed",
            |w| std::fs::remove_file(w.path("one/_sawmill/log/00000000000000000001.json")).unwrap(),
            "holds version 1, but the log",
        ),
        (
            "an entry cut off",
            |w| drop(w.write("one/_sawmill/log/00000000000000000001.json", "{\"format\": 1")),
            "cannot be read",
        ),
    ];
    for (what, change, says) in changes {
        let workspace = table();
        change(&workspace);
        let before = workspace.files("two");
        for arguments in [&["run", "job.toml"][..], &["recover", "job.toml"], &["verify", "job.toml"]] {
            let refused = command(&workspace, arguments);
            let _ = refused.exits_with(9).says(&[says]).helps();
        }
        assert_eq!(workspace.files("two"), before, "{what}");
    }
}

#[test]
fn two_tables_do_not_share_a_target() {
    let workspace = table();
    // A log of its own, and the second target of the other table.
    job(&workspace, &["three", "four"]);
    let _ = run(&workspace, "a").succeeds();
    job(&workspace, &["three", "two"]);
    let _ = run(&workspace, "b").exits_with(9).says(&["two tables share this target"]).helps();
}

#[test]
fn a_new_target_catches_up_first() {
    let workspace = table();
    job(&workspace, &["one", "two", "three"]);
    let _ =
        run(&workspace, "b").exits_with(9).says(&["three/", "does not hold version 1", "catchup"]).helps();
    let _ = command(&workspace, &["catchup", "job.toml"]).succeeds().says(&["2 of 2 files were copied"]);
    // The same job as before, though it has one more target.
    let _ = run(&workspace, "a").succeeds().says(&["nothing to do"]);
    let _ = run(&workspace, "b").succeeds();
    assert_ids(&workspace, &["one", "two", "three"], 4);
}

/// It was taken out of the job, a run replaced what it holds, and it is back.
#[test]
fn a_target_that_missed_a_replacement_holds_each_row_once() {
    let workspace = table();
    job(&workspace, &["one"]);
    workspace.write("a.csv", "id,day\n1,mon\n0,tue\n");
    let _ = command(&workspace, &["run", "job.toml", "--reprocess"]).succeeds();
    job(&workspace, &["one", "two"]);
    let caught_up = command(&workspace, &["catchup", "job.toml"]).succeeds();
    let _ = caught_up.says(&["2 of 2 files were copied", "2 files that were replaced meanwhile are removed"]);
    assert_ids(&workspace, &["one", "two"], 2);
    let _ = run(&workspace, "b").succeeds();
    assert_ids(&workspace, &["one", "two"], 4);
}

/// The log may be lost with its region: each other target knows what it says of every version.
#[test]
fn every_target_knows_the_commits_of_the_log() {
    let workspace = table();
    let _ = run(&workspace, "b").succeeds();
    let assert_copied = |target: &str| {
        for version in [1, 2] {
            let document =
                |directory: &str| std::fs::read(workspace.path(&format!("{directory}/{version:020}.json")));
            let logged = document("one/_sawmill/log").unwrap();
            let copy = document(&format!("{target}/_sawmill/history"));
            assert_eq!(copy.ok(), Some(logged), "{target}, version {version}");
        }
    };
    assert_copied("two");
    assert!(!workspace.path("one/_sawmill/history").exists(), "home has the log itself");
    // A table of an older sawmill, and a new target: `catchup` brings what is lacking.
    std::fs::remove_dir_all(workspace.path("two/_sawmill/history")).unwrap();
    job(&workspace, &["one", "two", "three"]);
    let _ = command(&workspace, &["catchup", "job.toml"]).succeeds();
    ["two", "three"].into_iter().for_each(assert_copied);
    assert_ids(&workspace, &["one", "two", "three"], 4);
}

/// Somebody adds a region because another is away.
#[test]
fn a_target_that_is_added_while_a_version_is_unfinished_gets_it_too() {
    let workspace = table();
    std::fs::remove_file(workspace.path("two/_SUCCESS")).unwrap();
    std::fs::create_dir(workspace.path("two/_SUCCESS")).unwrap();
    let _ = run(&workspace, "b").exits_with(5).says(&["version 2 is decided"]);
    std::fs::remove_dir(workspace.path("two/_SUCCESS")).unwrap();
    job(&workspace, &["one", "two", "three"]);
    let _ = command(&workspace, &["catchup", "job.toml"]).succeeds().says(&["finished version 2"]);
    assert_ids(&workspace, &["one", "two", "three"], 4);
}

#[test]
fn what_can_be_copied_is_copied_and_what_is_lost_is_named() {
    let workspace = table();
    let lost = workspace.visible("one").remove(0);
    let copied = workspace.visible("two").remove(1);
    for (target, file) in [("one", &lost), ("two", &lost), ("two", &copied)] {
        std::fs::remove_file(workspace.path(target).join(file)).unwrap();
    }
    let catchup = command(&workspace, &["catchup", "job.toml", "--json"]).exits_with(9).helps();
    let report = catchup.json();
    assert_eq!(report["copied"], serde_json::json!([0, 1]), "{report}");
    assert_eq!(report["lost"].as_array().map(Vec::len), Some(2), "{report}");
}

#[test]
fn copies_that_users_made_are_theirs() {
    let workspace = table();
    let file = workspace.visible("one").remove(0);
    let copy = workspace.path("one/archive/copy").with_file_name(file.rsplit('/').next().unwrap());
    std::fs::create_dir(workspace.path("one/archive")).unwrap();
    std::fs::copy(workspace.path("one").join(&file), &copy).unwrap();
    let _ = command(&workspace, &["gc", "job.toml", "--delete", "--keep-hours", "0"]).succeeds();
    assert!(copy.exists());
}

#[test]
fn only_what_is_known_can_be_given_up() {
    let workspace = table();
    let unknown = command(&workspace, &["recover", "job.toml", "--give-up", "../../x"]);
    let _ = unknown.exits_with(2).says(&["has no attempt"]).helps();
    let log = command(&workspace, &["log", "job.toml", "--json"]).succeeds().json();
    assert_eq!(log.as_array().map(Vec::len), Some(1), "{log}");
}

/// An attempt that nobody can tell anything of is in nobody's way.
#[test]
fn documents_that_cannot_be_read_stop_no_other_run() {
    let workspace = table();
    let _ = workspace.sawmill(["plan", "job.toml", "-o", "plan.json"]).env("INPUT", "b").run().succeeds();
    let _ = command(&workspace, &["task", "plan.json", "-o", "report.json"]).succeeds();
    let plan: serde_json::Value =
        serde_json::from_slice(&std::fs::read(workspace.path("plan.json")).unwrap()).unwrap();
    let waiting = format!("_sawmill/attempts/{}/intent.json", plan["attempt"].as_str().unwrap());
    workspace.write(&format!("one/{waiting}"), "{");
    std::fs::remove_file(workspace.path(&format!("one/{}", waiting.replace("intent", "lease")))).unwrap();
    workspace.write("one/_sawmill/checkpoints/00000000000000000001.json", "{");
    workspace.write("c.csv", "id,day\n2,wed\n");
    let _ = run(&workspace, "c").succeeds().says(&["--give-up", "the whole log is read"]);
    assert_ids(&workspace, &["one", "two"], 3);
}

#[test]
fn a_version_that_was_overwritten_is_told_when_its_job_runs_again() {
    let workspace = table();
    let overwrite = ["run", "job.toml", "--set", "output.mode=overwrite_partitions"];
    let _ = workspace.sawmill(overwrite).env("INPUT", "b").run().succeeds();
    let _ =
        run(&workspace, "a").succeeds().says(&["nothing to do", "version 2 has overwritten", "--reprocess"]);
}
