#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use super::*;
use crate::error::nearest;
use crate::spanned::KeyPath;
use proptest::prelude::*;

const TOML: &str = "\
title = 'é'  # two bytes
[server]
  port = 0x10
  tags = [\"a\",
    \"b\"]
[[server.disk]]
size = 1.5
since = 2024-01-02
";

const JSON: &str = "\
{ \"title\": \"é\", \"server\": {
    \"port\": 16,
    \"tags\": [\"a\",
      \"b\"],
    \"disk\": [ { \"size\": 1.5, \"since\": \"2024-01-02\" } ] } }
";

#[test]
fn both_languages_give_the_same_values_and_know_their_places() {
    let toml = Document::parse(TOML, DocumentFormat::Toml, "a.toml").unwrap();
    let json = Document::parse(JSON, DocumentFormat::Json, "a.json").unwrap();
    assert_eq!(toml.root.to_json(), json.root.to_json());
    for (key, in_toml, in_json) in [
        ("title", "1:1", "1:3"),
        ("server", "2:2", "1:17"),
        ("server.port", "3:3", "2:5"),
        ("server.tags[1]", "5:5", "4:7"),
        ("server.disk[0].size", "7:1", "5:17"),
        ("server.disk[0].nothing.there", "6:1", "5:15"),
        ("server.tags[7]", "4:3", "3:5"),
    ] {
        for (document, expected) in [(&toml, in_toml), (&json, in_json)] {
            let file = &document.file;
            let place = document.place(&key.parse().unwrap());
            assert_eq!(place.to_string(), format!("{file}:{expected}: {key}"));
        }
    }
}

#[test]
fn columns_count_characters() {
    let json = Document::parse("{\"é\": 1, \"b\": 2}", DocumentFormat::Json, "a.json").unwrap();
    assert_eq!(json.place(&"b".into()).column, Some(10));
}

#[test]
fn syntax_errors_have_a_place() {
    for (format, text, expected) in [
        (DocumentFormat::Toml, "a = 1\nb = \n", "f:2:5: the value is missing"),
        (DocumentFormat::Toml, "a = 1\na = 2\n", "f:2:1: duplicate key"),
        (
            DocumentFormat::Toml,
            "a = 99999999999999999999",
            "f:1:5: the integer 99999999999999999999 does not fit in 64 bits",
        ),
        (DocumentFormat::Json, "{\n \"a\": 1,\n}", "f:3:1: trailing comma"),
        (DocumentFormat::Json, "{\"a\": 1, \"a\": 2}", "f:1:10: duplicate key `a`"),
        (DocumentFormat::Json, "", "f:1:1: EOF while parsing a value"),
    ] {
        let problems = Document::parse(text, format, "f").unwrap_err();
        assert_eq!(problems.into_error("f").to_string(), expected, "{text:?}");
    }
}

#[test]
fn paths_read_what_they_write() {
    for (text, steps) in [("a", 1), ("a.b[0].c", 4), ("a[0][1]", 3), ("a.\"b.c\".d", 3)] {
        let path: KeyPath = text.parse().unwrap();
        assert_eq!((path.to_string().as_str(), path.steps().len()), (text, steps));
    }
    for bad in ["", "a.", ".a", "a[", "a[x]", "a[0]b", "\"a", "[0]"] {
        assert!(bad.parse::<KeyPath>().is_err(), "{bad}");
    }
}

#[test]
fn set_makes_what_is_missing_and_refuses_what_is_in_the_way() {
    let mut document = Document::parse("a = 1\nlist = [{x = 1}]\n", DocumentFormat::Toml, "f").unwrap();
    let mut set = |key: &str, value: &str| {
        let path: KeyPath = key.parse().unwrap();
        document.root.set(&path, parse_set_value(value)).map_err(|problem| problem.to_string())
    };
    assert_eq!(set("new.deep.key", "[1, 2]"), Ok(()));
    assert_eq!(set("list[0].x", "plain text"), Ok(()));
    assert_eq!(set("list[1].x", "true"), Ok(()));
    assert_eq!(set("list[7].x", "1"), Err("list: there is no element [7]: the array has 2".into()));
    assert_eq!(set("a.b", "1"), Err("a: this is not a table, so it has no key `b`".into()));
    assert_eq!(set("a[0]", "1"), Err("a: this is not an array, so it has no element [0]".into()));
    let expected = serde_json::json!({
        "a": 1, "list": [{ "x": "plain text" }, { "x": true }], "new": { "deep": { "key": [1, 2] } },
    });
    assert_eq!(document.root.to_json(), expected);
    assert_eq!(document.place(&"new".into()).to_string(), "--set: new");
}

#[test]
fn nearest_is_near() {
    let known = ["compression", "mode", "missingValues"];
    for (word, expected) in [
        ("compresion", Some("compression")),
        ("missing_values", Some("missingValues")),
        ("moed", Some("mode")),
        ("zzz", None),
        ("", None),
    ] {
        assert_eq!(nearest(word, known), expected, "{word}");
    }
}

proptest! {
    /// Whatever the bytes, parsing ends in a document or an error with a place.
    #[test]
    fn no_text_panics(text in "[\\[\\]{}\":,= \n\r\\\\a1.\u{e9}-]{0,40}") {
        for format in [DocumentFormat::Toml, DocumentFormat::Json] {
            if let Err(problems) = Document::parse(&text, format, "f") {
                prop_assert!(problems.0.iter().all(|p| p.place.as_ref().is_some_and(|p| p.line.is_some())));
            }
        }
        let _ = parse_set_value(&text);
        let _ = text.parse::<KeyPath>();
    }

    /// The walk for places gives the values that serde_json gives.
    #[test]
    fn the_json_walk_keeps_values(
        values in prop::collection::vec(("[a-z\"\\\\\u{e9}]{0,4}", any::<i64>(), any::<f64>(), any::<bool>()), 0..5)
    ) {
        let values: Vec<_> = values.iter().map(|(text, i, f, b)| serde_json::json!({ "t": text, "v": [i, f, b, null] })).collect();
        let text = serde_json::to_string_pretty(&values).unwrap();
        let parsed = Document::parse(&text, DocumentFormat::Json, "f").unwrap();
        prop_assert_eq!(parsed.root.to_json(), serde_json::from_str::<serde_json::Value>(&text).unwrap());
    }
}
