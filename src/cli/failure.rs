//! How a command that fails says so with `--json`: as one document on standard output.

use crate::error::{Error, ErrorKind};
use crate::report::{ErrorReport, FailureReport, FailureStatus};
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether standard output waits for a document: `--json` was given, and none was printed.
/// Of the process, as standard output is: the thread that ends it in time prints, too.
static EXPECTED: AtomicBool = AtomicBool::new(false);

/// Says that one document is to be printed on standard output, whatever happens.
pub(super) fn expect_document() {
    EXPECTED.store(true, Ordering::SeqCst);
}

/// Whether the caller is to print the document; true once.
pub(super) fn claim_document() -> bool {
    EXPECTED.swap(false, Ordering::SeqCst)
}

/// Prints the document that `--json` asks for where flags cannot be read, of which clap tells
/// on standard error.
pub fn report_bad_flags(error: &clap::Error) {
    // It cannot be known whether `--json` was meant as a flag; most likely it was.
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        expect_document();
        let message = error.to_string();
        let message = message.strip_prefix("error: ").unwrap_or(&message).trim_end();
        print_if_expected(&FailureReport::from(&Error::usage(message)));
    }
}

/// Prints the document of a process that is about to be ended by a signal, in the middle of
/// whatever it was doing.
pub(super) fn report_cut_off(message: &str, remedy: &str) {
    let kind = ErrorKind::Interrupted;
    let error = ErrorReport {
        message: message.to_owned(),
        remedy: Some(remedy.to_owned()),
        ..ErrorReport::from(&Error::new(kind))
    };
    let report = FailureReport { status: FailureStatus::Unknown, version: None, unfinished: None, error };
    print_if_expected(&report);
}

pub(super) fn print_if_expected(report: &FailureReport) {
    if claim_document()
        && let Err(error) = super::print(&(super::documents::to_json(report) + "\n"))
    {
        tracing::warn!(%error, "the failure report could not be written");
    }
}
