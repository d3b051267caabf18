//! The table as the commit sees it: its targets, and documents in them.

use super::History;
use super::open_copies::OpenCopies;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::{Cancel, Runtime};
use crate::spec::{CommitSpec, ConditionalWrites, JobSpec};
use crate::store::{StagingStore, Store, TargetIdentity, WriteOutcome};
use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Requests to one target at once.
pub(super) const CONCURRENCY: usize = 16;

/// The targets of a job, the first of which, *home*, holds the log.
#[derive(Debug, Clone)]
pub struct Table {
    stores: Vec<Arc<dyn Store>>,
    /// Positions of targets that do not answer and are to catch up later.
    absent: BTreeSet<usize>,
    pub(super) settings: CommitSpec,
    /// Asks the run to stop, and knows how much time its clean-up has.
    pub(super) cancel: Cancel,
    /// Copies that this table and its clones have begun.
    pub(super) copies: OpenCopies,
    #[cfg(test)]
    pub(super) simulated: Simulated,
}

/// What tests change of the protocol.
#[cfg(test)]
#[derive(Debug, Clone, Default)]
pub(super) struct Simulated {
    /// Seconds that stand for the time of day.
    pub(super) clock: Option<Arc<std::sync::atomic::AtomicI64>>,
    /// A step that is left out, to show that the tests would miss it.
    pub(super) broken: Option<Broken>,
}

/// Steps of the protocol that are left out, one at a time, under test.
#[cfg(test)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// Uploads of a dead attempt are aborted without a fence in the log.
    Fence,
    /// Entries of the log are put without a condition.
    Condition,
    /// A version is published whether or not every target could apply it.
    Gate,
    /// Inputs that another run has read meanwhile are read again.
    Inputs,
    /// Files are added whatever types another run has given the table meanwhile.
    Columns,
    /// There is no check whether another target has become home.
    Epoch,
}

impl Table {
    /// The table that a job writes; `stores` are its targets, in its order.
    pub fn new(stores: Vec<Arc<dyn Store>>, settings: CommitSpec) -> Table {
        Table {
            stores,
            absent: BTreeSet::new(),
            settings,
            cancel: Cancel::default(),
            copies: OpenCopies::default(),
            #[cfg(test)]
            simulated: Simulated::default(),
        }
    }

    /// Opens the targets of a job. Writes nothing.
    ///
    /// # Errors
    /// As [`crate::store::open_target`].
    pub async fn open(job: &JobSpec) -> Result<Table> {
        let mut stores = Vec::with_capacity(job.targets.len());
        for (position, target) in job.targets.iter().enumerate() {
            stores.push(crate::store::open_target(target, &job.engine, position).await?);
        }
        Ok(Table::new(stores, job.commit.clone()))
    }

    /// Opens the targets of a job for work that stops when it is asked to, reads the
    /// log, and checks the targets against it. Writes nothing.
    ///
    /// # Errors
    /// As [`Table::open`] and [`Table::check_places`].
    pub fn opened(job: &JobSpec, runtime: &Runtime) -> Result<(Table, History)> {
        let table = runtime.wait(Table::open(job))?.stopped_by(runtime.cancel());
        let history = runtime.wait(table.checked_history())?;
        Ok((table, history))
    }

    /// The log, after the targets were checked against it.
    pub(crate) async fn checked_history(&self) -> Result<History> {
        let mut history = self.history().await?;
        self.check_places(&mut history).await?;
        Ok(history)
    }

    /// The same table for a run that stops when it is asked to.
    #[must_use]
    pub fn stopped_by(self, cancel: &Cancel) -> Table {
        Table { cancel: cancel.clone(), ..self }
    }

    /// All targets, home first.
    pub fn stores(&self) -> &[Arc<dyn Store>] {
        &self.stores
    }

    /// URL and region of each target, home first.
    pub fn identities(&self) -> Vec<TargetIdentity> {
        self.stores.iter().map(|store| store.describe().clone()).collect()
    }

    /// Positions and stores of the targets that are there.
    pub(super) fn present(&self) -> impl Iterator<Item = (usize, &Arc<dyn Store>)> {
        self.stores.iter().enumerate().filter(|(position, _)| !self.absent.contains(position))
    }

    /// The targets that are there, in their order, for who stages files.
    pub fn staging_stores(&self) -> Vec<Arc<dyn StagingStore>> {
        self.present().map(|(_, store)| Arc::clone(store) as _).collect()
    }

    /// The same table with these targets, in this order.
    pub(super) fn of(&self, positions: &[usize]) -> Table {
        let stores = positions.iter().map(|position| Arc::clone(&self.stores[*position])).collect();
        Table { stores, absent: BTreeSet::new(), ..self.clone() }
    }

    /// The same table for a run that goes on without some targets.
    pub(super) fn without(&self, absent: BTreeSet<usize>) -> Table {
        Table { absent, ..self.clone() }
    }

    /// Positions of the targets that a run goes on without.
    pub fn absent(&self) -> &BTreeSet<usize> {
        &self.absent
    }

    /// The target that holds the log.
    pub fn home(&self) -> &dyn Store {
        self.stores[0].as_ref()
    }

    /// Seconds since 1970, by this machine's clock.
    pub(super) fn now(&self) -> i64 {
        #[cfg(test)]
        if let Some(clock) = &self.simulated.clock {
            return clock.load(std::sync::atomic::Ordering::SeqCst);
        }
        chrono::Utc::now().timestamp()
    }

    /// The same, as documents have it.
    pub(super) fn time(&self) -> String {
        rfc3339(self.now())
    }

    pub(super) fn lease(&self) -> Duration {
        Duration::from_secs(self.settings.lease_seconds)
    }

    #[cfg(test)]
    pub(super) fn is_broken(&self, broken: Broken) -> bool {
        self.simulated.broken == Some(broken)
    }

    /// Creates a document of the log's kind: one that others may create, too.
    pub(super) async fn create(&self, key: &str, body: Bytes) -> Result<WriteOutcome> {
        #[cfg(test)]
        if self.is_broken(Broken::Condition) && key.starts_with(&super::documents::log_directory(1)) {
            return self.home().put(key, body).await.map(|()| WriteOutcome::Created);
        }
        if self.settings.conditional_writes == ConditionalWrites::NotNeeded {
            // The best there is without a condition.
            return match self.home().head(key).await? {
                Some(_) => Ok(WriteOutcome::AlreadyExists),
                None => self.home().put(key, body).await.map(|()| WriteOutcome::Created),
            };
        }
        self.home().create(key, body).await
    }
}

pub(super) fn rfc3339(seconds: i64) -> String {
    let time = chrono::DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Reads a document, `None` if there is none.
pub(super) async fn read<T: DeserializeOwned>(store: &dyn Store, key: &str) -> Result<Option<T>> {
    match store.get(key).await? {
        Some(document) => parse(store, key, &document.body).map(Some),
        None => Ok(None),
    }
}

pub(super) fn parse<T: DeserializeOwned>(store: &dyn Store, key: &str, body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|e| {
        let message = format!("{}{key} cannot be read: {e}", store.describe().url);
        Error::new(ErrorKind::Damage { message })
            .remedy("another version or another program wrote it; inspect it before you remove it")
    })
}

/// A document as it is written.
pub(super) fn json(document: &impl Serialize) -> Bytes {
    let mut text =
        serde_json::to_vec_pretty(document).expect("our documents have string keys and no failing parts");
    text.push(b'\n');
    text.into()
}
