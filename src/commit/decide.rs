//! Verified reports → one entry in the log, or the reason why there is none.
//!
//! [`judge`] is the decision, a function of what the log says. The loop around
//! it reads the log, tries for the next version, and reads again where another
//! writer came first.

use super::documents::{Changes, Commit, Event, StagedData, changes_key, directory_of, partition_of};
use super::log::{Appended, Committed, History, Tenure};
use super::read_before::InputMarks;
use super::standing::READ_BEFORE;
use super::table::{self, CONCURRENCY, Table};
use super::verify::Verified;
use crate::documents::{COMMIT_FORMAT, Input, Plan, RecordCounts, Removed};
use crate::error::{Aftermath, Error, ErrorKind, Result};
use crate::schema::{Misfit, WrittenSchema};
use crate::spec::{Layout, SchemaChange, WriteMode};
use crate::store::Store;
use futures::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What the log says of an attempt that wants to be committed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Verdict {
    /// Nothing stands in its way at the log's tip.
    Clear,
    /// It is committed already, perhaps by a try whose answer was lost.
    Mine(u64),
    /// Another attempt did the very same job on the very same inputs.
    Done(u64),
    /// It was taken for dead.
    Fenced,
    /// Since it looked at the table, another commit changed what it looked at.
    Stale,
    /// Another commit did what cannot be done twice.
    Conflict(String),
    /// Another commit has read inputs of it, which are not to be read twice.
    ReadBefore(String),
    /// Its files cannot stand beside those of another.
    Misfit(Misfit),
}

/// What an attempt asks of the table that its changes do not say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Terms<'a> {
    /// What its files have; `None` if its plan does not say.
    pub(super) written: Option<&'a WrittenSchema>,
    /// What it may change of the table.
    pub(super) schema_change: SchemaChange,
    /// The step that is left out.
    #[cfg(test)]
    pub(super) broken: Option<table::Broken>,
    /// Whether the table must not hold its inputs.
    pub(super) refuses_to_read_again: bool,
    /// The version at which the table was looked at: for what an overwrite removes, or
    /// whether there is nothing, as is to be.
    pub(super) looked_at: u64,
}

/// Decides, by what the log says and nothing else.
pub(super) fn judge(history: &History, changes: &Changes, terms: Terms<'_>) -> Verdict {
    if let Some(mine) = history.commit_of(&changes.attempt) {
        return Verdict::Mine(mine.version);
    }
    if history.fenced.contains(&changes.attempt) {
        return Verdict::Fenced;
    }
    if let Some(done) = history.commit_of_key(&changes.job_key) {
        return Verdict::Done(done.version);
    }
    let replaced = |c: &&Committed| changes.replaces.contains(&c.version) && c.replaced_by.is_some();
    if let Some(Committed { version, replaced_by: Some(by), .. }) = history.commits.iter().find(replaced) {
        return Verdict::Conflict(format!("version {version} was already replaced by version {by}"));
    }
    let read_before =
        terms.refuses_to_read_again.then(|| history.read_before(&changes.inputs, &BTreeMap::new())).flatten();
    #[cfg(test)]
    let read_before = read_before.filter(|_| terms.broken != Some(table::Broken::Inputs));
    if let Some(what) = read_before {
        return Verdict::ReadBefore(what);
    }
    let misfit = history.schema_with(changes, terms.written, terms.schema_change).err();
    #[cfg(test)]
    let misfit = misfit.filter(|_| terms.broken != Some(table::Broken::Columns));
    if let Some(misfit) = misfit {
        return Verdict::Misfit(misfit);
    }
    let mut later = history.commits_after(terms.looked_at).peekable();
    match changes.mode {
        WriteMode::Append => Verdict::Clear,
        WriteMode::ErrorIfExists => match later.next() {
            None => Verdict::Clear,
            Some(other) => {
                let Committed { version, commit, .. } = other;
                Verdict::Conflict(format!("attempt {} wrote version {version} meanwhile", commit.attempt))
            }
        },
        WriteMode::OverwritePartitions => {
            let mine = changes.partitions();
            let touches = |other: &Committed| !other.commit.partitions.is_disjoint(&mine);
            if later.any(touches) { Verdict::Stale } else { Verdict::Clear }
        }
    }
}

/// How a decision came out.
#[derive(Debug)]
pub enum Outcome {
    /// The attempt is part of the table. With the log up to it, for [`Table::finish`].
    Decided(Box<Decided>, History),
    /// Another attempt did the same before: this one should be given up.
    AlreadyDone(Box<Committed>),
}

/// The log holds the commit: it can only go forward.
#[derive(Debug, Clone)]
pub struct Decided {
    pub(super) committed: Committed,
    pub(super) changes: Changes,
    /// Of the log that holds it.
    pub(super) tenure: Tenure,
}

impl Decided {
    /// Version of the table.
    pub fn version(&self) -> u64 {
        self.committed.version
    }
}

impl Verified<'_> {
    /// Versions have their numbers by the log of an epoch: another's may be others.
    fn check_chosen_in(&self, history: &History) -> Result<()> {
        if self.plan.chosen_at.is_none() || self.plan.chosen_in == history.later_epoch() {
            return Ok(());
        }
        let message =
            "another target has become home since the inputs were chosen according to the log".into();
        Err(Error::new(ErrorKind::Conflict { message }).remedy(
            "remove what was staged with `sawmill commit --abort` and the same plan, then plan again",
        ))
    }

    /// Keeps what is to be done in every target, and tries for a version of the
    /// log. `history` is what the caller read before it looked whether it may write.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if another run is in the way. After
    /// any other error the attempt may have been decided: see [`Table::give_up`].
    pub async fn decide(&self, table: &Table, mut history: History) -> Result<Outcome> {
        let started_at = history.tip;
        let mut read_until = self.plan.chosen_at;
        table.catch_up(&mut history).await?;
        self.check_chosen_in(&history)?;
        loop {
            let changes = self.changes(table, &history).await?;
            let removed = table.removed(&changes, &history).await;
            let terms = Terms {
                #[cfg(test)]
                broken: table.simulated.broken,
                written: self.plan.written.as_ref(),
                schema_change: self.plan.job.output.schema_change,
                refuses_to_read_again: self.plan.refuses_to_read_again(),
                // Whether there was nothing, the caller has looked, and it is not looked up again.
                looked_at: match changes.mode {
                    WriteMode::ErrorIfExists => started_at,
                    WriteMode::Append | WriteMode::OverwritePartitions => history.tip,
                },
            };
            let (sha256, body) = digested(&changes);
            for (_, store) in table.present() {
                store.create(&changes_key(&changes.attempt, &sha256), body.clone()).await?;
            }
            let commit = commit_of(&changes, sha256.clone(), removed, table);
            loop {
                match judge(&history, &changes, terms) {
                    Verdict::Clear => {
                        if let Some(since) = &mut read_until {
                            table.check_not_read_since(&history, *since, &changes.inputs).await?;
                            *since = history.tip;
                        }
                        let schema = history.schema_with(&changes, terms.written, terms.schema_change);
                        let schema = schema.ok().flatten().filter(|schema| history.schema() != Some(schema));
                        let event = Event::Commit(Box::new(Commit { schema, ..commit.clone() }));
                        let appended = table.append(&mut history, event).await;
                        let appended = appended.map_err(|error| error.leaving(Aftermath::Unknown))?;
                        if let Appended::Here = appended {
                            table.checkpoint(&history).await;
                            return decided(table, history, changes, &sha256).await;
                        }
                        table.catch_up(&mut history).await?;
                    }
                    Verdict::Mine(_) => return decided(table, history, changes, &sha256).await,
                    Verdict::Done(version) => return done(&history, version),
                    Verdict::Fenced => return Err(fenced(&changes.attempt)),
                    Verdict::Conflict(message) => {
                        return Err(Error::new(ErrorKind::Conflict { message })
                            .remedy("run again; nothing of this run was made visible"));
                    }
                    Verdict::ReadBefore(message) => {
                        return Err(Error::new(ErrorKind::Conflict { message })
                            .remedy(format!("nothing of this run was made visible; {READ_BEFORE}")));
                    }
                    Verdict::Misfit(misfit) => {
                        let message = format!("the table has changed since this run was planned: {misfit}");
                        return Err(Error::new(ErrorKind::Conflict { message })
                            .remedy("run again: it is then planned for the table as it is now; nothing of this run was made visible"));
                    }
                    Verdict::Stale => break,
                }
            }
        }
    }

    /// What the commit does to the table as it is at the tip of `history`.
    async fn changes(&self, table: &Table, history: &History) -> Result<Changes> {
        let mut changes = Changes {
            records: self.records(),
            files: self.files().map(StagedData::from).collect(),
            quarantine: self.quarantine().map(StagedData::from).collect(),
            ..Changes::of_plan(self.plan)
        };
        let partitions = changes.partitions();
        table.find_removed(&mut changes, &partitions, history).await?;
        Ok(changes)
    }
}

impl Changes {
    /// What a plan alone says of its commit.
    pub(super) fn of_plan(plan: &Plan) -> Changes {
        Changes {
            format: COMMIT_FORMAT,
            job: plan.job.name.clone(),
            job_key: plan.job_key.clone(),
            attempt: plan.attempt.clone(),
            mode: plan.job.output.mode,
            layout: plan.job.output.layout,
            records: RecordCounts::default(),
            inputs: plan.inputs.clone(),
            files: Vec::new(),
            quarantine: Vec::new(),
            deletes: Vec::new(),
            retires: Vec::new(),
            replaces: plan.replaces.clone(),
        }
    }
}

impl Table {
    /// Whether versions after the one at which inputs were chosen, because no version had
    /// read them, have read some of them.
    async fn check_not_read_since(&self, history: &History, since: u64, inputs: &[Input]) -> Result<()> {
        let mine: HashSet<&str> = inputs.iter().map(|input| input.url.as_str()).collect();
        for later in history.commits_after(since) {
            let read = self.changes(&later.commit).await?.inputs;
            if let Some(input) = read.iter().find(|input| mine.contains(input.url.as_str())) {
                let message = format!("version {} has read {} meanwhile", later.version, input.url);
                return Err(Error::new(ErrorKind::Conflict { message })
                    .remedy("run again: it reads what is still new; nothing of this run was made visible"));
            }
        }
        Ok(())
    }

    /// Lists in the changes what they take out of the table, if they write these partitions.
    pub(super) async fn find_removed(
        &self,
        changes: &mut Changes,
        partitions: &BTreeSet<String>,
        history: &History,
    ) -> Result<()> {
        match changes.layout {
            Layout::Direct => changes.deletes = self.files_to_delete(changes, partitions, history).await?,
            Layout::Versioned => changes.retires = self.files_to_retire(changes, partitions, history).await?,
        }
        Ok(())
    }

    /// For each target, what the changes remove; empty if it is nothing anywhere.
    async fn files_to_delete(
        &self,
        changes: &Changes,
        partitions: &BTreeSet<String>,
        history: &History,
    ) -> Result<Vec<Vec<String>>> {
        let mut deletes = vec![BTreeSet::new(); self.stores().len()];
        if changes.mode == WriteMode::OverwritePartitions {
            // Files of a version that is decided but not yet visible are known from the log only.
            // The log is read before the objects are listed: if another process makes such files
            // visible in between, they are in both; the other way round they would be in neither.
            let mut unfinished = BTreeSet::new();
            for committed in self.unpublished(history).await? {
                let files = self.changes(&committed.commit).await?.files;
                unfinished.extend(files.into_iter().map(|file| file.file.key));
            }
            let own: HashSet<&str> = changes.files.iter().map(|file| file.file.key.as_str()).collect();
            for (position, store) in self.present() {
                let found = files_in(store.as_ref(), partitions).await?;
                deletes[position].extend(found.into_iter().filter(|key| !own.contains(key.as_str())));
            }
            // Files of a versioned layout are in none of the directories that were listed.
            let versioned = history.commits.iter().any(|c| c.commit.layout == Layout::Versioned);
            if versioned {
                unfinished.extend(self.live_files(history).await?.files.into_keys());
            }
            unfinished.retain(|key| partitions.contains(partition_of(key)) && !own.contains(key.as_str()));
            deletes.iter_mut().for_each(|deletes| deletes.extend(unfinished.iter().cloned()));
        }
        // A target that is to catch up has what the others had when they last agreed.
        let of_home = deletes[0].clone();
        self.absent().iter().for_each(|position| deletes[*position].clone_from(&of_home));
        for replaced in self.changes_of(history, &changes.replaces).await? {
            let keys = replaced.all_files().map(|file| file.file.key.clone()).collect::<Vec<_>>();
            deletes.iter_mut().for_each(|deletes| deletes.extend(keys.iter().cloned()));
        }
        if deletes.iter().all(BTreeSet::is_empty) {
            return Ok(Vec::new());
        }
        Ok(deletes.into_iter().map(|keys| keys.into_iter().collect()).collect())
    }

    /// What is no longer of the table by these changes, in a versioned layout.
    async fn files_to_retire(
        &self,
        changes: &Changes,
        partitions: &BTreeSet<String>,
        history: &History,
    ) -> Result<Vec<String>> {
        let live = self.live_files(history).await?;
        let overwrites = changes.mode == WriteMode::OverwritePartitions;
        let retired = live.files.into_iter().filter(|(key, (version, _))| {
            changes.replaces.contains(version) || overwrites && partitions.contains(partition_of(key))
        });
        Ok(retired.map(|(key, _)| key).collect())
    }
}

/// Partitions up to which each is listed by itself, and not the whole table.
const LISTED_ALONE: usize = 100;

/// Visible files that lie right in these directories.
async fn files_in(store: &dyn Store, partitions: &BTreeSet<String>) -> Result<Vec<String>> {
    let listed: Vec<Vec<String>> = if partitions.len() > LISTED_ALONE {
        vec![store.list("", usize::MAX).await?]
    } else {
        let lists = partitions.iter().map(|partition| store.list(partition, usize::MAX));
        futures::stream::iter(lists).buffered(CONCURRENCY).try_collect().await?
    };
    let within = listed.into_iter().flatten().filter(|key| partitions.contains(directory_of(key)));
    Ok(within.collect())
}

fn digested(changes: &Changes) -> (String, bytes::Bytes) {
    let body = table::json(changes);
    (hex::encode(Sha256::digest(&body)), body)
}

fn commit_of(changes: &Changes, changes_sha256: String, removed: Option<Removed>, table: &Table) -> Commit {
    Commit {
        targets: table.identities().into_iter().map(|target| target.url).collect(),
        attempt: changes.attempt.clone(),
        job: changes.job.clone(),
        job_key: changes.job_key.clone(),
        mode: changes.mode,
        layout: changes.layout,
        changes_sha256,
        partitions: changes.partitions(),
        replaces: changes.replaces.clone(),
        removed,
        files: changes.files.len() as u64,
        bytes: changes.files.iter().map(|file| file.file.bytes).sum(),
        records: changes.records,
        inputs: changes.inputs.len() as u64,
        schema: None,
        input_marks: Some(InputMarks::of(&changes.inputs)),
    }
}

/// The commit as the log has it, which may be that of another committer of the
/// same attempt, or of a try before this one: they may have found other files to remove.
async fn decided(table: &Table, history: History, changes: Changes, sha256: &str) -> Result<Outcome> {
    let Some(committed) = history.commit_of(&changes.attempt).cloned() else {
        let message = format!("the commit of {} was added to the log, but is not there", changes.attempt);
        return Err(ErrorKind::Damage { message }.into());
    };
    let tenure = history.tenure();
    let changes = match committed.commit.changes_sha256 == sha256 {
        true => changes,
        false => {
            let read = table.changes(&committed.commit).await;
            read.map_err(|error| error.leaving(Aftermath::Decided(committed.version)))?
        }
    };
    tracing::info!(version = committed.version, "decided");
    Ok(Outcome::Decided(Box::new(Decided { committed, changes, tenure }), history))
}

fn done(history: &History, version: u64) -> Result<Outcome> {
    let done = history.commits.iter().find(|committed| committed.version == version).cloned();
    done.map(|done| Outcome::AlreadyDone(Box::new(done))).ok_or_else(|| {
        let message = format!("the log has no version {version}");
        ErrorKind::Damage { message }.into()
    })
}

pub(super) fn fenced(attempt: &str) -> Error {
    let message = format!("attempt {attempt} was presumed dead and fenced by another run");
    Error::new(ErrorKind::Conflict { message }).remedy(
        "run again; if it was suspended for longer than `commit.lease_seconds` in the job file, raise that. Nothing was made visible",
    )
}

impl Table {
    /// What a commit did, as its document says; checked against the log. What stands in it for
    /// each target is put into the order of this table's targets.
    pub async fn changes(&self, commit: &Commit) -> Result<Changes> {
        let mut changes = self.changes_as_written(commit).await?.0;
        let urls: Vec<&str> = self.stores().iter().map(|store| store.describe().url.as_str()).collect();
        changes.rearrange(&commit.targets, &urls);
        Ok(changes)
    }

    /// The same, and its bytes, whose SHA-256 the log knows.
    pub(super) async fn changes_as_written(&self, commit: &Commit) -> Result<(Changes, bytes::Bytes)> {
        let key = changes_key(&commit.attempt, &commit.changes_sha256);
        // Every target has a copy, and the log says which bytes are right.
        let mut problem = None;
        for store in self.stores() {
            match store.get(&key).await {
                Ok(Some(document))
                    if hex::encode(Sha256::digest(&document.body)) == commit.changes_sha256 =>
                {
                    return Ok((table::parse(store.as_ref(), &key, &document.body)?, document.body));
                }
                Ok(_) => {}
                Err(error) => problem = Some(error),
            }
        }
        Err(problem.unwrap_or_else(|| {
            let message = format!("no target holds {key} as it was when the log took it");
            Error::new(ErrorKind::Damage { message })
                .remedy("restore it from an object version or a backup; its name is its SHA-256")
        }))
    }

    /// The changes of some versions.
    async fn changes_of(&self, history: &History, versions: &[u64]) -> Result<Vec<Changes>> {
        let commits = history.commits.iter().filter(|committed| versions.contains(&committed.version));
        let read = commits.map(|committed| self.changes(&committed.commit));
        futures::stream::iter(read).buffered(CONCURRENCY).try_collect().await
    }
}
