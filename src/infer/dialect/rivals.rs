//! What else the text may be, for people to check: readings that divide all
//! records, too, and give other values.

use super::header::cut;
use super::records::Records;
use super::refusal::{Flag, flags};
use super::search::{Candidate, Search};
use super::{Head, header};
use crate::infer::column::{Doubt, Evidence};
use crate::parse::{Delimiter, FieldForm, FieldSpan, Grammar, Terminator};
use crate::spec::Dialect;
use crate::value::ColumnType;

/// Records that are looked at for what is in their fields.
const RECORDS: usize = 1000;

/// Notes on what gives other values.
pub(super) fn note(search: &Search<'_>, found: &Candidate, all: &[Candidate], notes: &mut Vec<String>) {
    if search.known.given.delimiter.is_none() && found.look.fields > 1 {
        note_delimiters(search, found, all, notes);
        note_numbers(search, found, all, notes);
    }
    note_quotes(search, found, notes);
    if search.known.given.line_terminator.is_none() && found.dialect.grammar.terminator == Terminator::Lf {
        note_lone_cr(search.heads, &found.dialect, notes);
    }
}

fn note_delimiters(search: &Search<'_>, found: &Candidate, all: &[Candidate], notes: &mut Vec<String>) {
    let mut told = vec![found.dialect.grammar.delimiter];
    let mut text_columns = None;
    for rival in all {
        let delimiter = rival.dialect.grammar.delimiter;
        let divides = rival.look.fields > 1 && rival.look.nearly_agrees() && !rival.look.broken;
        if !divides || told.contains(&delimiter) {
            continue;
        }
        told.push(delimiter);
        let text_columns = text_columns.get_or_insert_with(|| text_columns_of(search.heads, found));
        if stands_in(search.heads, found, text_columns, delimiter.as_bytes()) {
            notes.push(format!(
                "{:?} also divides the records into {} fields; if it is the delimiter, use {}",
                delimiter.as_str(),
                rival.look.fields,
                flags(&rival.dialect, &[Flag::Delimiter])
            ));
        }
    }
}

/// Which columns are text: in numbers and times another delimiter is a part of them.
fn text_columns_of(heads: &[Head<'_>], found: &Candidate) -> Vec<bool> {
    let mut columns = vec![Evidence::default(); found.look.fields];
    let mut scratch = Vec::new();
    for head in heads {
        let records = Records::of(head, &found.dialect.grammar);
        for fields in looked_at(&records, found) {
            for (evidence, span) in columns.iter_mut().zip(fields) {
                evidence.observe(records.value(span, &mut scratch), false);
            }
        }
    }
    columns.iter().map(|evidence| evidence.settle().column_type == ColumnType::Text).collect()
}

/// Whether another delimiter stands outside quotes in one of these columns.
fn stands_in(heads: &[Head<'_>], found: &Candidate, columns: &[bool], delimiter: &[u8]) -> bool {
    heads.iter().any(|head| {
        let records = Records::of(head, &found.dialect.grammar);
        let mut scratch = Vec::new();
        let mut holds = |span| memchr::memmem::find(records.value(span, &mut scratch), delimiter).is_some();
        looked_at(&records, found).any(|fields| {
            let bare =
                fields.iter().zip(columns).filter(|(span, text)| **text && span.form == FieldForm::Bare);
            bare.into_iter().any(|(span, _)| holds(span))
        })
    })
}

/// The records of a head that are looked at: not the first, which may be the
/// header, unless it is the only one.
fn looked_at<'r>(records: &'r Records<'_>, found: &Candidate) -> impl Iterator<Item = &'r [FieldSpan]> {
    let first = (found.titles + 1).min(records.len().saturating_sub(1));
    (first..records.len()).take(RECORDS).filter_map(|record| records.fields(record))
}

/// Delimiters that are not looked for, as they stand in times, addresses and sentences.
const RARE: [&str; 8] = ["::", ":", "||", "~~", "|~|", "^|^", "\u{a6}", "\u{1e}"];

/// A note on one of them that divides every record of a single column of text alike.
pub(super) fn rare_delimiter(search: &Search<'_>, found: &Candidate) -> Option<String> {
    let head = search.heads.first()?;
    let records = Records::of(head, &found.dialect.grammar);
    let (mut column, mut scratch) = (Evidence::default(), Vec::new());
    for fields in looked_at(&records, found) {
        let [span] = fields else { return None };
        column.observe(records.value(span, &mut scratch), false);
    }
    if column.settle().column_type != ColumnType::Text {
        return None;
    }
    let judged = |text: &str| {
        Some(search.judged(Grammar { delimiter: Delimiter::new(text)?, ..found.dialect.grammar }))
    };
    let table = RARE.iter().filter_map(|text| judged(text)).find(|rival: &Candidate| rival.is_table())?;
    Some(format!(
        "{:?} divides every record into {} fields; if it is the delimiter, use {}",
        table.dialect.grammar.delimiter.as_str(),
        table.look.fields,
        flags(&table.dialect, &[Flag::Delimiter])
    ))
}

/// Lines that are numbers or times as a whole may be cut at their decimal commas.
fn note_numbers(search: &Search<'_>, found: &Candidate, all: &[Candidate], notes: &mut Vec<String>) {
    let Some(head) = search.heads.first() else { return };
    // What no number or time has spares most files the search.
    let first = head.text.split(|byte| matches!(byte, b'\r' | b'\n')).find(|line| !line.is_empty());
    let is_word = |byte: &u8| !byte.is_ascii() || byte.is_ascii_alphabetic() && !b"eETZ".contains(byte);
    if first.is_none_or(|line| line.iter().any(is_word)) {
        return;
    }
    let Some(single) = search.one_column(found, all) else { return };
    let records = Records::of(head, &single.dialect.grammar);
    let (mut line, mut scratch) = (Evidence::default(), Vec::new());
    for fields in (0..records.len()).take(RECORDS).filter_map(|record| records.fields(record)) {
        let [span] = fields else { return };
        line.observe(records.value(span, &mut scratch), false);
    }
    let settled = line.settle();
    if settled.column_type != ColumnType::Text || settled.doubt == Some(Doubt::AmbiguousMarks) {
        notes.push(format!(
            "each line as a whole may be one number or time; if it is, use {}",
            flags(&single.dialect, &[Flag::Delimiter])
        ));
    }
}

/// Notes on quotes and escapes that are as sound and give other values.
fn note_quotes(search: &Search<'_>, found: &Candidate, notes: &mut Vec<String>) {
    for variant in search.variants(found) {
        let (ours, theirs) = (&found.dialect.grammar, &variant.dialect.grammar);
        let encloses = found.look.enclosed > 0;
        // Quotes that enclose are quotes, unless they swallow lines.
        let counts = match (ours.quote, theirs.quote) {
            (Some(_), None) if encloses => variant.look.records != found.look.records,
            (Some(b'"'), Some(b'\'')) => !encloses,
            _ => true,
        };
        if !counts || !variant.look.is_sound() {
            continue;
        }
        let Some((line, value, other)) = difference(search.heads, ours, theirs) else { continue };
        let mut wanted = vec![Flag::Quote];
        if theirs.escape != ours.escape {
            wanted.push(Flag::Escape);
        }
        notes.push(format!(
            "line {line} has {:?}, and by other quotes or escapes {:?}; if that is right, use {}",
            cut(&value),
            cut(&other),
            flags(&variant.dialect, &wanted)
        ));
    }
}

/// The first value that two dialects of the same delimiter read differently,
/// with its line.
fn difference(heads: &[Head<'_>], ours: &Grammar, theirs: &Grammar) -> Option<(u32, Vec<u8>, Vec<u8>)> {
    let (mut scratch, mut other_scratch) = (Vec::new(), Vec::new());
    for head in heads {
        let (one, other) = (Records::of(head, ours), Records::of(head, theirs));
        for record in 0..one.len() {
            let (fields, others) = (one.fields(record)?, other.fields(record).unwrap_or_default());
            for (at, span) in fields.iter().enumerate() {
                let value = one.value(span, &mut scratch);
                let theirs = match others.get(at) {
                    Some(span) => other.value(span, &mut other_scratch),
                    None => b"",
                };
                if value != theirs || at + 1 == fields.len() && others.len() != fields.len() {
                    return Some((one.raw(record).1, value.to_vec(), theirs.to_vec()));
                }
            }
        }
    }
    None
}

/// A CR that ends no line and stands in no quotes may be a line end of its own.
fn note_lone_cr(heads: &[Head<'_>], dialect: &Dialect, notes: &mut Vec<String>) {
    for head in heads.iter().filter(|head| memchr::memchr(b'\r', head.text).is_some()) {
        let records = Records::of(head, &dialect.grammar);
        let mut scratch = Vec::new();
        let mut holds = |span| {
            let value = records.value(span, &mut scratch);
            span.form == FieldForm::Bare && memchr::memchr(b'\r', value).is_some()
        };
        let found = (0..records.len())
            .find(|record| records.fields(*record).is_some_and(|fields| fields.iter().any(&mut holds)));
        if let Some(record) = found {
            let any = dialect.with_grammar(Grammar { terminator: Terminator::Any, ..dialect.grammar });
            notes.push(format!(
                "a CR that does not end a line is on line {} of {}, and is kept in its value; if it ends a record, use {}",
                records.raw(record).1,
                head.url,
                flags(&any, &[Flag::Terminator])
            ));
            return;
        }
    }
}

/// A note on the first record that a run fails at.
pub(super) fn note_odd(heads: &[Head<'_>], found: &Candidate, dialect: &Dialect, notes: &mut Vec<String>) {
    let Some(head) = heads.first().filter(|_| found.look.fields > 1) else { return };
    let records = Records::of(head, &dialect.grammar);
    let first = dialect.framing.skip_records as usize;
    let is_odd = |&record: &usize| {
        records.data_fields(record, &dialect.framing).is_some_and(|f| f != found.look.fields)
    };
    let Some(odd) = (first..records.len()).find(is_odd) else { return };
    let (text, line) = records.raw(odd);
    notes.push(format!(
        "most records have {} fields, but line {line} has {} ({:?}): a run fails there",
        found.look.fields,
        records.fields(odd).map_or(0, <[_]>::len),
        header::cut(text)
    ));
}
