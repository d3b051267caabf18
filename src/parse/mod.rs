//! Bytes of whole records → where their fields are.
//!
//! Input: a block of text that begins and ends at record boundaries (made by
//! [`crate::split::blocks`]). Output: a [`RecordIndex`]. Nothing here does I/O,
//! allocates per record, or knows of types. [`mod@reference`] is the slow, obvious
//! twin that defines what is right; tests hold the two together.

pub(crate) mod comment;
mod delimiter;
pub mod grammar;
pub mod reference;
pub mod scan;
mod separator_line;

pub use delimiter::Delimiter;
pub use grammar::{Escape, Grammar, StrayQuotes, Terminator, Trim};
pub use scan::{
    FieldForm, FieldSpan, RecordIndex, ScanError, ScanProblem, Scanner, field_value, null_text, unescape,
};

pub(crate) use separator_line::MAX_SEPARATOR_LINE_BYTES;
pub use separator_line::{Opening, SeparatorLine};

#[cfg(test)]
pub(crate) mod generate;
#[cfg(test)]
mod tests;
