//! The scanner against its reference and against the `csv` crate.

use super::generate::{grammars, texts};
use super::reference::{self, Field, Parsed, Record};
use super::*;
use proptest::prelude::*;

/// What the scanner makes of a text, in the reference's terms.
fn scanned(grammar: &Grammar, tolerant: bool, text: &[u8], index: &mut RecordIndex) -> Parsed {
    let (scanner, mut faults) = (Scanner::new(grammar), Vec::new());
    let scan = match tolerant {
        true => scanner.scan_tolerant(text, index, &mut faults),
        false => scanner.scan(text, index),
    };
    let mut scratch = b"left over".to_vec();
    let mut field = |span: &FieldSpan| {
        let value = field_value(grammar, text, span, &mut scratch).to_vec();
        let null_text = null_text(text, span, &value).to_vec();
        Field { value, null_text, quoted: span.form.is_quoted(), raw: 0..0 }
    };
    let records = (0..index.len())
        .map(|record| Record {
            fields: index.record(record).iter().map(&mut field).collect(),
            byte_offset: index.record_starts[record] as usize,
            lines_before: index.record_lines[record] as usize,
            records_before: record,
        })
        .collect();
    assert_eq!(index.fields.len(), index.record_ends.last().map_or(0, |&end| end as usize));
    assert_eq!(index.record_stops.len(), index.len());
    Parsed { records, error: scan.err(), faults }
}

/// The same of the reference; spans do not say where a raw field is.
fn referred(grammar: &Grammar, tolerant: bool, text: &[u8]) -> Parsed {
    let parse = if tolerant { reference::parse_tolerant } else { reference::parse };
    let mut parsed = parse(grammar, text);
    for field in parsed.records.iter_mut().flat_map(|record| &mut record.fields) {
        field.raw = 0..0;
    }
    parsed
}

/// What the `csv` crate makes of a text.
fn by_csv(grammar: &Grammar, text: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true);
    builder.delimiter(grammar.delimiter.single().expect("csv knows no others"));
    builder.terminator(match grammar.terminator {
        Terminator::Any => csv::Terminator::CRLF,
        Terminator::Lf => csv::Terminator::Any(b'\n'),
        Terminator::Cr => csv::Terminator::Any(b'\r'),
        Terminator::Byte(byte) => csv::Terminator::Any(byte),
    });
    match grammar.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    if let Some(escape) = grammar.escape_byte() {
        builder.escape(Some(escape)).double_quote(false);
    }
    let records = builder.from_reader(text).into_byte_records();
    records.map(|record| record.expect("flexible").iter().map(<[u8]>::to_vec).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn scanner_agrees_with_the_reference(
        grammar in grammars(),
        tolerant in any::<bool>(),
        text in texts(),
    ) {
        let found = scanned(&grammar, tolerant, &text, &mut RecordIndex::default());
        prop_assert_eq!(found, referred(&grammar, tolerant, &text));
    }

    #[test]
    fn scanner_leaves_nothing_of_the_block_before(
        grammar in grammars(),
        (first, second) in (texts(), texts()),
    ) {
        let mut index = RecordIndex::default();
        scanned(&grammar, false, &first, &mut index);
        prop_assert_eq!(scanned(&grammar, false, &second, &mut index), referred(&grammar, false, &second));
    }

    /// Tolerance changes no record, and notes those that strictness refuses.
    #[test]
    fn tolerant_scans_read_what_keep_reads(grammar in grammars(), text in texts()) {
        let (max_field_bytes, max_fields) = (u64::MAX, u64::MAX);
        let keep =
            Grammar { stray_quotes: StrayQuotes::Keep, max_field_bytes, max_fields, ..grammar };
        let mut index = RecordIndex::default();
        let kept = scanned(&keep, false, &text, &mut RecordIndex::default());
        let tolerated = scanned(&grammar, true, &text, &mut index);
        prop_assert_eq!(&tolerated.records, &kept.records);
        prop_assert_eq!(tolerated.error, kept.error);
        let mut refused = Vec::new();
        for record in 0..index.len() {
            let (start, stop) = (index.record_starts[record] as usize, index.record_stops[record] as usize);
            let alone = scanned(&grammar, false, &text[start..stop], &mut RecordIndex::default());
            let placed = |error: ScanError| ScanError {
                offset: start + error.offset,
                record,
                line: grammar.terminator.count_lines(&text[..start + error.offset]),
                ..error
            };
            refused.extend(alone.error.map(placed));
        }
        prop_assert_eq!(tolerated.faults, refused);
    }

    /// Where every quote is escaped, quotes that need not be change nothing.
    #[test]
    fn escaped_quotes_mean_the_same_where_they_need_not_be(grammar in grammars(), text in texts()) {
        let escaped = Grammar { unescaped_quotes: false, stray_quotes: StrayQuotes::Error, ..grammar };
        let parsed = scanned(&escaped, false, &text, &mut RecordIndex::default());
        if parsed.error.is_none() {
            let mode = Grammar { unescaped_quotes: true, ..escaped };
            prop_assert_eq!(scanned(&mode, false, &text, &mut RecordIndex::default()), parsed);
        }
    }

    /// Any values come back that are put between quotes as they are, but for
    /// those that hold what would close the field or be an escape.
    #[test]
    fn unescaped_quotes_are_read_as_written(
        delimiter in prop::sample::select(vec![",", "||", "é"]),
        end in prop::sample::select(vec!["\n", "\r\n"]),
        records in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(
                prop::sample::select(vec!["a", "\"", ",", "|", "é", "\n", "\r", " ", "\" ", "\"b"]), 0..12), 1..4), 1..6),
    ) {
        let value = |parts: &Vec<&str>| {
            let mut value = parts.concat();
            for closing in ["\"\"", "\"\n", "\"\r", format!("\"{delimiter}").as_str()] {
                while value.contains(closing) {
                    value = value.replace(closing, "\"b");
                }
            }
            value.trim_end_matches('"').to_owned()
        };
        let records: Vec<Vec<String>> =
            records.iter().map(|fields| fields.iter().map(value).collect()).collect();
        let line = |fields: &Vec<String>| {
            let quoted = fields.iter().map(|value| format!("\"{value}\""));
            quoted.collect::<Vec<_>>().join(delimiter) + end
        };
        let text = records.iter().map(line).collect::<String>();
        let delimiter = Delimiter::new(delimiter).expect("short");
        let grammar = Grammar { delimiter, unescaped_quotes: true, ..Grammar::default() };
        let found = scanned(&grammar, false, text.as_bytes(), &mut RecordIndex::default());
        prop_assert_eq!(found.error, None);
        let values = |record: &Record| -> Vec<String> {
            record.fields.iter().map(|field| String::from_utf8_lossy(&field.value).into_owned()).collect()
        };
        prop_assert_eq!(found.records.iter().map(values).collect::<Vec<_>>(), records);
    }

    /// Differences on purpose, all left out here: `csv` ends an unterminated
    /// quote silently, keeps the CR of a CRLF when the terminator is a lone LF,
    /// knows no limits, ends comments at LF only, trims values, not fields, and
    /// drops an escape before any byte.
    #[test]
    fn reference_agrees_with_the_csv_crate(grammar in grammars(), mut text in texts()) {
        let stray_quotes = StrayQuotes::Keep;
        let grammar = Grammar {
            stray_quotes,
            delimiter: grammar.delimiter.single().map_or(','.into(), |_| grammar.delimiter),
            escape: grammar.bare_escape().map_or(grammar.escape, |_| Escape::Doubled),
            terminator: grammar.terminator,
            quote: grammar.quote,
            ..Grammar::default()
        };
        text.retain(|&byte| grammar.terminator != Terminator::Lf || byte != b'\r');
        if let Some(escape) = grammar.escape_byte() {
            let idle = |text: &[u8]| {
                text.windows(2).position(|pair| pair[0] == escape && ![grammar.quote, Some(escape)].contains(&Some(pair[1])))
            };
            while let Some(at) = idle(&text) {
                text.remove(at);
            }
        }
        let parsed = reference::parse(&grammar, &text);
        if parsed.error.is_some() {
            return Ok(());
        }
        let values = |record: Record| record.fields.into_iter().map(|field| field.value).collect::<Vec<_>>();
        let records = parsed.records.into_iter().map(values).collect::<Vec<_>>();
        prop_assert_eq!(records, by_csv(&grammar, &text));
    }

    #[test]
    fn no_bytes_panic_under_any_dialect(
        grammar in grammars(),
        bytes in prop::array::uniform4(prop::sample::select(b"\r\n\",#\0 ".to_vec())),
        quoting in any::<bool>(),
        text in prop_oneof![texts(), prop::collection::vec(any::<u8>(), 0..300)],
    ) {
        let [delimiter, quote, escape, comment] = bytes;
        let escape = Escape::Byte(escape);
        let degenerate = Grammar {
            delimiter: char::from(delimiter).into(),
            quote: quoting.then_some(quote),
            escape,
            comment: Some(comment),
            ..grammar
        };
        for tolerant in [false, true] {
            referred(&degenerate, tolerant, &text);
            scanned(&degenerate, tolerant, &text, &mut RecordIndex::default());
        }
    }

    #[test]
    fn unescape_takes_any_bytes(grammar in grammars(), raw in texts()) {
        let mut value = Vec::new();
        unescape(&grammar, &raw, &mut value);
        prop_assert!(value.len() <= raw.len());
    }
}
