//! Orders of three processes that chance seldom comes to.

use super::enumeration::one_in;
use super::faults::Fault;
use super::jobs::{self, Ended, Job};
use super::store::Shared;
use super::world::World;
use super::{LONG, Simulation, Violation, with_timers};
use crate::spec::{UnreachableTarget, WriteMode};

fn held(found: Result<(), Violation>) {
    found.unwrap_or_else(|violation| panic!("{violation}"));
}

/// Whether the last request was one of these.
pub(super) fn has_just(world: &Shared, what: &str) -> bool {
    world.lock().trace.last().is_some_and(|line| line.contains(what))
}

/// A world in which a version is decided, and its uploads in the second target
/// are lost before any of them is completed.
fn with_lost_uploads(job: &Job) -> Result<World, Violation> {
    let mut simulation = Simulation::new(World::new(2), None);
    let run = simulation.start(job);
    while !has_just(&simulation.world, "create _sawmill/log/") {
        simulation.step(run)?;
    }
    let mut world = simulation.world.lock().clone();
    world.buckets[1].uploads.clear();
    Ok(world)
}

/// One copies lost files to a target and stands still; another does the same,
/// then overwrites them, and stands still; the first goes on a little, the
/// second to its end, and then the first.
#[test]
fn what_is_overwritten_is_not_copied_back() {
    let everything = || {
        let mut cases = 0;
        for copied in 0.. {
            for written in (0..).step_by(one_in(7) as usize) {
                let mut is_over = Over::default();
                for more in [0, 3, 6, 9, 100] {
                    is_over = copied_back(copied, written, more)?;
                    cases += 1;
                }
                if is_over.copying {
                    println!("copied back: {cases} cases");
                    return Ok(());
                }
                if is_over.overwriting {
                    break;
                }
            }
        }
        Ok(())
    };
    with_timers(|| held(everything()));
}

/// Whether a process was at its end when it was to stand still.
#[derive(Default)]
struct Over {
    copying: bool,
    overwriting: bool,
}

fn copied_back(copied: u64, written: u64, more: u64) -> Result<Over, Violation> {
    let first = Job::new("first", WriteMode::Append);
    let over = Job::new("over", WriteMode::OverwritePartitions);
    let mut simulation = Simulation::new(with_lost_uploads(&first)?, None);
    simulation.wait(LONG);
    let copies = simulation.spawn(jobs::recover(simulation.table(UnreachableTarget::Fail)));
    while !has_just(&simulation.world, "target 1: head d=") {
        simulation.step(copies)?;
    }
    let copying = simulation.steps(copies, copied)?;
    let overwrites = simulation.start(&over);
    let overwriting = simulation.steps(overwrites, written)?;
    simulation.steps(copies, more)?;
    simulation.finish(overwrites)?;
    simulation.finish(copies)?;
    simulation.settle(&[first, over])?;
    Ok(Over { copying, overwriting })
}

/// Of two that commit one attempt, the first has looked what to overwrite when
/// others write there; the second looks again, decides, and dies.
#[test]
fn what_the_log_names_is_done_and_not_what_was_looked_up() {
    let first = Job::new("first", WriteMode::Append);
    let other = Job::new("other", WriteMode::Append);
    let everything = || {
        let mut start = Simulation::new(World::new(2), None);
        start.run(&first)?;
        let mut over = Job::new("over", WriteMode::OverwritePartitions);
        over.staged = Some(start.stage(&over)?);
        let world = start.world.lock().clone();
        let mut cases = 0;
        for looked in 12..26 {
            for at in 12.. {
                let mut simulation = Simulation::new(world.clone(), None);
                let commits = simulation.start(&over);
                simulation.steps(commits, looked)?;
                simulation.run(&other)?;
                let at = simulation.world.lock().operations + at;
                simulation.world.lock().faults.add(at, Fault::CrashBefore);
                simulation.run(&over)?;
                if simulation.world.lock().faults.are_pending() {
                    break;
                }
                simulation.finish(commits)?;
                simulation.settle(&[first.clone(), other.clone(), over.clone()])?;
                cases += 1;
            }
        }
        println!("one attempt, two commits, another run: {cases} cases");
        Ok(())
    };
    with_timers(|| held(everything()));
}

/// A version that waits for a target is there, though nobody sees it.
#[test]
fn a_table_whose_first_version_waits_for_a_target_is_not_empty() {
    let job = |key| Job { policy: UnreachableTarget::CatchUp, ..Job::new(key, WriteMode::ErrorIfExists) };
    let everything = || {
        let mut simulation = Simulation::new(World::new(2), None);
        // From the look at the second target on.
        simulation.world.lock().faults.add(2, Fault::Down(1_000));
        let one = simulation.run(&job("a"))?;
        assert!(matches!(one, Some(Ended::Failed(_))), "it is decided, and cannot be finished: {one:?}");
        let other = simulation.run(&job("b"))?;
        assert!(matches!(other, Some(Ended::Refused(_))), "{other:?}");
        simulation.settle(&[job("a"), job("b")])
    };
    with_timers(|| held(everything()));
}

/// It is published before the one that overwrites it is applied, and so has to be whole.
#[test]
fn a_version_that_waits_for_a_target_comes_before_what_overwrites_it() {
    let waits = Job { policy: UnreachableTarget::CatchUp, ..Job::new("a", WriteMode::Append) };
    let over = Job::new("b", WriteMode::OverwritePartitions);
    let everything = || {
        for requests in 0.. {
            let mut simulation = Simulation::new(World::new(2), None);
            let overwrites = simulation.start(&over);
            let is_over = simulation.steps(overwrites, requests)?;
            // Down from the look at it to the end.
            {
                let mut world = simulation.world.lock();
                let at = world.operations + 2;
                world.faults.add(at, Fault::Down(1_000));
            }
            let waiting = simulation.run(&waits)?;
            assert!(matches!(waiting, Some(Ended::Failed(_))), "decided, and not finished: {waiting:?}");
            simulation.world.lock().faults.end();
            simulation.finish(overwrites)?;
            simulation.settle(&[waits.clone(), over.clone()])?;
            if is_over {
                break;
            }
        }
        Ok(())
    };
    with_timers(|| held(everything()));
}
