//! Booleans: by the column's lists of tokens.

use super::ConvertError;

/// True or false, as the list says in which `text` stands: exactly, or with
/// ASCII letters of either case if `ignore_case`.
///
/// # Errors
/// `Malformed` if it stands in neither.
#[inline]
pub fn boolean<T: AsRef<[u8]>>(
    text: &[u8],
    true_tokens: &[T],
    false_tokens: &[T],
    ignore_case: bool,
) -> Result<bool, ConvertError> {
    let is = |token: &T| match ignore_case {
        true => token.as_ref().eq_ignore_ascii_case(text),
        false => token.as_ref() == text,
    };
    let stands_in = |tokens: &[T]| tokens.iter().any(is);
    if stands_in(true_tokens) {
        Ok(true)
    } else if stands_in(false_tokens) {
        Ok(false)
    } else {
        Err(ConvertError::Malformed)
    }
}
