use super::*;
use crate::job::DialectSpec;
use crate::parse::{Escape, Terminator};

fn sample(text: &str) -> Vec<Sample> {
    vec![Sample { url: "file:///a.csv".into(), text: text.into(), whole: true }]
}

fn dialect_of(text: &str) -> Dialect {
    infer_dialect(&sample(text), &DialectSpec::default(), &Dialect::default(), true)
}

/// The types of the columns, as schema files spell them.
fn types_of(text: &str) -> Vec<String> {
    let (schema, _) = infer_schema(&sample(text), &dialect_of(text)).unwrap();
    schema.columns.iter().map(|column| column.column_type.to_string()).collect()
}

#[test]
fn delimiters_are_told_apart() {
    for (text, expected) in [
        ("a,b\n1,2\n", ','),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ';'),
        ("a\tb\tc\n1\t2\t3\n", '\t'),
        ("a|b\nx, y|z\nx|y, z\n", '|'),
        ("\"a;b\",c\n\"d;e\",f\n", ','),
        ("one\ntwo\n", ','),
        ("", ','),
    ] {
        assert_eq!(dialect_of(text).delimiter, expected.into(), "{text:?}");
    }
}

#[test]
fn terminator_and_escape() {
    assert_eq!(dialect_of("a,b\r1,2\r").terminator, Terminator::Cr);
    assert_eq!(dialect_of("a,b\r\n1,2\r\n").terminator, Terminator::Lf);
    assert_eq!(dialect_of("a,b\n\"x\\\"y\",2\n").escape, Escape::Byte(b'\\'));
    assert_eq!(dialect_of("a,b\n\"x\"\"y\",2\n").escape, Escape::Doubled);
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
    ] {
        assert_eq!(dialect_of(text).header, expected, "{text:?}");
    }
}

/// The head that the dialect is judged by may be cut inside quotes.
#[test]
fn data_is_not_taken_for_a_header_where_the_sample_is_cut() {
    for shift in 1..=8 {
        let text = "1".repeat(shift) + ";x\n" + &"1;\"a\nb\"\n".repeat(20_000);
        let samples = [Sample { url: "file:///a.csv".into(), text: text.into_bytes(), whole: true }];
        let dialect = infer_dialect(&samples, &DialectSpec::default(), &Dialect::default(), true);
        assert_eq!((dialect.delimiter, dialect.header), (';'.into(), false), "{shift}");
    }
}

#[test]
fn types_follow_the_values() {
    for (values, expected) in [
        (["1", "-2", ""], "int64"),
        (["1", "2.5", "NA"], "float64"),
        (["007", "008", ""], "string"),
        (["0", "10", ""], "int64"),
        (["+41791234567", "1", ""], "string"),
        (["12345678901234567890", "1", ""], "string"),
        (["true", "FALSE", ""], "boolean"),
        (["2013-01-31", "2013-02-28", ""], "date"),
        (["2013-01-31 05:00:00", "2013-01-31T05:00:00.5", ""], "timestamp(us)"),
        (["2013-01-31T05:00:00Z", "2013-01-31 05:00:00+02:00", ""], "timestamp(us,UTC)"),
        (["2013-01-31 05:00:00", "2013-01-31T05:00:00Z", ""], "string"),
        (["05:00", "23:59:59.25", ""], "time"),
        (["", "", ""], "string"),
        (["nan", "inf", ""], "string"),
        (["123456789.123456789012345", "1", ""], "string"),
        (["0.000000000123456", "1e3", ""], "float64"),
        (["x", "1", "NA"], "string"),
    ] {
        let text = format!("k,v\nx,{}\nx,{}\nx,{}\n", values[0], values[1], values[2]);
        assert_eq!(types_of(&text)[1], expected, "{values:?}");
    }
}

#[test]
fn columns_are_known_by_name_over_inputs() {
    let mut samples = sample("a,b\n1,x\n");
    samples.extend(sample("b,a\nz,3\n"));
    let (schema, _) = infer_schema(&samples, &Dialect::default()).unwrap();
    let types: Vec<_> = schema.columns.iter().map(|c| (c.name.as_str(), c.column_type.to_string())).collect();
    assert_eq!(types, [("a", "int64".to_owned()), ("b", "string".to_owned())]);
}

#[test]
fn null_tokens_are_kept_where_they_were_seen() {
    let (schema, notes) = infer_schema(&sample("n,t,e\n1,NA,\nNA,x,\n"), &Dialect::default()).unwrap();
    assert_eq!(schema.columns[0].rules.null_tokens, ["", "NA"]);
    assert_eq!(schema.columns[1].rules.null_tokens, [""]);
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("\"e\""));
}

#[test]
fn a_cut_off_sample_does_not_invent_a_short_record() {
    let mut text = String::from("a,b\n");
    for n in 0..20_000 {
        text.push_str(&format!("{n},x{n}\n"));
    }
    text.truncate(text.len() - 4);
    let samples = vec![Sample { url: "file:///a.csv".into(), text: text.into_bytes(), whole: false }];
    let (schema, _) = infer_schema(&samples, &Dialect::default()).unwrap();
    assert_eq!(schema.columns.len(), 2);
}
