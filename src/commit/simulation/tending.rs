//! What tends a table beside a healthy run: it finds nothing wrong, does not fail, and is in
//! nobody's way.

use super::enumeration::{Scene, expect_none, one_in};
use super::jobs::{self, Ended, Job};
use super::random::Random;
use super::{LONG, Process, Simulation, Step, Violation, with_timers};
use crate::commit::Depth;
use crate::commit::table::Table;
use crate::spec::{UnreachableTarget, WriteMode};
use std::time::Instant;

/// For each pair.
const SEEDS: u64 = 60;

type Tending = (&'static str, fn(Table) -> Process);

const TENDING: [Tending; 4] = [
    ("verify", |table| Box::pin(jobs::verify(table))),
    ("catchup", |table| Box::pin(jobs::catch_up(table))),
    ("recover", |table| Box::pin(jobs::recover(table))),
    ("gc", |table| Box::pin(jobs::collect_garbage(table))),
];

fn scenes() -> Vec<Scene> {
    let first = || Job::new("first", WriteMode::Append);
    let overwrite = Job::new("a", WriteMode::OverwritePartitions);
    let again = Job { replaces: vec![1], ..Job::new("a", WriteMode::Append) };
    vec![
        Scene::after("first of a table", 2, &[], Job::new("a", WriteMode::ErrorIfExists)),
        Scene::after("append", 2, &[first()], Job::new("a", WriteMode::Append)),
        Scene::after("overwrite", 2, &[first()], overwrite.clone()),
        Scene::after("overwrite, versioned layout", 2, &[first().versioned()], overwrite.versioned()),
        Scene::after("reprocess", 2, &[first()], again),
    ]
}

fn tend(simulation: &mut Simulation, (_, tending): Tending) -> usize {
    let table = simulation.table(UnreachableTarget::Fail);
    simulation.spawn(tending(table))
}

/// Whether it says that all is well, or, of a table that is about to be, that there is none.
fn is_well(ended: &Ended, scene: &Scene) -> bool {
    match ended {
        Ended::Tended => true,
        Ended::Failed(why) => scene.world.monitor.commits.is_empty() && why.contains("there is no table"),
        _ => false,
    }
}

fn tended(simulation: &mut Simulation, process: usize, scene: &Scene) -> Result<(), Violation> {
    match simulation.finish(process)? {
        Some(ended) if is_well(&ended, scene) => Ok(()),
        other => Err(simulation.violation(format!("beside a healthy run it says {other:?}"))),
    }
}

fn ran(simulation: &mut Simulation, process: usize) -> Result<(), Violation> {
    match simulation.finish(process)? {
        Some(Ended::Committed(_)) => Ok(()),
        other => Err(simulation.violation(format!("the run beside it says {other:?}"))),
    }
}

/// A run has made `begun` requests; then it stands still before each of its own while the run
/// goes on to its end. Gives the number of cases.
fn it_stands_still(scene: &Scene, tending: Tending, begun: u64) -> Result<u64, Violation> {
    let mut requests = 0;
    loop {
        let mut simulation = Simulation::new(scene.world.clone(), None);
        let run = simulation.start(&scene.job);
        simulation.steps(run, begun)?;
        let process = tend(&mut simulation, tending);
        if simulation.steps(process, requests)? {
            return Ok(requests);
        }
        ran(&mut simulation, run)?;
        tended(&mut simulation, process, scene)?;
        simulation.settle(std::slice::from_ref(&scene.job))?;
        requests += 1;
    }
}

/// The run stands still before each of its requests while the other goes from its first to its last.
fn the_run_stands_still(scene: &Scene, tending: Tending) -> Result<u64, Violation> {
    for requests in 0..scene.operations() {
        let mut simulation = Simulation::new(scene.world.clone(), None);
        let run = simulation.start(&scene.job);
        simulation.steps(run, requests)?;
        let process = tend(&mut simulation, tending);
        tended(&mut simulation, process, scene)?;
        ran(&mut simulation, run)?;
        simulation.settle(std::slice::from_ref(&scene.job))?;
    }
    Ok(scene.operations())
}

/// It stands still before each of its requests until a run has decided, and goes to its end while
/// nothing of that is visible yet.
fn it_meets_a_decision(scene: &Scene, tending: Tending) -> Result<u64, Violation> {
    let mut requests = 0;
    loop {
        let mut simulation = Simulation::new(scene.world.clone(), None);
        let process = tend(&mut simulation, tending);
        if simulation.steps(process, requests)? {
            return Ok(requests);
        }
        let run = simulation.start(&scene.job);
        simulation.until_decided(run, &scene.job)?;
        tended(&mut simulation, process, scene)?;
        ran(&mut simulation, run)?;
        simulation.settle(std::slice::from_ref(&scene.job))?;
        requests += 1;
    }
}

/// A die says at each request who goes on.
fn both_go_on(scene: &Scene, tending: Tending, seed: u64) -> Result<u64, Violation> {
    let mut random = Random::new(seed);
    let mut simulation = Simulation::new(scene.world.clone(), None);
    let mut running = vec![simulation.start(&scene.job), tend(&mut simulation, tending)];
    while !running.is_empty() {
        let chosen = random.below(running.len() as u64) as usize;
        for _ in 0..1 + random.below(4) {
            match simulation.step(running[chosen])? {
                Step::Running => continue,
                Step::Ended(Ended::Committed(_)) => {}
                Step::Ended(ended) if is_well(&ended, scene) => {}
                other => {
                    return Err(simulation.violation(format!("process {} says {other:?}", running[chosen])));
                }
            }
            running.remove(chosen);
            break;
        }
    }
    simulation.settle(std::slice::from_ref(&scene.job))?;
    Ok(1)
}

#[test]
fn what_tends_a_table_beside_a_run_finds_nothing_wrong() {
    with_timers(|| {
        let (started, mut cases) = (Instant::now(), 0);
        for scene in scenes() {
            for tending in TENDING {
                let name = format!("{}, {}", scene.name, tending.0);
                cases += expect_none(&name, the_run_stands_still(&scene, tending));
                cases += expect_none(&name, it_meets_a_decision(&scene, tending));
                for seed in 0..SEEDS {
                    cases += expect_none(&format!("{name}, seed {seed}"), both_go_on(&scene, tending, seed));
                }
                for begun in (0..scene.operations()).step_by(one_in(9) as usize) {
                    cases += expect_none(&name, it_stands_still(&scene, tending, begun));
                }
            }
        }
        println!("tended beside a run: {cases} cases in {:.1?}", started.elapsed());
    });
}

/// Where the store keeps a checksum of the whole object, neither of them has to read a file whose
/// size is right.
#[test]
fn a_checksum_that_differs_is_found_and_mended_without_reading_every_byte() {
    with_timers(|| {
        let scene = Scene::after("append", 2, &[], Job::new("a", WriteMode::Append));
        let mut simulation = Simulation::new(scene.world.clone(), None);
        expect_none(scene.name, simulation.run(&scene.job));
        let key = simulation.world.lock().buckets[1].visible().next().expect("a file").clone();
        simulation.world.lock().buckets[1].alter(&key);
        let is_wrong = |simulation: &mut Simulation| {
            let verify = jobs::verify(simulation.table(UnreachableTarget::Fail));
            let process = simulation.spawn(verify);
            match expect_none(scene.name, simulation.finish(process)) {
                Some(Ended::Failed(why)) => Some(why),
                _ => None,
            }
        };
        let found = is_wrong(&mut simulation).unwrap_or_default();
        assert!(found.contains("kind: Checksum"), "{found}");
        let table = simulation.table(UnreachableTarget::Fail);
        let catchup = simulation.spawn(jobs::catch_up_by(table, Depth::Footers));
        let _ = expect_none(scene.name, simulation.finish(catchup));
        assert_eq!(is_wrong(&mut simulation), None);
    });
}

/// As long as its run gives signs of life, a version that is decided is on its way.
#[test]
fn a_version_whose_run_is_dead_is_broken_off() {
    with_timers(|| {
        for scene in scenes() {
            let mut simulation = Simulation::new(scene.world.clone(), None);
            let run = simulation.start(&scene.job);
            expect_none(scene.name, simulation.until_decided(run, &scene.job));
            let verified = |simulation: &mut Simulation| {
                let table = simulation.table(UnreachableTarget::Fail);
                let process = simulation.spawn(jobs::verify(table));
                expect_none(scene.name, simulation.finish(process))
            };
            assert_eq!(verified(&mut simulation), Some(Ended::Tended), "{}", scene.name);
            simulation.wait(LONG);
            let broken_off = verified(&mut simulation);
            let is_told = matches!(&broken_off, Some(Ended::Failed(why)) if why.contains("was broken off"));
            assert!(is_told, "{}: {broken_off:?}", scene.name);
            expect_none(scene.name, simulation.finish(run));
            assert_eq!(verified(&mut simulation), Some(Ended::Tended), "{}", scene.name);
        }
    });
}
