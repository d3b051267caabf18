//! Targets that do not answer or refuse to, for commands that go on with the others.
//!
//! What only looks, or removes what is no longer needed, can tell of one region while
//! another is away. Home is another matter: what the table is, its log says.

use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::store::Store;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A target of which nothing is known, as it did not answer or refused to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unseen {
    /// URL of the target.
    pub url: String,
    /// What it said instead of an answer.
    pub error: String,
    /// Class of that.
    pub reason: StoreReason,
    /// What its error says to do.
    #[serde(skip)]
    remedy: Option<String>,
    /// Whether it failed only when something was to be removed there.
    #[serde(skip)]
    was_seen: bool,
}

impl std::fmt::Display for Unseen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Unseen { url, error, .. } = self;
        match self.was_seen {
            true => write!(f, "{url} was not cleaned up completely: {error}"),
            false => write!(f, "{url} could not be checked: {error}"),
        }
    }
}

impl Unseen {
    fn of(store: &dyn Store, error: Error, was_seen: bool) -> Result<Unseen> {
        let ErrorKind::Target(failure) = error.kind() else { return Err(error) };
        let (url, reason) = (store.describe().url.clone(), failure.reason);
        let remedy = error.what_to_do().map(str::to_owned);
        Ok(Unseen { url, error: error.to_string(), reason, remedy, was_seen })
    }

    /// The error of a command that did all but this.
    pub fn failure(&self) -> Error {
        if self.reason == StoreReason::NoBucket {
            return Error::new(ErrorKind::Damage { message: self.error.clone() }).remedy(format!(
                "{}; what is reported about the other targets is valid",
                create_again(&self.url)
            ));
        }
        let failure = Error::new(ErrorKind::Target(StoreFailure::new(
            if self.was_seen { "clean up" } else { "look at" },
            self.url.clone(),
            self.reason,
            self.error.clone(),
        )));
        match (&self.remedy, self.is_silent()) {
            (Some(remedy), false) => failure.remedy(format!(
                "{remedy}; then run the same command again. What is reported about the other targets is valid"
            )),
            _ => failure.remedy(
                "what is reported about the other targets is valid; once `sawmill check` says \"ok\" for this one, run the same \
                 command again",
            ),
        }
    }

    /// Whether it gave no answer that says anything, rather than a refusal.
    pub fn is_silent(&self) -> bool {
        !matches!(self.reason, StoreReason::Denied | StoreReason::NoCredentials | StoreReason::NoBucket)
    }
}

/// What to do about a target whose bucket is gone.
pub fn create_again(url: &str) -> String {
    format!(
        "if the bucket of {url} was deleted, create it again, then `sawmill catchup` with the same job copies \
         everything there; or correct `url`, or take the target out of `targets`"
    )
}

/// The targets that did not answer so far, by position.
#[derive(Debug, Default)]
pub(super) struct Silent {
    unseen: BTreeMap<usize, Unseen>,
    /// Those that answered, and failed when something was to be removed there.
    failing: BTreeMap<usize, Unseen>,
}

impl Silent {
    /// Notes that a target did not answer, and is to be asked no more.
    ///
    /// # Errors
    /// The error itself, if it is of the home target, or is not about a target's answer.
    pub(super) fn note(&mut self, position: usize, store: &dyn Store, error: Error) -> Result<()> {
        if position == 0 {
            return Err(error);
        }
        self.unseen.entry(position).or_insert(Unseen::of(store, error, false)?);
        Ok(())
    }

    /// Notes that a target, which may be home, failed when something was to be removed there. It is
    /// asked to remove nothing more.
    ///
    /// # Errors
    /// The error itself, if it is not about a target's answer.
    pub(super) fn note_removal(&mut self, position: usize, store: &dyn Store, error: Error) -> Result<()> {
        self.failing.entry(position).or_insert(Unseen::of(store, error, true)?);
        Ok(())
    }

    /// Whether something may be removed from a target.
    pub(super) fn allows_removal(&self, position: usize) -> bool {
        !self.holds(position) && !self.failing.contains_key(&position)
    }

    /// What a target answers; `None` if it did not, now or before.
    ///
    /// # Errors
    /// As [`Silent::note`].
    pub(super) async fn ask<T>(
        &mut self,
        position: usize,
        store: &dyn Store,
        question: impl Future<Output = Result<T>>,
    ) -> Result<Option<T>> {
        if self.holds(position) {
            return Ok(None);
        }
        match question.await {
            Ok(answer) => Ok(Some(answer)),
            Err(error) => self.note(position, store, error).map(|()| None),
        }
    }

    pub(super) fn holds(&self, position: usize) -> bool {
        self.unseen.contains_key(&position)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.unseen.is_empty()
    }

    /// Takes out the targets that said that they hold nothing, as there is no bucket. URLs.
    pub(super) fn take_gone(&mut self) -> Vec<String> {
        let gone = self.unseen.extract_if(.., |_, unseen| unseen.reason == StoreReason::NoBucket);
        gone.map(|(_, unseen)| unseen.url).collect()
    }

    /// In the job's order.
    pub(super) fn into_list(self) -> Vec<Unseen> {
        let Silent { mut unseen, failing } = self;
        for (position, failed) in failing {
            unseen.entry(position).or_insert(failed);
        }
        unseen.into_values().collect()
    }
}

/// An error of the target that holds the log, with what that means for who reads it.
pub(super) fn of_home(error: Error, home: &dyn Store) -> Error {
    if !matches!(error.kind(), ErrorKind::Target(_)) {
        return error;
    }
    let first = format!(
        "{} is the first target, whose log says what the table is: nothing can be reported or done without it",
        home.describe().url
    );
    let remedy = match error.what_to_do() {
        Some(remedy) => format!("{remedy}; {first}"),
        None => format!("{first}; once `sawmill check` says \"ok\" for it, run the same command again"),
    };
    error.remedy(remedy)
}

/// The same for whoever compares the targets with the log: that the bucket is gone is damage.
pub(super) fn of_lost_home(error: Error, others: &[Arc<dyn Store>]) -> Error {
    let is_gone =
        matches!(error.kind(), ErrorKind::Target(failure) if failure.reason == StoreReason::NoBucket);
    if !is_gone {
        return error;
    }
    let remedy = match others.first() {
        Some(other) => format!(
            "check `targets[0].url`; if the bucket was deleted, the log is gone with it: `sawmill promote` with the \
             same job and `--home {}` makes another target home, see docs/home-lost.md",
            other.describe().url
        ),
        None => "check `targets[0].url`; if the bucket was deleted, the table is gone with it, as it has no other \
                 target"
            .to_owned(),
    };
    Error::new(ErrorKind::Damage { message: error.to_string() }).remedy(remedy)
}
