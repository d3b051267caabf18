use super::choice;
use crate::value::AmbiguousTime;
use crate::value::convert::{ConvertError, Format, TimestampRules, date, time};
use arrow::datatypes::TimeUnit;
use chrono::{
    DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike,
};
use chrono_tz::Tz;

const ZONES: [Tz; 7] = [
    Tz::UTC,
    Tz::America__New_York,
    Tz::Asia__Kolkata,
    Tz::Australia__Lord_Howe,
    Tz::Europe__London,
    // Jumped over a whole day.
    Tz::Pacific__Apia,
    Tz::Africa__Casablanca,
];

fn epoch() -> NaiveDate {
    NaiveDate::default()
}

/// ISO dates against chrono's calendar.
pub fn dates(text: &[u8]) {
    let fast = date::date(text, &[]);
    let slow = slow_date(text).map(|date| (date - epoch()).num_days() as i32);
    assert_eq!(fast, slow, "{:?}", text.escape_ascii().to_string());
}

/// ISO times of day, part by part. Of several reasons to refuse a text either
/// may be given.
pub fn times(text: &[u8]) {
    let slow = slow_time(text, 6).map(|time| {
        i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1000)
    });
    assert_eq!(time::time(text, &[]).ok(), slow.ok(), "{:?}", text.escape_ascii().to_string());
}

/// ISO timestamps with a unit, a zone and a policy that the first bytes choose.
/// The twin tries every offset that the zone has within some days. Of several
/// reasons to refuse a text either may be given.
pub fn timestamps(data: &[u8]) {
    let (unit, data) = choice(data, 4);
    let (zone, data) = choice(data, ZONES.len() + 1);
    let (policy, text) = choice(data, 3);
    let ambiguous = [AmbiguousTime::Error, AmbiguousTime::Earlier, AmbiguousTime::Later][policy];
    let units = [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond];
    // One choice more than zones: no instants at all.
    let source_zone = ZONES.get(zone).copied();
    let rules = TimestampRules {
        unit: units[unit],
        utc: source_zone.is_some(),
        source_zone: source_zone.unwrap_or(Tz::UTC),
        ambiguous,
        formats: &[],
    };
    let slow = slow_timestamp(text, unit as u32 * 3, source_zone, ambiguous);
    assert_eq!(rules.timestamp(text).ok(), slow.ok(), "{rules:?} {:?}", text.escape_ascii().to_string());
}

fn slow_timestamp(
    text: &[u8],
    digits: u32,
    source_zone: Option<Tz>,
    ambiguous: AmbiguousTime,
) -> Result<i64, ConvertError> {
    // A date that is none is refused whatever follows.
    let date = slow_date(text.get(..10).unwrap_or_default())?;
    let rest = text[10..].strip_prefix(b"T").or(text[10..].strip_prefix(b" "));
    let rest = rest.ok_or(ConvertError::Malformed)?;
    let clock_len = rest.iter().take_while(|byte| !matches!(byte, b'Z' | b'+' | b'-')).count();
    // What may follow the clock is told only once the clock is read.
    let digits_and_marks =
        rest[..clock_len].iter().take_while(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'));
    let (clock, zone) = rest.split_at(digits_and_marks.count());
    let time = slow_time(clock, digits as usize)?;
    let offset = slow_offset(zone)?;
    let local = date.and_time(time);
    let seconds = match (offset, source_zone) {
        (Some(0), _) | (None, None) => local.and_utc().timestamp(),
        (Some(_), None) => return Err(ConvertError::UnexpectedZone),
        (Some(offset), Some(_)) => local.and_utc().timestamp() - i64::from(offset),
        (None, Some(zone)) => slow_instant(local, zone, ambiguous)?,
    };
    let per_second = 10i128.pow(digits);
    let fraction = i128::from(time.nanosecond()) * per_second / 1_000_000_000;
    i64::try_from(i128::from(seconds) * per_second + fraction).map_err(|_| ConvertError::OutOfRange)
}

/// The instants at which clocks of `zone` show `local`.
fn slow_instant(local: NaiveDateTime, zone: Tz, ambiguous: AmbiguousTime) -> Result<i64, ConvertError> {
    let local = local.with_nanosecond(0).unwrap_or(local);
    let mut instants = Vec::new();
    for hours in -48..=48 {
        let Some(near) = local.checked_add_signed(TimeDelta::hours(hours)) else { continue };
        let offset = zone.offset_from_utc_datetime(&near).fix().local_minus_utc();
        let instant = local.and_utc().timestamp() - i64::from(offset);
        let shown = DateTime::from_timestamp(instant, 0).map(|utc| utc.with_timezone(&zone).naive_local());
        if shown == Some(local) && !instants.contains(&instant) {
            instants.push(instant);
        }
    }
    instants.sort_unstable();
    match (instants.as_slice(), ambiguous) {
        ([], _) => Err(ConvertError::NonexistentLocalTime),
        ([only], _) => Ok(*only),
        ([first, ..], AmbiguousTime::Earlier) => Ok(*first),
        ([.., last], AmbiguousTime::Later) => Ok(*last),
        (_, AmbiguousTime::Error) => Err(ConvertError::AmbiguousLocalTime),
    }
}

fn slow_date(text: &[u8]) -> Result<NaiveDate, ConvertError> {
    let text = std::str::from_utf8(text).map_err(|_| ConvertError::Malformed)?;
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts.as_slice() else { return Err(ConvertError::Malformed) };
    let number = |text: &str, len| (text.len() == len).then(|| digits(text)).flatten();
    let parts = (number(year, 4), number(month, 2), number(day, 2));
    let (Some(year), Some(month), Some(day)) = parts else { return Err(ConvertError::Malformed) };
    if year == 0 {
        return Err(ConvertError::OutOfRange);
    }
    NaiveDate::from_ymd_opt(year as i32, month, day).ok_or(ConvertError::NoSuchDateOrTime)
}

fn digits(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn slow_time(text: &[u8], most_digits: usize) -> Result<NaiveTime, ConvertError> {
    let text = std::str::from_utf8(text).map_err(|_| ConvertError::Malformed)?;
    let (clock, fraction) = match text.split_once('.') {
        Some((clock, fraction)) => (clock, Some(fraction)),
        None => (text, None),
    };
    let parts: Vec<Option<u32>> =
        clock.split(':').map(|part| (part.len() == 2).then(|| digits(part)).flatten()).collect();
    let (hour, minute, second) = match (parts.as_slice(), fraction) {
        ([Some(hour), Some(minute)], None) => (*hour, *minute, 0),
        ([Some(hour), Some(minute), Some(second)], _) => (*hour, *minute, *second),
        _ => return Err(ConvertError::Malformed),
    };
    let fraction = fraction.unwrap_or("0");
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ConvertError::Malformed);
    }
    if fraction.bytes().skip(most_digits).any(|digit| digit != b'0') {
        return Err(ConvertError::TooPrecise);
    }
    let nanoseconds: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds = digits(&nanoseconds).ok_or(ConvertError::Malformed)?;
    NaiveTime::from_hms_nano_opt(hour, minute, second, nanoseconds).ok_or(ConvertError::NoSuchDateOrTime)
}

fn slow_offset(text: &[u8]) -> Result<Option<i32>, ConvertError> {
    let text = std::str::from_utf8(text).map_err(|_| ConvertError::Malformed)?;
    let sign = match text.chars().next() {
        None => return Ok(None),
        Some('Z') if text.len() == 1 => return Ok(Some(0)),
        Some('+') => 1,
        Some('-') => -1,
        _ => return Err(ConvertError::Malformed),
    };
    let offset = &text[1..];
    let parts = match offset.len() {
        2 => (digits(offset), Some(0)),
        4 if offset.is_char_boundary(2) => (digits(&offset[..2]), digits(&offset[2..])),
        5 if offset.as_bytes()[2] == b':' => (digits(&offset[..2]), digits(&offset[3..])),
        _ => (None, None),
    };
    let (Some(hours), Some(minutes)) = parts else { return Err(ConvertError::Malformed) };
    if hours > 23 || minutes > 59 {
        return Err(ConvertError::NoSuchDateOrTime);
    }
    Ok(Some(sign * (hours * 3600 + minutes * 60) as i32))
}

/// Formats, and what chrono calls them where the meaning is the same.
const FORMATS: [&str; 12] = [
    "%d/%m/%Y",
    "%Y%m%d",
    "%e %B %Y",
    "%a, %d %b %Y",
    "%j of %Y",
    "%Y-%m-%d %H:%M:%S%.f",
    "%d.%m.%Y %I:%M %p",
    "%Y-%m-%dT%H:%M:%S%.3f",
    "%Y%m%d%H%M%S%6f",
    "%Y-%m-%d %H:%M:%S %z",
    "%s",
    "%A %d %B %Y %l:%M:%S%P",
];

/// What our formats accept, chrono reads as the same moment. Not the other way
/// about: chrono takes spaces before numbers and years of any length.
pub fn formats(data: &[u8]) {
    let (chosen, text) = choice(data, FORMATS.len());
    let pattern = FORMATS[chosen];
    let formats = [Format::new(pattern)];
    let rules = TimestampRules {
        unit: TimeUnit::Nanosecond,
        utc: true,
        source_zone: Tz::UTC,
        ambiguous: AmbiguousTime::Error,
        formats: &formats,
    };
    let shown = || format!("{pattern} {:?}", text.escape_ascii().to_string());
    let _ = time::time(text, &formats);
    let day = date::date(text, &formats);
    let Ok(nanoseconds) = rules.timestamp(text) else { return };
    let text = std::str::from_utf8(text).unwrap_or_default();
    // chrono takes whole names, and offsets of hours alone, only where they are asked for.
    let pattern = &pattern.replace("%b", "%B").replace("%a", "%A").replace("%z", "%#z");
    // chrono has no negative seconds, and takes no Z for %z.
    if text.starts_with('-') || text.ends_with('Z') {
        return;
    }
    let with_zone = DateTime::parse_from_str(text, pattern).map(|moment| moment.to_utc());
    let moment =
        with_zone.or_else(|_| NaiveDateTime::parse_from_str(text, pattern).map(|local| local.and_utc()));
    let moment = moment.or_else(|_| {
        NaiveDate::parse_from_str(text, pattern).map(|date| date.and_time(NaiveTime::MIN).and_utc())
    });
    let found = moment.ok().and_then(|moment| moment.timestamp_nanos_opt());
    assert_eq!(found, Some(nanoseconds), "{}", shown());
    if let (Ok(day), Ok(date)) = (day, NaiveDate::parse_from_str(text, pattern)) {
        assert_eq!(i64::from(day), (date - epoch()).num_days(), "{}", shown());
        assert!((1..=9999).contains(&date.year()), "{}", shown());
    }
}
