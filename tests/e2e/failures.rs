//! What `--json` prints when a command fails: one document, as its schema says, from which a
//! program can tell what is decided from what never was.

use crate::faults::Scene;
use crate::harness::proxy::{Fault, Moment, Operation};
use crate::harness::{Run, Workspace, readback};
use serde_json::{Value, json};

/// The one document of a command that failed with this exit code.
#[track_caller]
fn report(run: Run, code: i32) -> Value {
    document(run, code, "failure-report")
}

#[track_caller]
fn document(run: Run, code: i32, schema: &str) -> Value {
    let run = run.exits_with(code);
    let document = run.json();
    readback::assert_valid(schema, &document);
    assert_eq!(document["error"]["exit_code"], json!(code), "{run}");
    let message = document["error"]["message"].as_str().unwrap_or_default();
    let said = run.stderr.contains(message) && !message.is_empty();
    assert!(said, "standard error says something else than {message:?}: {run}");
    document
}

fn table() -> Workspace {
    let workspace = Workspace::new();
    workspace.write("a.csv", "id,day\n0,mon\n1,tue\n");
    workspace.write("job.toml", job("a.csv"));
    workspace
}

fn job(input: &str) -> String {
    format!("source.inputs = [\"{input}\"]\ntargets = [{{ url = \"one/\" }}, {{ url = \"two/\" }}]\n")
}

#[test]
fn a_bad_value_has_its_place() {
    let workspace = table();
    workspace.write("bad.csv", "id,day\n0,mon\nx,tue\n");
    workspace.write(
        "job.toml",
        job("bad.csv") + "schema = { fields = [{ name = \"id\", type = \"int64\" }, { name = \"day\", type = \"string\" }] }\n",
    );
    let report = report(workspace.sawmill(["run", "job.toml", "--json"]).run(), 3);
    assert_eq!((&report["status"], &report["error"]["kind"]), (&json!("failed"), &json!("input")));
    assert_eq!(report["error"]["rule"], json!("type"));
    let location = &report["error"]["location"];
    assert!(location["url"].as_str().unwrap().ends_with("bad.csv"), "{report}");
    let place = ["line", "record", "column", "byte_offset"].map(|part| location[part].clone());
    assert_eq!(place, [json!(3), json!(2), json!("id"), json!(13)], "{report}");
    workspace.assert_untouched("one");
}

#[test]
fn a_job_file_and_flags_have_theirs() {
    let workspace = table();
    workspace.write("job.toml", job("a.csv") + "output.mod = \"append\"\n");
    let report_of = |arguments: &[&str]| report(workspace.sawmill(arguments).run(), 2);
    for command in ["run", "recover", "log", "verify", "catchup", "gc"] {
        let report = report_of(&[command, "job.toml", "--json"]);
        let place = &report["error"]["job_file"];
        assert_eq!((&place["line"], &place["key"]), (&json!(3), &json!("output.mod")), "{report}");
        assert_eq!(report["error"]["kind"], json!("job"));
    }
    // Flags of which nothing can be made, and those that say no when the command runs.
    let report = report_of(&["run", "job.toml", "--json", "--no-such-flag"]);
    assert!(report["error"]["message"].as_str().unwrap().contains("--no-such-flag"), "{report}");
    let report = report_of(&["convert", "a.csv", "-o", "-", "--json"]);
    assert_eq!(report["error"]["kind"], json!("usage"));
}

#[test]
fn requests_have_operation_and_place() {
    let workspace = table();
    workspace.write("job.toml", job("missing.csv"));
    let missing = report(workspace.sawmill(["run", "job.toml", "--json"]).run(), 4);
    assert_eq!(missing["error"]["store"]["reason"], json!("not_found"), "{missing}");
    let scene = Scene::new(300);
    scene.far.down();
    let down = report(scene.command(&["run", "job.toml", "--json"]), 5);
    let store = &down["error"]["store"];
    assert_eq!((&down["status"], &store["reason"]), (&json!("failed"), &json!("unreachable")), "{down}");
    assert!(store["url"].as_str().unwrap().starts_with(&scene.remote.url("t/")), "{down}");
    assert!(store["region"].is_string() && store["attempts"].as_u64() > Some(1), "{down}");
    assert!(store["elapsed_seconds"].as_f64() > Some(0.0), "{down}");
}

/// The same exit code, and the opposite of what is to be done.
#[test]
fn decided_is_told_from_nothing() {
    let scene = Scene::new(300);
    let lie = Fault::ErrorAfterOk { done: false };
    scene.far.fault(Operation::CompleteMultipartUpload, 1..=u64::MAX, lie);
    let decided = report(scene.command(&["run", "job.toml", "--json"]), 5);
    assert_eq!((&decided["status"], &decided["version"]), (&json!("decided"), &json!(1)), "{decided}");
    // Who comes next cannot finish it either, and has decided nothing.
    for command in ["run", "recover", "catchup"] {
        let next = report(scene.command(&[command, "job.toml", "--json"]), 5);
        assert_eq!((&next["status"], &next["unfinished"]), (&json!("failed"), &json!(1)), "{next}");
        assert!(next.get("version").is_none(), "{next}");
    }
    scene.far.heal();
    let _ = scene.command(&["recover", "job.toml", "--json"]).succeeds();
    scene.assert_done();
    // By steps, too.
    let scene = Scene::new(300);
    for arguments in [&["plan", "job.toml", "-o", "plan.json"][..], &["task", "plan.json", "-o", "task.json"]]
    {
        let _ = scene.command(arguments).succeeds();
    }
    scene.far.fault(Operation::CompleteMultipartUpload, 1..=u64::MAX, lie);
    let decided = report(scene.command(&["commit", "plan.json", "--json"]), 5);
    assert_eq!((&decided["status"], &decided["version"]), (&json!("decided"), &json!(1)), "{decided}");
}

/// Home does not answer when the log is to be written, nor when it is asked for the entry.
#[test]
fn what_is_not_known_is_said_to_be_unknown() {
    let scene = Scene::new(300);
    scene.add("[engine.requests]\nmax_attempts = 1\n");
    let gate = scene.near.hold(Operation::PutObject.of("_sawmill/log/"), 1, Moment::Before);
    let run = scene.workspace.sawmill(["run", "job.toml", "--json"]).start();
    let run = run.until("it is to be decided", || gate.is_reached());
    scene.near.down();
    drop(gate);
    let unknown = report(run.wait(), 5);
    assert_eq!(unknown["status"], json!("unknown"), "{unknown}");
    assert!(unknown["error"]["remedy"].as_str().unwrap().contains("sawmill recover"), "{unknown}");
}

#[test]
fn a_single_file_that_is_in_some_targets_only_is_told() {
    let scene = Scene::new(300);
    let url = scene.remote.url("t.parquet");
    let arguments = [
        "convert",
        "in.csv",
        "-o",
        "one/t.parquet",
        "-o",
        &url,
        "--endpoint",
        scene.far.endpoint(),
        "--json",
    ];
    let gate = scene.far.hold(Operation::CompleteMultipartUpload, 1, Moment::Before);
    let convert = scene.workspace.sawmill(arguments).env("AWS_REGION", "eu-west-1").start();
    let convert = convert.until("the last target is to show it", || gate.is_reached());
    // The last target comes first, and nothing can take the place of a directory.
    scene.workspace.write("one/t.parquet/file", "");
    gate.release();
    let partly = report(convert.wait(), 5);
    assert_eq!(partly["status"], json!("partly_visible"), "{partly}");
    assert_eq!(scene.remote.objects(), ["t.parquet"]);
}

/// What a command finds is its document, and says itself why that is a failure.
#[test]
fn documents_of_what_was_found_hold_the_error() {
    let workspace = table();
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    let sound = workspace.sawmill(["verify", "job.toml", "--json"]).run().succeeds().json();
    readback::assert_valid("audit", &sound);
    assert!(sound.get("error").is_none(), "{sound}");
    for target in ["one", "two"] {
        let file = workspace.visible(target).remove(0);
        std::fs::remove_file(workspace.path(target).join(file)).unwrap();
    }
    let verify = || workspace.sawmill(["verify", "job.toml", "--json"]).run();
    let audit = document(verify(), 9, "audit");
    assert_eq!(audit["damages"].as_array().map(Vec::len), Some(2), "{audit}");
    let caught_up = workspace.sawmill(["catchup", "job.toml", "--json"]).run().exits_with(9).json();
    assert_eq!(caught_up["error"]["kind"], json!("damage"), "{caught_up}");
    // What cannot even be looked at has no audit.
    std::fs::rename(workspace.path("one/_sawmill/log"), workspace.path("log")).unwrap();
    let report = report(verify(), 9);
    assert_eq!(report["status"], json!("failed"), "{report}");
}

/// A process that is ended in the middle of its work says so, too.
#[test]
fn a_signal_has_a_report() {
    let scene = Scene::new(300);
    let gate = scene.far.hold(Operation::UploadPart, 1, Moment::Before);
    let run = scene.workspace.sawmill(["run", "job.toml", "--json"]).start();
    let run = run.until("a part is on its way", || gate.is_reached());
    run.signal("TERM");
    let interrupted = report(run.wait(), 130);
    assert_eq!(interrupted["error"]["kind"], json!("interrupted"), "{interrupted}");
}
