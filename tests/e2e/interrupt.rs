//! SIGINT and SIGTERM in the middle of a run: exit code 130, nothing visible,
//! nothing staged.

use crate::faults::Scene;
use crate::harness::Workspace;
use crate::harness::moto::Region;
use crate::harness::proxy::{Fault, Gate, Moment, Operation, Proxy};
use std::fmt::Write;
use std::time::Duration;

/// About 50 MB of text that does not compress: enough to be in the midst of.
fn large_input(workspace: &Workspace) {
    let mut state = 1_u64;
    let mut csv = String::with_capacity(60 << 20);
    csv.push_str("id,text\n");
    for id in 0..900_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let [a, b] = [state.rotate_left(21), state.rotate_left(43)];
        writeln!(csv, "{id},{a:016x}{b:016x}{state:016x}").unwrap();
    }
    workspace.write("in.csv", csv);
}

/// Small row groups and parts, so that uploads are open long before the end.
fn job(targets: &str) -> String {
    format!(
        "schema = {{ fields = [{{ name = \"id\", type = \"int32\" }}, {{ name = \"text\", type = \"string\" }}] }}\n\
         [source]\ninputs = [\"in.csv\"]\n{targets}\
         [output]\ncompression = \"none\"\nmax_row_group_rows = 20000\n[engine]\npart_bytes = 5242880\n"
    )
}

#[test]
fn signals_leave_nothing_in_directories() {
    let workspace = Workspace::new();
    large_input(&workspace);
    workspace.write("job.toml", job("[[targets]]\nurl = \"one/\"\n[[targets]]\nurl = \"other/\"\n"));
    for signal in ["INT", "TERM"] {
        let running = workspace.sawmill(["run", "job.toml"]).start();
        let staged = || !workspace.files("one").is_empty() && !workspace.files("other").is_empty();
        let running = running.until("files are staged in both targets", staged);
        running.signal(signal);
        let _ = running.wait().exits_with(130).says(&["interrupted"]);
        workspace.assert_untouched("one");
        workspace.assert_untouched("other");
    }
    // The interrupted runs are not in the way of the next.
    let _ = workspace.sawmill(["run", "job.toml"]).run().succeeds();
    assert!(workspace.files("one").contains(&"_SUCCESS".to_owned()));
}

#[test]
fn signals_leave_nothing_in_buckets() {
    let workspace = Workspace::new();
    large_input(&workspace);
    let (home, remote) = (Region::home().bucket("interrupt"), Region::remote().bucket("interrupt"));
    let [near, far] = [Region::home(), Region::remote()].map(Proxy::before);
    workspace.write("job.toml", job(&(near.target(&home, "t/") + &far.target(&remote, "t/"))));
    for signal in ["INT", "TERM"] {
        // A part stays on its way, or the run might be over before anybody has looked.
        let gates = [&near, &far].map(|proxy| proxy.hold(Operation::UploadPart, 2, Moment::Before));
        let running = workspace.sawmill(["run", "job.toml"]).start();
        let staged = || gates.iter().all(Gate::is_reached);
        let running = running.until("uploads are open in both regions", staged);
        running.signal(signal);
        let _ = running.wait().exits_with(130).says(&["interrupted"]);
        home.assert_untouched();
        remote.assert_untouched();
    }
}

/// `nohup`, and `&` in a shell without job control, which ignores SIGINT for what
/// it starts in the background.
#[test]
#[cfg(target_os = "linux")]
fn signals_that_were_ignored_at_the_start_stay_ignored() {
    let workspace = Workspace::new();
    large_input(&workspace);
    workspace.write("job.toml", job("[[targets]]\nurl = \"out/\"\n"));
    let shell = ["sh", "-c", "trap '' INT HUP; exec \"$@\"", "sh"];
    for (wrapper, ignored, stops) in
        [(&["nohup"][..], &["HUP"][..], "INT"), (&shell[..], &["INT", "HUP"][..], "TERM")]
    {
        let start = || {
            let running = workspace.sawmill(["run", "job.toml"]).within(wrapper).start();
            let running = running.until("files are staged", || !workspace.files("out").is_empty());
            ignored.iter().for_each(|signal| running.signal(signal));
            running
        };
        let stopped = start();
        stopped.signal(stops);
        let _ = stopped.wait().exits_with(130).says(&["interrupted"]);
        workspace.assert_untouched("out");
        let _ = start().wait().succeeds();
        std::fs::remove_dir_all(workspace.path("out")).unwrap();
    }
}

#[test]
fn a_signal_ends_a_run_that_waits_for_standard_input() {
    let workspace = Workspace::new();
    let options = ["convert", "-", "-o", "out.parquet", "--all-text", "--delimiter", ",", "--header"];
    let mut running = workspace.sawmill(options).start();
    running.feed(b"id,text\n1,one\n");
    // Nothing tells from outside that it waits; a moment is enough in practice,
    // and a signal that comes earlier is answered alike.
    std::thread::sleep(std::time::Duration::from_millis(500));
    running.signal("INT");
    let _ = running.wait().exits_with(130);
    workspace.assert_untouched("");
}

/// What is withdrawn gives no more signs of life, or its lease would stay for good.
#[test]
fn a_lease_is_not_renewed_once_it_is_removed() {
    let scene = Scene::new(3_000);
    scene.lease(1);
    let gate = scene.far.hold(Operation::UploadPart, 1, Moment::Before);
    let running = scene.start().until("files are being staged", || gate.is_reached());
    // What is staged cannot be looked at, so the run gives up before it decides.
    scene.far.fault(Operation::ListMultipartUploads, 1..=1, Fault::Answer(403, "AccessDenied"));
    let removed = scene.near.hold(Operation::DeleteObject.of("lease.json"), 1, Moment::After);
    gate.release();
    let running = running.until("the lease is removed", || removed.is_reached());
    // No condition says that something does not happen: four times as long as from one renewal to the next.
    std::thread::sleep(Duration::from_millis(1_333));
    removed.release();
    let _ = running.wait().exits_with(5).says(&["AccessDenied"]);
    let left: Vec<String> = scene.home.objects();
    assert!(!left.iter().any(|key| key.ends_with("lease.json")), "{left:?}");
    assert_eq!(scene.open_uploads(), 0);
}
