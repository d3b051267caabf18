//! How one column is written: `output.columns.<name>` of the job file.

use super::{Codec, StatisticsLevel};
use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// How one column is written; what is left out is as for the other columns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ColumnOutput {
    /// As `output.compression`. Default: the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compression: Option<Codec>,
    /// As `output.statistics`. Default: the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statistics: Option<StatisticsLevel>,
    /// Whether repeated values are written once in a dictionary. Default: true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dictionary: Option<bool>,
    /// Whether each row group has a bloom filter: true, or `{ fpp = 0.01, ndv = 1048576 }`. Default: false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bloom_filter: Option<BloomFilter>,
    /// How values are written that are not in a dictionary; `plain` is all that profile `spectrum` takes. Default: `plain`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<ColumnEncoding>,
}

/// Whether a column has bloom filters, and how large they are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum BloomFilter {
    /// One of the default size, or none.
    Enabled(bool),
    /// One for this many values.
    Sized(BloomFilterSize),
}

/// How large a bloom filter is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BloomFilterSize {
    /// Share of false positives, between 0 and 1. Default: 0.01.
    pub fpp: f64,
    /// Distinct values of a row group, at most; with fewer, the filter shrinks. Default: 1,048,576.
    pub ndv: u64,
}

impl Default for BloomFilterSize {
    fn default() -> Self {
        BloomFilterSize { fpp: 0.01, ndv: 1 << 20 }
    }
}

impl BloomFilter {
    /// `None`: no filter.
    pub fn size(self) -> Option<BloomFilterSize> {
        match self {
            BloomFilter::Enabled(enabled) => enabled.then(BloomFilterSize::default),
            BloomFilter::Sized(size) => Some(size),
        }
    }
}

/// By hand, because serde's untagged enums forget which key was wrong.
impl<'de> Deserialize<'de> for BloomFilter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FilterVisitor;
        impl<'de> Visitor<'de> for FilterVisitor {
            type Value = BloomFilter;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false, or a table with `fpp` and `ndv`")
            }

            fn visit_bool<E: de::Error>(self, enabled: bool) -> Result<BloomFilter, E> {
                Ok(BloomFilter::Enabled(enabled))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BloomFilter, A::Error> {
                BloomFilterSize::deserialize(MapAccessDeserializer::new(map)).map(BloomFilter::Sized)
            }
        }
        deserializer.deserialize_any(FilterVisitor)
    }
}

/// How values are written that are not in a dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnEncoding {
    /// One after the other.
    Plain,
    /// Differences of integers, dates and timestamps, in as few bits as they need.
    DeltaBinaryPacked,
    /// Lengths of texts first, as differences, then their bytes.
    DeltaLengthByteArray,
    /// Texts without the beginning that they share with the text before.
    DeltaByteArray,
    /// First bytes of all numbers, then second bytes, and so on: compresses floating-point numbers.
    ByteStreamSplit,
}
