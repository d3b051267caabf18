use super::*;
use crate::parse::scan::{FieldForm, FieldSpan};
use crate::parse::{Escape, Scanner, Terminator};
use crate::rows::Binding;
use crate::schema::Column;
use crate::spec::{ColumnPolicies, ErrorsSpec, RecordPolicy};
use crate::value::nulls::NullTokens;
use crate::value::{BinaryForm, TextRules};
use arrow::array::*;
use arrow::datatypes::{DataType, TimeUnit};
use proptest::prelude::*;

fn column(name: &str, column_type: ColumnType) -> Column {
    let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<String>>();
    let rules = TextRules {
        null_tokens: strings(&["", "NULL"]),
        true_tokens: strings(&["true"]),
        false_tokens: strings(&["false"]),
        binary_form: BinaryForm::Hex,
        ..TextRules::default()
    };
    Column { rules, ..Column::new(name, column_type) }
}

fn schema(columns: Vec<Column>) -> Schema {
    Schema::new(columns)
}

const INT: ColumnType = ColumnType::Int { bits: 32 };

/// The index of a comma-separated block, by a splitter just good enough: LF
/// ends records, quotes double, and nothing is checked.
fn index(block: &[u8]) -> RecordIndex {
    let mut index = RecordIndex::default();
    let mut at = 0;
    let mut lines = 0;
    while at < block.len() {
        index.record_starts.push(at as u32);
        index.record_lines.push(lines);
        loop {
            let quoted = block.get(at) == Some(&b'"');
            let mut form = if quoted { FieldForm::Quoted } else { FieldForm::Bare };
            at += usize::from(quoted);
            let start = at;
            let end = loop {
                match (block.get(at), block.get(at + 1)) {
                    (Some(b'"'), Some(b'"')) if quoted => {
                        form = FieldForm::Escaped;
                        at += 2;
                    }
                    (Some(b'"'), _) if quoted => {
                        at += 1;
                        break at - 1;
                    }
                    (Some(b',' | b'\n') | None, _) if !quoted => break at,
                    (None, _) => break at,
                    (Some(byte), _) => {
                        lines += u32::from(*byte == b'\n');
                        at += 1;
                    }
                }
            };
            index.fields.push(FieldSpan { start: start as u32, end: end as u32, form });
            at += 1;
            if block.get(at - 1) != Some(&b',') {
                break;
            }
        }
        lines += 1;
        index.record_ends.push(index.fields.len() as u32);
        index.record_stops.push(at as u32);
    }
    index
}

/// Rows by these rules; the first `skip` records are headers.
fn build_with(
    errors: &ErrorsSpec,
    columns: Vec<Column>,
    block: &[u8],
    skip: usize,
) -> Result<Built, Box<Fault>> {
    let schema = schema(columns);
    let binding =
        Binding::by_position(&schema, schema.columns.len(), &[], ColumnPolicies::default()).expect("binds");
    let policies = Policies::of(errors, schema.columns.iter().map(|column| column.name.as_str()));
    let index = index(block);
    let data = DataRecords { range: skip..index.len(), broken: &[] };
    BatchBuilder::new(&schema, &Grammar::default(), &binding, policies).build(block, &index, &data)
}

/// Rows where everything bad fails.
fn build(columns: Vec<Column>, block: &[u8], skip: usize) -> Result<RecordBatch, Box<Fault>> {
    build_with(&ErrorsSpec::default(), columns, block, skip).map(|built| built.rows.batch)
}

/// The array that a block of one column gives.
fn array(column_type: ColumnType, block: &str) -> ArrayRef {
    let batch = build(vec![column("a", column_type)], block.as_bytes(), 0).expect("converts");
    batch.column(0).clone()
}

#[test]
fn every_type_gives_its_array() {
    let same = |column_type, block, expected: &dyn Array| {
        assert_eq!(&*array(column_type, block), expected, "{column_type}");
        assert_eq!(expected.data_type(), &column_type.arrow());
    };
    let timestamp = |unit, utc| ColumnType::Timestamp { unit, utc };
    same(
        ColumnType::Boolean,
        "true\nNULL\nfalse\n",
        &BooleanArray::from(vec![Some(true), None, Some(false)]),
    );
    same(ColumnType::Int { bits: 8 }, "-1\n", &Int8Array::from(vec![-1]));
    same(ColumnType::Int { bits: 16 }, "-1\n", &Int16Array::from(vec![-1]));
    same(INT, "1\nNULL\n-3\n", &Int32Array::from(vec![Some(1), None, Some(-3)]));
    same(ColumnType::Int { bits: 64 }, "-1\n", &Int64Array::from(vec![-1]));
    same(ColumnType::UInt { bits: 8 }, "1\n", &UInt8Array::from(vec![1]));
    same(ColumnType::UInt { bits: 16 }, "1\n", &UInt16Array::from(vec![1]));
    same(ColumnType::UInt { bits: 32 }, "1\n", &UInt32Array::from(vec![1]));
    same(ColumnType::UInt { bits: 64 }, "1\n", &UInt64Array::from(vec![1]));
    same(ColumnType::Float32, "1.5\n", &Float32Array::from(vec![1.5]));
    same(ColumnType::Float64, "1e3\nNULL\n", &Float64Array::from(vec![Some(1000.0), None]));
    let decimals = Decimal128Array::from(vec![123]).with_precision_and_scale(5, 2).expect("fits");
    same(ColumnType::Decimal { precision: 5, scale: 2 }, "1.23\n", &decimals);
    same(ColumnType::Date, "1970-01-02\n", &Date32Array::from(vec![1]));
    same(ColumnType::Time, "00:00:01\n", &Time64MicrosecondArray::from(vec![1_000_000]));
    let second = "1970-01-01T00:00:01\n";
    same(timestamp(TimeUnit::Second, false), second, &TimestampSecondArray::from(vec![1]));
    let millis = TimestampMillisecondArray::from(vec![1000]).with_timezone("UTC");
    same(timestamp(TimeUnit::Millisecond, true), second, &millis);
    same(timestamp(TimeUnit::Microsecond, false), second, &TimestampMicrosecondArray::from(vec![1_000_000]));
    same(
        timestamp(TimeUnit::Nanosecond, false),
        second,
        &TimestampNanosecondArray::from(vec![1_000_000_000]),
    );
    let texts = StringArray::from(vec![Some("é"), Some(""), None, Some("NULL")]);
    same(ColumnType::Text, "é\n\"\"\nNULL\n\"NULL\"\n", &texts);
    same(ColumnType::Binary, "00ff\nNULL\n", &BinaryArray::from(vec![Some(&[0u8, 255][..]), None]));
}

#[test]
fn rules_of_the_column_are_followed() {
    let mut german = column("a", ColumnType::Decimal { precision: 9, scale: 2 });
    german.rules.decimal_mark = b',';
    german.rules.group_mark = Some(b'.');
    let batch = build(vec![german], b"\"1.234,5\"\n", 0).expect("converts");
    assert_eq!(batch.column(0).as_primitive::<types::Decimal128Type>().value(0), 123_450);

    let mut dated = column("a", ColumnType::Date);
    dated.rules.formats = vec!["%d.%m.%Y".into()];
    let batch = build(vec![dated], b"02.01.1970\n", 0).expect("converts");
    assert_eq!(batch.column(0).as_primitive::<types::Date32Type>().value(0), 1);
}

#[test]
fn escapes_are_resolved_before_anything_else() {
    let texts = array(ColumnType::Text, "\"say \"\"hi\"\"\"\nplain\n");
    assert_eq!(&*texts, &StringArray::from(vec!["say \"hi\"", "plain"]) as &dyn Array);
    let error = build(vec![column("a", INT)], b"\"1\"\"2\"\n", 0).expect_err("no integer");
    let expected = "int32".to_owned();
    assert_eq!(error.problem, InputProblem::Value { value: "1\"2".into(), expected, detail: None });
}

#[test]
fn nulls_are_unquoted_tokens() {
    let nulls = |null_tokens: &[&str], quoted_nulls| {
        let mut rules = column("a", ColumnType::Text).rules;
        rules.null_tokens = null_tokens.iter().map(|token| (*token).to_owned()).collect();
        rules.quoted_nulls = quoted_nulls;
        NullTokens::new(&rules)
    };
    for (tokens, quoted_nulls, field, quoted, expected) in [
        (&["", "NA"][..], false, "", false, true),
        (&["", "NA"], false, "", true, false),
        (&["", "NA"], false, "NA", false, true),
        (&["", "NA"], false, "NA", true, false),
        (&["", "NA"], true, "NA", true, true),
        (&["", "NA"], true, "", true, true),
        (&["", "NA"], false, "na", false, false),
        (&["", "NA"], false, "NAN", false, false),
        (&["NA"], false, "", false, false),
        (&[], false, "", false, false),
    ] {
        let found = nulls(tokens, quoted_nulls).is_null(field.as_bytes(), quoted);
        assert_eq!(found, expected, "{field:?}, quoted {quoted}, of {tokens:?}");
    }
}

/// Quoting is off, and a backslash escapes.
#[test]
fn nulls_are_told_from_their_escaped_texts() {
    let grammar = Grammar { quote: None, escape: Escape::Byte(b'\\'), ..Grammar::default() };
    let mut text = column("a", ColumnType::Text);
    text.rules.null_tokens = vec!["\\N".into()];
    let schema = Schema::new(vec![text, column("b", ColumnType::Text)]);
    let binding = Binding::by_position(&schema, 2, &[], ColumnPolicies::default()).expect("as many columns");
    let (block, mut index) = (b"\\N,1\n\\\\N,2\nx\\,,3\n\\N\\,,4\n,5\n", RecordIndex::default());
    Scanner::new(&grammar).scan(block, &mut index).expect("well formed");
    let policies = Policies::of(&ErrorsSpec::default(), ["a", "b"]);
    let data = DataRecords { range: 0..index.len(), broken: &[] };
    let built = BatchBuilder::new(&schema, &grammar, &binding, policies).build(block, &index, &data);
    let batch = built.expect("all values are text").rows.batch;
    let values: Vec<_> = batch.column(0).as_string::<i32>().iter().collect();
    assert_eq!(values, [None, Some("\\N"), Some("x,"), Some("\\N,"), Some("")]);
}

#[test]
fn headers_are_skipped_whatever_they_look_like() {
    let block = b"title\na,b\n1,2\n3,4\n";
    let batch = build(vec![column("a", INT), column("b", INT)], block, 2).expect("converts");
    assert_eq!(batch.column(1).as_primitive::<types::Int32Type>().values(), &[2, 4]);
    let batch = build(vec![column("a", INT), column("b", INT)], block, 9).expect("nothing to convert");
    assert_eq!((batch.num_rows(), batch.num_columns()), (0, 2));
}

#[test]
fn errors_have_their_place() {
    let text_and_int = || vec![column("t", ColumnType::Text), column("i", INT)];
    let value =
        |value: &str, detail| InputProblem::Value { value: value.into(), expected: "int32".into(), detail };
    let utf8 = |bytes: &str| InputProblem::InvalidEncoding { bytes: bytes.into(), encoding: "UTF-8".into() };
    let at = |record, column: Option<&str>, byte_offset, line, problem| Fault {
        record,
        column: column.map(str::to_owned),
        problem,
        policy: ValuePolicy::Fail,
        origin: Origin::Text { byte_offset, line },
    };
    let out_of_range = value("99999999999", Some("out of range"));
    let rows: [(&[u8], usize, Fault); 8] = [
        (b"a,1\nb,x\nc,y\n", 0, at(1, Some("i"), 6, 1, value("x", None))),
        (b"h,h\na,99999999999\n", 1, at(1, Some("i"), 6, 1, out_of_range)),
        (b"\"a\n\nb\",\"x\"\n", 0, at(0, Some("i"), 8, 2, value("x", None))),
        (b"a,1\nb\nc,x\n", 0, at(1, None, 4, 1, InputProblem::Ragged { found: 1, expected: 2 })),
        (b"a,x\nb\n", 0, at(0, Some("i"), 2, 0, value("x", None))),
        (b"a,1\nb\0,2\nc\xff,x\n", 0, at(1, Some("t"), 4, 1, InputProblem::NulByte)),
        (b"a,1\nb\xff\xfe,2\n", 0, at(1, Some("t"), 4, 1, utf8("ff"))),
        // Two halves of a character in two fields make no character.
        (b"\xc3,1\n\xa9,2\n", 0, at(0, Some("t"), 0, 0, utf8("c3"))),
    ];
    for (block, skip, expected) in rows {
        assert_eq!(
            build(text_and_int(), block, skip).err(),
            Some(Box::new(expected)),
            "{}",
            block.escape_ascii()
        );
    }
}

#[test]
fn the_first_bad_record_wins_whatever_the_column() {
    let columns = || vec![column("a", INT), column("b", INT), column("c", INT)];
    for (block, record, first_bad) in [
        ("1,1,1\n1,1,x\nx,1,1\n", 1, Some("c")),
        ("1,1,1\n1,x,x\n", 1, Some("b")),
        ("x,x,x\n1\n", 0, Some("a")),
        ("1\nx,x,x\n", 0, None),
    ] {
        let error = build(columns(), block.as_bytes(), 0).expect_err("does not fit");
        assert_eq!((error.record, error.column.as_deref()), (record, first_bad), "{block:?}");
    }
}

#[test]
fn policies_reject_null_pad_and_truncate() {
    let mut required = column("a", INT);
    required.nullable = false;
    let columns = || vec![required.clone(), column("b", INT), column("c", ColumnType::Text)];
    let block = b"1,2,x\nx,y,x\n,2,x\n4,y,x\n5\n6,6,6,6\n7,7,\xff\n8,8,x\n";
    let ints = |built: &Built, column: usize| {
        let array = built.rows.batch.column(column).as_primitive::<types::Int32Type>();
        array.iter().collect::<Vec<_>>()
    };
    let faults = |built: &Built| {
        built
            .faults
            .iter()
            .map(|fault| (fault.record, fault.column.clone(), fault.problem.rule()))
            .collect::<Vec<_>>()
    };

    let reject = ErrorsSpec {
        bad_value: ValuePolicy::Reject,
        bad_record: RecordPolicy::Reject,
        ..ErrorsSpec::default()
    };
    let built = build_with(&reject, columns(), block, 0).expect("nothing fails");
    assert_eq!(built.rows.records, [0, 7]);
    assert_eq!(ints(&built, 0), [Some(1), Some(8)]);
    let [a, b, c] = ["a", "b", "c"].map(|name| Some(name.to_owned()));
    let expected = [
        (1, a.clone(), "type"),
        (2, a.clone(), "required"),
        (3, b.clone(), "type"),
        (4, None, "ragged"),
        (5, None, "ragged"),
        (6, c, "encoding"),
    ];
    assert_eq!(faults(&built), expected);
    let y = block.iter().rposition(|byte| *byte == b'y').expect("a bad value");
    assert_eq!(built.faults[2].origin, Origin::Text { byte_offset: y, line: 3 });

    let lenient = ErrorsSpec {
        bad_value: ValuePolicy::Null,
        short_record: Some(ShortRecord::Pad),
        long_record: Some(LongRecord::Truncate),
        ..ErrorsSpec::default()
    };
    let built = build_with(&lenient, columns(), block, 0).expect("nothing fails");
    assert_eq!(built.rows.records, [0, 3, 4, 5, 6, 7], "a required column takes no null");
    assert_eq!(ints(&built, 1), [Some(2), None, None, Some(6), Some(7), Some(8)]);
    assert_eq!(built.rows.batch.column(2).null_count(), 2, "a missing field and a text that is not UTF-8");
    assert_eq!((&built.nulled[..], built.padded, built.truncated), (&[0, 1, 1][..], 1, 1));
    assert_eq!(faults(&built), [(1, a.clone(), "type"), (2, a, "required")]);

    let mixed = ErrorsSpec { columns: [("b".to_owned(), ValuePolicy::Fail)].into(), ..reject };
    let fault = build_with(&mixed, columns(), block, 0).expect_err("column b fails");
    assert_eq!((fault.record, fault.column), (1, b));
}

#[test]
fn required_columns_refuse_nulls() {
    let mut required = column("a", ColumnType::Text);
    required.nullable = false;
    let batch = build(vec![required.clone()], b"x\n\"\"\n", 0).expect("no nulls");
    assert!(!batch.schema().field(0).is_nullable());
    let error = build(vec![required], b"x\nNULL\n", 0).expect_err("a null");
    assert_eq!((error.record, error.problem), (1, InputProblem::RequiredNull));
}

#[test]
fn messages_are_short_and_name_the_formats() {
    let mut dated = column("a", ColumnType::Date);
    dated.rules.formats = vec!["%d.%m.%Y".into(), "%Y".into()];
    let error = build(vec![dated], "é".repeat(1000).as_bytes(), 0).expect_err("no date");
    let expected = r#"date in one of the formats "%d.%m.%Y", "%Y""#.into();
    assert_eq!(error.problem, InputProblem::Value { value: "é".repeat(100) + "…", expected, detail: None });
}

#[test]
fn lines_count_as_the_terminator_has_it() {
    let text = b"a\r\nb\nc\rd";
    let counts = [Terminator::Lf, Terminator::Cr, Terminator::Any].map(|kind| kind.count_lines(text));
    assert_eq!(counts, [2, 2, 3]);
}

#[test]
fn a_column_that_the_input_lacks_is_null() {
    let schema = schema(vec![column("a", INT), column("b", ColumnType::Text)]);
    let block = b"1\n2\n";
    let binding =
        Binding { fields_per_record: 1, field_of_column: vec![Some(0), None], empty_fields: Vec::new() };
    let policies = Policies::of(&ErrorsSpec::default(), ["a", "b"]);
    let builder = BatchBuilder::new(&schema, &Grammar::default(), &binding, policies);
    let built = builder.build(block, &index(block), &DataRecords { range: 0..2, broken: &[] });
    let batch = built.expect("the records fit").rows.batch;
    assert_eq!((batch.num_rows(), batch.column(0).null_count(), batch.column(1).null_count()), (2, 0, 2));
}

#[test]
fn the_schema_has_output_names() {
    let mut renamed = column("in", ColumnType::Date);
    renamed.name = "out".into();
    let schema = arrow_schema(&schema(vec![renamed]));
    assert_eq!(schema.fields()[0].as_ref(), &Field::new("out", DataType::Date32, true));
}

proptest! {
    #[test]
    fn any_block_gives_a_batch_or_a_place_in_it(block in proptest::collection::vec(
        prop_oneof![Just(b','), Just(b'\n'), b'0'..=b'9', any::<u8>().prop_filter("escapes", |byte| *byte != b'"')],
        0..60,
    )) {
        let columns = vec![column("a", INT), column("b", ColumnType::Text)];
        match build(columns, &block, 0) {
            Ok(batch) => prop_assert_eq!(batch.num_rows(), index(&block).record_ends.len()),
            Err(error) => {
                let Origin::Text { byte_offset, line } = error.origin else { panic!("of the text") };
                prop_assert!(byte_offset <= block.len());
                prop_assert_eq!(line, Terminator::Lf.count_lines(&block[..byte_offset]));
            }
        }
    }
}
