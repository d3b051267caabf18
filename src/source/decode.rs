//! Bytes in some encoding → UTF-8: strictly, with the place of the first bad
//! byte, or with U+FFFD in place of what is bad, counted.

use crate::error::{Error, InputProblem, Location, Result};
use crate::spec::InvalidBytes;
use encoding_rs::{DecoderResult, Encoding, UTF_8};

/// Bytes that a message shows of a sequence that is not valid.
const SHOWN: usize = 4;

/// What stands for a sequence that is not valid, U+FFFD.
const REPLACEMENT: &str = "\u{fffd}";

/// A decoder of one object, or of a range of it.
///
/// Offsets and lines count in the decoded text, from after the byte order mark.
pub(super) struct TextDecoder {
    kind: Kind,
    encoding: &'static Encoding,
    /// Offset of the next byte of decoded text.
    offset: u64,
    /// Line of the next byte; unknown in a range that does not begin the object.
    line: Option<u64>,
    /// What is wrong with the bytes after those that were passed on last.
    error: Option<Error>,
    on_invalid: InvalidBytes,
    /// Bytes that U+FFFD stands for.
    replaced: u64,
}

enum Kind {
    /// Checked and passed on as it is.
    Utf8 {
        /// The beginning of a character that the last chunk cut.
        cut: Vec<u8>,
    },
    Other {
        decoder: encoding_rs::Decoder,
        /// The last bytes of the chunk before, for messages.
        tail: Vec<u8>,
    },
}

/// The encoding of an object that begins with `head`, and the length of its
/// byte order mark. A mark outweighs what the job says, as everywhere on the Web.
pub(super) fn encoding_of(head: &[u8], named: Option<&'static Encoding>) -> (&'static Encoding, usize) {
    Encoding::for_bom(head).unwrap_or((named.unwrap_or(UTF_8), 0))
}

impl TextDecoder {
    /// A decoder that begins at `offset` of the decoded text, after the mark.
    pub(super) fn new(encoding: &'static Encoding, on_invalid: InvalidBytes, offset: u64) -> Self {
        let kind = if encoding == UTF_8 && on_invalid == InvalidBytes::Error {
            Kind::Utf8 { cut: Vec::new() }
        } else {
            Kind::Other { decoder: encoding.new_decoder_without_bom_handling(), tail: Vec::new() }
        };
        let line = (offset == 0).then_some(1);
        TextDecoder { kind, encoding, offset, line, error: None, on_invalid, replaced: 0 }
    }

    /// Whether text is passed on as it is: [`TextDecoder::check`] instead of
    /// [`TextDecoder::decode`].
    pub(super) fn passes_on(&self) -> bool {
        matches!(self.kind, Kind::Utf8 { .. })
    }

    /// Offset of the next byte of decoded text.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// [`TextDecoder::offset`], if decoded text is as long as its bytes.
    pub(super) fn text_offset(&self) -> Option<u64> {
        self.passes_on().then_some(self.offset)
    }

    pub(super) fn on_invalid(&self) -> InvalidBytes {
        self.on_invalid
    }

    /// Bytes that U+FFFD stands for so far.
    pub(super) fn replaced_bytes(&self) -> u64 {
        self.replaced
    }

    /// Checks UTF-8 that is passed on as it is; it may begin and end within a
    /// character. Says how many bytes are sound: text before a bad byte may hold
    /// an earlier mistake, so it is given first, and the error at the next call.
    pub(super) fn check(&mut self, bytes: &[u8], url: &str) -> Result<usize> {
        self.take_error()?;
        let Kind::Utf8 { cut } = &mut self.kind else { return Ok(bytes.len()) };
        let mut rest = bytes;
        let mut bad = None;
        while !cut.is_empty() && !rest.is_empty() {
            cut.push(rest[0]);
            rest = &rest[1..];
            match std::str::from_utf8(cut) {
                Ok(_) => cut.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    // It began before this chunk.
                    let before = cut.len() - (bytes.len() - rest.len());
                    let mut shown = std::mem::take(cut);
                    shown.extend_from_slice(rest);
                    bad = Some((self.offset - before as u64, shown));
                    rest = &[];
                }
            }
        }
        if let Err(error) = std::str::from_utf8(rest) {
            let valid = error.valid_up_to();
            match error.error_len() {
                None => *cut = rest[valid..].to_vec(),
                Some(_) => {
                    let within = bytes.len() - rest.len() + valid;
                    self.count(&bytes[..within]);
                    let error = self.error(url, self.offset, &rest[valid..]);
                    return self.after(within, error).map(|()| within);
                }
            }
        }
        if let Some((offset, shown)) = bad {
            return Err(self.error(url, offset, &shown));
        }
        self.count(bytes);
        Ok(bytes.len())
    }

    /// Decodes `bytes` and puts the text into `text`, in place of what is there.
    /// Call it once more with `last` at the end of the object. Text before a bad
    /// byte comes before the error, as in [`TextDecoder::check`].
    pub(super) fn decode(&mut self, bytes: &[u8], last: bool, text: &mut Vec<u8>, url: &str) -> Result<()> {
        text.clear();
        self.take_error()?;
        let Kind::Other { decoder, tail } = &mut self.kind else { return Ok(()) };
        let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len());
        // A chunk is far smaller than what overflows; the loop below would do with less room.
        text.resize(room.unwrap_or(bytes.len()).max(4), 0);
        let (mut read, mut written) = (0, 0);
        loop {
            let (result, taken, given) =
                decoder.decode_to_utf8_without_replacement(&bytes[read..], &mut text[written..], last);
            read += taken;
            written += given;
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::OutputFull => text.resize(text.len() * 2, 0),
                DecoderResult::Malformed(length, _) if self.on_invalid == InvalidBytes::Replace => {
                    self.replaced += u64::from(length);
                    let end = written + REPLACEMENT.len();
                    text.resize(text.len().max(end), 0);
                    text[written..end].copy_from_slice(REPLACEMENT.as_bytes());
                    written = end;
                }
                DecoderResult::Malformed(length, after) => {
                    let seen = [tail.as_slice(), &bytes[..read]].concat();
                    let end = seen.len().saturating_sub(usize::from(after));
                    let shown = seen[end.saturating_sub(usize::from(length))..end].to_vec();
                    text.truncate(written);
                    self.count(text);
                    let error = self.error(url, self.offset, &shown);
                    return self.after(written, error);
                }
            }
        }
        text.truncate(written);
        tail.extend_from_slice(&bytes[bytes.len().saturating_sub(2 * SHOWN)..]);
        tail.drain(..tail.len().saturating_sub(2 * SHOWN));
        self.count(text);
        Ok(())
    }

    /// Keeps an error until the `given` bytes before it are through.
    fn after(&mut self, given: usize, error: Error) -> Result<()> {
        if given == 0 {
            return Err(error);
        }
        self.error = Some(error);
        Ok(())
    }

    /// The error that follows the text that was given last.
    pub(super) fn take_error(&mut self) -> Result<()> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// There is no more UTF-8.
    pub(super) fn finish(&mut self, url: &str) -> Result<()> {
        self.take_error()?;
        match &mut self.kind {
            Kind::Utf8 { cut } if !cut.is_empty() => {
                let cut = std::mem::take(cut);
                Err(self.error(url, self.offset - cut.len() as u64, &cut))
            }
            _ => Ok(()),
        }
    }

    fn count(&mut self, text: &[u8]) {
        self.offset += text.len() as u64;
        if let Some(line) = &mut self.line {
            *line += memchr::memchr_iter(b'\n', text).count() as u64;
        }
    }

    fn error(&self, url: &str, offset: u64, bad: &[u8]) -> Error {
        let shown = &bad[..bad.len().min(SHOWN)];
        let bytes = shown.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ");
        let problem = InputProblem::InvalidEncoding { bytes, encoding: self.encoding.name().to_owned() };
        let location = Location { byte_offset: Some(offset), line: self.line, ..Location::object(url) };
        Error::input(problem, location).remedy(
            "set `dialect.encoding` (--encoding) to the encoding that the input is written in, such as \
             `windows-1252`; `sawmill infer` says which it may be",
        )
    }
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
