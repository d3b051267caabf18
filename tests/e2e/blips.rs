//! A source or a target that is gone for five seconds in the middle of a run, which survives it.

use crate::faults::{Scene, a_few_at_once};
use crate::harness::proxy::{Fault, Matching, Moment, Operation};
use std::thread;
use std::time::Duration;

const BLIP: Duration = Duration::from_secs(5);
/// A few GETs of 1 MiB, and a part for each of the files.
const RECORDS: u64 = 60_000;

/// What happens to requests while the region is gone.
#[derive(Debug, Clone, Copy)]
enum Gone {
    /// Connections break, and new ones are refused.
    Refused,
    Answers(Fault),
}

#[derive(Debug, Clone, Copy)]
enum Side {
    Source,
    Home,
    Remote,
}

#[test]
fn five_seconds_fail_no_run() {
    use Operation::*;
    let answers = |status, code| Gone::Answers(Fault::Answer(status, code));
    let unavailable = answers(503, "ServiceUnavailable");
    let slow_down = Gone::Answers(Fault::SLOW_DOWN);
    let cases: [(Side, Matching, u64, Gone); 15] = [
        (Side::Source, HeadObject.into(), 1, Gone::Refused),
        (Side::Source, HeadObject.into(), 1, unavailable),
        (Side::Source, GetObject.into(), 3, Gone::Refused),
        (Side::Source, GetObject.into(), 3, unavailable),
        (Side::Source, GetObject.into(), 3, slow_down),
        (Side::Remote, CreateMultipartUpload.into(), 2, Gone::Refused),
        (Side::Remote, UploadPart.into(), 2, Gone::Refused),
        (Side::Remote, UploadPart.into(), 2, unavailable),
        (Side::Remote, UploadPart.into(), 2, slow_down),
        (Side::Remote, UploadPart.into(), 2, Gone::Answers(Fault::LoseReply)),
        (Side::Home, PutObject.of("intent.json"), 1, Gone::Refused),
        (Side::Home, PutObject.of("_sawmill/log/"), 1, unavailable),
        (Side::Home, PutObject.of("_sawmill/log/"), 1, Gone::Refused),
        (Side::Remote, CompleteMultipartUpload.into(), 2, Gone::Refused),
        (Side::Home, ListMultipartUploads.into(), 1, Gone::Refused),
    ];
    a_few_at_once(8, &cases, |(side, of, nth, gone)| {
        let scene = Scene::new(RECORDS);
        // The job file ends within `[engine]`.
        scene.add("fetch_bytes = 1048576\n");
        let proxy = match side {
            Side::Source => &scene.landing,
            Side::Home => &scene.near,
            Side::Remote => &scene.far,
        };
        let gate = proxy.hold(of.clone(), *nth, Moment::Before);
        let running = scene.start().until("the request is on its way", || gate.is_reached());
        match gone {
            Gone::Refused => proxy.down(),
            Gone::Answers(fault) => proxy.fault(Matching::any(), 1..=u64::MAX, *fault),
        }
        // The request that was on its way is lost.
        drop(gate);
        thread::sleep(BLIP);
        proxy.heal();
        proxy.up();
        let run = running.wait().succeeds();
        println!("{side:?} {of:?} {gone:?}: {:.1} s in all", run.seconds());
        scene.assert_done();
        assert_eq!(scene.open_uploads(), 0, "{run}");
    });
}
