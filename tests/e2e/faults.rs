//! Runs through a network and an S3 that fail now and then: what passes fails no
//! run, what stays fails it before anything is visible.

use crate::harness::moto::{Bucket, Region};
use crate::harness::proxy::{Fault, Faults, Matching, Moment, Operation, Proxy};
use crate::harness::readback::Ids;
use crate::harness::{Run, Running, Workspace};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::RangeInclusive;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Values of the partition key, and so files of a table.
const KEYS: u64 = 3;
const RECORDS: u64 = 3_000;
const ALWAYS: RangeInclusive<u64> = 1..=u64::MAX;

/// A job from a bucket to a table in each of two regions, all through proxies.
pub(crate) struct Scene {
    pub(crate) workspace: Workspace,
    pub(crate) home: Bucket<'static>,
    pub(crate) remote: Bucket<'static>,
    /// In front of the inputs.
    pub(crate) landing: Proxy,
    /// In front of the home target.
    pub(crate) near: Proxy,
    /// In front of the other target.
    pub(crate) far: Proxy,
    pub(crate) records: u64,
}

impl Scene {
    pub(crate) fn new(records: u64) -> Scene {
        let workspace = Workspace::new();
        let mut csv = String::from("id,key,text\n");
        for id in 0..records {
            let text = id.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            writeln!(csv, "{id},{},{text:016x}{:016x}", id % KEYS, !text.rotate_left(21)).unwrap();
        }
        let csv = workspace.write("in.csv", csv);
        let [inputs, home] = ["landing", "faults"].map(|purpose| Region::home().bucket(purpose));
        let remote = Region::remote().bucket("faults");
        inputs.put("in.csv", &csv);
        let [landing, near, far] = [Region::home(), Region::home(), Region::remote()].map(Proxy::before);
        let (source, one, other) =
            (landing.source(&inputs, "in.csv"), near.target(&home, "t/"), far.target(&remote, "t/"));
        workspace.write(
            "job.toml",
            format!(
                "schema = {{ fields = [{{ name = \"id\", type = \"int64\" }}, \
                 {{ name = \"key\", type = \"int32\" }}, {{ name = \"text\", type = \"string\" }}] }}\n\
                 {source}{one}{other}[output]\npartition_by = [\"key\"]\ncompression = \"none\"\n\
                 [engine]\npart_bytes = 5242880\n"
            ),
        );
        Scene { workspace, home, remote, landing, near, far, records }
    }

    pub(crate) fn start(&self) -> Running {
        self.workspace.sawmill(["run", "job.toml"]).start()
    }

    pub(crate) fn run(&self) -> Run {
        self.workspace.sawmill(["run", "job.toml"]).run()
    }

    /// Another command on the job.
    pub(crate) fn command(&self, arguments: &[&str]) -> Run {
        self.workspace.sawmill(arguments).run()
    }

    /// Sets `commit.lease_seconds`.
    pub(crate) fn lease(&self, seconds: u32) {
        self.add(&format!("[commit]\nlease_seconds = {seconds}\n"));
    }

    /// Adds a section to the job file.
    pub(crate) fn add(&self, section: &str) {
        let path = self.workspace.path("job.toml");
        let job = std::fs::read_to_string(&path).unwrap();
        self.workspace.write("job.toml", job + section);
    }

    /// Both tables hold every record once, in the same files, and neither was
    /// announced before the last file was visible.
    #[track_caller]
    pub(crate) fn assert_done(&self) {
        let files = self.home.assert_same_files(&self.remote, "t/", &self.workspace);
        assert_eq!(files.len() as u64, KEYS, "{files:?}");
        let all = Ids::once(0..self.records);
        let mut visible = BTreeMap::new();
        let mut announced = Vec::new();
        for (bucket, proxy) in [(&self.home, &self.near), (&self.remote, &self.far)] {
            assert_eq!(bucket.ids("t/", "id", &self.workspace), all, "in {}", bucket.name);
            assert!(bucket.objects().contains(&"t/_SUCCESS".to_owned()), "in {}", bucket.name);
            for exchange in proxy.exchanges() {
                // A Complete that is repeated later changes nothing.
                match (exchange.operation, exchange.answered) {
                    (Operation::CompleteMultipartUpload, Some((at, 200))) => {
                        visible.entry((bucket.name.clone(), exchange.key.clone())).or_insert(at);
                    }
                    (Operation::PutObject, Some(_)) if exchange.key == "t/_SUCCESS" => {
                        announced.push(exchange.begun);
                    }
                    _ => {}
                }
            }
        }
        assert!(visible.values().max() < announced.iter().min(), "announced too early");
    }

    /// Nothing that a reader of either table sees.
    #[track_caller]
    pub(crate) fn assert_invisible(&self) {
        for bucket in [&self.home, &self.remote] {
            let mut seen = bucket.objects();
            seen.retain(|key| !key.starts_with("t/_sawmill/"));
            assert!(seen.is_empty(), "{seen:?} in {}", bucket.name);
        }
    }

    pub(crate) fn open_uploads(&self) -> usize {
        self.home.open_uploads().len() + self.remote.open_uploads().len()
    }
}

/// Each case in a thread of its own: they wait for retries most of the time.
pub(crate) fn at_once<C: Sync>(cases: &[C], check: impl Fn(&C) + Sync) {
    let check = &check;
    thread::scope(|scope| {
        for case in cases {
            scope.spawn(move || check(case));
        }
    });
}

/// The same with so many threads: the stand-ins for S3 answer one request at a time, and other
/// tests wait for them, too. Gives the outcomes in the order of the cases.
pub(crate) fn a_few_at_once<C: Sync, T: Send>(
    threads: usize,
    cases: &[C],
    check: impl Fn(&C) -> T + Sync,
) -> Vec<T> {
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(case) = cases.get(number) else { return };
                    let outcome = check(case);
                    outcomes.lock().unwrap().insert(number, outcome);
                }
            });
        }
    });
    outcomes.into_inner().unwrap().into_values().collect()
}

#[test]
fn what_passes_fails_no_run() {
    use Operation::*;
    let moment = Duration::from_millis(200);
    let cases = [
        (CreateMultipartUpload, 1..=2, Fault::SLOW_DOWN),
        (CreateMultipartUpload, 1..=1, Fault::LoseRequest),
        (UploadPart, 1..=2, Fault::SLOW_DOWN),
        (UploadPart, 2..=2, Fault::LoseReply),
        (UploadPart, 2..=2, Fault::FlipUpload),
        (UploadPart, ALWAYS, Fault::Delay(moment)),
        (ListMultipartUploads, 1..=3, Fault::Trickle(moment)),
        (CompleteMultipartUpload, 1..=1, Fault::LoseReply),
        (CompleteMultipartUpload, 1..=2, Fault::INTERNAL_ERROR),
        (CompleteMultipartUpload, 2..=2, Fault::CutReply),
        (CompleteMultipartUpload, 1..=1, Fault::ErrorAfterOk { done: false }),
        (CompleteMultipartUpload, 1..=1, Fault::ErrorAfterOk { done: true }),
        (PutObject, 1..=2, Fault::LoseReply),
        (GetObject, 1..=1, Fault::CutReply),
        (GetObject, ALWAYS, Fault::Trickle(moment)),
        (ListObjectsV2, 1..=1, Fault::CutReply),
    ];
    at_once(&cases, |(operation, which, fault)| {
        let scene = Scene::new(RECORDS);
        for proxy in [&scene.landing, &scene.near, &scene.far] {
            proxy.fault(*operation, which.clone(), *fault);
        }
        let run = scene.run().succeeds();
        scene.assert_done();
        assert_eq!(scene.open_uploads(), 0, "{operation} {fault:?}: {run}");
        for proxy in [&scene.near, &scene.far] {
            assert!(
                proxy.exchanges().iter().any(|exchange| exchange.fault.is_some()),
                "{operation} {fault:?}"
            );
        }
    });
}

/// A region that is down is a fault of all requests.
#[test]
fn what_stays_fails_a_run_before_anything_is_visible() {
    use Operation::*;
    let any = Matching::any;
    let (home, remote) = (0, 1);
    let cases = [
        (remote, CreateMultipartUpload.of(""), Some(Fault::EXPIRED_TOKEN), "sign in again"),
        (
            remote,
            CreateMultipartUpload.of("key=1"),
            Some(Fault::Answer(403, "ExpiredToken")),
            "sign in again",
        ),
        (remote, UploadPart.of("key=2"), Some(Fault::SLOW_DOWN), "is throttling requests"),
        (home, UploadPart.of("key=0"), Some(Fault::LoseReply), "connection closed"),
        (remote, ListMultipartUploads.of(""), Some(Fault::CutReply), "tried 5 times"),
        (remote, any(), None, "check the network"),
        (home, any(), None, "check the network"),
    ];
    at_once(&cases, |(target, matching, fault, says)| {
        let scene = Scene::new(RECORDS);
        let (proxy, bucket) = [(&scene.near, &scene.home), (&scene.far, &scene.remote)][*target];
        match fault {
            Some(fault) => proxy.fault(matching.clone(), ALWAYS, *fault),
            None => proxy.down(),
        }
        let _ = scene.run().exits_with(5).says(&[says, &bucket.url("t/")]).says_it_once();
        scene.home.assert_untouched();
        scene.remote.assert_untouched();
        // What failed is not in the way of the next run.
        proxy.heal();
        proxy.up();
        let _ = scene.run().succeeds();
    });
}

/// The answer that is lost holds the upload's id, so only a list of uploads can
/// tell that one too many is open.
#[test]
fn a_lost_answer_to_create_leaves_no_upload_open() {
    let scene = Scene::new(RECORDS);
    scene.far.fault(Operation::CreateMultipartUpload, 1..=1, Fault::LoseReply);
    let _ = scene.run().succeeds();
    scene.assert_done();
    assert_eq!(scene.open_uploads(), 0);
}

#[test]
fn a_complete_that_answers_200_with_an_error_is_not_believed() {
    let scene = Scene::new(RECORDS);
    let lie = Fault::ErrorAfterOk { done: false };
    scene.far.fault(Operation::CompleteMultipartUpload.of("key=1"), ALWAYS, lie);
    let _ = scene.run().exits_with(5).says(&["InternalError", "tried 5 times"]).helps();
    // The decision was made and home comes last, so nothing is visible there.
    assert_eq!(scene.near.count(Operation::CompleteMultipartUpload), 0);
    assert_eq!(scene.near.count(Operation::PutObject.of("_SUCCESS")), 0);
    scene.far.heal();
    let _ = scene.command(&["recover", "job.toml"]).succeeds();
    scene.assert_done();
    assert_eq!(scene.open_uploads(), 0);
}

#[test]
fn a_region_that_comes_back_in_time_fails_no_run() {
    let scene = Scene::new(RECORDS);
    let gate = scene.far.hold(Operation::UploadPart, 2, Moment::After);
    let running = scene.start().until("a part is there", || gate.is_reached());
    scene.far.down();
    drop(gate);
    thread::sleep(Duration::from_millis(300));
    scene.far.up();
    let _ = running.wait().succeeds();
    scene.assert_done();
}

#[test]
fn a_run_that_stands_still_for_a_while_goes_on() {
    let scene = Scene::new(RECORDS);
    let gate = scene.far.hold(Operation::CompleteMultipartUpload, 1, Moment::After);
    let running = scene.start().until("a file is visible", || gate.is_reached());
    running.freeze();
    gate.release();
    thread::sleep(Duration::from_millis(300));
    running.thaw();
    let _ = running.wait().succeeds();
    scene.assert_done();
}

#[test]
fn a_run_that_is_killed_while_it_stages_shows_nothing() {
    let scene = Scene::new(RECORDS);
    let gate = scene.far.hold(Operation::UploadPart, 2, Moment::Before);
    let _ = scene.start().until("a part is on its way", || gate.is_reached()).kill();
    drop(gate);
    scene.assert_invisible();
    assert!(scene.open_uploads() > 0, "the run had begun no upload");
    let _ = scene.run().succeeds().says(&["gave up attempt"]);
    scene.assert_done();
    assert_eq!(scene.open_uploads(), 0);
}

#[test]
fn a_run_that_is_killed_while_it_completes_is_finished() {
    at_once(&[Moment::Before, Moment::After], |moment| {
        let scene = Scene::new(RECORDS);
        let gate = scene.far.hold(Operation::CompleteMultipartUpload, 1, *moment);
        let _ = scene.start().until("a file becomes visible", || gate.is_reached()).kill();
        drop(gate);
        assert_eq!(scene.near.count(Operation::CompleteMultipartUpload), 0, "home is the last");
        let _ = scene.run().succeeds().says(&["finished version 1", "nothing to do"]);
        scene.assert_done();
        assert_eq!(scene.open_uploads(), 0);
    });
}

/// Requests cost money and time: what may grow is what is bounded here.
#[test]
fn a_run_asks_no_more_than_it_has_to() {
    use Operation::*;
    // Two parts for each file.
    let scene = Scene::new(400_000);
    let _ = scene.run().succeeds();
    scene.assert_done();
    let files = KEYS as usize;
    for proxy in [&scene.near, &scene.far] {
        let counts = proxy.counts();
        let of = |operation| counts.get(&operation).copied().unwrap_or_default();
        let staging = [CreateMultipartUpload, UploadPart, CompleteMultipartUpload].map(of);
        assert_eq!(staging, [files, 2 * files, files]);
        assert_eq!([AbortMultipartUpload, DeleteObject, DeleteObjects, Other].map(of), [0; 4]);
        // Documents and listings: none is for a single file.
        let rest = counts.values().sum::<usize>() - staging.iter().sum::<usize>();
        assert!(rest <= 22, "{counts:?}");
    }
    // Again: a look at what was done, and nothing else.
    let before = [&scene.near, &scene.far].map(|proxy| proxy.count(Matching::any()));
    let _ = scene.run().succeeds().says(&["nothing to do"]);
    for (proxy, before) in [&scene.near, &scene.far].into_iter().zip(before) {
        let again = &proxy.exchanges()[before..];
        assert!(again.len() <= 9, "{again:?}");
        let reads = [GetObject, HeadObject, ListObjectsV2, ListMultipartUploads];
        assert!(again.iter().all(|exchange| reads.contains(&exchange.operation)), "{again:?}");
    }
}

#[test]
fn faults_by_chance_fail_no_run() {
    at_once(&[1, 2, 3, 4], |seed| {
        let scene = Scene::new(RECORDS);
        for (number, proxy) in [&scene.landing, &scene.near, &scene.far].into_iter().enumerate() {
            proxy.random(Faults::random(seed * 10 + number as u64, 0.15));
        }
        let _ = scene.run().succeeds();
        scene.assert_done();
    });
}

/// The policies for a region that does not answer: wait for it, or go on without.
#[test]
fn a_region_that_is_down_is_waited_for_or_catches_up() {
    let scene = Scene::new(RECORDS);
    scene.add("[commit]\nunreachable_target = \"catch_up\"\n");
    scene.far.down();
    let run = scene.run().exits_with(5).says(&["goes on without it", "version 1 is decided"]).helps();
    let place =
        |run: &Run, text: &str| run.stderr.find(text).unwrap_or_else(|| panic!("{text:?} is missing: {run}"));
    assert!(
        place(&run, "there was no response") < place(&run, "goes on without it"),
        "the cause comes first: {run}"
    );
    scene.assert_invisible();
    assert_eq!(scene.near.count(Operation::PutObject.of("_sawmill/log/")), 1, "{run}");
    // A scheduler that tries again must not be told that all is well.
    let again = scene.run().exits_with(5).says(&["version 1", "which is decided", "catchup"]);
    assert!(
        place(&again, "cannot reach") < place(&again, "which is decided"),
        "the cause comes first: {again}"
    );
    scene.assert_invisible();
    scene.far.up();
    let caught_up = scene.command(&["catchup", "job.toml"]).succeeds().says(&["finished version 1"]);
    scene.assert_done();
    let _ = scene.command(&["verify", "job.toml", "--deep"]).succeeds();
    assert_eq!(scene.open_uploads(), 0, "{caught_up}");

    let scene = Scene::new(RECORDS);
    scene.add("[commit]\nunreachable_target = \"wait\"\n[engine.requests]\nmax_attempts = 1\n");
    scene.far.down();
    let waiting = scene.start();
    thread::sleep(Duration::from_secs(3));
    scene.far.up();
    let _ = waiting.wait().succeeds().says(&["waits for it"]);
    scene.assert_done();
}

/// The decision was made and nobody was told, for the session expired just then:
/// what is staged is the only copy of what the next run has to make visible.
#[test]
fn a_decision_in_doubt_is_not_undone() {
    let scene = Scene::new(RECORDS);
    let log = "_sawmill/log/";
    scene.near.fault(Operation::PutObject.of(log), 1..=1, Fault::LoseReply);
    scene.near.fault(Operation::PutObject.of(log), ALWAYS, Fault::EXPIRED_TOKEN);
    scene.near.fault(Operation::GetObject.of(log), ALWAYS, Fault::EXPIRED_TOKEN);
    let _ = scene.run().exits_with(5).helps();
    scene.assert_invisible();
    scene.near.heal();
    let _ = scene.run().succeeds();
    scene.assert_done();
    assert_eq!(scene.open_uploads(), 0);
}

/// The decision of a run that was killed arrives after another run has done
/// the same job.
#[test]
fn a_decision_that_comes_too_late_changes_nothing() {
    let scene = Scene::new(RECORDS);
    let gate = scene.near.hold(Operation::PutObject.of("_sawmill/log/"), 1, Moment::Before);
    let _ = scene.start().until("the decision is on its way", || gate.is_reached()).kill();
    let _ = scene.run().succeeds();
    gate.release();
    scene.assert_done();
    let _ = scene.run().succeeds().says(&["nothing to do"]);
    scene.assert_done();
    assert_eq!(scene.open_uploads(), 0);
}
