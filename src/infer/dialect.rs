//! Delimiter, escape, terminator and header, from samples.

use super::Sample;
use super::types::looks_like_data;
use crate::job::DialectSpec;
use crate::parse::{
    Delimiter, Dialect, Escape, RecordIndex, ScanError, ScanProblem, Scanner, StrayQuotes, Terminator,
    field_value,
};
use std::collections::BTreeMap;

/// In order of preference when two fit equally well.
const DELIMITERS: [char; 4] = [',', '\t', ';', '|'];

/// Bytes of each sample that the delimiter is judged by.
const JUDGED_BYTES: usize = 64 << 10;

/// Fills in what `given` leaves out. `resolved` is `given` with the defaults;
/// whether there is a header is judged only if `infer_header`.
pub fn infer_dialect(
    samples: &[Sample],
    given: &DialectSpec,
    resolved: &Dialect,
    infer_header: bool,
) -> Dialect {
    let mut dialect = resolved.clone();
    let heads: Vec<&[u8]> = samples.iter().map(head).filter(|head| !head.is_empty()).collect();
    if given.line_terminator.is_none() {
        let has = |byte| heads.iter().any(|head| memchr::memchr(byte, head).is_some());
        if has(b'\r') && !has(b'\n') {
            dialect.terminator = Terminator::Cr;
        }
    }
    if given.delimiter.is_none() {
        // The first of the best: max_by_key would take the last.
        let mut best = (0, 0);
        for delimiter in DELIMITERS.map(Delimiter::from) {
            let candidate = Dialect { delimiter, ..dialect.clone() };
            let score = delimiter_score(&heads, &candidate);
            if score > best {
                best = score;
                dialect.delimiter = delimiter;
            }
        }
    }
    if given.escape_char.is_none() && given.double_quote.is_none() && dialect.quote.is_some() {
        let with_backslash = Dialect { escape: Escape::Byte(b'\\'), ..dialect.clone() };
        if grammar_errors(&heads, &dialect) > 0 && grammar_errors(&heads, &with_backslash) == 0 {
            dialect.escape = Escape::Byte(b'\\');
        }
    }
    if infer_header && given.header.is_none() {
        dialect.header = has_header(samples, &dialect);
    }
    dialect
}

/// Whole lines from the start of a sample.
fn head(sample: &Sample) -> &[u8] {
    let judged = &sample.text[..sample.text.len().min(JUDGED_BYTES)];
    if judged.len() == sample.text.len() && sample.whole {
        return judged;
    }
    let end = memchr::memrchr2(b'\n', b'\r', judged).map_or(judged.len(), |end| end + 1);
    &judged[..end]
}

/// How well the records agree on a number of fields: thousandths of the
/// records that have the commonest number above one, then that number.
fn delimiter_score(heads: &[&[u8]], dialect: &Dialect) -> (usize, usize) {
    let scanner = Scanner::new(&Dialect { stray_quotes: StrayQuotes::Keep, ..dialect.clone() });
    let mut index = RecordIndex::default();
    let mut by_fields: BTreeMap<usize, usize> = BTreeMap::new();
    for head in heads {
        // A head may end inside quotes; the records before count all the same.
        let _ = scanner.scan(head, &mut index);
        for record in dialect.skip_records as usize..index.record_ends.len() {
            *by_fields.entry(index.record(record).len()).or_default() += 1;
        }
    }
    let records: usize = by_fields.values().sum();
    let commonest = by_fields.into_iter().filter(|&(fields, _)| fields > 1).max_by_key(|&(_, count)| count);
    commonest.map_or((0, 0), |(fields, count)| (count * 1_000 / records, fields))
}

fn grammar_errors(heads: &[&[u8]], dialect: &Dialect) -> usize {
    let scanner = Scanner::new(&Dialect { stray_quotes: StrayQuotes::Error, ..dialect.clone() });
    let mut index = RecordIndex::default();
    // A head may end inside quotes; that says nothing of the escape.
    let is_wrong = |error: ScanError| error.problem != ScanProblem::UnterminatedQuote;
    heads.iter().filter(|head| scanner.scan(head, &mut index).is_err_and(is_wrong)).count()
}

/// A first record of nothing but names: no field of it reads as a number, date
/// or boolean, and at least one is not empty. Data that is all text looks the
/// same, so text without a header needs `--no-header`.
fn has_header(samples: &[Sample], dialect: &Dialect) -> bool {
    let Some(sample) = samples.iter().find(|sample| !sample.text.is_empty()) else { return true };
    let lenient = Dialect { stray_quotes: StrayQuotes::Keep, ..dialect.clone() };
    let mut index = RecordIndex::default();
    let head = head(sample);
    // Whatever is wrong further down, the first records are there.
    let _ = Scanner::new(&lenient).scan(head, &mut index);
    let first = dialect.skip_records as usize;
    if first >= index.record_ends.len() {
        return true;
    }
    let (mut scratch, mut named) = (Vec::new(), false);
    let names_only = index.record(first).iter().all(|span| {
        let value = field_value(dialect, head, span, &mut scratch);
        named |= !value.is_empty();
        !looks_like_data(value)
    });
    named && names_only
}
