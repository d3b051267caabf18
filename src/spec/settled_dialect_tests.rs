#![allow(clippy::unwrap_used, reason = "a failed test may panic")]

use super::*;
use crate::parse::Trim;
use crate::spec::CountedRecords;

#[test]
fn dialects_go_both_ways() {
    let (plain, framing) = (Grammar::default(), Framing::default());
    let framed = |framing| Dialect { framing, ..Dialect::default() };
    for dialect in [
        Dialect::default(),
        Dialect {
            grammar: Grammar { delimiter: '\t'.into(), quote: None, ..plain },
            ..framed(Framing { header: false, skip_records: 2, ..framing.clone() })
        },
        Grammar { escape: Escape::Byte(b'\\'), terminator: Terminator::Any, ..plain }.into(),
        Grammar { quote: Some(b'\''), terminator: Terminator::Cr, comment: Some(b'#'), ..plain }.into(),
        Grammar {
            stray_quotes: StrayQuotes::Keep,
            unescaped_quotes: true,
            max_field_bytes: 7,
            max_record_bytes: 9,
            ..plain
        }
        .into(),
        Grammar { delimiter: '¦'.into(), terminator: Terminator::Byte(0x1e), ..plain }.into(),
        Grammar { quote: None, escape: Escape::Byte(b'\\'), trim: Trim::Both, ..plain }.into(),
        framed(Framing {
            header_rows: 2,
            header_join: ".".into(),
            skip_records_after_header: 1,
            ..framing.clone()
        }),
        Dialect {
            invalid_bytes: InvalidBytes::Replace,
            ..Grammar { skip_initial_space: true, ..plain }.into()
        },
        Dialect {
            grammar: Grammar { max_fields: 5, ..plain },
            ..framed(Framing {
                footer_records: 2,
                trailer_count: Some(TrailerCount {
                    field: 2,
                    marker: Some("TRL".into()),
                    counts: CountedRecords::All,
                }),
                ..framing.clone()
            })
        },
    ] {
        assert_eq!(DialectSpec::from_dialect(&dialect).resolve(), Ok(dialect));
    }
    let text = serde_json::to_string(&DialectSpec::from_dialect(&Dialect::default())).unwrap();
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
