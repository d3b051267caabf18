//! Sort keys as text: `price`, `price desc`, `"unit price" desc nulls first`.

use crate::error::nearest;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::fmt;
use std::str::FromStr;

/// A column to sort by, in text: its name, then `asc` or `desc`, then `nulls
/// first` or `nulls last`. Default: `asc nulls last`, whichever the order. A
/// name that ends in one of these words stands in double quotes.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(with = "String")]
pub struct SortKey {
    /// Name in the output.
    pub column: String,
    /// Smallest or largest value first.
    pub order: SortOrder,
    /// Where nulls stand; the order does not turn this round.
    pub nulls: NullOrder,
}

/// Which value comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SortOrder {
    /// The smallest.
    #[default]
    Ascending,
    /// The largest.
    Descending,
}

/// Where nulls stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NullOrder {
    /// Before all values.
    First,
    /// After all values.
    #[default]
    Last,
}

/// A word of a sort key, with its place in characters, from 1.
struct Word<'a> {
    text: &'a str,
    place: usize,
}

impl Word<'_> {
    fn is(&self, keyword: &str) -> bool {
        self.text.eq_ignore_ascii_case(keyword)
    }

    fn wrong(&self, what: &str) -> String {
        format!("{what}, not `{}` (character {})", self.text, self.place)
    }
}

impl FromStr for SortKey {
    type Err = String;

    /// Words that are none of the language at the end belong to the name: a
    /// column may well be called `unit price`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(quoted) = text.trim_start().strip_prefix('"') {
            let Some((name, rest)) = quoted.split_once('"') else {
                return Err("the closing `\"` of the name is missing".into());
            };
            let words = words(rest, text.chars().count() - rest.chars().count());
            let (left, order, nulls) = suffix(&words, 0)?;
            return match left.first() {
                Some(word) => Err(word.wrong("`asc`, `desc` or `nulls` follows the name")),
                None => SortKey::named(name, order, nulls),
            };
        }
        let words = words(text, 0);
        let (left, order, nulls) = suffix(&words, 1)?;
        if let [_, .., last] = left {
            let known = ["desc", "asc", "descending", "ascending"];
            if let Some(close) = nearest(last.text, known) {
                let close = if close.starts_with("asc") { "asc" } else { "desc" };
                return Err(format!(
                    "{}; a name that ends this way must be in double quotes",
                    last.wrong(&format!("write `{close}`"))
                ));
            }
        }
        // The name as it stands, spaces included.
        let end = left.last().map_or(0, |last| last.place - 1 + last.text.chars().count());
        let name: String = text.chars().take(end).collect();
        SortKey::named(name.trim(), order, nulls)
    }
}

impl SortKey {
    fn named(name: &str, order: SortOrder, nulls: NullOrder) -> Result<Self, String> {
        match name {
            "" => Err("a sort key needs the name of a column".into()),
            name => Ok(SortKey { column: name.into(), order, nulls }),
        }
    }
}

fn words(text: &str, offset: usize) -> Vec<Word<'_>> {
    let place = |word: &str| {
        let before = word.as_ptr() as usize - text.as_ptr() as usize;
        offset + text[..before].chars().count() + 1
    };
    text.split_whitespace().map(|word| Word { text: word, place: place(word) }).collect()
}

/// Takes order and place of nulls off the end, leaving so many words at least.
fn suffix<'a, 'b>(
    words: &'b [Word<'a>],
    at_least: usize,
) -> Result<(&'b [Word<'a>], SortOrder, NullOrder), String> {
    let (mut left, mut nulls, mut order) = (words, NullOrder::default(), SortOrder::default());
    if let [before @ .., word, last] = words
        && word.is("nulls")
        && before.len() >= at_least
    {
        nulls = match () {
            () if last.is("first") => NullOrder::First,
            () if last.is("last") => NullOrder::Last,
            () => return Err(last.wrong("`nulls` is followed by `first` or `last`")),
        };
        left = before;
    }
    if let [before @ .., last] = left
        && (last.is("asc") || last.is("desc"))
        && before.len() >= at_least
    {
        order = if last.is("asc") { SortOrder::Ascending } else { SortOrder::Descending };
        left = before;
    }
    Ok((left, order, nulls))
}

impl fmt::Display for SortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = if self.order == SortOrder::Ascending { "asc" } else { "desc" };
        let nulls = if self.nulls == NullOrder::First { "first" } else { "last" };
        write!(f, "\"{}\" {order} nulls {nulls}", self.column)
    }
}

impl Serialize for SortKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SortKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_orders_and_nulls() {
        use NullOrder::{First, Last};
        use SortOrder::{Ascending, Descending};
        for (text, column, order, nulls) in [
            ("price", "price", Ascending, Last),
            ("price DESC", "price", Descending, Last),
            (" price desc nulls first ", "price", Descending, First),
            ("price nulls first", "price", Ascending, First),
            ("unit price desc", "unit price", Descending, Last),
            ("\"sold desc\"", "sold desc", Ascending, Last),
            ("\"sold desc\" desc nulls last", "sold desc", Descending, Last),
            ("desc", "desc", Ascending, Last),
        ] {
            let key: SortKey = text.parse().unwrap();
            assert_eq!(key, SortKey { column: column.into(), order, nulls }, "{text}");
            assert_eq!(key.to_string().parse(), Ok(key), "{text}");
        }
    }

    #[test]
    fn mistakes_say_where() {
        for (text, expected) in [
            ("", "needs the name"),
            ("a desc nulls frist", "`frist` (character 14)"),
            ("a dsc", "write `desc`, not `dsc` (character 3)"),
            ("a ascending", "write `asc`"),
            ("\"a", "closing"),
            ("\"a\" b", "not `b` (character 5)"),
        ] {
            let error = text.parse::<SortKey>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
