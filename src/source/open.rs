//! One input as a stream of UTF-8 text.

use super::Input;
use super::decode::{TextDecoder, encoding_of};
use super::decompress::{Decompressor, Format};
use super::stored::{Opened, Stored};
use crate::error::{Error, InputProblem, Location, Result};
use crate::job::dialect::encoding_named;
use crate::job::{EngineSpec, SourceSpec};
use crate::runtime::{Cancel, Runtime};
use encoding_rs::{Encoding, UTF_8};
use std::ops::Range;

/// Bytes that are read, decompressed or decoded at once: within the second-level
/// cache of current servers, and enough for a system call not to matter.
pub(super) const CHUNK_BYTES: usize = 1 << 20;

/// The text of one input, chunk by chunk. Dropping it stops what is under way.
///
/// Offsets are in the decoded text, without its byte order mark.
pub struct TextStream {
    url: String,
    bytes: Unpacked,
    decoder: TextDecoder,
    /// Text where it is not passed on as it is.
    text: Vec<u8>,
    /// Where it is, how much of the chunk is valid UTF-8.
    sound: usize,
    /// What [`TextStream::peek`] has looked at.
    peeked: Vec<u8>,
    /// Whether `next` has yet to give it.
    peeked_waits: bool,
    /// Offset of the first byte of this stream.
    start: u64,
    ended: bool,
}

impl std::fmt::Debug for TextStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextStream").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Opens an input for a blocking thread that does not belong to Tokio.
///
/// `encoding` is `dialect.encoding`; a byte order mark outweighs it, and without
/// either the input is UTF-8. `range` is in offsets of the decoded text, has to
/// begin and end at the borders of characters, and is clamped to the end of the
/// input; it works for inputs that are uncompressed UTF-8. `cancel` ends every
/// wait for the network or a pipe, of the stream too; most pass `runtime.cancel()`.
///
/// # Errors
/// [`crate::error::ErrorKind::Interrupted`] after `cancel`.
/// A source error for an input that cannot be read; an input error if it changed
/// since it was planned, is compressed in a way that is not supported, or is
/// not what its encoding says; a job error for an unknown encoding; a usage
/// error for a range of an input that is compressed or not UTF-8.
pub fn open(
    input: &Input,
    spec: &SourceSpec,
    engine: &EngineSpec,
    encoding: Option<&str>,
    range: Option<Range<u64>>,
    runtime: &Runtime,
    cancel: &Cancel,
) -> Result<TextStream> {
    let named = encoding.map(encoding_named).transpose().map_err(|problem| problem.into_error("dialect"))?;
    let opened = Opened::new(input, spec, engine, runtime, cancel)?;
    match range {
        None => open_whole(opened, &input.url, named),
        Some(range) => open_range(opened, &input.url, named, range),
    }
}

fn open_whole(opened: Opened, url: &str, named: Option<&'static Encoding>) -> Result<TextStream> {
    let mut stored = opened.start(None)?;
    stored.fill()?;
    let decompressor = Decompressor::new(Format::of(stored.chunk()))
        .map_err(|problem| unpack_error(problem, Location::object(url)))?;
    let mut bytes = Unpacked::new(stored, decompressor, url);
    bytes.fill_first()?;
    let (encoding, mark) = encoding_of(bytes.chunk(), named);
    bytes.skip(mark);
    Ok(TextStream::new(url, bytes, encoding, 0))
}

fn open_range(
    mut opened: Opened,
    url: &str,
    named: Option<&'static Encoding>,
    range: Range<u64>,
) -> Result<TextStream> {
    let head = opened.head()?;
    let (encoding, mark) = encoding_of(&head, named);
    let decompressor = Decompressor::new(Format::of(&head))
        .map_err(|problem| unpack_error(problem, Location::object(url)))?;
    let unfit = match decompressor {
        None if encoding == UTF_8 => None,
        None => Some("not UTF-8"),
        Some(_) => Some("compressed"),
    };
    if let Some(what) = unfit {
        return Err(Error::usage(format!("{url}: a range of an input that is {what} cannot be read"))
            .remedy("read the input whole, as one split"));
    }
    let mark = mark as u64;
    let stored = opened.start(Some(range.start.saturating_add(mark)..range.end.saturating_add(mark)))?;
    Ok(TextStream::new(url, Unpacked::new(stored, None, url), encoding, range.start))
}

impl TextStream {
    fn new(url: &str, bytes: Unpacked, encoding: &'static Encoding, start: u64) -> Self {
        let decoder = TextDecoder::new(encoding, start);
        TextStream {
            url: url.to_owned(),
            bytes,
            decoder,
            text: Vec::new(),
            sound: 0,
            peeked: Vec::new(),
            peeked_waits: false,
            start,
            ended: false,
        }
    }

    /// The next text, `None` at the end. Chunks are never empty, and may end
    /// within a character, which the next one then continues. Blocks.
    ///
    /// # Errors
    /// As [`open`]. After an error there is no more text.
    #[allow(clippy::should_implement_trait, reason = "what it gives borrows from the stream")]
    pub fn next(&mut self) -> Result<Option<&[u8]>> {
        if std::mem::take(&mut self.peeked_waits) && !self.peeked.is_empty() {
            return Ok(Some(&self.peeked));
        }
        self.read()
    }

    /// The first text, at least `bytes` of it unless the stream ends before,
    /// and whether it does. [`TextStream::next`] gives the same text again.
    /// Call it before any `next`.
    ///
    /// # Errors
    /// As [`open`].
    pub fn peek(&mut self, bytes: usize) -> Result<(&[u8], bool)> {
        let mut text = Vec::new();
        while text.len() < bytes {
            match self.read()? {
                Some(more) => text.extend_from_slice(more),
                None => break,
            }
        }
        self.peeked = text;
        self.peeked_waits = true;
        Ok((&self.peeked, self.ended))
    }

    fn read(&mut self) -> Result<Option<&[u8]>> {
        match self.advance() {
            Ok(true) if self.decoder.is_utf8() => Ok(Some(&self.bytes.chunk()[..self.sound])),
            Ok(true) => Ok(Some(&self.text)),
            Ok(false) => {
                self.ended = true;
                Ok(None)
            }
            Err(error) => {
                self.ended = true;
                Err(error)
            }
        }
    }

    fn advance(&mut self) -> Result<bool> {
        self.decoder.take_error()?;
        while !self.ended {
            // What stood in the chunk was handed out by the call before.
            let more = self.bytes.fill(self.decoder.offset())?;
            if self.decoder.is_utf8() {
                if !more {
                    self.decoder.finish(&self.url)?;
                    return Ok(false);
                }
                self.sound = self.decoder.check(self.bytes.chunk(), &self.url)?;
                return Ok(true);
            }
            self.ended = !more;
            let bytes = if more { self.bytes.chunk() } else { &[] };
            self.decoder.decode(bytes, !more, &mut self.text, &self.url)?;
            if !self.text.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// From now on, this flag ends a wait in [`TextStream::next`], in place of
    /// the one that [`open`] was given.
    pub fn stop_with(&mut self, cancel: Cancel) {
        self.bytes.stored.stop_with(cancel);
    }

    /// Whether [`open`] could begin in the middle of this input: it is UTF-8
    /// that is not compressed.
    pub fn can_be_entered(&self) -> bool {
        self.decoder.is_utf8() && self.bytes.decompressor.is_none()
    }

    /// Bytes taken from the stored object so far, compressed if it is.
    pub fn stored_bytes_read(&self) -> u64 {
        self.bytes.stored.bytes_read()
    }

    /// Bytes of text given so far.
    pub fn decoded_bytes(&self) -> u64 {
        self.decoder.offset() - self.start
    }
}

/// The decompressed bytes of an object, chunk by chunk.
struct Unpacked {
    url: String,
    stored: Stored,
    decompressor: Option<Decompressor>,
    /// Decompressed bytes.
    out: Vec<u8>,
    /// How much of the stored chunk the decompressor has taken.
    taken: usize,
    /// Bytes at the beginning of the chunk that are not given: the byte order mark.
    skipped: usize,
    /// The first chunk is there, and was not given.
    first: bool,
    ended: bool,
}

impl Unpacked {
    fn new(stored: Stored, decompressor: Option<Decompressor>, url: &str) -> Self {
        Unpacked {
            url: url.to_owned(),
            stored,
            decompressor,
            out: Vec::new(),
            taken: 0,
            skipped: 0,
            first: false,
            ended: false,
        }
    }

    fn chunk(&self) -> &[u8] {
        let chunk = if self.decompressor.is_some() { &self.out } else { self.stored.chunk() };
        chunk.get(self.skipped..).unwrap_or_default()
    }

    fn skip(&mut self, bytes: usize) {
        self.skipped = bytes;
    }

    /// Gets the first chunk without giving it; the stored one is there already.
    fn fill_first(&mut self) -> Result<()> {
        self.first =
            if self.decompressor.is_some() { self.fill(0)? } else { !self.stored.chunk().is_empty() };
        self.ended = !self.first;
        Ok(())
    }

    /// Gets the next chunk that is not empty; false at the end. `offset` is how
    /// far the decoded text has come, for messages.
    fn fill(&mut self, offset: u64) -> Result<bool> {
        if std::mem::take(&mut self.first) && !self.chunk().is_empty() {
            return Ok(true);
        }
        self.skipped = 0;
        if self.ended {
            return Ok(false);
        }
        let Some(decompressor) = &mut self.decompressor else { return self.stored.fill() };
        self.out.clear();
        self.out.reserve_exact(CHUNK_BYTES);
        loop {
            let full = self.out.len() == self.out.capacity();
            let rest = self.stored.chunk().get(self.taken..).unwrap_or_default();
            let given = self.out.len();
            let pushed = if full { Ok(0) } else { decompressor.push(rest, &mut self.out) };
            let at = |given: usize| Location {
                byte_offset: Some(offset + given as u64),
                ..Location::object(&self.url)
            };
            let taken = pushed.map_err(|problem| unpack_error(problem, at(given)))?;
            self.taken += taken;
            if self.out.len() == self.out.capacity() {
                return Ok(true);
            }
            // Room is left, so all input is taken.
            self.taken = 0;
            if !self.stored.fill()? {
                self.ended = true;
                decompressor.finish().map_err(|problem| unpack_error(problem, at(self.out.len())))?;
                return Ok(!self.out.is_empty());
            }
        }
    }
}

fn unpack_error(problem: InputProblem, location: Location) -> Error {
    let remedy = match problem {
        InputProblem::TruncatedCompression { .. } => {
            "the object was cut when it was written or copied: get it again"
        }
        InputProblem::UnsupportedCompression { .. } => "unpack it, and compress it with gzip or zstd",
        _ => "get the object again, or compress it anew with gzip or zstd",
    };
    Error::input(problem, location).remedy(remedy)
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
