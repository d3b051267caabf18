//! What is wrong with a document: every mistake at once, each with its key.

use super::KeyPath;
use crate::error::{Error, ErrorKind, JobPlace};
use std::fmt;

/// What parts message and remedy in an error of serde, which is one text.
const HELP: &str = "\nhelp: ";

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The key whose value is wrong; the root for the document as a whole.
    pub key: KeyPath,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
    /// Where, once a document has been asked.
    pub place: Option<Box<JobPlace>>,
}

impl Problem {
    /// This mistake alone as an error; `file` is named where the place is not known.
    pub fn into_error(self, file: &str) -> Error {
        Problems::from(self).into_error(file)
    }

    /// A mistake without remedy.
    pub fn new(key: impl Into<KeyPath>, message: impl Into<String>) -> Self {
        Problem { key: key.into(), message: message.into(), remedy: None, place: None }
    }

    /// The text of an error of serde that [`Problem::of_serde`] makes this mistake of again.
    pub fn for_serde(&self) -> String {
        let help = self.remedy.iter().flat_map(|remedy| [HELP, remedy]);
        std::iter::once(self.message.as_str()).chain(help).collect()
    }

    /// A mistake that serde found in the value at `key`.
    pub(super) fn of_serde(key: KeyPath, text: &str) -> Self {
        match text.rsplit_once(HELP) {
            Some((message, remedy)) => Problem::new(key, message).remedy(remedy),
            None => Problem::new(key, text),
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The same mistake, seen from a document that holds this one at `prefix`.
    #[must_use]
    pub fn under(mut self, prefix: &KeyPath) -> Self {
        self.key = prefix.join(&self.key);
        self
    }
}

/// One or more mistakes, in the order of the document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// `value` if there are no problems.
    pub fn or_ok<T>(self, value: T) -> Result<T, Problems> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }

    /// The same mistakes, seen from a document that holds this one at `prefix`.
    #[must_use]
    pub fn under(self, prefix: &KeyPath) -> Self {
        Problems(self.0.into_iter().map(|problem| problem.under(prefix)).collect())
    }

    /// One error for all: the first gives place and remedy, the others follow
    /// in the message, one a line. `file` is named where a place is not known.
    pub fn into_error(self, file: &str) -> Error {
        let mut problems = self.0.into_iter().map(|problem| {
            let by_key = || JobPlace {
                file: file.into(),
                key: (!problem.key.steps().is_empty()).then(|| problem.key.to_string()),
                ..JobPlace::default()
            };
            let place = problem.place.clone().unwrap_or_else(|| by_key().into());
            Problem { place: Some(place), ..problem }
        });
        let first = problems.next().unwrap_or_else(|| Problem::new(KeyPath::root(), "something is wrong"));
        let mut message = first.message;
        for other in problems {
            message.push_str(&format!("\n{other}"));
        }
        let error = Error::new(ErrorKind::Job { message, place: *first.place.unwrap_or_default() });
        match first.remedy {
            Some(remedy) => error.remedy(remedy),
            None => error,
        }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Problems(vec![problem])
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place}: ")?,
            None if self.key.steps().is_empty() => {}
            None => write!(f, "{}: ", self.key)?,
        }
        f.write_str(&self.message)?;
        match &self.remedy {
            Some(remedy) => write!(f, " ({remedy})"),
            None => Ok(()),
        }
    }
}
