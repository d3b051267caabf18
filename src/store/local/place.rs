//! What stands where a file is to be written.
//!
//! A rename replaces whatever has the name: a device, which the machine loses; a
//! pipe, whose reader waits for ever; a link, whose target keeps the old bytes.
//! So whatever renames asks here first, and renames over a regular file or nothing.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Links that are followed one after the other, as Linux does (path_resolution(7)).
const MAX_LINKS: usize = 40;

/// What stands where a file is to be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A regular file or nothing, at the end of all links: may be replaced there.
    File(PathBuf),
    /// A pipe, a device, a socket or an open descriptor: can be written to, and
    /// never be replaced.
    Stream,
}

/// Looks at a path.
///
/// # Errors
/// There is a directory, or links go round in a circle.
pub(super) fn look(path: &Path) -> io::Result<Place> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => Ok(Place::Stream),
        // The target of a link need not be there.
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => follow(path),
    }
}

/// The end of a file's links; for a rename only: what it gives is replaced.
pub(super) fn replaceable(path: &Path) -> io::Result<PathBuf> {
    match look(path)? {
        Place::File(path) => Ok(path),
        Place::Stream => Err(io::Error::other(
            "it is a pipe, a device or a socket: only a regular file can be replaced by another",
        )),
    }
}

/// Writes to a [`Place::Stream`], at the end of what was written before where
/// that is a file behind an open descriptor.
pub(super) fn write_stream(path: &Path, body: &[u8]) -> io::Result<()> {
    OpenOptions::new().append(true).open(path)?.write_all(body)
}

fn follow(path: &Path) -> io::Result<Place> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        let Ok(target) = fs::read_link(&path) else { return Ok(Place::File(path)) };
        let directory = path.parent().unwrap_or(Path::new("/"));
        // `/dev/stdout` ends in a link that stands for the open file, whatever name that has.
        if fs::canonicalize(directory).is_ok_and(|directory| directory.starts_with("/proc")) {
            return Ok(Place::Stream);
        }
        path = directory.join(target);
    }
    Err(io::Error::other("there are too many symbolic links in a row"))
}

#[cfg(test)]
#[path = "place_tests.rs"]
mod tests;
