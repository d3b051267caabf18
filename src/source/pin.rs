//! Local files: what they were when they were planned, and whether they still are.
//!
//! An object on S3 is read under the condition of its entity tag, so that no GET
//! gives bytes of another. A file can be written while it is read: it is
//! compared with what was planned when it is opened, when its last byte has been
//! read, and once more before a run is decided.

use crate::documents::{FileIdentity, Input};
use crate::error::count::count;
use crate::error::{Error, ErrorKind, Location, Result};
use crate::spec::location::local_path;
use chrono::{DateTime, SecondsFormat, Utc};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A file as it is now. The length of a pipe or device says nothing: those are not pinned.
pub(super) fn pin(path: &Path, found: &Metadata) -> Input {
    let url = url_of(path);
    if !found.is_file() {
        return Input { url, ..Input::default() };
    }
    Input {
        url,
        bytes: Some(found.len()),
        last_modified: modified(found),
        identity: status_changed(found)
            .map(|status_changed| FileIdentity { inode: found.ino(), status_changed }),
        ..Input::default()
    }
}

/// The path of an input that is a local file with a size to hold it to.
pub(super) fn pinned_path(input: &Input) -> Option<std::path::PathBuf> {
    let is_local = input.is_pinned() && input.url.starts_with("file:");
    is_local.then(|| local_path(&input.url)).flatten()
}

pub(super) fn url_of(path: &Path) -> String {
    match url::Url::from_file_path(path) {
        Ok(url) => url.to_string(),
        Err(()) => format!("file://{}", path.display()),
    }
}

/// Time of the last change, to the nanosecond, as inputs are pinned by it.
pub(super) fn modified(found: &Metadata) -> Option<String> {
    Some(rfc3339(DateTime::<Utc>::from(found.modified().ok()?)))
}

fn status_changed(found: &Metadata) -> Option<String> {
    let nanoseconds = u32::try_from(found.ctime_nsec()).ok()?;
    DateTime::<Utc>::from_timestamp(found.ctime(), nanoseconds).map(rfc3339)
}

fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// How a file differs from what was planned; nothing where the plan says nothing.
pub(super) fn difference(planned: &Input, now: &Metadata) -> Option<String> {
    let bytes = planned.bytes?;
    if !now.is_file() {
        return Some("it was a regular file and no longer is".to_owned());
    }
    let modified_now = modified(now);
    let at = modified_now.as_deref().unwrap_or("an unknown time");
    let was = planned.last_modified.as_deref();
    let was_at = was.map(|was| format!(" (planned: {was})")).unwrap_or_default();
    let resized = |how: &str| {
        format!("it {how} from {bytes} to {}, modified at {at}{was_at}", count(now.len(), "byte"))
    };
    match now.len() {
        more if more > bytes => return Some(resized("is still being written: it grew")),
        less if less < bytes => return Some(resized("shrank")),
        _ => {}
    }
    if let (Some(was), Some(is)) = (was, modified_now.as_deref())
        && was != is
    {
        return Some(format!("it still has {}, but was modified at {is}{was_at}", count(bytes, "byte")));
    }
    let identity = planned.identity.as_ref()?;
    let status_changed = status_changed(now)?;
    (identity.inode != now.ino() && identity.status_changed != status_changed).then(|| {
        format!(
            "another file of the same size and time was put in its place at {status_changed} (inode {}, planned: {})",
            now.ino(),
            identity.inode
        )
    })
}

/// An input that is not what was planned.
pub(super) fn changed(url: &str, what: String) -> Error {
    Error::new(ErrorKind::Changed { what }).at(Location::object(url)).remedy(
        "run or plan again once it is no longer being written; `source.settle_seconds` (--settle) waits until inputs are \
         still",
    )
}

/// Compares the local inputs with what was planned, right before a run is decided.
///
/// One that is gone is not a failure: it was the planned one when its last byte was
/// read, and has been archived since, or was read on another machine.
///
/// # Errors
/// [`ErrorKind::Changed`], for the first that is another.
pub fn check_unchanged(inputs: &[Input]) -> Result<()> {
    inputs.iter().try_for_each(|input| match change_of(input) {
        Some(what) => Err(changed(&input.url, what)),
        None => Ok(()),
    })
}

/// How the file at the place of a local input differs from the planned one.
fn change_of(input: &Input) -> Option<String> {
    match fs::metadata(pinned_path(input)?) {
        Ok(now) => difference(input, &now),
        Err(error) => {
            if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) {
                tracing::warn!("whether {} changed after it was read is not known: {error}", input.url);
            }
            None
        }
    }
}

/// What is wrong with the data of an input that changed meanwhile is that it
/// changed: a record was cut in two, or the read met both states. Only that says
/// that a retry helps.
pub fn or_changed(error: Error, inputs: &[Input]) -> Error {
    if !matches!(error.kind(), ErrorKind::Input(_)) {
        return error;
    }
    let place = error.location().map(|location| location.url.as_str());
    // A budget of rejected records is about all inputs, and names none of them.
    let concerned = |input: &&Input| place.is_none_or(|url| url.is_empty() || url == input.url);
    let change = inputs.iter().filter(concerned).find_map(|input| Some((input, change_of(input)?)));
    match change {
        Some((input, what)) => changed(&input.url, what),
        None => error,
    }
}

#[cfg(test)]
#[path = "pin_tests.rs"]
mod tests;
