//! Dates, times and timestamps: which formats read all values, and only one way.

use crate::value::convert::format::POSIX_PIVOT;
use crate::value::convert::{self, ConvertError, Format, TimestampRules};
use crate::value::{AmbiguousTime, ColumnType};
use arrow::datatypes::TimeUnit;
use std::collections::BTreeSet;

/// Ways to write dates and times that one column may mix.
const MAX_SHAPES: usize = 4;

/// What the dates and times of a column allow.
#[derive(Debug, Clone)]
pub(super) struct Temporal {
    /// Every shape seen.
    shapes: BTreeSet<Shape>,
    /// For `/` and `-`: whether the day may come first, and whether the month may.
    orders: [Order; 2],
    /// Fractions of more than six digits.
    nanoseconds: bool,
    /// Something that nanoseconds cannot hold: a year before 1678 or after 2261,
    /// or a tenth digit.
    beyond_nanoseconds: bool,
    /// Whether all values may be times of day.
    times: bool,
    /// Something else was seen.
    dead: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Order {
    day_first: bool,
    month_first: bool,
}

/// A way to write a date or time, up to the order of day and month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    date: DateShape,
    clock: Option<Clock>,
    zone: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum DateShape {
    /// `2013-01-31`
    Iso,
    /// `2013/01/31`
    YearFirst,
    /// `31.01.2013`
    Dotted,
    /// `31/01/2013` or `01/31/2013`
    Slashed,
    /// `31-01-2013` or `01-31-2013`
    Dashed,
    /// `31-Jan-2013`
    DashedName,
    /// `31 Jan 2013`
    SpacedName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Clock {
    /// `T` instead of a space before it.
    t: bool,
    seconds: bool,
    fraction: bool,
    /// ` AM` or ` PM` after it.
    meridiem: bool,
}

/// What dates and times were found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TemporalType {
    pub(super) column_type: ColumnType,
    /// Empty: ISO 8601.
    pub(super) formats: Vec<String>,
}

/// Why dates and times were found to be text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unclear {
    /// They are none, or dates stand beside timestamps or zones beside none.
    NotTemporal,
    /// No value says whether day or month comes first.
    Ambiguous,
    /// In some values the day comes first, in others the month.
    Mixed,
    /// Microseconds are not enough for some fraction, and nanoseconds do not reach
    /// to some year, or are not enough either.
    NoUnit,
}

impl Default for Temporal {
    fn default() -> Self {
        let either = Order { day_first: true, month_first: true };
        Temporal {
            shapes: BTreeSet::new(),
            orders: [either; 2],
            nanoseconds: false,
            beyond_nanoseconds: false,
            times: true,
            dead: false,
        }
    }
}

impl Temporal {
    pub(super) fn observe(&mut self, value: &[u8]) {
        self.times = self.times && value.contains(&b':') && convert::time::time(value, &[]).is_ok();
        if self.dead {
            return;
        }
        let fits = shape_of(value).is_some_and(|shape| {
            self.shapes.insert(shape);
            self.shapes.len() <= MAX_SHAPES && self.fits(shape, value)
        });
        self.dead = !fits;
    }

    /// Whether no date or time can be found any more.
    pub(super) fn is_over(&self) -> bool {
        self.dead && !self.times
    }

    fn fits(&mut self, shape: Shape, value: &[u8]) -> bool {
        let mut reads = |month_first| {
            let formats = Format::list(&shape.formats(month_first), POSIX_PIVOT);
            match shape.clock {
                None => convert::date::date(value, &formats).is_ok(),
                Some(_) => match timestamp(value, shape.zone, TimeUnit::Microsecond, &formats) {
                    Err(ConvertError::TooPrecise) => {
                        self.nanoseconds = true;
                        let read = timestamp(value, shape.zone, TimeUnit::Nanosecond, &formats);
                        let beyond = matches!(read, Err(ConvertError::TooPrecise | ConvertError::OutOfRange));
                        self.beyond_nanoseconds |= beyond;
                        read.is_ok() || beyond
                    }
                    Ok(microseconds) => {
                        self.beyond_nanoseconds |= microseconds.checked_mul(1000).is_none();
                        true
                    }
                    Err(_) => false,
                },
            }
        };
        let Some(order) = shape.date.order() else { return reads(false) };
        let (day_first, month_first) = (reads(false), reads(true));
        self.orders[order].day_first &= day_first;
        self.orders[order].month_first &= month_first;
        day_first || month_first
    }

    /// Changes when what [`Temporal::settle`] gives may change.
    pub(super) fn fingerprint(&self) -> u64 {
        let [slashed, dashed] = self.orders;
        let flags = [
            slashed.day_first,
            slashed.month_first,
            dashed.day_first,
            dashed.month_first,
            self.nanoseconds,
            self.beyond_nanoseconds,
            self.times,
            self.dead,
        ];
        flags.into_iter().fold(self.shapes.len() as u64, |bits, flag| bits << 1 | u64::from(flag))
    }

    /// The type and the formats that read every value.
    pub(super) fn settle(&self) -> Result<TemporalType, Unclear> {
        if self.times {
            return Ok(TemporalType { column_type: ColumnType::Time, formats: Vec::new() });
        }
        let column_type = self.column_type().ok_or(Unclear::NotTemporal)?;
        if matches!(column_type, ColumnType::Timestamp { .. }) && self.nanoseconds && self.beyond_nanoseconds
        {
            return Err(Unclear::NoUnit);
        }
        // The default reads every variant of ISO 8601.
        if self.shapes.iter().all(|shape| shape.date == DateShape::Iso) {
            return Ok(TemporalType { column_type, formats: Vec::new() });
        }
        let mut formats = Vec::new();
        for shape in self.shapes.iter() {
            let month_first = match shape.date.order().map(|order| self.orders[order]) {
                Some(Order { day_first: true, month_first: true }) => return Err(Unclear::Ambiguous),
                Some(Order { day_first: false, month_first: false }) => return Err(Unclear::Mixed),
                Some(order) => order.month_first,
                None => false,
            };
            formats.push(shape.format(month_first));
        }
        Ok(TemporalType { column_type, formats })
    }

    fn column_type(&self) -> Option<ColumnType> {
        if self.dead {
            return None;
        }
        let mut shapes = self.shapes.iter();
        let first = shapes.next()?;
        if shapes.any(|shape| (shape.clock.is_some(), shape.zone) != (first.clock.is_some(), first.zone)) {
            return None;
        }
        let unit = if self.nanoseconds { TimeUnit::Nanosecond } else { TimeUnit::Microsecond };
        Some(match first.clock {
            None => ColumnType::Date,
            Some(_) => ColumnType::Timestamp { unit, utc: first.zone },
        })
    }
}

fn timestamp(text: &[u8], utc: bool, unit: TimeUnit, formats: &[Format]) -> Result<i64, ConvertError> {
    let (source_zone, ambiguous) = (chrono_tz::UTC, AmbiguousTime::default());
    TimestampRules { unit, utc, source_zone, ambiguous, formats }.timestamp(text)
}

impl DateShape {
    /// Which of the orders decides; `None` if the day's place is clear.
    fn order(self) -> Option<usize> {
        match self {
            DateShape::Slashed => Some(0),
            DateShape::Dashed => Some(1),
            _ => None,
        }
    }

    fn format(self, month_first: bool) -> &'static str {
        match (self, month_first) {
            (DateShape::Iso, _) => "%Y-%m-%d",
            (DateShape::YearFirst, _) => "%Y/%m/%d",
            (DateShape::Dotted, _) => "%d.%m.%Y",
            (DateShape::Slashed, false) => "%d/%m/%Y",
            (DateShape::Slashed, true) => "%m/%d/%Y",
            (DateShape::Dashed, false) => "%d-%m-%Y",
            (DateShape::Dashed, true) => "%m-%d-%Y",
            (DateShape::DashedName, _) => "%d-%b-%Y",
            (DateShape::SpacedName, _) => "%d %b %Y",
        }
    }
}

impl Shape {
    /// What reads it; nothing for ISO 8601, which needs no format.
    fn formats(self, month_first: bool) -> Vec<String> {
        if self.date == DateShape::Iso { Vec::new() } else { vec![self.format(month_first)] }
    }

    /// What reads it where the default is not enough.
    fn format(self, month_first: bool) -> String {
        let mut format = self.date.format(month_first).to_owned();
        if let Some(clock) = self.clock {
            format.push(if clock.t { 'T' } else { ' ' });
            format.push_str(match (clock.meridiem, clock.seconds) {
                (true, true) => "%I:%M:%S",
                (true, false) => "%I:%M",
                (false, true) => "%H:%M:%S",
                (false, false) => "%H:%M",
            });
            format.push_str(if clock.fraction { "%.f" } else { "" });
            format.push_str(if clock.meridiem { " %p" } else { "" });
        }
        format.push_str(if self.zone { "%#z" } else { "" });
        format
    }
}

/// How a value is written, if it may be a date or time. That day, month and clock
/// exist is for the converters to say.
fn shape_of(value: &[u8]) -> Option<Shape> {
    /// `31 September 2013 12:00:00.000000000 AM+00:00` is longer than any other.
    const LONGEST: usize = 48;
    if value.len() > LONGEST || !value.first()?.is_ascii_digit() {
        return None;
    }
    let (date, rest) = date_shape(value)?;
    if rest.is_empty() {
        return Some(Shape { date, clock: None, zone: false });
    }
    let (clock, rest) = clock_shape(rest)?;
    let zone = match rest {
        [] => false,
        [b'Z'] | [b'+' | b'-', ..] => true,
        _ => return None,
    };
    Some(Shape { date, clock: Some(clock), zone })
}

fn date_shape(value: &[u8]) -> Option<(DateShape, &[u8])> {
    let (first, rest) = digits(value);
    let (&separator, rest) = rest.split_first()?;
    let name = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (second, rest) = if name == 3 { (name, &rest[name..]) } else { digits(rest) };
    let rest = rest.strip_prefix(&[separator])?;
    let (third, rest) = digits(rest);
    let one_or_two = |length| matches!(length, 1 | 2);
    let shape = match (separator, first, second, third) {
        (b'-', 4, 2, 2) => DateShape::Iso,
        (b'/', 4, month, day) if one_or_two(month) && one_or_two(day) => DateShape::YearFirst,
        (b'-', day, 3, 4) if name == 3 && one_or_two(day) => DateShape::DashedName,
        (b' ', day, 3, 4) if name == 3 && one_or_two(day) => DateShape::SpacedName,
        (_, day, month, 4) if one_or_two(day) && one_or_two(month) => match separator {
            b'.' => DateShape::Dotted,
            b'/' => DateShape::Slashed,
            b'-' => DateShape::Dashed,
            _ => return None,
        },
        _ => return None,
    };
    Some((shape, rest))
}

fn clock_shape(text: &[u8]) -> Option<(Clock, &[u8])> {
    let t = match text.first()? {
        b'T' => true,
        b' ' => false,
        _ => return None,
    };
    let (hour, rest) = digits(&text[1..]);
    let (minute, mut rest) = digits(rest.strip_prefix(b":")?);
    if !matches!((hour, minute), (1 | 2, 2)) {
        return None;
    }
    let (mut seconds, mut fraction) = (false, false);
    if let Some(after) = rest.strip_prefix(b":") {
        let (second, after) = digits(after);
        (seconds, rest) = (second == 2, after);
        if let Some(after) = rest.strip_prefix(b".") {
            let (length, after) = digits(after);
            (fraction, rest) = (length > 0, after);
        }
    }
    let meridiem = match rest {
        [b' ', b'A' | b'P' | b'a' | b'p', b'M' | b'm', ..] => {
            rest = &rest[3..];
            true
        }
        _ => false,
    };
    Some((Clock { t, seconds, fraction, meridiem }, rest))
}

/// How many digits `text` begins with, and the rest.
fn digits(text: &[u8]) -> (usize, &[u8]) {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count, &text[count..])
}
