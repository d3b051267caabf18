//! Why a text gives no value.

use crate::error::InputProblem;
use crate::error::excerpt::excerpt_of;

/// Why a text is not a value of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConvertError {
    /// Null in a required column.
    RequiredNull,
    /// A NUL in text.
    NulByte,
    /// Text that is not UTF-8.
    NotUtf8,
    /// All values together are larger than the offsets of an Arrow array reach.
    TooLarge,
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
    /// What is wrong with this text of a column whose values are `expected`.
    #[cold]
    pub fn problem(self, text: &[u8], expected: &str) -> InputProblem {
        match self {
            ConvertError::RequiredNull => InputProblem::RequiredNull,
            ConvertError::NulByte => InputProblem::NulByte,
            ConvertError::NotUtf8 => {
                let mut bad = text.utf8_chunks().map(|part| part.invalid()).filter(|bad| !bad.is_empty());
                let bytes = hex::encode(bad.next().unwrap_or_default());
                InputProblem::InvalidEncoding { bytes, encoding: "UTF-8".into() }
            }
            ConvertError::TooLarge => InputProblem::RecordTooLarge { limit: i32::MAX as u64 },
            _ => InputProblem::Value {
                value: excerpt_of(text),
                expected: expected.to_owned(),
                detail: self.detail(),
            },
        }
    }

    /// What [`InputProblem::Value`] adds to
    /// "is not a valid …", where there is more to say.
    pub fn detail(self) -> Option<&'static str> {
        match self {
            ConvertError::Malformed
            | ConvertError::RequiredNull
            | ConvertError::NulByte
            | ConvertError::NotUtf8
            | ConvertError::TooLarge => None,
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
