use super::check;
use crate::value::AmbiguousTime;
use crate::value::convert::ConvertError::{
    AmbiguousLocalTime, Malformed, NoSuchDateOrTime, NonexistentLocalTime, OutOfRange, TooPrecise,
    UnexpectedZone,
};
use crate::value::convert::{ConvertError, Format, TimestampRules, date, time};
use arrow::datatypes::TimeUnit;
use chrono_tz::Tz;

fn formats(formats: &[&str]) -> Vec<Format> {
    formats.iter().map(|format| Format::new(format)).collect()
}

#[test]
fn iso_dates() {
    check(
        |text| date::date(text, &[]),
        &[
            ("1970-01-01", Ok(0)),
            ("1969-12-31", Ok(-1)),
            ("2000-02-29", Ok(11016)),
            ("2024-02-29", Ok(19782)),
            ("0001-01-01", Ok(-719162)),
            ("9999-12-31", Ok(2932896)),
            ("1900-02-29", Err(NoSuchDateOrTime)),
            ("2023-02-29", Err(NoSuchDateOrTime)),
            ("2024-04-31", Err(NoSuchDateOrTime)),
            ("2024-13-01", Err(NoSuchDateOrTime)),
            ("2024-00-01", Err(NoSuchDateOrTime)),
            ("2024-01-00", Err(NoSuchDateOrTime)),
            ("0000-01-01", Err(OutOfRange)),
            ("2024-1-01", Err(Malformed)),
            ("2024/01/01", Err(Malformed)),
            ("20240101", Err(Malformed)),
            ("+2024-01-01", Err(Malformed)),
            ("2024-01-01T", Err(Malformed)),
            ("1000-13-00T00:00", Err(Malformed)),
            (" 2024-01-01", Err(Malformed)),
            ("", Err(Malformed)),
        ],
    );
}

#[test]
fn dates_by_format() {
    let both = formats(&["%d/%m/%Y", "%Y%m%d"]);
    check(
        |text| date::date(text, &both),
        &[
            ("01/02/1970", Ok(31)),
            ("19700201", Ok(31)),
            ("29/02/1900", Err(NoSuchDateOrTime)),
            ("01/02/0000", Err(OutOfRange)),
            ("1970-02-01", Err(Malformed)),
            ("01/02/1970x", Err(Malformed)),
        ],
    );
    // The first format that fits decides.
    let american_first = formats(&["%m/%d/%Y", "%d/%m/%Y"]);
    check(
        |text| date::date(text, &american_first),
        &[("02/01/1970", Ok(31)), ("31/01/1970", Ok(30)), ("31/31/1970", Err(NoSuchDateOrTime))],
    );
    check(|text| date::date(text, &formats(&["%E"])), &[("1970-01-01", Err(Malformed))]);
    // Numbers side by side have all their digits, or none knows which are whose.
    for pattern in ["%Y%m%d", "%Y %m %d", "%Y%m%e"] {
        check(
            |text| date::date(text, &formats(&[pattern])),
            &[("19700201", Ok(31)), ("1970021", Err(Malformed)), ("197021", Err(Malformed))],
        );
    }
    check(|text| date::date(text, &formats(&["%Y %m %d"])), &[("1970 2 1", Ok(31)), ("197002 1", Ok(31))]);
    check(|text| date::date(text, &formats(&["%Y%m%e"])), &[("197002 1", Ok(31))]);
    check(|text| date::date(text, &formats(&["%Y%j"])), &[("1970032", Ok(31)), ("197032", Err(Malformed))]);
}

#[test]
fn times_of_day() {
    check(
        |text| time::time(text, &[]),
        &[
            ("00:00", Ok(0)),
            ("23:59:59.999999", Ok(86_399_999_999)),
            ("01:02:03", Ok(3_723_000_000)),
            ("00:00:00.5", Ok(500_000)),
            ("00:00:00.123456000", Ok(123_456)),
            ("00:00:00.1234561", Err(TooPrecise)),
            ("24:00", Err(NoSuchDateOrTime)),
            ("23:60", Err(NoSuchDateOrTime)),
            ("23:59:60", Err(NoSuchDateOrTime)),
            ("00:00:00.", Err(Malformed)),
            ("00:00:", Err(Malformed)),
            ("00:00:00Z", Err(Malformed)),
            ("1:00", Err(Malformed)),
            ("", Err(Malformed)),
        ],
    );
    let twelve_hours = formats(&["%I:%M %p", "%H:%M:%S.%f", "%H%M%S%f"]);
    check(
        |text| time::time(text, &twelve_hours),
        &[
            ("12:30 AM", Ok(1_800_000_000)),
            // `%f` counts from the left, as in Python, not as chrono does.
            ("00:00:01.5", Ok(1_500_000)),
            ("000001500000", Ok(1_500_000)),
            ("00:00:01.0000005", Err(TooPrecise)),
            ("00:00:01.0000000001", Err(TooPrecise)),
            ("23:59:60.0", Err(NoSuchDateOrTime)),
            ("13:00 AM", Err(NoSuchDateOrTime)),
            ("93000500000", Err(Malformed)),
        ],
    );
}

fn timestamps(unit: TimeUnit, utc: bool, zone: Tz) -> impl Fn(&[u8]) -> Result<i64, ConvertError> {
    let ambiguous = AmbiguousTime::Error;
    let rules = TimestampRules { unit, utc, source_zone: zone, ambiguous, formats: &[] };
    move |text| rules.timestamp(text)
}

#[test]
fn directives() {
    let by = |pattern: &str, pivot| {
        let formats = vec![Format::with_pivot(pattern, pivot)].leak();
        TimestampRules {
            unit: TimeUnit::Nanosecond,
            utc: true,
            source_zone: Tz::UTC,
            ambiguous: AmbiguousTime::Error,
            formats,
        }
    };
    const SECOND: i64 = 1_000_000_000;
    const DAY: i64 = 86_400 * SECOND;
    for (pattern, pivot, rows) in [
        // Years of two digits, by POSIX and by a pivot.
        ("%y%m%d", 1969, vec![("690101", Ok(-365 * DAY)), ("700102", Ok(DAY)), ("680101", Ok(35_794 * DAY))]),
        (
            "%y%m%d",
            1950,
            vec![("700102", Ok(DAY)), ("490101", Ok(28_855 * DAY)), ("500101", Ok(-7_305 * DAY))],
        ),
        (
            "%d/%m/%Y",
            1969,
            vec![("01/01/70", Err(Malformed)), ("1/1/1970", Ok(0)), ("01/01/01970", Err(Malformed))],
        ),
        (
            "%e %b %Y",
            1969,
            vec![(" 1 jan 1970", Ok(0)), ("1 JANUARY 1970", Ok(0)), ("1 Jän 1970", Err(Malformed))],
        ),
        (
            "%d %b %Y",
            1969,
            vec![("01Jan1970", Ok(0)), (" 01 Jan 1970", Err(Malformed)), ("01  Jan\t1970", Ok(0))],
        ),
        (
            "%A %F",
            1969,
            vec![
                ("Thursday 1970-01-01", Ok(0)),
                ("thu 1970-01-01", Ok(0)),
                ("Fri 1970-01-01", Err(NoSuchDateOrTime)),
            ],
        ),
        (
            "%Y-%j",
            1969,
            vec![
                ("1970-002", Ok(DAY)),
                ("1970-366", Err(NoSuchDateOrTime)),
                ("1970-0", Err(NoSuchDateOrTime)),
            ],
        ),
        (
            "%F %I:%M:%S %p",
            1969,
            vec![
                ("1970-01-01 12:00:01 am", Ok(SECOND)),
                ("1970-01-01 12:00:00 PM", Ok(DAY / 2)),
                ("1970-01-01 00:00:00 PM", Err(NoSuchDateOrTime)),
            ],
        ),
        (
            "%F %T,%f",
            1969,
            vec![("1970-01-01 00:00:00,5", Ok(SECOND / 2)), ("1970-01-01 00:00:00,", Err(Malformed))],
        ),
        (
            "%F %T.%3f",
            1969,
            vec![("1970-01-01 00:00:00.005", Ok(SECOND / 200)), ("1970-01-01 00:00:00.05", Err(Malformed))],
        ),
        ("%Y%m%d%H%M%S%9f", 1969, vec![("19700101000000000000001", Ok(1))]),
        ("%F %T%.f", 1969, vec![("1970-01-01 00:00:00", Ok(0)), ("1970-01-01 00:00:00.25", Ok(SECOND / 4))]),
        (
            "%F %T%z",
            1969,
            vec![
                ("1970-01-01 01:00:00+01:00", Ok(0)),
                ("1970-01-01 01:00:00+0100", Ok(0)),
                ("1970-01-01 00:00:00Z", Ok(0)),
                ("1970-01-01 00:00:00", Err(Malformed)),
            ],
        ),
        (
            "%F %T %Z",
            1969,
            vec![
                ("1970-01-01 00:00:00 UTC", Ok(0)),
                ("1970-01-01 00:00:00 gmt", Ok(0)),
                ("1970-01-01 00:00:00 EST", Err(Malformed)),
            ],
        ),
        (
            "%s",
            1969,
            vec![
                ("-1", Ok(-SECOND)),
                ("1", Ok(SECOND)),
                ("", Err(Malformed)),
                ("99999999999999999999", Err(OutOfRange)),
                ("999999999999", Err(OutOfRange)),
            ],
        ),
        ("%s.%f", 1969, vec![("1.5", Ok(SECOND * 3 / 2)), ("-1.5", Ok(-SECOND * 3 / 2))]),
        ("%Q", 1969, vec![("1500", Ok(SECOND * 3 / 2)), ("-1", Ok(-SECOND / 1000))]),
        (
            "%% %H %F",
            1969,
            vec![
                ("% 01 1970-01-01", Ok(3600 * SECOND)),
                ("%1 1970-01-01", Ok(3600 * SECOND)),
                ("% 24 1970-01-01", Err(NoSuchDateOrTime)),
            ],
        ),
        ("%m %b %Y %d", 1969, vec![("1 Jan 1970 1", Ok(0)), ("2 Jan 1970 1", Err(NoSuchDateOrTime))]),
    ] {
        let rules = by(pattern, pivot);
        check(|text| rules.timestamp(text), &rows);
    }
}

#[test]
fn what_is_no_pattern_is_answered_with_one() {
    for (pattern, expected) in [
        ("yyyy-MM-dd", "did you mean `%Y-%m-%d`?"),
        ("dd/MM/yy", "did you mean `%d/%m/%y`?"),
        ("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "did you mean `%Y-%m-%dT%H:%M:%S.%f%z`?"),
        ("yyyyMMddHHmmssSSS", "did you mean `%Y%m%d%H%M%S%3f`?"),
        ("EEE, d MMM yyyy hh:mm a", "did you mean `%a, %d %b %Y %I:%M %p`?"),
        ("DD.MM.YYYY", "did you mean `%d.%m.%Y`?"),
        ("date", "write one like `%Y-%m-%d %H:%M:%S`, or `default` for ISO 8601"),
        ("", "write one like `%Y-%m-%d %H:%M:%S`, or `default` for ISO 8601"),
    ] {
        assert_eq!(Format::compile(pattern).unwrap_err().remedy, expected, "{pattern}");
    }
    for (pattern, expected) in [
        ("%Y-%E", "\"%Y-%E\" is not a strftime pattern that can be read: `%E` is not known"),
        ("%Y-%", "\"%Y-%\" ends in the middle of a directive"),
        ("%-p", "\"%-p\" is not a strftime pattern that can be read: `%-` is not known"),
    ] {
        assert_eq!(Format::compile(pattern).unwrap_err().message, expected, "{pattern}");
    }
}

#[test]
fn clocks_put_forward_and_back() {
    const HOUR: i64 = 3600;
    // Transitions of the IANA database, in UTC: Berlin's last Sundays of March
    // and October 2024, half an hour on Lord Howe, the day Samoa left out.
    let (berlin, lord_howe, apia) = (Tz::Europe__Berlin, Tz::Australia__Lord_Howe, Tz::Pacific__Apia);
    let back = 1_729_990_800;
    for (zone, text, expected) in [
        (berlin, "2024-03-31T01:59:59", [Ok(1_711_846_799); 3]),
        (berlin, "2024-03-31T02:00:00", [Err(NonexistentLocalTime); 3]),
        (berlin, "2024-03-31T02:59:59", [Err(NonexistentLocalTime); 3]),
        (berlin, "2024-03-31T03:00:00", [Ok(1_711_846_800); 3]),
        (berlin, "2024-10-27T01:59:59", [Ok(back - HOUR - 1); 3]),
        (berlin, "2024-10-27T02:30:00", [Err(AmbiguousLocalTime), Ok(back - HOUR / 2), Ok(back + HOUR / 2)]),
        (berlin, "2024-10-27T03:00:00", [Ok(back + HOUR); 3]),
        (berlin, "2024-10-27T02:30:00+01:00", [Ok(back + HOUR / 2); 3]),
        (lord_howe, "2024-04-07T01:45:00", [Err(AmbiguousLocalTime), Ok(1_712_414_700), Ok(1_712_416_500)]),
        (apia, "2011-12-30T12:00:00", [Err(NonexistentLocalTime); 3]),
    ] {
        let policies = [AmbiguousTime::Error, AmbiguousTime::Earlier, AmbiguousTime::Later];
        let found = policies.map(|ambiguous| {
            let unit = TimeUnit::Second;
            let rules = TimestampRules { unit, utc: true, source_zone: zone, ambiguous, formats: &[] };
            rules.timestamp(text.as_bytes())
        });
        assert_eq!(found, expected, "{text} in {zone}");
    }
}

#[test]
fn timestamps_without_zone() {
    check(
        timestamps(TimeUnit::Microsecond, false, Tz::UTC),
        &[
            ("1970-01-01T00:00:01", Ok(1_000_000)),
            ("1970-01-01 00:01", Ok(60_000_000)),
            ("1969-12-31 23:59:59.75", Ok(-250_000)),
            ("1970-01-01T00:00:00.000001000", Ok(1)),
            ("1970-01-01T00:00:00Z", Ok(0)),
            ("1970-01-01T00:00:00-00:00", Ok(0)),
            ("1970-01-01T00:00:00+00", Ok(0)),
            ("0001-01-01T00:00:00", Ok(-62_135_596_800_000_000)),
            ("9999-12-31T23:59:59.999999", Ok(253_402_300_799_999_999)),
            ("1970-01-01T00:00:00+02:00", Err(UnexpectedZone)),
            ("1970-01-01T00:00:00.0000001", Err(TooPrecise)),
            ("1970-01-01T24:00", Err(NoSuchDateOrTime)),
            ("1970-02-30T00:00", Err(NoSuchDateOrTime)),
            ("1970-01-01", Err(Malformed)),
            ("1970-01-01T", Err(Malformed)),
            ("1970-01-01t00:00", Err(Malformed)),
            ("1970-01-01  00:00", Err(Malformed)),
            ("1970-01-01T00:00:00 Z", Err(Malformed)),
            ("1970-01-01T00:00:00ZZ", Err(Malformed)),
        ],
    );
    // The ends of what 64 bits of nanoseconds hold.
    check(
        timestamps(TimeUnit::Nanosecond, false, Tz::UTC),
        &[
            ("1677-09-21T00:12:43.145224192", Ok(i64::MIN)),
            ("1677-09-21T00:12:43.145224191", Err(OutOfRange)),
            ("2262-04-11T23:47:16.854775807", Ok(i64::MAX)),
            ("2262-04-11T23:47:16.854775808", Err(OutOfRange)),
        ],
    );
    check(
        timestamps(TimeUnit::Second, false, Tz::UTC),
        &[("1970-01-01T00:00:01.000", Ok(1)), ("1970-01-01T00:00:01.5", Err(TooPrecise))],
    );
}

#[test]
fn instants() {
    check(
        timestamps(TimeUnit::Millisecond, true, Tz::America__New_York),
        &[
            ("1970-01-01T00:00:00Z", Ok(0)),
            ("1970-01-01T02:00:00+02:00", Ok(0)),
            ("1970-01-01T02:00:00+0200", Ok(0)),
            ("1970-01-01T02:00:00+02", Ok(0)),
            ("1969-12-31T18:30:00-05:30", Ok(0)),
            ("1970-01-01T00:00:00", Ok(5 * 3_600_000)),
            ("2024-07-01T00:00:00", Ok(1_719_806_400_000)),
            // Clocks went from 02:00 to 03:00.
            ("2024-03-10T01:59:59", Ok(1_710_053_999_000)),
            ("2024-03-10T02:30:00", Err(NonexistentLocalTime)),
            ("2024-03-10T03:00:00", Ok(1_710_054_000_000)),
            // Clocks went from 02:00 back to 01:00.
            ("2024-11-03T01:30:00", Err(AmbiguousLocalTime)),
            ("1970-01-01T00:00:00+2", Err(Malformed)),
            ("1970-01-01T00:00:00+02:", Err(Malformed)),
            ("1970-01-01T00:00:00+02:0", Err(Malformed)),
            ("1970-01-01T00:00:00+020", Err(Malformed)),
            ("1970-01-01T00:00:00+24:00", Err(NoSuchDateOrTime)),
            ("1970-01-01T00:00:00 EST", Err(Malformed)),
        ],
    );
}

#[test]
fn timestamps_by_format() {
    let by = |utc, list: &[&str]| {
        let rules = TimestampRules {
            unit: TimeUnit::Microsecond,
            utc,
            source_zone: Tz::America__New_York,
            ambiguous: AmbiguousTime::Error,
            formats: formats(list).leak(),
        };
        move |text: &[u8]| rules.timestamp(text)
    };
    check(
        by(false, &["%d.%m.%Y %H:%M:%S.%f", "%d.%m.%Y", "%s"]),
        &[
            ("01.01.1970 00:00:01.25", Ok(1_250_000)),
            ("02.01.1970", Ok(86_400_000_000)),
            ("86400", Ok(86_400_000_000)),
            ("31.02.1970", Err(NoSuchDateOrTime)),
            ("01.01.1970 00:00:01.0000001", Err(TooPrecise)),
            ("01.01.1970 00", Err(Malformed)),
            ("01.01.1970 0:0:0.0", Ok(0)),
        ],
    );
    check(
        by(true, &["%Y-%m-%d %H:%M %z", "%Y-%m-%d %H:%M", "%s", "%H:%M %Z %Y-%m-%d"]),
        &[
            ("1970-01-01 02:00 +0200", Ok(0)),
            ("1970-01-01 00:00", Ok(5 * 3_600_000_000)),
            ("2024-03-10 02:30", Err(NonexistentLocalTime)),
            ("0", Ok(0)),
            // A zone's name is not read, so it must not be skipped either.
            ("00:00 EST 1970-01-01", Err(Malformed)),
        ],
    );
    // A long run of digits after a point is not a fraction because of that.
    check(
        by(false, &["%Y.%m%d%H%M%S", "%Y.%m%d%H%M%S.%f"]),
        &[
            ("1970.0101000001", Ok(1_000_000)),
            ("1970.0101000001.5", Ok(1_500_000)),
            ("1970.0101000001.0000000001", Err(TooPrecise)),
        ],
    );
    check(
        by(true, &["%+"]),
        &[
            ("1970-01-01T02:00:00.5+02:00", Ok(500_000)),
            ("1970-01-01T00:00:00Z", Ok(0)),
            ("1970-01-01T00:00:00.0000000001Z", Err(TooPrecise)),
        ],
    );
    check(
        by(false, &["%Y-%m-%d %H:%M %z"]),
        &[("1970-01-01 02:00 +0200", Err(UnexpectedZone)), ("1970-01-01 02:00 +0000", Ok(7_200_000_000))],
    );
}
