//! Every fault at every request of a run, and pairs of them.

use super::faults::{Fault, KINDS};
use super::jobs::{Ended, Job};
use super::orders::has_just;
use super::world::World;
use super::{LONG, Simulation, Violation, with_timers};
use crate::commit::table::Broken;
use crate::spec::{UnreachableTarget, WriteMode};
use std::collections::HashSet;
use std::time::Instant;

/// A job, and the world it comes into.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) world: World,
    pub(super) job: Job,
}

impl Scene {
    /// A world in which these jobs were run, and one to try.
    pub(super) fn after(name: &'static str, targets: usize, before: &[Job], job: Job) -> Scene {
        let mut simulation = Simulation::new(World::new(targets), None);
        for job in before {
            let ended = simulation.run(job);
            assert!(matches!(ended, Ok(Some(Ended::Committed(_)))), "{name}: {ended:?}");
        }
        let mut world = simulation.world.lock().clone();
        world.trace.clear();
        Scene { name, world, job }
    }

    /// The same, with the job staged by tasks, and only to be committed.
    pub(super) fn staged(mut self) -> Scene {
        let mut simulation = Simulation::new(self.world, None);
        let attempt = simulation.stage(&self.job);
        self.job.staged = Some(attempt.unwrap_or_else(|violation| panic!("{}: {violation}", self.name)));
        self.world = simulation.world.lock().clone();
        self
    }

    /// The same, with what a run of a job had staged when it died, long ago.
    pub(super) fn beside_dead(mut self, job: &Job) -> Scene {
        let mut simulation = Simulation::new(self.world, None);
        let dead = simulation.start(job);
        while !has_just(&simulation.world, "put part 1") {
            simulation.steps(dead, 1).unwrap_or_else(|violation| panic!("{}: {violation}", self.name));
        }
        simulation.wait(LONG);
        self.world = simulation.world.lock().clone();
        self
    }

    /// How many requests a run makes that nothing strikes.
    pub(super) fn operations(&self) -> u64 {
        let mut simulation = Simulation::new(self.world.clone(), None);
        simulation.run(&self.job).unwrap_or_else(|violation| panic!("{}: {violation}", self.name));
        simulation.world.lock().operations - self.world.operations
    }
}

pub(super) fn scenes() -> Vec<Scene> {
    let append = |key: &str| Job::new(key, WriteMode::Append);
    let first = || append("first");
    let overwrite =
        Job { files: vec!["d=1/".into(), "d=3/".into()], ..Job::new("a", WriteMode::OverwritePartitions) };
    let policy = UnreachableTarget::CatchUp;
    vec![
        Scene::after("append", 2, &[], append("a")),
        Scene::after("append to a table", 2, &[first()], append("a")),
        Scene::after("append, three targets", 3, &[], append("a")),
        Scene::after("first of a table", 2, &[], Job::new("a", WriteMode::ErrorIfExists)),
        Scene::after("overwrite", 2, &[first()], overwrite.clone()),
        Scene::after("overwrite, versioned layout", 2, &[first().versioned()], overwrite.versioned()),
        Scene::after("reprocess", 2, &[first()], Job { replaces: vec![1], ..append("a") }),
        Scene::after("go on without a target", 2, &[first()], Job { policy, ..append("a") }),
        Scene::after("commit what tasks staged", 2, &[first()], append("a")).staged(),
    ]
}

/// What a search went through.
#[derive(Debug, Default)]
pub(super) struct Searched {
    pub(super) cases: u64,
    /// Cases that led to a world that was seen before.
    pub(super) same: u64,
}

/// Runs the job with one fault. `None` if it struck nothing that it could change.
fn struck(
    world: &World,
    broken: Option<Broken>,
    job: &Job,
    at: u64,
    fault: Fault,
) -> Result<Option<Simulation>, Violation> {
    let mut simulation = Simulation::new(world.clone(), broken);
    simulation.world.lock().faults.add(world.operations + at, fault);
    simulation.run(job)?;
    let idle = simulation.world.lock().faults.idle;
    Ok((!idle).then_some(simulation))
}

/// Each fault at each request, then runs without faults: when all leases have
/// ended, or, every `one_in`th time, also while those of the dead go on.
pub(super) fn singles(scene: &Scene, broken: Option<Broken>, one_in: u64) -> Result<Searched, Violation> {
    let mut searched = Searched::default();
    for at in 1..=scene.operations() {
        for fault in KINDS {
            let waits: &[bool] = if at.is_multiple_of(one_in) { &[true, false] } else { &[true] };
            for waits in waits {
                let Some(mut simulation) = struck(&scene.world, broken, &scene.job, at, fault)? else {
                    continue;
                };
                searched.cases += 1;
                if *waits {
                    simulation.wait(LONG);
                }
                simulation.settle(std::slice::from_ref(&scene.job))?;
            }
        }
    }
    Ok(searched)
}

/// A fault in the first run and another in the second; every `one_in`th combination.
fn pairs(scene: &Scene, one_in: u64) -> Result<Searched, Violation> {
    let (mut searched, mut seen, mut number) = (Searched::default(), HashSet::new(), 0);
    for at in 1..=scene.operations() {
        for fault in KINDS {
            let Some(mut first) = struck(&scene.world, None, &scene.job, at, fault)? else { continue };
            first.wait(LONG);
            let mut world = first.world.lock().clone();
            world.faults.end();
            if seen.insert(world.fingerprint()) {
                second_fault(scene, &world, one_in, &mut number, &mut seen, &mut searched)?;
            }
        }
    }
    Ok(searched)
}

fn second_fault(
    scene: &Scene,
    world: &World,
    one_in: u64,
    number: &mut u64,
    seen: &mut HashSet<u64>,
    searched: &mut Searched,
) -> Result<(), Violation> {
    for at in 1.. {
        for fault in KINDS {
            *number += 1;
            if !number.is_multiple_of(one_in) {
                continue;
            }
            let Some(mut second) = struck(world, None, &scene.job, at, fault)? else { continue };
            if second.world.lock().faults.are_pending() {
                return Ok(());
            }
            searched.cases += 1;
            if !seen.insert(second.world.lock().fingerprint()) {
                searched.same += 1;
                continue;
            }
            second.wait(LONG);
            second.settle(std::slice::from_ref(&scene.job))?;
        }
    }
    Ok(())
}

/// Which part of the combinations the tests go through: a sample that takes
/// seconds, or all, which takes minutes.
pub(super) fn one_in(sample: u64) -> u64 {
    if std::env::var_os("SAWMILL_SIMULATION_ALL").is_some() { 1 } else { sample }
}

/// Fails with the violation and the requests that led to it.
pub(super) fn expect_none<T>(scene: &str, found: Result<T, Violation>) -> T {
    found.unwrap_or_else(|violation| panic!("{scene}: {violation}"))
}

#[test]
fn one_fault_anywhere_breaks_no_promise() {
    with_timers(|| {
        let (started, mut cases) = (Instant::now(), 0);
        for scene in scenes() {
            let searched = expect_none(scene.name, singles(&scene, None, one_in(3)));
            println!("{}: {} requests, {} cases", scene.name, scene.operations(), searched.cases);
            cases += searched.cases;
        }
        println!("one fault: {cases} cases in {:.1?}", started.elapsed());
    });
}

#[test]
fn two_faults_break_no_promise() {
    with_timers(|| {
        let (started, mut cases) = (Instant::now(), 0);
        for scene in scenes() {
            let searched = expect_none(scene.name, pairs(&scene, one_in(200)));
            println!("{}: {} cases, {} of them as others", scene.name, searched.cases, searched.same);
            cases += searched.cases;
        }
        println!("two faults: {cases} cases in {:.1?}", started.elapsed());
    });
}
