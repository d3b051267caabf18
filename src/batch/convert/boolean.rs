//! Booleans: by the column's lists of tokens.

use super::Unconvertible;

/// True or false, as the list says in which `text` stands exactly.
///
/// # Errors
/// `Malformed` if it stands in neither.
#[inline]
pub fn boolean<T: AsRef<[u8]>>(
    text: &[u8],
    true_tokens: &[T],
    false_tokens: &[T],
) -> Result<bool, Unconvertible> {
    let stands_in = |tokens: &[T]| tokens.iter().any(|token| token.as_ref() == text);
    if stands_in(true_tokens) {
        Ok(true)
    } else if stands_in(false_tokens) {
        Ok(false)
    } else {
        Err(Unconvertible::Malformed)
    }
}
