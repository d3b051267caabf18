use super::super::{Evaluated, Expression};
use crate::value::ColumnType;
use arrow::array::{Array, ArrayRef, BooleanArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::TimeUnit;
use std::sync::Arc;

const LOCAL: ColumnType = ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: false };
const INSTANT: ColumnType = ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: true };
const COLUMNS: [(&str, ColumnType); 5] = [
    ("d", ColumnType::Date),
    ("t", LOCAL),
    ("i", INSTANT),
    ("clock", ColumnType::Time),
    ("text", ColumnType::Text),
];

/// The message with the place that is marked and the remedy, or nothing.
fn mistake(text: &str) -> Option<String> {
    let mistake = Expression::compile(text, &COLUMNS).err()?;
    let problem = mistake.into_problem("k".into(), text);
    Some(format!("{}\n{}", problem.message, problem.remedy.unwrap_or_default()))
}

/// Evaluates over one row for each of these times.
fn evaluate(text: &str, times: &[&str], texts: &[String]) -> Evaluated {
    let (expression, used) = Expression::compile(text, &COLUMNS).unwrap_or_else(|m| panic!("{text}: {m:?}"));
    let times: ArrayRef = Arc::new(StringArray::from(times.to_vec()));
    let local = cast(&times, &LOCAL.arrow()).unwrap();
    let columns: [ArrayRef; 5] = [
        cast(&local, &ColumnType::Date.arrow()).unwrap(),
        local.clone(),
        cast(&local, &INSTANT.arrow()).unwrap(),
        cast(&local, &ColumnType::Time.arrow()).unwrap(),
        Arc::new(StringArray::from_iter_values((0..times.len()).map(|n| texts.get(n).map_or("", |s| s)))),
    ];
    let rows = times.len();
    expression.evaluate(used.into_iter().map(|i| columns[i].clone()).collect(), rows).unwrap()
}

#[test]
fn patterns_of_others_are_answered_with_what_to_write() {
    for (call, value, java, strftime) in [
        ("date_format", "d", "yyyy-MM", "%Y-%m"),
        ("to_char", "d", "dd.MM.yyyy", "%d.%m.%Y"),
        ("to_char", "t", "yyyy-MM-dd HH:mm:ss.SSS", "%Y-%m-%d %H:%M:%S.%3f"),
        ("to_char", "t", "YYYY-MM-DD HH24:MI:SS", "%Y-%m-%d %H:%M:%S"),
        ("to_char", "i", "yyyy-MM-dd''T''HH:mm:ssXXX", "%Y-%m-%dT%H:%M:%S%:z"),
        ("to_char", "clock", "h:mm a", "%-I:%M %p"),
        ("to_date", "text", "MM/dd/yyyy", "%m/%d/%Y"),
        ("to_time", "text", "HH:mm", "%H:%M"),
        ("to_timestamp", "text", "yyyyMMddHHmmss", "%Y%m%d%H%M%S"),
        ("to_timestamp_seconds", "text", "yyyyMMddHHmmss", "%Y%m%d%H%M%S"),
        ("to_timestamp_millis", "text", "yyyyMMddHHmmss", "%Y%m%d%H%M%S"),
        ("to_timestamp_micros", "text", "yyyyMMddHHmmss", "%Y%m%d%H%M%S"),
        ("to_timestamp_nanos", "text", "yyyyMMddHHmmss", "%Y%m%d%H%M%S"),
        ("to_unixtime", "text", "dd MMM yyyy HH:mm", "%d %b %Y %H:%M"),
    ] {
        let text = format!("{call}({value}, '{java}')");
        let said = mistake(&text).unwrap_or_else(|| panic!("{text} is accepted"));
        let carets = " ".repeat(text.find('\'').unwrap()) + &"^".repeat(java.len() + 2);
        assert!(
            said.contains(&format!("'{java}' is not a strftime format\n  | {text}\n  | {carets}\n")),
            "{said}"
        );
        assert!(said.ends_with(&format!("\nwrite '{strftime}'")), "{said}");
        assert_eq!(mistake(&format!("{call}({value}, '{strftime}')")), None, "pasted");
    }
}

#[test]
fn the_format_that_is_wrong_is_marked_wherever_it_stands() {
    for (text, expected) in [
        (
            "coalesce(to_date(text, '%Y-%m-%d', 'yyyy'), d)",
            "\n  | coalesce(to_date(text, '%Y-%m-%d', 'yyyy'), d)\n  |                                    ^^^^^^\n",
        ),
        ("to_char(d, 'x') || 'x'", "\n  |            ^^^\n"),
        ("to_char(d, '%Y-%E')", "an unknown directive, `%E`\n"),
        ("to_char(d, '%-p')", "an unknown directive, `%-p`\n"),
        ("to_char(d, '%Y-%')", "ends in the middle of a directive\n"),
        ("to_char(d, '%%Y')", "'%%Y' is not a strftime format\n"),
        ("to_char(t, '%Y %z')", "a time without zone has nothing for `%z`\n"),
        ("to_char(clock, '%H %d')", "a time of day has nothing for `%d`\n"),
        ("to_char(t - t, '%H')", "'%H' is not a format of durations\n"),
        ("to_date(text, '%Y-%m')", "cannot read a date by '%Y-%m': input is not enough"),
        ("to_time(text, '%I:%M')", "cannot read a time of day by '%I:%M': a part is missing"),
        ("to_timestamp(text, '%H:%M')", "cannot read a point in time by '%H:%M': input is not enough"),
        ("to_timestamp(text, '%Y-%m-%d %H')", "would leave out a part of '%Y-%m-%d %H'\n"),
        ("to_timestamp(text, '%d.%m.%Y %I:%M')", "would leave out a part of '%d.%m.%Y %I:%M'\n"),
        ("to_timestamp(text, '%Z %d.%m.%Y')", "`%Z` may stand only at the end"),
        ("to_char(DATE '2024-01-01', 'yyyy')", "'yyyy' is not a strftime format\n"),
    ] {
        let said = mistake(text).unwrap_or_else(|| panic!("{text} is accepted"));
        assert!(said.contains(expected), "{text}: {said}");
        assert!(said.contains('^'), "{said}");
    }
    for text in [
        "to_char(t - t, 'iso8601') = 'x'",
        "to_char(d, text)",
        "to_char(d, '%Y' || '-%m')",
        "to_char(d, NULL)",
        "to_char(d, '%d. %B, 100%%')",
        "to_char(d, '%H:%M')",
        "to_date(text, '%Y-%m-%d %H:%M:%S')",
        "to_date(text)",
        "to_timestamp(text, '%Y-%m-%d %H:%M:%S%#z', '%+')",
        "to_timestamp(text, '%d.%m.%Y %H:%M %Z')",
        "to_unixtime(text, '%s')",
        "upper('yyyy-MM')",
    ] {
        assert_eq!(mistake(text), None, "{text}");
    }
}

/// Every directive that chrono could have, and some that it has not.
fn directives() -> Vec<String> {
    let letters = ('a'..='z').chain('A'..='Z').chain(['+', '%', 'ä']).map(String::from);
    let prefixes = ["", "-", "_", "0", "#", ":", "::", ":::", ".", "3", "6", "9", ".3", ".6", ".9", "E", "1"];
    let both = letters.flat_map(|letter| prefixes.map(|prefix| format!("%{prefix}{letter}")));
    both.collect()
}

/// At the ends of days, years and clocks, with every length of fraction.
const TIMES: [&str; 6] = [
    "2024-02-29T23:59:59.999999",
    "1970-01-01T00:00:00",
    "2000-12-31T12:00:00.5",
    "1999-01-01T00:59:01.000001",
    "2068-10-09T11:11:11.123",
    "2023-06-05T13:05:09",
];

#[test]
fn what_is_accepted_is_written_for_every_value() {
    let mut accepted = 0;
    for directive in directives() {
        for column in ["d", "t", "i", "clock"] {
            let text = format!("to_char({column}, '>{directive}')");
            // Refused in words of this crate, never of a library that gave up.
            if let Some(said) = mistake(&text) {
                assert!(!said.contains("gave up") && said.contains("^^"), "{said}");
                continue;
            }
            accepted += 1;
            let Evaluated { values, bad, .. } = evaluate(&text, &TIMES, &[]);
            assert_eq!((bad, values.null_count()), (vec![], 0), "{text}");
            // No directive is handed on as it stands.
            let values = values.as_any().downcast_ref::<StringArray>().unwrap();
            assert!(values.iter().flatten().all(|value| !value.contains('%')), "{text}: {values:?}");
        }
    }
    assert!(accepted > 150, "{accepted}");
}

/// The times as texts in a format, as a source would have them.
fn texts_in(format: &str, times: &[&str]) -> Vec<String> {
    // `%#z` is for reading only; for `%Z` an offset is written and a name is read.
    let written = format.replace("%#z", "%z").replace("%Z", "UTC");
    let written = if written.contains('%') { written } else { written + "%n" };
    let Evaluated { values, .. } = evaluate(&format!("to_char(i, '{written}')"), times, &[]);
    let texts = values.as_any().downcast_ref::<StringArray>().unwrap();
    texts.iter().flatten().map(str::to_owned).collect()
}

#[test]
fn what_is_accepted_is_read_again() {
    let mut accepted = 0;
    let functions = [
        ("to_date", "DATE", "d", "%Y-%m-%d "),
        ("to_time", "TIME", "clock", "%H:%M:%S "),
        ("to_timestamp", "TIMESTAMP WITH TIME ZONE", "i", "%Y-%m-%d %H:%M:%S "),
    ];
    for (function, type_name, column, before) in functions {
        for format in directives().into_iter().flat_map(|one| [format!("{before}{one}"), one]) {
            let read = format!("{function}(text, '{format}')");
            if mistake(&read).is_some() {
                continue;
            }
            accepted += 1;
            let texts = texts_in(&format, &TIMES);
            let Evaluated { values, bad, .. } = evaluate(&read, &TIMES, &texts);
            assert_eq!((bad, values.null_count()), (vec![], 0), "{read}: {texts:?}");
            if !format.starts_with(before) {
                continue;
            }
            // What the text says is what is read; fractions need not be in it.
            let whole = TIMES.map(|time| time.split('.').next().unwrap());
            let texts = texts_in(&format, &whole);
            let comparison = format!("CAST({column} AS {type_name}) = CAST({read} AS {type_name})");
            let Evaluated { values, .. } = evaluate(&comparison, &whole, &texts);
            let equal = values.as_any().downcast_ref::<BooleanArray>().unwrap();
            assert_eq!(equal.true_count(), TIMES.len(), "{comparison}: {texts:?}");
        }
    }
    assert!(accepted > 100, "{accepted}");
}
