//! A stream of text → blocks of whole records, cut at true record boundaries.

pub mod blocks;
