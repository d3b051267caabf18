//! Temporary files without names, and how many bytes they hold.

use crate::error::count::count;
use crate::error::{Error, ErrorKind};
use crate::runtime::Cancel;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The directory of temporary files; clones share it and its count of bytes.
#[derive(Debug, Clone)]
pub struct SpillDirectory(Arc<Place>);

#[derive(Debug)]
struct Place {
    directory: PathBuf,
    bytes: AtomicU64,
    /// Bytes that fit: a disk that is full, for tests.
    room: u64,
    /// Looked at before each read and write: sorts and merges on disk take
    /// minutes, and nothing else in them would stop.
    cancel: Cancel,
}

impl SpillDirectory {
    /// Files in `directory`, or in the system's directory for temporary files.
    /// Nothing is created before the first byte has to be written. After
    /// `cancel`, whatever reads or writes them ends with [`ErrorKind::Interrupted`].
    pub fn new(directory: Option<&Path>, cancel: Cancel) -> Self {
        SpillDirectory::in_room(directory, cancel, u64::MAX)
    }

    /// A disk that is full after so many bytes.
    #[cfg(test)]
    pub(super) fn with_room(directory: Option<&Path>, room: u64) -> Self {
        SpillDirectory::in_room(directory, Cancel::default(), room)
    }

    fn in_room(directory: Option<&Path>, cancel: Cancel, room: u64) -> Self {
        let directory = directory.map_or_else(std::env::temp_dir, Path::to_owned);
        SpillDirectory(Arc::new(Place { directory, bytes: AtomicU64::new(0), room, cancel }))
    }

    /// Bytes in temporary files now.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// A file that no other process can open and that is gone when it is closed.
    pub(super) fn file(&self) -> Result<SpillFile, Error> {
        match tempfile::tempfile_in(&self.0.directory) {
            Ok(file) => Ok(SpillFile { file, bytes: 0, spill_directory: self.clone() }),
            Err(cause) => Err(self.failed("create", &cause)),
        }
    }

    /// The error for an operation on a file of this directory.
    pub(super) fn failed(&self, operation: &str, cause: &io::Error) -> Error {
        if self.0.cancel.is_cancelled() {
            return ErrorKind::Interrupted.into();
        }
        let directory = self.0.directory.display();
        let bytes = count(self.bytes(), "byte");
        let message = format!(
            "cannot {operation} a temporary file in {directory}: {cause}; temporary files took {bytes} so far"
        );
        Error::new(ErrorKind::Spill { message }).remedy(
            "name a directory with more room in `engine.spill_directory` (convert: TMPDIR); or let less go to disk: \
             raise `engine.key_bytes` (deduplicate) or `engine.sort_bytes` (sort) in the job file",
        )
    }
}

/// A temporary file; unlinked from the start, so that no exit leaves it behind.
#[derive(Debug)]
pub(super) struct SpillFile {
    file: File,
    bytes: u64,
    spill_directory: SpillDirectory,
}

impl SpillFile {
    pub(super) fn spill_directory(&self) -> &SpillDirectory {
        &self.spill_directory
    }

    /// Stops whoever reads or writes, see [`SpillDirectory::failed`]. Not as
    /// [`io::ErrorKind::Interrupted`]: the standard library would try again.
    fn check_cancel(&self) -> io::Result<()> {
        self.spill_directory.0.cancel.check().map_err(|_| io::Error::other("interrupted"))
    }

    /// Back to the first byte, for reading.
    pub(super) fn rewind(&mut self) -> Result<(), Error> {
        self.file.rewind().map_err(|cause| self.spill_directory.failed("read", &cause))
    }
}

impl Write for SpillFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check_cancel()?;
        let place = &self.spill_directory.0;
        if place.bytes.load(Ordering::Relaxed).saturating_add(bytes.len() as u64) > place.room {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        place.bytes.fetch_add(written as u64, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for SpillFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check_cancel()?;
        self.file.read(buffer)
    }
}

impl Drop for SpillFile {
    fn drop(&mut self) {
        self.spill_directory.0.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
