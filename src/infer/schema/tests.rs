use super::*;
use crate::error::wording::by_flags;
use crate::infer::{Inferred, Known, infer_dialect, note_lines};
use crate::parse::{Escape, Terminator};
use crate::spec::DialectSpec;

fn sample(text: &str) -> Vec<Sample> {
    vec![Sample { url: "file:///a.csv".into(), text: text.into(), whole: true, ..Sample::default() }]
}

/// What is found where the job says `given`.
pub(in crate::infer) fn inferred(
    samples: &[Sample],
    given: &DialectSpec,
    infer_header: bool,
) -> Result<(Dialect, Vec<String>)> {
    let resolved = given.resolve().map_err(|problem| problem.into_error("test")).unwrap();
    infer_dialect(samples, &Known { given, resolved: &resolved, names: &[], infer_header })
}

fn dialect_of(text: &str) -> Dialect {
    inferred(&sample(text), &DialectSpec::default(), true).unwrap().0
}

#[test]
fn delimiters_are_told_apart() {
    for (text, expected) in [
        ("a,b\n1,2\n", b','),
        ("a;b\n1,5;2,5\n3,5;4,5\n", b';'),
        ("1,5;2,5\n3,5;4,5\n", b';'),
        ("a\tb\tc\n1\t2\t3\n", b'\t'),
        ("a|b\nx, y|z\nx|y, z\n", b'|'),
        ("Doe, John;5\nRoe, Jane;6\n", b';'),
        ("2013-01-31 05:00:00,123|x|y\n2013-01-31 05:00:01,456|x|y\n", b'|'),
        ("a^b\n1^2\n", b'^'),
        ("a~b\n1~2\n", b'~'),
        ("a\x1fb\n1\x1f2\n", 0x1f),
        ("x|y,1\nz|w,2\n", b','),
        ("\"a;b\",c\n\"d;e\",f\n", b','),
        ("one\ntwo\n", b','),
        ("one ~ two\nthree\nfour\nfive\n", b','),
        ("", b','),
    ] {
        assert_eq!(dialect_of(text).grammar.delimiter, char::from(expected).into(), "{text:?}");
    }
}

#[test]
fn terminators_are_what_ends_lines() {
    for (text, expected) in [
        ("a,b\r1,2\r", Terminator::Cr),
        ("a,b\r\n1,2\r\n", Terminator::Lf),
        ("a,b\r1,2\n3,4\r\n5,6\r", Terminator::Any),
        ("a,b\n\"x\ry\",2\n\"z\",3\n", Terminator::Lf),
        ("a,b\nx\ry,2\nz,3\n", Terminator::Lf),
        // Of one column both read the same; then the records are those that LF makes.
        ("text\nx\ry\nz\n", Terminator::Lf),
        ("a,b\r\r\n1,2\r\r\n", Terminator::Lf),
    ] {
        assert_eq!(dialect_of(text).grammar.terminator, expected, "{text:?}");
    }
}

#[test]
fn quotes_and_escapes_are_those_that_enclose() {
    for (text, quote, escape) in [
        ("a,b\n\"x\\\"y\",2\n", Some(b'"'), Escape::Byte(b'\\')),
        ("a\n\"x\\\"y\"\n", Some(b'"'), Escape::Byte(b'\\')),
        ("a,b\n\"x\\\",y\",2\n", Some(b'"'), Escape::Byte(b'\\')),
        ("a,b\n\"x\"\"y\",2\n", Some(b'"'), Escape::Doubled),
        ("a,b\n\"x\\\",2\n", Some(b'"'), Escape::Doubled),
        ("a,b\n'x,y',2\n'z',3\n", Some(b'\''), Escape::Doubled),
        ("a,b\nO'Brien,2\nit's,3\n", Some(b'"'), Escape::Doubled),
        ("a,b\n'tis,2\n'twas,3\n", Some(b'"'), Escape::Doubled),
        ("a,b\n\"x 'y'\",2\n", Some(b'"'), Escape::Doubled),
        ("a,b\n5\" pipe,2\n6\" pipe,3\n", None, Escape::Doubled),
        ("a,b\n\"x,2\ny,3\n", Some(b'"'), Escape::Doubled),
        // One broken record does not take the quotes from the others.
        ("a,b\n\"x\",2\n6\" pipe,3\n", Some(b'"'), Escape::Doubled),
    ] {
        let dialect = dialect_of(text);
        assert_eq!((dialect.grammar.quote, dialect.grammar.escape), (quote, escape), "{text:?}");
    }
}

#[test]
fn what_stands_above_the_data_is_skipped() {
    for (text, skip, comment, header) in [
        ("Report 2024\n\nid,name\n1,x\n2,y\n", 1, None, true),
        ("Report\nfor March\nid;name\n1;x\n2;y\n", 2, None, true),
        ("Report,,\n,,\nid,name,n\n1,x,2\n2,y,3\n", 2, None, true),
        ("# made by hand\nid,name\n1,x\n# and here\n2,y\n", 0, Some(b'#'), true),
        ("#id,name\n1,x\n2,y\n", 0, None, true),
        ("id,name\n#1,x\n#2,y\n", 0, None, true),
        ("1,x\n2,y\n", 0, None, false),
        ("one\ntwo\n", 0, None, true),
    ] {
        let found = dialect_of(text);
        assert_eq!(
            (found.framing.skip_records, found.grammar.comment, found.framing.header),
            (skip, comment, header),
            "{text:?}"
        );
    }
}

#[test]
fn a_job_says_itself_what_is_no_data() {
    for text in ["Report\nid,name\n# x\n1,x\n2,y\n", "a,b\n5\" pipe,2\n", "a,b\n'x,y',2\n'z',3\n"] {
        let (dialect, _) = inferred(&sample(text), &DialectSpec::default(), false).unwrap();
        assert_eq!(dialect, Dialect::default(), "{text:?}");
    }
}

#[test]
fn preambles_that_differ_are_said() {
    let mut samples = sample("Report\nid,name\n1,x\n2,y\n");
    samples.extend(sample("id,name\n1,x\n2,y\n"));
    let (dialect, notes) = inferred(&samples, &DialectSpec::default(), true).unwrap();
    assert_eq!(dialect.framing.skip_records, 0);
    assert!(notes[0].contains("differ in number"), "{notes:?}");
}

#[test]
fn headers_are_names_only() {
    for (text, expected) in [
        ("id,name\n1,x\n", true),
        ("1,x\n2,y\n", false),
        ("a,a\nx,y\n", true),
        (",a\n0,y\n", true),
        (",\nx,y\n", false),
        ("2013-01-01,x\n", false),
        ("country,2019,2020\nx,1.5,2.5\n", false),
        ("name,2nd\n1,2\n3,4\n", true),
        ("no. 1,5%\n1,2\n3,4\n", true),
        ("1,unknown\n2,5\n3,6\n", false),
    ] {
        assert_eq!(dialect_of(text).framing.header, expected, "{text:?}");
    }
}

/// The head that the dialect is judged by may be cut inside quotes.
#[test]
fn data_is_not_taken_for_a_header_where_the_sample_is_cut() {
    for shift in 1..=8 {
        let text = "1".repeat(shift) + ";x\n" + &"1;\"a\nb\"\n".repeat(20_000);
        let samples = [Sample {
            url: "file:///a.csv".into(),
            text: text.into_bytes(),
            whole: true,
            ..Sample::default()
        }];
        let (dialect, _) = inferred(&samples, &DialectSpec::default(), true).unwrap();
        assert_eq!((dialect.grammar.delimiter, dialect.framing.header), (';'.into(), false), "{shift}");
    }
}

/// What is found of a column of these values: its type and, in a schema file,
/// the keys that say how it is read.
fn column_of(values: &[&str]) -> (String, String) {
    let quoted = |value: &&str| format!("x,\"{}\"\n", value.replace('"', "\"\""));
    let bare = |value: &&str| format!("x,{value}\n");
    let any_comma = values.iter().any(|value| value.contains(','));
    let lines: String = values.iter().map(|v| if any_comma { quoted(v) } else { bare(v) }).collect();
    let Inferred { schema, .. } =
        infer_schema(&sample(&format!("k,v\n{lines}")), &Dialect::default(), &[]).unwrap();
    let found = schema.columns[1].column_type.to_string();
    let file = serde_json::to_value(schema.to_table_schema()).unwrap();
    let mut keys = file["fields"][1].as_object().unwrap().clone();
    keys.retain(|key, _| !["name", "type", "quotedNulls", "missingValues"].contains(&key.as_str()));
    (found, serde_json::Value::Object(keys).to_string())
}

#[test]
fn types_follow_the_values() {
    for (values, expected) in [
        (&["1", "-2", ""][..], "int64"),
        (&["1", "2.5", "NA"], "float64"),
        // With a fraction, whatever the digits are.
        (&["1.50", "-2.25", ""], "float64"),
        (&["1.50", "NaN"], "float64"),
        (&["1.5", "2.0"], "float64"),
        (&["1.25", "2.75"], "float64"),
        (&["1.50", "2.5"], "float64"),
        (&["1", "nan", "-"], "int64"),
        (&["1", "inf"], "float64"),
        (&["5.", ".5"], "float64"),
        (&["12345678901234567.25", "1.00"], "decimal(38,2)"),
        (&["0.30000000000000004", "1"], "float64"),
        (&["007", "008"], "string"),
        (&["0", "10"], "int64"),
        (&["+41791234567", "1"], "string"),
        (&["12345678901234567890", "1"], "string"),
        (&["123456789.123456789012345", "1"], "decimal(38,15)"),
        (&["0.000000000123456", "1e3"], "float64"),
        (&["1.50", "12345678901234567.25"], "decimal(38,2)"),
        // Codes may look like exponents; floats have a point or a sign in theirs.
        (&["12E4", "1234"], "string"),
        (&["32E0134", "1.5"], "string"),
        (&["1e5", "2e5"], "string"),
        (&["1e5", "2e+5"], "float64"),
        (&["1e-7", "12"], "float64"),
        (&["0", "1"], "int64"),
        (&["2013-01-31", "2013-02-28"], "date"),
        (&["20130131", "20130228"], "int64"),
        (&["2013-01-31 05:00:00", "2013-01-31T05:00:00.5"], "timestamp(us)"),
        (&["2013-01-31 05:00:00.123456789"], "timestamp(ns)"),
        (&["2013-01-31 05:00:00.1234567", "2262-04-11 23:47:16"], "timestamp(ns)"),
        // Nanoseconds do not reach so far, and microseconds are enough for zeros.
        (&["2013-01-31 05:00:00.1234567", "9999-12-31 00:00:00"], "string"),
        (&["0001-01-01 00:00:00.0000000", "2013-01-31 05:00:00.1234560"], "timestamp(us)"),
        (&["0001-01-01 00:00:00Z", "2013-01-31 05:00:00.1234567Z"], "string"),
        (&["9999-12-31 00:00:00.1234567"], "string"),
        (&["2013-01-31 05:00:00.1234567891"], "string"),
        (&["2013-01-31T05:00:00Z", "2013-01-31 05:00:00+02:00"], "timestamp(us,UTC)"),
        (&["2013-01-31 05:00:00", "2013-01-31T05:00:00Z"], "string"),
        (&["2013-01-31", "2013-01-31 05:00:00"], "string"),
        (&["2013-02-31"], "string"),
        (&["05:00", "23:59:59.25"], "time"),
        (&["", ""], "string"),
        (&["nan", "inf"], "string"),
        (&["x", "1", "NA"], "string"),
        (&["Y", "Y"], "string"),
        (&["Y", "maybe", "N"], "string"),
        (&["1,234", "5,678"], "string"),
        (&["1,234", "12"], "string"),
        (&["01/02/2013", "03/04/2013"], "string"),
        (&["31/01/2013", "01/31/2013"], "string"),
        (&["1/2/13", "1/3/13"], "string"),
    ] {
        assert_eq!(column_of(values), (expected.to_owned(), "{}".to_owned()), "{values:?}");
    }
}

#[test]
fn how_values_are_read_is_said() {
    for (values, expected, keys) in [
        (&["Y", "N", ""][..], "boolean", r#"{"trueValues":["Y"],"falseValues":["N"]}"#),
        (
            &["true", "FALSE"],
            "boolean",
            r#"{"trueValues":["true","True","TRUE"],"falseValues":["false","False","FALSE"]}"#,
        ),
        (&["t", "f"], "boolean", r#"{"trueValues":["t"],"falseValues":["f"]}"#),
        (&["yes", "No"], "boolean", r#"{"trueValues":["yes","Yes"],"falseValues":["no","No"]}"#),
        (&["31/01/2013", "01/02/2013"], "date", r#"{"format":"%d/%m/%Y"}"#),
        (&["1/31/2013", "01/02/2013"], "date", r#"{"format":"%m/%d/%Y"}"#),
        (&["31.01.2013", "1.2.2013"], "date", r#"{"format":"%d.%m.%Y"}"#),
        (&["2013/01/31"], "date", r#"{"format":"%Y/%m/%d"}"#),
        (&["31-Jan-2013"], "date", r#"{"format":"%d-%b-%Y"}"#),
        (&["2013-01-31", "31.01.2013"], "date", r#"{"formats":["%Y-%m-%d","%d.%m.%Y"]}"#),
        (&["31.01.2013 05:00"], "timestamp(us)", r#"{"format":"%d.%m.%Y %H:%M"}"#),
        (&["31/01/2013 05:00:00.25"], "timestamp(us)", r#"{"format":"%d/%m/%Y %H:%M:%S%.f"}"#),
        (&["1/31/2013 5:00:00 PM"], "timestamp(us)", r#"{"format":"%m/%d/%Y %I:%M:%S %p"}"#),
        (&["31.01.2013 05:00:00+02:00"], "timestamp(us,UTC)", r#"{"format":"%d.%m.%Y %H:%M:%S%#z"}"#),
        (&["1,5", "2,25"], "float64", r#"{"decimalChar":","}"#),
        (&["1,50", "2,25"], "float64", r#"{"decimalChar":","}"#),
        (&["1.234,56", "2.000,10"], "float64", r#"{"decimalChar":",","groupChar":"."}"#),
        (&["1 234,56", "2,10"], "float64", r#"{"decimalChar":",","groupChar":" "}"#),
        (&["1,234.50", "2.25"], "float64", r#"{"groupChar":","}"#),
        (&["12.345.678.901.234.567,25", "1,00"], "decimal(38,2)", r#"{"decimalChar":",","groupChar":"."}"#),
        (&["1,234,567", "12"], "int64", r#"{"groupChar":","}"#),
        (&["1'234", "12"], "int64", r#"{"groupChar":"'"}"#),
        (&["1 234", "12"], "int64", r#"{"groupChar":" "}"#),
        (&["1.234.567", "12"], "int64", r#"{"decimalChar":",","groupChar":"."}"#),
    ] {
        assert_eq!(column_of(values), (expected.to_owned(), keys.to_owned()), "{values:?}");
    }
}

#[test]
fn what_may_be_read_in_two_ways_is_said() {
    for (values, says) in [
        ("01/02/2013\n03/04/2013\n", "whether day or month comes first"),
        ("31/01/2013\n01/31/2013\n", "the month in others"),
        ("\"1,234\"\n\"5,678\"\n", "thousands or a fraction"),
        ("20130131\n20130228\n", "look like dates"),
        ("12E4\n1234\n", "as codes are"),
        ("2013-01-31 05:00:00.1234567\n9999-12-31 00:00:00\n", "no unit of time"),
        ("x\nNULL\n", "\"NULL\" (first record 2, line 3 of file:///a.csv) looks like a null"),
        ("NA\n\"\"\n", "--null NA"),
    ] {
        let notes = note_lines(
            &infer_schema(&sample(&format!("v\n{values}")), &Dialect::default(), &[]).unwrap().notes,
        );
        assert!(matches!(&notes[..], [note] if note.contains(says)), "{values:?} {notes:?}");
    }
    let notes = note_lines(&infer_schema(&sample("v,w\n,1\n"), &Dialect::default(), &[]).unwrap().notes);
    assert!(matches!(&notes[..], [note] if note.contains("\"v\": no field of it has a value")), "{notes:?}");
}

#[test]
fn a_type_that_changes_from_file_to_file_is_said_with_its_place() {
    let one = Sample { url: "file:///1.csv".into(), ..sample("n,t\n1,x\n2,y\n").remove(0) };
    let two = Sample { url: "file:///2.csv".into(), ..sample("n,t\n3,\"x\ny\"\n4.5,z\n").remove(0) };
    let three = Sample { url: "file:///3.csv".into(), ..sample("n,t\nabc,z\n").remove(0) };
    let Inferred { schema, notes, .. } = infer_schema(&[one, two, three], &Dialect::default(), &[]).unwrap();
    let notes = note_lines(&notes).iter().map(|note| by_flags(note)).collect::<Vec<_>>();
    assert_eq!(schema.columns[0].column_type.to_string(), "string");
    assert_eq!(
        notes,
        [
            "column \"n\" is int64 in file:///1.csv, but \"4.5\" in file:///2.csv, record 2, line 4, makes it float64",
            "column \"n\" is float64 in file:///1.csv, but \"abc\" in file:///3.csv, record 1, line 2, makes it string",
            "column \"n\": \"abc\" (record 1, line 2 of file:///3.csv) makes it string; the other 4 values are float64: \
             for a total or another footer, --footer-records 1; for a null, --null abc",
        ]
    );
}

#[test]
fn columns_are_known_by_name_over_inputs() {
    let mut samples = sample("a,b\n1,x\n");
    samples.extend(sample("b,a\nz,3\n"));
    let Inferred { schema, .. } = infer_schema(&samples, &Dialect::default(), &[]).unwrap();
    let types: Vec<_> = schema.columns.iter().map(|c| (c.name.as_str(), c.column_type.to_string())).collect();
    assert_eq!(types, [("a", "int64".to_owned()), ("b", "string".to_owned())]);
}

#[test]
fn null_tokens_are_kept_where_they_were_seen() {
    let Inferred { schema, notes, .. } =
        infer_schema(&sample("n,t,e\n1,NA,\nNA,x,\n"), &Dialect::default(), &[]).unwrap();
    let notes = note_lines(&notes).iter().map(|note| by_flags(note)).collect::<Vec<_>>();
    assert_eq!(schema.columns[0].rules.null_tokens, ["", "NA"]);
    assert_eq!(schema.columns[1].rules.null_tokens, [""]);
    assert_eq!(
        notes,
        [
            "column \"n\": \"NA\" (first record 2, line 3 of file:///a.csv) is read as null; \
             --type n=string keeps text",
            "column \"t\": \"NA\" (first record 1, line 2 of file:///a.csv) looks like a null, but may be text; \
             for nulls, --null NA",
            "column \"e\": no field of it has a value in what was read, so its type is string",
        ]
    );
}

/// What a person would want to know, with its place and what decides otherwise.
#[test]
fn what_makes_text_of_a_column_is_said() {
    for (values, says) in [
        (
            "1\n2\nn.a.\n4\nn.a.\n6\n",
            "\"n.a.\" (record 3, line 4 of file:///a.csv, 2 times) makes it string; the other 4 values are int64: for nulls, --null n.a.; otherwise --type v=int64 --on-bad-value reject",
        ),
        (
            "kg\n1\n2\n3.5\n",
            "\"kg\" (record 1, line 2 of file:///a.csv) makes it string; the other 3 values are float64: for a line of units or a second header, --header-rows 2",
        ),
        ("1\n2\nTotal\n", "a total or another footer, --footer-records 1"),
        ("1\nv\n2\n3\n", "it is the name of the column: a header among the data"),
        ("1\n2\n\u{feff}3\n4\n", "a byte order mark in the middle of a file"),
        (
            "1\n 2\n3 \n",
            "spaces or tabs surround values, such as \" 2\" record 2, line 3 of file:///a.csv, which makes them string; without them it is int64: --trim both",
        ),
        ("2024-01-31\n2024-02-01\nsoon\n2024-02-03\n", "the other 3 values are date"),
        (
            "Y\nN\n",
            "\"Y\" and \"N\" are read as true and false (first record 1, line 2 of file:///a.csv); --type v=string",
        ),
        (
            "1.5\n2e-3\n",
            "\"2e-3\" (record 2, line 3 of file:///a.csv) is read as a number with an exponent; --type v=string",
        ),
        (
            "1\n-\nnone\n",
            "\"-\" (first record 2, line 3 of file:///a.csv), \"none\" (first record 3, line 4 of file:///a.csv) are read as null",
        ),
        (
            "9223372036854775808\n2\n3\n",
            "the other 2 values are int64: as a number of more digits than an integer has, --type 'v=decimal(38,0)'",
        ),
        // None of it where there is nothing to say.
        ("a\nb\nc\nd\n1\n", ""),
        ("true\nfalse\n", ""),
        ("1.5\nNaN\n", ""),
        ("a\n b\n", ""),
        ("x\n 5\n", ""),
        ("\"\"\n\"\"\n", ""),
    ] {
        let found = infer_schema(&sample(&format!("v\n{values}")), &Dialect::default(), &[]).unwrap();
        let notes = note_lines(&found.notes).iter().map(|note| by_flags(note)).collect::<Vec<_>>();
        match says {
            "" => assert_eq!(notes, [""; 0], "{values:?}"),
            _ => assert!(matches!(&notes[..], [note] if note.contains(says)), "{values:?} {notes:#?}"),
        }
    }
}

#[test]
fn a_cut_off_sample_does_not_invent_a_short_record() {
    let mut text = String::from("a,b\n");
    for n in 0..20_000 {
        text.push_str(&format!("{n},x{n}\n"));
    }
    text.truncate(text.len() - 4);
    let samples = vec![Sample {
        url: "file:///a.csv".into(),
        text: text.into_bytes(),
        whole: false,
        ..Sample::default()
    }];
    let Inferred { schema, .. } = infer_schema(&samples, &Dialect::default(), &[]).unwrap();
    assert_eq!(schema.columns.len(), 2);
}
