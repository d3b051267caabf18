//! Lists as a person reads them, for messages: `version 2`, `versions 1, 2 and 5 to 40`, `"a", "b"`.

use crate::error::excerpt::excerpt;
use std::collections::BTreeSet;
use std::fmt::Display;

/// Numbers, or runs of numbers, and names that are written out one by one. Documents have all of them.
const SHOWN: usize = 20;

/// As many in a row are written out; of more, the first and the last are.
const IN_A_ROW: u64 = 3;

/// The noun with its numbers in ascending order, each once: `version 2`, `versions 1, 2 and 5 to 40`. The noun is
/// singular and makes its plural with an s.
pub fn numbered(noun: &str, numbers: impl IntoIterator<Item = u64>) -> String {
    let numbers: BTreeSet<u64> = numbers.into_iter().collect();
    let mut parts = Vec::new();
    for (first, last) in runs(&numbers) {
        match last - first {
            more if more >= IN_A_ROW => parts.push(format!("{first} to {last}")),
            _ => parts.extend((first..=last).map(|number| number.to_string())),
        }
    }
    let plural = if numbers.len() == 1 { "" } else { "s" };
    match all_of(parts) {
        none if none.is_empty() => format!("no {noun}s"),
        list => format!("{noun}{plural} {list}"),
    }
}

/// First and last of what follows each other without a gap.
fn runs(numbers: &BTreeSet<u64>) -> Vec<(u64, u64)> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if number - *last == 1 => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

/// Parts of a sentence: `a, b and c`; of many, how many more there are.
fn all_of(mut parts: Vec<String>) -> String {
    if parts.len() > SHOWN {
        let more = parts.len() - SHOWN;
        parts.truncate(SHOWN);
        parts.push(format!("{more} more"));
    }
    match parts.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// Names of the user's, in quotes and escaped: `"a", "b"`; of a long one the beginning, of many how many more
/// there are.
pub fn quoted(names: impl IntoIterator<Item = impl Display>) -> String {
    listed(names.into_iter().map(|name| format!("{:?}", excerpt(&name.to_string()))))
}

/// Things with commas between them; of many, how many more there are.
pub fn listed(things: impl IntoIterator<Item = String>) -> String {
    let mut things = things.into_iter();
    let text = things.by_ref().take(SHOWN).collect::<Vec<_>>().join(", ");
    match (text.is_empty(), things.count()) {
        (true, _) => "none".to_owned(),
        (false, 0) => text,
        (false, more) => format!("{text} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::{numbered, quoted};

    #[test]
    fn numbers_are_a_phrase_and_long_runs_have_two_ends() {
        let version = |numbers: &[u64]| numbered("version", numbers.iter().copied());
        for (numbers, phrase) in [
            (&[] as &[u64], "no versions"),
            (&[2], "version 2"),
            (&[2, 2], "version 2"),
            (&[2, 1], "versions 1 and 2"),
            (&[1, 2, 3], "versions 1, 2 and 3"),
            (&[1, 2, 3, 4], "versions 1 to 4"),
            (&[9, 3, 1, 5, 7, 6, 4], "versions 1, 3 to 7 and 9"),
            (&[0, u64::MAX], "versions 0 and 18446744073709551615"),
        ] {
            assert_eq!(version(numbers), phrase);
        }
        assert_eq!(numbered("epoch", 1..=40), "epochs 1 to 40");
        let scattered = numbered("version", (0..50).map(|n| 2 * n));
        assert!(scattered.ends_with("34, 36, 38 and 30 more"), "{scattered}");
    }

    #[test]
    fn names_are_quoted_and_escaped() {
        assert_eq!(quoted(["a", "say \"b\""]), r#""a", "say \"b\"""#);
        assert_eq!(quoted([""]), r#""""#);
        assert_eq!(quoted(Vec::<String>::new()), "none");
        assert_eq!(quoted(["x".repeat(101)]), format!("\"{}…\"", "x".repeat(100)));
        assert!(quoted(0..23).ends_with("\"18\", \"19\" and 3 more"));
    }
}
