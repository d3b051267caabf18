//! What samples look like in one dialect.

use super::records::Records;
use super::{DELIMITERS, Head};
use crate::infer::column::looks_like_data;
use crate::parse::{FieldForm, FieldSpan, ScanError, ScanProblem};
use crate::spec::{Dialect, Framing};
use std::collections::BTreeMap;

/// Records of each head whose fields are looked at.
const FIELDS_OF_RECORDS: usize = 200;

/// Thousandths of the records that agree where a reading is near.
const NEAR: u64 = 900;

/// Records before the header that are looked for.
const MAX_PREAMBLE: usize = 32;

/// What samples look like in one dialect.
#[derive(Debug, Clone, Default)]
pub(super) struct Look {
    /// The commonest number of fields of a record, among those above one; 0
    /// without any.
    pub(super) fields: usize,
    /// Fields of the first record after what is skipped, in the head where it has most.
    pub(super) first_fields: usize,
    /// Records that have so many, those that have more than one, and records in all.
    agreeing: usize,
    divided: usize,
    pub(super) records: usize,
    /// Records of the first head that have another number of fields than most,
    /// the first of them.
    pub(super) odd: Option<usize>,
    /// Whether all records of each head have the same number of fields, but for
    /// the titles of its first ones if `titled`.
    even: bool,
    even_below_titles: bool,
    /// Fields looked at, those that are nothing but one field, and those that
    /// are data.
    looked_at: usize,
    clean: usize,
    data: usize,
    /// Fields that stand in quotes as they should.
    pub(super) enclosed: usize,
    /// Whether the grammar is broken somewhere.
    pub(super) broken: bool,
    /// Whether a quote is never closed.
    pub(super) unclosed: bool,
    /// For every head, records before the table that may be titles.
    pub(super) titles: Vec<usize>,
}

impl Look {
    pub(super) fn of(heads: &[Head<'_>], dialect: &Dialect) -> Look {
        let records: Vec<Records<'_>> =
            heads.iter().map(|head| Records::of(head, &dialect.grammar)).collect();
        let skipped = dialect.framing.skip_records as usize;
        let mut look = Look {
            fields: commonest(&records, skipped),
            first_fields: records
                .iter()
                .filter_map(|head| head.fields(skipped))
                .map(<[_]>::len)
                .max()
                .unwrap_or(0),
            even: true,
            even_below_titles: true,
            ..Look::default()
        };
        for (number, (head, records)) in heads.iter().zip(&records).enumerate() {
            look.add(head, records, dialect);
            if number == 0 {
                let is_odd = |record: &usize| {
                    records.data_fields(*record, &dialect.framing).is_some_and(|f| f != look.fields)
                };
                look.odd = (skipped..records.len()).find(is_odd);
            }
        }
        look
    }

    fn add(&mut self, head: &Head<'_>, records: &Records<'_>, dialect: &Dialect) {
        let skipped = dialect.framing.skip_records as usize;
        let is_open = |error: ScanError| error.problem == ScanProblem::UnterminatedQuote;
        let unclosed = records.outcome.is_err_and(is_open);
        self.unclosed |= unclosed;
        // A head that is cut may end inside quotes.
        let cut_off = unclosed && !head.whole;
        self.broken |= !records.faults.is_empty() || records.outcome.is_err() && !cut_off;
        let first = skipped.min(records.len());
        let titles = (first..records.len()).take(MAX_PREAMBLE);
        let titles = titles.take_while(|record| records.fields(*record).is_some_and(|f| self.is_title(f)));
        // Titles and nothing below them are a table of one column.
        let titles = Some(titles.count()).filter(|titles| first + titles < records.len()).unwrap_or(0);
        self.titles.push(titles);
        let below = Framing { skip_records: (first + titles) as u64, ..dialect.framing.clone() };
        let mut faults = records.faults.iter().peekable();
        let (mut looked_at, mut own, mut own_below) = (0, None, None);
        for record in first..records.len() {
            let Some(fields) = records.fields(record) else { break };
            let is_faulty = std::iter::from_fn(|| faults.next_if(|fault| fault.record <= record))
                .any(|fault| fault.record == record);
            // A stray quote takes in all lines up to the next one.
            let encloses =
                |span: &&FieldSpan| span.form.is_quoted() && !(is_faulty && records.holds_line_end(span));
            self.enclosed += fields.iter().filter(encloses).count();
            let found = records.data_fields(record, &below).unwrap_or_default();
            self.records += 1;
            self.divided += usize::from(fields.len() > 1);
            self.even &= *own.get_or_insert(found) == found;
            if record >= first + titles {
                self.even_below_titles &= *own_below.get_or_insert(found) == found;
            }
            if found != self.fields {
                continue;
            }
            self.agreeing += 1;
            if looked_at < FIELDS_OF_RECORDS && record >= first + titles {
                looked_at += 1;
                fields.iter().for_each(|span| self.look_at(records, span));
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

    fn look_at(&mut self, records: &Records<'_>, span: &FieldSpan) {
        let mut scratch = Vec::new();
        let value = records.value(span, &mut scratch);
        let data = looks_like_data(value);
        self.looked_at += 1;
        self.data += usize::from(data);
        self.clean += usize::from(data || span.form != FieldForm::Bare || is_one_field(value));
    }

    pub(super) fn has_fewer_records(&self, other: &Look) -> bool {
        self.records < other.records
    }

    /// Whether every record has more than one field.
    pub(super) fn is_divided(&self) -> bool {
        self.divided == self.records
    }

    /// Whether it is a table without a flaw: every record has the same number of
    /// fields, at least two, and the grammar holds.
    pub(super) fn is_table(&self) -> bool {
        self.fields > 1 && self.even && !self.broken
    }

    /// Whether it is one below so many titles in each head; `None` if they differ.
    pub(super) fn is_table_below(&self) -> Option<usize> {
        let &titles = self.titles.first()?;
        let same = self.titles.iter().all(|other| *other == titles);
        (self.fields > 1 && self.even_below_titles && !self.broken && same && titles > 0).then_some(titles)
    }

    /// Whether no record is in pieces: all have the same number of fields.
    pub(super) fn is_sound(&self) -> bool {
        self.even && !self.broken
    }

    /// Thousandths of the records that have as many fields as most, and that
    /// are divided at all.
    pub(super) fn agreeing(&self) -> u64 {
        thousandths(self.agreeing, self.records)
    }

    /// Whether the records agree but for a few, or for one that may be a title or a footer.
    pub(super) fn nearly_agrees(&self) -> bool {
        let one_odd = self.agreeing > 1 && self.agreeing + 1 >= self.records;
        one_odd || self.agreeing() >= NEAR
    }

    pub(super) fn divided(&self) -> u64 {
        thousandths(self.divided, self.records)
    }

    /// How good the fields are: larger is better. First by how many records agree
    /// on fields that are clean; then by how many fields are data; then by how
    /// many there are.
    pub(super) fn score(&self) -> (u64, u64, usize) {
        if self.fields == 0 || self.agreeing() < 500 {
            return (0, 0, 0);
        }
        let score = self.agreeing() * thousandths(self.clean, self.looked_at);
        (if self.broken { score / 2 } else { score }, thousandths(self.data, self.looked_at), self.fields)
    }
}

fn thousandths(part: usize, of: usize) -> u64 {
    (part * 1000 / of.max(1)) as u64
}

/// The commonest number of fields above one; the largest of several.
fn commonest(scanned: &[Records<'_>], skipped: usize) -> usize {
    let mut by_fields: BTreeMap<usize, usize> = BTreeMap::new();
    for records in scanned {
        for fields in (skipped..records.len()).filter_map(|record| records.fields(record)) {
            *by_fields.entry(fields.len()).or_default() += 1;
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
