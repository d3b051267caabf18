//! Binary floats: the one nearest to the text.

use super::Unconvertible;
use fast_float2::FastFloat;

/// A float: `T` is `f32` or `f64`.
///
/// Accepts `1`, `1.5`, `.5`, `5.`, exponents (`1e-3`), and `NaN`, `inf` and
/// `Infinity` in any case, all with an optional sign. Marks other than a
/// decimal point are [`super::Marks::plain`]'s business. Numbers too small for
/// the type become the nearest float, which may be zero.
///
/// # Errors
/// `OutOfRange` for a number that would become infinite, else `Malformed`.
#[inline]
pub fn float<T: FastFloat + Into<f64>>(text: &[u8]) -> Result<T, Unconvertible> {
    let value: T = fast_float2::parse(text).map_err(|_| Unconvertible::Malformed)?;
    // Written-out infinities end in a letter, numbers in a digit or a point.
    let is_number = !text.last().is_some_and(u8::is_ascii_alphabetic);
    if is_number && value.into().is_infinite() {
        return Err(Unconvertible::OutOfRange);
    }
    Ok(value)
}
