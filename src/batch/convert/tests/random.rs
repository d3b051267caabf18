use crate::batch::convert::{Format, Marks, TimestampRules, binary, date, decimal, float, integer, time};
use crate::schema::BinaryForm;
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
        prop_assert_eq!(decimal::decimal(point.as_bytes(), 38, scale), Ok(value));
        let exponent = format!("{value}e-{scale}");
        prop_assert_eq!(decimal::decimal(exponent.as_bytes(), 38, scale), Ok(value));
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
            let formats = formats.iter().map(|format| Format::new(format)).collect();
            TimestampRules { unit: TimeUnit::Microsecond, utc, source_zone, formats }.timestamp(text.as_bytes())
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
    fn no_bytes_panic(text in proptest::collection::vec(any::<u8>(), 0..40)) {
        everything(&text);
    }

    #[test]
    fn no_nearly_right_text_panics(text in "[0-9+\\-:.,TZ eE/aAmMpP _١]{0,40}") {
        everything(text.as_bytes());
    }
}

fn moment_shows(micros: i64, zone: Tz) -> chrono::NaiveDateTime {
    DateTime::from_timestamp_micros(micros).expect("in range").with_timezone(&zone).naive_local()
}

fn everything(text: &[u8]) {
    const FORMATS: [&str; 8] =
        ["%d/%m/%Y", "%Y-%m-%d %H:%M:%S%.f", "%I:%M %p", "%s", "%+", "%c", "%S.%f%z", "%S%f %:z"];
    let formats: Vec<Format> = FORMATS.iter().map(|format| Format::new(format)).collect();
    let _ = integer::signed::<i64>(text);
    let _ = integer::unsigned::<u8>(text);
    let _ = float::float::<f64>(text);
    let _ = float::float::<f32>(text);
    let _ = Marks { decimal: b',', group: Some(b'.') }.plain(text, &mut Vec::new());
    let _ = binary::binary(text, BinaryForm::Base64, &mut Vec::new());
    let _ = binary::binary(text, BinaryForm::Hex, &mut Vec::new());
    for (precision, scale) in [(1, 0), (9, 9), (38, 19)] {
        let _ = decimal::decimal(text, precision, scale);
    }
    for formats in [&[][..], &formats] {
        let _ = date::date(text, formats);
        let _ = time::time(text, formats);
        for (unit, utc) in [(TimeUnit::Second, false), (TimeUnit::Nanosecond, true)] {
            let source_zone = Tz::America__New_York;
            let rules = TimestampRules { unit, utc, source_zone, formats: formats.to_vec() };
            let _ = rules.timestamp(text);
        }
    }
}
