//! A stream of text → blocks of whole records, cut at true record boundaries.
//!
//! [`blocks`] finds the boundaries; [`stream`] is the loop around it, with what stands
//! before ([`preamble`], [`start`]) and after the data ([`footer`]) of an input.
//! [`header`] is what its fields are called, [`read`] the sequential stage of a task.
//! [`problems`] says what is wrong, [`place`] where, and what to do about it;
//! [`not_data`] accounts for what is not data; [`ranges`] cuts large inputs for
//! several tasks.

pub mod blocks;
pub mod footer;
pub mod header;
pub mod not_data;
pub mod preamble;
pub mod problems;
pub mod place;
pub mod ranges;
pub mod read;
pub mod start;
pub mod stream;
