//! The names of Parquet codecs.

use crate::error::nearest;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};

/// What is wrong with the name of a codec, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompressionError {
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
}

/// zstd's own default.
const DEFAULT_ZSTD_LEVEL: i32 = 3;
/// zlib's own default.
const DEFAULT_GZIP_LEVEL: u32 = 6;

/// Reads `snappy`, `zstd`, `zstd(1)` to `zstd(22)`, `gzip`, `gzip(1)` to
/// `gzip(9)`, `lz4` or `none`.
pub fn parse_compression(text: &str) -> Result<Compression, CompressionError> {
    let text = text.trim();
    let (name, level) = match text.strip_suffix(')').and_then(|head| head.split_once('(')) {
        Some((name, level)) => (name.trim_end(), Some(level.trim())),
        None => (text, None),
    };
    match (name, level) {
        ("snappy", None) => Ok(Compression::SNAPPY),
        // Parquet's LZ4 is deprecated: readers disagree about its frames.
        ("lz4", None) => Ok(Compression::LZ4_RAW),
        ("none", None) => Ok(Compression::UNCOMPRESSED),
        ("zstd", None) => zstd(DEFAULT_ZSTD_LEVEL),
        ("zstd", Some(level)) => match level.parse() {
            Ok(level @ 1..=22) => zstd(level),
            _ => Err(bad_level(name, level, 22)),
        },
        ("gzip", None) => gzip(DEFAULT_GZIP_LEVEL),
        ("gzip", Some(level)) => match level.parse() {
            Ok(level @ 1..=9) => gzip(level),
            _ => Err(bad_level(name, level, 9)),
        },
        ("snappy" | "lz4" | "none", Some(_)) => Err(CompressionError {
            message: format!("`{name}` has no levels"),
            remedy: format!("write `{name}`, or a codec that has: `zstd(1..22)`, `gzip(1..9)`"),
        }),
        _ => Err(unknown(text, name)),
    }
}

fn zstd(level: i32) -> Result<Compression, CompressionError> {
    ZstdLevel::try_new(level).map(Compression::ZSTD).map_err(|_| bad_level("zstd", &level.to_string(), 22))
}

fn gzip(level: u32) -> Result<Compression, CompressionError> {
    GzipLevel::try_new(level).map(Compression::GZIP).map_err(|_| bad_level("gzip", &level.to_string(), 9))
}

fn bad_level(name: &str, level: &str, most: u8) -> CompressionError {
    CompressionError {
        message: format!("`{level}` is not a level of {name}"),
        remedy: format!("write `{name}(1)` to `{name}({most})`"),
    }
}

fn unknown(text: &str, name: &str) -> CompressionError {
    let known = ["snappy", "zstd", "gzip", "lz4", "none"];
    let close = match name.to_ascii_lowercase().as_str() {
        "uncompressed" | "off" => Some("none"),
        "gz" => Some("gzip"),
        other => nearest(other, known),
    };
    CompressionError {
        message: format!("unknown codec `{text}`"),
        remedy: match close {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("known codecs: {}", known.join(", ")),
        },
    }
}
