//! What `verify` finds wrong, and what it says repairs it: followed to the letter, the table is whole.

use crate::faults::{Scene, a_few_at_once};
use crate::harness::proxy::{Fault, Moment, Operation};
use crate::harness::tables::{command, job};
use crate::harness::{Run, Workspace};
use crate::promote::reorder;
use serde_json::Value;
use std::fs;
use std::path::Path;

/// Rows enough for a file whose footer is not all there is.
fn table(targets: &[&str]) -> Workspace {
    let workspace = Workspace::new();
    let rows: String = (0..2_000).map(|id| format!("{id},{}\n", id % 2)).collect();
    workspace.write("a.csv", format!("id,day\n{rows}"));
    workspace.write("b.csv", "id,day\n9000,0\n");
    job(&workspace, targets);
    let _ = command(&workspace, &["run", "job.toml"]).succeeds();
    workspace
}

/// Runs the first command that the help of a failed one names, with the same job.
fn follow(workspace: &Workspace, failed: &Run) -> (String, Run) {
    let stderr = failed.stderr.clone();
    let help = stderr.lines().find(|line| line.contains("help:")).unwrap_or_else(|| panic!("{stderr}"));
    let advice =
        help.split('`').find(|quoted| quoted.starts_with("sawmill ")).unwrap_or_else(|| panic!("{help}"));
    let mut arguments: Vec<&str> = advice.split(' ').skip(1).collect();
    arguments.insert(1, "job.toml");
    (advice.to_owned(), command(workspace, &arguments))
}

fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    change(&mut bytes);
    fs::write(file, bytes).unwrap();
}

/// The kind of the damage, what is damaged, and the advice.
type Case = (&'static str, fn(&Workspace), &'static str);

fn data(workspace: &Workspace, target: &str) -> std::path::PathBuf {
    workspace.path(target).join(workspace.visible(target).remove(0))
}

fn document(workspace: &Workspace, target: &str, of: &str) -> std::path::PathBuf {
    workspace.path(&format!("{target}/_sawmill/{of}/00000000000000000001.json"))
}

const CASES: [Case; 12] = [
    ("missing", |w| fs::remove_file(data(w, "two")).unwrap(), "sawmill catchup"),
    ("missing", |w| fs::remove_file(data(w, "one")).unwrap(), "sawmill catchup"),
    ("size", |w| change(&data(w, "two"), |bytes| bytes.push(0)), "sawmill catchup"),
    (
        "footer",
        |w| change(&data(w, "two"), |bytes| bytes.iter_mut().rev().take(8).for_each(|byte| *byte = 0)),
        "sawmill catchup",
    ),
    ("bytes", |w| change(&data(w, "two"), |bytes| bytes[40] ^= 1), "sawmill catchup --deep"),
    ("bytes", |w| change(&data(w, "one"), |bytes| bytes[40] ^= 1), "sawmill catchup --deep"),
    ("document", |w| fs::remove_file(document(w, "two", "success")).unwrap(), "sawmill catchup"),
    ("document", |w| fs::remove_file(document(w, "one", "success")).unwrap(), "sawmill catchup"),
    (
        "document",
        |w| ["one", "two"].iter().for_each(|t| fs::remove_file(document(w, t, "success")).unwrap()),
        "sawmill catchup",
    ),
    ("document", |w| fs::remove_file(document(w, "two", "applied")).unwrap(), "sawmill catchup"),
    ("document", |w| fs::write(w.path("two/_SUCCESS"), "{").unwrap(), "sawmill catchup"),
    (
        "document",
        |w| {
            let text = fs::read_to_string(w.path("two/_SUCCESS")).unwrap();
            let other = text.replacen("\"version\": 1", "\"version\": 7", 1);
            assert_ne!(other, text);
            let attempt = text.split("\"attempt\": \"").nth(1).unwrap().split('"').next().unwrap();
            fs::write(w.path("two/_SUCCESS"), other.replace(attempt, "20240101t000000z-00000001")).unwrap();
        },
        "sawmill catchup",
    ),
];

#[test]
fn each_damage_is_mended_by_what_verify_says() {
    for (number, (kind, damage, advice)) in CASES.into_iter().enumerate() {
        let workspace = table(&["one", "two"]);
        damage(&workspace);
        // Reading all bytes comes first, and finds that a footer's are wrong.
        let depth = if kind == "footer" { &["--json"][..] } else { &["--json", "--deep"] };
        let found = command(&workspace, &[&["verify", "job.toml"], depth].concat()).exits_with(9);
        let damages = found.json()["damages"].clone();
        assert_eq!(damages[0]["kind"], kind, "case {number}: {damages}");
        assert_eq!(damages[0].get("lost"), None, "case {number}: {damages}");
        let (said, followed) = follow(&workspace, &found);
        assert_eq!(said, advice, "case {number}");
        let _ = followed.succeeds();
        let _ = command(&workspace, &["verify", "job.toml", "--deep"]).succeeds();
    }
}

#[test]
fn what_is_unfinished_or_lost_is_mended_by_what_verify_says() {
    // With what version 1 said there, and without, as in a region that was emptied.
    for (is_restored, advice) in [(true, "sawmill recover"), (false, "sawmill catchup")] {
        let workspace = table(&["one", "two"]);
        let marker = workspace.path("two/_SUCCESS");
        let said_before = fs::read(&marker).unwrap();
        fs::remove_file(&marker).unwrap();
        fs::create_dir(&marker).unwrap();
        let _ = workspace.sawmill(["run", "job.toml"]).env("INPUT", "b").run().exits_with(5);
        fs::remove_dir(&marker).unwrap();
        if is_restored {
            fs::write(&marker, said_before).unwrap();
        }
        let found = command(&workspace, &["verify", "job.toml", "--deep", "--json"]).exits_with(9);
        assert_eq!(found.json()["unfinished"], serde_json::json!([2]));
        let (said, followed) = follow(&workspace, &found);
        assert_eq!(said, advice);
        let _ = followed.succeeds().says(&["version"]);
        let _ = command(&workspace, &["verify", "job.toml", "--deep"]).succeeds();
    }

    let workspace = table(&["one", "two"]);
    ["one", "two"].iter().for_each(|target| fs::remove_file(data(&workspace, target)).unwrap());
    let found = command(&workspace, &["verify", "job.toml", "--deep", "--json"]).exits_with(9);
    let damages = found.json()["damages"].clone();
    assert!(damages.as_array().unwrap().iter().all(|damage| damage["lost"] == true), "{damages}");
    let (said, followed) = follow(&workspace, &found);
    assert_eq!(said, "sawmill run --reprocess");
    let _ = followed.succeeds();
    let _ = command(&workspace, &["verify", "job.toml", "--deep"]).succeeds();
}

/// As if the files were of another table, or the log were.
#[test]
fn files_without_the_columns_of_the_table_are_mended_by_what_verify_says() {
    let workspace = table(&["one", "two"]);
    change(&document(&workspace, "one", "log"), |bytes| {
        let mut entry: Value = serde_json::from_slice(bytes).unwrap();
        entry["schema"]["columns"][0]["type"] = "string".into();
        *bytes = serde_json::to_vec(&entry).unwrap();
    });
    let found = command(&workspace, &["verify", "job.toml", "--deep", "--json"]).exits_with(9);
    let damages = found.json()["damages"].clone();
    assert_eq!(damages[0]["kind"], "columns", "{damages}");
    assert_eq!(damages[0].get("lost"), None, "{damages}");
    // Copying repairs nothing, and says so.
    for arguments in [&["catchup", "job.toml"][..], &["catchup", "job.toml", "--deep"]] {
        let _ = command(&workspace, arguments).exits_with(9).says(&["`sawmill run --reprocess`"]);
    }
    let (said, followed) = follow(&workspace, &found);
    assert_eq!(said, "sawmill run --reprocess");
    let _ = followed.succeeds();
    let _ = command(&workspace, &["verify", "job.toml", "--deep"]).succeeds();
}

/// It says what it did not look at, and does not take a file for sound whose footer is not.
#[test]
fn catchup_says_that_bytes_were_not_compared() {
    let workspace = table(&["one", "two"]);
    change(&data(&workspace, "two"), |bytes| bytes[40] ^= 1);
    let _ = command(&workspace, &["catchup", "job.toml"]).succeeds().says(&[
        "two/: 0 of 2 files were copied there",
        "bytes were not compared",
        "catchup --deep",
    ]);
    let deep = command(&workspace, &["catchup", "job.toml", "--deep"]).succeeds();
    let deep = deep.says(&["two/: 1 of 2 files was copied there"]);
    assert!(!deep.stderr.contains("not compared"), "{}", deep.stderr);
    let _ = command(&workspace, &["verify", "job.toml", "--deep"]).succeeds();
}

/// A file stands where the directory of a target should be.
fn with_a_dead_target() -> Workspace {
    let workspace = table(&["one", "dead", "three"]);
    fs::rename(workspace.path("dead"), workspace.path("away")).unwrap();
    fs::write(workspace.path("dead"), "").unwrap();
    workspace
}

fn is_named(unseen: &Value) {
    assert_eq!(unseen.as_array().map(Vec::len), Some(1), "{unseen}");
    assert!(unseen[0]["url"].as_str().unwrap().ends_with("dead/"), "{unseen}");
    assert!(!unseen[0]["error"].as_str().unwrap().is_empty(), "{unseen}");
}

#[test]
fn verify_tells_of_the_targets_that_answer() {
    let workspace = with_a_dead_target();
    let verify = || command(&workspace, &["verify", "job.toml", "--json"]);
    let found = verify().exits_with(5).helps();
    is_named(&found.json()["unseen"]);
    assert_eq!(found.json()["damages"], serde_json::json!([]));
    let said = command(&workspace, &["verify", "job.toml"]).exits_with(5);
    let _ = said.says(&["in each of 2 targets that answer", "dead/ could not be checked: "]);
    // Damage is the worse.
    fs::remove_file(data(&workspace, "three")).unwrap();
    let found = verify().exits_with(9).says(&["first bring back the targets that did not answer"]);
    is_named(&found.json()["unseen"]);
    assert_eq!(found.json()["damages"][0]["kind"], "missing");
    fs::remove_file(workspace.path("dead")).unwrap();
    fs::rename(workspace.path("away"), workspace.path("dead")).unwrap();
    let (said, followed) = follow(&workspace, &verify().exits_with(9));
    assert_eq!(said, "sawmill catchup");
    let _ = followed.succeeds();
    assert_eq!(verify().succeeds().json().get("unseen"), None);
}

#[test]
fn log_reads_home_and_says_what_it_could_not_see() {
    let workspace = with_a_dead_target();
    let log = command(&workspace, &["log", "job.toml", "--json"]).succeeds();
    assert_eq!(log.json()[0]["version"], 1);
    assert_eq!(log.json()[0]["published"], true);
    is_named(&log.json()[0]["unseen"]);
    let _ = log.says(&["dead/ could not be checked: "]);
    // A target of another table is no silence.
    fs::create_dir_all(workspace.path("three/_sawmill/log")).unwrap();
    fs::copy(document(&workspace, "one", "log"), document(&workspace, "three", "log")).unwrap();
    let _ = command(&workspace, &["log", "job.toml"]).exits_with(9).says(&["holds a log"]);
}

#[test]
fn gc_removes_what_it_can_where_a_target_is_dead() {
    let workspace = with_a_dead_target();
    let intents =
        |target: &str| workspace.files(target).iter().filter(|file| file.ends_with("intent.json")).count();
    assert_eq!(intents("one"), 1);
    let shown = command(&workspace, &["gc", "job.toml", "--json"]).exits_with(5).helps();
    is_named(&shown.json()["unseen"]);
    assert_eq!(intents("one"), 1);
    let _ = command(&workspace, &["gc", "job.toml", "--delete"])
        .exits_with(5)
        .says(&["dead/ could not be checked"]);
    assert_eq!(intents("one"), 0);
    fs::remove_file(workspace.path("dead")).unwrap();
    fs::rename(workspace.path("away"), workspace.path("dead")).unwrap();
    let _ = command(&workspace, &["verify", "job.toml", "--deep"]).succeeds();
}

#[test]
fn nothing_is_told_without_home_and_the_help_names_it() {
    let workspace = table(&["one", "two"]);
    fs::rename(workspace.path("one"), workspace.path("away")).unwrap();
    fs::write(workspace.path("one"), "").unwrap();
    for name in ["verify", "log", "gc", "catchup", "recover", "run"] {
        let failed = command(&workspace, &[name, "job.toml"]).exits_with(5).helps();
        let _ = failed.says(&["one/", "is the first target", "log"]);
    }
}

/// What a target that fails meanwhile did not remove is not told as removed.
#[test]
fn gc_says_what_it_removed_and_what_it_did_not() {
    let abort = Operation::AbortMultipartUpload;
    // What fails at home or elsewhere; then staged files removed and left, documents left.
    let cases = [(false, abort, 3, 3, 1), (false, Operation::DeleteObject, 6, 0, 1), (true, abort, 3, 3, 3)];
    a_few_at_once(cases.len(), &cases, |(at_home, fails, removed, left, documents)| {
        let scene = Scene::new(3_000);
        scene.add("[engine.requests]\nmax_attempts = 2\n");
        scene.near.fault(Operation::PutObject.of("_sawmill/log/"), 1..=u64::MAX, Fault::Hang);
        let running = scene.start().until("it is about to be decided", || scene.near.has_struck());
        let _ = running.kill();
        scene.near.heal();
        assert_eq!(scene.open_uploads(), 6);
        let failing = if *at_home { &scene.near } else { &scene.far };
        failing.fault(*fails, 1..=u64::MAX, Fault::INTERNAL_ERROR);
        let gc = ["gc", "job.toml", "--delete", "--json"];
        let run = scene.command(&gc).exits_with(5).helps();
        let found = run.json();
        let uploads = &found["uploads"][0];
        assert_eq!(uploads["count"], *removed, "{found}");
        assert_eq!(uploads["left"].as_u64().unwrap_or_default(), *left, "{found}");
        assert_eq!(scene.open_uploads() as u64, *left, "{found}");
        let told = |key: &str| found[key].as_array().cloned().unwrap_or_default();
        assert_eq!(told("left").len(), *documents, "{found}");
        let url = if *at_home { scene.home.url("t/") } else { scene.remote.url("t/") };
        let is_there = |told: &Value| told.as_str().unwrap().starts_with(&url);
        assert!(told("left").iter().all(is_there), "{found}");
        assert!(!told("documents").iter().any(is_there), "{found}");
        assert_eq!(found["unseen"][0]["url"], url, "{found}");
        // Nothing was lost of what is to be removed.
        let said = scene.command(&gc[..3]).exits_with(5);
        let _ = said.says(&["was not cleaned up completely", "may still be there", "left  "]).helps();
        failing.heal();
        let again = scene.command(&gc).succeeds().json();
        assert_eq!(again.get("left"), None, "{again}");
        assert_eq!(scene.open_uploads(), 0);
        let _ = scene.command(&gc[..3]).succeeds().says(&["removed 0 files, 0 documents and 0 staged files"]);
    });
}

/// A bucket that was deleted is no silence: what it held is gone, and the advice brings it back.
#[test]
fn a_bucket_that_is_gone_is_damage_and_comes_back_by_what_verify_says() {
    let scene = Scene::new(3_000);
    let _ = scene.run().succeeds();
    scene.remote.remove();
    let url = scene.remote.url("t/");
    let found = scene.command(&["verify", "job.toml", "--json"]).exits_with(9);
    let damages = found.json()["damages"].clone();
    assert_eq!(
        (&damages[0]["kind"], &damages[0]["url"]),
        (&"bucket".into(), &url.as_str().into()),
        "{damages}"
    );
    assert_eq!(damages.as_array().map(Vec::len), Some(1), "{damages}");
    assert_eq!(found.json().get("unseen"), None);
    let _ = found.says(&["create it again, then `sawmill catchup`"]).helps();
    let said = scene.command(&["verify", "job.toml"]).exits_with(9);
    let _ = said.says(&["in 1 target that answers", "its bucket does not exist"]);
    let _ = scene.command(&["gc", "job.toml"]).exits_with(9).says(&["NoSuchBucket"]).helps();
    scene.remote.create_again();
    let _ = scene.command(&["catchup", "job.toml"]).succeeds();
    let _ = scene.command(&["verify", "job.toml", "--deep"]).succeeds();

    // The log is gone with home's.
    scene.home.remove();
    let found = scene.command(&["verify", "job.toml"]).exits_with(9).helps();
    let _ = found.says(&["NoSuchBucket", &format!("`--home {url}` makes another target home")]);
    let _ = scene.command(&["promote", "job.toml", "--home", &url]).succeeds();
    reorder(&scene, "far.toml", &[scene.far.target(&scene.remote, "t/")]);
    let _ = scene.command(&["run", "far.toml"]).succeeds().says(&["nothing to do"]);
    let _ = scene.command(&["verify", "far.toml", "--deep"]).succeeds();
}

/// Nor is a refusal: it is told as one.
#[test]
fn a_target_that_refuses_is_told_as_that() {
    let scene = Scene::new(3_000);
    let _ = scene.run().succeeds();
    scene.far.fault(Operation::ListObjectsV2, 1..=u64::MAX, Fault::Answer(403, "AccessDenied"));
    for name in ["verify", "gc"] {
        let refused = scene.command(&[name, "job.toml", "--json"]).exits_with(5).helps();
        assert_eq!(refused.json()["unseen"][0]["reason"], "denied", "{refused}");
        let _ = refused.says(&["AccessDenied", "help: grant s3:ListBucket", "run the same command again"]);
    }
}

/// A healthy run between its decision and its word is nothing to recover from; a dead one is.
#[test]
fn verify_beside_a_run_that_publishes_says_so_and_finds_nothing_wrong() {
    let scene = Scene::new(3_000);
    scene.add("[engine.requests]\nread_timeout_seconds = 300\nsmall_timeout_seconds = 300\n");
    let gate = scene.far.hold(Operation::PutObject.of("_sawmill/applied/"), 1, Moment::Before);
    let running = scene.start().until("its files are visible in one region", || gate.is_reached());
    let _ = scene.command(&["verify", "job.toml"]).succeeds().says(&["a run is publishing version 1"]);
    let found = scene.command(&["verify", "job.toml", "--json"]).succeeds().json();
    assert_eq!((&found["unfinished"], &found["publishing"]), (&[1].into(), &[1].into()), "{found}");
    let _ = running.kill();
    drop(gate);
    let dead = scene.command(&["verify", "job.toml", "--json"]).exits_with(9).says(&["`sawmill recover`"]);
    assert_eq!(dead.json().get("publishing"), None, "{dead}");
    let _ = scene.command(&["recover", "job.toml"]).succeeds().says(&["finished version 1"]);
    let _ = scene.command(&["verify", "job.toml", "--deep"]).succeeds();
}
