use crate::value::convert::{Format, TimestampRules, date, decimal, float, integer, twins};
use crate::value::{AmbiguousTime, Rounding};
use arrow::datatypes::TimeUnit;
use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta};
use chrono_tz::Tz;
use proptest::prelude::*;

const DAYS_FROM_YEAR_1_TO_9999: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

fn epoch() -> NaiveDate {
    NaiveDate::from_ymd_opt(1970, 1, 1).expect("a date")
}

proptest! {
    #[test]
    fn integers_read_back(signed: i64, unsigned: u64) {
        prop_assert_eq!(integer::signed(signed.to_string().as_bytes()), Ok(signed));
        prop_assert_eq!(integer::unsigned(unsigned.to_string().as_bytes()), Ok(unsigned));
        // Every width agrees with the widest, or calls it out of range.
        prop_assert_eq!(
            integer::signed::<i16>(signed.to_string().as_bytes()).ok(),
            i16::try_from(signed).ok()
        );
    }

    #[test]
    fn floats_read_back(value: f64, single: f32) {
        prop_assert_eq!(float::float::<f64>(value.to_string().as_bytes()).map(f64::to_bits), Ok(value.to_bits()));
        prop_assert_eq!(float::float::<f32>(format!("{single:e}").as_bytes()).map(f32::to_bits), Ok(single.to_bits()));
    }

    #[test]
    fn decimals_read_back(value in 1 - 10i128.pow(38)..10i128.pow(38), scale in 0u8..=38) {
        let sign = if value < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", value.unsigned_abs(), width = usize::from(scale) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(scale));
        let point = format!("{sign}{whole}.{fraction}");
        prop_assert_eq!(decimal::decimal(point.as_bytes(), 38, scale, Rounding::Error), Ok(value));
        let exponent = format!("{value}e-{scale}");
        prop_assert_eq!(decimal::decimal(exponent.as_bytes(), 38, scale, Rounding::Error), Ok(value));
    }

    #[test]
    fn dates_read_back(days in DAYS_FROM_YEAR_1_TO_9999) {
        let day = epoch() + TimeDelta::days(days.into());
        prop_assert_eq!(date::date(day.format("%Y-%m-%d").to_string().as_bytes(), &[]), Ok(days));
        let formats = [Format::new("%j of %Y")];
        prop_assert_eq!(date::date(day.format("%j of %Y").to_string().as_bytes(), &formats), Ok(days));
    }

    #[test]
    fn timestamps_read_back(micros in -62_135_596_800_000_000i64..=253_402_300_799_999_999, zone in 0usize..4) {
        let moment = DateTime::from_timestamp_micros(micros).expect("in range");
        let read = |text: &str, source_zone, utc, formats: &[&str]| {
            let formats: &Vec<Format> = &formats.iter().map(|format| Format::new(format)).collect();
            let (unit, ambiguous) = (TimeUnit::Microsecond, AmbiguousTime::Earlier);
            TimestampRules { unit, utc, source_zone, ambiguous, formats }.timestamp(text.as_bytes())
        };
        let text = moment.to_rfc3339_opts(SecondsFormat::Micros, true);
        prop_assert_eq!(read(&text, Tz::UTC, true, &[]), Ok(micros));
        prop_assert_eq!(read(&text, Tz::UTC, false, &["%Y-%m-%dT%H:%M:%S.%fZ"]), Ok(micros));

        // Local time in a zone comes back, or an hour or so earlier where it occurs twice.
        let zone = [Tz::America__New_York, Tz::Asia__Kolkata, Tz::Australia__Lord_Howe, Tz::Europe__London][zone];
        let local = moment.with_timezone(&zone).naive_local();
        prop_assume!((1..=9999).contains(&chrono::Datelike::year(&local)));
        let text = local.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
        let found = read(&text, zone, true, &[]).expect("a local time that occurred");
        prop_assert!(found == micros || (found < micros && moment_shows(found, zone) == local));
    }

    #[test]
    fn converters_agree_with_their_twins_on_any_bytes(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        everything(&text);
    }

    #[test]
    fn converters_agree_with_their_twins_on_what_is_nearly_right(
        choices in proptest::collection::vec(any::<u8>(), 3),
        text in prop_oneof![
            "[0-9+\\-:.,TZ eE/aAmMpP _١]{0,40}",
            "[+-]?[0-9]{0,40}",
            "[+-]?0{0,3}[0-9]{0,20}[.,]?[0-9]{0,20}(e[+-]?[0-9]{1,3})?",
            "[12][0-9]{3}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](:[0-6][0-9](\\.[0-9]{1,10})?)?(Z|[+-][0-2][0-9](:?[0-6][0-9])?)?",
            "[0-3]?[0-9][/. ][01]?[0-9][/. ][12][0-9]{3}",
            "(Mon|Tue|friday)?,? ?[0-3][0-9] (Jan|feb|MARCH) (19|20)[0-9]{2}( [0-9]{1,2}:[0-5][0-9](:[0-5][0-9])?( ?[ap]m)?)?",
            "[a-zA-Z0-9+/]{0,12}={0,2}",
            "(true|YES|no|fAlse|1|0)",
        ],
    ) {
        everything(text.as_bytes());
        everything(&[&choices[..], text.as_bytes()].concat());
        everything(&[&choices[..1], text.as_bytes()].concat());
    }
}

fn moment_shows(micros: i64, zone: Tz) -> chrono::NaiveDateTime {
    DateTime::from_timestamp_micros(micros).expect("in range").with_timezone(&zone).naive_local()
}

fn everything(data: &[u8]) {
    twins::integers(data);
    twins::decimals(data);
    twins::floats(data);
    twins::marked(data);
    twins::dates(data);
    twins::times(data);
    twins::timestamps(data);
    twins::formats(data);
    twins::booleans(data);
    twins::binary(data);
}
