//! A target that holds the table → its home, when home is lost.
//!
//! The old home may be gone for good, or only not be seen from here, with runners
//! that still see it. So a document of the new epoch is left in every target that
//! answers, the new home first, *before* the copies of commits are read. A runner
//! keeps its copies before it looks for a document of an epoch, and looks before a file
//! becomes visible ([`super::apply`]). So either the promotion sees the runner's copy and
//! takes the version over, or the runner sees the epoch and makes nothing visible.

mod survey;

pub use survey::Unread;

use super::documents::{
    ATTEMPTS, Changes, Entry, Epoch, Event, FIRST_EPOCH, Loss, Promotion, UndecidedAttempt, attempt_of,
    copies_directory, epoch_key, log_directory, start_key, version_of,
};
use super::epochs::EpochsKnown;
use super::given_up::by_version;
use super::log::History;
use super::places::APPLIED;
use super::table::{self, CONCURRENCY, Table};
use crate::documents::{COMMIT_FORMAT, StagedFile};
use crate::error::{Error, ErrorKind, Result};
use crate::spec::UnreachableTarget;
use crate::store::{Store, WriteOutcome};
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use survey::{Place, Survey};

/// What a promotion did.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Promoted {
    /// URL of the target that is home now, or is to be.
    pub home: String,
    /// Number of the epoch that has begun with it.
    pub epoch: u64,
    /// URL of the target that was home, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_home: Option<String>,
    /// Version of the log's first entry, where it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// The newest version of the table that was taken over.
    pub newest: u64,
    /// Versions that are decided and not known to be visible everywhere: the next run, or `sawmill recover`,
    /// finishes them.
    pub unfinished: Vec<u64>,
    /// What may be missing. Without `--accept-loss`, nothing is done where there is any, or, if it was only
    /// found once the epoch was written (`is_begun`), nothing more.
    #[serde(skip_serializing_if = "Loss::is_none")]
    pub loss: Loss,
    /// Targets that did not answer, or hold nothing of the table. They know nothing of the epoch.
    pub unread: Vec<Unread>,
    /// Staged files of attempts that were not decided, which were removed.
    pub removed: usize,
    /// Whether it was home already.
    pub was_home: bool,
    /// Whether targets know of the epoch: no run follows the old home any more.
    pub is_begun: bool,
}

/// The table as far as it is known without its home.
struct Gathered {
    history: History,
    old_tip: u64,
    old_log_was_read: bool,
    /// The first number that nothing has.
    next: u64,
    loss: Loss,
}

impl Table {
    /// Makes a target home in place of the one that is lost, if nothing can be missing
    /// or `accept_loss`. Repeatable: what was broken off is finished.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`] if somebody makes another target home at the same time.
    pub async fn promote(&self, home: usize, accept_loss: bool) -> Result<Promoted> {
        let survey = self.survey(home).await?;
        let (newest, url) = (survey.newest(), self.stores()[home].describe().url.clone());
        let mine = &survey.places[0];
        let mut promoted = Promoted {
            home: url.clone(),
            epoch: newest,
            old_home: self.old_home(&survey),
            version: None,
            newest: 0,
            unfinished: Vec::new(),
            loss: Loss::default(),
            unread: survey.unread.clone(),
            removed: 0,
            was_home: false,
            is_begun: false,
        };
        let positions: Vec<usize> = survey.places.iter().map(|place| place.position).collect();
        let table = self.of(&positions);
        let is_home = mine.known.newest == newest && mine.has_log;
        if is_home {
            // Perhaps the others were not told yet.
            (promoted.was_home, promoted.is_begun) = (true, true);
            promoted.old_home = mine.newest.as_ref().and_then(|epoch| epoch.old_home.clone());
            table.tell_others(&table.history().await?, &mut promoted).await?;
            return Ok(promoted);
        }
        // Two promotions at the same time may each have written their epoch to some of the targets:
        // then neither is home, and a promotion with the next epoch decides.
        let mut told = survey.places.iter().filter(|place| place.known.newest == newest);
        let is_begun = told.all(|place| place.newest.as_ref().is_some_and(|document| document.home == url));
        promoted.is_begun = is_begun;
        promoted.epoch = if is_begun { newest } else { newest + 1 };
        if is_begun {
            promoted.old_home = survey.newest_document().and_then(|epoch| epoch.old_home.clone());
        }
        let found = self.gather(&survey, &table, &promoted).await?;
        promoted.newest = found.history.commits.last().map_or(0, |newest| newest.version);
        if !found.loss.is_none() && !accept_loss {
            promoted.loss = found.loss;
            return Ok(promoted);
        }
        for (place, store) in survey.places.iter().zip(table.stores()) {
            let here = place.position == home;
            table.begin_epoch(store.as_ref(), &promoted, here, found.history.tip).await?;
        }
        promoted.is_begun = true;
        // The copies of commits are read again: a runner copies a commit before it looks for the
        // epoch, so every commit with visible files is among them now. Another promotion may have
        // begun an epoch in the meantime.
        let mut survey = survey;
        for place in &mut survey.places {
            place.known = EpochsKnown::to(self.stores()[place.position].as_ref()).await?;
        }
        table.check_epoch(promoted.epoch).await?;
        let mut found = self.gather(&survey, &table, &promoted).await?;
        if found.loss.is_none() || accept_loss {
            promoted.removed = table.remove_undecided(&found.history).await?;
            found.history.given_up.extend(found.loss.files.clone());
            promoted.loss = found.loss.clone();
            table.check_epoch(promoted.epoch).await?;
            table.begin_log(found, &mut promoted).await?;
            let history = table.history().await?;
            table.tell_others(&history, &mut promoted).await?;
        } else {
            promoted.loss = found.loss;
        }
        Ok(promoted)
    }

    /// What the targets that answer know of the table before an epoch. `table` has the same
    /// places as the survey.
    async fn gather(&self, survey: &Survey, table: &Table, promoted: &Promoted) -> Result<Gathered> {
        let (epoch, base) = (promoted.epoch, survey.known_before(promoted.epoch));
        // Before the copies, which a runner keeps in every target before it says of any that it holds the
        // version: of what is seen here there is a copy by the time that copies are read.
        let mut visible: Vec<(usize, u64)> = Vec::new();
        for (place, store) in table.stores().iter().enumerate() {
            let applied = store.list_documents(APPLIED, "").await?;
            visible.extend(applied.iter().filter_map(|key| Some((place, version_of(key)?))));
        }
        let mut history = History::default();
        for place in survey.places.iter().filter(|place| place.known.started.contains(&base)) {
            let start =
                table::read::<Entry>(self.stores()[place.position].as_ref(), &start_key(base)).await?;
            if let Some(start) = start {
                history.add(start);
                break;
            }
        }
        let mut entries: BTreeMap<u64, Entry> = BTreeMap::new();
        let mut newest_copied = 0;
        for store in table.stores() {
            for entry in read_entries(store.as_ref(), &copies_directory(base)).await? {
                newest_copied = newest_copied.max(entry.version);
                take(&mut entries, entry, store.as_ref(), promoted)?;
            }
        }
        let mut old_log_was_read = false;
        for (place, store) in survey.places.iter().zip(table.stores()) {
            // Who holds the log of the base, whatever it knows of later.
            let is_home = match base {
                FIRST_EPOCH => !store.list_documents(&log_directory(base), "").await?.is_empty(),
                _ => self.is_home_of(place, base).await?,
            };
            if is_home {
                let logged = read_entries(store.as_ref(), &log_directory(base)).await?;
                let first = history.started + 1;
                // A log that lacks what others have copied was lost in part.
                let is_whole = (first..).zip(&logged).all(|(version, entry)| version == entry.version)
                    && logged.last().map_or(history.started, |last| last.version) >= newest_copied;
                old_log_was_read |= is_whole;
                for entry in logged {
                    take(&mut entries, entry, store.as_ref(), promoted)?;
                }
            }
        }
        for entry in entries.into_values() {
            history.add(entry);
        }
        let known: HashSet<u64> = history.commits.iter().map(|committed| committed.version).collect();
        let mut newest = newest_copied;
        for (place, version) in visible {
            newest = newest.max(version);
            if !known.contains(&version) {
                return Err(no_copy(table.stores()[place].as_ref(), version, promoted));
            }
        }
        // Whoever began to make this one visible had published all before it.
        let before = history.commits.iter().rev().find(|committed| committed.version < newest);
        history.published_until = history.published_until.max(before.map_or(0, |before| before.version));
        let (old_tip, next) = (history.tip, history.tip.max(newest) + 1);
        let mut loss = table.loss(&history, old_log_was_read).await?;
        for later in base + 1..epoch {
            // One whose home answers and has no log was never begun.
            let homes = futures::stream::iter(&survey.places);
            let is_seen = homes.any(async |place| self.is_home_of(place, later).await.unwrap_or(false)).await;
            if !is_seen {
                loss.epochs.push(later);
            }
        }
        Ok(Gathered { history, old_tip, old_log_was_read, next, loss })
    }

    async fn is_home_of(&self, place: &Place, epoch: u64) -> Result<bool> {
        let store = self.stores()[place.position].as_ref();
        let document = table::read::<Epoch>(store, &epoch_key(epoch)).await?;
        Ok(document.is_some_and(|document| document.here))
    }

    /// What is missing of what is decided, and what may be.
    async fn loss(&self, history: &History, old_log_was_read: bool) -> Result<Loss> {
        let mut lost = Vec::new();
        for committed in history.commits_after(history.published_until) {
            let mut changes = self.changes(&committed.commit).await?;
            changes.give_up(&history.given_up);
            for file in changes.files.into_iter().chain(changes.quarantine) {
                if !self.is_held(&file).await? {
                    lost.push((committed.version, file));
                }
            }
        }
        let mut loss = Loss { files: by_version(lost.into_iter()), ..Loss::default() };
        if !old_log_was_read {
            loss.undecided = self.undecided(history).await?;
            loss.decided_alone = self.settings.unreachable_target == UnreachableTarget::CatchUp;
        }
        Ok(loss)
    }

    /// Attempts that were about to be decided, as their changes say, and are not known to be.
    async fn undecided(&self, history: &History) -> Result<Vec<UndecidedAttempt>> {
        let mut found = BTreeMap::new();
        for store in self.stores() {
            for key in store.list_documents(ATTEMPTS, "").await? {
                let Some((attempt, name)) = key.strip_prefix(ATTEMPTS).and_then(|rest| rest.split_once('/'))
                else {
                    continue;
                };
                let is_settled = history.commit_of(attempt).is_some() || history.fenced.contains(attempt);
                if !name.starts_with("changes-") || is_settled || found.contains_key(attempt) {
                    continue;
                }
                let Some(changes) = table::read::<Changes>(store.as_ref(), &key).await? else { continue };
                // The same job on the same inputs is in the table: no row of it is missing.
                if history.commit_of_key(&changes.job_key).is_none() {
                    let undecided = UndecidedAttempt {
                        attempt: attempt.to_owned(),
                        job: changes.job,
                        rows: changes.files.iter().map(|file| file.file.rows).sum(),
                        inputs: changes.inputs.len() as u64,
                    };
                    found.insert(attempt.to_owned(), undecided);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// Leaves the document of a new epoch in a target.
    async fn begin_epoch(&self, store: &dyn Store, promoted: &Promoted, here: bool, tip: u64) -> Result<()> {
        let key = epoch_key(promoted.epoch);
        let document = Epoch {
            format: COMMIT_FORMAT,
            epoch: promoted.epoch,
            home: promoted.home.clone(),
            here,
            old_home: promoted.old_home.clone(),
            tip,
            at: self.time(),
            engine: concat!("sawmill ", env!("CARGO_PKG_VERSION")).into(),
        };
        let created = store.create(&key, table::json(&document)).await;
        if let Ok(WriteOutcome::Created) = created {
            return Ok(());
        }
        match (table::read::<Epoch>(store, &key).await?, created) {
            (Some(standing), _) if standing.home == promoted.home => Ok(()),
            (Some(standing), _) => {
                let message = format!(
                    "{} is being made home of this table, too (epoch {})",
                    standing.home, standing.epoch
                );
                Err(Error::new(ErrorKind::Conflict { message })
                    .remedy("agree on one target, then `sawmill promote` again with that one"))
            }
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Err(no_word(store, &key)),
        }
    }

    /// Removes what was staged by attempts that are not of the table; lists again until nothing is
    /// found, as somebody may still be staging.
    async fn remove_undecided(&self, history: &History) -> Result<usize> {
        const LISTS: usize = 3;
        let mut removed = 0;
        for _ in 0..LISTS {
            let mut staged: Vec<(usize, StagedFile)> = Vec::new();
            for (target, store) in self.stores().iter().enumerate() {
                let open = store.list_staged(None).await?.into_iter().filter(|open| {
                    attempt_of(&open.key).is_some_and(|attempt| history.commit_of(attempt).is_none())
                });
                staged.extend(open.map(|open| (target, open)));
            }
            if staged.is_empty() {
                break;
            }
            removed += staged.len();
            if let Some(error) = self.abort_all(staged).await {
                return Err(error);
            }
        }
        Ok(removed)
    }

    /// Writes the first entry of the new log, unless somebody else has.
    async fn begin_log(&self, found: Gathered, promoted: &mut Promoted) -> Result<()> {
        let Gathered { mut history, old_tip, old_log_was_read, next, loss } = found;
        (history.epoch, history.started, history.tip) = (promoted.epoch, next, next);
        let promotion = Promotion {
            epoch: promoted.epoch,
            home: promoted.home.clone(),
            old_home: promoted.old_home.clone(),
            old_tip,
            old_log_was_read,
            loss,
            history,
        };
        let entry = Entry {
            format: COMMIT_FORMAT,
            version: next,
            at: self.time(),
            engine: concat!("sawmill ", env!("CARGO_PKG_VERSION")).into(),
            event: Event::Promotion(Box::new(promotion)),
        };
        let key = start_key(promoted.epoch);
        let created = self.create(&key, table::json(&entry)).await;
        match (table::read::<Entry>(self.home(), &key).await?, created) {
            (Some(standing), _) => {
                if let Event::Promotion(promotion) = standing.event {
                    promoted.loss = promotion.loss;
                }
                Ok(())
            }
            (None, Err(error)) => Err(error),
            (None, Ok(_)) => Err(no_word(self.home(), &key)),
        }
    }

    /// Lets the other targets have the first entry, and says how the table stands.
    async fn tell_others(&self, history: &History, promoted: &mut Promoted) -> Result<()> {
        if history.epoch > FIRST_EPOCH {
            for position in 1..self.stores().len() {
                self.join(position, history).await?;
            }
            promoted.version = Some(history.started);
        }
        promoted.newest = history.commits.last().map_or(0, |newest| newest.version);
        promoted.unfinished = self.unfinished(history).await?;
        Ok(())
    }
}

/// Every entry that lies in a directory.
async fn read_entries(store: &dyn Store, directory: &str) -> Result<Vec<Entry>> {
    let keys = store.list_documents(directory, "").await?;
    let read = futures::stream::iter(keys)
        .map(|key| async move { table::read::<Entry>(store, &key).await })
        .buffered(CONCURRENCY);
    Ok(read.try_collect::<Vec<_>>().await?.into_iter().flatten().collect())
}

/// Adds an entry, which another target may have shown already.
fn take(
    entries: &mut BTreeMap<u64, Entry>,
    entry: Entry,
    store: &dyn Store,
    promoted: &Promoted,
) -> Result<()> {
    let standing = entries.get(&entry.version).map(|standing| &standing.event);
    if standing.is_some_and(|standing| *standing != entry.event) {
        let message = format!(
            "{} has another version {} than the other targets: two tables share a target",
            store.describe().url,
            entry.version
        );
        return Err(Error::new(ErrorKind::Damage { message }).remedy(format!(
            "take the target that is not of this table out of `targets`; {}",
            promoted.what_was_changed()
        )));
    }
    entries.insert(entry.version, entry);
    Ok(())
}

fn no_copy(store: &dyn Store, version: u64, promoted: &Promoted) -> Error {
    let message = format!(
        "{} holds version {version}, and no target that answers knows its commit",
        store.describe().url
    );
    Error::new(ErrorKind::Damage { message }).remedy(format!(
        "an older sawmill wrote it: `sawmill catchup` would add what is missing, if the old home answers again; {}",
        promoted.what_was_changed()
    ))
}

impl Promoted {
    /// For those who are told that the promotion stops here.
    fn what_was_changed(&self) -> &'static str {
        match self.is_begun {
            true => "the change of home has begun, and the same command finishes it afterwards",
            false => "nothing was changed",
        }
    }
}

fn no_word(store: &dyn Store, key: &str) -> Error {
    let message = format!("{}{key} was written, but is not there", store.describe().url);
    Error::new(ErrorKind::Damage { message }).remedy("the target must be strongly consistent, as S3 is")
}
