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
pub mod float;
pub mod format;
pub mod integer;
pub mod marks;
pub mod number;
pub mod time;
pub mod timestamp;

pub use format::Format;
pub use marks::Marks;
pub use number::NumberRules;
pub use timestamp::TimestampRules;

#[cfg(test)]
mod tests;
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod twins;

/// Why a text is not a value of its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConvertError {
    /// It is not written the way the type is.
    Malformed,
    /// It is written right, but the type does not reach so far.
    OutOfRange,
    /// It has digits that the type does not keep, and not all of them are zero.
    TooPrecise,
    /// The calendar or the clock has no such day or time.
    NoSuchDateOrTime,
    /// A zone other than UTC in a timestamp whose type has none.
    UnexpectedZone,
    /// Clocks in the source's zone jumped over this local time.
    NonexistentLocalTime,
    /// Clocks in the source's zone showed this local time twice.
    AmbiguousLocalTime,
    /// A number other than zero that the type can hold as zero only.
    TooSmall,
    /// An integer written with a point or an exponent.
    NotWhole,
    /// A number that begins with a zero, where the column refuses that.
    LeadingZero,
}

impl ConvertError {
    /// What [`InputProblem::Value`](crate::error::InputProblem::Value) adds to
    /// "is not a valid …", where there is more to say.
    pub fn detail(self) -> Option<&'static str> {
        match self {
            ConvertError::Malformed => None,
            ConvertError::OutOfRange => Some("out of range"),
            ConvertError::TooPrecise => Some("it has more fractional digits than the type keeps"),
            ConvertError::NoSuchDateOrTime => Some("there is no such date or time of day"),
            ConvertError::UnexpectedZone => {
                Some("it has a time zone, and the type is a timestamp without one")
            }
            ConvertError::NonexistentLocalTime => Some(
                "this local time does not exist: the clocks of the source's zone were put forward over it",
            ),
            ConvertError::AmbiguousLocalTime => Some(
                "this local time is ambiguous: the clocks of the source's zone showed it twice; `ambiguousTime` of the column says which is meant",
            ),
            ConvertError::TooSmall => Some("the type can hold it only as zero"),
            ConvertError::NotWhole => {
                Some("an integer has no point and no exponent, unless the column has a `rounding`")
            }
            ConvertError::LeadingZero => Some("it begins with a zero"),
        }
    }
}

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
