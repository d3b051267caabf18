//! One input as a stream of UTF-8 text.

use super::Access;
use super::decode::{TextDecoder, encoding_of};
use super::decompress::{CompressionFormat, Decompressor};
use super::detect::{Detected, detect};
use super::kind::NotCsv;
use super::stored::{Opened, Stored};
use super::unpacked::{Unpacked, unpack_error};
use crate::documents::Input;
use crate::error::{Error, Location, Result};
use crate::runtime::{Cancel, Runtime};
use crate::spec::{EncodingName, InvalidBytes};
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
    /// Whether the job or a byte order mark says what the bytes are.
    encoding_given: bool,
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
    /// Stored bytes before the text.
    mark_bytes: u64,
    ended: bool,
}

impl std::fmt::Debug for TextStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TextStream").field("url", &self.url).finish_non_exhaustive()
    }
}

/// How the bytes of an input become text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Decoding {
    /// `dialect.encoding`. A byte order mark outweighs it, and without either
    /// the input is UTF-8.
    pub encoding: Option<&'static Encoding>,
    /// What happens to bytes that the encoding does not allow.
    pub on_invalid: InvalidBytes,
}

impl Decoding {
    /// As a plan or a job says.
    pub fn of(encoding: Option<&EncodingName>, on_invalid: InvalidBytes) -> Self {
        Decoding { encoding: encoding.map(EncodingName::get), on_invalid }
    }
}

/// Opens an input for a blocking thread that does not belong to Tokio.
///
/// `range` is in offsets of the decoded text, has to begin and end at the
/// borders of characters, and is clamped to the end of the input; it works for
/// inputs that are uncompressed UTF-8, decoded strictly. `cancel` ends every
/// wait for the network or a pipe, of the stream too; most pass `runtime.cancel()`.
///
/// # Errors
/// [`crate::error::ErrorKind::Interrupted`] after `cancel`.
/// A source error for an input that cannot be read; an input error if it changed
/// since it was planned, is compressed in a way that is not supported, or is
/// not what its encoding says, or expands beyond `source.max_expansion_ratio`; a usage error for a range of an input that
/// is compressed or not UTF-8, or whose invalid bytes are replaced.
pub fn open(
    input: &Input,
    access: &Access,
    decoding: Decoding,
    range: Option<Range<u64>>,
    runtime: &Runtime,
    cancel: &Cancel,
) -> Result<TextStream> {
    let opened = Opened::new(input, access, runtime, cancel)?;
    match range {
        None => finish_whole(opened.start(None)?, input, access, decoding),
        Some(range) => open_range(opened, &input.url, decoding, range),
    }
}

/// The text of an input whose bytes are on their way from its start.
pub(super) fn finish_whole(
    mut stored: Stored,
    input: &Input,
    access: &Access,
    decoding: Decoding,
) -> Result<TextStream> {
    let url = &input.url;
    stored.fill()?;
    if let Some(other) = NotCsv::of(stored.chunk()) {
        return Err(other.into_error(url));
    }
    let format = CompressionFormat::of(stored.chunk());
    let decompressor =
        Decompressor::new(format).map_err(|problem| unpack_error(problem, Location::object(url)))?;
    let mut bytes = Unpacked::new(stored, decompressor, url, access.max_expansion_ratio);
    bytes.fill_first()?;
    if bytes.is_compressed()
        && let Some(other) = NotCsv::unpacked(format, bytes.chunk())
    {
        return Err(other.into_error(url));
    }
    let (encoding, mark) = encoding_of(bytes.chunk(), decoding.encoding);
    bytes.skip(mark);
    let decoder = TextDecoder::new(encoding, decoding.on_invalid, 0);
    Ok(TextStream {
        encoding_given: decoding.encoding.is_some() || mark > 0,
        mark_bytes: mark as u64,
        ..TextStream::new(url, bytes, decoder)
    })
}

fn open_range(mut opened: Opened, url: &str, decoding: Decoding, range: Range<u64>) -> Result<TextStream> {
    let head = opened.head()?;
    if let Some(other) = NotCsv::of(&head) {
        return Err(other.into_error(url));
    }
    let (encoding, mark) = encoding_of(&head, decoding.encoding);
    let decoder = TextDecoder::new(encoding, decoding.on_invalid, range.start);
    let decompressor = Decompressor::new(CompressionFormat::of(&head))
        .map_err(|problem| unpack_error(problem, Location::object(url)))?;
    let unfit = match decompressor {
        None if decoder.passes_on() => None,
        None if encoding == UTF_8 => Some("whose invalid bytes are replaced"),
        None => Some("that is not UTF-8"),
        Some(_) => Some("that is compressed"),
    };
    if let Some(what) = unfit {
        return Err(Error::usage(format!("{url}: a range of an input {what} cannot be read"))
            .remedy("read the input whole, as one split"));
    }
    let mark = mark as u64;
    let stored = opened.start(Some(range.start.saturating_add(mark)..range.end.saturating_add(mark)))?;
    let bytes = Unpacked::new(stored, None, url, u64::MAX);
    Ok(TextStream { mark_bytes: mark, ..TextStream::new(url, bytes, decoder) })
}

impl TextStream {
    fn new(url: &str, bytes: Unpacked, decoder: TextDecoder) -> Self {
        TextStream {
            url: url.to_owned(),
            bytes,
            start: decoder.offset(),
            decoder,
            mark_bytes: 0,
            encoding_given: true,
            text: Vec::new(),
            sound: 0,
            peeked: Vec::new(),
            peeked_waits: false,
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

    /// Finds the encoding by the first `bytes`, if neither the job nor a byte
    /// order mark says it, and decodes from it from now on. Call it before
    /// anything else is read.
    ///
    /// # Errors
    /// As [`open`].
    pub fn detect_encoding(&mut self, bytes: usize) -> Result<Detected> {
        if self.encoding_given {
            return Ok(Detected::Given);
        }
        let whole = self.bytes.gather(bytes)?;
        let detected = detect(self.bytes.chunk(), whole);
        if let Some(encoding) = detected.encoding() {
            self.decoder = TextDecoder::new(encoding, self.decoder.on_invalid(), self.start);
        }
        Ok(detected)
    }

    fn read(&mut self) -> Result<Option<&[u8]>> {
        match self.advance() {
            Ok(true) if self.decoder.passes_on() => Ok(Some(&self.bytes.chunk()[..self.sound])),
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
            let more = self.bytes.fill(self.decoder.text_offset())?;
            if self.decoder.passes_on() {
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
        self.bytes.stop_with(cancel);
    }

    /// Whether [`open`] could begin in the middle of this input: it is UTF-8
    /// that is not compressed and is decoded strictly.
    pub fn can_be_entered(&self) -> bool {
        self.decoder.passes_on() && !self.bytes.is_compressed()
    }

    /// Bytes of the byte order mark: where it [can be entered], the text is the
    /// stored object without them.
    ///
    /// [can be entered]: TextStream::can_be_entered
    pub fn mark_bytes(&self) -> u64 {
        self.mark_bytes
    }

    /// Bytes taken from the stored object so far, compressed if it is.
    pub fn stored_bytes_read(&self) -> u64 {
        self.bytes.stored_bytes_read()
    }

    /// Bytes that U+FFFD stands for so far, see [`InvalidBytes::Replace`].
    pub fn replaced_bytes(&self) -> u64 {
        self.decoder.replaced_bytes()
    }

    /// Bytes of text given so far.
    pub fn decoded_bytes(&self) -> u64 {
        self.decoder.offset() - self.start
    }
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
