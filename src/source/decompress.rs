//! gzip, zstd, bzip2 and xz by magic number, sans I/O: bytes in, bytes out.

mod bzip2;
mod gzip;
mod xz;
mod zstd;

use crate::error::InputProblem;

/// Bytes that tell what an object is, if it has that many: [`CompressionFormat::of`] wants
/// fewer than the rest.
pub(super) const MAGIC_BYTES: usize = super::kind::HEAD_BYTES;

/// How an object is stored, by its first bytes and never by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CompressionFormat {
    /// As it is.
    Plain,
    /// RFC 1952, any number of members.
    Gzip,
    /// RFC 8878, any number of frames.
    Zstd,
    /// Any number of streams, as pbzip2 writes them.
    Bzip2,
    /// The .xz format, any number of streams with padding between them.
    Xz,
    /// Recognized, and not read.
    Unsupported(&'static str),
}

impl CompressionFormat {
    /// The format of an object that begins with `head`.
    pub(super) fn of(head: &[u8]) -> CompressionFormat {
        match head {
            // 8 is DEFLATE, the one method that RFC 1952 defines.
            [0x1f, 0x8b, 8, ..] => CompressionFormat::Gzip,
            // A frame, or one that may be skipped (RFC 8878, section 3.1).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => CompressionFormat::Zstd,
            // With the magic of a block, or of the end of an empty stream: text may begin with "BZh".
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => {
                CompressionFormat::Bzip2
            }
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => CompressionFormat::Xz,
            // The usual properties and a dictionary of whole 64 KiB; no text has these NULs.
            [0x5d, 0, 0, ..] => CompressionFormat::Unsupported("lzma"),
            [b'L', b'Z', b'I', b'P', 1, ..] => CompressionFormat::Unsupported("lzip"),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => CompressionFormat::Unsupported("zip"),
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => CompressionFormat::Unsupported("7z"),
            [0x04, 0x22, 0x4d, 0x18, ..] => CompressionFormat::Unsupported("lz4"),
            [0xff, 6, 0, 0, b's', b'N', b'a', b'P', b'p', b'Y', ..] => {
                CompressionFormat::Unsupported("snappy")
            }
            [0x1f, 0x9d, ..] => CompressionFormat::Unsupported("compress (.Z)"),
            _ => CompressionFormat::Plain,
        }
    }
}

impl CompressionFormat {
    /// What it is called; `None` for what is not compressed.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            CompressionFormat::Plain => None,
            CompressionFormat::Gzip => Some("gzip"),
            CompressionFormat::Zstd => Some("zstd"),
            CompressionFormat::Bzip2 => Some("bzip2"),
            CompressionFormat::Xz => Some("xz"),
            CompressionFormat::Unsupported(name) => Some(name),
        }
    }
}

/// A decompressor of one object.
pub(super) enum Decompressor {
    Gzip(gzip::Gzip),
    Zstd(zstd::Zstd),
    Bzip2(bzip2::Bzip2),
    Xz(xz::Xz),
}

impl Decompressor {
    /// For an object of this format; `None` for a plain one.
    ///
    /// # Errors
    /// [`InputProblem::UnsupportedCompression`].
    pub(super) fn new(format: CompressionFormat) -> Result<Option<Decompressor>, InputProblem> {
        Ok(Some(match format {
            CompressionFormat::Plain => return Ok(None),
            CompressionFormat::Gzip => Decompressor::Gzip(gzip::Gzip::new()),
            CompressionFormat::Zstd => Decompressor::Zstd(zstd::Zstd::new()?),
            CompressionFormat::Bzip2 => Decompressor::Bzip2(bzip2::Bzip2::new()),
            CompressionFormat::Xz => Decompressor::Xz(xz::Xz::new()?),
            CompressionFormat::Unsupported(format) => {
                return Err(InputProblem::UnsupportedCompression { format });
            }
        }))
    }

    /// Takes from `input`, appends to `out` up to its capacity, and says how
    /// many bytes it took. Call again with the rest until all is taken and
    /// `out` comes back with room in it.
    pub(super) fn push(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<usize, InputProblem> {
        match self {
            Decompressor::Gzip(members) => members.push(input, out),
            Decompressor::Zstd(frames) => frames.push(input, out),
            Decompressor::Bzip2(streams) => streams.push(input, out),
            Decompressor::Xz(streams) => streams.push(input, out),
        }
    }

    /// There are no more bytes.
    pub(super) fn finish(&mut self) -> Result<(), InputProblem> {
        match self {
            Decompressor::Gzip(members) => members.finish(),
            Decompressor::Zstd(frames) => frames.finish(),
            Decompressor::Bzip2(streams) => streams.finish(),
            Decompressor::Xz(streams) => streams.finish(),
        }
    }
}

fn damaged(format: &'static str, cause: impl std::fmt::Display) -> InputProblem {
    InputProblem::DamagedCompression { format, cause: cause.to_string() }
}

#[cfg(test)]
#[path = "decompress_tests.rs"]
mod tests;
