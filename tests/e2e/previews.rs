//! What `check`, `plan` and `run --dry-run` say before anything is written is what the run then does.

use crate::faults::Scene;
use crate::harness::proxy::{Moment, Operation};
use crate::harness::readback::assert_valid;
use crate::harness::{Run, Workspace};
use serde_json::json;

const SCHEMA: &str =
    "schema = { fields = [{ name = \"id\", type = \"int64\" }, { name = \"day\", type = \"string\" }] }\n";

/// A table of `in/a.csv` in two targets, as version 1.
fn table(mode: &str, incremental: bool) -> Workspace {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "id,day\n0,mon\n1,tue\n");
    job(&workspace, mode, incremental, &["one", "two"]);
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    workspace
}

fn job(workspace: &Workspace, mode: &str, incremental: bool, targets: &[&str]) {
    let targets: Vec<String> = targets.iter().map(|name| format!("{{ url = \"{name}/\" }}")).collect();
    workspace.write(
        "job.toml",
        format!(
            "{SCHEMA}targets = [{}]\n[source]\ninputs = [\"in/*.csv\"]\nincremental = {incremental}\n\
             read_again = \"allow\"\n[output]\nmode = \"{mode}\"\n",
            targets.join(", ")
        ),
    );
}

const PREVIEWS: [&[&str]; 3] =
    [&["check", "job.toml"], &["plan", "job.toml", "-o", "refused.json"], &["run", "job.toml", "--dry-run"]];

/// Each preview, none of which writes anything.
#[track_caller]
fn previews(workspace: &Workspace) -> [Run; 3] {
    let before = workspace.files("");
    let runs = PREVIEWS.map(|arguments| workspace.sawmill(arguments).run());
    let mut after = workspace.files("");
    after.retain(|file| file != "refused.json");
    assert_eq!(after, before);
    runs
}

#[test]
fn what_a_run_would_refuse_is_found_before() {
    type Change = fn(&Workspace);
    let cases: [(&str, bool, Change, &str); 7] = [
        (
            "append",
            true,
            |w| drop(w.write("in/a.csv", "id,day\n0,mon\n1,tue\n2,wed\n")),
            "changed since version 1 read it",
        ),
        ("error_if_exists", false, |w| drop(w.write("in/b.csv", "id,day\n2,wed\n")), "already exists"),
        (
            "append",
            false,
            |w| {
                w.write("in/b.csv", "id,day\n2,wed\n");
                job(w, "append", false, &["one", "two", "three"]);
            },
            "does not hold version 1",
        ),
        ("append", false, |w| job(w, "append", false, &["two", "one"]), "holds a log"),
        ("append", false, |w| job(w, "append", false, &["new", "two"]), "holds version 1, but the log"),
        (
            "append",
            false,
            |w| {
                w.write("in/b.csv", "id,day\n2,wed\n");
                let job = std::fs::read_to_string(w.path("job.toml")).unwrap();
                w.write("job.toml", job.replace("read_again = \"allow\"", ""));
            },
            "version 1",
        ),
        ("append", false, |w| std::fs::remove_file(w.path("in/a.csv")).unwrap(), "nothing matches"),
    ];
    for (mode, incremental, change, says) in cases {
        let workspace = table(mode, incremental);
        change(&workspace);
        let refused = previews(&workspace);
        let run = workspace.sawmill(["run", "job.toml"]).run().fails().says(&[says]).helps();
        for preview in refused {
            let _ = preview.exits_with(run.code()).says(&[says]).helps();
        }
        assert!(!workspace.path("refused.json").exists(), "a plan that is refused is none");
    }
}

#[test]
fn what_is_done_is_nothing_to_do_for_every_step() {
    // The very same inputs, or none that is new.
    for incremental in [false, true] {
        let workspace = table("append", incremental);
        for preview in previews(&workspace) {
            let _ = preview.succeeds().says(&["nothing to do"]);
        }
        let before = workspace.files("one");
        let steps = |report: &str| {
            for task in ["0", "3"] {
                // With inputs, the plan has one task.
                if task == "0" || incremental {
                    let arguments = ["task", "refused.json", "--task", task, "-o", report];
                    let _ = workspace.sawmill(arguments).run().succeeds().says(&["nothing to do"]);
                }
            }
            workspace.sawmill(["commit", "refused.json", report, "--json"]).run().succeeds()
        };
        for _ in 0..2 {
            assert_eq!(steps("report.json").json()["status"], json!("nothing_to_do"));
        }
        let commit = workspace.sawmill(["commit", "refused.json"]).run().succeeds();
        let _ = commit.says(&["nothing to do"]);
        assert_eq!(workspace.files("one"), before, "the log has nothing to say of it");
        let _ = workspace.sawmill(["commit", "refused.json", "--abort"]).run().succeeds();
    }
}

/// A schedule tries a step again that had done its work.
#[test]
fn a_task_that_is_late_does_nothing() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "id,day\n0,mon\n1,tue\n");
    job(&workspace, "append", false, &["one", "two"]);
    let sawmill = |arguments: &[&str]| workspace.sawmill(arguments).run().succeeds();
    let _ = sawmill(&["plan", "job.toml", "-o", "plan.json"]);
    let _ = sawmill(&["plan", "job.toml", "-o", "twin.json"]);
    let _ = sawmill(&["task", "plan.json", "-o", "report.json"]);
    let report = std::fs::read(workspace.path("report.json")).unwrap();
    let _ = sawmill(&["commit", "plan.json", "report.json"]);
    let files = workspace.visible("one");
    let _ = sawmill(&["task", "plan.json", "-o", "report.json"]).says(&["nothing to do"]);
    assert_eq!(std::fs::read(workspace.path("report.json")).unwrap(), report, "the report of the first try");
    let _ = sawmill(&["task", "twin.json", "-o", "twin-report.json"]).says(&["nothing to do"]);
    let _ = sawmill(&["commit", "twin.json", "twin-report.json"]).says(&["nothing to do"]);
    let _ = sawmill(&["commit", "plan.json", "report.json"]).says(&["nothing to do"]);
    assert_eq!(workspace.visible("one"), files);
    assert!(workspace.staged("one").is_empty());
    // What was given up is another matter.
    workspace.write("in/b.csv", "id,day\n2,wed\n");
    let _ = sawmill(&["plan", "job.toml", "-o", "plan.json"]);
    let _ = sawmill(&["task", "plan.json", "-o", "report.json"]);
    let _ = sawmill(&["commit", "plan.json", "--abort"]);
    let late = workspace.sawmill(["task", "plan.json", "-o", "report.json"]).run();
    let _ = late.exits_with(8).says(&["was given up"]).helps();
}

#[test]
fn a_version_that_waits_is_told() {
    let workspace = table("append", false);
    std::fs::remove_file(workspace.path("two/_SUCCESS")).unwrap();
    std::fs::create_dir(workspace.path("two/_SUCCESS")).unwrap();
    workspace.write("in/b.csv", "id,day\n2,wed\n");
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(5).says(&["version 2 is decided"]);
    std::fs::remove_dir(workspace.path("two/_SUCCESS")).unwrap();
    workspace.write("in/c.csv", "id,day\n3,thu\n");
    for preview in previews(&workspace) {
        let _ = preview.succeeds().says(&["version 2 is decided"]);
    }
    let report = workspace.sawmill(["run", "job.toml", "--dry-run", "--json"]).run().succeeds().json();
    assert_eq!(report["unfinished"], json!([2]), "{report}");
    assert_valid("run-report", &report);
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds().says(&["finished version 2"]);
}

#[test]
fn check_shows_everything_in_its_place() {
    let workspace = table("append", false);
    workspace.write("in/b.csv", "id,date\n2,wed\n");
    workspace.write("in/d.csv", "key,day\n2,wed\n");
    workspace.write("in/c.csv", "id,day\n3,thu\n");
    let check = workspace.sawmill(["check", "job.toml"]).run().exits_with(3).helps();
    let places = ["wrong input", "b.csv", "ok    input", "c.csv", "wrong input", "d.csv", "error: "];
    let mut rest = check.stderr.as_str();
    for place in places {
        let Some((_, after)) = rest.split_once(place) else { panic!("{place:?} is out of order: {check}") };
        rest = after;
    }
    assert!(rest.contains("b.csv"), "the first one decides the exit code: {check}");
}

#[test]
fn a_table_that_never_was_is_not_sound() {
    let workspace = Workspace::new();
    workspace.write("in/a.csv", "id,day\n0,mon\n");
    job(&workspace, "append", false, &["one", "two"]);
    for command in ["verify", "catchup"] {
        let run = workspace.sawmill([command, "job.toml"]).run().exits_with(9);
        let _ = run.says(&["there is no table in", "one/"]).helps();
    }
    let _ = workspace.sawmill(["log", "job.toml"]).run().succeeds().says(&["nothing was ever decided"]);
    let log = workspace.sawmill(["log", "job.toml", "--json"]).run().succeeds();
    assert_eq!(log.json(), json!([]));
    for command in ["gc", "recover"] {
        let _ = workspace.sawmill([command, "job.toml"]).run().succeeds();
    }
    assert!(workspace.files("one").is_empty());
}

#[test]
fn what_other_commands_print_is_as_their_schemas_say() {
    let workspace = table("append", true);
    std::fs::remove_file(workspace.path("two/_SUCCESS")).unwrap();
    let json =
        |arguments: &[&str]| workspace.sawmill([arguments, &["--json"]].concat()).run().succeeds().json();
    for (command, schema) in [
        ("run", "run-report"),
        ("recover", "recovered"),
        ("catchup", "caught-up"),
        ("verify", "audit"),
        ("gc", "garbage"),
    ] {
        assert_valid(schema, &json(&[command, "job.toml"]));
    }
}

/// The first run of a table dies before it is decided: there is no version, and all that is
/// left are uploads.
#[test]
fn gc_shows_what_dead_runs_have_staged() {
    let scene = Scene::new(3_000);
    let gate = scene.far.hold(Operation::UploadPart, 2, Moment::Before);
    let running = scene.start().until("a part is on its way", || gate.is_reached());
    // What may be alive is nobody's garbage.
    let open = scene.open_uploads();
    let alive = scene.command(&["gc", "job.toml", "--json"]).succeeds().json();
    assert_eq!(alive["uploads"], json!([]), "{alive}");
    let _ = running.kill();
    drop(gate);
    let shown = scene.command(&["gc", "job.toml", "--json"]).succeeds().json();
    let uploads = &shown["uploads"][0];
    assert_eq!(uploads["count"].as_u64(), Some(scene.open_uploads() as u64), "{shown}");
    assert!(scene.open_uploads() >= open && open > 0);
    assert!(uploads["age_seconds"].as_i64().is_some_and(|age| (0..600).contains(&age)), "{shown}");
    assert!(uploads.get("bytes").is_none(), "S3 does not say: {shown}");
    let _ = scene.command(&["gc", "job.toml", "--delete"]).succeeds().says(&["staged files of attempt"]);
    assert_eq!(scene.open_uploads(), 0);
    let log = scene.command(&["log", "job.toml"]).succeeds();
    let attempt = uploads["attempt"].as_str().unwrap();
    assert!(log.stdout.contains(&format!("fence   {attempt}")), "fenced before anything was removed: {log}");
    scene.assert_invisible();
    let _ = scene.run().succeeds();
    scene.assert_done();
}

/// The same in directories, which say how large it is, and of tasks that nobody has committed in time.
#[test]
fn gc_says_how_much_it_is() {
    let workspace = table("append", false);
    workspace.write("in/b.csv", "id,day\n2,wed\n");
    let sawmill = |arguments: &[&str]| workspace.sawmill(arguments).run().succeeds();
    let _ = sawmill(&["plan", "job.toml", "-o", "plan.json"]);
    let _ = sawmill(&["task", "plan.json", "-o", "report.json"]);
    let gc = |more: &[&str]| sawmill(&[&["gc", "job.toml", "--json"], more].concat()).json();
    assert_eq!(gc(&[])["uploads"], json!([]), "a commit may come for a week");
    let plan: serde_json::Value =
        serde_json::from_slice(&std::fs::read(workspace.path("plan.json")).unwrap()).unwrap();
    let intent = format!("one/_sawmill/attempts/{}/intent.json", plan["attempt"].as_str().unwrap());
    let mut old: serde_json::Value =
        serde_json::from_slice(&std::fs::read(workspace.path(&intent)).unwrap()).unwrap();
    old["started_at"] = json!("2020-01-01T00:00:00Z");
    workspace.write(&intent, old.to_string());
    let bytes: u64 = ["one", "two"]
        .iter()
        .flat_map(|target| workspace.staged(target).into_iter().map(|file| workspace.path(target).join(file)))
        .map(|file| std::fs::metadata(file).unwrap().len())
        .sum();
    let shown = gc(&[]);
    assert_eq!(
        (&shown["uploads"][0]["count"], &shown["uploads"][0]["bytes"]),
        (&json!(2), &json!(bytes)),
        "{shown}"
    );
    assert!(shown["documents"].to_string().contains("pending"), "and what its tasks have said: {shown}");
    assert!(!workspace.staged("one").is_empty(), "shown, and not removed");
    let removed = gc(&["--delete"]);
    assert_valid("garbage", &shown);
    assert_valid("garbage", &removed);
    assert_eq!(removed["uploads"][0]["count"], json!(2), "{removed}");
    assert!(workspace.staged("one").is_empty() && workspace.staged("two").is_empty());
    assert_eq!(gc(&[])["uploads"], json!([]));
    let _ = sawmill(&["verify", "job.toml", "--deep"]);
}
