//! Inputs without a size: standard input, FIFOs, devices.
//!
//! Opening and reading them may block forever if no process writes, and cannot
//! be cancelled. So a thread of its own blocks in the system call, and the reader
//! waits for the thread and for the cancel flag. The thread ends with the
//! stream, when the receiver is gone, or with the process.

use super::chunks::Chunks;
use super::decompress::MAGIC_BYTES;
use super::file_failure;
use crate::runtime::Cancel;
use bytes::Bytes;
use std::io::{self, Read};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Bytes that the thread takes at once, and chunks that may wait.
const CHUNK_BYTES: usize = 256 << 10;
const WAITING_CHUNKS: usize = 4;

/// Reads what `open` opens; the first chunk has [`MAGIC_BYTES`] or all there is.
pub(super) fn start<R: Read>(
    url: &str,
    open: impl FnOnce() -> io::Result<R> + Send + 'static,
    runtime: Handle,
    cancel: Cancel,
) -> Chunks {
    let (sender, receiver) = mpsc::channel(WAITING_CHUNKS);
    let chunks = Chunks::new(receiver, url, None, runtime, cancel);
    let url = url.to_owned();
    std::thread::spawn(move || {
        let failed = |error: io::Error| file_failure("read", &url, &error);
        let mut reader = match open() {
            Ok(reader) => reader,
            // The receiver is gone: it is not missed.
            Err(error) => return drop(sender.blocking_send(Err(failed(error)))),
        };
        while let Some(read) = read_some(&mut reader).map_err(failed).transpose() {
            let failed = read.is_err();
            if sender.blocking_send(read).is_err() || failed {
                return;
            }
        }
    });
    chunks
}

/// What is there: at least [`MAGIC_BYTES`], unless the end comes before; `None` at the end.
fn read_some(reader: &mut impl Read) -> io::Result<Option<Bytes>> {
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut filled = 0;
    while filled < MAGIC_BYTES {
        match reader.read(&mut chunk[filled..]) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    chunk.truncate(filled);
    Ok((filled > 0).then(|| chunk.into()))
}
