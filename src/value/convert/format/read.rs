//! A text and a [`Format`] → the parts of a date and a time.

use super::super::{ConvertError, date, time, timestamp};
use super::{Format, FractionDigits, Item, Pad, Part};

const MONTHS: [&[u8]; 12] = [
    b"january",
    b"february",
    b"march",
    b"april",
    b"may",
    b"june",
    b"july",
    b"august",
    b"september",
    b"october",
    b"november",
    b"december",
];
const DAYS: [&[u8]; 7] =
    [b"monday", b"tuesday", b"wednesday", b"thursday", b"friday", b"saturday", b"sunday"];

/// What a text says. Numbers are as they stand: whether the calendar and the
/// clock have them is asked when a value is made.
#[derive(Debug, Clone, Copy, Default)]
pub(in super::super) struct Parts {
    year: Option<u32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    /// From Monday, which is 0.
    day_of_week: Option<u32>,
    hour: Option<u32>,
    hour_of_half: Option<u32>,
    afternoon: Option<u32>,
    minute: Option<u32>,
    second: Option<u32>,
    nanoseconds: Option<u32>,
    offset: Option<i32>,
    epoch: Option<Epoch>,
}

/// A count of time since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy)]
struct Epoch {
    negative: bool,
    seconds: i64,
}

/// A local date and time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Local {
    /// Since 1970-01-01T00:00:00.
    pub(in super::super) seconds: i64,
    pub(in super::super) nanoseconds: u32,
    /// Seconds east of UTC, if the text says.
    pub(in super::super) offset: Option<i32>,
}

impl Format {
    /// What the format finds in `text`, all of it.
    pub(in super::super) fn parse(&self, text: &[u8]) -> Result<Parts, ConvertError> {
        let mut parts = Parts::default();
        let mut rest = text;
        // Where a number ended that had all its digits, or had not.
        let (mut full_end, mut short_end) = (usize::MAX, usize::MAX);
        for item in &self.items {
            let begun = rest.len();
            rest = parts.take(item, rest, self.pivot)?;
            let Some(digits) = item.digits() else { continue };
            let is_short = begun - rest.len() < digits;
            // Of digits without a mark between them nothing but their number says
            // which are whose: 2020111 may be of January or of November.
            if begun == short_end || is_short && begun == full_end {
                return Err(ConvertError::Malformed);
            }
            (full_end, short_end) =
                if is_short { (usize::MAX, rest.len()) } else { (rest.len(), usize::MAX) };
        }
        if rest.is_empty() { Ok(parts) } else { Err(ConvertError::Malformed) }
    }
}

impl Parts {
    /// Takes one item off the front of `text` and gives the rest.
    fn take<'a>(&mut self, item: &Item, text: &'a [u8], pivot: u16) -> Result<&'a [u8], ConvertError> {
        match *item {
            Item::Literal(byte) => match text {
                [first, rest @ ..] if *first == byte => Ok(rest),
                _ => Err(ConvertError::Malformed),
            },
            Item::Space => Ok(text.trim_ascii_start()),
            Item::Number(part, pad) => self.number(part, pad, text, pivot),
            Item::MonthName => {
                let (month, rest) = name(&MONTHS, text).ok_or(ConvertError::Malformed)?;
                set(&mut self.month, month + 1)?;
                Ok(rest)
            }
            Item::DayName => {
                let (day, rest) = name(&DAYS, text).ok_or(ConvertError::Malformed)?;
                set(&mut self.day_of_week, day)?;
                Ok(rest)
            }
            Item::AmPm => match text {
                [half @ (b'a' | b'A' | b'p' | b'P'), b'm' | b'M', rest @ ..] => {
                    set(&mut self.afternoon, u32::from(half.eq_ignore_ascii_case(&b'p')))?;
                    Ok(rest)
                }
                _ => Err(ConvertError::Malformed),
            },
            Item::Fraction(digits) => self.fraction(digits, text),
            Item::OptionalFraction => match text {
                [b'.', rest @ ..] => self.fraction(FractionDigits::Any, rest),
                _ => Ok(text),
            },
            Item::Offset => {
                let (offset, rest) = timestamp::leading_offset(text)?;
                set(&mut self.offset, offset)?;
                Ok(rest)
            }
            Item::UtcName => {
                let named = [&b"utc"[..], b"gmt", b"z"].into_iter().find(|name| starts_with(text, name));
                set(&mut self.offset, 0)?;
                named.map(|name| &text[name.len()..]).ok_or(ConvertError::Malformed)
            }
            Item::EpochSeconds => self.epoch(1, text),
            Item::EpochMilliseconds => self.epoch(1000, text),
            Item::Nothing => Err(ConvertError::Malformed),
        }
    }

    fn number<'a>(
        &mut self,
        part: Part,
        pad: Pad,
        text: &'a [u8],
        pivot: u16,
    ) -> Result<&'a [u8], ConvertError> {
        let text = if pad == Pad::Spaces { text.trim_ascii_start() } else { text };
        let (fewest, most) = part.digits();
        let written = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
        if written < fewest {
            return Err(ConvertError::Malformed);
        }
        let (digits, rest) = text.split_at(written);
        let number = digits.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
        let (slot, value) = match part {
            Part::Year => (&mut self.year, number),
            Part::YearOfCentury => (&mut self.year, in_window(number, u32::from(pivot))),
            Part::Month => (&mut self.month, number),
            Part::Day => (&mut self.day, number),
            Part::DayOfYear => (&mut self.day_of_year, number),
            Part::Hour => (&mut self.hour, number),
            Part::Hour12 => (&mut self.hour_of_half, number),
            Part::Minute => (&mut self.minute, number),
            Part::Second => (&mut self.second, number),
        };
        set(slot, value)?;
        Ok(rest)
    }

    fn fraction<'a>(&mut self, digits: FractionDigits, text: &'a [u8]) -> Result<&'a [u8], ConvertError> {
        let written = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let taken = match digits {
            FractionDigits::Any if written > 0 => written,
            FractionDigits::Exactly(digits) if written >= digits => digits,
            _ => return Err(ConvertError::Malformed),
        };
        let (fraction, rest) = text.split_at(taken);
        set(&mut self.nanoseconds, time::fraction(fraction, 9)?)?;
        Ok(rest)
    }

    /// A count of `per_second`ths of a second since the epoch.
    fn epoch<'a>(&mut self, per_second: i64, text: &'a [u8]) -> Result<&'a [u8], ConvertError> {
        let (negative, digits) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let written = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = digits.split_at(written);
        if digits.is_empty() {
            return Err(ConvertError::Malformed);
        }
        let add = |value: i64, digit: &u8| value.checked_mul(10)?.checked_add(i64::from(digit - b'0'));
        let count = digits.iter().try_fold(0, add).ok_or(ConvertError::OutOfRange)?;
        self.epoch = Some(Epoch { negative, seconds: count / per_second });
        if per_second > 1 {
            set(&mut self.nanoseconds, (count % per_second) as u32 * (1_000_000_000 / per_second as u32))?;
        }
        Ok(rest)
    }

    /// Days since the epoch.
    pub(in super::super) fn days(&self) -> Result<i32, ConvertError> {
        if self.epoch.is_some() {
            let days = self.local()?.seconds.div_euclid(86_400);
            return Ok(days as i32);
        }
        let year = self.year.ok_or(ConvertError::Malformed)?;
        if year == 0 {
            return Err(ConvertError::OutOfRange);
        }
        let days = match (self.month, self.day, self.day_of_year) {
            (Some(month), Some(day), _) => date::days_of(year, month, day)?,
            (_, _, Some(number)) => {
                let first = date::days_of(year, 1, 1)?;
                let day = first + number as i32 - 1;
                if number == 0 || day > date::days_of(year, 12, 31)? {
                    return Err(ConvertError::NoSuchDateOrTime);
                }
                day
            }
            _ => return Err(ConvertError::Malformed),
        };
        // 1970-01-01 was a Thursday.
        let day_of_week = (days + 3).rem_euclid(7) as u32;
        if self.day_of_week.is_some_and(|named| named != day_of_week) {
            return Err(ConvertError::NoSuchDateOrTime);
        }
        Ok(days)
    }

    /// Seconds since midnight and nanoseconds; midnight if the text has no time.
    pub(in super::super) fn clock(&self) -> Result<(u32, u32), ConvertError> {
        if self.epoch.is_some() {
            let local = self.local()?;
            return Ok((local.seconds.rem_euclid(86_400) as u32, local.nanoseconds));
        }
        let hour = match (self.hour, self.hour_of_half, self.afternoon) {
            (Some(hour), _, None) => hour,
            (Some(hour), _, Some(afternoon)) if hour / 12 == afternoon => hour,
            (None, Some(hour @ 1..=12), Some(afternoon)) => hour % 12 + 12 * afternoon,
            (None, None, None) => 0,
            (None, Some(1..=12), None) | (None, None, Some(_)) => return Err(ConvertError::Malformed),
            _ => return Err(ConvertError::NoSuchDateOrTime),
        };
        let (minute, second) = (self.minute.unwrap_or(0), self.second.unwrap_or(0));
        if hour > 23 || minute > 59 || second > 59 {
            return Err(ConvertError::NoSuchDateOrTime);
        }
        Ok((hour * 3600 + minute * 60 + second, self.nanoseconds.unwrap_or(0)))
    }

    /// The local date and time.
    pub(in super::super) fn local(&self) -> Result<Local, ConvertError> {
        let Some(epoch) = self.epoch else {
            let (seconds, nanoseconds) = self.clock()?;
            let seconds = i64::from(self.days()?) * 86_400 + i64::from(seconds);
            return Ok(Local { seconds, nanoseconds, offset: self.offset });
        };
        // The fraction is part of the number: -1.5 is half a second before -1.
        let (seconds, nanoseconds) = match (epoch.negative, self.nanoseconds.unwrap_or(0)) {
            (false, nanoseconds) => (epoch.seconds, nanoseconds),
            (true, 0) => (-epoch.seconds, 0),
            (true, nanoseconds) => (-epoch.seconds - 1, 1_000_000_000 - nanoseconds),
        };
        if !(date::FIRST_SECOND..=date::LAST_SECOND).contains(&seconds) {
            return Err(ConvertError::OutOfRange);
        }
        Ok(Local { seconds, nanoseconds, offset: Some(0) })
    }
}

/// A part that is repeated must be the same.
fn set<T: PartialEq + Copy>(slot: &mut Option<T>, value: T) -> Result<(), ConvertError> {
    if slot.is_some_and(|known| known != value) {
        return Err(ConvertError::NoSuchDateOrTime);
    }
    *slot = Some(value);
    Ok(())
}

/// The year that ends in `two_digits` among the hundred from `pivot` on.
fn in_window(two_digits: u32, pivot: u32) -> u32 {
    pivot + (two_digits + 100 - pivot % 100) % 100
}

fn starts_with(text: &[u8], lower_case: &[u8]) -> bool {
    text.get(..lower_case.len()).is_some_and(|head| head.eq_ignore_ascii_case(lower_case))
}

/// The name at the front of `text`, whole or its first three letters, and the rest.
fn name<'a>(names: &[&[u8]], text: &'a [u8]) -> Option<(u32, &'a [u8])> {
    let found = names.iter().position(|name| starts_with(text, &name[..3]))?;
    let whole = names[found];
    let len = if starts_with(text, whole) { whole.len() } else { 3 };
    Some((found as u32, &text[len..]))
}
