#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

//! What is inferred of values that were written by rule reads them back exactly.

use super::*;
use crate::parse::{RecordIndex, Scanner};
use crate::rows::{BatchBuilder, Binding, DataRecords, Policies};
use crate::schema::ResolveContext;
use crate::spec::{ColumnPolicies, DialectSpec, ErrorsSpec};
use arrow::array::{Array, RecordBatch};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::Datelike;
use proptest::prelude::*;

/// The column as the inferred schema reads it, through the schema file that
/// `infer` writes, with its type.
fn read_back(values: &[String]) -> (String, RecordBatch) {
    let mut text = b"v,k\n".to_vec();
    for value in values {
        text.extend_from_slice(format!("\"{}\",x\n", value.replace('"', "\"\"")).as_bytes());
    }
    let samples =
        [Sample { url: "file:///a.csv".into(), text: text.clone(), whole: true, ..Sample::default() }];
    let given = DialectSpec { header: Some(true), ..DialectSpec::default() };
    let (dialect, _) = schema::tests::inferred(&samples, &given, true).unwrap();
    let Inferred { schema, .. } = infer_schema(&samples, &dialect, &[]).unwrap();
    let file = serde_json::to_string(&schema.to_table_schema()).unwrap();
    let file: crate::spec::TableSchema = serde_json::from_str(&file).unwrap();
    let (again, _) = file.resolve(&ResolveContext::default()).unwrap();
    assert_eq!(again, schema, "the file that is written is the schema that was found");
    let binding = Binding::by_position(&schema, 2, &[], ColumnPolicies::default()).unwrap();
    let mut index = RecordIndex::default();
    Scanner::new(&dialect.grammar).scan(&text, &mut index).unwrap();
    let policies = Policies::of(&ErrorsSpec::default(), ["v", "k"]);
    let data = DataRecords { range: 1..index.len(), broken: &[] };
    let built = BatchBuilder::new(&schema, &dialect.grammar, &binding, policies).build(&text, &index, &data);
    (schema.columns[0].column_type.to_string(), built.unwrap().rows.batch)
}

/// What the column holds, as text; `None` for null.
fn values_of(batch: &RecordBatch) -> Vec<Option<String>> {
    let column = batch.column(0);
    let formatter = ArrayFormatter::try_new(column, &FormatOptions::default()).unwrap();
    (0..column.len()).map(|row| column.is_valid(row).then(|| formatter.value(row).to_string())).collect()
}

/// Whole numbers as they are, and as text with a mark between thousands.
fn grouped(number: i64, mark: char) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (position, digit) in digits.char_indices() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(mark);
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

proptest! {
    #[test]
    fn integers(numbers in proptest::collection::vec(any::<i64>(), 1..20)) {
        let texts: Vec<String> = numbers.iter().map(i64::to_string).collect();
        let (found, batch) = read_back(&texts);
        prop_assert_eq!(found, "int64");
        prop_assert_eq!(values_of(&batch), texts.into_iter().map(Some).collect::<Vec<_>>());
    }

    #[test]
    fn integers_with_marks(
        numbers in proptest::collection::vec(any::<i64>().prop_map(|n| n / 1000), 1..20),
        mark in prop_oneof![Just(','), Just('.'), Just(' '), Just('\'')],
    ) {
        let texts: Vec<String> = numbers.iter().map(|number| grouped(*number, mark)).collect();
        let (found, batch) = read_back(&texts);
        // Where no number has two marks, a comma may be a decimal mark, and a point is one.
        if found == "int64" {
            let expected: Vec<_> = numbers.iter().map(|number| Some(number.to_string())).collect();
            prop_assert_eq!(values_of(&batch), expected);
        } else if found == "string" {
            prop_assert_eq!(values_of(&batch), texts.into_iter().map(Some).collect::<Vec<_>>());
        } else {
            prop_assert_eq!(mark, '.');
        }
    }

    #[test]
    fn floats(numbers in proptest::collection::vec(any::<f64>().prop_filter("finite", |f| f.is_finite()), 1..20)) {
        for texts in [
            numbers.iter().map(f64::to_string).collect::<Vec<_>>(),
            numbers.iter().map(|number| format!("{number:e}")).collect(),
        ] {
            let (found, batch) = read_back(&texts);
            match found.as_str() {
                "string" => prop_assert_eq!(values_of(&batch), texts.into_iter().map(Some).collect::<Vec<_>>()),
                "int64" => {}
                _ => {
                    let read = values_of(&batch).into_iter().map(|text| text.unwrap().parse::<f64>().unwrap());
                    prop_assert_eq!(read.collect::<Vec<_>>(), numbers.clone());
                }
            }
        }
    }

    #[test]
    fn decimals(
        numbers in proptest::collection::vec(any::<i64>(), 1..20),
        scale in 2usize..12,
        comma in any::<bool>(),
    ) {
        let one = 10i128.pow(scale as u32);
        let texts: Vec<String> = numbers.iter().map(|&number| {
            let magnitude = i128::from(number).abs();
            let sign = if number < 0 { "-" } else { "" };
            format!("{sign}{}.{:0scale$}", magnitude / one, magnitude % one)
        }).collect();
        let written: Vec<String> =
            texts.iter().map(|text| if comma { text.replace('.', ",") } else { text.clone() }).collect();
        let (found, batch) = read_back(&written);
        if found.starts_with("decimal") {
            let expected = texts.iter().map(|text| Some(text.strip_prefix("-0.").filter(|rest|
                rest.bytes().all(|b| b == b'0')).map_or(text.clone(), |rest| format!("0.{rest}"))));
            prop_assert_eq!(values_of(&batch), expected.collect::<Vec<_>>());
        } else if found == "string" {
            prop_assert_eq!(values_of(&batch), written.into_iter().map(Some).collect::<Vec<_>>());
        } else {
            prop_assert_eq!(found, "float64");
            let read = values_of(&batch).into_iter().map(|text| text.unwrap().parse::<f64>().unwrap());
            let expected = texts.iter().map(|text| text.parse::<f64>().unwrap());
            prop_assert_eq!(read.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn dates(
        days in proptest::collection::vec(-700_000i32..2_900_000, 1..20),
        format in prop_oneof![
            Just("%Y-%m-%d"), Just("%d/%m/%Y"), Just("%m/%d/%Y"), Just("%d.%m.%Y"), Just("%m-%d-%Y"),
            Just("%Y/%m/%d"), Just("%d-%b-%Y"), Just("%d.%m.%Y %H:%M"), Just("%Y-%m-%dT%H:%M:%SZ"),
        ],
    ) {
        let moments = days.iter().map(|day| {
            chrono::DateTime::from_timestamp(i64::from(*day) * 86_400 + 3_660, 0).unwrap()
        });
        let moments: Vec<_> = moments.filter(|moment| moment.format("%Y").to_string().len() == 4).collect();
        let texts: Vec<String> = moments.iter().map(|moment| moment.format(format).to_string()).collect();
        prop_assume!(!texts.is_empty());
        let (found, batch) = read_back(&texts);
        let iso = match found.as_str() {
            "date" => "%Y-%m-%d",
            "timestamp(us)" => "%Y-%m-%dT%H:%M:00",
            "timestamp(us,UTC)" => "%Y-%m-%dT%H:%M:00Z",
            other => {
                // Day and month cannot be told apart.
                prop_assert!(other == "string" && moments.iter().all(|m| m.day() < 13));
                format
            }
        };
        let expected = moments.iter().map(|moment| Some(moment.format(iso).to_string()));
        prop_assert_eq!(values_of(&batch), expected.collect::<Vec<_>>());
    }

    /// Whatever their years and fractions, the type that is found holds all digits.
    #[test]
    fn timestamps(
        moments in proptest::collection::vec(
            (
                prop_oneof![1i64..10_000, Just(1), Just(9999), 1677i64..1679, 2261i64..2263],
                0i64..366 * 86_400,
                prop_oneof![Just(String::new()), "\\.[0-9]{1,6}", "\\.[0-9]{7,9}", "\\.[0-9]{6}0{1,4}"],
            ),
            1..6,
        ),
        zone in prop_oneof![Just(""), Just("Z")],
    ) {
        let texts: Vec<String> = moments.iter().map(|(year, second, fraction)| {
            let start = chrono::NaiveDate::from_ymd_opt(*year as i32, 1, 1).unwrap();
            let moment = start.and_time(chrono::NaiveTime::MIN) + chrono::TimeDelta::seconds(second % (365 * 86_400));
            format!("{}{fraction}{zone}", moment.format("%Y-%m-%dT%H:%M:%S"))
        }).collect();
        let (found, batch) = read_back(&texts);
        let shown = |text: &Option<String>| {
            let text = text.clone().unwrap();
            let text = text.trim_end_matches('Z');
            match text.split_once('.') {
                Some((whole, fraction)) => format!("{whole}.{}", fraction.trim_end_matches('0')),
                None => format!("{text}."),
            }
        };
        prop_assert!(found == "string" || found.starts_with("timestamp"), "{found}");
        let expected: Vec<_> = texts.into_iter().map(|text| shown(&Some(text))).collect();
        prop_assert_eq!(values_of(&batch).iter().map(shown).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn any_text_is_read_by_the_type_that_is_found(
        values in proptest::collection::vec("[-+0-9.,:/TZ eainNAtfyY]{0,12}", 1..12),
    ) {
        let (found, batch) = read_back(&values);
        prop_assert_eq!(batch.num_rows(), values.len());
        if found == "string" {
            // A quoted empty field of a text column is a value.
            prop_assert_eq!(values_of(&batch), values.into_iter().map(Some).collect::<Vec<_>>());
        }
    }
}
