//! Compression of one page.

use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use std::cell::RefCell;

/// The codecs that own chunks have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Snappy,
    Zstd(ZstdLevel),
}

thread_local! {
    // A context takes up to some megabytes: one for each thread, not for each column.
    static SNAPPY: RefCell<snap::raw::Encoder> = RefCell::new(snap::raw::Encoder::new());
    static ZSTD: RefCell<Option<(ZstdLevel, zstd::bulk::Compressor<'static>)>> = const { RefCell::new(None) };
}

impl Codec {
    /// `None` for a codec that only the parquet crate has.
    pub(super) fn of(compression: Compression) -> Option<Codec> {
        match compression {
            Compression::UNCOMPRESSED => Some(Codec::None),
            Compression::SNAPPY => Some(Codec::Snappy),
            Compression::ZSTD(level) => Some(Codec::Zstd(level)),
            _ => None,
        }
    }

    pub(super) fn compression(self) -> Compression {
        match self {
            Codec::None => Compression::UNCOMPRESSED,
            Codec::Snappy => Compression::SNAPPY,
            Codec::Zstd(level) => Compression::ZSTD(level),
        }
    }

    pub(super) fn compress(self, page: Vec<u8>) -> Result<Vec<u8>, ParquetError> {
        let failed =
            |error: &dyn std::fmt::Display| ParquetError::General(format!("compression failed: {error}"));
        match self {
            Codec::None => Ok(page),
            Codec::Snappy => SNAPPY.with_borrow_mut(|encoder| {
                let mut compressed = vec![0; snap::raw::max_compress_len(page.len())];
                let bytes = encoder.compress(&page, &mut compressed).map_err(|error| failed(&error))?;
                // It may wait long for its row group to be written.
                compressed.truncate(bytes);
                compressed.shrink_to_fit();
                Ok(compressed)
            }),
            Codec::Zstd(level) => ZSTD.with_borrow_mut(|kept| {
                let compressor = match kept {
                    Some((same, compressor)) if *same == level => compressor,
                    _ => {
                        let made = zstd::bulk::Compressor::new(level.compression_level());
                        &mut kept.insert((level, made.map_err(|error| failed(&error))?)).1
                    }
                };
                let mut compressed = compressor.compress(&page).map_err(|error| failed(&error))?;
                compressed.shrink_to_fit();
                Ok(compressed)
            }),
        }
    }
}
