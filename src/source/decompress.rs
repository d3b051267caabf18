//! gzip and zstd by magic number, sans I/O: bytes in, bytes out.

use crate::error::InputProblem;
use flate2::{FlushDecompress, Status};
use zstd::stream::raw::{InBuffer, Operation, OutBuffer};

/// Bytes that [`Format::of`] wants to see, if the object has that many.
pub(super) const MAGIC_BYTES: usize = 16;

/// Window of gzip: 15 bits, the largest that DEFLATE (RFC 1951) knows.
const GZIP_WINDOW_BITS: u8 = 15;

/// How an object is stored, by its first bytes and never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// As it is.
    Plain,
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames.
    Zstd,
    /// Recognized, and not read.
    Unsupported(&'static str),
}

impl Format {
    /// The format of an object that begins with `head`.
    pub(super) fn of(head: &[u8]) -> Format {
        match head {
            // 8 is DEFLATE, the one method that RFC 1952 defines.
            [0x1f, 0x8b, 8, ..] => Format::Gzip,
            // A frame, or one that may be skipped (RFC 8878, section 3.1).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Format::Zstd,
            // With the block's magic: text may begin with "BZh".
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => {
                Format::Unsupported("bzip2")
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Format::Unsupported("xz"),
            [b'P', b'K', 3, 4, ..] => Format::Unsupported("zip"),
            _ => Format::Plain,
        }
    }
}

/// A decompressor of one object.
pub(super) enum Decompressor {
    Gzip {
        member: flate2::Decompress,
        /// How far the current member's header, body and trailer have come.
        state: Member,
    },
    Zstd {
        frames: zstd::stream::raw::Decoder<'static>,
        /// Whether a frame has begun and not ended.
        inside: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Member {
    /// Before the first byte of a member.
    Between,
    /// Within a member.
    Inside,
    /// In the zeros that pad a tape's last block, which gzip(1) takes too.
    Padding,
}

impl Decompressor {
    /// For an object of this format; `None` for a plain one.
    ///
    /// # Errors
    /// [`InputProblem::UnsupportedCompression`].
    pub(super) fn new(format: Format) -> Result<Option<Decompressor>, InputProblem> {
        match format {
            Format::Plain => Ok(None),
            Format::Gzip => Ok(Some(Decompressor::Gzip {
                member: flate2::Decompress::new_gzip(GZIP_WINDOW_BITS),
                state: Member::Between,
            })),
            Format::Zstd => zstd::stream::raw::Decoder::new()
                .map(|frames| Some(Decompressor::Zstd { frames, inside: false }))
                .map_err(|error| damaged("zstd", error)),
            Format::Unsupported(format) => Err(InputProblem::UnsupportedCompression { format }),
        }
    }

    /// Takes from `input`, appends to `out` up to its capacity, and says how
    /// many bytes it took. Call again with the rest until all is taken and
    /// `out` comes back with room in it.
    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, InputProblem> {
        let mut taken = 0;
        match self {
            Decompressor::Gzip { member, state } => loop {
                match state {
                    Member::Padding => match input[taken..].iter().find(|byte| **byte != 0) {
                        None => return Ok(input.len()),
                        Some(_) => return Err(damaged("gzip", "other bytes follow the last member")),
                    },
                    Member::Between => match input.get(taken) {
                        None => return Ok(taken),
                        Some(0x1f) => {
                            *member = flate2::Decompress::new_gzip(GZIP_WINDOW_BITS);
                            *state = Member::Inside;
                        }
                        Some(0) => *state = Member::Padding,
                        Some(_) => return Err(damaged("gzip", "other bytes follow the last member")),
                    },
                    Member::Inside => {
                        let before = (member.total_in(), member.total_out());
                        let status = member
                            .decompress_vec(&input[taken..], out, FlushDecompress::None)
                            .map_err(|error| damaged("gzip", error))?;
                        taken += (member.total_in() - before.0) as usize;
                        if status == Status::StreamEnd {
                            *state = Member::Between;
                        } else if out.len() == out.capacity()
                            || (member.total_in(), member.total_out()) == before
                        {
                            return Ok(taken);
                        }
                    }
                }
            },
            Decompressor::Zstd { frames, inside } => loop {
                let mut source = InBuffer::around(&input[taken..]);
                let from = out.len();
                let mut sink = OutBuffer::around_pos(out, from);
                let hint = frames.run(&mut source, &mut sink).map_err(|error| damaged("zstd", error))?;
                let (read, written) = (source.pos(), sink.pos() - from);
                taken += read;
                // An empty call after a frame asks for the next one's header.
                if read > 0 || written > 0 {
                    *inside = hint != 0;
                }
                if out.len() == out.capacity()
                    || (read, written) == (0, 0)
                    || taken == input.len() && hint == 0
                {
                    return Ok(taken);
                }
            },
        }
    }

    /// There are no more bytes.
    pub(super) fn finish(&self) -> Result<(), InputProblem> {
        match self {
            Decompressor::Gzip { state: Member::Inside, .. } => {
                Err(InputProblem::TruncatedCompression { format: "gzip" })
            }
            Decompressor::Zstd { inside: true, .. } => {
                Err(InputProblem::TruncatedCompression { format: "zstd" })
            }
            _ => Ok(()),
        }
    }
}

fn damaged(format: &'static str, cause: impl std::fmt::Display) -> InputProblem {
    InputProblem::DamagedCompression { format, cause: cause.to_string() }
}

#[cfg(test)]
#[path = "decompress_tests.rs"]
mod tests;
