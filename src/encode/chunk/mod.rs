//! Own column chunks for the hot types: values of a column → pages.
//!
//! For integers, decimals, dates and timestamps that are stored as INT32 or INT64,
//! and for texts, PLAIN or with a dictionary, in version 1 pages: what every reader
//! knows. Other types and settings go through the parquet crate
//! ([`ChunkEncoder::for_column`] says which), which writes the footer in any case.
//!
//! Guarantees. The bytes depend on the values and the settings alone, not on how the
//! values are cut into arrays. Memory grows with the values: an encoder begins with a
//! few hundred bytes, where one of the parquet crate begins with about 72 KiB.

mod codec;
mod dictionary;
mod encoder;
mod hybrid;
mod pages;
mod statistics;

pub(super) use encoder::ChunkEncoder;
pub(super) use pages::EncodedChunk;
