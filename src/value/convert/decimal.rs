//! Decimals: exact, and never through a float.

use super::{ConvertError, split_sign};
use crate::value::Rounding;
use arrow::datatypes::DECIMAL128_MAX_PRECISION;

/// A decimal as the integer `value × 10^scale`.
///
/// Accepts an optional sign, digits with an optional point among, before or
/// after them, and an optional exponent (`1.5e3`, `12E-2`). Digits beyond
/// `scale` are zeros, or rounded as `rounding` has it. `-0` is zero.
///
/// # Errors
/// `OutOfRange` if more than `precision` digits remain without leading zeros,
/// `TooPrecise` for a non-zero digit beyond `scale` under [`Rounding::Error`],
/// else `Malformed`.
pub fn decimal(text: &[u8], precision: u8, scale: u8, rounding: Rounding) -> Result<i128, ConvertError> {
    let (negative, unsigned) = split_sign(text);
    let (whole, after_whole) = leading_digits(unsigned);
    let (fraction, after_fraction) = match after_whole {
        [b'.', rest @ ..] => leading_digits(rest),
        _ => (&[][..], after_whole),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(ConvertError::Malformed);
    }
    let exponent = exponent(after_fraction)?;

    // Numbers of so many digits fit 128 bits, so nothing below overflows.
    let precision = i64::from(precision.min(DECIMAL128_MAX_PRECISION));
    // The digits that lie at or above the last place kept, counted from the
    // first; beyond those that are written, zeros are understood.
    let kept = whole.len() as i64 + exponent + i64::from(scale);
    let mut value: u128 = 0;
    let mut significant: i64 = 0;
    let mut lost = Lost::default();
    for (position, byte) in (0i64..).zip(whole.iter().chain(fraction)) {
        let digit = byte - b'0';
        if position == kept {
            lost.first = digit;
        } else if position > kept {
            lost.more |= digit != 0;
        } else if digit != 0 || significant > 0 {
            significant += 1;
            if significant > precision {
                return Err(ConvertError::OutOfRange);
            }
            value = value * 10 + u128::from(digit);
        }
    }
    if lost.first != 0 || lost.more {
        value = lost.round(value, rounding).ok_or(ConvertError::TooPrecise)?;
        if value >= 10u128.pow(precision as u32) {
            return Err(ConvertError::OutOfRange);
        }
    }
    let zeros = kept - (whole.len() + fraction.len()) as i64;
    if value != 0 && zeros > 0 {
        if significant + zeros > precision {
            return Err(ConvertError::OutOfRange);
        }
        value *= 10u128.pow(zeros as u32);
    }
    let value = value as i128;
    Ok(if negative { -value } else { value })
}

/// The digits below the last place kept.
#[derive(Default)]
struct Lost {
    /// The one next to it.
    first: u8,
    /// Whether any below that is not zero.
    more: bool,
}

impl Lost {
    /// The magnitude nearest to `kept` and these digits, if rounding is allowed.
    fn round(&self, kept: u128, rounding: Rounding) -> Option<u128> {
        let up = match rounding {
            Rounding::Error => return None,
            Rounding::Down => false,
            Rounding::HalfUp => self.first >= 5,
            Rounding::HalfEven => self.first > 5 || (self.first == 5 && (self.more || kept % 2 == 1)),
        };
        Some(kept + u128::from(up))
    }
}

fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// The exponent that is all of `text`; zero if that is empty. Saturates far
/// beyond anything that the length of a field could make up for.
fn exponent(text: &[u8]) -> Result<i64, ConvertError> {
    const FAR: i64 = 1 << 48;
    let (negative, digits) = match text {
        [] => return Ok(0),
        [b'e' | b'E', rest @ ..] => split_sign(rest),
        _ => return Err(ConvertError::Malformed),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(ConvertError::Malformed);
    }
    let magnitude = digits.iter().fold(0, |value, byte| (value * 10 + i64::from(byte - b'0')).min(FAR));
    Ok(if negative { -magnitude } else { magnitude })
}
