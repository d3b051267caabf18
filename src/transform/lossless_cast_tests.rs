use super::*;
use arrow::util::display::array_value_to_string;

fn parsed(text: Option<&str>, column_type: &str) -> (ArrayRef, ColumnType) {
    let column_type: ColumnType = column_type.parse().unwrap();
    let (values, lost) = parse(&StringArray::from(vec![text]), column_type);
    assert_eq!(lost, [], "{text:?} as {column_type}");
    (values, column_type)
}

#[test]
fn a_cast_is_exact_or_bad() {
    for (value, from, to, expected) in [
        ("300", "int64", "int16", Some("300")),
        ("300", "int64", "int8", None),
        ("-1", "int64", "uint64", None),
        ("18446744073709551615", "uint64", "int64", None),
        ("9007199254740992", "int64", "float64", Some("9007199254740992.0")),
        ("9007199254740993", "int64", "float64", None),
        ("16777217", "int32", "float32", None),
        ("2.0", "float64", "int32", Some("2")),
        ("2.5", "float64", "int32", None),
        ("-0.0", "float64", "int32", Some("0")),
        ("NaN", "float64", "int32", None),
        ("NaN", "float64", "float32", Some("NaN")),
        ("9.3e18", "float64", "int64", None),
        ("0.5", "float64", "float32", Some("0.5")),
        ("0.1", "float64", "float32", None),
        ("0.1", "float64", "decimal(10,2)", Some("0.10")),
        ("0.125", "float64", "decimal(10,2)", None),
        ("0.25", "decimal(10,2)", "float64", Some("0.25")),
        ("12345678901234567890.12", "decimal(38,2)", "float64", None),
        ("1.50", "decimal(10,2)", "decimal(10,1)", Some("1.5")),
        ("1.55", "decimal(10,2)", "decimal(10,1)", None),
        ("100.00", "decimal(10,2)", "decimal(4,2)", None),
        ("7.00", "decimal(10,2)", "int32", Some("7")),
        ("7.01", "decimal(10,2)", "int32", None),
        ("7", "int32", "decimal(3,2)", Some("7.00")),
        ("70", "int32", "decimal(3,2)", None),
        ("1", "int32", "boolean", Some("true")),
        ("2", "int32", "boolean", None),
        ("true", "boolean", "int8", Some("1")),
        ("2024-02-29", "date", "timestamp(us)", Some("2024-02-29T00:00:00")),
        ("9999-12-31", "date", "timestamp(ns)", None),
        ("2024-02-29T00:00:00", "timestamp(us)", "date", Some("2024-02-29")),
        ("1969-12-31T23:59:59", "timestamp(us)", "date", None),
        ("2024-02-29T01:02:03.004", "timestamp(us)", "timestamp(ms)", Some("2024-02-29T01:02:03.004")),
        ("2024-02-29T01:02:03.0045", "timestamp(us)", "timestamp(ms)", None),
        ("9999-12-31T00:00:00", "timestamp(us)", "timestamp(ns)", None),
        ("2024-02-29T01:02:03", "timestamp(us)", "timestamp(us,UTC)", Some("2024-02-29T01:02:03Z")),
        ("42", "string", "int8", Some("42")),
        ("4.2", "string", "int8", None),
        (" 42", "string", "int8", None),
        ("1.005", "string", "decimal(5,2)", None),
        ("2023-02-29", "string", "date", None),
        ("TRUE", "string", "boolean", Some("true")),
        ("1.50", "decimal(10,2)", "string", Some("1.50")),
        ("0.1", "float64", "string", Some("0.1")),
        ("2024-02-29T01:02:03Z", "timestamp(us,UTC)", "string", Some("2024-02-29T01:02:03Z")),
        ("12:34:56", "time", "string", Some("12:34:56")),
    ] {
        let (values, from) = parsed(Some(value), from);
        let to: ColumnType = to.parse().unwrap();
        assert_eq!(refusal(from, to), None, "{from} to {to}");
        let (cast, lost) = cast(&values, from, to).unwrap();
        assert_eq!(*cast.data_type(), to.arrow());
        assert_eq!(lost.len(), usize::from(expected.is_none()), "{value}: {from} to {to}");
        let found = cast.is_valid(0).then(|| array_value_to_string(&cast, 0).unwrap());
        assert_eq!(found.as_deref(), expected, "{value}: {from} to {to}");
    }
}

#[test]
fn null_stays_null() {
    for (from, to) in [("int64", "int8"), ("string", "date"), ("float64", "decimal(5,2)"), ("date", "string")]
    {
        let (values, from) = parsed(None, from);
        let (cast, lost) = cast(&values, from, to.parse().unwrap()).unwrap();
        assert!(cast.is_null(0) && lost.is_empty());
    }
}

#[test]
fn what_has_no_one_meaning_is_refused() {
    for (from, to) in [
        ("date", "int32"),
        ("time", "timestamp(us)"),
        ("binary", "string"),
        ("boolean", "float64"),
        ("timestamp(us)", "int64"),
    ] {
        assert!(refusal(from.parse().unwrap(), to.parse().unwrap()).is_some(), "{from} to {to}");
    }
}

proptest::proptest! {
    /// Whatever a cast gives is what it got.
    #[test]
    fn casts_of_numbers_come_back(values: Vec<Option<i64>>, floats: Vec<f64>) {
        let types = ["int8", "int16", "int32", "uint8", "uint64", "float32", "float64", "decimal(18,3)", "decimal(38,0)", "string"];
        let sources: [(ArrayRef, &str); 2] = [
            (Arc::new(arrow::array::Int64Array::from(values)), "int64"),
            (Arc::new(arrow::array::Float64Array::from(floats)), "float64"),
        ];
        for (source, from) in sources {
            let from: ColumnType = from.parse().unwrap();
            for to in types {
                let to: ColumnType = to.parse().unwrap();
                let (there, lost) = cast(&source, from, to).unwrap();
                proptest::prop_assert_eq!(there.null_count(), source.null_count() + lost.len());
                let (back, lost_again) = cast(&there, to, from).unwrap();
                proptest::prop_assert_eq!(lost_again, vec![]);
                for row in (0..source.len()).filter(|&row| there.is_valid(row)) {
                    let shown = |array: &ArrayRef| array_value_to_string(array, row).unwrap();
                    let (before, after) = (shown(&source), shown(&back));
                    proptest::prop_assert!(before == after || before == "-0.0", "{} {} {} {}", before, after, from, to);
                }
            }
        }
    }
}
