//! Staged files: temporary ones beside the place where they end up, which is taken by a rename.

use super::documents::is_document;
use super::{Inner, blocking, place};
use crate::documents::{StagedFile, StagedPart, Staging};
use crate::error::count::{agree, count};
use crate::error::{Error, Result};
use crate::store::StagedWrite;
use crate::store::target::random_suffix;
use bytes::Bytes;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) const TEMPORARY_SUFFIX: &str = ".sawmill-tmp";

/// Bytes of the final name that a temporary name repeats, so that it stays
/// within the 255 that file systems allow.
const NAME_SHOWN: usize = 200;

/// How often `begin` makes its directories again when an abort in the same
/// directory removes them in between.
const BEGIN_TRIES: usize = 16;

impl Inner {
    pub(super) fn create_temporary(&self, path: &Path) -> io::Result<(File, String)> {
        let directory = path.parent().unwrap_or(&self.root);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let shown = &name[..name.floor_char_boundary(NAME_SHOWN)];
        let mut tries = 0;
        loop {
            self.make_directory(directory)?;
            let temporary = format!(".{shown}.{}{TEMPORARY_SUFFIX}", random_suffix());
            match OpenOptions::new().write(true).create_new(true).open(directory.join(&temporary)) {
                Ok(file) => return Ok((file, temporary)),
                Err(error) => {
                    tries += 1;
                    let again =
                        matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists);
                    if !again || tries == BEGIN_TRIES {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// The temporary file of a staged one, which ends up at `path`.
    fn temporary_of(&self, path: PathBuf, staged: &StagedFile) -> Result<(PathBuf, PathBuf)> {
        match &staged.staging {
            Staging::TemporaryFile { name } if is_temporary(name) && !name.contains('/') => {
                let temporary = path.with_file_name(name);
                Ok((path, temporary))
            }
            _ => Err(Error::usage(format!(
                "{:?} was not staged in a local directory: the targets changed after it was staged",
                staged.key
            ))
            .remedy("commit with the `targets` of the job file that the tasks were run with")),
        }
    }

    pub(super) fn complete(&self, staged: &StagedFile) -> Result<()> {
        let (path, temporary) = self.temporary_of(self.end_of("complete", &staged.key)?, staged)?;
        let failed = |error: io::Error| self.error("complete", &staged.key, &error);
        match fs::metadata(&temporary) {
            Ok(found) if found.len() != staged.bytes => {
                let what = format!(
                    "{} {} staged, and {} there",
                    count(staged.bytes, "byte"),
                    agree(staged.bytes, "was", "were"),
                    found.len()
                );
                return Err(failed(io::Error::other(what)));
            }
            Ok(_) => fs::rename(&temporary, &path).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => match fs::metadata(&path) {
                Ok(found) if found.is_file() && found.len() == staged.bytes => {}
                _ => return Err(failed(error)),
            },
            Err(error) => return Err(failed(error)),
        }
        self.sync_directory(path.parent().unwrap_or(&self.root)).map_err(failed)
    }

    pub(super) fn abort(&self, staged: &StagedFile) -> Result<()> {
        // Whatever has come to stand in its place meanwhile.
        let place = self.path(&staged.key)?;
        let (path, temporary) = self.temporary_of(place::replaceable(&place).unwrap_or(place), staged)?;
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(self.error("remove the staged file of", &staged.key, &error));
            }
            _ => {}
        }
        self.remove_empty(path.parent().unwrap_or(&self.root));
        Ok(())
    }

    /// What is staged below the root, or in one `directory` of it alone.
    pub(super) fn list_staged(&self, directory: Option<&str>) -> Result<Vec<StagedFile>> {
        let mut staged = Vec::new();
        let (start, above, deep) = match directory {
            None => (self.root.clone(), String::new(), true),
            Some("") => (self.root.clone(), String::new(), false),
            Some(directory) => (self.root.join(directory), format!("{directory}/"), false),
        };
        self.walk(&start, &above, &|_| deep, &mut |key| {
            if is_document(&key) {
                return true;
            }
            let (directory, name) = key.rsplit_once('/').map_or(("", key.as_str()), |(d, n)| (d, n));
            // `.<name>.<random>.sawmill-tmp`; a name that was cut stays cut, which abort does not mind.
            let inside = name.strip_prefix('.').and_then(|rest| rest.strip_suffix(TEMPORARY_SUFFIX));
            if let Some((shown, _random)) = inside.and_then(|rest| rest.rsplit_once('.')) {
                let slash = if directory.is_empty() { "" } else { "/" };
                let bytes = fs::metadata(self.root.join(&key)).map_or(0, |found| found.len());
                let staging = Staging::TemporaryFile { name: name.to_owned() };
                let key = format!("{directory}{slash}{shown}");
                staged.push(StagedFile { key, bytes, crc64nvme: String::new(), staging });
            }
            true
        })?;
        Ok(staged)
    }
}

pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(TEMPORARY_SUFFIX)
}

/// A temporary file being written.
pub(super) struct TemporaryWrite(Arc<Temporary>);

struct Temporary {
    inner: Arc<Inner>,
    file: File,
    key: String,
    name: String,
}

impl TemporaryWrite {
    pub(super) fn new(inner: Arc<Inner>, file: File, key: String, name: String) -> Self {
        TemporaryWrite(Arc::new(Temporary { inner, file, key, name }))
    }
}

#[async_trait::async_trait]
impl StagedWrite for TemporaryWrite {
    async fn put_part(&self, number: u32, offset: u64, body: Bytes) -> Result<StagedPart> {
        blocking(Arc::clone(&self.0), move |write| {
            write
                .file
                .write_all_at(&body, offset)
                .map_err(|error| write.inner.error("write", &write.key, &error))?;
            Ok(StagedPart { number, bytes: body.len() as u64, etag: String::new() })
        })
        .await
    }

    async fn seal(&self, parts: Vec<StagedPart>) -> Result<StagedFile> {
        let mut staged = self.handle();
        staged.bytes = parts.iter().map(|part| part.bytes).sum();
        blocking(Arc::clone(&self.0), |write| {
            write.file.sync_all().map_err(|error| write.inner.error("make durable", &write.key, &error))
        })
        .await?;
        Ok(staged)
    }

    fn handle(&self) -> StagedFile {
        let staging = Staging::TemporaryFile { name: self.0.name.clone() };
        StagedFile { key: self.0.key.clone(), bytes: 0, crc64nvme: String::new(), staging }
    }
}
