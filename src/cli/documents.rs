//! Reading and writing the documents that one verb hands to the next: local
//! paths or `s3://` URLs.

use crate::aws::failure::redact;
use crate::error::{Error, ErrorKind, JobPlace, Result};
use crate::job::{EngineSpec, SourceSpec, TargetSpec};
use crate::runtime::Runtime;
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
        let spec = SourceSpec {
            region: self.document_region.clone(),
            endpoint: self.document_endpoint.clone(),
            ..SourceSpec::of(vec![place.to_owned()])
        };
        let read = source::read_whole(&spec, runtime).map_err(|error| {
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

    /// Writes a document whole; `-` is standard output.
    pub(super) fn write(&self, place: &str, document: &impl Serialize, runtime: &Runtime) -> Result<()> {
        if place == "-" {
            // Unlike a report for people, a document that nobody took is lost.
            let text = to_json(document) + "\n";
            return std::io::stdout()
                .write_all(text.as_bytes())
                .and_then(|()| std::io::stdout().flush())
                .map_err(|e| Error::usage(format!("cannot write to standard output: {e}")));
        }
        let (parent, name) = match place.rsplit_once('/') {
            Some(("", name)) => ("/", name),
            Some((parent, name)) => (parent, name),
            None => (".", place),
        };
        let target = TargetSpec {
            region: self.document_region.clone(),
            endpoint: self.document_endpoint.clone(),
            ..TargetSpec::of(format!("{parent}/"))
        };
        let mut body = to_json(document);
        body.push('\n');
        runtime
            .block_on(async {
                let store = store::open_target(&target, &EngineSpec::default(), 0).await?;
                store.put(name, body.into()).await
            })
            .map_err(|error| error.remedy(format!("check the place given with --output: {}", redact(place))))
    }
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
