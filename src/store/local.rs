//! A target in a local directory: staged files are hidden temporary files.
//!
//! A temporary file lies in the directory of its final place, because only a
//! rename within one file system is atomic. Readers of Parquet tables skip
//! names that begin with a dot.

mod documents;
mod place;
mod staging;

use super::{
    ObjectMeta, StagedWrite, StagingStore, Store, StoredDocument, TargetIdentity, WriteOutcome, is_hidden,
};
use crate::aws::Role;
use crate::documents::StagedFile;
use crate::error::{Error, ErrorKind, Result, StoreReason};
use bytes::Bytes;
use staging::TemporaryWrite;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A table root in a local directory.
#[derive(Debug, Clone)]
pub struct LocalStore {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    identity: TargetIdentity,
    root: PathBuf,
    role: Role,
    part_bytes: usize,
    /// Directories that this store made and that hold no visible file yet: an
    /// abort removes them again, and the first completion makes them durable.
    made: Mutex<HashSet<PathBuf>>,
}

impl LocalStore {
    /// A table root at `root`, which need not exist; the `position`th target of the job.
    ///
    /// # Errors
    /// A usage error if `root` is relative and there is no current directory.
    pub fn new(root: PathBuf, part_bytes: usize, position: usize) -> Result<Self> {
        let role = Role::Target(position);
        let root = std::path::absolute(&root)
            .map_err(|error| Error::usage(format!("`{}`: {}: {error}", role.key("url"), root.display())))?;
        let url = match url::Url::from_directory_path(&root) {
            Ok(url) => url.to_string(),
            Err(()) => format!("file://{}/", root.display()),
        };
        let identity = TargetIdentity { url, region: None };
        let inner = Inner { identity, root, role, part_bytes, made: Mutex::default() };
        Ok(LocalStore { inner: Arc::new(inner) })
    }

    /// Runs file system calls off the runtime's own threads.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        blocking(Arc::clone(&self.inner), move |inner| work(inner)).await
    }
}

async fn blocking<S: Send + 'static, T: Send + 'static>(
    state: S,
    work: impl FnOnce(&S) -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(move || work(&state)).await {
        Ok(result) => result,
        Err(stopped) if stopped.is_panic() => std::panic::resume_unwind(stopped.into_panic()),
        // The runtime is shutting down.
        Err(_) => Err(ErrorKind::Interrupted.into()),
    }
}

impl Inner {
    fn path(&self, key: &str) -> Result<PathBuf> {
        let outside = key.split('/').any(|name| matches!(name, "" | "." | "..") || name.contains('\0'));
        if outside {
            return Err(self.error("write", key, &io::Error::other("the key is not a path below the table")));
        }
        Ok(self.root.join(key))
    }

    fn error(&self, operation: &str, key: &str, cause: &io::Error) -> Error {
        let reason = reason_of(cause);
        let failure = self.identity.failure(operation, key, reason, cause.to_string());
        let error = Error::new(ErrorKind::Target(failure));
        let url = self.role.key("url");
        match reason {
            StoreReason::Full => {
                error.remedy(format!("free space or raise the quota, or point `{url}` elsewhere"))
            }
            StoreReason::Denied => {
                error.remedy(format!("make the directory writable, or point `{url}` elsewhere"))
            }
            _ => error.remedy(format!(
                "check `{url}`: it must be a directory, or a place where one can be created"
            )),
        }
    }

    fn made(&self) -> std::sync::MutexGuard<'_, HashSet<PathBuf>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes `directory` and what is missing above it, and remembers what it made.
    fn make_directory(&self, directory: &Path) -> io::Result<()> {
        let missing: Vec<&Path> = directory.ancestors().take_while(|path| !path.is_dir()).collect();
        for path in missing.into_iter().rev() {
            match fs::create_dir(path) {
                Ok(()) => drop(self.made().insert(path.to_owned())),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes directories that this store made and that are empty again.
    fn remove_empty(&self, directory: &Path) {
        for path in directory.ancestors() {
            let mut made = self.made();
            if !made.contains(path) || fs::remove_dir(path).is_err() {
                return;
            }
            made.remove(path);
        }
    }

    /// Makes the names in `directory`, and its own name if it is new, durable.
    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        for path in directory.ancestors() {
            File::open(path)?.sync_all()?;
            if !self.made().remove(path) {
                break;
            }
        }
        Ok(())
    }

    /// Where a file of this key ends up: its path, or the end of the links there.
    fn end_of(&self, operation: &str, key: &str) -> Result<PathBuf> {
        place::replaceable(&self.path(key)?).map_err(|error| self.error(operation, key, &error))
    }

    /// Calls `visit` with the key of every file under `directory`, in key order,
    /// until it returns false. `enter` says which directories are worth reading.
    fn walk(
        &self,
        directory: &Path,
        key: &str,
        enter: &dyn Fn(&str) -> bool,
        visit: &mut dyn FnMut(String) -> bool,
    ) -> Result<bool> {
        let failed = |error: io::Error| self.error("list", key, &error);
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            // A name that is not Unicode is none of ours.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let slash = if entry.file_type().map_err(failed)?.is_dir() { "/" } else { "" };
            names.push(format!("{key}{name}{slash}"));
        }
        names.sort_unstable();
        for name in names {
            let go_on = match name.strip_suffix('/') {
                Some(inside) if enter(&name) => self.walk(&self.root.join(inside), &name, enter, visit)?,
                Some(_) => true,
                None => visit(name),
            };
            if !go_on {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Whether what stands at a path can be written to only: a pipe, a device, a
/// socket, an open descriptor.
pub fn is_stream(path: &Path) -> bool {
    place::look(path).is_ok_and(|place| place == place::Place::Stream)
}

fn reason_of(error: &io::Error) -> StoreReason {
    match error.kind() {
        io::ErrorKind::NotFound => StoreReason::NotFound,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => StoreReason::Denied,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreReason::Full,
        io::ErrorKind::AlreadyExists => StoreReason::Exists,
        io::ErrorKind::TimedOut => StoreReason::Unreachable,
        _ => StoreReason::Other,
    }
}

#[async_trait::async_trait]
impl StagingStore for LocalStore {
    fn describe(&self) -> &TargetIdentity {
        &self.inner.identity
    }

    fn part_bytes(&self) -> usize {
        self.inner.part_bytes
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn StagedWrite>> {
        let (key, inner) = (key.to_owned(), Arc::clone(&self.inner));
        let write = self
            .blocking(move |store| {
                let path = store.end_of("begin", &key)?;
                let (file, name) =
                    store.create_temporary(&path).map_err(|error| store.error("begin", &key, &error))?;
                Ok(TemporaryWrite::new(inner, file, key, name))
            })
            .await?;
        Ok(Box::new(write))
    }

    async fn abort(&self, staged: &StagedFile) -> Result<()> {
        let staged = staged.clone();
        self.blocking(move |store| store.abort(&staged)).await
    }
}

#[async_trait::async_trait]
impl Store for LocalStore {
    async fn complete(&self, staged: &StagedFile) -> Result<()> {
        let staged = staged.clone();
        self.blocking(move |store| store.complete(&staged)).await
    }

    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        let key = key.to_owned();
        self.blocking(move |store| store.put(&key, &body)).await
    }

    async fn create(&self, key: &str, body: Bytes) -> Result<WriteOutcome> {
        let key = key.to_owned();
        self.blocking(move |store| store.create(&key, &body)).await
    }

    async fn replace(&self, key: &str, body: Bytes, read: Option<&StoredDocument>) -> Result<WriteOutcome> {
        let (key, read) = (key.to_owned(), read.cloned());
        self.blocking(move |store| store.replace(&key, &body, read.as_ref())).await
    }

    async fn get(&self, key: &str) -> Result<Option<StoredDocument>> {
        let key = key.to_owned();
        self.blocking(move |store| store.get(&key)).await
    }

    async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        let key = key.to_owned();
        self.blocking(move |store| {
            let failed = |error: io::Error| store.error("read", &key, &error);
            let file = File::open(store.path(&key)?).map_err(failed)?;
            let bytes = file.metadata().map_err(failed)?.len();
            let (start, end) = (range.start.min(bytes), range.end.min(bytes));
            let mut body = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or_default()];
            file.read_exact_at(&mut body, start).map_err(failed)?;
            Ok(body.into())
        })
        .await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        let key = key.to_owned();
        self.blocking(move |store| match fs::metadata(store.path(&key)?) {
            Ok(found) => {
                let meta = ObjectMeta { bytes: found.len(), identity: None, crc64nvme: None };
                Ok(found.is_file().then_some(meta))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(store.error("look for", &key, &error)),
        })
        .await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.blocking(move |store| {
            let path = store.path(&key)?;
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    Err(store.error("remove", &key, &error))
                }
                _ => {
                    // The partition may be gone with its last file; others may be filling it.
                    let above = path.ancestors().skip(1).take_while(|path| **path != store.root);
                    for directory in above {
                        if fs::remove_dir(directory).is_err() {
                            break;
                        }
                    }
                    Ok(())
                }
            }
        })
        .await
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<String>> {
        let prefix = prefix.to_owned();
        self.blocking(move |store| {
            let mut keys = Vec::new();
            let worth = |directory: &str| {
                let within = directory.starts_with(&prefix) || prefix.starts_with(directory);
                within && !is_hidden(directory.trim_end_matches('/'))
            };
            store.walk(&store.root, "", &worth, &mut |key| {
                if keys.len() < limit && key.starts_with(&prefix) && !is_hidden(&key) {
                    keys.push(key);
                }
                keys.len() < limit
            })?;
            Ok(keys)
        })
        .await
    }

    async fn list_documents(&self, prefix: &str, after: &str) -> Result<Vec<String>> {
        let (prefix, after) = (prefix.to_owned(), after.to_owned());
        self.blocking(move |store| store.list_documents(&prefix, &after)).await
    }

    async fn list_staged(&self, key: Option<&str>) -> Result<Vec<StagedFile>> {
        let inside = key.map(|key| key.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned());
        self.blocking(move |store| store.list_staged(inside.as_deref())).await
    }

    async fn sweep_documents(&self) -> Result<()> {
        self.blocking(Inner::sweep_documents).await
    }
}

#[cfg(test)]
#[path = "local_tests.rs"]
mod tests;
