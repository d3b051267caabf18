//! Numbers with their nouns, for messages: `1 file`, `2,500 files`.

use indicatif::HumanCount;

/// So many of something. The noun is singular and makes its plural with an s.
pub fn count(number: impl TryInto<u64>, noun: &str) -> String {
    // What does not fit is negative or absurd; a message should come out nevertheless.
    let number = number.try_into().unwrap_or(u64::MAX);
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", HumanCount(number))
}

/// The word that agrees with so many of something, such as `was` or `were`.
pub fn agree<'w>(number: impl TryInto<u64>, one: &'w str, several: &'w str) -> &'w str {
    if number.try_into().is_ok_and(|number| number == 1) { one } else { several }
}

#[cfg(test)]
mod tests {
    use super::{agree, count};

    #[test]
    fn one_is_singular() {
        assert_eq!([0_u64, 1, 2].map(|n| count(n, "file")), ["0 files", "1 file", "2 files"]);
        assert_eq!(count(958_080_usize, "row"), "958,080 rows");
        assert_eq!([0, 1, 2].map(|n| agree(n, "was", "were")), ["were", "was", "were"]);
    }
}
