#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use super::*;
use crate::parse::{CountedRecords, InvalidBytes, Terminator, Trim};

#[test]
fn dialects_go_both_ways() {
    let plain = Dialect::default();
    for dialect in [
        plain.clone(),
        Dialect { delimiter: '\t'.into(), quote: None, header: false, skip_records: 2, ..plain.clone() },
        Dialect { escape: Escape::Byte(b'\\'), terminator: Terminator::Any, ..plain.clone() },
        Dialect { quote: Some(b'\''), terminator: Terminator::Cr, comment: Some(b'#'), ..plain.clone() },
        Dialect {
            stray_quotes: StrayQuotes::Keep,
            unescaped_quotes: true,
            max_field_bytes: 7,
            max_record_bytes: 9,
            ..plain.clone()
        },
        Dialect { delimiter: '¦'.into(), terminator: Terminator::Byte(0x1e), ..plain.clone() },
        Dialect { quote: None, escape: Escape::Byte(b'\\'), trim: Trim::Both, ..plain.clone() },
        Dialect { header_rows: 2, header_join: ".".into(), skip_records_after_header: 1, ..plain.clone() },
        Dialect { skip_initial_space: true, invalid_bytes: InvalidBytes::Replace, ..plain.clone() },
        Dialect {
            max_fields: 5,
            footer_records: 2,
            trailer_count: Some(TrailerCount {
                field: 2,
                marker: Some("TRL".into()),
                counts: CountedRecords::All,
            }),
            ..plain.clone()
        },
    ] {
        assert_eq!(DialectSpec::from_dialect(&dialect).resolve(), Ok(dialect));
    }
    let text = serde_json::to_string(&DialectSpec::from_dialect(&plain)).unwrap();
    assert_eq!(text, r#"{"delimiter":","}"#);
}

#[test]
fn dialects_that_cannot_work_are_refused() {
    for (json, key) in [
        (r#"{"delimiter": ""}"#, "delimiter"),
        (r#"{"delimiter": "\n"}"#, "delimiter"),
        (r#"{"delimiter": "|||||"}"#, "delimiter"),
        (r#"{"delimiter": "|\""}"#, "quoteChar"),
        (r#"{"delimiter": "|\\", "quoteChar": "", "escapeChar": "\\"}"#, "escapeChar"),
        (r#"{"lineTerminator": ","}"#, "lineTerminator"),
        (r#"{"quoteChar": "\t", "trim": "left"}"#, "quoteChar"),
        (r#"{"escapeChar": " ", "skipInitialSpace": true}"#, "escapeChar"),
        (r#"{"header": false, "headerRows": 1}"#, "headerRows"),
        (r#"{"headerRows": 0}"#, "headerRows"),
        (r#"{"footerRecords": 101}"#, "footerRecords"),
        (r#"{"footerRecords": 0, "trailerCount": {"field": 1}}"#, "footerRecords"),
        (r#"{"trailerCount": {"field": 0}}"#, "trailerCount"),
        (r#"{"maxFields": 0}"#, "maxFields"),
        (r#"{"doubleQuote": false}"#, "doubleQuote"),
        (r#"{"doubleQuote": true, "escapeChar": "\\"}"#, "escapeChar"),
        (r#"{"commentChar": "\""}"#, "commentChar"),
        (r#"{"lineTerminator": "x"}"#, "lineTerminator"),
        (r#"{"maxFieldBytes": 0}"#, "maxFieldBytes"),
    ] {
        let spec: DialectSpec = serde_json::from_str(json).unwrap();
        assert_eq!(spec.resolve().map_err(|p| p.key.to_string()), Err(key.to_string()), "{json}");
    }
    let spec: DialectSpec = serde_json::from_str(r#"{"escapeChar": "\"", "doubleQuote": true}"#).unwrap();
    assert_eq!(spec.resolve(), Ok(Dialect::default()));
}
