//! Any bytes under any grammar: scanner, reference and block cutter read the
//! same records, and the `csv` crate too where it knows the grammar.
//!
//! The first bytes of the input choose the grammar, the rest is the text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sawmill::parse::ScanProblem::{FieldTooLarge, RecordTooLarge, TooManyFields};
use sawmill::parse::reference::{self, Parsed};
use sawmill::parse::{
    Delimiter, Escape, Grammar, RecordIndex, Scanner, StrayQuotes, Terminator, Trim, field_value,
};
use sawmill::spec::Dialect;
use sawmill::split::blocks::BlockCutter;

/// Values of fields of records.
type Records = Vec<Vec<Vec<u8>>>;

const CHOICES: usize = 8;

fuzz_target!(|input: &[u8]| {
    let Some((choices, text)) = input.split_first_chunk::<CHOICES>() else { return };
    let grammar = grammar(choices);
    for tolerant in [false, true] {
        let parse = if tolerant { reference::parse_tolerant } else { reference::parse };
        let expected = parse(&grammar, text);
        check_scanner(&grammar, tolerant, text, &expected);
        for block_bytes in [1, 7, 64, 1 << 20] {
            check_cutter(&grammar, tolerant, text, &expected, block_bytes);
        }
    }
    check_csv(&grammar, text);
});

fn grammar(choices: &[u8; CHOICES]) -> Grammar {
    const DELIMITERS: [&str; 8] = [",", "\t", ";", "||", "\u{1f}", "¦", "aba", " ,"];
    const TERMINATORS: [Terminator; 4] =
        [Terminator::Lf, Terminator::Cr, Terminator::Any, Terminator::Byte(0x1e)];
    let [delimiter, quote, escape, terminator, flags, fields, field_bytes, record_bytes] = *choices;
    let limit = |byte: u8| if byte < 64 { u64::from(byte) } else { u64::MAX };
    let flag = |bit: u8| flags >> bit & 1 == 1;
    Grammar {
        delimiter: Delimiter::new(DELIMITERS[delimiter as usize % DELIMITERS.len()]).expect("short"),
        quote: [Some(b'"'), Some(b'\''), None][quote as usize % 3],
        escape: [Escape::Doubled, Escape::Byte(b'\\')][escape as usize % 2],
        terminator: TERMINATORS[terminator as usize % TERMINATORS.len()],
        stray_quotes: if flag(0) { StrayQuotes::Keep } else { StrayQuotes::Error },
        comment: flag(1).then_some(b'#'),
        trim: [Trim::None, Trim::Left, Trim::Right, Trim::Both][flags as usize >> 2 & 3],
        skip_initial_space: flag(4),
        unescaped_quotes: flag(5),
        max_fields: limit(fields),
        max_field_bytes: limit(field_bytes),
        max_record_bytes: limit(record_bytes),
        guessed_comment_fields: None,
    }
}

/// The values in an index, and the offsets of its records.
fn values(grammar: &Grammar, text: &[u8], index: &RecordIndex) -> Records {
    let mut scratch = Vec::new();
    let mut value = |span| field_value(grammar, text, span, &mut scratch).to_vec();
    (0..index.len()).map(|record| index.record(record).iter().map(&mut value).collect()).collect()
}

fn values_of(parsed: &Parsed) -> Records {
    let record = |record: &reference::Record| record.fields.iter().map(|field| field.value.clone()).collect();
    parsed.records.iter().map(record).collect()
}

fn check_scanner(grammar: &Grammar, tolerant: bool, text: &[u8], expected: &Parsed) {
    let (scanner, mut index, mut faults) = (Scanner::new(grammar), RecordIndex::default(), Vec::new());
    let error = match tolerant {
        true => scanner.scan_tolerant(text, &mut index, &mut faults).err(),
        false => scanner.scan(text, &mut index).err(),
    };
    assert_eq!(error, expected.error);
    assert_eq!(faults, expected.faults);
    assert_eq!(values(grammar, text, &index), values_of(expected));
    for (at, record) in expected.records.iter().enumerate() {
        assert_eq!(index.record_starts[at] as usize, record.byte_offset);
        assert_eq!(index.record_lines[at] as usize, record.lines_before);
        assert_eq!(index.record_stops[at] as usize, record.fields.last().expect("one").raw.end);
    }
}

fn check_cutter(grammar: &Grammar, tolerant: bool, text: &[u8], expected: &Parsed, block_bytes: usize) {
    let (mut blocks, mut records) = (Vec::new(), Vec::new());
    let mut cutter = BlockCutter::new(&Dialect::from(*grammar), block_bytes).tolerant(tolerant);
    let pushed = text.chunks(13).try_for_each(|piece| cutter.push(piece, &mut Vec::new, &mut blocks));
    let mut error = pushed
        .and_then(|()| cutter.finish(&mut Vec::new, &mut blocks))
        .err()
        .map(|error| (error.records_before, error.byte_offset, error.problem));
    let (scanner, mut index, mut faults) = (Scanner::new(grammar), RecordIndex::default(), Vec::new());
    for block in &blocks {
        if let Some(unclosed) = &block.unclosed {
            let wrong = unclosed.scanned(block, &mut index);
            error = Some((block.records_before, block.byte_offset + wrong.offset as u64, wrong.problem));
            break;
        }
        let scanned = match tolerant {
            true => scanner.scan_tolerant(&block.bytes, &mut index, &mut faults),
            false => scanner.scan(&block.bytes, &mut index),
        };
        records.extend(values(grammar, &block.bytes, &index));
        match scanned {
            Ok(()) => assert_eq!(index.len() as u64, block.records),
            Err(wrong) => {
                let record = block.records_before + wrong.record as u64;
                error = Some((record, block.byte_offset + wrong.offset as u64, wrong.problem));
                break;
            }
        }
    }
    assert_eq!(records, values_of(expected));
    let expected = expected.error.map(|e| (e.record as u64, e.offset as u64, e.problem));
    match (error, expected) {
        // A record too large to be held is not read to its end.
        (Some((record, _, FieldTooLarge | RecordTooLarge | TooManyFields)), Some(expected)) => {
            assert_eq!(record, expected.0);
        }
        (error, expected) => assert_eq!(error, expected),
    }
}

/// `csv` ends an unterminated quote silently, keeps the CR of a CRLF when the
/// terminator is a lone LF, knows no limits, trims values and not fields,
/// ends comments at LF only, and drops an escape before any byte.
fn check_csv(grammar: &Grammar, text: &[u8]) {
    let shared = Grammar {
        delimiter: grammar.delimiter,
        quote: grammar.quote,
        escape: grammar.escape,
        terminator: grammar.terminator,
        stray_quotes: StrayQuotes::Keep,
        max_fields: u64::MAX,
        ..Grammar::default()
    };
    let (Some(delimiter), None) = (shared.delimiter.single(), shared.bare_escape()) else { return };
    let text: Vec<u8> =
        text.iter().copied().filter(|&byte| shared.terminator != Terminator::Lf || byte != b'\r').collect();
    let idle = |pair: &[u8]| {
        let escape = shared.escape_byte();
        Some(pair[0]) == escape && ![shared.quote, escape].contains(&Some(pair[1]))
    };
    let parsed = reference::parse(&shared, &text);
    if parsed.error.is_some() || text.windows(2).any(idle) {
        return;
    }
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).terminator(match shared.terminator {
        Terminator::Any => csv::Terminator::CRLF,
        Terminator::Lf => csv::Terminator::Any(b'\n'),
        Terminator::Cr => csv::Terminator::Any(b'\r'),
        Terminator::Byte(byte) => csv::Terminator::Any(byte),
    });
    match shared.quote {
        Some(quote) => builder.quote(quote),
        None => builder.quoting(false),
    };
    if let Some(escape) = shared.escape_byte() {
        builder.escape(Some(escape)).double_quote(false);
    }
    let records = builder.from_reader(text.as_slice()).into_byte_records();
    let records = records.map(|record| record.expect("flexible").iter().map(<[u8]>::to_vec).collect());
    assert_eq!(values_of(&parsed), records.collect::<Records>());
}
