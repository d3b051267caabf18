//! What went wrong, where, and what to do about it.

use crate::error::excerpt::excerpt;
use crate::error::{Aftermath, InputProblem};
use std::fmt;
use std::time::Duration;

/// Shorthand for results of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, where, and what to do about it.
pub struct Error(pub(super) Box<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    kind: ErrorKind,
    location: Option<Location>,
    remedy: Option<String>,
    pub(super) aftermath: Option<Aftermath>,
}

/// The classes of failure, with an exit code for what a caller can tell apart, see
/// [`ErrorKind::exit_code`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A flag or a combination of flags that cannot work.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
    },
    /// The job file, a schema file or a document handed from one verb to the
    /// next is wrong.
    #[error("{place}: {message}")]
    Job {
        /// What is wrong.
        message: String,
        /// File, line, column and key.
        place: JobPlace,
    },
    /// The data of an input is wrong; [`Error::location`] says where.
    #[error("{0}")]
    Input(#[from] InputProblem),
    /// An input could not be listed or read.
    #[error("cannot {0}")]
    Source(StoreFailure),
    /// An input is not what it was when it was planned; [`Error::location`] says which.
    #[error("the input changed after it was planned: {what}")]
    Changed {
        /// What differs.
        what: String,
    },
    /// A target could not be reached or written.
    #[error("cannot {0}")]
    Target(StoreFailure),
    /// What was written is not what was read: a bug, or a store that loses data.
    #[error("the records do not add up: {message}")]
    Accounting {
        /// The equation that does not hold, with its figures.
        message: String,
    },
    /// Arrow refused to compute what a step of the engine asked for.
    #[error("{step}: {cause}")]
    Compute {
        /// The step, such as "the transforms".
        step: &'static str,
        /// What the library said.
        cause: arrow::error::ArrowError,
    },
    /// Parquet refused what it was given.
    #[error("encoding {file}: {cause}")]
    Encode {
        /// The output file, relative to the table.
        file: String,
        /// What the library said.
        cause: parquet::errors::ParquetError,
    },
    /// Temporary files could not be created, written or read.
    #[error("{message}")]
    Spill {
        /// What failed where, and how many bytes there were.
        message: String,
    },
    /// A file that the readers of its profile, or a target, would not take.
    #[error("{file} violates the rule `{rule}`: {message}")]
    Preflight {
        /// The output file, relative to the table.
        file: String,
        /// The rule that it breaks.
        rule: &'static str,
        /// What is found, and where.
        message: String,
    },
    /// Another run of the same table was first.
    #[error("{message}")]
    Conflict {
        /// Which, and what it did.
        message: String,
    },
    /// A target, or the log, does not hold what the log says.
    #[error("{message}")]
    Damage {
        /// What is missing or differs, and where.
        message: String,
    },
    /// SIGINT, SIGTERM, or [`crate::runtime::Cancel::cancel`].
    #[error("interrupted")]
    Interrupted,
}

impl ErrorKind {
    /// The exit code of the process that ends with this error.
    ///
    /// | code | meaning |
    /// |---|---|
    /// | 2 | usage, job file, schema file |
    /// | 3 | input data |
    /// | 4 | an input cannot be found, listed or read, or changed meanwhile |
    /// | 5 | a target cannot be reached or written |
    /// | 6 | the records do not add up, encoding failed, or a file is not fit for its readers |
    /// | 7 | temporary files cannot be written: no room, or no such directory |
    /// | 8 | another run of the same table was first |
    /// | 9 | a target does not hold what the log says |
    /// | 130 | interrupted |
    pub fn exit_code(&self) -> u8 {
        match self {
            ErrorKind::Usage { .. } | ErrorKind::Job { .. } => 2,
            ErrorKind::Input(_) => 3,
            // Like an input that cannot be read at the moment: trying again helps.
            ErrorKind::Source(_) | ErrorKind::Changed { .. } => 4,
            ErrorKind::Target(_) => 5,
            ErrorKind::Accounting { .. }
            | ErrorKind::Compute { .. }
            | ErrorKind::Encode { .. }
            | ErrorKind::Preflight { .. } => 6,
            ErrorKind::Spill { .. } => 7,
            ErrorKind::Conflict { .. } => 8,
            ErrorKind::Damage { .. } => 9,
            ErrorKind::Interrupted => 130,
        }
    }

    /// A stable word for logs and JSON.
    pub fn name(&self) -> &'static str {
        match self {
            ErrorKind::Usage { .. } => "usage",
            ErrorKind::Job { .. } => "job",
            ErrorKind::Input(_) => "input",
            ErrorKind::Source(_) => "source",
            ErrorKind::Changed { .. } => "changed",
            ErrorKind::Target(_) => "target",
            ErrorKind::Accounting { .. } => "accounting",
            ErrorKind::Compute { .. } => "compute",
            ErrorKind::Encode { .. } => "encode",
            ErrorKind::Spill { .. } => "scratch",
            ErrorKind::Preflight { .. } => "preflight",
            ErrorKind::Conflict { .. } => "conflict",
            ErrorKind::Damage { .. } => "damage",
            ErrorKind::Interrupted => "interrupted",
        }
    }
}

/// A place in a job file, schema file or document.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct JobPlace {
    /// Path or URL of the file.
    pub file: String,
    /// Line, from 1, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
    /// Column in characters, from 1, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<usize>,
    /// Dotted key, such as `targets[0].region`, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl fmt::Display for JobPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        if let Some(key) = &self.key {
            write!(f, ": {key}")?;
        }
        Ok(())
    }
}

/// A place in an input. Offsets and lines count in the decompressed, decoded
/// object and are absolute or absent, never relative to a split.
#[derive(
    Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
pub struct Location {
    /// URL of the object.
    pub url: String,
    /// Byte offset from the start of the object, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub byte_offset: Option<u64>,
    /// Line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Data record, from 1; headers and skipped records do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<u64>,
    /// Name of the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

impl Location {
    /// A location that names the object only.
    pub fn object(url: impl Into<String>) -> Self {
        Location { url: url.into(), ..Location::default() }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.url == "stdin:" { "standard input" } else { &self.url })?;
        let mut separator = ": ";
        let mut part = |f: &mut fmt::Formatter<'_>, text: String| {
            let result = write!(f, "{separator}{text}");
            separator = ", ";
            result
        };
        if let Some(line) = self.line {
            part(f, format!("line {line}"))?;
        }
        if let Some(record) = self.record {
            part(f, format!("record {record}"))?;
        }
        if let Some(column) = &self.column {
            part(f, format!("column {:?}", excerpt(column)))?;
        }
        if let Some(offset) = self.byte_offset {
            part(f, format!("byte {offset}"))?;
        }
        Ok(())
    }
}

/// A request to a store that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFailure {
    /// What was attempted, as a verb with its object: "list", "read", "upload part 3 of".
    pub operation: String,
    /// URL of the object or bucket; never holds credentials or signatures.
    pub url: String,
    /// Region of the target, where there is one.
    pub region: Option<String>,
    /// How often it was tried, where known.
    pub attempts: Option<u32>,
    /// Time from the first try to the last answer, where known.
    pub elapsed: Option<Duration>,
    /// The class of the answer.
    pub reason: StoreReason,
    /// What the store or the operating system said, redacted.
    pub detail: String,
}

/// Why a store refused, as far as a caller can act on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StoreReason {
    /// No such object, file or directory.
    NotFound,
    /// No such bucket, and so nothing of what it should hold.
    NoBucket,
    /// No matching object for a glob or prefix.
    NoMatch,
    /// Forbidden, or bad credentials.
    Denied,
    /// No credentials could be found at all.
    NoCredentials,
    /// No space left, or a quota.
    Full,
    /// The object already exists, or is not the one that was to be replaced.
    Exists,
    /// Somebody else is writing the same object; which of the two is there
    /// in the end only reading it tells.
    Conflict,
    /// Asked to slow down, until no try was left.
    Throttled,
    /// No answer in time or none that makes sense, no connection, or an error of
    /// the server's own: whether it was done is not known.
    Unreachable,
    /// Anything else.
    Other,
}

impl StoreFailure {
    /// A failure of which neither region nor tries nor time are known.
    pub fn new(
        operation: impl Into<String>,
        url: impl Into<String>,
        reason: StoreReason,
        detail: impl Into<String>,
    ) -> Self {
        StoreFailure {
            operation: operation.into(),
            url: url.into(),
            region: None,
            attempts: None,
            elapsed: None,
            reason,
            detail: detail.into(),
        }
    }
}

impl fmt::Display for StoreFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.operation, self.url)?;
        if let Some(region) = &self.region {
            write!(f, " in {region}")?;
        }
        write!(f, ": {}", self.detail)?;
        match (self.attempts, self.elapsed) {
            (Some(n), Some(t)) if n > 1 => write!(f, " (tried {n} times in {:.1} s)", t.as_secs_f64()),
            _ => Ok(()),
        }
    }
}

impl Error {
    /// An error of this kind, without a place.
    pub fn new(kind: ErrorKind) -> Self {
        Error(Box::new(Inner { kind, location: None, remedy: None, aftermath: None }))
    }

    /// A usage error.
    pub fn usage(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Usage { message: message.into() })
    }

    /// An input error at a place.
    pub fn input(problem: InputProblem, location: Location) -> Self {
        Error::new(problem.into()).at(location)
    }

    /// Adds the place in the data.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.0.location = Some(location);
        self
    }

    /// Adds what the user can do; names settings as [`super::wording`] has it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.0.remedy = Some(remedy.into());
        self
    }

    /// The class and the cause.
    pub fn kind(&self) -> &ErrorKind {
        &self.0.kind
    }

    /// Where in the data, if it was the data.
    pub fn location(&self) -> Option<&Location> {
        self.0.location.as_ref()
    }

    /// What to do about it.
    pub fn what_to_do(&self) -> Option<&str> {
        self.0.remedy.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(location) = &self.0.location {
            write!(f, "{location}: ")?;
        }
        write!(f, "{}", self.0.kind)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.0.kind {
            ErrorKind::Compute { cause, .. } => Some(cause),
            ErrorKind::Encode { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Error::new(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn location_shows_only_what_it_knows() {
        let mut location = Location::object("file:///a.csv");
        assert_eq!(location.to_string(), "file:///a.csv");
        location.line = Some(7);
        location.column = Some("price".into());
        assert_eq!(location.to_string(), "file:///a.csv: line 7, column \"price\"");
    }

    #[test]
    fn limits_of_one_are_singular_and_long_ones_have_separators() {
        let texts = [1, 8 << 20].map(|limit| InputProblem::FieldTooLarge { limit }.to_string());
        assert_eq!(
            texts,
            [
                "a field is larger than the limit of 1 byte",
                "a field is larger than the limit of 8,388,608 bytes"
            ]
        );
        let footer = InputProblem::FooterTooFar { limit: 1 }.to_string();
        assert!(footer.starts_with("more than 1 byte of blank lines"), "{footer}");
    }

    #[test]
    fn every_class_has_an_exit_code_of_its_own_or_shares_it_on_purpose() {
        let interrupted = ErrorKind::Interrupted;
        assert_eq!((interrupted.exit_code(), interrupted.name()), (130, "interrupted"));
        assert_eq!(ErrorKind::Input(InputProblem::EmptyFile).exit_code(), 3);
        assert_eq!(ErrorKind::Changed { what: String::new() }.exit_code(), 4);
    }
}
