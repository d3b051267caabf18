//! Targets that do not answer, for commands that go on with the others.
//!
//! What only looks, or removes what nobody needs, can tell of one region while
//! another is away. Home is another matter: what the table is, its log says.

use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::store::Store;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// A target of which nothing is known, as it did not answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Unseen {
    /// URL of the target.
    pub url: String,
    /// What it said instead of an answer.
    pub error: String,
    #[serde(skip)]
    reason: StoreReason,
}

impl Unseen {
    /// The error of a command that did all but this.
    pub fn failure(&self) -> Error {
        Error::new(ErrorKind::Target(StoreFailure {
            operation: "look at".into(),
            url: self.url.clone(),
            region: None,
            attempts: None,
            elapsed: None,
            reason: self.reason,
            detail: self.error.clone(),
        }))
        .remedy(
            "what is said of the other targets holds; once `sawmill check` says \"ok\" of this one, run the same \
             command again",
        )
    }
}

/// The targets that did not answer so far, by position.
#[derive(Debug, Default)]
pub(super) struct Silent(BTreeMap<usize, Unseen>);

impl Silent {
    /// Notes that a target did not answer, and is to be asked no more.
    ///
    /// # Errors
    /// The error itself, if it is of the home target, or is not about a target's answer.
    pub(super) fn note(&mut self, position: usize, store: &dyn Store, error: Error) -> Result<()> {
        let ErrorKind::Target(failure) = error.kind() else { return Err(error) };
        if position == 0 {
            return Err(error);
        }
        let reason = failure.reason;
        let unseen = Unseen { url: store.describe().url.clone(), error: error.to_string(), reason };
        self.0.entry(position).or_insert(unseen);
        Ok(())
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
        self.0.contains_key(&position)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the job's order.
    pub(super) fn into_list(self) -> Vec<Unseen> {
        self.0.into_values().collect()
    }
}

/// An error of the target that holds the log, with what that means for who reads it.
pub(super) fn of_home(error: Error, home: &dyn Store) -> Error {
    if !matches!(error.kind(), ErrorKind::Target(_)) {
        return error;
    }
    let first = format!(
        "{} is the first target, whose log says what the table is: nothing can be told or done without it",
        home.describe().url
    );
    let remedy = match error.what_to_do() {
        Some(remedy) => format!("{remedy}; {first}"),
        None => format!("{first}; once `sawmill check` says \"ok\" of it, run the same command again"),
    };
    error.remedy(remedy)
}
