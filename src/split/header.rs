//! The header of an input, and the shape of its first data record → what the
//! fields of its records are called.
//!
//! A delimiter at the end of each record makes one more field, which is empty.
//! Where the header has it and the records have not, or the other way round, the
//! two differ in number by one; all records of the input then have to be like the
//! first. Called by the stages that bind columns, and by type inference.

use crate::parse::FieldSpan;
use crate::spec::{BlankNames, DuplicateNames, Framing};
use std::collections::HashSet;

/// The first data record of an input, as far as it is clean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FirstRecord {
    /// Its fields.
    pub fields: usize,
    /// Whether the last of them is empty.
    pub ends_empty: bool,
}

/// What the fields of the records of one input are called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// By position.
    pub names: Vec<HeaderName>,
    /// Where header and records end in another way.
    pub trailing: Option<Trailing>,
}

/// What one field is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderName {
    /// Its name; one by position where the header has none, unless that is to fail.
    pub name: String,
    /// Whether the header has none.
    pub is_blank: bool,
}

/// Which of the two ends in a delimiter that the other lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trailing {
    /// The header.
    Header,
    /// Each record.
    Records,
}

impl FirstRecord {
    /// Of its fields.
    pub fn of(fields: &[FieldSpan]) -> Self {
        FirstRecord { fields: fields.len(), ends_empty: fields.last().is_some_and(is_empty) }
    }

    /// Whether it has one field more than `fields`, and nothing in it.
    pub fn has_trailing(self, fields: usize) -> bool {
        self.fields == fields + 1 && self.ends_empty
    }
}

/// Whether nothing stands in a field, not even space.
pub fn is_empty(span: &FieldSpan) -> bool {
    span.start == span.end
}

/// Whether a name is none.
pub fn is_blank(name: &str) -> bool {
    name.trim().is_empty()
}

/// How a header and records with these fields end in another way, if they do.
pub fn trailing(names: usize, last_is_blank: bool, first: FirstRecord) -> Option<Trailing> {
    match () {
        () if names > 0 && first.has_trailing(names) => Some(Trailing::Records),
        () if last_is_blank && names > 1 && first.fields + 1 == names => Some(Trailing::Header),
        () => None,
    }
}

impl Header {
    /// Of the names as they stand in the header, and the first data record, if there is one.
    pub fn of(names: &[String], first: Option<FirstRecord>, framing: &Framing) -> Self {
        let fails = framing.blank_names == BlankNames::Fail;
        let last_is_blank = names.last().is_some_and(|name| is_blank(name));
        let trailing = first.filter(|_| !fails).and_then(|first| trailing(names.len(), last_is_blank, first));
        let fields = match trailing {
            None => names.len(),
            Some(Trailing::Records) => names.len() + 1,
            Some(Trailing::Header) => names.len() - 1,
        };
        let in_any_case = framing.duplicate_names == DuplicateNames::NumberInAnyCase;
        let key = |name: &str| if in_any_case { name.to_lowercase() } else { name.to_owned() };
        let mut taken: HashSet<String> =
            names.iter().filter(|name| !is_blank(name)).map(|name| key(name)).collect();
        let mut seen = HashSet::new();
        let named = |position: usize| match names.get(position).filter(|name| !is_blank(name)) {
            Some(name) => {
                let is_new = framing.duplicate_names == DuplicateNames::Keep || seen.insert(key(name));
                let name = if is_new { name.clone() } else { free(name, key, &mut taken) };
                HeaderName { name, is_blank: false }
            }
            None if fails => HeaderName { name: names[position].clone(), is_blank: true },
            None => {
                let name = format!("column_{}", position + 1);
                let name = if taken.contains(&key(&name)) { free(&name, key, &mut taken) } else { name };
                HeaderName { name, is_blank: true }
            }
        };
        Header { names: (0..fields).map(named).collect(), trailing }
    }

    /// Positions of the fields without a name.
    pub fn blank(&self) -> impl Iterator<Item = usize> {
        self.names.iter().enumerate().filter(|(_, name)| name.is_blank).map(|(position, _)| position)
    }

    /// Position of the first name that an earlier field has, too, and of that field.
    pub fn repeated(names: &[String]) -> Option<(usize, usize)> {
        let mut first = std::collections::HashMap::new();
        names.iter().enumerate().find_map(|(position, name)| {
            let earlier = *first.entry(name).or_insert(position);
            (earlier < position).then_some((earlier, position))
        })
    }
}

/// A name with the first number that nothing else has, by its key.
fn free(name: &str, key: impl Fn(&str) -> String, taken: &mut HashSet<String>) -> String {
    let mut numbered = (2..).map(|number| format!("{name}_{number}"));
    let free = numbered.find(|name| !taken.contains(&key(name))).unwrap_or_default();
    taken.insert(key(&free));
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &str, fields: usize, ends_empty: bool, framing: &Framing) -> (String, Option<Trailing>) {
        let names: Vec<String> = names.split(',').map(str::to_owned).collect();
        let header = Header::of(&names, Some(FirstRecord { fields, ends_empty }), framing);
        let shown = header.names.iter().map(|name| match name.is_blank {
            true => format!("<{}>", name.name),
            false => name.name.clone(),
        });
        (shown.collect::<Vec<_>>().join(","), header.trailing)
    }

    #[test]
    fn blank_names_are_by_position_and_clash_with_none() {
        for (names, fields, empty, expected, trailing) in [
            (",a,b", 3, false, "<column_1>,a,b", None),
            ("a, ,b", 3, false, "a,<column_2>,b", None),
            (",column_1,column_1_2", 3, false, "<column_1_3>,column_1,column_1_2", None),
            ("a,b,", 3, true, "a,b,<column_3>", None),
            ("a,b,", 2, false, "a,b", Some(Trailing::Header)),
            ("a,b", 3, true, "a,b,<column_3>", Some(Trailing::Records)),
            ("a", 2, true, "a,<column_2>", Some(Trailing::Records)),
            // What holds something, or is more than one field, is not a trailing delimiter.
            ("a,b", 3, false, "a,b", None),
            ("a,b", 4, true, "a,b", None),
            ("a,b,c", 2, true, "a,b,c", None),
        ] {
            let found = header(names, fields, empty, &Framing::default());
            assert_eq!(found, (expected.to_owned(), trailing), "{names:?}");
        }
        let fail = Framing { blank_names: BlankNames::Fail, ..Framing::default() };
        assert_eq!(header("a,", 2, true, &fail), ("a,<>".into(), None));
        assert_eq!(header("a,b", 3, true, &fail), ("a,b".into(), None));
    }

    #[test]
    fn names_are_numbered_where_that_is_said() {
        let with = |duplicate_names| Framing { duplicate_names, ..Framing::default() };
        for (names, policy, expected) in [
            ("a,b,a,a", DuplicateNames::Keep, "a,b,a,a"),
            ("a,b,a,a", DuplicateNames::Number, "a,b,a_2,a_3"),
            ("a,a_2,a", DuplicateNames::Number, "a,a_2,a_3"),
            ("a,A", DuplicateNames::Number, "a,A"),
            ("a,A", DuplicateNames::NumberInAnyCase, "a,A_2"),
            ("a,A,a_2", DuplicateNames::NumberInAnyCase, "a,A_3,a_2"),
            ("Column_2,,a", DuplicateNames::NumberInAnyCase, "Column_2,<column_2_2>,a"),
        ] {
            assert_eq!(header(names, 4, false, &with(policy)).0, expected);
        }
    }
}
