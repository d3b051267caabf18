//! The names of Parquet codecs.

use super::{ByName, Named};
use crate::error::nearest;
use crate::spanned::{KeyPath, Problem};
use parquet::basic::{Compression, GzipLevel, ZstdLevel};

/// zstd's own default.
const DEFAULT_ZSTD_LEVEL: i32 = 3;
/// zlib's own default.
const DEFAULT_GZIP_LEVEL: u32 = 6;

/// A codec: `snappy`, `zstd`, `zstd(1)` to `zstd(22)`, `gzip`, `gzip(1)` to `gzip(9)`, `lz4` or `none`.
pub type Codec = Named<Compression>;

impl Default for Codec {
    fn default() -> Self {
        Codec::new("snappy", Compression::SNAPPY)
    }
}

impl ByName for Compression {
    fn by_name(text: &str) -> Result<Self, Problem> {
        parse(text.trim())
    }
}

fn parse(text: &str) -> Result<Compression, Problem> {
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
        ("snappy" | "lz4" | "none", Some(_)) => Err(wrong(
            format!("`{name}` has no levels"),
            format!("write `{name}`, or a codec that has: `zstd(1..22)`, `gzip(1..9)`"),
        )),
        _ => Err(unknown(text, name)),
    }
}

fn zstd(level: i32) -> Result<Compression, Problem> {
    ZstdLevel::try_new(level).map(Compression::ZSTD).map_err(|_| bad_level("zstd", &level.to_string(), 22))
}

fn gzip(level: u32) -> Result<Compression, Problem> {
    GzipLevel::try_new(level).map(Compression::GZIP).map_err(|_| bad_level("gzip", &level.to_string(), 9))
}

fn bad_level(name: &str, level: &str, most: u8) -> Problem {
    wrong(format!("`{level}` is not a level of {name}"), format!("write `{name}(1)` to `{name}({most})`"))
}

fn unknown(text: &str, name: &str) -> Problem {
    let known = ["snappy", "zstd", "gzip", "lz4", "none"];
    let close = match name.to_ascii_lowercase().as_str() {
        "uncompressed" | "off" => Some("none"),
        "gz" => Some("gzip"),
        other => nearest(other, known),
    };
    let remedy = match close {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("known codecs: {}", known.join(", ")),
    };
    wrong(format!("unknown codec `{text}`"), remedy)
}

fn wrong(message: String, remedy: String) -> Problem {
    Problem::new(KeyPath::root(), message).remedy(remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_are_read_and_stay_as_they_were_written() {
        let read = |name: &str| serde_json::from_value::<Codec>(name.into());
        for (name, codec) in [
            ("snappy", Compression::SNAPPY),
            ("none", Compression::UNCOMPRESSED),
            ("lz4", Compression::LZ4_RAW),
            ("zstd", Compression::ZSTD(ZstdLevel::try_new(3).unwrap())),
            ("gzip( 9 )", Compression::GZIP(GzipLevel::try_new(9).unwrap())),
        ] {
            let found = read(name).unwrap();
            assert_eq!((found.get(), serde_json::json!(found)), (codec, name.into()));
        }
        for bad in ["", "zstd()", "zstd(0)", "gzip(10)", "snappy(1)", "brotli", "zstd(1", "ZSTD"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
