//! The inputs of a job: found, pinned, read whole.

use crate::documents::Input;
use crate::error::{Error, ErrorKind, Result, StoreFailure, StoreReason};
use crate::runtime::Runtime;
use crate::source::{Access, Decoding, list, open, still};
use crate::spec::{EngineSpec, SourceSpec};
use std::io;

/// Finds and pins every input, as [`list()`] does, once those that are local files
/// have been still for as long as the job wants. What is planned begins here: nothing
/// of an input is read before.
///
/// # Errors
/// As [`list()`]; [`ErrorKind::Changed`] for a file that is written all the time.
pub fn pin_all(spec: &SourceSpec, engine: &EngineSpec, runtime: &Runtime) -> Result<Vec<Input>> {
    let mut inputs = runtime.wait(list(&spec.inputs, &Access::of(spec, engine)))?;
    still::wait_until_still(&mut inputs, spec.settling(), runtime)?;
    Ok(inputs)
}

/// URL of standard input.
pub const STDIN: &str = "stdin:";

/// Reads every input of an entry whole, with its URL: documents and schema files, which are small.
pub fn read_whole(entry: String, access: &Access, runtime: &Runtime) -> Result<Vec<(String, Vec<u8>)>> {
    let read = |input: Input| {
        let mut text = open(&input, access, Decoding::default(), None, runtime, runtime.cancel())?;
        let mut body = Vec::new();
        while let Some(bytes) = text.next()? {
            body.extend_from_slice(bytes);
        }
        Ok((input.url, body))
    };
    runtime.wait(list(&[entry], access))?.into_iter().map(read).collect()
}

pub(super) fn failure(operation: &str, url: &str, reason: StoreReason, detail: impl Into<String>) -> Error {
    Error::new(ErrorKind::Source(StoreFailure::new(operation, url.to_owned(), reason, detail)))
}

/// A file that could not be listed or read.
pub(super) fn file_failure(operation: &str, url: &str, cause: &io::Error) -> Error {
    let (reason, remedy) = match cause.kind() {
        io::ErrorKind::NotFound => (StoreReason::NotFound, "check `source.inputs` (convert: the input)"),
        io::ErrorKind::PermissionDenied => (StoreReason::Denied, "make the file readable for this user"),
        _ => return failure(operation, url, StoreReason::Other, cause.to_string()),
    };
    failure(operation, url, reason, cause.to_string()).remedy(remedy)
}
