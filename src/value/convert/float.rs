//! Binary floats: the one nearest to the text.

use super::ConvertError;
use fast_float2::FastFloat;

/// A float: `T` is `f32` or `f64`.
///
/// Accepts `1`, `1.5`, `.5`, `5.`, exponents (`1e-3`), and `NaN`, `inf` and
/// `Infinity` in any case, all with an optional sign. Marks other than a
/// decimal point are [`super::NumberRules::plain`]'s business. Other words for
/// them, such as `#NUM!`, are none: they may be null tokens of the column.
///
/// # Errors
/// `OutOfRange` for a number that would become infinite, `TooSmall` for one
/// other than zero that would become zero, else `Malformed`.
#[inline]
pub fn float<T: FastFloat + Into<f64>>(text: &[u8]) -> Result<T, ConvertError> {
    let value: T = fast_float2::parse(text).map_err(|_| ConvertError::Malformed)?;
    // Written-out infinities end in a letter, numbers in a digit or a point.
    let is_number = !text.last().is_some_and(u8::is_ascii_alphabetic);
    if is_number && value.into().is_infinite() {
        return Err(ConvertError::OutOfRange);
    }
    if value.into() == 0.0 && !writes_zero(text) {
        return Err(ConvertError::TooSmall);
    }
    Ok(value)
}

/// Whether all digits before an exponent are zeros.
fn writes_zero(text: &[u8]) -> bool {
    let mut mantissa = text.iter().take_while(|byte| !matches!(byte, b'e' | b'E'));
    !mantissa.any(|byte| matches!(byte, b'1'..=b'9'))
}
