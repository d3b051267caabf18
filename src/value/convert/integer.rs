//! Integers: an optional sign and decimal digits, and nothing else unless
//! rounding is allowed.

use super::{ConvertError, decimal, split_sign};
use crate::value::Rounding;

/// A signed integer of any width: `T` is `i8` to `i64`.
///
/// # Errors
/// `Malformed` for anything but digits after an optional sign, `OutOfRange`
/// for a number that `T` cannot hold.
#[inline]
pub fn signed<T: TryFrom<i64>>(text: &[u8]) -> Result<T, ConvertError> {
    let (negative, digits) = split_sign(text);
    let magnitude = magnitude(digits)?;
    let value = if negative { 0i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
    value.and_then(|value| T::try_from(value).ok()).ok_or(ConvertError::OutOfRange)
}

/// An unsigned integer of any width: `T` is `u8` to `u64`. `-0` is zero.
///
/// # Errors
/// As [`signed`]; a number below zero is `OutOfRange`.
#[inline]
pub fn unsigned<T: TryFrom<u64>>(text: &[u8]) -> Result<T, ConvertError> {
    let (negative, digits) = split_sign(text);
    let magnitude = magnitude(digits)?;
    if negative && magnitude != 0 {
        return Err(ConvertError::OutOfRange);
    }
    T::try_from(magnitude).map_err(|_| ConvertError::OutOfRange)
}

/// An integer of any width, written as decimals are: `rounding` decides what
/// happens to a fraction. For texts that [`signed`] and [`unsigned`] refuse.
///
/// # Errors
/// `NotWhole` for any such text under [`Rounding::Error`], even `1.0`: a column
/// of integers that holds one is likely to hold `1.5` further on. Else
/// `OutOfRange` and `Malformed`.
#[cold]
pub fn rounded<T: TryFrom<i128>>(text: &[u8], rounding: Rounding) -> Result<T, ConvertError> {
    const DIGITS: u8 = 38;
    let or_down = if rounding == Rounding::Error { Rounding::Down } else { rounding };
    let value = decimal::decimal(text, DIGITS, 0, or_down)?;
    if rounding == Rounding::Error {
        return Err(ConvertError::NotWhole);
    }
    T::try_from(value).map_err(|_| ConvertError::OutOfRange)
}

#[inline]
fn magnitude(digits: &[u8]) -> Result<u64, ConvertError> {
    /// No number of so many digits overflows 64 bits.
    const SAFE_DIGITS: usize = 19;
    if digits.is_empty() {
        return Err(ConvertError::Malformed);
    }
    if digits.len() > SAFE_DIGITS {
        return long_magnitude(digits);
    }
    let mut value = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Err(ConvertError::Malformed);
        }
        value = value * 10 + u64::from(digit);
    }
    Ok(value)
}

#[cold]
fn long_magnitude(digits: &[u8]) -> Result<u64, ConvertError> {
    // Looked at whole first: junk after an overflow is still junk.
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(ConvertError::Malformed);
    }
    digits
        .iter()
        .try_fold(0u64, |value, byte| value.checked_mul(10)?.checked_add(u64::from(byte - b'0')))
        .ok_or(ConvertError::OutOfRange)
}
