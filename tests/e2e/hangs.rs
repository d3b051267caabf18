//! SIGTERM while a region hangs: from one request on it takes connections and requests, and
//! answers nothing; or its answers trickle.

use crate::faults::{Scene, a_few_at_once};
use crate::harness::proxy::{Fault, Matching, Moment, Operation};
use crate::promote::reorder;
use std::time::{Duration, Instant};

const RECORDS: u64 = 3_000;
/// No phase takes longer from the signal to the exit: schedulers kill after 30 s.
const MOST_SECONDS: f64 = 15.0;
/// Longer than any run of this test.
const TRICKLE: Fault = Fault::Trickle(Duration::from_secs(60));

#[derive(Debug, Clone, Copy)]
enum Side {
    Source,
    Home,
    Remote,
}

/// What there is before the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    Table,
    Plan,
    Tasks,
}

struct Case {
    phase: &'static str,
    command: &'static str,
    before: Before,
    side: Side,
    of: Matching,
    fault: Fault,
    /// On standard error, at the end.
    says: &'static str,
    most_seconds: f64,
}

fn case(phase: &'static str, side: Side, of: impl Into<Matching>, says: &'static str) -> Case {
    let (before, of, most_seconds) = (Before::Nothing, of.into(), MOST_SECONDS);
    Case { phase, command: "run job.toml", before, side, of, fault: Fault::Hang, says, most_seconds }
}

const NOTHING_LEFT: &str = "no staged file of it is left";
const LEFT: &str = "the next run, or `sawmill recover` with the same job, removes it";
const UNKNOWN: &str = "it is not known whether the run was decided";
const DECIDED: &str = "version 1 is decided and its data is safe; the next run, or `sawmill recover`";
const PLAN: &str = "plan job.toml -o plan.json --tasks 1";
const TASK: &str = "task plan.json --task 0 -o report.json";
const COMMIT: &str = "commit plan.json report.json";

fn cases() -> Vec<Case> {
    use Operation::*;
    use Side::*;
    let first = |command| Case { command, ..case("first contact with home", Home, Matching::any(), "again") };
    let of_table = |command| Case {
        before: Before::Table,
        ..Case { phase: "first contact with home, of a table", ..first(command) }
    };
    let mut cases = vec![
        first("run job.toml"),
        Case { phase: "first contact with home, `--dry-run`", ..first("run job.toml --dry-run") },
        first("check job.toml"),
        first(PLAN),
        of_table("log job.toml"),
        of_table("verify job.toml --deep"),
        of_table("recover job.toml"),
        of_table("catchup job.toml"),
        of_table("gc job.toml --delete"),
        case("first contact with the source", Source, HeadObject, NOTHING_LEFT),
        case("reading the source", Source, GetObject, ""),
        Case { fault: TRICKLE, ..case("reading the source, which trickles", Source, GetObject, "") },
        case("listing uploads at home", Home, ListMultipartUploads, NOTHING_LEFT),
        Case {
            fault: TRICKLE,
            ..case("listing uploads at home, which trickles", Home, ListMultipartUploads, NOTHING_LEFT)
        },
        case("saying what is about to be staged", Home, PutObject.of("intent.json"), NOTHING_LEFT),
        case("beginning uploads", Remote, CreateMultipartUpload, ""),
        case("uploading parts", Remote, UploadPart, LEFT),
        case("uploading parts at home", Home, UploadPart, LEFT),
        case("deciding: the changes", Remote, PutObject.of("changes-"), LEFT),
        case("deciding: the log", Home, PutObject.of("_sawmill/log/"), UNKNOWN),
        case("applying: the copy of the log", Remote, PutObject.of("_sawmill/history/"), DECIDED),
        case("completing uploads", Remote, CompleteMultipartUpload, DECIDED),
        case("completing uploads at home", Home, CompleteMultipartUpload, DECIDED),
        case("applying: its word", Remote, PutObject.of("_sawmill/applied/"), DECIDED),
        case("publishing", Remote, PutObject.of("/_SUCCESS"), DECIDED),
        case("publishing at home", Home, PutObject.of("_sawmill/published/"), DECIDED),
        Case {
            command: "run job.toml --set engine.shutdown_seconds=2",
            most_seconds: 7.0,
            ..case("uploading parts, `engine.shutdown_seconds = 2`", Remote, UploadPart, LEFT)
        },
        Case {
            before: Before::Plan,
            command: TASK,
            ..case("a task, uploading parts", Remote, UploadPart, LEFT)
        },
        Case {
            before: Before::Tasks,
            command: COMMIT,
            ..case("commit, looking for uploads", Remote, ListMultipartUploads, "run the same command again")
        },
        Case {
            before: Before::Tasks,
            command: COMMIT,
            ..case("commit, deciding", Home, PutObject.of("_sawmill/log/"), UNKNOWN)
        },
        Case {
            before: Before::Tasks,
            command: COMMIT,
            ..case("commit, completing uploads", Remote, CompleteMultipartUpload, DECIDED)
        },
    ];
    cases.extend([
        Case {
            phase: "reading a document, which trickles",
            of: GetObject.into(),
            fault: TRICKLE,
            ..of_table("log job.toml")
        },
        Case {
            phase: "reading files",
            side: Remote,
            of: GetObject.of("key="),
            ..of_table("verify job.toml --deep")
        },
        Case {
            phase: "reading files, which trickle",
            side: Remote,
            of: GetObject.of("key="),
            fault: TRICKLE,
            ..of_table("verify job.toml --deep")
        },
        Case {
            phase: "looking for files",
            side: Remote,
            of: HeadObject.into(),
            ..of_table("catchup job.toml")
        },
        Case {
            phase: "listing files",
            side: Remote,
            of: ListObjectsV2.into(),
            ..of_table("gc job.toml --delete")
        },
    ]);
    cases
}

impl Case {
    /// Seconds from the signal to the exit. What it leaves behind is swept or finished afterwards.
    fn measure(&self) -> f64 {
        let scene = Scene::new(RECORDS);
        let command = |line: &str| scene.command(&line.split(' ').collect::<Vec<_>>());
        match self.before {
            Before::Nothing => {}
            Before::Table => drop(scene.run().succeeds()),
            Before::Plan => drop(command(PLAN).succeeds()),
            Before::Tasks => {
                let _ = command(PLAN).succeeds();
                let _ = command(TASK).succeeds();
            }
        }
        let proxy = match self.side {
            Side::Source => &scene.landing,
            Side::Home => &scene.near,
            Side::Remote => &scene.far,
        };
        proxy.fault(self.of.clone(), 1..=u64::MAX, self.fault);
        let running = scene.workspace.sawmill(self.command.split(' ')).start();
        let running = running.until(self.phase, || proxy.has_struck());
        let begun = Instant::now();
        running.signal("TERM");
        let run = running.wait().exits_with(130).says(&["interrupted", self.says]).helps();
        let seconds = begun.elapsed().as_secs_f64();
        assert!(
            seconds < self.most_seconds,
            "{}: {seconds} s from the signal to the exit: {run}",
            self.phase
        );

        proxy.heal();
        match self.before {
            Before::Nothing => drop(scene.run().succeeds()),
            Before::Table => drop(command(self.command).succeeds()),
            Before::Plan => {
                let _ = command(TASK).succeeds();
                let _ = command(COMMIT).succeeds();
            }
            Before::Tasks => drop(command(COMMIT).succeeds()),
        }
        scene.assert_done();
        assert_eq!(scene.open_uploads(), 0, "{}: {run}", self.phase);
        seconds
    }
}

#[test]
fn a_signal_ends_every_phase_in_time() {
    let cases = cases();
    let seconds = a_few_at_once(12, &cases, Case::measure);
    // The table of docs/reliability.md.
    println!("| hangs from | command | seconds from SIGTERM to exit |\n|---|---|---|");
    for (case, seconds) in cases.iter().zip(seconds) {
        let command = case.command.split(' ').next().unwrap_or_default();
        println!("| {} | {command} | {seconds:.1} |", case.phase);
    }
}

/// What `catchup` and `recover` have begun is removed where the region answers; where it does not, they end
/// in the time of the job and name what is left.
#[test]
fn a_copy_that_is_stopped_is_removed_or_named_in_the_time_of_the_job() {
    // What the region answers after the signal, what is said, the most seconds to the exit, and the copies left.
    let cases = [(true, "run the same command again", 6.0, 0), (false, LEFT, 8.0, 1)];
    a_few_at_once(cases.len(), &cases, |(answers, says, most_seconds, left)| {
        let scene = Scene::new(RECORDS);
        scene.add("shutdown_seconds = 3\n");
        let near = scene.near.target(&scene.home, "t/");
        reorder(&scene, "near.toml", &[near]);
        let _ = scene.command(&["run", "near.toml"]).succeeds();
        // The copy is on its way: an upload is open, and no part of it is there.
        let gate = answers.then(|| scene.far.hold(Operation::UploadPart, 1, Moment::Before));
        if !answers {
            scene.far.fault(Operation::UploadPart, 1..=u64::MAX, Fault::Hang);
        }
        let running = scene.workspace.sawmill(["catchup", "job.toml"]).start();
        let running = running.until("a part is on its way", || match &gate {
            Some(gate) => gate.is_reached(),
            None => scene.far.has_struck(),
        });
        assert!(!scene.remote.open_uploads().is_empty());
        let begun = Instant::now();
        running.signal("TERM");
        let run = running.wait().exits_with(130).says(&["interrupted", says]).helps();
        let seconds = begun.elapsed().as_secs_f64();
        assert!(seconds < *most_seconds, "{seconds} s from the signal to the exit: {run}");
        drop(gate);
        let open = scene.remote.open_uploads().len();
        assert_eq!(open.min(1), *left, "{open} copies are open: {run}");
        scene.far.heal();
        let _ = scene.command(&["catchup", "job.toml"]).succeeds();
        let _ = scene.command(&["verify", "job.toml", "--deep"]).succeeds();
        assert_eq!(scene.open_uploads(), 0);
    });
}
