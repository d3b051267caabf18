//! Whether the targets of a job are those of the table's log.
//!
//! Everything rests on the log in the first target. A job whose targets were
//! reordered, or whose first one was moved or emptied, would find an empty log,
//! take what others hold for abandoned, and number versions anew.

use super::documents::{ATTEMPTS, Applied, FIRST_EPOCH, applied_key, intent_key, log_directory, version_of};
use super::epochs::EpochsKnown;
use super::log::History;
use super::table::{self, Table};
use super::unseen::Silent;
use crate::error::{Error, ErrorKind, Result};
use crate::store::Store;

/// Where each target says which versions it holds.
pub(super) const APPLIED: &str = "_sawmill/applied/";

impl Table {
    /// Checks what the other targets say of versions against the log, which is
    /// read again if they know more.
    ///
    /// # Errors
    /// [`ErrorKind::Damage`] if they know of versions that the log has not, or of another home,
    /// or nothing of the epoch.
    pub async fn check_places(&self, history: &mut History) -> Result<()> {
        if let Some(outside) = self.targets_outside(history).await?.first() {
            let url = &self.stores()[*outside].describe().url;
            let message = format!("{url} is not a target of this table since its home has changed");
            return Err(Error::new(ErrorKind::Damage { message }).remedy(
                "`sawmill catchup` with the same job copies to it what it lacks; or take it out of `targets` (--output)",
            ));
        }
        self.check_versions(history).await
    }

    /// The same of the targets that answer, for commands that only look: a target may be one that is to
    /// catch up since home has changed. Gives the others.
    pub(super) async fn check_seen_places(&self, history: &mut History) -> Result<Silent> {
        let mut silent = Silent::default();
        for (position, store) in self.stores().iter().enumerate() {
            silent.ask(position, store.as_ref(), self.is_outside(position, store.as_ref(), history)).await?;
        }
        for (position, store) in self.stores().iter().enumerate() {
            silent.ask(position, store.as_ref(), self.check_versions_of(store.as_ref(), history)).await?;
        }
        Ok(silent)
    }

    /// The same, but for the versions. Gives the positions of targets that know nothing of the epoch.
    pub(super) async fn targets_outside(&self, history: &History) -> Result<Vec<usize>> {
        let mut outside = Vec::new();
        for (position, store) in self.present() {
            if self.is_outside(position, store.as_ref(), history).await? {
                outside.push(position);
            }
        }
        Ok(outside)
    }

    async fn is_outside(&self, position: usize, store: &dyn Store, history: &History) -> Result<bool> {
        if position == 0 {
            return Ok(false);
        }
        let epochs = EpochsKnown::to(store).await?;
        if epochs.newest > history.epoch {
            return Err(self.replaced(store, epochs.newest).await);
        }
        // Of earlier epochs it may well hold the log.
        if !store.list_documents(&log_directory(history.epoch), "").await?.is_empty() {
            let message =
                format!("{} holds a log: it is the first target of its table", store.describe().url);
            return Err(Error::new(ErrorKind::Damage { message })
                .remedy("put it first in `targets` (--output), as it was; nothing was changed"));
        }
        Ok(history.epoch > FIRST_EPOCH && !epochs.started.contains(&history.epoch))
    }

    /// What targets say of versions, against the log.
    pub(super) async fn check_versions(&self, history: &mut History) -> Result<()> {
        for (_, store) in self.present() {
            self.check_versions_of(store.as_ref(), history).await?;
        }
        Ok(())
    }

    async fn check_versions_of(&self, store: &dyn Store, history: &mut History) -> Result<()> {
        let newest =
            newest_of(&store.list_documents(APPLIED, &applied_key(history.tip)).await?).unwrap_or_default();
        if newest > history.tip {
            // Another run may have decided it since the log was read.
            self.catch_up(history).await?;
        }
        match newest > history.tip {
            true => Err(self.unknown_version(store, newest, history.tip)),
            false => Ok(()),
        }
    }

    /// Whether every target holds the newest version, which somebody has just
    /// recovered, so that another can follow.
    ///
    /// # Errors
    /// [`ErrorKind::Damage`] for a target that has to catch up first.
    pub async fn check_complete(&self, history: &History) -> Result<()> {
        let Some(newest) = history.commits.last() else { return Ok(()) };
        for (_, store) in self.present() {
            if !self.is_applied(store.as_ref(), newest.version, &newest.commit.attempt).await? {
                let url = &store.describe().url;
                let message = format!("{url} does not hold version {} of the table", newest.version);
                return Err(Error::new(ErrorKind::Damage { message }).remedy(
                    "if it is new, or was emptied: `sawmill catchup` with the same job, then run again",
                ));
            }
        }
        Ok(())
    }

    /// Whether a target says that it holds a version.
    ///
    /// # Errors
    /// [`ErrorKind::Damage`] if it holds a version of this number of another log.
    pub(super) async fn is_applied(&self, store: &dyn Store, version: u64, attempt: &str) -> Result<bool> {
        match table::read::<Applied>(store, &applied_key(version)).await? {
            None => Ok(false),
            Some(applied) if applied.attempt == attempt => Ok(true),
            Some(applied) => {
                let (url, home) = (&store.describe().url, &self.home().describe().url);
                let message = format!(
                    "{url} holds version {version} of attempt {}, but according to the log in {home} it is of attempt {attempt}",
                    applied.attempt
                );
                Err(Error::new(ErrorKind::Damage { message }).remedy(
                    "two tables share this target, or the log was lost: give each table places of its own",
                ))
            }
        }
    }

    /// Whether an attempt is of another log: home does not know it, and another target does.
    pub(super) async fn check_home_knows(&self, attempt: &str) -> Result<()> {
        if self.home().head(&intent_key(attempt)).await?.is_some() {
            return Ok(());
        }
        let documents = format!("{ATTEMPTS}{attempt}/");
        if !self.home().list_documents(&documents, "").await?.is_empty() {
            return Ok(());
        }
        for store in &self.stores()[1..] {
            if !store.list_documents(&documents, "").await?.is_empty() {
                let (url, home) = (&store.describe().url, &self.home().describe().url);
                let message = format!("{url} has documents of attempt {attempt} that {home} does not know");
                return Err(Error::new(ErrorKind::Damage { message }).remedy(
                    "the first of `targets` (--output) must be the one that holds the log; nothing was changed",
                ));
            }
        }
        Ok(())
    }

    fn unknown_version(&self, store: &dyn Store, version: u64, tip: u64) -> Error {
        let (url, home) = (&store.describe().url, &self.home().describe().url);
        let message = format!("{url} holds version {version}, but the log in {home} ends with version {tip}");
        Error::new(ErrorKind::Damage { message }).remedy(
            "put the target that holds `_sawmill/log/` first in `targets` (--output), or restore the log; if it is lost, \
             `sawmill promote` makes another target home; nothing was changed",
        )
    }
}

fn newest_of(keys: &[String]) -> Option<u64> {
    keys.iter().filter_map(|key| version_of(key)).max()
}
