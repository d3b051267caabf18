//! Times of day.

use super::{ConvertError, Format, format, two_digits};

/// A time of day in microseconds, in one of `formats`, or as
/// `HH:MM[:SS[.f…]]` if there are none. 24:00 and leap seconds are not times of
/// day here: no column type could hold them.
///
/// # Errors
/// `NoSuchDateOrTime` for a time the clock lacks, `TooPrecise` for non-zero digits
/// past the microsecond, else `Malformed`.
pub fn time(text: &[u8], formats: &[Format]) -> Result<i64, ConvertError> {
    const MICROSECOND_DIGITS: usize = 6;
    if formats.is_empty() {
        return match clock(text, MICROSECOND_DIGITS)? {
            (Clock { seconds, fraction }, []) => Ok(i64::from(seconds) * 1_000_000 + i64::from(fraction)),
            _ => Err(ConvertError::Malformed),
        };
    }
    format::first_match(formats, |format| {
        let (seconds, nanoseconds) = format.parse(text)?.clock()?;
        let fraction = fraction_of(nanoseconds, MICROSECOND_DIGITS)?;
        Ok(i64::from(seconds) * 1_000_000 + i64::from(fraction))
    })
}

/// A time of day as a clock shows it.
pub(super) struct Clock {
    /// Whole seconds since midnight.
    pub(super) seconds: u32,
    /// The rest, in units of the last digit asked for.
    pub(super) fraction: u32,
}

/// The time of day at the front of `text` with a fraction of up to
/// `fraction_digits` (at most 9) digits, and the rest.
#[inline]
pub(super) fn clock(text: &[u8], fraction_digits: usize) -> Result<(Clock, &[u8]), ConvertError> {
    let hour = two_digits(text).ok_or(ConvertError::Malformed)?;
    let (minute, mut rest) = colon_and_two_digits(&text[2..]).ok_or(ConvertError::Malformed)?;
    let mut second = 0;
    let mut fraction = 0;
    if rest.first() == Some(&b':') {
        (second, rest) = colon_and_two_digits(rest).ok_or(ConvertError::Malformed)?;
        if let [b'.', digits @ ..] = rest {
            let written = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if written == 0 {
                return Err(ConvertError::Malformed);
            }
            let (digits, after) = digits.split_at(written);
            fraction = self::fraction(digits, fraction_digits)?;
            rest = after;
        }
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err(ConvertError::NoSuchDateOrTime);
    }
    Ok((Clock { seconds: hour * 3600 + minute * 60 + second, fraction }, rest))
}

#[inline]
fn colon_and_two_digits(text: &[u8]) -> Option<(u32, &[u8])> {
    match text {
        [b':', rest @ ..] => Some((two_digits(rest)?, &rest[2..])),
        _ => None,
    }
}

/// The digits after a point, in units of the last of `digits` (at most 9).
#[inline]
pub(super) fn fraction(written: &[u8], digits: usize) -> Result<u32, ConvertError> {
    let (kept, lost) = written.split_at(written.len().min(digits));
    if lost.iter().any(|digit| *digit != b'0') {
        return Err(ConvertError::TooPrecise);
    }
    let value = kept.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    Ok(value * 10u32.pow((digits - kept.len()) as u32))
}

/// Nanoseconds in units of `digits` fractional digits.
pub(super) fn fraction_of(nanoseconds: u32, digits: usize) -> Result<u32, ConvertError> {
    let unit = 10u32.pow(9 - digits as u32);
    if nanoseconds.is_multiple_of(unit) { Ok(nanoseconds / unit) } else { Err(ConvertError::TooPrecise) }
}
