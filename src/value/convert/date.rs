//! Dates: days since 1970-01-01 in the proleptic Gregorian calendar.

use super::{ConvertError, Format, format, two_digits};

/// Days from 0001-01-01 to 1970-01-01.
const EPOCH_FROM_YEAR_ONE: i32 = 719_162;
/// 0001-01-01T00:00:00 in seconds since the epoch.
pub(super) const FIRST_SECOND: i64 = -62_135_596_800;
/// 9999-12-31T23:59:59 in seconds since the epoch.
pub(super) const LAST_SECOND: i64 = 253_402_300_799;

/// A date in one of `formats`, or in ISO 8601 if there are none.
///
/// Of a text that also holds a time of day, as a format may allow, the date is
/// taken.
///
/// # Errors
/// `NoSuchDateOrTime` for a date the calendar lacks, `OutOfRange` for years other
/// than 1 to 9999, else `Malformed`.
pub fn date(text: &[u8], formats: &[Format]) -> Result<i32, ConvertError> {
    if formats.is_empty() {
        // What follows a date makes it no date, even an impossible one.
        const ISO_BYTES: usize = 10;
        return match text.len() {
            ISO_BYTES => iso_date(text).map(|(days, _)| days),
            _ => Err(ConvertError::Malformed),
        };
    }
    format::first_match(formats, |format| {
        let parts = format.parse(text)?;
        // The day is all that is kept, but a day with an impossible time is none.
        parts.clock()?;
        parts.days()
    })
}

/// The `YYYY-MM-DD` at the front of `text`, and the rest.
#[inline]
pub(super) fn iso_date(text: &[u8]) -> Result<(i32, &[u8]), ConvertError> {
    let (head, rest) = text.split_at_checked(10).ok_or(ConvertError::Malformed)?;
    let parts = (two_digits(head), two_digits(&head[2..]), two_digits(&head[5..]), two_digits(&head[8..]));
    let (Some(century), Some(year), Some(month), Some(day)) = parts else {
        return Err(ConvertError::Malformed);
    };
    if head[4] != b'-' || head[7] != b'-' {
        return Err(ConvertError::Malformed);
    }
    Ok((days_of(century * 100 + year, month, day)?, rest))
}

/// Days since the epoch. `year` has four digits at most.
pub(super) fn days_of(year: u32, month: u32, day: u32) -> Result<i32, ConvertError> {
    if year == 0 {
        return Err(ConvertError::OutOfRange);
    }
    if !(1..=12).contains(&month) || day == 0 || day > days_in_month(year, month) {
        return Err(ConvertError::NoSuchDateOrTime);
    }
    Ok(days_since_epoch(year, month, day))
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The year is taken to begin in March, so that the leap day is its last; then
/// `(153 m + 2) / 5` is the days before its month `m`. After H. Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`.
fn days_since_epoch(year: u32, month: u32, day: u32) -> i32 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_before_year = year * 365 + year / 4 - year / 100 + year / 400;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    // 0000-03-01, where this count begins, is 306 days before 0001-01-01.
    (days_before_year + day_of_year) as i32 - 306 - EPOCH_FROM_YEAR_ONE
}
