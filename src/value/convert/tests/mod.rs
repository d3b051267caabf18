//! Tables of texts and what they are, a family at a time.

#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

mod calendar;
mod numbers;
mod random;

use super::ConvertError;

/// Rows of (text, what it is), checked all before the first mismatch fails.
fn check<T: PartialEq + std::fmt::Debug>(
    convert: impl Fn(&[u8]) -> Result<T, ConvertError>,
    rows: &[(&str, Result<T, ConvertError>)],
) {
    let wrong: Vec<String> = rows
        .iter()
        .map(|(text, expected)| (text, expected, convert(text.as_bytes())))
        .filter(|(_, expected, found)| *expected != found)
        .map(|(text, expected, found)| format!("{text:?}: expected {expected:?}, found {found:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
