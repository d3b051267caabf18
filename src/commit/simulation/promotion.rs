//! Home is lost at any request, or only not seen by whoever makes another target
//! home, while a run that sees it goes on; and comes back.

use super::enumeration::{Scene, expect_none, one_in};
use super::faults::{Fault, KINDS};
use super::jobs::{self, Ended, Job};
use super::{LONG, Simulation, Violation, with_timers};
use crate::commit::table::Broken;
use crate::spec::{UnreachableTarget, WriteMode};
use std::time::Instant;

/// Runs beside which home is lost, or another target becomes home.
fn scenes() -> Vec<Scene> {
    let append = |key: &str| Job::new(key, WriteMode::Append);
    let first = || append("first");
    let second = || append("second");
    let overwrite =
        Job { files: vec!["d=1/".into(), "d=3/".into()], ..Job::new("a", WriteMode::OverwritePartitions) };
    let policy = UnreachableTarget::CatchUp;
    vec![
        Scene::after("append to a table", 2, &[first(), second()], append("a")),
        Scene::after("append, three targets", 3, &[first()], append("a")),
        Scene::after("overwrite, three targets", 3, &[first(), second()], overwrite.clone()),
        Scene::after("overwrite", 2, &[first()], overwrite.clone()),
        Scene::after("overwrite, versioned layout", 2, &[first().versioned()], overwrite.versioned()),
        Scene::after("reprocess", 2, &[first()], Job { replaces: vec![1], ..append("a") }),
        Scene::after("may go on without a target", 2, &[first()], Job { policy, ..append("a") }),
        Scene::after("commit what tasks staged", 2, &[first()], append("a")).staged(),
    ]
}

impl Simulation {
    /// Starts a promotion of the second target of those that there were.
    fn start_promotion(&mut self, home: usize, accept_loss: bool, sees_home: bool) -> usize {
        let table = self.table(UnreachableTarget::Fail);
        let position = self.order.iter().position(|target| *target == home).unwrap_or(0);
        let old_home = self.order[0];
        let process = self.spawn(jobs::promote(table, position, accept_loss));
        self.home_changes = true;
        if !sees_home {
            self.world.lock().cut_off.insert((process, old_home));
        }
        process
    }

    /// Makes a target home, and has every job know it; first without leave to lose anything.
    fn promote(&mut self, home: usize, sees_home: bool) -> Result<(), Violation> {
        let old_home = self.order[0];
        if !sees_home {
            self.world.lock().monitor.members.retain(|target| *target != old_home);
        }
        let mut last = None;
        for accept_loss in [false, true, true] {
            let process = self.start_promotion(home, accept_loss, sees_home);
            match self.finish(process)? {
                Some(Ended::Tended) => {
                    self.order.retain(|target| *target != home && *target != old_home);
                    self.order.insert(0, home);
                    self.world.lock().monitor.members = self.order.clone();
                    return Ok(());
                }
                other => last = other,
            }
        }
        Err(self.violation(format!("target {home} does not become home: {last:?}")))
    }

    /// Whether the run's changes are in the target that is to become home.
    fn keeps_changes(&self, run: usize) -> bool {
        let prefix = format!("_sawmill/attempts/{}/changes-", self.runs[&run].attempt);
        self.world.lock().buckets[1].objects.keys().any(|key| key.starts_with(&prefix))
    }

    fn lose(&mut self, target: usize) {
        self.home_changes = true;
        let mut world = self.world.lock();
        world.gone.insert(target);
        world.monitor.members.retain(|member| *member != target);
    }

    /// An old home answers again, and is brought up to date.
    fn bring_back(&mut self, target: usize) -> Result<(), Violation> {
        {
            let mut world = self.world.lock();
            world.gone.clear();
            world.cut_off.clear();
        }
        self.order.push(target);
        let process = self.spawn(jobs::catch_up(self.table(UnreachableTarget::Fail)));
        match self.finish(process)? {
            Some(Ended::Tended) => {
                self.world.lock().monitor.members = self.order.clone();
                Ok(())
            }
            other => Err(self.violation(format!("target {target} does not catch up: {other:?}"))),
        }
    }

    /// Whoever knows nothing of the promotion is told, and does nothing.
    fn stale_run_is_told(&mut self, order: &[usize], job: &Job) -> Result<(), Violation> {
        let current = std::mem::replace(&mut self.order, order.to_vec());
        let run = self.start(job);
        self.order = current;
        self.world.lock().struck.insert(run);
        match self.finish(run)? {
            Some(Ended::Failed(why)) if why.contains("epoch") => Ok(()),
            other => Err(self.violation(format!("a run that follows the old log says {other:?}"))),
        }
    }
}

/// Home is lost for good before a request of a run, which dies with it or goes on.
fn lost(scene: &Scene, at: u64, dies: bool, back: bool) -> Result<(), Violation> {
    let mut simulation = Simulation::new(scene.world.clone(), None);
    let run = simulation.start(&scene.job);
    simulation.steps(run, at)?;
    simulation.lose(0);
    match dies {
        true => simulation.processes[run] = None,
        false => drop(simulation.finish(run)?),
    }
    simulation.wait(LONG);
    simulation.promote(1, false)?;
    simulation.settle(std::slice::from_ref(&scene.job))?;
    if back {
        simulation.bring_back(0)?;
        simulation.settle(std::slice::from_ref(&scene.job))?;
        // And once more, the other way round.
        let other = Job::new("later", WriteMode::Append);
        simulation.lose(1);
        simulation.promote(0, false)?;
        simulation.settle(&[scene.job.clone(), other.clone()])?;
        simulation.bring_back(1)?;
        simulation.settle(&[scene.job.clone(), other])?;
    }
    Ok(())
}

/// A run stands still at a request, another target becomes home, and stands still, too; the run
/// ends, then the promotion.
fn beside(
    scene: &Scene,
    broken: Option<Broken>,
    (at, stands): (u64, Option<u64>),
    sees_home: bool,
) -> Result<bool, Violation> {
    let mut simulation = Simulation::new(scene.world.clone(), broken);
    let old_order = simulation.order.clone();
    let run = simulation.start(&scene.job);
    simulation.steps(run, at)?;
    // A run whose attempt is not of the table any more may say so.
    simulation.world.lock().struck.insert(run);
    let mut is_over = true;
    if let Some(requests) = stands {
        if !sees_home {
            simulation.world.lock().monitor.members.retain(|target| *target != 0);
        }
        let promotion = simulation.start_promotion(1, true, sees_home);
        is_over = simulation.steps(promotion, requests)?;
        simulation.finish(run)?;
        simulation.finish(promotion)?;
    }
    simulation.promote(1, sees_home)?;
    simulation.finish(run)?;
    simulation.stale_run_is_told(&old_order, &Job::new("stale", WriteMode::Append))?;
    simulation.wait(LONG);
    simulation.bring_back(0)?;
    simulation.settle(std::slice::from_ref(&scene.job))?;
    Ok(is_over)
}

/// A run is broken off, home is lost, and a promotion is struck.
fn struck(scene: &Scene, at: u64, number: u64, fault: Fault) -> Result<bool, Violation> {
    let mut simulation = Simulation::new(scene.world.clone(), None);
    let run = simulation.start(&scene.job);
    simulation.steps(run, at)?;
    simulation.processes[run] = None;
    simulation.lose(0);
    {
        let mut world = simulation.world.lock();
        let at = world.operations + number;
        world.faults.add(at, fault);
    }
    let promotion = simulation.start_promotion(1, true, false);
    simulation.finish(promotion)?;
    if simulation.world.lock().faults.are_pending() {
        return Ok(false);
    }
    simulation.world.lock().faults.end();
    simulation.promote(1, false)?;
    simulation.wait(LONG);
    if fault == Fault::Expire {
        // What no other target holds, nobody can bring back, and somebody has to say so.
        let gives_up = simulation.spawn(jobs::give_up_lost(simulation.table(UnreachableTarget::Fail)));
        let ended = simulation.finish(gives_up)?;
        if ended != Some(Ended::Tended) {
            return Err(simulation.violation(format!("what is lost cannot be given up: {ended:?}")));
        }
    }
    simulation.settle(std::slice::from_ref(&scene.job))?;
    simulation.bring_back(0)?;
    simulation.settle(std::slice::from_ref(&scene.job))?;
    Ok(true)
}

/// A promotion that does not see home stands still at a request. Meanwhile a run, which was about to
/// keep its changes, does that and no more, or goes to its end. Gives how the promotion ended; `None` if
/// that was before.
fn overtaken(scene: &Scene, stands: u64, ends: bool) -> Result<Option<Option<Ended>>, Violation> {
    let mut simulation = Simulation::new(scene.world.clone(), None);
    let old_order = simulation.order.clone();
    let run = simulation.start(&scene.job);
    let mut before = 0;
    while !simulation.keeps_changes(run) {
        if simulation.steps(run, 1)? {
            return Err(simulation.violation("a run keeps no changes"));
        }
        before += 1;
    }
    let mut simulation = Simulation::new(scene.world.clone(), None);
    let run = simulation.start(&scene.job);
    simulation.steps(run, before - 1)?;
    simulation.world.lock().struck.insert(run);
    simulation.world.lock().monitor.members.retain(|target| *target != 0);
    let promotion = simulation.start_promotion(1, false, false);
    if simulation.steps(promotion, stands)? {
        return Ok(None);
    }
    match ends {
        true => drop(simulation.finish(run)?),
        false => drop(simulation.steps(run, 1)?),
    }
    let ended = simulation.finish(promotion)?;
    if let Some(Ended::Failed(why)) = &ended
        && why.contains("knows its commit")
    {
        return Err(simulation.violation(format!("of a version that is just being written it says {why}")));
    }
    simulation.promote(1, false)?;
    simulation.finish(run)?;
    simulation.stale_run_is_told(&old_order, &Job::new("stale", WriteMode::Append))?;
    simulation.wait(LONG);
    simulation.bring_back(0)?;
    simulation.settle(std::slice::from_ref(&scene.job))?;
    Ok(Some(ended))
}

/// What is found only once the epoch is written stops the promotion there, which says so, and is finished
/// by word.
#[test]
fn a_loss_that_only_the_second_look_finds_is_told_and_finished_by_word() {
    with_timers(|| {
        let (started, mut cases, mut told) = (Instant::now(), 0, 0);
        for scene in scenes().iter().filter(|scene| scene.job.staged.is_none()) {
            for ends in [false, true] {
                for stands in 0.. {
                    let name = format!("{}, request {stands}, the run ends: {ends}", scene.name);
                    let Some(ended) = expect_none(&name, overtaken(scene, stands, ends)) else { break };
                    let is_told = |why: &String| why.contains("is begun: true") && why.contains("attempt: ");
                    told += u64::from(matches!(ended, Some(Ended::Refused(why)) if is_told(&why)));
                    cases += 1;
                }
            }
        }
        println!("overtaken by a run: {cases} cases, {told} of them begun, in {:.1?}", started.elapsed());
        assert!(told > 0, "no loss was found by the second look");
    });
}

#[test]
fn a_home_that_is_lost_at_any_request_breaks_no_promise() {
    with_timers(|| {
        let (started, mut cases) = (Instant::now(), 0);
        for scene in scenes() {
            for at in 0..=scene.operations() {
                for dies in [true, false] {
                    let back = at.is_multiple_of(one_in(3));
                    let found = lost(&scene, at, dies, back);
                    expect_none(&format!("{}, request {at}, dies: {dies}", scene.name), found);
                    cases += 1;
                }
            }
        }
        println!("home is lost: {cases} cases in {:.1?}", started.elapsed());
    });
}

#[test]
fn a_promotion_beside_a_run_breaks_no_promise() {
    with_timers(|| {
        let (started, mut cases) = (Instant::now(), 0);
        for scene in scenes() {
            for at in 0..=scene.operations() {
                for sees_home in [false, true] {
                    let found = beside(&scene, None, (at, None), sees_home);
                    expect_none(&format!("{}, request {at}, sees home: {sees_home}", scene.name), found);
                    cases += 1;
                }
            }
        }
        println!("a promotion beside a run: {cases} cases in {:.1?}", started.elapsed());
    });
}

#[test]
fn a_run_beside_a_promotion_breaks_no_promise() {
    with_timers(|| {
        let (started, mut cases) = (Instant::now(), 0);
        for scene in scenes() {
            for at in (0..=scene.operations()).step_by(one_in(11) as usize) {
                for sees_home in [false, true] {
                    for stands in (at % one_in(5)..).step_by(one_in(5) as usize) {
                        let found = beside(&scene, None, (at, Some(stands)), sees_home);
                        let name =
                            format!("{}, requests {at} and {stands}, sees home: {sees_home}", scene.name);
                        cases += 1;
                        if expect_none(&name, found) {
                            break;
                        }
                    }
                }
            }
        }
        println!("a run beside a promotion: {cases} cases in {:.1?}", started.elapsed());
    });
}

#[test]
fn a_promotion_that_is_struck_is_finished() {
    with_timers(|| {
        let (started, mut cases) = (Instant::now(), 0);
        for scene in scenes() {
            for at in (0..=scene.operations()).step_by(one_in(17) as usize) {
                'requests: for number in 1.. {
                    for (kind, fault) in KINDS.into_iter().enumerate() {
                        if !(number + kind as u64).is_multiple_of(one_in(11)) {
                            continue;
                        }
                        let found = struck(&scene, at, number, fault);
                        let name = format!("{}, request {at}, {fault:?} at {number}", scene.name);
                        if !expect_none(&name, found) {
                            break 'requests;
                        }
                        cases += 1;
                    }
                }
            }
        }
        println!("a promotion is struck: {cases} cases in {:.1?}", started.elapsed());
    });
}

/// Two make another target home each; one stands still while the other goes on. Whichever is
/// asked for in the end becomes home.
fn twice(scene: &Scene, at: u64, stands: u64) -> Result<bool, Violation> {
    let mut simulation = Simulation::new(scene.world.clone(), None);
    let run = simulation.start(&scene.job);
    simulation.steps(run, at)?;
    simulation.world.lock().struck.insert(run);
    simulation.world.lock().monitor.members.retain(|target| *target != 0);
    let one = simulation.start_promotion(1, true, false);
    let is_over = simulation.steps(one, stands)?;
    let other = simulation.start_promotion(2, true, false);
    simulation.finish(other)?;
    simulation.finish(run)?;
    simulation.finish(one)?;
    simulation.promote(1, false)?;
    simulation.wait(LONG);
    simulation.settle(std::slice::from_ref(&scene.job))?;
    simulation.bring_back(0)?;
    simulation.settle(std::slice::from_ref(&scene.job))?;
    Ok(is_over)
}

#[test]
fn two_promotions_at_once_end_with_one_home() {
    with_timers(|| {
        let (started, mut cases) = (Instant::now(), 0);
        for scene in scenes().iter().filter(|scene| scene.world.buckets.len() == 3) {
            for at in (0..=scene.operations()).step_by(one_in(11) as usize) {
                for stands in (at % one_in(3)..).step_by(one_in(3) as usize) {
                    cases += 1;
                    let name = format!("{}, requests {at} and {stands}", scene.name);
                    if expect_none(&name, twice(scene, at, stands)) {
                        break;
                    }
                }
            }
        }
        println!("two promotions: {cases} cases in {:.1?}", started.elapsed());
    });
}

#[test]
fn a_runner_that_does_not_look_for_the_epoch_is_caught() {
    with_timers(|| {
        let found = scenes().iter().find_map(|scene| {
            (0..=scene.operations())
                .find_map(|at| beside(scene, Some(Broken::Epoch), (at, None), false).err())
        });
        let found = found.expect("a run that follows the old log shows what the new one does not know");
        println!("{:?}: {}", Broken::Epoch, found.what);
    });
}
