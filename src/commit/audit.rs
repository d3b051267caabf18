//! Every target against the log: what `sawmill verify` finds.
//!
//! Looks only, and changes nothing. What is decided and not yet published is
//! reported as such, and its files are not expected. Runs may go on meanwhile:
//! what they change is decided in the log first, so whatever is found is checked
//! against a log that was read after it.

use super::documents::{Changes, FilesOf, SUCCESS_KEY, applied_key, attempt_of, changes_key, success_key};
use super::examine::{Depth, Fault, Finding, examine};
use super::fit::Expected;
use super::live::LiveFiles;
use super::log::{Committed, History};
use super::table::{self, CONCURRENCY, Table};
use super::unseen::{Unseen, of_lost_home};
use crate::documents::Manifest;
use crate::error::{ErrorKind, Result};
use crate::store::{Store, is_hidden};
use futures::{StreamExt, TryStreamExt};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Audit {
    /// Version of the log's tip.
    pub version: u64,
    /// Files that each target should hold.
    pub files: usize,
    /// Their rows; those of rejected records do not count.
    pub rows: u64,
    /// Their size.
    pub bytes: u64,
    /// Versions that are decided and not yet visible and announced everywhere.
    pub unfinished: Vec<u64>,
    /// Those of them that a run is publishing at this moment: nothing is wrong with them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub publishing: Vec<u64>,
    /// Files of before a change of the table's columns or types, which differ from those of now as the
    /// change allows.
    pub outdated: usize,
    /// Files that were given up, as no target held them any more: they are not expected.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub given_up: Vec<FilesOf>,
    /// What is wrong.
    pub damages: Vec<Damage>,
    /// Visible files that the log does not know, by target: of other programs, or of before the log.
    pub strangers: Vec<Stranger>,
    /// Targets that did not answer: nothing is known of what they hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Unseen>,
}

/// Something that is not as the log says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Damage {
    /// URL of the object.
    pub url: String,
    /// Version that it belongs to.
    pub version: u64,
    /// The class of what is wrong, which decides what repairs it.
    pub kind: Fault,
    /// What is wrong with it.
    pub what: String,
    /// Whether it is a file that no target holds as it was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}

/// A file that the log does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Stranger {
    /// URL of the object.
    pub url: String,
    /// The attempt that its name has, if sawmill gave it the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

/// What was seen in one target.
#[derive(Default)]
struct Seen {
    /// Key, version and what is wrong, in the order in which they were looked at.
    wrong: Vec<(String, u64, Finding)>,
    /// Keys of visible files that the log does not know.
    strange: Vec<String>,
    /// Files of before a change of the table's columns.
    outdated: usize,
}

impl Table {
    /// Looks at every file that the table should have, in every target that answers.
    ///
    /// # Errors
    /// Those of the home target, and [`ErrorKind::Damage`] if the targets are not those of
    /// one table.
    pub async fn audit(&self, depth: Depth) -> Result<Audit> {
        let history = self.history().await;
        let mut history = history.map_err(|error| of_lost_home(error, &self.stores()[1..]))?;
        let mut silent = self.check_seen_places(&mut history).await?;
        history.check_exists(&self.home().describe().url)?;
        let open = self.unpublished(&history).await?;
        let unfinished: Vec<u64> = open.iter().map(|committed| committed.version).collect();
        let mut published = history.clone();
        published.commits.retain(|committed| !unfinished.contains(&committed.version));
        let mut live = self.live_files(&published).await?;
        for committed in &open {
            // What is about to be removed may be gone already.
            let changes = self.changes(&committed.commit).await?;
            changes.deletes.iter().flatten().for_each(|key| drop(live.files.remove(key)));
        }
        let expected = self.expected(&published).await?;
        let mut seen: BTreeMap<usize, Seen> = BTreeMap::new();
        for (position, store) in self.stores().iter().enumerate() {
            if silent.holds(position) {
                continue;
            }
            match look_at(store.as_ref(), &published, &expected, &live, unfinished.is_empty(), depth).await {
                Ok(found) => drop(seen.insert(position, found)),
                Err(error) => silent.note(position, store.as_ref(), error)?,
            }
        }
        self.drop_explained(&history, &mut seen).await?;
        let (unfinished, publishing) = self.still_open(&history, &open).await?;
        // They hold nothing, so they may be left out where it is reported what no target holds.
        let gone = silent.take_gone();
        let lost = match silent.is_empty() {
            true => wrong_everywhere(&seen),
            false => HashSet::new(),
        };
        let tables = live.files.values().filter(|(_, file)| !is_hidden(&file.file.key));
        let mut audit = Audit {
            version: history.tip,
            files: live.files.len(),
            rows: tables.map(|(_, file)| file.file.rows).sum(),
            bytes: live.files.values().map(|(_, file)| file.file.bytes).sum(),
            unfinished,
            publishing,
            outdated: seen.get(&0).map_or(0, |home| home.outdated),
            given_up: history.given_up.clone(),
            damages: gone.into_iter().map(|url| without_bucket(url, &history)).collect(),
            strangers: Vec::new(),
            unseen: silent.into_list(),
        };
        for (position, seen) in seen {
            let url = &self.stores()[position].describe().url;
            for (key, version, (kind, what)) in seen.wrong {
                let lost = kind.is_of_bytes() && lost.contains(&key);
                audit.damages.push(Damage { url: format!("{url}{key}"), version, kind, what, lost });
            }
            audit.strangers.extend(seen.strange.iter().map(|key| Stranger {
                url: format!("{url}{key}"),
                attempt: attempt_of(key).map(str::to_owned),
            }));
        }
        Ok(audit)
    }

    /// Which of the versions that were not announced are not so even now, and which of these a run is
    /// publishing: its own, or a later one, which finishes all before its own.
    async fn still_open(&self, history: &History, open: &[Committed]) -> Result<(Vec<u64>, Vec<u64>)> {
        let mut at_work = 0;
        for committed in open {
            if self.is_at_work(&committed.commit.attempt).await? {
                at_work = committed.version;
            }
        }
        // After the leases: a run that has ended may have announced it before.
        let unfinished = match open {
            [] => Vec::new(),
            _ => self.unfinished(history).await?,
        };
        let publishing = unfinished.iter().copied().filter(|version| *version <= at_work).collect();
        Ok((unfinished, publishing))
    }

    /// Leaves out what is as it should be by versions that were decided since the log was read:
    /// they add files, remove them, and announce themselves, and the log knows before any of that.
    async fn drop_explained(&self, history: &History, seen: &mut BTreeMap<usize, Seen>) -> Result<()> {
        if seen.values().all(|seen| seen.wrong.is_empty() && seen.strange.is_empty()) {
            return Ok(());
        }
        let mut now = history.clone();
        self.catch_up(&mut now).await?;
        let mut later: Vec<Changes> = Vec::new();
        for committed in now.commits_after(history.tip) {
            later.push(self.changes(&committed.commit).await?);
        }
        if later.is_empty() {
            return Ok(());
        }
        let removed: HashSet<&String> = later
            .iter()
            .flat_map(|changes| changes.deletes.iter().flatten().chain(&changes.retires))
            .collect();
        let added: HashSet<&String> =
            later.iter().flat_map(Changes::all_files).map(|file| &file.file.key).collect();
        for (position, seen) in seen {
            seen.strange.retain(|key| !added.contains(key) && !removed.contains(key));
            seen.wrong.retain(|(key, ..)| !removed.contains(key));
            if seen.wrong.iter().any(|(key, ..)| key == SUCCESS_KEY) {
                let marker = table::read::<Manifest>(self.stores()[*position].as_ref(), SUCCESS_KEY).await;
                let is_later = |marker: Manifest| later.iter().any(|later| later.attempt == marker.attempt);
                if marker.is_ok_and(|marker| marker.is_some_and(is_later)) {
                    seen.wrong.retain(|(key, ..)| key != SUCCESS_KEY);
                }
            }
        }
        Ok(())
    }
}

/// Of a target that holds nothing.
fn without_bucket(url: String, history: &History) -> Damage {
    let version = history.commits.last().map_or(0, |newest| newest.version);
    Damage { url, version, kind: Fault::Bucket, what: "its bucket does not exist".into(), lost: false }
}

/// Keys of files that no target holds as they were written.
fn wrong_everywhere(seen: &BTreeMap<usize, Seen>) -> HashSet<String> {
    let mut count: BTreeMap<&String, usize> = BTreeMap::new();
    for (key, ..) in seen.values().flat_map(|seen| &seen.wrong).filter(|(.., (kind, _))| kind.is_of_bytes()) {
        *count.entry(key).or_default() += 1;
    }
    count.into_iter().filter(|(_, n)| *n == seen.len()).map(|(key, _)| key.clone()).collect()
}

async fn look_at(
    store: &dyn Store,
    history: &History,
    expected: &Expected<'_>,
    live: &LiveFiles,
    is_finished: bool,
    depth: Depth,
) -> Result<Seen> {
    let mut seen = Seen::default();
    let mut files = futures::stream::iter(live.files.values())
        .map(async |(version, staged)| {
            let found = examine(store, *version, staged, expected, depth).await?;
            Ok::<_, crate::Error>((&staged.file.key, *version, found))
        })
        .buffered(CONCURRENCY);
    while let Some((key, version, found)) = files.try_next().await? {
        match found {
            Ok(is_outdated) => seen.outdated += usize::from(is_outdated),
            Err(finding) => seen.wrong.push((key.clone(), version, finding)),
        }
    }
    look_at_documents(store, history, is_finished, &mut seen).await?;
    if is_finished {
        let visible = store.list("", usize::MAX).await?;
        let known = |key: &String| live.files.contains_key(key) || live.retired.contains_key(key);
        seen.strange = visible.into_iter().filter(|key| !known(key)).collect();
    }
    Ok(seen)
}

/// The newest version's words.
async fn look_at_documents(
    store: &dyn Store,
    history: &History,
    is_finished: bool,
    seen: &mut Seen,
) -> Result<()> {
    let Some(newest) = history.commits.last() else { return Ok(()) };
    let commit = &newest.commit;
    let mut wrong = |key: &str, what: String| {
        seen.wrong.push((key.to_owned(), newest.version, (Fault::Document, what)));
    };
    let changes = changes_key(&commit.attempt, &commit.changes_sha256);
    for key in [applied_key(newest.version), success_key(newest.version), changes] {
        if store.head(&key).await?.is_none() {
            wrong(&key, "it is missing".into());
        }
    }
    match table::read::<Manifest>(store, SUCCESS_KEY).await {
        Ok(Some(marker)) if marker.attempt == commit.attempt => {}
        // A version that is being published now.
        Ok(Some(_)) if !is_finished => {}
        Ok(Some(marker)) => wrong(SUCCESS_KEY, format!("it refers to version {}", marker.version)),
        Ok(None) => wrong(SUCCESS_KEY, "it is missing".into()),
        Err(error) if matches!(error.kind(), ErrorKind::Damage { .. }) => {
            wrong(SUCCESS_KEY, "it cannot be read".into());
        }
        Err(error) => return Err(error),
    }
    Ok(())
}
