//! The writer's side: bytes → parts of one size, handed to the task of each target.

use super::{Failure, Message, Sealed, Shared, TargetUpload, TeeFile};
use crate::documents::StagedFile;
use crate::error::{Error, ErrorKind, Result};
use crate::runtime::{Holder, Lease};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use crc_fast::{CrcAlgorithm, Digest as Crc64};
use sha2::{Digest, Sha256};
use std::io;
use std::sync::Arc;

/// Writes one file to every target. For one blocking thread; dropped without
/// [`TeeWriter::finish`], it leaves nothing behind.
pub struct TeeWriter {
    shared: Arc<Shared>,
    failure: Arc<Failure>,
    key: String,
    uploads: Vec<TargetUpload>,
    buffer: Vec<u8>,
    /// Counts the bytes of `buffer`.
    lease: Lease,
    digest: Sha256,
    checksum: Crc64,
    bytes: u64,
    parts: u32,
}

impl std::fmt::Debug for TeeWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TeeWriter")
            .field("key", &self.key)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl TeeWriter {
    pub(super) fn new(
        shared: Arc<Shared>,
        failure: Arc<Failure>,
        key: String,
        uploads: Vec<TargetUpload>,
    ) -> TeeWriter {
        let lease = shared.budget.lease(Holder::Parts, 0);
        TeeWriter {
            shared,
            failure,
            key,
            uploads,
            buffer: Vec::new(),
            lease,
            digest: Sha256::new(),
            checksum: Crc64::new(CrcAlgorithm::Crc64Nvme),
            bytes: 0,
            parts: 0,
        }
    }

    /// Bytes that wait to become a part.
    pub fn bytes_buffered(&self) -> usize {
        self.buffer.len()
    }

    /// The error behind a failed write, once; `io::Error` cannot carry it
    /// through the Parquet library.
    pub fn take_error(&self) -> Option<Error> {
        self.failure.take().or_else(|| self.shared.given_up.check().err())
    }

    /// Waits until every target holds the whole file, durably.
    ///
    /// # Errors
    /// The first failure in any target, or [`ErrorKind::Interrupted`]; then no
    /// target holds the file, at the latest when the factory is gone.
    pub fn finish(mut self) -> Result<TeeFile> {
        // A file without bytes still has a part: S3 completes none without.
        if !self.buffer.is_empty() || self.parts == 0 {
            self.send_part().ok_or_else(|| self.failed())?;
        }
        let mut outcomes = Vec::with_capacity(self.uploads.len());
        for upload in self.uploads.drain(..) {
            // A task that is gone has left its error in `failure`.
            let _ = upload.messages.send(Message::Finish);
            outcomes.push(upload.staged);
        }
        let shared = &self.shared;
        let staged = shared.runtime.block_on(async {
            let mut staged = Vec::with_capacity(outcomes.len());
            for (target, outcome) in outcomes.into_iter().enumerate() {
                tokio::select! {
                    biased;
                    // What is sealed is known to the factory, which removes it.
                    () = shared.given_up.cancelled() => return None,
                    sealed = outcome => staged.extend(sealed.ok().map(|sealed| (target, sealed))),
                }
            }
            if staged.len() == shared.stores.len() {
                return Some(staged.into_iter().map(|(_, sealed)| sealed.file).collect());
            }
            for (target, Sealed { number, file }) in staged {
                shared.abort(number, target, &file).await;
            }
            None
        });
        let mut staged: Vec<StagedFile> = staged.ok_or_else(|| self.failed())?;
        // As S3 writes it: big-endian, in base64.
        let crc64nvme = BASE64.encode(self.checksum.finalize().to_be_bytes());
        staged.iter_mut().for_each(|staged| staged.crc64nvme.clone_from(&crc64nvme));
        let sha256 = hex::encode(std::mem::take(&mut self.digest).finalize());
        Ok(TeeFile { key: std::mem::take(&mut self.key), bytes: self.bytes, sha256, staged })
    }

    fn failed(&self) -> Error {
        self.failure.take().unwrap_or_else(|| ErrorKind::Interrupted.into())
    }

    fn refusal(&self) -> io::Error {
        io::Error::other(format!("{} was given up in a target", self.key))
    }

    /// Hands the buffer to every target; blocks while too much is in flight.
    /// `None` if the file has failed.
    fn send_part(&mut self) -> Option<()> {
        let body = Bytes::from(std::mem::take(&mut self.buffer));
        let shared = &self.shared;
        let lease = shared.runtime.block_on(async {
            tokio::select! {
                biased;
                () = self.failure.failed.cancelled() => None,
                lease = shared.in_flight.lease(body.len() as u64, &shared.given_up) => lease.ok(),
            }
        });
        let lease = Arc::new(lease?);
        self.lease.resize(0);
        self.parts += 1;
        let offset = self.bytes - body.len() as u64;
        for upload in &self.uploads {
            let part =
                Message::Part { number: self.parts, offset, body: body.clone(), lease: Arc::clone(&lease) };
            // A task that is gone has left its error in `failure`.
            let _ = upload.messages.send(part);
        }
        Some(())
    }
}

impl io::Write for TeeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.failure.failed.is_cancelled() || self.shared.given_up.is_cancelled() {
            return Err(self.refusal());
        }
        let room = self.shared.part_bytes - self.buffer.len();
        let taken = &bytes[..bytes.len().min(room)];
        self.buffer.extend_from_slice(taken);
        self.digest.update(taken);
        self.checksum.update(taken);
        self.bytes += taken.len() as u64;
        self.lease.resize(self.buffer.len() as u64);
        if self.buffer.len() == self.shared.part_bytes {
            self.send_part().ok_or_else(|| self.refusal())?;
        }
        Ok(taken.len())
    }

    /// Does nothing: parts but the last have one size.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
