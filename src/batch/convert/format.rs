//! strftime formats, compiled once a column and read by chrono.

use super::Unconvertible;
use chrono::format::{Fixed, Item, ParseError, ParseErrorKind, Parsed, StrftimeItems};

/// A compiled strftime format.
///
/// What chrono says goes, but for three things in which it would give wrong
/// values without a word:
/// - `%f` counts fractional digits from the left, as in C and Python (`.5` is
///   half a second); chrono reads an integer of nanoseconds. After a point it
///   takes any number of digits, elsewhere exactly six.
/// - A fraction with non-zero digits past the ninth is too precise; chrono
///   drops them.
/// - `%Z` matches nothing; chrono skips the zone's name unread.
///
/// A format that chrono does not know matches nothing, either.
#[derive(Debug, Clone)]
pub struct Format {
    /// Up to the first `%.f`.
    head: Vec<Item<'static>>,
    /// From there on.
    tail: Vec<Item<'static>>,
}

impl Format {
    /// Compiles a format.
    pub fn new(format: &str) -> Self {
        let rewritten = rewrite(format);
        let item = |item: Item<'_>| match item {
            Item::Fixed(Fixed::TimezoneName) => Item::Error,
            other => other.to_owned(),
        };
        let mut head: Vec<Item<'static>> = StrftimeItems::new(&rewritten).map(item).collect();
        let fraction = head.iter().position(|item| *item == Item::Fixed(Fixed::Nanosecond));
        let tail = head.split_off(fraction.unwrap_or(head.len()));
        Format { head, tail }
    }

    /// Compiles every format of a list.
    pub fn list(formats: &[String]) -> Vec<Format> {
        formats.iter().map(|format| Format::new(format)).collect()
    }

    /// What the format finds in `text`, all of it.
    pub(super) fn parse(&self, text: &[u8]) -> Result<Parsed, Unconvertible> {
        /// Digits of a fraction that chrono reads; it drops the others.
        const DIGITS_READ: usize = 9;
        let text = std::str::from_utf8(text).map_err(|_| Unconvertible::Malformed)?;
        let mut parsed = Parsed::new();
        let rest =
            chrono::format::parse_and_remainder(&mut parsed, text, self.head.iter()).map_err(refusal)?;
        chrono::format::parse(&mut parsed, rest, self.tail.iter()).map_err(refusal)?;
        // What `rest` begins with, if the format goes on there, is the fraction.
        if let Some(fraction) = rest.strip_prefix('.') {
            let mut dropped = fraction.bytes().take_while(u8::is_ascii_digit).skip(DIGITS_READ);
            if dropped.any(|digit| digit != b'0') {
                return Err(Unconvertible::TooPrecise);
            }
        }
        Ok(parsed)
    }
}

/// The value by the first format that gives one; else the refusal of the format
/// that got furthest, the first of those.
pub(super) fn first_match<T>(
    formats: &[Format],
    convert: impl Fn(&Format) -> Result<T, Unconvertible>,
) -> Result<T, Unconvertible> {
    let progress = |why: Unconvertible| match why {
        Unconvertible::Malformed => 0,
        // May be said of the first number of a text in another format.
        Unconvertible::NoSuchMoment => 1,
        _ => 2,
    };
    let mut refusal = Unconvertible::Malformed;
    for format in formats {
        match convert(format) {
            Ok(value) => return Ok(value),
            Err(why) if progress(why) > progress(refusal) => refusal = why,
            Err(_) => {}
        }
    }
    Err(refusal)
}

/// chrono's reasons in our words.
pub(super) fn refusal(error: ParseError) -> Unconvertible {
    match error.kind() {
        ParseErrorKind::OutOfRange | ParseErrorKind::Impossible => Unconvertible::NoSuchMoment,
        _ => Unconvertible::Malformed,
    }
}

/// `.%f` → `%.f` and any other `%f` → `%6f`, for what [`Format`] promises; and
/// `%+` → what it is short for, so that the place of its fraction is known.
fn rewrite(format: &str) -> String {
    let mut rewritten = String::with_capacity(format.len() + 1);
    let mut rest = format.chars();
    while let Some(character) = rest.next() {
        if character != '%' {
            rewritten.push(character);
            continue;
        }
        match rest.next() {
            Some('f') if rewritten.ends_with('.') => {
                rewritten.pop();
                rewritten.push_str("%.f");
            }
            Some('f') => rewritten.push_str("%6f"),
            Some('+') => rewritten.push_str("%Y-%m-%dT%H:%M:%S%.f%#z"),
            specifier => {
                rewritten.push('%');
                rewritten.extend(specifier);
            }
        }
    }
    rewritten
}
