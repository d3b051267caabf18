//! One field's text → one value: the converters that define what is right.
//!
//! Pure functions from bytes to values, one module a family. Every one is exact
//! or fails: nothing is rounded, wrapped or cut unless the column says so (the
//! nearest float to a decimal text is the one exception, being what floats are
//! for). No converter accepts spaces around a value; trimming is the dialect's.
//! They are written to be read; each is checked against a slow twin (`twins`), by
//! the tests and by the fuzz targets.

pub mod binary;
pub mod boolean;
pub mod date;
pub mod decimal;
mod error;
pub mod float;
pub mod format;
pub mod integer;
pub mod marks;
pub mod number;
pub mod time;
pub mod timestamp;

pub use error::ConvertError;
pub use format::Format;
pub use marks::Marks;
pub use number::NumberRules;
pub use timestamp::TimestampRules;

#[cfg(test)]
mod tests;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod twins;

/// Takes an optional sign off the front: whether it was a minus, and the rest.
#[inline]
fn split_sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

/// The number that exactly two digits at the front make.
#[inline]
fn two_digits(text: &[u8]) -> Option<u32> {
    match text {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', ..] => Some(u32::from(a - b'0') * 10 + u32::from(b - b'0')),
        _ => None,
    }
}
