//! strftime formats: compiled once a column, read exactly.
//!
//! [`compile`] makes [`Format`]s of patterns and says what is wrong with those
//! that are none; [`read`] checks a text against one and gives its parts, from
//! which the types make their values.
//!
//! Written here rather than left to chrono because the values of a table hang
//! on it: chrono reads `01/02/24` by `%d/%m/%Y` as a day of the year 24, skips
//! names of zones unread, takes spaces before any number and drops digits past
//! the nanosecond.

pub(super) mod compile;
pub(super) mod read;

pub use compile::{FormatError, Strftime, strftime_of};

use super::ConvertError;

/// First year of the hundred that two-digit years stand for, where nothing
/// else is said: POSIX has 69 to 99 in the 1900s and 00 to 68 in the 2000s
/// (IEEE Std 1003.1, `strptime`).
pub const POSIX_PIVOT: u16 = 1969;

/// The patterns that are understood, for messages and help.
pub const DIRECTIVES: &str = "%Y %y %m %b %B %d %e %j %a %A %H %k %I %l %p %M %S %f %3f %6f %9f %.f %z %Z %s %Q \
                              and the combinations %F %T %R %D %r %c %+";

/// A compiled strftime format.
///
/// - `%Y` is four digits, `%y` two; other numbers may lack their leading zero,
///   but where two stand side by side, as in `%Y%m%d`.
///   `%e`, `%k` and `%l`, or `_` in a directive, allow spaces before a number.
/// - Names of months and days are English, whole or the first three letters, in
///   any case. A day's name must be that of the date.
/// - `%f` counts fractional digits from the left (`.5` is half a second). After
///   a point or comma it takes any number of digits, elsewhere exactly six;
///   `%3f` takes three, `%.f` a point and digits or nothing. Non-zero digits
///   past the ninth are too precise.
/// - `%z`, and `%:z` alike, take `+02`, `+0200`, `+02:00` and `Z`; `%Z` takes
///   `UTC`, `GMT` and `Z` only, as other abbreviations are not unique.
/// - `%s` is seconds since the epoch and `%Q` milliseconds (as in Ruby and D3),
///   both with an optional minus and in UTC whatever the source's zone.
/// - White space matches any, or none. Everything else matches itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Format {
    items: Vec<Item>,
    pivot: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    Literal(u8),
    Space,
    Number(Part, Pad),
    MonthName,
    DayName,
    AmPm,
    /// Digits of a fraction of a second.
    Fraction(FractionDigits),
    /// A point and digits, or nothing.
    OptionalFraction,
    Offset,
    UtcName,
    EpochSeconds,
    EpochMilliseconds,
    /// What a pattern that is none is compiled to.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FractionDigits {
    Any,
    Exactly(usize),
}

/// Whether spaces may stand before a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pad {
    None,
    Spaces,
}

/// A number of the calendar or the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Year,
    YearOfCentury,
    Month,
    Day,
    DayOfYear,
    Hour,
    Hour12,
    Minute,
    Second,
}

impl Item {
    /// Digits that a number has if none of its zeros is left out; `None` for what
    /// is not a number.
    fn digits(&self) -> Option<usize> {
        match *self {
            Item::Number(part, _) => Some(part.digits().1),
            Item::Fraction(FractionDigits::Exactly(digits)) => Some(digits),
            Item::Fraction(FractionDigits::Any) | Item::EpochSeconds | Item::EpochMilliseconds => Some(1),
            _ => None,
        }
    }
}

impl Part {
    /// Fewest and most digits.
    fn digits(self) -> (usize, usize) {
        match self {
            Part::Year => (4, 4),
            Part::YearOfCentury => (2, 2),
            Part::DayOfYear => (1, 3),
            _ => (1, 2),
        }
    }
}

impl Format {
    /// Compiles a pattern; one that is none matches nothing. Where users write
    /// patterns, [`Format::compile`] says what is wrong.
    pub fn new(pattern: &str) -> Self {
        Format::with_pivot(pattern, POSIX_PIVOT)
    }

    /// As [`Format::new`]; two-digit years lie in the hundred years from `pivot` on.
    pub fn with_pivot(pattern: &str, pivot: u16) -> Self {
        let nothing = || Format { items: vec![Item::Nothing], pivot };
        Format::compile(pattern).map_or_else(|_| nothing(), |format| Format { pivot, ..format })
    }

    /// Compiles every pattern of a list.
    pub fn list(patterns: &[String], pivot: u16) -> Vec<Format> {
        patterns.iter().map(|pattern| Format::with_pivot(pattern, pivot)).collect()
    }

    /// Whether a text in this format names a day.
    pub fn has_date(&self) -> bool {
        let year = self.has(Part::Year) || self.has(Part::YearOfCentury);
        let month = self.has(Part::Month) || self.items.contains(&Item::MonthName);
        self.has_epoch() || (year && (self.has(Part::DayOfYear) || (month && self.has(Part::Day))))
    }

    /// Whether a text in this format names a time of day.
    pub fn has_time(&self) -> bool {
        let twelve = self.has(Part::Hour12) && self.items.contains(&Item::AmPm);
        self.has_epoch() || self.has(Part::Hour) || twelve
    }

    /// Whether it has an hour of twelve and not which half of the day.
    pub fn lacks_half_of_day(&self) -> bool {
        self.has(Part::Hour12) && !self.items.contains(&Item::AmPm)
    }

    /// Whether the century of a text in this format depends on the pivot.
    pub fn has_two_digit_year(&self) -> bool {
        self.has(Part::YearOfCentury)
    }

    fn has_epoch(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::EpochSeconds | Item::EpochMilliseconds))
    }

    fn has(&self, part: Part) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Number(found, _) if *found == part))
    }
}

/// The value by the first format that gives one; otherwise the refusal of the format
/// that got furthest, the first of those.
pub(super) fn first_match<T>(
    formats: &[Format],
    convert: impl Fn(&Format) -> Result<T, ConvertError>,
) -> Result<T, ConvertError> {
    let progress = |why: ConvertError| match why {
        ConvertError::Malformed => 0,
        // May be said of the first number of a text in another format.
        ConvertError::NoSuchDateOrTime => 1,
        _ => 2,
    };
    let mut refusal = ConvertError::Malformed;
    for format in formats {
        match convert(format) {
            Ok(value) => return Ok(value),
            Err(why) if progress(why) > progress(refusal) => refusal = why,
            Err(_) => {}
        }
    }
    Err(refusal)
}
