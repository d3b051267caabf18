//! One input as the bytes that are stored: a file, an object or a pipe.

use super::chunks::Chunks;
use super::decompress::MAGIC_BYTES;
use super::fetch::Fetch;
use super::open::CHUNK_BYTES;
use super::pin::difference;
use super::{Access, STDIN, changed, failure, file_failure, pipe};
use crate::aws::range_time;
use crate::documents::Input;
use crate::error::count::count;
use crate::error::{Error, Result, StoreReason};
use crate::runtime::{Cancel, Runtime};
use crate::spec::location::{in_s3, local_path};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use tokio::runtime::Handle;

/// An input whose place is known, and of which nothing was read.
pub(super) enum Opened {
    /// Standard input, or what stands at a path and is not a plain file.
    Pipe {
        url: String,
        path: Option<PathBuf>,
        runtime: Handle,
        cancel: Cancel,
    },
    File(Pinned),
    Object {
        fetch: Fetch,
        size: u64,
        runtime: Handle,
        cancel: Cancel,
    },
}

impl Opened {
    pub(super) fn new(input: &Input, access: &Access, runtime: &Runtime, cancel: &Cancel) -> Result<Self> {
        let url = &input.url;
        let pipe = |path| {
            let (runtime, cancel) = (runtime.handle(), cancel.clone());
            Ok(Opened::Pipe { url: url.clone(), path, runtime, cancel })
        };
        if url == STDIN {
            return pipe(None);
        }
        if let Some((bucket, key)) = in_s3(url) {
            let path = object_store::path::Path::parse(key).ok().filter(|path| path.as_ref() == key);
            let path = path.ok_or_else(|| {
                failure(
                    "read",
                    url,
                    StoreReason::Other,
                    "keys with empty, `.` or `..` segments cannot be read",
                )
                .remedy("copy the object to a key without them")
            })?;
            let Some(size) = input.bytes else {
                return Err(failure(
                    "read",
                    url,
                    StoreReason::Other,
                    "the plan does not say how large it is",
                )
                .remedy("plan again"));
            };
            let Access { connection, fetch_bytes, fetch_concurrency, .. } = access;
            let store = runtime.block_on(cancel.or(connection.reader(bucket, *fetch_bytes)))?;
            let fetch = Fetch {
                store,
                path,
                input: input.clone(),
                region: connection.region.clone(),
                fetch_bytes: *fetch_bytes as u64,
                concurrency: *fetch_concurrency,
                budget: runtime.budget().clone(),
                time: range_time(&connection.requests, *fetch_bytes),
            };
            return Ok(Opened::Object { fetch, size, runtime: runtime.handle(), cancel: cancel.clone() });
        }
        let path = local_path(url).ok_or_else(|| {
            failure("read", url, StoreReason::Other, "this is not a place to read from")
                .remedy("check `source.inputs` (convert: the input)")
        })?;
        let found = fs::metadata(&path).map_err(|error| file_failure("read", url, &error))?;
        if !found.is_file() {
            // Never opened before it is known what it is: that may wait for ever.
            return difference(input, &found)
                .map_or_else(|| pipe(Some(path)), |what| Err(changed(url, what)));
        }
        let file = File::open(&path).map_err(|error| file_failure("read", url, &error))?;
        let pinned = Pinned { file, path, input: input.clone() };
        pinned.check()?;
        Ok(Opened::File(pinned))
    }

    /// The first bytes of the object, for a stream that begins elsewhere.
    pub(super) fn head(&mut self) -> Result<Vec<u8>> {
        match self {
            Opened::Pipe { url, .. } => Err(no_ranges(url)),
            Opened::File(Pinned { file, input, .. }) => {
                let mut head = Vec::with_capacity(MAGIC_BYTES);
                let read = file.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut head);
                read.map_err(|error| file_failure("read", &input.url, &error))?;
                Ok(head)
            }
            Opened::Object { fetch, size, runtime, cancel } => {
                let head = fetch.get(0..(*size).min(MAGIC_BYTES as u64));
                Ok(runtime.block_on(cancel.or(head))?.to_vec())
            }
        }
    }

    /// Some ranges of stored bytes, each whole: of an object with as many GETs at
    /// once as reading it through has.
    pub(super) async fn ranges(self, ranges: &[Range<u64>]) -> Result<Vec<Vec<u8>>> {
        match self {
            Opened::Pipe { url, .. } => Err(no_ranges(&url)),
            Opened::File(mut pinned) => {
                let read = ranges.iter().map(|range| pinned.read_range(range)).collect::<Result<_>>()?;
                pinned.check()?;
                Ok(read)
            }
            Opened::Object { fetch, .. } => {
                let get = async |range: Range<u64>| Ok(fetch.get(range).await?.to_vec());
                let gets = futures::stream::iter(ranges.iter().cloned()).map(get);
                gets.buffered(fetch.concurrency.max(1)).try_collect().await
            }
        }
    }

    /// Begins to read, all or a range of stored bytes.
    pub(super) fn start(self, range: Option<Range<u64>>) -> Result<Stored> {
        let medium = match self {
            Opened::Pipe { url, path, runtime, cancel } => {
                let chunks = match path {
                    None => pipe::start(&url, || Ok(io::stdin().lock()), runtime, cancel),
                    Some(path) => pipe::start(&url, move || File::open(path), runtime, cancel),
                };
                Medium::Chunks { chunks, chunk: Bytes::new() }
            }
            Opened::File(mut pinned) => {
                let range = range.unwrap_or(0..u64::MAX);
                let bytes = pinned.input.bytes;
                if range.start > 0 || bytes.is_some() {
                    let sought = pinned.file.seek(SeekFrom::Start(range.start));
                    sought.map_err(|error| file_failure("read", &pinned.input.url, &error))?;
                }
                // A file that grows is read to the size that it was planned with, and then found out.
                let end = range.end.min(bytes.unwrap_or(u64::MAX));
                let left = end.saturating_sub(range.start);
                Medium::File { pinned, buffer: vec![0; CHUNK_BYTES], filled: 0, left }
            }
            Opened::Object { fetch, size, runtime, cancel } => {
                let range = range.unwrap_or(0..size);
                let chunks = fetch.start(range.start.min(size)..range.end.min(size), runtime, cancel);
                Medium::Chunks { chunks, chunk: Bytes::new() }
            }
        };
        Ok(Stored { medium, read: 0 })
    }
}

/// An open file, and what it was planned as.
pub(super) struct Pinned {
    file: File,
    path: PathBuf,
    input: Input,
}

impl Pinned {
    /// Compares both the file that is open and the one that stands in its place
    /// with what was planned. It may be gone: what is open is read all the same.
    fn check(&self) -> Result<()> {
        let url = &self.input.url;
        let open = self.file.metadata().map_err(|error| file_failure("read", url, &error))?;
        let standing = fs::metadata(&self.path).ok();
        let differs = |now: &fs::Metadata| difference(&self.input, now);
        match differs(&open).or_else(|| standing.as_ref().and_then(differs)) {
            Some(what) => Err(changed(url, what)),
            None => Ok(()),
        }
    }

    /// The error for a file that ends before it should.
    fn cut_off(&self, missing: u64) -> Error {
        match self.check() {
            Err(changed) => changed,
            Ok(()) => changed(&self.input.url, format!("it ends {} early", count(missing, "byte"))),
        }
    }

    fn read_range(&mut self, range: &Range<u64>) -> Result<Vec<u8>> {
        let wanted = range.end.saturating_sub(range.start);
        let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
        let sought = self.file.seek(SeekFrom::Start(range.start));
        let read = sought.and_then(|_| self.file.by_ref().take(wanted).read_to_end(&mut bytes));
        match read.map_err(|error| file_failure("read", &self.input.url, &error))? as u64 {
            read if read < wanted => Err(self.cut_off(wanted - read)),
            _ => Ok(bytes),
        }
    }
}

fn no_ranges(url: &str) -> Error {
    Error::usage(format!("{url}: a range of an input without a size cannot be read"))
        .remedy("read it whole, as one split")
}

/// Bytes as they are stored, chunk by chunk. The first chunk has
/// [`MAGIC_BYTES`] or all there is.
pub(super) struct Stored {
    medium: Medium,
    read: u64,
}

enum Medium {
    File {
        pinned: Pinned,
        buffer: Vec<u8>,
        filled: usize,
        /// Bytes yet to come, if the file has a size to be read to.
        left: u64,
    },
    Chunks {
        chunks: Chunks,
        chunk: Bytes,
    },
}

impl Stored {
    /// From now on, this flag ends a wait.
    pub(super) fn stop_with(&mut self, cancel: Cancel) {
        if let Medium::Chunks { chunks, .. } = &mut self.medium {
            chunks.stop_with(cancel);
        }
    }

    /// Bytes of all chunks so far.
    pub(super) fn bytes_read(&self) -> u64 {
        self.read
    }

    pub(super) fn chunk(&self) -> &[u8] {
        match &self.medium {
            Medium::File { buffer, filled, .. } => &buffer[..*filled],
            Medium::Chunks { chunk, .. } => chunk,
        }
    }

    /// Gets the next chunk that is not empty; false at the end.
    pub(super) fn fill(&mut self) -> Result<bool> {
        match &mut self.medium {
            Medium::File { pinned, buffer, filled, left } => {
                *filled = 0;
                let has_size = pinned.input.bytes.is_some();
                let wanted = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                // A file of the system may give what it has; less than the magic bytes is no use.
                while *filled < wanted.min(MAGIC_BYTES) {
                    match pinned.file.read(&mut buffer[*filled..wanted]) {
                        Ok(0) if has_size => return Err(pinned.cut_off(*left)),
                        Ok(0) => break,
                        Ok(bytes) => {
                            *filled += bytes;
                            *left -= bytes as u64;
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(file_failure("read", &pinned.input.url, &error)),
                    }
                }
                // The last byte has been read, and is handed out only if it is the planned file's.
                if has_size && *left == 0 {
                    pinned.check()?;
                }
                self.read += *filled as u64;
                Ok(*filled > 0)
            }
            Medium::Chunks { chunks, chunk } => {
                *chunk = chunks.next()?.unwrap_or_default();
                self.read += chunk.len() as u64;
                Ok(!chunk.is_empty())
            }
        }
    }
}
