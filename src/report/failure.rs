//! What `--json` prints of a command that failed.

use crate::error::{Aftermath, Error, ErrorKind, JobPlace, Location, StoreFailure, StoreReason, Wording};
use schemars::JsonSchema;
use serde::Serialize;

/// What `--json` prints on standard output in place of the command's own document when a
/// command fails before it has one.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct FailureReport {
    /// What happened to the work.
    pub status: FailureStatus,
    /// With the status `decided`: the version of the table.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// A version that an earlier run had decided, and that this command could not finish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfinished: Option<u64>,
    /// What went wrong.
    pub error: ErrorReport,
}

/// How a command failed, beside the words of a run that did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FailureStatus {
    /// Of `run`, `convert` and `commit`: nothing of this run is visible in any target, or will be. Of the
    /// other commands: they stopped, and may be repeated.
    Failed,
    /// The run is part of the table, as `version`, and its data is safe; it is not visible and announced in
    /// every target yet. The same job again, or `sawmill recover`, finishes it.
    Decided,
    /// Whether the run is part of the table is not known. The same job again, or `sawmill recover`, finds out.
    Unknown,
    /// Of `convert` to single files, which have no log: some targets may hold the file and others not.
    PartlyVisible,
}

/// An error, for machines.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ErrorReport {
    /// Its class: usage, job, input, source, changed, target, accounting, compute, encode, scratch, preflight, conflict, damage or
    /// interrupted.
    pub kind: String,
    /// Exit code of the process.
    pub exit_code: u8,
    /// What is wrong and where, as on standard error.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The rule that a record or a file breaks, as one stable word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where in the data of an input.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Where in a job file, schema file or document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job_file: Option<JobPlace>,
    /// The request to a source or target that failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreReport>,
}

/// A request that failed for good.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct StoreReport {
    /// What was attempted, such as `list` or `upload part 3 of`.
    pub operation: String,
    /// URL of the object or bucket.
    pub url: String,
    /// Region of the target, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How often it was tried, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<u32>,
    /// Time from the first try to the last answer, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elapsed_seconds: Option<f64>,
    /// Class of the answer.
    pub reason: StoreReason,
}

/// A document that a command prints although it fails: what it found, and why that is a failure.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "{T}Report")]
pub struct WithError<T> {
    /// What was found.
    #[serde(flatten)]
    pub document: T,
    /// Why the exit code is not 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ErrorReport>,
}

impl<T> WithError<T> {
    /// A document, and the error with which its command ends.
    pub fn new(document: T, error: Option<&Error>, wording: &Wording) -> Self {
        WithError { document, error: error.map(|error| ErrorReport::from(error).worded(wording)) }
    }
}

impl From<&Error> for FailureReport {
    fn from(error: &Error) -> Self {
        let (status, version, unfinished) = match error.aftermath() {
            None | Some(Aftermath::Replaced) => (FailureStatus::Failed, None, None),
            Some(Aftermath::Decided(version)) => (FailureStatus::Decided, Some(version), None),
            Some(Aftermath::Unknown) => (FailureStatus::Unknown, None, None),
            Some(Aftermath::PartlyVisible) => (FailureStatus::PartlyVisible, None, None),
            Some(Aftermath::Unfinished(version)) => (FailureStatus::Failed, None, Some(version)),
        };
        FailureReport { status, version, unfinished, error: error.into() }
    }
}

impl From<&Error> for ErrorReport {
    fn from(error: &Error) -> Self {
        let (mut rule, mut job_file, mut store) = (None, None, None);
        match error.kind() {
            ErrorKind::Input(problem) => rule = Some(problem.rule().to_owned()),
            ErrorKind::Preflight { rule: broken, .. } => rule = Some((*broken).to_owned()),
            ErrorKind::Job { place, .. } => job_file = Some(place.clone()),
            ErrorKind::Source(failure) | ErrorKind::Target(failure) => store = Some(failure.into()),
            _ => {}
        }
        ErrorReport {
            kind: error.kind().name().to_owned(),
            exit_code: error.kind().exit_code(),
            message: error.to_string(),
            remedy: error.what_to_do().map(str::to_owned),
            rule,
            location: error.location().cloned(),
            job_file,
            store,
        }
    }
}

impl ErrorReport {
    /// With one name for each setting.
    #[must_use]
    pub fn worded(self, wording: &Wording) -> Self {
        ErrorReport {
            message: wording.shown(&self.message),
            remedy: self.remedy.map(|remedy| wording.shown(&remedy)),
            ..self
        }
    }
}

impl From<&StoreFailure> for StoreReport {
    fn from(failure: &StoreFailure) -> Self {
        StoreReport {
            operation: failure.operation.clone(),
            url: failure.url.clone(),
            region: failure.region.clone(),
            attempts: failure.attempts,
            elapsed_seconds: failure.elapsed.map(|elapsed| elapsed.as_secs_f64()),
            reason: failure.reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever reads only the status must not run a job again under another name, or drop its inputs.
    #[test]
    fn what_is_decided_is_told_from_what_is_not() {
        let error = || Error::usage("x");
        let told = |error: Error| {
            let report = FailureReport::from(&error);
            (report.status, report.version, report.unfinished)
        };
        assert_eq!(told(error()), (FailureStatus::Failed, None, None));
        assert_eq!(told(error().leaving(Aftermath::Decided(7))), (FailureStatus::Decided, Some(7), None));
        assert_eq!(told(error().leaving(Aftermath::Unfinished(7))), (FailureStatus::Failed, None, Some(7)));
        assert_eq!(told(error().leaving(Aftermath::Unknown)), (FailureStatus::Unknown, None, None));
        let settled = error().leaving(Aftermath::Unknown).leaving_nothing();
        assert_eq!(told(settled), (FailureStatus::Failed, None, None));
    }
}
