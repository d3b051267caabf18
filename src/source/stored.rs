//! One input as the bytes that are stored: a file, an object or a pipe.

use super::chunks::Chunks;
use super::decompress::MAGIC_BYTES;
use super::fetch::Fetch;
use super::list::modified;
use super::open::CHUNK_BYTES;
use super::{Input, STDIN, connection, failure, file_failure, pipe};
use crate::aws::range_time;
use crate::error::{Error, InputProblem, Location, Result, StoreReason};
use crate::job::location::local_path;
use crate::job::{EngineSpec, SourceSpec};
use crate::runtime::{Cancel, Runtime};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;
use tokio::runtime::Handle;

/// An input whose place is known, and of which nothing was read.
pub(super) enum Opened {
    /// Standard input, or what stands at a path and is no plain file.
    Pipe {
        url: String,
        path: Option<PathBuf>,
        runtime: Handle,
        cancel: Cancel,
    },
    File {
        file: File,
        url: String,
        pinned: Option<u64>,
    },
    Object {
        fetch: Fetch,
        size: u64,
        runtime: Handle,
        cancel: Cancel,
    },
}

impl Opened {
    pub(super) fn new(
        input: &Input,
        spec: &SourceSpec,
        engine: &EngineSpec,
        runtime: &Runtime,
        cancel: &Cancel,
    ) -> Result<Self> {
        let url = &input.url;
        let pipe = |path| {
            let (runtime, cancel) = (runtime.handle(), cancel.clone());
            Ok(Opened::Pipe { url: url.clone(), path, runtime, cancel })
        };
        if url == STDIN {
            return pipe(None);
        }
        if let Some((bucket, key)) = url.strip_prefix("s3://").and_then(|rest| rest.split_once('/')) {
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
            let store =
                runtime.block_on(cancel.or(connection(spec, engine).reader(bucket, engine.fetch_bytes)))?;
            let fetch = Fetch {
                store,
                path,
                input: input.clone(),
                region: spec.region.clone(),
                fetch_bytes: engine.fetch_bytes.max(CHUNK_BYTES) as u64,
                concurrency: engine.fetch_concurrency,
                time: range_time(&engine.requests, engine.fetch_bytes.max(CHUNK_BYTES)),
            };
            return Ok(Opened::Object { fetch, size, runtime: runtime.handle(), cancel: cancel.clone() });
        }
        let path = local_path(url).ok_or_else(|| {
            failure("read", url, StoreReason::Other, "this is no place to read from")
                .remedy("check `source.inputs`")
        })?;
        let found = fs::metadata(&path).map_err(|error| file_failure("read", url, &error))?;
        match (found.is_file(), input.bytes) {
            (true, _) => {}
            (false, None) => return pipe(Some(path)),
            (false, Some(_)) => return Err(changed(url, "it was a plain file and is none".to_owned())),
        }
        let file = File::open(&path).map_err(|error| file_failure("read", url, &error))?;
        let found = file.metadata().map_err(|error| file_failure("read", url, &error))?;
        if let Some(bytes) = input.bytes.filter(|bytes| *bytes != found.len()) {
            return Err(changed(url, format!("it had {bytes} bytes and has {}", found.len())));
        }
        match (&input.last_modified, modified(&found)) {
            (Some(then), Some(now)) if *then != now && input.bytes.is_some() => {
                return Err(changed(url, format!("it was of {then} and is of {now}")));
            }
            _ => {}
        }
        Ok(Opened::File { file, url: url.clone(), pinned: input.bytes })
    }

    /// The first bytes of the object, for a stream that begins elsewhere.
    pub(super) fn head(&mut self) -> Result<Vec<u8>> {
        match self {
            Opened::Pipe { url, .. } => Err(no_ranges(url)),
            Opened::File { file, url, .. } => {
                let mut head = Vec::with_capacity(MAGIC_BYTES);
                let read = file.by_ref().take(MAGIC_BYTES as u64).read_to_end(&mut head);
                read.map_err(|error| file_failure("read", url, &error))?;
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
            Opened::File { mut file, url, .. } => {
                let read = |range: &Range<u64>| read_range(&mut file, &url, range);
                ranges.iter().map(read).collect()
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
            Opened::File { mut file, url, pinned } => {
                let range = range.unwrap_or(0..u64::MAX);
                if range.start > 0 || pinned.is_some() {
                    let sought = file.seek(SeekFrom::Start(range.start));
                    sought.map_err(|error| file_failure("read", &url, &error))?;
                }
                // A file that grows is read to the size that it was planned with.
                let end = range.end.min(pinned.unwrap_or(u64::MAX));
                Medium::File {
                    file,
                    url,
                    buffer: vec![0; CHUNK_BYTES],
                    filled: 0,
                    left: end.saturating_sub(range.start),
                    pinned: pinned.is_some(),
                }
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

fn read_range(file: &mut File, url: &str, range: &Range<u64>) -> Result<Vec<u8>> {
    let wanted = range.end.saturating_sub(range.start);
    let mut bytes = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
    let sought = file.seek(SeekFrom::Start(range.start));
    let read = sought.and_then(|_| file.take(wanted).read_to_end(&mut bytes));
    match read.map_err(|error| file_failure("read", url, &error))? as u64 {
        read if read < wanted => Err(changed(url, format!("it ends {} bytes early", wanted - read))),
        _ => Ok(bytes),
    }
}

fn no_ranges(url: &str) -> Error {
    Error::usage(format!("{url}: a range of an input without a size cannot be read"))
        .remedy("read it whole, as one split")
}

fn changed(url: &str, what: String) -> Error {
    Error::input(InputProblem::Changed { what }, Location::object(url))
        .remedy("run again, so that the file is planned as it is now")
}

/// Bytes as they are stored, chunk by chunk. The first chunk has
/// [`MAGIC_BYTES`] or all there is.
pub(super) struct Stored {
    medium: Medium,
    read: u64,
}

enum Medium {
    File {
        file: File,
        url: String,
        buffer: Vec<u8>,
        filled: usize,
        left: u64,
        /// Whether the end has to be where `left` says.
        pinned: bool,
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
            Medium::File { file, url, buffer, filled, left, pinned } => {
                *filled = 0;
                let wanted = usize::try_from(*left).unwrap_or(usize::MAX).min(buffer.len());
                // A file of the system may give what it has; less than the magic bytes is no use.
                while *filled < wanted.min(MAGIC_BYTES) {
                    match file.read(&mut buffer[*filled..wanted]) {
                        Ok(0) if *pinned => {
                            return Err(changed(url, format!("it ends {left} bytes early")));
                        }
                        Ok(0) => break,
                        Ok(bytes) => {
                            *filled += bytes;
                            *left -= bytes as u64;
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(file_failure("read", url, &error)),
                    }
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
