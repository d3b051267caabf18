//! Two processes at once: one stands still while the other runs, or a seeded
//! die says at each request who goes on.

use super::enumeration::{Scene, expect_none, one_in};
use super::faults::Fault;
use super::jobs::Job;
use super::random::Random;
use super::{LONG, Simulation, Violation, with_timers};
use crate::commit::table::Broken;
use crate::spec::WriteMode;
use crate::value::ColumnType;
use std::time::Instant;

/// Pairs of jobs that meet in one table.
pub(super) fn meetings() -> Vec<(Scene, Job)> {
    let first = || Job::new("first", WriteMode::Append);
    let mut meetings = Vec::new();
    for mode in [WriteMode::Append, WriteMode::OverwritePartitions, WriteMode::ErrorIfExists] {
        let before = if mode == WriteMode::ErrorIfExists { vec![] } else { vec![first()] };
        let job = Job::new("a", mode);
        // Shares one partition.
        let other = Job { files: vec!["d=2/".into(), "d=3/".into()], ..Job::new("b", mode) };
        meetings.push((Scene::after("the same job", 2, &before, job.clone()), job.clone()));
        meetings.push((Scene::after("another job", 2, &before, job), other));
    }
    let append = Job::new("a", WriteMode::Append);
    let overwrite = Job::new("b", WriteMode::OverwritePartitions);
    meetings.push((Scene::after("append, overwrite", 2, &[first()], append.clone()), overwrite.clone()));
    meetings.push((Scene::after("overwrite, append", 2, &[first()], overwrite.clone()), append.clone()));
    let shared = |key: &str| Job { input: "shared".into(), ..Job::new(key, WriteMode::Append) };
    meetings.push((Scene::after("both append one input", 2, &[first()], shared("a")), shared("b")));
    let typed = |key: &str, column| Job { column, ..Job::new(key, WriteMode::Append) };
    let (dates, times) = (typed("a", ColumnType::Date), typed("b", ColumnType::Time));
    meetings.push((Scene::after("different types", 2, &[], dates), times));
    let new = |key: &str| Job { is_incremental: true, ..shared(key) };
    meetings.push((Scene::after("both read what is new", 2, &[first()], new("a")), new("b")));
    let again = |key: &str| Job { replaces: vec![1], ..Job::new(key, WriteMode::Append) };
    meetings.push((Scene::after("the same reads what is new", 2, &[first()], new("a")), new("a")));
    meetings.push((Scene::after("reprocess twice", 2, &[first()], again("a")), again("b")));
    meetings.push((Scene::after("the same reprocess", 2, &[first()], again("a")), again("a")));
    // What the dead have staged is fenced by whoever comes, and one finds its place in the log taken.
    let (dead, same) = (Job::new("dead", WriteMode::Append), Job::new("a", WriteMode::Append));
    let scene = Scene::after("the same job after a dead run", 2, &[first()], same.clone());
    meetings.push((scene.beside_dead(&dead), same));
    let staged = Scene::after("two commits of one attempt", 2, &[first()], overwrite.clone()).staged();
    let same = staged.job.clone();
    meetings.push((staged, same));
    let staged = Scene::after("commit, another overwrite", 2, &[first()], overwrite).staged();
    meetings.push((staged, Job::new("a", WriteMode::OverwritePartitions)));
    meetings.push((Scene::after("append, reprocess", 2, &[first()], append), again("b")));
    meetings
}

/// One stands still before each of its requests while the other runs to its
/// end, or is struck at its `at`th request; then it goes on. Gives the number of cases.
pub(super) fn paused(
    (scene, other): &(Scene, Job),
    broken: Option<Broken>,
    waits: bool,
    struck: Option<(u64, Fault)>,
) -> Result<u64, Violation> {
    let mut cases = 0;
    for requests in 0..=scene.operations() {
        let mut simulation = Simulation::new(scene.world.clone(), broken);
        let one = simulation.start(&scene.job);
        simulation.steps(one, requests)?;
        if waits {
            simulation.wait(LONG);
        }
        if let Some((at, fault)) = struck {
            let mut world = simulation.world.lock();
            let at = world.operations + at;
            world.faults.add(at, fault);
        }
        simulation.run(other)?;
        let was_struck = {
            let world = simulation.world.lock();
            !world.faults.are_pending() && !world.faults.idle
        };
        if was_struck {
            simulation.finish(one)?;
            cases += 1;
            simulation.settle(&[scene.job.clone(), other.clone()])?;
        }
    }
    Ok(cases)
}

/// One stands still before each of its requests until the other has decided; what the log holds
/// then is visible nowhere yet. It goes to its end, and then the other. Gives the number of cases.
fn met_by_a_decision((scene, other): &(Scene, Job)) -> Result<u64, Violation> {
    let mut cases = 0;
    for requests in 0..=scene.operations() {
        let mut simulation = Simulation::new(scene.world.clone(), None);
        let one = simulation.start(&scene.job);
        simulation.steps(one, requests)?;
        let decides = simulation.start(other);
        simulation.until_decided(decides, other)?;
        simulation.finish(one)?;
        simulation.finish(decides)?;
        simulation.settle(&[scene.job.clone(), other.clone()])?;
        cases += 1;
    }
    Ok(cases)
}

/// Two processes, of which a die says who makes the next request.
fn interleaved((scene, other): &(Scene, Job), broken: Option<Broken>, seed: u64) -> Result<(), Violation> {
    let mut random = Random::new(seed);
    let mut simulation = Simulation::new(scene.world.clone(), broken);
    let mut running = vec![simulation.start(&scene.job), simulation.start(other)];
    while !running.is_empty() {
        let chosen = random.below(running.len() as u64) as usize;
        // Now and then one gets ahead.
        if simulation.steps(running[chosen], 1 + random.below(4))? {
            running.remove(chosen);
        }
    }
    simulation.settle(&[scene.job.clone(), other.clone()])
}

#[test]
fn a_process_that_stands_still_breaks_no_promise() {
    with_timers(|| {
        let (started, mut cases) = (Instant::now(), 0);
        for meeting in meetings() {
            for waits in [false, true] {
                cases += expect_none(meeting.0.name, paused(&meeting, None, waits, None));
            }
            cases += expect_none(meeting.0.name, met_by_a_decision(&meeting));
        }
        println!("one stands still: {cases} cases in {:.1?}", started.elapsed());
    });
}

#[test]
fn one_stands_still_and_another_is_struck() {
    const FAULTS: [Fault; 4] =
        [Fault::CrashBefore, Fault::CrashInFlight(12), Fault::Late(6), Fault::Down(16)];
    with_timers(|| {
        let (started, mut cases) = (Instant::now(), 0);
        for meeting in meetings() {
            let step = one_in(29) as usize;
            for (number, at) in (1..=meeting.0.operations() + 20).enumerate().step_by(step) {
                for fault in
                    FAULTS.into_iter().cycle().skip(number / step).take(if step == 1 { 4 } else { 1 })
                {
                    cases += expect_none(meeting.0.name, paused(&meeting, None, true, Some((at, fault))));
                }
            }
        }
        println!("one stands still, another is struck: {cases} cases in {:.1?}", started.elapsed());
    });
}

#[test]
fn two_processes_at_once_break_no_promise() {
    const SEEDS: u64 = 40;
    with_timers(|| {
        let (started, meetings) = (Instant::now(), meetings());
        for meeting in &meetings {
            for seed in 0..SEEDS {
                expect_none(&format!("{}, seed {seed}", meeting.0.name), interleaved(meeting, None, seed));
            }
        }
        println!("two at once: {} cases in {:.1?}", meetings.len() as u64 * SEEDS, started.elapsed());
    });
}
