//! Standard input that can be interrupted.

use crate::runtime::Cancel;
use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use std::io::{self, Read};
use std::time::Duration;

/// Bytes that the thread takes at once, and chunks that may wait.
const CHUNK_BYTES: usize = 256 << 10;
const WAITING_CHUNKS: usize = 4;

/// How long a signal may go unnoticed while nothing arrives.
const PATIENCE: Duration = Duration::from_millis(100);

/// A pipe may stay silent for ever, and a read of it cannot be called off. So
/// a thread of its own waits for it, and the reader waits for the thread, with
/// an eye on the flag. The thread ends with the stream, or with the process.
pub(super) struct Stdin {
    chunks: Receiver<io::Result<Vec<u8>>>,
    chunk: io::Cursor<Vec<u8>>,
    cancel: Cancel,
}

/// What a read gives after somebody asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Stopped;

impl Stdin {
    pub(super) fn new(cancel: Cancel) -> Self {
        let (sender, chunks) = bounded(WAITING_CHUNKS);
        std::thread::spawn(move || {
            let mut stdin = io::stdin().lock();
            loop {
                let mut chunk = vec![0; CHUNK_BYTES];
                let read = match stdin.read(&mut chunk) {
                    Ok(0) => return,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Ok(bytes) => {
                        chunk.truncate(bytes);
                        Ok(chunk)
                    }
                    Err(error) => Err(error),
                };
                if sender.send(read).is_err() {
                    return;
                }
            }
        });
        Stdin { chunks, chunk: io::Cursor::default(), cancel }
    }
}

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            if self.cancel.is_cancelled() {
                return Err(io::Error::other(Stopped));
            }
            match self.chunks.recv_timeout(PATIENCE) {
                Ok(chunk) => self.chunk = io::Cursor::new(chunk?),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
    }
}
