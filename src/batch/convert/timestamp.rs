//! Timestamps: ticks since 1970-01-01T00:00:00, with or without a zone.

use super::{Format, Unconvertible, date, format, time, two_digits};
use arrow::datatypes::TimeUnit;
use chrono::{DateTime, NaiveDateTime, Offset, ParseResult, TimeZone, Timelike};
use chrono_tz::Tz;

/// How the timestamps of one column are read.
#[derive(Debug, Clone)]
pub struct TimestampRules {
    /// Resolution of the value.
    pub unit: TimeUnit,
    /// Whether the value is an instant, in UTC.
    pub utc: bool,
    /// Zone of texts that name none, if the value is an instant.
    pub source_zone: Tz,
    /// Formats to try in order; ISO 8601 if there are none.
    pub formats: Vec<Format>,
}

impl TimestampRules {
    /// A timestamp in units since the epoch.
    ///
    /// Without formats: `YYYY-MM-DD`, `T` or a space, `HH:MM[:SS[.f…]]`, and
    /// then nothing, `Z`, or an offset (`+02`, `+0200`, `+02:00`). A date alone
    /// is a timestamp, at midnight, only where a format says so.
    ///
    /// Instants: a text without an offset is local time in `source_zone`. A
    /// local time that occurs twice (clocks put back) is the earlier instant.
    /// Timestamps without zone take the local time as it stands; an offset is
    /// refused unless it is zero, as dropping it would change the moment.
    ///
    /// # Errors
    /// `LocalTimeGap` and `UnexpectedZone` after the above, `NoSuchMoment`,
    /// `TooPrecise` for non-zero digits past the unit, `OutOfRange` for years
    /// other than 1 to 9999 and for what 64 bits do not hold, else `Malformed`.
    pub fn timestamp(&self, text: &[u8]) -> Result<i64, Unconvertible> {
        if self.formats.is_empty() {
            return self.iso(text);
        }
        format::first_match(&self.formats, |format| self.by_format(text, format))
    }

    fn iso(&self, text: &[u8]) -> Result<i64, Unconvertible> {
        let (days, rest) = date::iso_date(text)?;
        let [b'T' | b' ', rest @ ..] = rest else {
            return Err(Unconvertible::Malformed);
        };
        let (clock, rest) = time::clock(rest, self.fraction_digits())?;
        let local = i64::from(days) * 86_400 + i64::from(clock.seconds);
        self.value(local, clock.fraction, offset(rest)?)
    }

    fn by_format(&self, text: &[u8], format: &Format) -> Result<i64, Unconvertible> {
        let parsed = format.parse(text)?;
        // Seconds since the epoch (`%s`) are in UTC, whatever the source's zone.
        let offset = parsed.offset().or(parsed.timestamp().map(|_| 0));
        let has_time = parsed.hour_mod_12().is_some() || parsed.timestamp().is_some();
        let local: ParseResult<NaiveDateTime> = if has_time {
            parsed.to_naive_datetime_with_offset(offset.unwrap_or(0))
        } else {
            parsed.to_naive_date().map(|date| date.and_time(chrono::NaiveTime::MIN))
        };
        let local = local.map_err(format::refusal)?;
        date::days_of(local.date())?;
        let fraction = time::fraction_of(local.nanosecond(), self.fraction_digits())?;
        self.value(local.and_utc().timestamp(), fraction, offset)
    }

    /// `local` is seconds since the epoch as the clock on the wall counts them,
    /// `offset` seconds east of UTC, if the text says.
    fn value(&self, local: i64, fraction: u32, offset: Option<i32>) -> Result<i64, Unconvertible> {
        let offset = match offset {
            Some(0) => 0,
            Some(_) if !self.utc => return Err(Unconvertible::UnexpectedZone),
            Some(offset) => offset,
            None if !self.utc || matches!(self.source_zone, Tz::UTC | Tz::Etc__UTC) => 0,
            None => zone_offset(local, self.source_zone)?,
        };
        let seconds = i128::from(local - i64::from(offset));
        // In 128 bits, as the whole seconds of the earliest nanosecond
        // timestamps do not fit 64 until their fraction is added.
        let ticks = seconds * i128::from(10u32.pow(self.fraction_digits() as u32)) + i128::from(fraction);
        i64::try_from(ticks).map_err(|_| Unconvertible::OutOfRange)
    }

    fn fraction_digits(&self) -> usize {
        match self.unit {
            TimeUnit::Second => 0,
            TimeUnit::Millisecond => 3,
            TimeUnit::Microsecond => 6,
            TimeUnit::Nanosecond => 9,
        }
    }
}

/// The offset that is all of `text`, in seconds east of UTC.
fn offset(text: &[u8]) -> Result<Option<i32>, Unconvertible> {
    let (sign, digits) = match text {
        [] => return Ok(None),
        b"Z" => return Ok(Some(0)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return Err(Unconvertible::Malformed),
    };
    let hours = two_digits(digits).ok_or(Unconvertible::Malformed)?;
    let minutes = match &digits[2..] {
        [] => Some(0),
        [b':', minutes @ ..] | minutes if minutes.len() == 2 => two_digits(minutes),
        _ => None,
    };
    let minutes = minutes.ok_or(Unconvertible::Malformed)?;
    if hours > 23 || minutes > 59 {
        return Err(Unconvertible::NoSuchMoment);
    }
    Ok(Some(sign * (hours * 3600 + minutes * 60) as i32))
}

/// Offset of `zone` at a local time, in seconds east of UTC.
fn zone_offset(local: i64, zone: Tz) -> Result<i32, Unconvertible> {
    let local = DateTime::from_timestamp(local, 0).ok_or(Unconvertible::OutOfRange)?.naive_utc();
    let offset = zone.offset_from_local_datetime(&local).earliest().ok_or(Unconvertible::LocalTimeGap)?;
    Ok(offset.fix().local_minus_utc())
}
