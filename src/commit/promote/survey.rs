//! The targets of a job → those that answer and hold something of the table.

use crate::commit::documents::{ATTEMPTS, Epoch, FIRST_EPOCH, copies_directory, epoch_key, log_directory};
use crate::commit::epochs::EpochsKnown;
use crate::commit::places::APPLIED;
use crate::commit::table::{self, Table};
use crate::error::{Error, ErrorKind, Result};
use schemars::JsonSchema;
use serde::Serialize;

/// A target that a promotion passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unread {
    /// URL of the target.
    pub url: String,
    /// Why.
    pub why: String,
}

/// A target that answers and holds something of the table.
pub(super) struct Place {
    pub(super) position: usize,
    pub(super) known: EpochsKnown,
    /// Of the newest epoch that it knows, if that is not the first.
    pub(super) newest: Option<Epoch>,
    /// Whether it holds the log of the newest epoch that it knows.
    pub(super) has_log: bool,
}

/// All that can be seen.
pub(super) struct Survey {
    /// The new home first.
    pub(super) places: Vec<Place>,
    pub(super) unread: Vec<Unread>,
}

impl Survey {
    pub(super) fn newest(&self) -> u64 {
        self.places.iter().map(|place| place.known.newest).max().unwrap_or(FIRST_EPOCH)
    }

    /// Who holds the log of an epoch, of those that can be seen.
    pub(super) fn home_of(&self, epoch: u64) -> Option<&Place> {
        self.places.iter().find(|place| place.known.newest == epoch && place.has_log)
    }

    pub(super) fn newest_document(&self) -> Option<&Epoch> {
        let newest = self.newest();
        self.places
            .iter()
            .filter(|place| place.known.newest == newest)
            .find_map(|place| place.newest.as_ref())
    }

    /// The newest epoch of which the beginning of the log is known, before `epoch`.
    pub(super) fn known_before(&self, epoch: u64) -> u64 {
        let started = self.places.iter().flat_map(|place| place.known.started.iter().copied());
        started.filter(|started| *started < epoch).max().unwrap_or(FIRST_EPOCH)
    }
}

impl Table {
    /// Looks at all targets; at the one that is to become home first.
    pub(super) async fn survey(&self, home: usize) -> Result<Survey> {
        let mut survey = Survey { places: vec![self.place(home).await?], unread: Vec::new() };
        for position in (0..self.stores().len()).filter(|position| *position != home) {
            let url = self.stores()[position].describe().url.clone();
            match self.place(position).await {
                Ok(place) if place.has_log || place.newest.is_some() => survey.places.push(place),
                Ok(place) => match self.holds_nothing(position).await {
                    Ok(true) => {
                        survey.unread.push(Unread { url, why: "it holds no data of the table".into() })
                    }
                    Ok(false) => survey.places.push(place),
                    Err(error) => survey.unread.push(Unread { url, why: error.to_string() }),
                },
                Err(error) => survey.unread.push(Unread { url, why: error.to_string() }),
            }
        }
        if !survey.places[0].has_log && survey.places[0].newest.is_none() && self.holds_nothing(home).await? {
            let message = format!("{} holds no data of the table", self.stores()[home].describe().url);
            return Err(Error::new(ErrorKind::Damage { message })
                .remedy("name a target that does, or bring it up to date with `sawmill catchup` first"));
        }
        Ok(survey)
    }

    async fn place(&self, position: usize) -> Result<Place> {
        let store = self.stores()[position].as_ref();
        let known = EpochsKnown::to(store).await?;
        let newest = match known.newest {
            FIRST_EPOCH => None,
            later => table::read::<Epoch>(store, &epoch_key(later)).await?,
        };
        let has_log = match &newest {
            None => !store.list_documents(&log_directory(FIRST_EPOCH), "").await?.is_empty(),
            Some(epoch) => epoch.here && known.started.contains(&epoch.epoch),
        };
        Ok(Place { position, known, newest, has_log })
    }

    async fn holds_nothing(&self, position: usize) -> Result<bool> {
        let store = self.stores()[position].as_ref();
        let copies = copies_directory(FIRST_EPOCH);
        for directory in [APPLIED, &copies, ATTEMPTS] {
            if !store.list_documents(directory, "").await?.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// URL of the home that is to be replaced.
    pub(super) fn old_home(&self, survey: &Survey) -> Option<String> {
        if let Some(place) = survey.home_of(survey.newest()) {
            return Some(self.stores()[place.position].describe().url.clone());
        }
        match survey.newest_document() {
            Some(document) => Some(document.home.clone()),
            // The job's first target, unless that was replaced in the job already.
            None => survey.unread.first().map(|unread| unread.url.clone()),
        }
    }
}
