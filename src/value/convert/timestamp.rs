//! Timestamps: ticks since 1970-01-01T00:00:00, with or without a zone.

use super::{ConvertError, Format, date, format, time, two_digits};
use crate::value::AmbiguousTime;
use arrow::datatypes::TimeUnit;
use chrono::{DateTime, MappedLocalTime, Offset, TimeZone};
use chrono_tz::Tz;

/// How the timestamps of one column are read.
#[derive(Debug, Clone, Copy)]
pub struct TimestampRules<'f> {
    /// Resolution of the value.
    pub unit: TimeUnit,
    /// Whether the value is an instant, in UTC.
    pub utc: bool,
    /// Zone of texts that name none, if the value is an instant.
    pub source_zone: Tz,
    /// Which instant a local time is that the clocks of that zone showed twice.
    pub ambiguous: AmbiguousTime,
    /// Formats to try in order; ISO 8601 if there are none.
    pub formats: &'f [Format],
}

impl TimestampRules<'_> {
    /// A timestamp in units since the epoch.
    ///
    /// Without formats: `YYYY-MM-DD`, `T` or a space, `HH:MM[:SS[.f…]]`, and
    /// then nothing, `Z`, or an offset (`+02`, `+0200`, `+02:00`). A date alone
    /// is a timestamp, at midnight, only where a format says so.
    ///
    /// Instants: a text without an offset is local time in `source_zone`. Of a
    /// local time that occurs twice (clocks put back), `ambiguous` decides.
    /// Timestamps without zone take the local time as it stands; an offset is
    /// refused unless it is zero, as dropping it would change the moment.
    ///
    /// # Errors
    /// `NonexistentLocalTime`, `AmbiguousLocalTime` and `UnexpectedZone` after the above, `NoSuchDateOrTime`,
    /// `TooPrecise` for non-zero digits past the unit, `OutOfRange` for years
    /// other than 1 to 9999 and for what 64 bits do not hold, else `Malformed`.
    pub fn timestamp(&self, text: &[u8]) -> Result<i64, ConvertError> {
        if self.formats.is_empty() {
            return self.iso(text);
        }
        format::first_match(self.formats, |format| self.by_format(text, format))
    }

    fn iso(&self, text: &[u8]) -> Result<i64, ConvertError> {
        let (days, rest) = date::iso_date(text)?;
        let [b'T' | b' ', rest @ ..] = rest else {
            return Err(ConvertError::Malformed);
        };
        let (clock, rest) = time::clock(rest, self.fraction_digits())?;
        let local = i64::from(days) * 86_400 + i64::from(clock.seconds);
        let (offset, rest) = match rest {
            [] => (None, rest),
            _ => leading_offset(rest).map(|(offset, rest)| (Some(offset), rest))?,
        };
        if !rest.is_empty() {
            return Err(ConvertError::Malformed);
        }
        self.value(local, clock.fraction, offset)
    }

    fn by_format(&self, text: &[u8], format: &Format) -> Result<i64, ConvertError> {
        let local = format.parse(text)?.local()?;
        let fraction = time::fraction_of(local.nanoseconds, self.fraction_digits())?;
        self.value(local.seconds, fraction, local.offset)
    }

    /// `local` is seconds since the epoch as the clock on the wall counts them,
    /// `offset` seconds east of UTC, if the text says.
    fn value(&self, local: i64, fraction: u32, offset: Option<i32>) -> Result<i64, ConvertError> {
        let offset = match offset {
            Some(0) => 0,
            Some(_) if !self.utc => return Err(ConvertError::UnexpectedZone),
            Some(offset) => offset,
            None if !self.utc || matches!(self.source_zone, Tz::UTC | Tz::Etc__UTC) => 0,
            None => self.zone_offset(local)?,
        };
        let seconds = i128::from(local - i64::from(offset));
        // In 128 bits, as the whole seconds of the earliest nanosecond
        // timestamps do not fit 64 until their fraction is added.
        let ticks = seconds * i128::from(10u32.pow(self.fraction_digits() as u32)) + i128::from(fraction);
        i64::try_from(ticks).map_err(|_| ConvertError::OutOfRange)
    }

    /// Offset of the source's zone at a local time, in seconds east of UTC.
    fn zone_offset(&self, local: i64) -> Result<i32, ConvertError> {
        let local = DateTime::from_timestamp(local, 0).ok_or(ConvertError::OutOfRange)?.naive_utc();
        let offset = match (self.source_zone.offset_from_local_datetime(&local), self.ambiguous) {
            (MappedLocalTime::Single(offset), _) => offset,
            (MappedLocalTime::Ambiguous(earlier, _), AmbiguousTime::Earlier) => earlier,
            (MappedLocalTime::Ambiguous(_, later), AmbiguousTime::Later) => later,
            (MappedLocalTime::Ambiguous(..), AmbiguousTime::Error) => {
                return Err(ConvertError::AmbiguousLocalTime);
            }
            (MappedLocalTime::None, _) => return Err(ConvertError::NonexistentLocalTime),
        };
        Ok(offset.fix().local_minus_utc())
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

/// The offset at the front of `text` (`Z`, `+02`, `+0200`, `+02:00`), in seconds
/// east of UTC, and the rest.
pub(super) fn leading_offset(text: &[u8]) -> Result<(i32, &[u8]), ConvertError> {
    let (sign, digits) = match text {
        [b'Z', rest @ ..] => return Ok((0, rest)),
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return Err(ConvertError::Malformed),
    };
    let hours = two_digits(digits).ok_or(ConvertError::Malformed)?;
    let after_hours = &digits[2..];
    let minutes_at = after_hours.strip_prefix(b":").unwrap_or(after_hours);
    let (minutes, rest) = match two_digits(minutes_at) {
        Some(minutes) => (minutes, &minutes_at[2..]),
        None => (0, after_hours),
    };
    if hours > 23 || minutes > 59 {
        return Err(ConvertError::NoSuchDateOrTime);
    }
    Ok((sign * (hours * 3600 + minutes * 60) as i32, rest))
}
