//! Inputs: URLs, globs and prefixes → pinned objects → decoded UTF-8 text.
//!
//! [`pin_all`] finds objects ([`list()`]) and pins them ([`Input`]); [`open()`] streams one of them
//! through [`fetch`] (ranged, prefetched, retried GETs on Tokio),
//! [`decompress`] (gzip, zstd, bzip2 and xz, by magic number) and [`decode`] (to
//! UTF-8), as chunks of text that the caller pulls on a blocking thread.
//! [`read_ranges`] only looks into them.

mod chunks;
pub mod decode;
pub mod decompress;
pub mod detect;
pub mod fetch;
mod kind;
pub mod list;
pub mod open;
mod pin;
mod pipe;
pub mod ranges;
mod still;
mod stored;
mod unpacked;

pub use detect::Detected;
pub use list::list;
pub use open::{Decoding, TextStream, open};
pub use pin::{check_unchanged, or_changed};
pub use ranges::read_ranges;

use crate::aws::{Connection, Role};
use crate::documents::Input;
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::runtime::Runtime;
use crate::spec::{EngineSpec, SourceSpec};
use pin::changed;
use std::io;

/// Finds and pins every input, as [`list()`] does, once those that are local files
/// have been still for as long as the job wants. What is planned begins here: nothing
/// of an input is read before.
///
/// # Errors
/// As [`list()`]; [`ErrorKind::Changed`] for a file that is written all the time.
pub fn pin_all(spec: &SourceSpec, engine: &EngineSpec, runtime: &Runtime) -> Result<Vec<Input>> {
    let mut inputs = runtime.wait(list(spec, engine))?;
    still::wait_until_still(&mut inputs, spec, runtime)?;
    Ok(inputs)
}

/// URL of standard input.
pub const STDIN: &str = "stdin:";

/// Reads every input whole, with its URL: documents and schema files, which are small.
pub fn read_whole(spec: &SourceSpec, runtime: &Runtime) -> Result<Vec<(String, Vec<u8>)>> {
    let engine = EngineSpec::default();
    let read = |input: Input| {
        let mut text = open(&input, spec, &engine, Decoding::default(), None, runtime, runtime.cancel())?;
        let mut body = Vec::new();
        while let Some(bytes) = text.next()? {
            body.extend_from_slice(bytes);
        }
        Ok((input.url, body))
    };
    runtime.wait(list(spec, &engine))?.into_iter().map(read).collect()
}

/// The connection that the source of a job describes.
fn connection(spec: &SourceSpec, engine: &EngineSpec) -> Connection {
    Connection {
        role: Role::Source,
        region: spec.region.clone(),
        endpoint: spec.endpoint.clone(),
        allow_http: spec.allow_http,
        path_style: spec.path_style,
        profile: spec.profile.clone(),
        owner: spec.expected_bucket_owner.clone(),
        requests: engine.requests.clone(),
    }
}

fn failure(operation: &str, url: &str, reason: StoreReason, detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::Source(StoreFailure::new(operation, url.to_owned(), reason, detail)))
}

/// A file that could not be listed or read.
fn file_failure(operation: &str, url: &str, cause: &io::Error) -> Error {
    let (reason, remedy) = match cause.kind() {
        io::ErrorKind::NotFound => (StoreReason::NotFound, "check `source.inputs` (convert: the input)"),
        io::ErrorKind::PermissionDenied => (StoreReason::Denied, "make the file readable for this user"),
        _ => return failure(operation, url, StoreReason::Other, cause.to_string()),
    };
    failure(operation, url, reason, cause.to_string()).remedy(remedy)
}
