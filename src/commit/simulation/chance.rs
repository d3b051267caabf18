//! Jobs, processes and faults as a seed has them: what no enumeration comes to.

use super::faults::{Fault, KINDS};
use super::jobs::{self, Job};
use super::random::Random;
use super::world::World;
use super::{LONG, Simulation, Violation, with_timers};
use crate::spec::{UnreachableTarget, WriteMode};
use std::time::{Duration, Instant};

/// Seeds that every run of the tests goes through.
const SEEDS: u64 = 400;

/// Faults strike among so many requests: about what the processes make.
const REQUESTS: u64 = 200;

fn some_job(random: &mut Random, key: &str) -> Job {
    let mode = random.one_of(&[
        WriteMode::Append,
        WriteMode::Append,
        WriteMode::OverwritePartitions,
        WriteMode::OverwritePartitions,
        WriteMode::ErrorIfExists,
    ]);
    let files: Vec<_> = (0..random.below(4)).map(|_| format!("d={}/", random.below(3))).collect();
    let is_incremental = random.below(4) == 0;
    let policy = random.one_of(&[UnreachableTarget::Fail, UnreachableTarget::CatchUp]);
    Job { files, policy, is_incremental, ..Job::new(key, mode) }
}

/// Everything that this seed has happen.
fn play(seed: u64) -> Result<(), Violation> {
    let mut random = Random::new(seed);
    let mut simulation = Simulation::new(World::new(2 + random.below(2) as usize), None);
    // One layout for all of a table's life.
    let versioned = random.below(3) == 0;
    let laid_out = |job: Job| if versioned { job.versioned() } else { job };
    let mut jobs = Vec::new();
    let has_first = random.below(2) == 0;
    if has_first {
        let first = laid_out(Job::new("first", WriteMode::Append));
        simulation.run(&first)?;
        jobs.push(first);
    }
    for key in ["a", "b", "c"].into_iter().take(1 + random.below(3) as usize) {
        let mut job = laid_out(some_job(&mut random, key));
        if has_first && random.below(6) == 0 {
            job.replaces = vec![1];
        }
        if random.below(5) == 0 {
            let attempt = simulation.stage(&job)?;
            job.staged = Some(attempt);
        }
        jobs.push(job);
    }
    // What all targets lose after it was decided, nobody can bring back; a run that goes
    // on without a target has one less from the start.
    let goes_without = |job: &Job| job.policy == UnreachableTarget::CatchUp;
    let mut may_expire = !jobs.iter().any(goes_without);
    for _ in 0..random.below(5) {
        let mut world = simulation.world.lock();
        let at = world.operations + 1 + random.below(REQUESTS);
        let fault = random.one_of(&KINDS);
        if fault != Fault::Expire || std::mem::take(&mut may_expire) {
            world.faults.add(at, fault);
        }
    }
    let mut running: Vec<usize> =
        (0..1 + random.below(3)).map(|_| start(&mut simulation, &mut random, &jobs)).collect();
    while !running.is_empty() {
        let chosen = random.below(running.len() as u64) as usize;
        // Now and then one gets far ahead, and the others are taken for dead.
        let burst = random.one_of(&[1, 1, 2, 4, 30, 90]);
        if burst == 90 {
            simulation.wait(LONG);
        }
        if simulation.steps(running[chosen], burst)? {
            running.remove(chosen);
        }
    }
    simulation.settle(&jobs)
}

/// Starts a run of one of the jobs, or something that tends the table.
fn start(simulation: &mut Simulation, random: &mut Random, jobs: &[Job]) -> usize {
    let table = simulation.table(UnreachableTarget::Fail);
    match random.below(12) {
        0 => simulation.spawn(jobs::recover(table)),
        1 => simulation.spawn(jobs::catch_up(table)),
        2 => simulation.spawn(jobs::collect_garbage(table)),
        _ => {
            let job = random.one_of(jobs);
            simulation.start(&job)
        }
    }
}

fn must_hold(seed: u64) {
    play(seed).unwrap_or_else(|violation| {
        panic!("seed {seed} (SAWMILL_SIMULATION_SEED={seed} replays it): {violation}")
    });
}

/// `SAWMILL_SIMULATION_SECONDS` has more of it, `SAWMILL_SIMULATION_SEED` one case, or where to begin.
#[test]
fn whatever_happens_breaks_no_promise() {
    let number = |name: &str| std::env::var(name).ok().and_then(|value| value.parse::<u64>().ok());
    let (first, seconds) = (number("SAWMILL_SIMULATION_SEED"), number("SAWMILL_SIMULATION_SECONDS"));
    let started = Instant::now();
    let mut seeds = 0;
    with_timers(|| {
        for seed in first.unwrap_or(0).. {
            must_hold(seed);
            seeds += 1;
            let is_enough = match seconds {
                Some(seconds) => started.elapsed() >= Duration::from_secs(seconds),
                None => seeds == if first.is_some() { 1 } else { SEEDS },
            };
            if is_enough {
                break;
            }
        }
    });
    println!("{seeds} seeds, {:.1?}", started.elapsed());
}
