//! A file that one target lost ← another target that has it.
//!
//! Uploads expire by lifecycle rules, buckets are emptied, and a target may be
//! added to a job: the twin's bytes, whose SHA-256 the log knows, serve for all.

use super::apply::staged_in;
use super::documents::{Event, StagedData, published_key};
use super::log::{Appended, History, Tenure};
use super::table::Table;
use crate::documents::{ManifestFile, StagedFile};
use crate::error::{Error, ErrorKind, Result, StoreReason};
use crate::spec::WriteMode;
use crate::store::{StagedWrite, Store};
use sha2::{Digest, Sha256};
use std::sync::Arc;

impl Table {
    /// Sees to it that a target holds a file of a version whose upload is gone: it
    /// may be there all the same, or is copied from the first other target that has
    /// it, or that still can make it visible. Nothing is done for a file of the past.
    pub(super) async fn repair_file(
        &self,
        file: &StagedData,
        version: u64,
        target: usize,
        tenure: Tenure,
    ) -> Result<Repaired> {
        if holds(self.stores()[target].as_ref(), &file.file).await? {
            return Ok(Repaired::There);
        }
        let mut failure = None;
        for (position, twin) in self.stores().iter().enumerate() {
            if position == target {
                continue;
            }
            if let Some(staged) = staged_in(file, position)
                && !matches!(twin.head(&file.file.key).await, Ok(Some(_)))
                && let Err(error) = twin.complete(staged).await
            {
                tracing::debug!(%error, "this target does not have the file either");
                continue;
            }
            match self.copy(file, version, tenure, (twin, &self.stores()[target])).await {
                Ok(repaired) => return Ok(repaired),
                Err(error) => {
                    tracing::warn!(%error, "a lost file could not be copied from this target");
                    let is_held = is_refusal(&error) || holds(twin.as_ref(), &file.file).await?;
                    failure = Some(error).filter(|_| is_held).or(failure);
                }
            }
        }
        if self.is_past(&file.file.key, version, tenure).await? {
            return Ok(Repaired::Removed);
        }
        // Another process may have copied it meanwhile, finished the version, and then removed this
        // copy's upload as one that is no longer needed.
        if holds(self.stores()[target].as_ref(), &file.file).await? {
            return Ok(Repaired::There);
        }
        // A file that is held and cannot be copied is not lost: perhaps a permission is missing, or a
        // run has swept the copy's upload away.
        failure.map_or(Ok(Repaired::NoTwin), Err)
    }

    /// Whether a file is of the past: its version is published, and a later one
    /// removes it. As long as the version is not published, it has to be there all the same.
    async fn is_past(&self, key: &str, version: u64, tenure: Tenure) -> Result<bool> {
        if version > tenure.published_until && self.home().head(&published_key(version)).await?.is_none() {
            return Ok(false);
        }
        for later in self.history().await?.commits_after(version) {
            let removes =
                later.commit.mode == WriteMode::OverwritePartitions || !later.commit.replaces.is_empty();
            if removes && self.changes(&later.commit).await?.deletes.iter().flatten().any(|gone| gone == key)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Streams a visible file from one target to another, and makes it visible
    /// there once its bytes are those that the log knows.
    ///
    /// Whoever copies may stand still for long, while others finish the version
    /// and decide and apply one that removes the file. It is only applied once this one is
    /// published. If both can be seen when the upload is open, it is given up;
    /// otherwise whoever removes the file finds the upload open, and aborts it. Either way
    /// the file does not come back.
    async fn copy(
        &self,
        file: &StagedData,
        version: u64,
        tenure: Tenure,
        (from, to): (&Arc<dyn Store>, &Arc<dyn Store>),
    ) -> Result<Repaired> {
        let file = &file.file;
        let write = to.begin(&file.key).await?;
        let number = self.copy_begins(to, write.handle());
        let done = async {
            if self.is_past(&file.key, version, tenure).await? {
                return Ok(Repaired::Removed);
            }
            // The same holds of a version that follows the log of another home, which cannot be seen here.
            self.check_epoch_in(to.as_ref(), tenure.epoch).await?;
            let staged = stage_copy(file, from.as_ref(), to.as_ref(), write.as_ref()).await?;
            to.complete(&staged).await?;
            Ok(Repaired::Copied)
        };
        let done = done.await;
        if !matches!(done, Ok(Repaired::Copied)) {
            remove(to.as_ref(), &write.handle()).await;
        }
        self.copy_ended(number);
        done
    }

    /// Says in the log that files of a target were copied there from another.
    pub(super) async fn note_repair(&self, history: &mut History, target: usize, files: u64) -> Result<()> {
        let event = Event::Repair { target: self.stores()[target].describe().url.clone(), files };
        loop {
            if let Appended::Here = self.append(history, event.clone()).await? {
                return Ok(());
            }
            self.catch_up(history).await?;
        }
    }
}

/// Whether an error says nothing of a file, but that a target does not answer or permit.
fn is_refusal(error: &Error) -> bool {
    let is_gone = |reason| matches!(reason, StoreReason::NotFound | StoreReason::NoBucket);
    matches!(error.kind(), ErrorKind::Target(failure) if !is_gone(failure.reason))
}

/// How a lost file came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repaired {
    /// It was there.
    There,
    /// It was copied from another target.
    Copied,
    /// No other target has it.
    NoTwin,
    /// It is of the past: a later version removes it.
    Removed,
}

/// Whether a target holds a file, byte for byte. Reads it.
pub(super) async fn holds(store: &dyn Store, file: &ManifestFile) -> Result<bool> {
    match store.head(&file.key).await? {
        Some(found) if found.bytes == file.bytes => match sha256(store, file).await {
            // A run that overwrites has removed it since.
            Err(error) if is_gone(&error) => Ok(false),
            digest => Ok(digest? == file.sha256),
        },
        _ => Ok(false),
    }
}

/// Whether an error says that what was asked for is not there.
pub(super) fn is_gone(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Target(failure) if failure.reason == StoreReason::NotFound)
}

/// SHA-256 of a visible file's bytes as they are.
async fn sha256(store: &dyn Store, file: &ManifestFile) -> Result<String> {
    let mut digest = Sha256::new();
    let mut offset = 0;
    while offset < file.bytes {
        let body = store.read(&file.key, offset..file.bytes.min(offset + store.part_bytes() as u64)).await?;
        if body.is_empty() {
            break;
        }
        digest.update(&body);
        offset += body.len() as u64;
    }
    Ok(hex::encode(digest.finalize()))
}

/// Reads a visible file and stages it anew, if its bytes are right.
async fn stage_copy(
    file: &ManifestFile,
    from: &dyn Store,
    to: &dyn Store,
    write: &dyn StagedWrite,
) -> Result<StagedFile> {
    let mut digest = Sha256::new();
    let mut parts = Vec::new();
    let mut offset = 0;
    while offset < file.bytes || parts.is_empty() {
        let end = (offset + to.part_bytes() as u64).min(file.bytes);
        let body = from.read(&file.key, offset..end).await?;
        if body.len() as u64 != end - offset {
            return Err(differs(from, &file.key));
        }
        digest.update(&body);
        parts.push(write.put_part(parts.len() as u32 + 1, offset, body).await?);
        offset = end;
    }
    if hex::encode(digest.finalize()) != file.sha256 {
        return Err(differs(from, &file.key));
    }
    write.seal(parts).await
}

async fn remove(store: &dyn Store, staged: &StagedFile) {
    if let Err(error) = store.abort(staged).await {
        tracing::warn!(%error, key = staged.key, "a staged file could not be removed");
    }
}

fn differs(store: &dyn Store, key: &str) -> Error {
    let message = format!("{}{key} does not have the bytes that were written", store.describe().url);
    Error::new(ErrorKind::Damage { message })
        .remedy("restore it from an object version, or run its inputs again with --reprocess")
}
