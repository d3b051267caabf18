//! Real processes that die, sleep or lose a region at any request, behind a
//! network that fails now and then: whoever runs next finds old or new, never
//! between.
//!
//! `SAWMILL_KILLS=200 cargo test --test e2e kills` is the long mode;
//! `SAWMILL_KILL_SEED=17` repeats one case.

use crate::faults::Scene;
use crate::harness::proxy::{Faults, Matching, Moment, Operation};
use crate::harness::{Run, Running};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const KILLS: u64 = 12;
const RECORDS: u64 = 3_000;
/// About so many requests of one run come to the home target, and to the other.
const REQUESTS: [u64; 2] = [32, 22];
/// Runs within which faults by chance let one through.
const TRIES: usize = 8;
/// Cases at once: they wait for each other's servers most of the time.
const WORKERS: usize = 3;

/// Numbers that depend on the seed alone (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// What happens to a run at the chosen request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blow {
    /// SIGKILL.
    Kill,
    /// SIGSTOP until its lease is over and another run is through; then it goes on.
    Sleep,
    /// The region of the request is down for a while.
    Outage,
}

#[test]
fn at_any_request_nothing_is_lost_or_twice() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (first, count) = match number("SAWMILL_KILL_SEED") {
        Some(seed) => (seed, 1),
        None => (0, number("SAWMILL_KILLS").unwrap_or(KILLS)),
    };
    let (next, struck, killed) = (AtomicU64::new(first), AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count {
                        return;
                    }
                    // Printed when the test fails.
                    println!("case SAWMILL_KILL_SEED={seed}");
                    let blows = strike(seed);
                    let kills = blows.iter().filter(|blow| **blow == Blow::Kill).count();
                    killed.fetch_add(kills as u64, Ordering::Relaxed);
                    struck.fetch_add(blows.len() as u64, Ordering::Relaxed);
                }
            });
        }
    });
    println!("{count} cases, {} blows, {} of them kills", struck.into_inner(), killed.into_inner());
}

/// One case; gives the blows that struck a run.
fn strike(seed: u64) -> Vec<Blow> {
    let mut random = Random(seed);
    let scene = Scene::new(RECORDS);
    scene.lease(2);
    if random.below(2) == 0 {
        for (number, proxy) in [&scene.near, &scene.far].into_iter().enumerate() {
            proxy.random(Faults::random(seed * 2 + number as u64, 0.04));
        }
    }
    let mut struck = Vec::new();
    // The recovery may be struck, too.
    for _ in 0..1 + random.below(2) {
        struck.extend(one_blow(&scene, &mut random));
    }
    let _ = settle(&scene);
    scene.assert_done();
    assert_eq!(scene.open_uploads(), 0);
    let _ = scene.command(&["verify", "job.toml", "--deep"]).succeeds();
    let _ = scene.run().succeeds().says(&["nothing to do"]);
    struck
}

/// Starts a run and strikes it at some request; `None` if it was over before.
fn one_blow(scene: &Scene, random: &mut Random) -> Option<Blow> {
    let blow = [Blow::Kill, Blow::Kill, Blow::Kill, Blow::Sleep, Blow::Outage][random.below(5) as usize];
    let target = random.below(2) as usize;
    let proxy = [&scene.near, &scene.far][target];
    let moment = [Moment::Before, Moment::After][random.below(2) as usize];
    let gate = proxy.hold(Matching::any(), 1 + random.below(REQUESTS[target]), moment);
    let running = scene.start().until_or_end(|| gate.is_reached()).ok()?;
    match blow {
        Blow::Kill => {
            let _ = running.kill();
            // Before: the request is lost. After: it arrived, and nobody heard the answer.
            drop(gate);
        }
        Blow::Sleep => sleep_past_the_lease(scene, running, || gate.release()),
        Blow::Outage => {
            proxy.down();
            drop(gate);
            thread::sleep(Duration::from_millis(random.below(3_000)));
            proxy.up();
            let run = running.wait();
            assert!([0, 5].contains(&run.code()), "{run}");
        }
    }
    Some(blow)
}

fn sleep_past_the_lease(scene: &Scene, running: Running, release: impl FnOnce()) {
    running.freeze();
    release();
    thread::sleep(Duration::from_millis(2_500));
    let _ = settle(scene);
    running.thaw();
    // It finds that it was taken for dead, or that its work was done for it; a request of
    // its own may have gone wrong.
    let run = running.wait();
    assert!([0, 5, 8].contains(&run.code()), "{run}");
}

/// Runs the job until it succeeds.
#[track_caller]
fn settle(scene: &Scene) -> Run {
    for _ in 0..TRIES {
        let run = scene.run();
        if run.code() == 0 {
            return run;
        }
        assert!([4, 5, 8].contains(&run.code()), "{run}");
    }
    // By chance everything failed; without faults it must not.
    scene.near.heal();
    scene.far.heal();
    scene.run().succeeds()
}

/// No word of a version before every region holds it: of each run that is killed
/// at a `_SUCCESS`, and of those that finish it.
#[test]
fn a_run_that_dies_while_it_publishes_is_finished() {
    crate::faults::at_once(&["_sawmill/success/", "t/_SUCCESS", "_sawmill/published/"], |document| {
        let scene = Scene::new(RECORDS);
        let gate = scene.near.hold(Operation::PutObject.of(*document), 1, Moment::Before);
        let _ = scene.start().until("it publishes", || gate.is_reached()).kill();
        drop(gate);
        let _ = scene.run().succeeds().says(&["finished version 1", "nothing to do"]);
        scene.assert_done();
        assert_eq!(scene.open_uploads(), 0);
    });
}

/// Its inputs count as read from the decision on, and nothing is new to the next run.
#[test]
fn an_incremental_run_that_dies_after_it_was_decided_is_finished_by_one_without_inputs() {
    let scene = Scene::new(RECORDS);
    let run = |what: &str| {
        let set = ["--set", "source.incremental=true", "--set", "output.mode=append"];
        scene.workspace.sawmill([&["run", "job.toml"], &set[..]].concat()).start().until_or_end({
            let gate = (what == "killed")
                .then(|| scene.near.hold(Operation::PutObject.of("_sawmill/log/"), 1, Moment::After));
            move || gate.as_ref().is_some_and(|gate| gate.is_reached())
        })
    };
    let _ = run("killed").expect("the decision is made").kill();
    let finished = run("finished").expect_err("nothing holds it").succeeds();
    let _ = finished.says(&["finished version 1", "Every input was read"]);
    scene.assert_done();
    assert_eq!(scene.open_uploads(), 0);
}
