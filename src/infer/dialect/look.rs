//! What samples look like in one dialect.

use super::{DELIMITERS, Head};
use crate::infer::column::looks_like_data;
use crate::parse::{
    Dialect, FieldForm, FieldSpan, RecordIndex, ScanError, ScanProblem, Scanner, StrayQuotes, field_value,
};
use std::collections::BTreeMap;

/// Records of each head whose fields are looked at.
const FIELDS_OF_RECORDS: usize = 200;

/// Records before the header that are looked for.
const MAX_PREAMBLE: usize = 32;

/// What samples look like in one dialect.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    /// The commonest number of fields of a record, among those above one; 0
    /// without any.
    pub(super) fields: usize,
    /// Records that have so many, and records in all, but for the preambles.
    agreeing: usize,
    records: usize,
    /// Fields looked at, those that are nothing but one field, and those that
    /// are data.
    looked_at: usize,
    clean: usize,
    data: usize,
    /// Fields in quotes.
    pub(super) quoted: usize,
    /// Whether the grammar is broken somewhere.
    pub(super) broken: bool,
    /// For every head, records before those that agree.
    pub(super) preambles: Vec<usize>,
}

impl Look {
    pub(super) fn of(heads: &[Head<'_>], dialect: &Dialect) -> Look {
        let scanner = Scanner::new(&Dialect { stray_quotes: StrayQuotes::Keep, ..dialect.clone() });
        let mut index = RecordIndex::default();
        let (mut scanned, mut quoted) = (Vec::with_capacity(heads.len()), 0);
        for head in heads {
            // Whatever is wrong further down, the records before count; and what
            // is never closed is in quotes all the same.
            let outcome = scanner.scan(head.text, &mut index);
            let is_open = |error: ScanError| error.problem == ScanProblem::UnterminatedQuote;
            quoted += usize::from(outcome.is_err_and(is_open));
            scanned.push(index.clone());
        }
        let mut look = Look { fields: commonest(&scanned, dialect), quoted, ..Look::default() };
        for (head, index) in heads.iter().zip(&scanned) {
            look.add(head, index, dialect);
        }
        look.broken = dialect.quote.is_some_and(|quote| {
            let strict = Scanner::new(&Dialect { stray_quotes: StrayQuotes::Error, ..dialect.clone() });
            heads.iter().any(|head| {
                // A head that is cut may end inside quotes.
                let counts = |problem| head.whole || problem != ScanProblem::UnterminatedQuote;
                memchr::memchr(quote, head.text).is_some()
                    && strict.scan(head.text, &mut index).is_err_and(|error| counts(error.problem))
            })
        });
        look
    }

    fn add(&mut self, head: &Head<'_>, index: &RecordIndex, dialect: &Dialect) {
        let first = (dialect.skip_records as usize).min(index.len());
        let titles = (first..index.len()).take(MAX_PREAMBLE);
        let preamble = titles.take_while(|record| self.is_title(index.record(*record))).count();
        let body = first + preamble;
        // Titles and nothing below them are a table of one column.
        let body = if body == index.len() { first } else { body };
        self.preambles.push(body - first);
        self.records += index.len() - body;
        let mut looked_at = 0;
        for record in (body..index.len()).map(|record| index.record(record)) {
            self.quoted += record.iter().filter(|span| span.form != FieldForm::Bare).count();
            if record.len() != self.fields {
                continue;
            }
            self.agreeing += 1;
            if looked_at < FIELDS_OF_RECORDS {
                looked_at += 1;
                record.iter().for_each(|span| self.look_at(head.text, *span, dialect));
            }
        }
    }

    /// Whether a record is a line of text above a table: one field, or, as
    /// spreadsheets write it, one and nothing in the others.
    fn is_title(&self, record: &[FieldSpan]) -> bool {
        let filled = record.iter().filter(|span| span.start < span.end).count();
        match self.fields {
            0 | 1 => false,
            2 => record.len() == 1,
            _ => record.len() == 1 || filled <= 1 && record.len() <= self.fields,
        }
    }

    fn look_at(&mut self, text: &[u8], span: FieldSpan, dialect: &Dialect) {
        let mut scratch = Vec::new();
        let value = field_value(dialect, text, &span, &mut scratch);
        let data = looks_like_data(value);
        self.looked_at += 1;
        self.data += usize::from(data);
        self.clean += usize::from(data || span.form != FieldForm::Bare || is_one_field(value));
    }

    pub(super) fn has_fewer_records(&self, other: &Look) -> bool {
        self.records < other.records
    }

    /// How good it is: larger is better. First by how many records agree on
    /// fields that are clean; then by how many fields are data; then by how many
    /// there are.
    pub(super) fn rank(&self) -> (u64, u64, usize) {
        let thousandths = |part: usize, of: usize| (part * 1000 / of.max(1)) as u64;
        let agreeing = thousandths(self.agreeing, self.records);
        if self.fields == 0 || agreeing < 500 {
            return (0, 0, 0);
        }
        let mut score = agreeing * thousandths(self.clean, self.looked_at);
        // What needs less explaining is the likelier.
        if self.preambles.iter().any(|records| *records > 0) {
            score = score * 9 / 10;
        }
        if self.broken {
            score /= 2;
        }
        (score, thousandths(self.data, self.looked_at), self.fields)
    }
}

/// The commonest number of fields above one; the largest of several.
fn commonest(scanned: &[RecordIndex], dialect: &Dialect) -> usize {
    let mut by_fields: BTreeMap<usize, usize> = BTreeMap::new();
    for index in scanned {
        for record in dialect.skip_records as usize..index.len() {
            *by_fields.entry(index.record(record).len()).or_default() += 1;
        }
    }
    let above_one = by_fields.into_iter().filter(|&(fields, _)| fields > 1);
    above_one.max_by_key(|&(_, records)| records).map_or(0, |(fields, _)| fields)
}

/// Whether an unquoted text looks as if it had been cut out right: no other
/// delimiter stands in it (but as punctuation, before a space), and no quote
/// encloses it or is left over at one end.
fn is_one_field(value: &[u8]) -> bool {
    let is_quote = |byte: Option<&u8>| matches!(byte, Some(b'"' | b'\''));
    let delimiter_at = |(at, byte): (usize, &u8)| {
        DELIMITERS.contains(&char::from(*byte)) && value.get(at + 1).is_none_or(|after| *after != b' ')
    };
    !is_quote(value.first()) && !is_quote(value.last()) && !value.iter().enumerate().any(delimiter_at)
}
