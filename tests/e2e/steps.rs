//! Plan, task and commit as commands of their own: together they are a run,
//! and nothing is visible before the last.

use crate::flights::{TARGETS, expected_of_example};
use crate::harness::moto::Region;
use crate::harness::readback::Table;
use crate::harness::report::Report;
use crate::harness::{Workspace, testdata};
use serde_json::Value;

/// Plans the example as some tasks and runs them; the names of their reports.
fn plan_and_tasks(workspace: &Workspace, job: &str, tasks: usize) -> Vec<String> {
    let count = tasks.to_string();
    let _ = workspace.sawmill(["plan", job, "-o", "plan.json", "--tasks", &count]).run().succeeds();
    let plan: Value = serde_json::from_slice(&std::fs::read(workspace.path("plan.json")).unwrap()).unwrap();
    assert_eq!(plan["tasks"].as_array().map(Vec::len), Some(tasks), "{plan}");
    (0..tasks)
        .map(|task| {
            let (task, report) = (task.to_string(), format!("report-{task}.json"));
            let arguments = ["task", "plan.json", "--task", &task, "-o", &report];
            let _ = workspace.sawmill(arguments).run().succeeds();
            report
        })
        .collect()
}

fn commit(workspace: &Workspace, reports: &[String]) -> crate::harness::Run {
    workspace.sawmill(["commit", "plan.json"].into_iter().chain(reports.iter().map(String::as_str))).run()
}

#[test]
fn one_by_one_they_are_a_run() {
    let whole = Workspace::with_flights();
    let report = Report::of(whole.sawmill(["run", "testdata/flights/job.toml", "--json"]).run());

    for tasks in [1, 2] {
        let workspace = Workspace::with_flights();
        let reports = plan_and_tasks(&workspace, "testdata/flights/job.toml", tasks);
        for target in TARGETS {
            assert!(workspace.visible(target).is_empty(), "visible before the commit");
            assert!(!workspace.staged(target).is_empty(), "nothing is staged");
        }
        let _ = commit(&workspace, &reports).succeeds();
        for target in TARGETS {
            assert!(workspace.staged(target).is_empty(), "something is left over");
            Table::of_parquet(&workspace.path(target)).assert_same_values(&expected_of_example());
        }
        if tasks == 1 {
            assert_eq!(workspace.visible(TARGETS[0]).len(), report.files.len());
        }
        // A commit that is repeated finds everything done.
        let before = workspace.files("out");
        let _ = commit(&workspace, &reports).succeeds();
        assert_eq!(before, workspace.files("out"));
    }
}

#[test]
fn a_commit_without_all_reports_shows_nothing() {
    let workspace = Workspace::with_flights();
    let reports = plan_and_tasks(&workspace, "testdata/flights/job.toml", 2);
    let _ = commit(&workspace, &reports[..1]).fails().helps();
    for target in TARGETS {
        assert!(workspace.visible(target).is_empty());
    }
    // The missing one is handed in later.
    let _ = commit(&workspace, &reports).succeeds();
    Table::of_parquet(&workspace.path(TARGETS[0])).assert_same_values(&expected_of_example());
}

#[test]
fn splits_within_a_file_give_the_same_table() {
    let workspace = Workspace::with_flights();
    let arguments = ["--tasks", "4", "--split-bytes", "50000"];
    let plan = ["plan", "testdata/flights/job.toml", "-o", "plan.json"];
    let _ = workspace.sawmill(plan.into_iter().chain(arguments)).run().succeeds();
    let plan: Value = serde_json::from_slice(&std::fs::read(workspace.path("plan.json")).unwrap()).unwrap();
    let tasks = plan["tasks"].as_array().map_or(0, Vec::len);
    assert!(tasks > 2, "two files of 180 kB are more than two splits of 50 kB: {plan}");
    let reports: Vec<String> = (0..tasks)
        .map(|task| {
            let (task, report) = (task.to_string(), format!("report-{task}.json"));
            let _ = workspace.sawmill(["task", "plan.json", "--task", &task, "-o", &report]).run().succeeds();
            report
        })
        .collect();
    let _ = commit(&workspace, &reports).succeeds();
    Table::of_parquet(&workspace.path(TARGETS[1])).assert_same_values(&expected_of_example());
}

#[test]
fn staged_uploads_become_objects_in_both_regions_at_the_commit() {
    let workspace = Workspace::new();
    let (home, remote) = (Region::home().bucket("steps"), Region::remote().bucket("steps"));
    let (csv, schema) = (testdata("flights/*.csv"), testdata("flights/schema.json"));
    workspace.write(
        "job.toml",
        format!(
            "schema = {schema:?}\n[source]\ninputs = [{csv:?}]\n{}{}",
            home.target("t/"),
            remote.target("deep/er/t/")
        ),
    );
    let reports = plan_and_tasks(&workspace, "job.toml", 2);
    let nothing: [String; 0] = [];
    for bucket in [&home, &remote] {
        let objects = bucket.objects();
        assert!(
            objects.iter().all(|key| key.contains("_sawmill/")),
            "visible before the commit: {objects:?}"
        );
        assert_eq!(bucket.open_uploads().len(), 2, "a file of each task is staged");
    }
    let _ = commit(&workspace, &reports).succeeds();
    for (bucket, prefix) in [(&home, "t/"), (&remote, "deep/er/t/")] {
        assert_eq!(bucket.open_uploads(), nothing);
        assert!(bucket.objects().contains(&format!("{prefix}_SUCCESS")));
        Table::of_parquet(&bucket.download(prefix, &workspace)).assert_same_values(&expected_of_example());
    }
}

#[test]
fn what_is_not_staged_any_more_is_not_committed() {
    let workspace = Workspace::with_flights();
    let reports = plan_and_tasks(&workspace, "testdata/flights/job.toml", 2);
    let gone = workspace.staged(TARGETS[0]).remove(3);
    std::fs::remove_file(workspace.path(TARGETS[0]).join(&gone)).unwrap();
    let _ = commit(&workspace, &reports).exits_with(5).says(&["no longer staged there"]).helps();
    for target in TARGETS {
        assert!(workspace.visible(target).is_empty(), "visible although the commit failed");
    }
}

#[test]
fn a_task_that_ran_twice_leaves_nothing_behind() {
    let workspace = Workspace::with_flights();
    let reports = plan_and_tasks(&workspace, "testdata/flights/job.toml", 2);
    let _ = workspace.sawmill(["task", "plan.json", "--task", "0", "-o", "report-0.json"]).run().succeeds();
    let _ = commit(&workspace, &reports).succeeds();
    for target in TARGETS {
        assert!(workspace.staged(target).is_empty(), "something is left over");
        Table::of_parquet(&workspace.path(target)).assert_same_values(&expected_of_example());
    }
}

#[test]
fn aborting_removes_what_tasks_without_a_report_have_staged() {
    let workspace = Workspace::with_flights();
    let reports = plan_and_tasks(&workspace, "testdata/flights/job.toml", 2);
    for report in &reports {
        std::fs::remove_file(workspace.path(report)).unwrap();
    }
    let _ = workspace.sawmill(["commit", "plan.json", "--abort"]).run().succeeds();
    for target in TARGETS {
        assert!(workspace.staged(target).is_empty(), "something is left over");
        assert!(workspace.visible(target).is_empty());
    }
}
