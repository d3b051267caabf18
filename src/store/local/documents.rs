//! Small objects in a local directory: written whole or not at all.
//!
//! Each is written to a temporary file, made durable, and given its name: by a
//! rename, which replaces what is there, or by a hard link, which the kernel
//! refuses where something is. The temporary file is locked as long as its
//! writer lives, so that a sweep can tell what a dead one has left behind.

use super::Inner;
use super::place::{self, Place};
use super::staging::{TEMPORARY_SUFFIX, is_temporary};
use crate::error::Result;
use crate::store::{StoredDocument, WriteOutcome};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Where documents are, and the lock of those who replace one.
const DIRECTORY: &str = "_sawmill";

/// Staged files, not documents, lie here.
const QUARANTINE: &str = "_sawmill/quarantine/";

/// Serializes what compares and then replaces, over processes.
const LOCK: &str = "_sawmill/lock";

/// How often a document is begun anew when a sweep takes its temporary file for
/// a dead writer's, in the instant before it is locked.
const WRITE_TRIES: usize = 8;

impl Inner {
    pub(super) fn put(&self, key: &str, body: &[u8]) -> Result<()> {
        let path = self.path(key)?;
        let written = place::look(&path).and_then(|place| match place {
            Place::File(path) => self.write_document(&path, body, |temporary| fs::rename(temporary, &path)),
            Place::Stream => place::write_stream(&path, body),
        });
        written.map_err(|error| self.error("write", key, &error))
    }

    pub(super) fn create(&self, key: &str, body: &[u8]) -> Result<WriteOutcome> {
        let path = self.path(key)?;
        let linked = self.write_document(&path, body, |temporary| {
            fs::hard_link(temporary, &path)?;
            fs::remove_file(temporary)
        });
        match linked {
            Ok(()) => Ok(WriteOutcome::Created),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(WriteOutcome::AlreadyExists),
            Err(error) => Err(self.error("create", key, &error)),
        }
    }

    pub(super) fn replace(
        &self,
        key: &str,
        body: &[u8],
        read: Option<&StoredDocument>,
    ) -> Result<WriteOutcome> {
        let path = self.path(key)?;
        let failed = |error: io::Error| self.error("replace", key, &error);
        let lock_path = self.path(LOCK)?;
        self.make_directory(lock_path.parent().unwrap_or(&self.root)).map_err(failed)?;
        let lock =
            OpenOptions::new().create(true).truncate(false).write(true).open(&lock_path).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let standing = match fs::read(&path) {
            Ok(body) => Some(body),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(failed(error)),
        };
        if standing.as_deref() != read.map(|document| document.body.as_ref()) {
            return Ok(WriteOutcome::AlreadyExists);
        }
        self.put(key, body)?;
        Ok(WriteOutcome::Created)
    }

    pub(super) fn get(&self, key: &str) -> Result<Option<StoredDocument>> {
        match fs::read(self.path(key)?) {
            Ok(body) => Ok(Some(StoredDocument { body: body.into(), tag: String::new() })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.error("read", key, &error)),
        }
    }

    pub(super) fn list_documents(&self, prefix: &str, after: &str) -> Result<Vec<String>> {
        let mut keys = Vec::new();
        let directory = prefix.trim_end_matches('/');
        self.walk(&self.root.join(directory), prefix, &|_| true, &mut |key| {
            let name = key.rsplit('/').next().unwrap_or_default();
            if key.as_str() > after && !is_temporary(name) {
                keys.push(key);
            }
            true
        })?;
        Ok(keys)
    }

    /// Removes the temporary files of documents whose writers are dead.
    pub(super) fn sweep_documents(&self) -> Result<()> {
        let enter = |key: &str| key != QUARANTINE;
        self.walk(&self.root.join(DIRECTORY), &format!("{DIRECTORY}/"), &enter, &mut |key| {
            if is_temporary(key.rsplit('/').next().unwrap_or_default()) {
                remove_if_unlocked(&self.root.join(&key));
            }
            true
        })?;
        // The one document that is not under `_sawmill/`.
        let in_root = fs::read_dir(&self.root).into_iter().flatten().flatten();
        for entry in in_root {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("._SUCCESS.") && is_temporary(&name) {
                remove_if_unlocked(&entry.path());
            }
        }
        Ok(())
    }

    /// Writes a temporary file beside `path`, lets `place` give it its name, and
    /// makes that durable.
    fn write_document(
        &self,
        path: &Path,
        body: &[u8],
        place: impl Fn(&Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut tries = 0;
        loop {
            tries += 1;
            let (file, name) = self.create_temporary(path)?;
            let temporary = path.with_file_name(&name);
            let written = file
                .lock()
                .and_then(|()| file.write_all_at(body, 0))
                .and_then(|()| file.sync_all())
                .and_then(|()| place(&temporary));
            match written {
                Ok(()) => return self.sync_directory(path.parent().unwrap_or(&self.root)),
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < WRITE_TRIES => {}
                Err(error) => {
                    // Nothing else names it; the cause counts, not whether this works.
                    let _ = fs::remove_file(&temporary);
                    return Err(error);
                }
            }
        }
    }
}

fn remove_if_unlocked(path: &PathBuf) {
    let Ok(file) = File::open(path) else { return };
    match file.try_lock() {
        Ok(()) => {
            if let Err(error) = fs::remove_file(path) {
                tracing::warn!(%error, path = %path.display(), "a temporary file could not be removed");
            }
        }
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => {
            tracing::warn!(%error, path = %path.display(), "a temporary file could not be checked");
        }
    }
}

/// Whether a staged file's name is that of a document's temporary file.
pub(super) fn is_document(key: &str) -> bool {
    let documents = key.strip_prefix(DIRECTORY).is_some_and(|rest| rest.starts_with('/'));
    (documents && !key.starts_with(QUARANTINE))
        || key.strip_prefix("._SUCCESS.").is_some_and(|rest| rest.ends_with(TEMPORARY_SUFFIX))
}
