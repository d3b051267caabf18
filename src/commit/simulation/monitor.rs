//! Looks at every change of the world, and says which promise it breaks.

use super::store::url;
use super::world::{Bucket, Effect};
use crate::commit::documents::{
    Changes, Commit, Entry, Epoch, Event, FIRST_EPOCH, FilesOf, Intent, Promotion, SUCCESS_KEY, applied_key,
    attempt_of, changes_key, checkpoint_key, copy_key, epoch_key, intent_key, log_directory, log_key,
    partition_of, published_key, start_key, success_key, version_of,
};
use crate::commit::log::History;
use crate::documents::{ManifestFile, Staging};
use crate::schema::WrittenSchema;
use crate::spec::{Layout, WriteMode};
use bytes::Bytes;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A commit of the log, with all that it does.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) version: u64,
    pub(super) commit: Commit,
    pub(super) changes: Arc<Changes>,
    /// What its plan says of its files.
    written: Option<WrittenSchema>,
    replaced: bool,
}

/// What was seen so far.
#[derive(Debug, Clone)]
pub(super) struct Monitor {
    /// Targets of the jobs, home first. All are, until home is lost.
    pub(super) members: Vec<usize>,
    /// Whose log counts.
    home: usize,
    epoch: u64,
    /// Version of the entry with which the epoch began.
    started: u64,
    /// Commits up to this version were published before the epoch.
    pub(super) published_until: u64,
    /// A target that is about to become home, and how many commits there were when it said so.
    announced: Option<(u64, usize)>,
    /// Attempts of which a file became visible in any target.
    shown: BTreeSet<String>,
    /// The entry with which the epoch began.
    start: Option<Entry>,
    log: Vec<Bytes>,
    pub(super) commits: Vec<Known>,
    fenced: BTreeSet<String>,
    /// What the table holds by the log alone: what each commit says that it means, in order.
    pub(super) live: BTreeMap<String, ManifestFile>,
    /// Files that are no longer of the table, and may stay: somebody may be reading them.
    pub(super) retired: BTreeSet<String>,
    /// Files of the table that were removed, by target.
    gone: BTreeSet<(usize, String)>,
    /// Version in `_SUCCESS`, by target.
    success: BTreeMap<usize, u64>,
    /// The first promise that was broken.
    pub(super) violation: Option<String>,
}

impl Monitor {
    pub(super) fn new(targets: usize) -> Monitor {
        Monitor {
            members: (0..targets).collect(),
            home: 0,
            epoch: FIRST_EPOCH,
            started: 0,
            published_until: 0,
            announced: None,
            shown: BTreeSet::new(),
            start: None,
            log: Vec::new(),
            commits: Vec::new(),
            fenced: BTreeSet::new(),
            live: BTreeMap::new(),
            retired: BTreeSet::new(),
            gone: BTreeSet::new(),
            success: BTreeMap::new(),
            violation: None,
        }
    }

    /// After a request has changed something.
    pub(super) fn after(&mut self, buckets: &[Bucket], target: usize, effect: &Effect) {
        let found = match effect {
            Effect::Begin { .. } | Effect::PutPart { .. } => Ok(()),
            Effect::Complete { key, .. } => self.completed(buckets, target, key),
            Effect::Abort { upload, key } => self.aborted(buckets, target, upload, key),
            Effect::Delete { key } => self.deleted(target, key),
            Effect::Put { key, body, .. } => self.written(buckets, target, key, body),
        };
        if let Err(broken) = found {
            self.violation.get_or_insert(broken);
        }
    }

    pub(super) fn commit_of(&self, attempt: &str) -> Option<&Known> {
        self.commits.iter().find(|known| known.commit.attempt == attempt)
    }

    pub(super) fn version_of_key(&self, job_key: &str) -> Option<u64> {
        self.commits.iter().find(|known| known.commit.job_key == job_key).map(|known| known.version)
    }

    pub(super) fn is_fenced(&self, attempt: &str) -> bool {
        self.fenced.contains(attempt)
    }

    /// A file became visible: only what the log has may, and nothing comes back.
    fn completed(&mut self, buckets: &[Bucket], target: usize, key: &str) -> Result<(), String> {
        let attempt = attempt_of(key).ok_or_else(|| format!("{key} has no attempt in its name"))?;
        self.shown.insert(attempt.to_owned());
        let Some(known) = self.commit_of(attempt) else {
            let what = if self.fenced.contains(attempt) { "fenced" } else { "not decided" };
            return Err(format!("{key} became visible in target {target}, and its attempt is {what}"));
        };
        if self.gone.contains(&(target, key.to_owned())) {
            return Err(format!("{key} was removed from target {target} and came back"));
        }
        let file = known.changes.all_files().find(|file| file.file.key == key);
        let file = file.ok_or_else(|| format!("{key} became visible and is not a file of its commit"))?;
        for elsewhere in self.members.iter().copied().filter(|member| *member != self.home) {
            self.is_copied(&buckets[elsewhere], elsewhere, known.version)
                .map_err(|what| format!("{key} became visible in target {target}, and {what}"))?;
        }
        match holds(&buckets[target], &file.file) {
            true => Ok(()),
            false => Err(format!("{key} became visible in target {target} with other bytes")),
        }
    }

    fn aborted(&self, buckets: &[Bucket], target: usize, upload: &str, key: &str) -> Result<(), String> {
        let Some(known) = attempt_of(key).and_then(|attempt| self.commit_of(attempt)) else { return Ok(()) };
        let needed = known.changes.all_files().any(|file| file.staged[target].staging.handle() == upload);
        let there = buckets[target].objects.contains_key(key) || self.gone.contains(&(target, key.into()));
        // Whoever becomes home removes what it does not take over, and says then what that is. What an
        // old home has staged of a version that was finished without it is copied there.
        let counts = self.announced.is_none() && self.members.contains(&target);
        match needed && !there && counts {
            true => Err(format!("{key} is decided, and was aborted in target {target}")),
            false => Ok(()),
        }
    }

    fn deleted(&mut self, target: usize, key: &str) -> Result<(), String> {
        if key.contains("/log/") {
            return Err(format!("{key} was removed"));
        }
        let is_needed =
            |known: &Known| key == changes_key(&known.commit.attempt, &known.commit.changes_sha256);
        if self.commits.iter().any(is_needed) {
            return Err(format!("{key} is what a commit does, and was removed"));
        }
        if attempt_of(key).is_none() {
            return Ok(());
        }
        self.gone.insert((target, key.to_owned()));
        match self.live.contains_key(key) {
            true => Err(format!("{key} is a file of the table, and was removed from target {target}")),
            false => Ok(()),
        }
    }

    fn written(&mut self, buckets: &[Bucket], target: usize, key: &str, body: &Bytes) -> Result<(), String> {
        if key.starts_with(&log_directory(self.epoch)) {
            return match target == self.home {
                true => self.logged(buckets, key, body),
                false => Err(format!("target {target} is not home, and got {key}")),
            };
        }
        if let Ok(epoch) = serde_json::from_slice::<Epoch>(body)
            && key == epoch_key(epoch.epoch)
        {
            if epoch.here && epoch.epoch > self.epoch {
                let announced = self.announced.get_or_insert((epoch.epoch, self.commits.len()));
                announced.0 = announced.0.max(epoch.epoch);
            }
            return Ok(());
        }
        if key.starts_with("_sawmill/epoch/") {
            return self.promoted(buckets, target, key, body);
        }
        let version = match key {
            SUCCESS_KEY => manifest_version(body),
            _ => version_of(key).unwrap_or(0),
        };
        if version == 0 {
            return Ok(());
        }
        if key == checkpoint_key(self.epoch, version) {
            return self.summed_up(version, body);
        }
        if key == applied_key(version) {
            return self.applied(buckets, target, version);
        }
        if key != SUCCESS_KEY && key != success_key(version) && key != published_key(version) {
            return Ok(());
        }
        self.is_everywhere(buckets, version).map_err(|what| format!("{key} says {version}, but {what}"))?;
        if key == SUCCESS_KEY && self.success.insert(target, version) > Some(version) {
            return Err(format!("_SUCCESS of target {target} went back to {version}"));
        }
        // An old home may hear of a version that was published in its time.
        if key == published_key(version) && target == self.home {
            let told = self.members.iter().all(|target| self.success.get(target) >= Some(&version));
            if !told {
                return Err(format!("{key} was written before _SUCCESS in every target"));
            }
            let earlier = self.commits.iter().map(|known| known.version).filter(|earlier| *earlier < version);
            for earlier in earlier.filter(|earlier| *earlier > self.published_until) {
                if !buckets[self.home].objects.contains_key(&published_key(earlier)) {
                    return Err(format!("{key} was written before version {earlier} was published"));
                }
            }
        }
        Ok(())
    }

    /// A checkpoint says what the entries say.
    fn summed_up(&self, version: u64, body: &Bytes) -> Result<(), String> {
        let mut history = History::default();
        if let Some(start) = self.start.as_ref() {
            history.add(start.clone());
        }
        let logged = version.saturating_sub(self.started) as usize;
        for entry in &self.log[..logged.min(self.log.len())] {
            history.add(serde_json::from_slice(entry).map_err(|e| e.to_string())?);
        }
        match serde_json::from_slice::<History>(body) {
            Ok(summed) if summed == history => Ok(()),
            _ => Err(format!("checkpoint {version} says something else than the log")),
        }
    }

    fn is_everywhere(&self, buckets: &[Bucket], version: u64) -> Result<(), String> {
        let known = self.commits.iter().find(|known| known.version == version);
        let known = known.ok_or_else(|| "the log has no such commit".to_owned())?;
        for target in &self.members {
            let mut files = known.changes.all_files();
            if let Some(file) = files.find(|file| !holds(&buckets[*target], &file.file)) {
                return Err(format!("target {target} does not hold {}", file.file.key));
            }
        }
        Ok(())
    }

    /// Once a version is visible anywhere, each target knows what the log says of it.
    fn is_copied(&self, bucket: &Bucket, target: usize, version: u64) -> Result<(), String> {
        if version <= self.started {
            // A target that has not heard of the epoch yet knows what it knew before.
            let known =
                [start_key(self.epoch), copy_key(FIRST_EPOCH, version), log_key(FIRST_EPOCH, version)];
            return match known.iter().any(|key| bucket.objects.contains_key(key)) {
                true => Ok(()),
                false => Err(format!("target {target} does not know how epoch {} began", self.epoch)),
            };
        }
        let copy = bucket.objects.get(&copy_key(self.epoch, version)).map(|copy| copy.body.as_ref());
        let logged = self.log.get((version - self.started) as usize - 1).map(|logged| logged.as_ref());
        let entry = |body: Option<&[u8]>| body.and_then(|body| serde_json::from_slice::<Entry>(body).ok());
        match (entry(copy), entry(logged)) {
            (Some(copy), Some(logged)) if copy == logged => Ok(()),
            _ => Err(format!("target {target} has no copy of the commit of version {version}")),
        }
    }

    fn applied(&self, buckets: &[Bucket], target: usize, version: u64) -> Result<(), String> {
        let known = self.commits.iter().find(|known| known.version == version);
        let known = known.ok_or_else(|| format!("version {version} was applied, and is not a commit"))?;
        let bucket = &buckets[target];
        if let Some(file) = known.changes.all_files().find(|file| !holds(bucket, &file.file)) {
            return Err(format!("target {target} says version {version}, and lacks {}", file.file.key));
        }
        let mut deletes = known.changes.deletes.get(target).into_iter().flatten();
        match deletes.find(|key| bucket.objects.contains_key(*key)) {
            Some(key) => Err(format!("target {target} says version {version}, and still holds {key}")),
            None => Ok(()),
        }
    }

    fn logged(&mut self, buckets: &[Bucket], key: &str, body: &Bytes) -> Result<(), String> {
        let version = version_of(key).ok_or_else(|| format!("{key} is not an entry"))?;
        let place = (version.saturating_sub(self.started) as usize).checked_sub(1);
        let place = place.ok_or_else(|| format!("{key} comes before the log begins"))?;
        match self.log.get(place) {
            Some(standing) if standing == body => return Ok(()),
            Some(_) => return Err(format!("entry {version} of the log changed")),
            None if place != self.log.len() => return Err(format!("the log lacks {version}")),
            None => self.log.push(body.clone()),
        }
        let entry: Entry = serde_json::from_slice(body).map_err(|e| format!("{key}: {e}"))?;
        match entry.event {
            Event::Commit(commit) => self.committed(buckets, version, *commit),
            Event::Fence { attempt, .. } => {
                let committed = self.commit_of(&attempt).is_some();
                self.fenced.insert(attempt.clone());
                if committed { Err(format!("{attempt} was decided, then fenced")) } else { Ok(()) }
            }
            Event::Repair { .. } => Ok(()),
            Event::GivenUp { lost } => {
                self.is_lost(buckets, &lost)?;
                lost.iter().flat_map(|lost| &lost.files).for_each(|key| drop(self.live.remove(key)));
                for known in &mut self.commits {
                    Arc::make_mut(&mut known.changes).give_up(&lost);
                }
                Ok(())
            }
            Event::Promotion(_) => Err(format!("{key} is a promotion, and does not begin the log")),
        }
    }

    /// The log of another home begins: what counts from here on is what its first entry says.
    fn promoted(&mut self, buckets: &[Bucket], target: usize, key: &str, body: &Bytes) -> Result<(), String> {
        let entry: Entry = serde_json::from_slice(body).map_err(|e| format!("{key}: {e}"))?;
        let Event::Promotion(promotion) = entry.event.clone() else {
            return Err(format!("{key} is not a promotion"));
        };
        if promotion.epoch == self.epoch {
            // The other targets get to know it.
            return match self.start.as_ref() == Some(&entry) {
                true => Ok(()),
                false => Err(format!("{key} of target {target} is not that of home")),
            };
        }
        if promotion.epoch < self.epoch {
            // Of two at it, the slower one: nobody can do anything in its epoch any more.
            return match buckets[target].objects.contains_key(&epoch_key(self.epoch)) {
                true => Ok(()),
                false => Err(format!("epoch {} began after epoch {}", promotion.epoch, self.epoch)),
            };
        }
        let before = match self.announced {
            Some((epoch, before)) if epoch >= promotion.epoch => before,
            _ => return Err(format!("{key} came before word of its epoch")),
        };
        self.is_taken_over(buckets, &promotion, before)?;
        // Two may be at it, for epochs one after the other.
        self.announced.take_if(|(epoch, _)| *epoch == promotion.epoch);
        let commits = std::mem::take(&mut self.commits);
        self.live.clear();
        for known in commits {
            if promotion.history.commit_of(&known.commit.attempt).is_some() {
                let mut changes = (*known.changes).clone();
                changes.give_up(&promotion.history.given_up);
                self.take_in(known.version, known.commit, Arc::new(changes), known.written)?;
            }
        }
        self.fenced.clone_from(&promotion.history.fenced);
        (self.home, self.epoch, self.started) = (target, promotion.epoch, entry.version);
        self.published_until = promotion.history.published_until;
        self.start = Some(entry);
        self.log.clear();
        Ok(())
    }

    /// Whatever was visible anywhere is taken over as it was decided, and what is not taken over is
    /// named, if it was decided before the promotion began; `before` is the number of those.
    fn is_taken_over(&self, buckets: &[Bucket], promotion: &Promotion, before: usize) -> Result<(), String> {
        for committed in &promotion.history.commits {
            match self.commit_of(&committed.commit.attempt) {
                Some(known) if known.version == committed.version && known.commit == committed.commit => {}
                _ => return Err(format!("version {} was never decided so", committed.version)),
            }
        }
        let named = |attempt: &String| promotion.loss.undecided.iter().any(|named| named.attempt == *attempt);
        for (number, Known { version, commit, .. }) in self.commits.iter().enumerate() {
            if promotion.history.commit_of(&commit.attempt).is_some() {
                continue;
            }
            if self.shown.contains(&commit.attempt) {
                return Err(format!("version {version} was visible, and is not taken over"));
            }
            if number < before && !named(&commit.attempt) && !promotion.loss.decided_alone {
                return Err(format!("version {version} is lost without being named"));
            }
        }
        self.is_lost(buckets, &promotion.loss.files)
    }

    /// No target that there is holds what is given up.
    fn is_lost(&self, buckets: &[Bucket], given_up: &[FilesOf]) -> Result<(), String> {
        let held = |key: &&String| {
            self.members.iter().any(|target| {
                let bucket = &buckets[*target];
                bucket.objects.contains_key(*key) || bucket.uploads.values().any(|upload| upload.key == **key)
            })
        };
        match given_up.iter().flat_map(|lost| &lost.files).find(held) {
            Some(key) => Err(format!("{key} was given up, and is there")),
            None => Ok(()),
        }
    }

    fn committed(&mut self, buckets: &[Bucket], version: u64, commit: Commit) -> Result<(), String> {
        let attempt = &commit.attempt;
        if self.fenced.contains(attempt) {
            return Err(format!("{attempt} was fenced, then decided"));
        }
        if self.commit_of(attempt).is_some() {
            return Err(format!("{attempt} was decided twice"));
        }
        if self.commits.iter().any(|known| known.commit.job_key == commit.job_key) {
            return Err(format!("version {version}: the job {} was done before", commit.job_key));
        }
        let is_to_be_first = commit.mode == WriteMode::ErrorIfExists && commit.replaces.is_empty();
        if is_to_be_first && !self.live.is_empty() {
            return Err(format!("version {version} was to be the first, and is not"));
        }
        // Nobody may change anything, so the first that has files says it for all.
        let is_said = self.commits.iter().any(|known| known.commit.schema.is_some());
        if commit.schema.is_some() != (!is_said && commit.files > 0) {
            return Err(format!("version {version} says of its columns: {:?}", commit.schema));
        }
        let intent = buckets[self.home].objects.get(&intent_key(attempt));
        let intent = intent.and_then(|intent| serde_json::from_slice::<Intent>(&intent.body).ok());
        let written = intent.ok_or_else(|| format!("{attempt} was decided without an intent"))?.plan.written;
        if let Some(known) = self.commits.iter().find(|known| known.written != written) {
            let (one, other) = (known.version, &known.written);
            return Err(format!("version {version} has {written:?}, and version {one} {other:?}"));
        }
        let key = changes_key(attempt, &commit.changes_sha256);
        let document = buckets[self.home].objects.get(&key).ok_or_else(|| format!("home lacks {key}"))?;
        let mut changes: Changes =
            serde_json::from_slice(&document.body).map_err(|e| format!("{key}: {e}"))?;
        let urls: Vec<String> = (0..buckets.len()).map(url).collect();
        changes.rearrange(&commit.targets, &urls.iter().map(String::as_str).collect::<Vec<_>>());
        for (target, bucket) in buckets.iter().enumerate() {
            // One that did not answer while the run staged is to catch up.
            let is_absent = changes.all_files().all(|file| file.staged[target].staging == Staging::Absent);
            if !is_absent && !bucket.objects.contains_key(&key) {
                return Err(format!("version {version} was decided, and target {target} lacks {key}"));
            }
        }
        let inputs = self.commits.iter().flat_map(|known| &known.changes.inputs);
        if let Some(input) =
            changes.inputs.iter().find(|input| inputs.clone().any(|read| read.url == input.url))
        {
            return Err(format!("version {version} reads {}, which was read before", input.url));
        }
        for file in changes.all_files() {
            let lost = buckets.iter().zip(&file.staged).all(|(bucket, staged)| {
                !bucket.uploads.contains_key(staged.staging.handle()) && !holds(bucket, &file.file)
            });
            // What is decided while another target becomes home may come to nothing.
            if lost && self.announced.is_none() {
                return Err(format!("version {version} was decided, and {} is nowhere", file.file.key));
            }
        }
        self.take_in(version, commit, Arc::new(changes), written)
    }

    /// What a commit means for the table.
    fn take_in(
        &mut self,
        version: u64,
        commit: Commit,
        changes: Arc<Changes>,
        written: Option<WrittenSchema>,
    ) -> Result<(), String> {
        let mut removed = Vec::new();
        for known in self.commits.iter_mut().filter(|known| commit.replaces.contains(&known.version)) {
            if std::mem::replace(&mut known.replaced, true) {
                return Err(format!("version {} was replaced twice", known.version));
            }
            let replaced = known.changes.all_files().map(|file| file.file.key.clone());
            removed.extend(replaced);
        }
        if commit.mode == WriteMode::OverwritePartitions {
            let overwritten = self.live.keys().filter(|key| commit.partitions.contains(partition_of(key)));
            removed.extend(overwritten.cloned());
        }
        for key in removed {
            self.live.remove(&key);
            if changes.layout == Layout::Versioned {
                self.retired.insert(key);
            }
        }
        self.live.extend(changes.all_files().map(|file| (file.file.key.clone(), file.file.clone())));
        self.commits.push(Known { version, commit, changes, written, replaced: false });
        Ok(())
    }
}

/// Whether a target shows a file with the bytes that were written.
pub(super) fn holds(bucket: &Bucket, file: &ManifestFile) -> bool {
    let object = bucket.objects.get(&file.key);
    object.is_some_and(|object| hex::encode(Sha256::digest(&object.body)) == file.sha256)
}

/// The version that a `_SUCCESS` says.
pub(super) fn manifest_version(body: &[u8]) -> u64 {
    let marker: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    marker["version"].as_u64().unwrap_or(0)
}
