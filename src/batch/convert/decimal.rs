//! Decimals: exact, and never through a float.

use super::{Unconvertible, split_sign};
use arrow::datatypes::DECIMAL128_MAX_PRECISION;

/// A decimal as the integer `value × 10^scale`.
///
/// Accepts an optional sign, digits with an optional point among, before or
/// after them, and an optional exponent (`1.5e3`, `12E-2`). Fractional digits
/// beyond `scale` must be zero. `-0` is zero.
///
/// # Errors
/// `OutOfRange` if more than `precision` digits remain without leading zeros,
/// `TooPrecise` for a non-zero digit beyond `scale`, else `Malformed`.
pub fn decimal(text: &[u8], precision: u8, scale: u8) -> Result<i128, Unconvertible> {
    let (negative, unsigned) = split_sign(text);
    let (whole, after_whole) = leading_digits(unsigned);
    let (fraction, after_fraction) = match after_whole {
        [b'.', rest @ ..] => leading_digits(rest),
        _ => (&[][..], after_whole),
    };
    if whole.is_empty() && fraction.is_empty() {
        return Err(Unconvertible::Malformed);
    }
    let exponent = exponent(after_fraction)?;

    // Numbers of so many digits fit 128 bits, so nothing below overflows.
    let precision = i64::from(precision.min(DECIMAL128_MAX_PRECISION));
    // The digits that lie at or above the last place kept, counted from the
    // first; beyond those that are written, zeros are understood.
    let kept = whole.len() as i64 + exponent + i64::from(scale);
    let mut value: u128 = 0;
    let mut significant: i64 = 0;
    let mut too_precise = false;
    for (position, byte) in (0i64..).zip(whole.iter().chain(fraction)) {
        let digit = byte - b'0';
        if position >= kept {
            too_precise |= digit != 0;
        } else if digit != 0 || significant > 0 {
            significant += 1;
            if significant > precision {
                return Err(Unconvertible::OutOfRange);
            }
            value = value * 10 + u128::from(digit);
        }
    }
    if too_precise {
        return Err(Unconvertible::TooPrecise);
    }
    let zeros = kept - (whole.len() + fraction.len()) as i64;
    if value != 0 && zeros > 0 {
        if significant + zeros > precision {
            return Err(Unconvertible::OutOfRange);
        }
        value *= 10u128.pow(zeros as u32);
    }
    let value = value as i128;
    Ok(if negative { -value } else { value })
}

fn leading_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// The exponent that is all of `text`; zero if that is empty. Saturates far
/// beyond anything that the length of a field could make up for.
fn exponent(text: &[u8]) -> Result<i64, Unconvertible> {
    const FAR: i64 = 1 << 48;
    let (negative, digits) = match text {
        [] => return Ok(0),
        [b'e' | b'E', rest @ ..] => split_sign(rest),
        _ => return Err(Unconvertible::Malformed),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Unconvertible::Malformed);
    }
    let magnitude = digits.iter().fold(0, |value, byte| (value * 10 + i64::from(byte - b'0')).min(FAR));
    Ok(if negative { -magnitude } else { magnitude })
}
