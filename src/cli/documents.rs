//! Reading and writing the documents that one verb hands to the next: local
//! paths or `s3://` URLs.

use super::places;
use crate::aws::failure::redact;
use crate::error::{Error, ErrorKind, JobPlace, Result};
use crate::run::exists;
use crate::runtime::Runtime;
use crate::spec::location::local_path;
use crate::spec::{EngineSpec, SourceSpec, TargetSpec};
use crate::store::WriteOutcome;
use crate::store::local::is_stream;
use crate::{source, store};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Write;

/// How documents on S3 are reached.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Documents on S3")]
pub(super) struct DocumentArgs {
    /// Region of documents given as s3:// URLs [default: the AWS chain's]
    #[arg(long, value_name = "REGION")]
    document_region: Option<String>,
    /// Endpoint of an S3-compatible server that holds the documents
    #[arg(long, value_name = "URL")]
    document_endpoint: Option<String>,
}

impl DocumentArgs {
    /// Reads every document that a path, URL or glob names.
    pub(super) fn read_all<T: DeserializeOwned>(&self, place: &str, runtime: &Runtime) -> Result<Vec<T>> {
        places::endpoint("--document-endpoint", self.document_endpoint.as_deref())?;
        let spec = SourceSpec {
            region: self.document_region.clone(),
            endpoint: self.document_endpoint.clone(),
            ..SourceSpec::of(Vec::new())
        };
        let access = source::Access::of(&spec, &EngineSpec::default());
        let read = source::read_whole(places::input(place)?, &access, runtime).map_err(|error| {
            error.remedy(format!("{place} must name what `sawmill plan` or `sawmill task` wrote"))
        })?;
        read.into_iter().map(|(url, body)| parse(&body, &url)).collect()
    }

    /// Reads exactly one document.
    pub(super) fn read<T: DeserializeOwned>(&self, place: &str, runtime: &Runtime) -> Result<T> {
        let mut all = self.read_all(place, runtime)?;
        match (all.pop(), all.is_empty()) {
            (Some(document), true) => Ok(document),
            _ => Err(Error::usage(format!("{place} must name exactly one document"))),
        }
    }

    /// Where a document is to be written, see [`Destination::of`].
    pub(super) fn destination(&self, place: &str) -> Result<Destination> {
        places::endpoint("--document-endpoint", self.document_endpoint.as_deref())?;
        Destination::of(place, self.document_region.clone(), self.document_endpoint.clone())
    }
}

/// Where a document goes.
#[derive(Debug)]
pub(super) enum Destination {
    /// `-`.
    StandardOutput,
    /// A file or object.
    Place {
        /// As it was given, for messages.
        shown: String,
        /// What it lies in.
        target: Box<TargetSpec>,
        /// Its name there.
        name: String,
    },
}

impl Destination {
    /// What `--output` names. To be asked before there is a document: a place that
    /// cannot be meant should not cost the work of a task.
    pub(super) fn of(place: &str, region: Option<String>, endpoint: Option<String>) -> Result<Destination> {
        if place == "-" {
            return Ok(Destination::StandardOutput);
        }
        let location = places::output(place)?;
        // In a URL of a file `%24` is a `$`; in the name of a document it is not.
        let path = local_path(&location).map(|path| path.to_string_lossy().into_owned());
        match path.unwrap_or(location).rsplit_once('/') {
            Some((directory, name)) if !name.is_empty() => {
                let target = TargetSpec { region, endpoint, ..TargetSpec::of(format!("{directory}/")) };
                Ok(Destination::Place {
                    shown: redact(place),
                    target: Box::new(target),
                    name: name.to_owned(),
                })
            }
            _ => Err(Error::usage(format!("{} does not name a document", redact(place)))
                .remedy("write a name after the last `/`")),
        }
    }

    /// Writes a document whole, whatever is there: a file is replaced, at the end
    /// of links; a pipe or a device is written to.
    pub(super) fn write(&self, document: &impl Serialize, runtime: &Runtime) -> Result<()> {
        self.put(document, runtime, true)
    }

    /// The same, but what is there stays.
    ///
    /// # Errors
    /// A target error for a file or object that is there.
    pub(super) fn create(&self, document: &impl Serialize, runtime: &Runtime) -> Result<()> {
        // Nothing that is kept anywhere can be overwritten in these.
        let is_stream = match self {
            Destination::StandardOutput => true,
            Destination::Place { target, name, .. } => {
                local_path(&target.url).is_some_and(|directory| is_stream(&directory.join(name)))
            }
        };
        self.put(document, runtime, is_stream)
    }

    /// Fails as [`Destination::create`] would, before there is a document.
    pub(super) fn check_absent(&self, runtime: &Runtime) -> Result<()> {
        let Destination::Place { shown, target, name } = self else { return Ok(()) };
        runtime.block_on(runtime.cancel().or(async {
            let store = store::open_target(target, &EngineSpec::default(), 0).await?;
            match store.head(name).await.map_err(|error| at(error, shown))? {
                Some(_) => Err(exists(store.describe(), name)),
                None => Ok(()),
            }
        }))
    }

    fn put(&self, document: &impl Serialize, runtime: &Runtime, replace: bool) -> Result<()> {
        let body = to_json(document) + "\n";
        match self {
            // Unlike a report for people, a document that was not taken is lost.
            Destination::StandardOutput => std::io::stdout()
                .write_all(body.as_bytes())
                .and_then(|()| std::io::stdout().flush())
                .map_err(|e| Error::usage(format!("cannot write to standard output: {e}"))),
            Destination::Place { shown, target, name } => runtime.wait(async {
                let store = store::open_target(target, &EngineSpec::default(), 0).await?;
                let written = match replace {
                    true => store.put(name, body.into()).await.map(|()| WriteOutcome::Created),
                    false => store.create(name, body.into()).await,
                };
                match written.map_err(|error| at(error, shown))? {
                    WriteOutcome::Created => Ok(()),
                    WriteOutcome::AlreadyExists => Err(exists(store.describe(), name)),
                }
            }),
        }
    }
}

fn at(error: Error, shown: &str) -> Error {
    error.remedy(format!("check the place given with --output: {shown}"))
}

fn parse<T: DeserializeOwned>(body: &[u8], url: &str) -> Result<T> {
    serde_json::from_slice(body).map_err(|e| {
        let place = JobPlace {
            file: url.to_owned(),
            line: Some(e.line()),
            column: Some(e.column()),
            ..JobPlace::default()
        };
        let message = format!("this is not a document of the kind expected here: {e}");
        Error::new(ErrorKind::Job { message, place })
            .remedy("give a document that `sawmill plan` or `sawmill task` of this version wrote")
    })
}

pub(super) fn to_json(document: &impl Serialize) -> String {
    serde_json::to_string_pretty(document).expect("our documents have string keys and no failing parts")
}

/// Prints the one document of a command that was asked for JSON.
pub(super) fn print_json(document: &impl Serialize) -> Result<()> {
    if !super::failure::claim_document() {
        // The process is being ended, and has said so in its place.
        return Ok(());
    }
    super::print(&(to_json(document) + "\n"))
}
