use super::*;
use arrow::array::{Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray};
use arrow::util::display::array_value_to_string;

const INT64: ColumnType = ColumnType::Int { bits: 64 };
const CENTS: ColumnType = ColumnType::Decimal { precision: 10, scale: 2 };
const COLUMNS: [(&str, ColumnType); 7] = [
    ("carrier", ColumnType::Text),
    ("distance", INT64),
    ("share", ColumnType::Float64),
    ("price", CENTS),
    ("day", ColumnType::Date),
    ("Dep", INT64),
    ("DEP", INT64),
];

fn columns() -> Vec<ArrayRef> {
    vec![
        Arc::new(StringArray::from(vec![Some(" aa "), Some("B6"), None])),
        Arc::new(Int64Array::from(vec![Some(0), Some(i64::MAX), None])),
        Arc::new(Float64Array::from(vec![0.5, 2.0, -1.0])),
        Arc::new(Decimal128Array::from(vec![150, 1000, -5]).with_precision_and_scale(10, 2).unwrap()),
        Arc::new(Date32Array::from(vec![0, 366, 19_000])),
        Arc::new(Int64Array::from(vec![1, 2, 3])),
        Arc::new(Int64Array::from(vec![10, 20, 30])),
    ]
}

/// Type, values as text (`-` is null), and the causes of the bad rows.
fn evaluate(text: &str) -> (String, Vec<String>, Vec<BadRow>) {
    let (expression, used) =
        Expression::compile(text, &COLUMNS).unwrap_or_else(|mistake| panic!("{text}: {mistake:?}"));
    let all = columns();
    let inputs = used.into_iter().map(|i| all[i].clone()).collect();
    let Evaluated { values, bad, stopped_at } = expression.evaluate(inputs, 3).unwrap();
    assert_eq!(stopped_at, None, "{text}");
    assert_eq!(*values.data_type(), expression.result().arrow(), "{text}");
    let text_of =
        |row| if values.is_null(row) { "-".into() } else { array_value_to_string(&values, row).unwrap() };
    (expression.result().to_string(), (0..3).map(text_of).collect(), bad)
}

#[test]
fn values_are_those_computed_by_hand() {
    for (text, column_type, expected) in [
        ("upper(trim(carrier))", "string", ["AA", "B6", "-"]),
        ("CARRIER", "string", [" aa ", "B6", "-"]),
        ("`carrier` || '!'", "string", [" aa !", "B6!", "-"]),
        ("\"Dep\" + 1", "int64", ["2", "3", "4"]),
        ("distance > 100 AND carrier IN ('B6', 'UA')", "boolean", ["false", "true", "-"]),
        ("coalesce(carrier, 'none')", "string", [" aa ", "B6", "none"]),
        ("CASE WHEN distance = 0 THEN 'short' ELSE 'long' END", "string", ["short", "long", "long"]),
        ("price * 1.1", "decimal(13,3)", ["1.650", "11.000", "-0.055"]),
        ("CAST(share AS DECIMAL(4,1))", "decimal(4,1)", ["0.5", "2.0", "-1.0"]),
        ("substr(carrier, 1, 2)", "string", [" a", "B6", "-"]),
        ("extract(year FROM day)", "int32", ["1970", "1971", "2022"]),
        (
            "date_trunc('month', day)",
            "timestamp(us)",
            ["1970-01-01T00:00:00", "1971-01-01T00:00:00", "2022-01-01T00:00:00"],
        ),
        ("CAST('9999-12-31' AS TIMESTAMP)", "timestamp(us)", ["9999-12-31T00:00:00"; 3]),
        ("TIMESTAMP '9999-12-31 01:00:00'", "timestamp(us)", ["9999-12-31T01:00:00"; 3]),
        (
            "CAST(day AS TIMESTAMP WITH TIME ZONE)",
            "timestamp(us,UTC)",
            ["1970-01-01T00:00:00Z", "1971-01-02T00:00:00Z", "2022-01-08T00:00:00Z"],
        ),
        (
            "date_trunc('year', CAST(day AS TIMESTAMP))",
            "timestamp(us)",
            ["1970-01-01T00:00:00", "1971-01-01T00:00:00", "2022-01-01T00:00:00"],
        ),
        ("carrier = 'B6' OR distance = '0'", "boolean", ["true", "true", "-"]),
        ("distance > '9'", "boolean", ["false", "true", "-"]),
        ("to_char(day, '%d.%m.%Y')", "string", ["01.01.1970", "02.01.1971", "08.01.2022"]),
        ("day - DATE '1970-01-01'", "int64", ["0", "366", "19000"]),
        ("carrier LIKE 'B%'", "boolean", ["false", "true", "-"]),
        ("carrier ~ '^B[0-9]$'", "boolean", ["false", "true", "-"]),
        ("regexp_replace(carrier, '[0-9]', '#')", "string", [" aa ", "B#", "-"]),
        ("distance IS NULL", "boolean", ["false", "false", "true"]),
        ("nullif(\"Dep\", 2)", "int64", ["1", "-", "3"]),
        ("'x'", "string", ["x", "x", "x"]),
        ("TRY_CAST(carrier AS INT)", "int32", ["-", "-", "-"]),
        ("-\"Dep\"", "int64", ["-1", "-2", "-3"]),
        ("7 / 2", "int64", ["3", "3", "3"]),
        ("encode(sha256(carrier), 'hex') IS NOT NULL", "boolean", ["true", "true", "false"]),
    ] {
        let (found_type, values, bad) = evaluate(text);
        assert_eq!(
            (found_type.as_str(), values, bad),
            (column_type, expected.map(str::to_owned).to_vec(), vec![]),
            "{text}"
        );
    }
}

#[test]
fn only_the_rows_to_blame_are_bad() {
    for (text, bad_rows, cause) in [
        ("10 / distance", vec![0], "Divide by zero"),
        ("distance + 1", vec![1], "verflow"),
        ("distance * 2", vec![1], "verflow"),
        ("-2 - distance", vec![1], "verflow"),
        ("-(-distance - 1 - 0)", vec![1], "verflow"),
        ("CAST(carrier AS INT)", vec![0, 1], "Cannot cast"),
        ("CAST(distance AS INT)", vec![1], "Can't cast value"),
        ("to_timestamp_nanos('2024-01-01T00:00:00.000000001')", vec![0, 1, 2], "below microseconds"),
        ("CAST(price AS DECIMAL(3,2))", vec![1], "recision"),
        // The left side shields each row, though not a whole batch.
        ("distance <> 0 AND 10 / distance > 1", vec![], ""),
    ] {
        let (_, values, bad) = evaluate(text);
        assert_eq!(bad.iter().map(|bad| bad.row).collect::<Vec<_>>(), bad_rows, "{text}: {bad:?}");
        for BadRow { row, cause: found } in &bad {
            assert!(found.contains(cause), "{text}: {found}");
            assert_eq!(values[*row], "-", "{text}");
        }
    }
}

fn mistake(text: &str) -> (String, String) {
    let mistake = match Expression::compile(text, &COLUMNS) {
        Ok((expression, _)) => panic!("{text} compiles to {:?}", expression.result()),
        Err(mistake) => mistake,
    };
    let problem = mistake.into_problem("k".into(), text);
    (problem.message, problem.remedy.unwrap_or_default())
}

#[test]
fn mistakes_point_into_the_text() {
    for (text, message, marks, remedy) in [
        ("distanse > 1", "there is no column \"distanse\" here", "^^^^^^^^", "did you mean `distance`?"),
        (
            "1 + \"Carrier\"",
            "there is no column \"Carrier\" here",
            "    ^^^^^^^^^",
            "did you mean `carrier`? Otherwise, text must be in single quotes: 'Carrier'",
        ),
        (
            "carrier = \"it's\"",
            "there is no column \"it's\" here",
            "          ^^^^^^",
            "single quotes: 'it''s'",
        ),
        ("dep + 1", "dep could be \"Dep\" or \"DEP\"", "^^^", "quote the name"),
        ("1 + uper(carrier)", "there is no function uper", "    ^^^^", "did you mean `upper`?"),
        ("sum(distance)", "needs several", "^^^", "no aggregate"),
        ("row_number() OVER (ORDER BY day)", "needs several", "^^^^^^^^^^", "no aggregate"),
        ("1 + random()", "another value each time", "    ^^^^^^", "lineage"),
        ("now()", "another value each time", "^^^", "lineage"),
        ("current_date", "another value each time", "^^^^^^^^^^^^", "lineage"),
        ("uuid()", "another value each time", "^^^^", "lineage"),
        ("distance IN (SELECT 1)", "no subqueries", "^", ""),
        ("t.distance", "has a dot", "^^^^^^^^^^", "\"t.distance\""),
        ("distance >", "found the end", "          ^", ""),
        ("distance ) 1", "complete before `)`", "         ^", ""),
        ("carrier = 'x", "Unterminated string literal", "          ^", ""),
        ("distance = $1", "no parameters", "           ^^", ""),
    ] {
        let (found, found_remedy) = mistake(text);
        assert!(found.contains(message), "{text}: {found}");
        let (_, under) = found.rsplit_once("\n  | ").unwrap();
        assert!(under.starts_with(marks.trim_end()), "{text}:\n{found}");
        assert!(found_remedy.contains(remedy), "{text}: {found_remedy}");
    }
}

#[test]
fn mistakes_of_types_name_the_types() {
    for (text, parts) in [
        ("carrier + day", ["Utf8", "Date32"]),
        ("NOT distance", ["Int64", ""]),
        ("upper(carrier, 1)", ["upper", "Utf8"]),
        ("NULL", ["Null", "CAST(NULL AS BIGINT)"]),
        ("to_timestamp(day) - to_timestamp(day)", ["Duration", "date_part"]),
        ("9223372036854775807 + 1", ["verflow", ""]),
        ("(9223372036854775806 + abs(-1)) * 2 > distance", ["verflow", ""]),
        ("1 / 0", ["Divide by zero", ""]),
        ("make_array(1)", ["make_array", ""]),
        ("to_timestamp(day) AT TIME ZONE 'Asia/Tokyo'", ["AT TIME ZONE", "to_local_time"]),
        ("CAST(to_timestamp(day) AT TIME ZONE 'Asia/Tokyo' AS TIMESTAMP)", ["CAST", "to_local_time"]),
        ("to_timestamp(day) AT TIME ZONE 'Nope/Zone' IS NULL", ["no time zone", "Nope/Zone"]),
        ("struct(1)", ["Struct", ""]),
    ] {
        let (message, remedy) = mistake(text);
        let all = format!("{message} {remedy}");
        assert!(parts.iter().all(|part| all.contains(part)), "{text}: {all}");
    }
}

#[test]
fn deep_expressions_are_refused_and_long_ones_work() {
    let sum = |terms: usize| vec!["\"Dep\""; terms].join(" + ");
    assert_eq!(evaluate(&sum(90)).1, ["90", "180", "270"]);
    for text in [sum(4_000), format!("{}1{}", "(".repeat(9_000), ")".repeat(9_000))] {
        let (message, remedy) = mistake(&text);
        assert!(message.contains("nested more than"), "{}", &message[..100]);
        assert!(remedy.contains("split"));
    }
    mistake(&("NOT ".repeat(8_000) + "true"));
    assert!(mistake(&" ".repeat(1 << 20)).0.contains("more than 32768 bytes"));
    let list = (0..5_000).map(|i| i.to_string()).collect::<Vec<_>>().join(", ");
    assert_eq!(evaluate(&format!("\"Dep\" IN ({list})")).1, ["true"; 3]);
}

#[test]
fn nothing_depends_on_the_other_rows() {
    let rows = 1_000;
    let (expression, _) = Expression::compile("100 / distance", &COLUMNS).unwrap();
    let values: ArrayRef = Arc::new((0..rows).map(|i| Some(i % 7)).collect::<Int64Array>());
    let Evaluated { values: quotients, bad, .. } = expression.evaluate(vec![values], rows as usize).unwrap();
    assert_eq!(bad.len() as i64, (rows + 6) / 7);
    assert!(bad.is_sorted_by_key(|bad| bad.row) && bad.iter().all(|bad| bad.row % 7 == 0));
    let quotients = quotients.as_primitive::<arrow::datatypes::Int64Type>();
    for row in 0..rows {
        let expected = (row % 7 != 0).then(|| 100 / (row % 7));
        assert_eq!(quotients.iter().nth(row as usize).unwrap(), expected, "{row}");
    }
}

/// An expression over `name` and `n`, of rows with the same values.
fn evaluate_rows(text: &str, name: &str, n: &[i64]) -> Evaluated {
    let columns = [("name", ColumnType::Text), ("n", INT64)];
    let (expression, used) = Expression::compile(text, &columns).unwrap();
    let names = StringArray::from_iter_values(std::iter::repeat_n(name, n.len()));
    let all: [ArrayRef; 2] = [Arc::new(names), Arc::new(Int64Array::from(n.to_vec()))];
    let inputs = used.into_iter().map(|i| all[i].clone()).collect();
    expression.evaluate(inputs, n.len()).unwrap()
}

#[test]
fn no_length_in_the_data_takes_all_memory() {
    let long = "a".repeat(100_000);
    for (text, name) in [
        ("repeat(name, n)", "x"),
        ("lpad(name, n)", "x"),
        ("rpad(name, n)", "x"),
        ("lpad(name, n, name)", "ä"),
        ("rpad('x', n, 'yz')", "x"),
        ("repeat(name, n) || repeat(name, n)", "x"),
        ("length(repeat(name, n))", "x"),
        ("upper(CASE WHEN n > 5 THEN repeat(name, n) ELSE name END)", "x"),
        ("replace(name, CASE WHEN n > 5 THEN 'a' ELSE name END, name)", &long),
        ("regexp_replace(name, 'a', CASE WHEN n > 5 THEN name ELSE '' END, 'g')", &long),
    ] {
        let Evaluated { values, bad, stopped_at } = evaluate_rows(text, name, &[2, 2_000_000_000, 3]);
        assert_eq!(stopped_at, None, "{text}");
        assert_eq!(bad.iter().map(|bad| bad.row).collect::<Vec<_>>(), [1], "{text}");
        assert!(bad[0].cause.contains("more than 64 MiB"), "{text}: {}", bad[0].cause);
        assert_eq!([0, 1, 2].map(|row| values.is_null(row)), [false, true, false], "{text}");
    }
}

#[test]
fn many_rows_are_evaluated_a_few_at_a_time() {
    // Together 100 MB, of which nothing is kept.
    for text in ["length(repeat(name, n))", "length(repeat('x', 1000000) || CAST(n AS VARCHAR)) - 1"] {
        let Evaluated { values, bad, stopped_at } = evaluate_rows(text, "x", &[1_000_000; 100]);
        assert_eq!((bad, stopped_at), (vec![], None), "{text}");
        let lengths = arrow::compute::cast(&values, &DataType::Int64).unwrap();
        let expected = if text.ends_with("- 1") { 1_000_006 } else { 1_000_000 };
        assert!(
            lengths.as_primitive::<arrow::datatypes::Int64Type>().values().iter().all(|&n| n == expected)
        );
    }
}

#[test]
fn values_that_fill_the_memory_stop_the_evaluation() {
    for text in ["repeat(name, n)", "repeat('x', 1000000)", "repeat('x', 1000000) || name"] {
        let Evaluated { values, bad, stopped_at } = evaluate_rows(text, "x", &[1_000_000; 100]);
        assert_eq!(values.len(), 100, "{text}");
        assert_eq!(bad, [], "{text}");
        let stopped = stopped_at.unwrap_or_else(|| panic!("{text}"));
        assert!(stopped.row <= 67 && stopped.cause.contains("64 MiB"), "{text}: {stopped:?}");
    }
    let too_long = evaluate_rows("repeat('x', 2000000000)", "x", &[1, 2]);
    assert_eq!(too_long.bad.iter().map(|bad| bad.row).collect::<Vec<_>>(), [0, 1]);
}

#[test]
fn a_panic_of_the_library_is_the_matter_of_its_row() {
    let (mut expression, _) = Expression::compile("\"Dep\"", &COLUMNS).unwrap();
    expression.expr = Arc::new(PanicsAt { value: 3 });
    let values: ArrayRef = Arc::new(Int64Array::from_iter_values(0..8));
    let Evaluated { values, bad, .. } = expression.evaluate(vec![values], 8).unwrap();
    assert_eq!(bad, [BadRow { row: 3, cause: "DataFusion failed: no 3 please".into() }]);
    assert_eq!(values.null_count(), 1);
    assert_eq!(values.as_primitive::<arrow::datatypes::Int64Type>().value(7), 7);
}

/// Gives the first column, and panics where it has this value.
#[derive(Debug, PartialEq, Eq, Hash)]
struct PanicsAt {
    value: i64,
}

impl std::fmt::Display for PanicsAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("panics")
    }
}

impl PhysicalExpr for PanicsAt {
    fn data_type(&self, _schema: &arrow::datatypes::Schema) -> datafusion_common::Result<DataType> {
        Ok(DataType::Int64)
    }

    fn nullable(&self, _schema: &arrow::datatypes::Schema) -> datafusion_common::Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> datafusion_common::Result<datafusion_expr::ColumnarValue> {
        let values = batch.column(0).as_primitive::<arrow::datatypes::Int64Type>();
        assert!(!values.values().contains(&self.value), "no {} please", self.value);
        Ok(datafusion_expr::ColumnarValue::Array(batch.column(0).clone()))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        Vec::new()
    }

    fn with_new_children(
        self: Arc<Self>,
        _children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> datafusion_common::Result<Arc<dyn PhysicalExpr>> {
        Ok(self)
    }

    fn fmt_sql(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("panics")
    }
}
