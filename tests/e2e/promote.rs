//! The home target is lost, and another takes its place: gone for good, gone and back,
//! gone in the middle of a run, or only not seen by whoever promotes the other.

use crate::faults::Scene;
use crate::harness::Workspace;
use crate::harness::moto::Region;
use crate::harness::proxy::{Moment, Operation, Proxy};
use crate::harness::readback::Ids;
use crate::harness::tables::{assert_ids, command, job, run};

/// Inputs `a` to `d` of two rows each; `a` is version 1 in the targets `one` and `two`.
fn table() -> Workspace {
    let workspace = Workspace::new();
    for (number, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        let (first, second) = (2 * number, 2 * number + 1);
        workspace.write(&format!("{name}.csv"), format!("id,day\n{first},mon\n{second},tue\n"));
    }
    job(&workspace, &["one", "two"]);
    let _ = run(&workspace, "a").succeeds();
    workspace
}

fn rename(workspace: &Workspace, from: &str, to: &str) {
    std::fs::rename(workspace.path(from), workspace.path(to)).unwrap();
}

/// Version 2 is decided and visible nowhere: what the other target has of it cannot be read.
#[track_caller]
fn decide_alone(workspace: &Workspace, input: &str) {
    let in_the_way = workspace.path("two/_sawmill/applied/00000000000000000002.json");
    std::fs::create_dir(&in_the_way).unwrap();
    let _ = run(workspace, input).exits_with(5).says(&["version 2 is decided"]);
    std::fs::remove_dir(in_the_way).unwrap();
    assert_eq!(workspace.files("two/_sawmill/history").len(), 1, "nobody but home knows of it");
}

/// The log shows a commit of version 2 that is only in the log of the old home.
#[track_caller]
fn assert_only_in_one(workspace: &Workspace) {
    let log = command(workspace, &["log", "job.toml", "--json"]).succeeds().json();
    let is_old =
        |entry: &&serde_json::Value| entry["only_in"].as_str().is_some_and(|url| url.ends_with("/one/"));
    let old: Vec<_> = log.as_array().unwrap().iter().filter(is_old).collect();
    assert_eq!(old.len(), 1, "{log}");
    assert_eq!((&old[0]["kind"], &old[0]["version"]), (&"commit".into(), &2.into()));
}

#[test]
fn a_table_goes_on_without_its_home_and_with_it_when_it_is_back() {
    let workspace = table();
    let _ = run(&workspace, "b").succeeds();
    rename(&workspace, "one", "away");
    let _ = run(&workspace, "c").exits_with(9).says(&["sawmill promote"]).helps();
    let promoted = command(&workspace, &["promote", "job.toml", "--home", "two/"]).succeeds();
    let _ = promoted.says(&["two/ is home now (epoch 2)", "version 2", "one/ was passed over"]);
    assert!(!workspace.path("one").exists(), "what holds no data of the table is left alone");

    job(&workspace, &["two"]);
    let _ = run(&workspace, "b").succeeds().says(&["nothing to do"]);
    let _ = run(&workspace, "c").succeeds();
    assert_ids(&workspace, &["two"], 6);
    let log = command(&workspace, &["log", "job.toml", "--json"]).succeeds().json();
    let kinds: Vec<&str> = log.as_array().unwrap().iter().map(|e| e["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["commit", "commit", "promotion", "commit"], "{log}");

    // It is back, and whoever follows it is told.
    rename(&workspace, "away", "one");
    let before = workspace.files("one");
    job(&workspace, &["one", "two"]);
    for arguments in
        [&["run", "job.toml"][..], &["recover", "job.toml"], &["verify", "job.toml"], &["log", "job.toml"]]
    {
        let refused = command(&workspace, arguments).exits_with(9);
        let _ =
            refused.says(&["two/ is home of this table since its promotion", "first in `targets`"]).helps();
    }
    assert_eq!(workspace.files("one"), before);
    // Behind the new home it is a target that lacks a version.
    job(&workspace, &["two", "one"]);
    let _ = run(&workspace, "d").exits_with(9).says(&["one/", "sawmill catchup"]).helps();
    let _ = command(&workspace, &["catchup", "job.toml"]).succeeds().says(&["2 of 6 files were copied"]);
    let _ = run(&workspace, "d").succeeds();
    assert_ids(&workspace, &["two", "one"], 8);

    // And home again.
    let _ = command(&workspace, &["promote", "job.toml", "--home", "one"]).succeeds().says(&["epoch 3"]);
    let again = command(&workspace, &["promote", "job.toml", "--home", "one"]).succeeds();
    let _ = again.says(&["is home already"]);
    let _ = run(&workspace, "a").exits_with(9).says(&["one/ is home of this table"]).helps();
    job(&workspace, &["one", "two"]);
    let _ = run(&workspace, "d").succeeds().says(&["nothing to do"]);
    assert_ids(&workspace, &["one", "two"], 8);
}

/// What only the old home has decided is named, never taken for done, and never replayed by itself.
#[test]
fn what_only_the_old_home_knew_is_named_and_done_again() {
    let workspace = table();
    // The copy of the second commit cannot be written, so it is decided and visible nowhere.
    decide_alone(&workspace, "b");
    rename(&workspace, "one", "away");

    let before = workspace.files("two");
    let promote = ["promote", "job.toml", "--home", "two", "--json"];
    let refused = command(&workspace, &promote).exits_with(9).says(&["may be lost", "--accept-loss"]).helps();
    let document = refused.json();
    assert_eq!(document["loss"]["undecided"][0]["rows"], 2, "{document}");
    assert_eq!(document["error"]["exit_code"], 9, "{document}");
    assert_eq!(workspace.files("two"), before, "nothing is done before it is accepted");
    let accepted = command(&workspace, &[&promote[..], &["--accept-loss"]].concat()).succeeds().json();
    assert_eq!((&accepted["epoch"], &accepted["newest"]), (&2.into(), &1.into()), "{accepted}");
    assert_eq!(workspace.staged("two"), [""; 0], "what the lost attempt had staged is removed");
    job(&workspace, &["two"]);
    let _ = run(&workspace, "b").succeeds();
    assert_ids(&workspace, &["two"], 4);

    rename(&workspace, "away", "one");
    job(&workspace, &["two", "one"]);
    assert_only_in_one(&workspace);
    let _ = command(&workspace, &["catchup", "job.toml"]).succeeds();
    assert_ids(&workspace, &["two", "one"], 4);
    assert_eq!(workspace.staged("one"), [""; 0]);
}

/// An old home that was written alone meanwhile is not overwritten, and not believed.
#[test]
fn what_was_written_in_an_old_home_alone_is_nobodys_to_remove() {
    let workspace = table();
    rename(&workspace, "one", "away");
    let _ = command(&workspace, &["promote", "job.toml", "--home", "two"]).succeeds();
    rename(&workspace, "away", "one");
    job(&workspace, &["one"]);
    let _ = run(&workspace, "b").succeeds();
    job(&workspace, &["two", "one"]);
    let before = workspace.files("one");
    let refused = command(&workspace, &["catchup", "job.toml"]).exits_with(9);
    let _ = refused.says(&["version 2 was written in", "alone"]).helps();
    assert_eq!(workspace.files("one"), before);
    assert_only_in_one(&workspace);
}

#[test]
fn only_a_target_that_holds_the_table_can_become_home() {
    let workspace = table();
    let unknown = command(&workspace, &["promote", "job.toml", "--home", "three"]).exits_with(2);
    let _ = unknown.says(&["is not a target of the job", "two/"]).helps();
    job(&workspace, &["one", "two", "three"]);
    let empty = command(&workspace, &["promote", "job.toml", "--home", "three"]).exits_with(9);
    let _ = empty.says(&["three/ holds no data of the table"]).helps();
    let already = command(&workspace, &["promote", "job.toml", "--home", "one"]).succeeds();
    let _ = already.says(&["is home already (epoch 1)"]);
    assert!(!workspace.path("one/_sawmill/epoch").exists());
}

/// The job of a scene with its targets in another order, or without some.
/// Home has changed twice since the plan was made: version numbers in it are those of another log.
#[test]
fn inputs_that_were_chosen_by_the_log_of_another_epoch_are_chosen_again() {
    let workspace = table();
    let next = |arguments: &[&str]| workspace.sawmill(arguments).env("INPUT", "*").run();
    let incremental = std::fs::read_to_string(workspace.path("job.toml")).unwrap();
    workspace.write("next.toml", format!("source.incremental = true\n{incremental}"));
    let _ = next(&["plan", "next.toml", "-o", "plan.json"]).succeeds();

    for (home, targets) in [("two", ["two", "one"]), ("one", ["one", "two"])] {
        let _ = command(&workspace, &["promote", "job.toml", "--home", home]).succeeds();
        job(&workspace, &targets);
    }
    let _ = next(&["task", "plan.json", "--task", "0", "-o", "report.json"]).succeeds();
    let refused = next(&["commit", "plan.json", "report.json"]).exits_with(8);
    let _ = refused.says(&["another target has become home", "--abort", "plan again"]).helps();
    assert_ids(&workspace, &["one", "two"], 2);

    let _ = next(&["commit", "plan.json", "report.json", "--abort"]).succeeds();
    let _ = next(&["plan", "next.toml", "-o", "plan.json"]).succeeds();
    let _ = next(&["task", "plan.json", "--task", "0", "-o", "report.json"]).succeeds();
    let _ = next(&["commit", "plan.json", "report.json"]).succeeds();
    assert_ids(&workspace, &["one", "two"], 8);
}

pub(crate) fn reorder(scene: &Scene, name: &str, targets: &[String]) {
    let text = std::fs::read_to_string(scene.workspace.path("job.toml")).unwrap();
    let (before, rest) = text.split_once("[[targets]]").unwrap();
    let (_, after) = rest.split_once("[output]").unwrap();
    scene.workspace.write(name, format!("{before}{}[output]{after}", targets.concat()));
}

/// A run has decided when another process, which does not see home, makes the other region home.
/// What it has decided becomes visible nowhere, and the same job runs under the new home.
#[test]
fn a_run_that_still_sees_the_old_home_stops_before_anything_is_visible() {
    let scene = Scene::new(3_000);
    // The request that is held must not be given up and repeated while the promotion, on a loaded
    // machine, takes its time.
    scene.add(
        "[engine.requests]\nmax_attempts = 2\nread_timeout_seconds = 300\nsmall_timeout_seconds = 300\n",
    );
    let blind = Proxy::before(Region::home());
    blind.down();
    let (near, far) = (scene.near.target(&scene.home, "t/"), scene.far.target(&scene.remote, "t/"));
    reorder(&scene, "blind.toml", &[blind.target(&scene.home, "t/"), far.clone()]);

    let gate = scene.far.hold(Operation::PutObject.of("_sawmill/history/"), 1, Moment::Before);
    let running = scene.workspace.sawmill(["run", "job.toml", "--json"]).start();
    let running = running.until("the copy of the commit is on its way", || gate.is_reached());
    let home = scene.remote.url("t/");
    let promote = ["promote", "blind.toml", "--home", &home];
    let _ = scene.command(&promote).exits_with(9).says(&["3,000 rows of 1 input", "may be lost"]).helps();
    let _ = scene.command(&[&promote[..], &["--accept-loss"]].concat()).succeeds();
    gate.release();
    let stopped = running.wait().exits_with(9).says(&["is home of this table since its promotion"]).helps();
    assert_eq!(stopped.json()["status"], "unknown");
    scene.assert_invisible();

    reorder(&scene, "job.toml", std::slice::from_ref(&far));
    let _ = scene.run().succeeds();
    assert_eq!(scene.remote.ids("t/", "id", &scene.workspace), Ids::once(0..scene.records));
    reorder(&scene, "both.toml", &[far, near]);
    let _ = scene.command(&["catchup", "both.toml"]).succeeds();
    let _ = scene.home.assert_same_files(&scene.remote, "t/", &scene.workspace);
    let _ = scene.command(&["verify", "both.toml", "--deep"]).succeeds();
    assert_eq!(scene.open_uploads(), 0);
}

/// Home goes away in the middle of a run: what is known to the other region is finished there.
#[test]
fn a_run_that_loses_its_home_is_finished_in_the_new_one() {
    let scene = Scene::new(3_000);
    let (near, far) = (scene.near.target(&scene.home, "t/"), scene.far.target(&scene.remote, "t/"));
    let gate = scene.far.hold(Operation::CompleteMultipartUpload, 2, Moment::Before);
    let running = scene.start().until("a file is visible", || gate.is_reached());
    scene.near.down();
    let _ = running.kill();
    drop(gate);
    let home = scene.remote.url("t/");
    let promoted = scene.command(&["promote", "job.toml", "--home", &home]).succeeds();
    let _ = promoted.says(&["is home now", "finishes version 1", "was passed over"]);
    reorder(&scene, "far.toml", std::slice::from_ref(&far));
    let _ = scene.command(&["run", "far.toml"]).succeeds().says(&["finished version 1", "nothing to do"]);
    assert_eq!(scene.remote.ids("t/", "id", &scene.workspace), Ids::once(0..scene.records));
    scene.near.up();
    reorder(&scene, "both.toml", &[far, near]);
    let _ = scene.command(&["catchup", "both.toml"]).succeeds();
    let _ = scene.home.assert_same_files(&scene.remote, "t/", &scene.workspace);
    let _ = scene.command(&["verify", "both.toml", "--deep"]).succeeds();
    assert_eq!(scene.open_uploads(), 0);
}

/// A version whose files are lost in every target is in nobody's way once it is given up by word.
#[test]
fn what_every_target_has_lost_can_be_given_up() {
    let workspace = table();
    // Decided, and before it is visible anywhere both targets lose what was staged.
    decide_alone(&workspace, "b");
    for target in ["one", "two"] {
        for staged in workspace.staged(target) {
            std::fs::remove_file(workspace.path(target).join(staged)).unwrap();
        }
    }
    // And of the first version one file.
    let lost = workspace.visible("one").remove(0);
    for target in ["one", "two"] {
        std::fs::remove_file(workspace.path(target).join(&lost)).unwrap();
    }
    let _ = run(&workspace, "c").fails();
    let given_up =
        command(&workspace, &["recover", "job.toml", "--give-up-lost", "--json"]).succeeds().json();
    let given_up = given_up["given_up"].as_array().unwrap();
    let summed: Vec<_> = given_up.iter().map(|of| (&of["version"], &of["rows"])).collect();
    assert_eq!(summed, [(&1.into(), &1.into()), (&2.into(), &2.into())]);
    let _ = run(&workspace, "c").succeeds();
    let _ = command(&workspace, &["catchup", "job.toml"]).succeeds();
    let verified = command(&workspace, &["verify", "job.toml", "--deep"]).succeeds();
    let _ = verified.says(&["version 2: given up as lost: 2 files with 2 rows", "3 rows"]);
    let log = command(&workspace, &["log", "job.toml", "--json"]).succeeds().json();
    assert!(log.as_array().unwrap().iter().any(|entry| entry["kind"] == "given_up"), "{log}");
    let again = command(&workspace, &["recover", "job.toml", "--give-up-lost"]).succeeds();
    assert!(!again.stderr.contains("lost"), "{again}");
    // Their rows come back from the inputs.
    let _ = workspace.sawmill(["run", "job.toml", "--reprocess"]).env("INPUT", "b").run().succeeds();
    for target in ["one", "two"] {
        let ids = Ids::of(&workspace.path(target), "id");
        assert_eq!(ids, Ids::of(&workspace.path("two"), "id"), "{target}");
    }
    let verified = command(&workspace, &["verify", "job.toml", "--deep"]).succeeds();
    let _ = verified.says(&["5 rows"]);
}

/// What a second try of a task left of a version from before the promotion is nobody's, as before it.
#[test]
fn what_is_left_of_versions_from_before_a_promotion_is_found_by_gc() {
    let workspace = table();
    let file = workspace.visible("two").remove(0);
    let _ = run(&workspace, "b").succeeds();
    let (directory, name) = file.rsplit_once('/').unwrap();
    let staged = format!("two/{directory}/.{name}.0123456789abcdef.sawmill-tmp");
    rename(&workspace, "one", "away");
    let _ = command(&workspace, &["promote", "job.toml", "--home", "two/"]).succeeds();
    job(&workspace, &["two"]);
    workspace.write(&staged, "left");
    assert_eq!(workspace.staged("two").len(), 1);
    let found = command(&workspace, &["gc", "job.toml", "--json"]).succeeds().json();
    assert_eq!(found["uploads"][0]["count"], 1, "{found}");
    let _ = command(&workspace, &["gc", "job.toml", "--delete"]).succeeds();
    assert_eq!(workspace.staged("two"), [""; 0]);
    // Of the newest version the new home cannot know that it was announced.
    let _ = command(&workspace, &["recover", "job.toml"]).succeeds();
    assert_ids(&workspace, &["two"], 4);
}
