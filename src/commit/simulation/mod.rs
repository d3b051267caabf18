//! The commit against targets that fail, requests that come late, and processes
//! that die or stand still: all of it simulated, and every case the same each time.
//!
//! [`World`] holds the targets, and counts the requests. A process is the future
//! of the very code that `sawmill run` runs; each poll lets it make one request,
//! so that whoever polls decides who goes on, and a process that is polled no
//! more is dead. [`faults`] says what happens to a request. [`monitor`] looks at
//! every change, [`settle`] at how things stand when everybody is done.
//!
//! Not simulated: a time that passes by itself (leases end when a test says so),
//! lists that lag behind, which S3 does not have, and targets that are local.
//!
//! By default all of it takes two to three minutes. `SAWMILL_SIMULATION_ALL=1` goes
//! through every combination; `SAWMILL_SIMULATION_SECONDS=600` has chance make up
//! cases for so long, and `SAWMILL_SIMULATION_SEED` plays one of these again.

mod broken;
mod chance;
mod enumeration;
mod faults;
mod jobs;
mod monitor;
mod orders;
mod promotion;
mod races;
mod random;
mod settle;
mod store;
mod tending;
mod world;

use super::table::{Broken, Simulated, Table};
use crate::spec::{CommitSpec, UnreachableTarget};
use crate::store::Store;
use jobs::{Ended, Job};
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};
use store::{Shared, SimulatedStore};
use world::World;

/// Seconds: longer than any lease.
const LONG: i64 = 1_000;

/// Longer than what tasks have staged waits for its commit.
const VERY_LONG: i64 = 10 * 24 * 3_600;

/// A promise that was broken, and all requests up to there.
#[derive(Debug)]
pub(super) struct Violation {
    what: String,
    trace: Vec<String>,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.what)?;
        self.trace.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// How far a process got.
#[derive(Debug)]
enum Step {
    Running,
    Ended(Ended),
    Died,
}

type Process = Pin<Box<dyn Future<Output = Ended>>>;

/// A world, and the processes in it.
struct Simulation {
    world: Shared,
    clock: Arc<AtomicI64>,
    broken: Option<Broken>,
    /// Targets of the jobs, home first.
    order: Vec<usize>,
    processes: Vec<Option<Process>>,
    /// The processes that run a job.
    runs: BTreeMap<usize, Run>,
    /// Whether home was lost, or another target is to become home.
    home_changes: bool,
}

/// What a process runs.
struct Run {
    /// Of the job.
    key: String,
    attempt: String,
    may_be_refused: bool,
}

impl Simulation {
    fn new(world: World, broken: Option<Broken>) -> Simulation {
        let clock = Arc::new(AtomicI64::new(world.clock));
        let order = world.monitor.members.clone();
        Simulation {
            world: Shared::new(world),
            clock,
            broken,
            order,
            processes: Vec::new(),
            runs: BTreeMap::new(),
            home_changes: false,
        }
    }

    /// A table as a process opens it.
    fn table(&self, policy: UnreachableTarget) -> Table {
        let store =
            |target: &usize| -> Arc<dyn Store> { Arc::new(SimulatedStore::new(self.world.clone(), *target)) };
        let stores = self.order.iter().map(store);
        let settings = CommitSpec { unreachable_target: policy, ..CommitSpec::default() };
        let mut table = Table::new(stores.collect(), settings);
        table.simulated = Simulated { clock: Some(Arc::clone(&self.clock)), broken: self.broken };
        table
    }

    /// Starts a run of a job, which makes no request yet.
    fn start(&mut self, job: &Job) -> usize {
        let attempt = jobs::attempt(self.world.lock().unique());
        let run = Run {
            key: job.key.clone(),
            attempt: job.staged.clone().unwrap_or_else(|| attempt.clone()),
            may_be_refused: settle::may_be_refused(job),
        };
        let process = self.spawn(jobs::run(job.clone(), attempt, self.table(job.policy)));
        self.runs.insert(process, run);
        process
    }

    /// Has tasks stage a job; gives the attempt.
    fn stage(&mut self, job: &Job) -> Result<String, Violation> {
        let attempt = jobs::attempt(self.world.lock().unique());
        let process = self.spawn(jobs::task(job.clone(), attempt.clone(), self.table(job.policy)));
        self.finish(process)?;
        Ok(attempt)
    }

    fn spawn(&mut self, process: impl Future<Output = Ended> + 'static) -> usize {
        self.processes.push(Some(Box::pin(process)));
        self.processes.len() - 1
    }

    /// Lets a process make one request.
    fn step(&mut self, number: usize) -> Result<Step, Violation> {
        let Some(process) = &mut self.processes[number] else { return Ok(Step::Died) };
        let before = self.world.lock().operations;
        // A set of futures gives way now and then without any of them having done anything.
        for _ in 0..1_000 {
            {
                let mut world = self.world.lock();
                world.permit = true;
                world.process = number;
            }
            let polled = process.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            let mut world = self.world.lock();
            world.permit = false;
            if let Some(what) = world.monitor.violation.take() {
                return Err(Violation { what, trace: std::mem::take(&mut world.trace) });
            }
            let died = std::mem::take(&mut world.died);
            let went_on = world.operations > before;
            drop(world);
            match polled {
                Poll::Ready(ended) => {
                    self.processes[number] = None;
                    self.ended_rightly(number, &ended)?;
                    return Ok(Step::Ended(ended));
                }
                Poll::Pending if died => {
                    self.processes[number] = None;
                    return Ok(Step::Died);
                }
                Poll::Pending if went_on => return Ok(Step::Running),
                Poll::Pending => {}
            }
        }
        Err(self.violation("a process makes no request and does not end"))
    }

    /// A run fails only where a request of its own was struck, it was taken for dead, or uploads
    /// expired; it is refused only where its job may be, and never if the table holds its rows.
    /// If it says that they are there, they are visible.
    fn ended_rightly(&self, number: usize, ended: &Ended) -> Result<(), Violation> {
        let Some(run) = self.runs.get(&number) else { return Ok(()) };
        let world = self.world.lock();
        let is_excused =
            world.struck.contains(&number) || world.monitor.is_fenced(&run.attempt) || world.has_expired;
        let version = world.monitor.version_of_key(&run.key);
        let is_published =
            |version| world.buckets[0].objects.contains_key(&super::documents::published_key(version));
        // Where home is lost or changes, a run may find that out at any time.
        let may_end_so = version.is_none() && self.home_changes;
        let wrong = match ended {
            Ended::Failed(why) if !is_excused && !may_end_so => {
                format!("fails, though nothing struck it: {why}")
            }
            Ended::Refused(why)
                if !is_excused && !may_end_so && (version.is_some() || !run.may_be_refused) =>
            {
                format!("is refused, and the table holds its rows ({version:?}): {why}")
            }
            Ended::NothingToDo if !self.home_changes && !version.is_some_and(is_published) => {
                "has nothing to do too early".into()
            }
            _ => return Ok(()),
        };
        drop(world);
        Err(self.violation(format!("a run of the job {} {wrong}", run.key)))
    }

    /// Lets a process make some requests; true if it came to its end.
    fn steps(&mut self, number: usize, requests: u64) -> Result<bool, Violation> {
        for _ in 0..requests {
            if !matches!(self.step(number)?, Step::Running) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Lets a process go on until a job is in the log; false if it ends before.
    fn until_decided(&mut self, number: usize, job: &Job) -> Result<bool, Violation> {
        while self.world.lock().monitor.version_of_key(&job.key).is_none() {
            if self.steps(number, 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Lets a process go on until it ends; `None` if it dies.
    fn finish(&mut self, number: usize) -> Result<Option<Ended>, Violation> {
        // No run needs that many; one that asks for ever does not end.
        for _ in 0..2_000 {
            match self.step(number)? {
                Step::Running => {}
                Step::Ended(ended) => return Ok(Some(ended)),
                Step::Died => return Ok(None),
            }
        }
        Err(self.violation("a process does not end"))
    }

    /// Runs a job from its first request to its last.
    fn run(&mut self, job: &Job) -> Result<Option<Ended>, Violation> {
        let process = self.start(job);
        self.finish(process)
    }

    /// Lets time pass.
    fn wait(&mut self, seconds: i64) {
        let mut world = self.world.lock();
        world.clock += seconds;
        self.clock.store(world.clock, Ordering::SeqCst);
    }

    /// A promise was broken.
    fn violation(&self, what: impl Into<String>) -> Violation {
        Violation { what: what.into(), trace: self.world.lock().trace.clone() }
    }
}

/// Lets requests that have a time limit have one: it takes Tokio's clock, which
/// stands still as long as nobody turns the runtime.
fn with_timers<T>(body: impl FnOnce() -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _entered = runtime.enter();
    body()
}
