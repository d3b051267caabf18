//! After whatever went wrong: everybody runs again, and all is as it should be.

use super::jobs::{self, COLUMN, Ended, Job};
use super::monitor::{holds, manifest_version};
use super::world::World;
use super::{Simulation, VERY_LONG, Violation};
use crate::commit::documents::{SUCCESS_KEY, attempt_of, published_key};
use crate::spec::WriteMode;
use std::collections::{BTreeSet, HashSet};

/// Runs without a fault until one has to come to its end. The first may meet
/// requests of the dead that are still under way.
const TRIES: usize = 3;

impl Simulation {
    /// Runs every job again, without further faults, until it is done; then once
    /// more, to see that this changes nothing. Checks all promises.
    pub(super) fn settle(&mut self, jobs: &[Job]) -> Result<(), Violation> {
        self.world.lock().faults.end();
        let mut jobs = jobs.to_vec();
        for job in &mut jobs {
            self.run_until_done(job)?;
        }
        // Whatever the dead have sent arrives at last, and nobody lives who began before.
        self.world.lock().flush();
        self.wait(VERY_LONG);
        for job in &jobs {
            self.run_again(job)?;
        }
        let found = check(&self.world.lock());
        found.map_err(|what| self.violation(what))?;
        for job in &jobs {
            let before = self.world.lock().fingerprint();
            let was_refused = self.run_again(job)?;
            let same = self.world.lock().fingerprint() == before;
            // One that is refused is so at its end only, and leaves documents.
            if !was_refused && !same {
                return Err(self.violation("a run that had nothing to do changed something"));
            }
        }
        Ok(())
    }

    fn run_until_done(&mut self, job: &mut Job) -> Result<(), Violation> {
        let mut last = None;
        for _ in 0..TRIES {
            match self.run(job)? {
                Some(Ended::Committed(_) | Ended::NothingToDo) => return Ok(()),
                Some(Ended::Refused(_)) if may_be_refused(job) => return self.give_up(job),
                other => last = other,
            }
            // What its tasks had staged is lost, and it has to be planned again.
            self.give_up(job)?;
        }
        Err(self.violation(format!("{} does not come to its end: {last:?}", job.key)))
    }

    /// Runs a job that is done, or was refused for good; true if it is refused.
    fn run_again(&mut self, job: &Job) -> Result<bool, Violation> {
        let was_refused = self.world.lock().monitor.version_of_key(&job.key).is_none();
        match self.run(job)? {
            Some(Ended::NothingToDo) => Ok(false),
            // What was in its way may be gone since, but not every time.
            Some(Ended::Committed(_)) if was_refused && may_be_refused(job) => Ok(false),
            Some(Ended::Refused(_)) if was_refused && may_be_refused(job) => Ok(true),
            other => Err(self.violation(format!("{} is done, and a further run says {other:?}", job.key))),
        }
    }

    /// Removes what tasks have staged, unless somebody has decided it.
    fn give_up(&mut self, job: &mut Job) -> Result<(), Violation> {
        let is_decided = |attempt: &String| self.world.lock().monitor.commit_of(attempt).is_some();
        if let Some(attempt) = job.staged.take_if(|attempt| !is_decided(attempt)) {
            let process = self.spawn(jobs::abort(attempt, self.table(job.policy)));
            self.finish(process)?;
        }
        Ok(())
    }
}

/// Whether another job may be in the way for good.
pub(super) fn may_be_refused(job: &Job) -> bool {
    let is_alone_with_its_input = job.input == job.key;
    let is_of_the_usual_type = job.column == COLUMN;
    job.mode == WriteMode::ErrorIfExists
        || !job.replaces.is_empty()
        || !is_alone_with_its_input
        || !is_of_the_usual_type
}

/// Every target shows what the log says, and nothing else.
fn check(world: &World) -> Result<(), String> {
    nothing_staged(world)?;
    let live = &world.monitor.live;
    let newest = world.monitor.commits.last().map_or(0, |known| known.version);
    for target in &world.monitor.members {
        let bucket = &world.buckets[*target];
        let retired = |key: &&String| world.monitor.retired.contains(*key);
        let shown: BTreeSet<&String> = bucket.visible().filter(|key| !retired(key)).collect();
        let expected: BTreeSet<&String> = live.keys().collect();
        if shown != expected {
            return Err(format!("target {target} shows {shown:?}, and the log has {expected:?}"));
        }
        if let Some(file) = live.values().find(|file| !holds(bucket, file)) {
            return Err(format!("target {target} has other bytes in {}", file.key));
        }
        let mut seen = HashSet::new();
        for key in &shown {
            let text = String::from_utf8_lossy(&bucket.objects[*key].body).into_owned();
            if let Some(record) = text.lines().find(|record| !seen.insert((*record).to_owned())) {
                return Err(format!("target {target} has the record {record} twice"));
            }
        }
        let marker = bucket.objects.get(SUCCESS_KEY).map_or(0, |object| manifest_version(&object.body));
        if marker != newest {
            return Err(format!("target {target} says version {marker}, and the log {newest}"));
        }
    }
    let home = world.monitor.members[0];
    let published = |version: u64| {
        version <= world.monitor.published_until
            || world.buckets[home].objects.contains_key(&published_key(version))
    };
    match world.monitor.commits.iter().find(|known| !published(known.version)) {
        Some(known) => Err(format!("version {} was never published", known.version)),
        None => Ok(()),
    }
}

fn nothing_staged(world: &World) -> Result<(), String> {
    for target in &world.monitor.members {
        let bucket = &world.buckets[*target];
        if let Some(upload) = bucket.uploads.values().find(|upload| attempt_of(&upload.key).is_some()) {
            return Err(format!("an upload is left in target {target}: {}", upload.key));
        }
    }
    Ok(())
}
