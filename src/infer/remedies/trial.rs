//! A text, read with settings that may be a remedy.

use super::change::Settings;
use super::{Failing, Words};
use crate::infer::dialect::{Known, delimiters_in, infer_dialect, is_usual, score, separator_bytes};
use crate::infer::{Sample, infer_schema};
use crate::parse::{
    FieldSpan, Grammar, RecordIndex, ScanError, ScanProblem, Scanner, StrayQuotes, field_value,
};
use crate::spec::{BlankNames, Dialect, DialectSpec};
use crate::split::header::{FirstRecord, Header, is_blank};
use crate::split::preamble::{Preamble, Taken};
use crate::value::ColumnType;
use std::collections::HashSet;
use std::ops::Range;

/// How a text is read with some settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TrialReading {
    /// Data records, those that are set aside left out.
    pub(super) records: usize,
    pub(super) columns: usize,
    /// Whether that is to the end of the input.
    pub(super) whole: bool,
    /// Records that are set aside.
    pub(super) rejected: usize,
    /// Lines that a quote takes in which is never closed, set aside as one record.
    pub(super) taken_in: usize,
    /// Records of which fields are left out.
    pub(super) truncated: usize,
    /// Records and comments that are taken for no data.
    pub(super) passed_over: usize,
    /// Whether a field in quotes holds lines that look like records.
    pub(super) swallows: bool,
    /// Columns that are not text.
    pub(super) typed: usize,
    /// How good the fields look: larger is better.
    pub(super) score: (u64, u64, usize),
    /// Whether the first record names the columns.
    pub(super) header: bool,
    /// The values of the first data record.
    pub(super) first: Vec<Vec<u8>>,
}

/// Reads all of the text; `None` if a run would fail on it.
pub(super) fn read(failing: &Failing<'_>, settings: &Settings, words: &Words<'_>) -> Option<TrialReading> {
    let given = &settings.dialect;
    let resolved = given.resolve().ok()?;
    let known = Known { given, resolved: &resolved, names: words.names, infer_header: words.infers };
    let sample = std::slice::from_ref(&failing.sample);
    let (dialect, _) = infer_dialect(sample, &known).ok()?;
    let text = &failing.sample.text[separator_bytes(&failing.sample, &dialect)..];
    let (mut index, mut faults) = (RecordIndex::default(), Vec::new());
    let outcome = Scanner::new(&dialect.grammar).scan_tolerant(text, &mut index, &mut faults);
    let (mut end, mut taken_in) = (index.len(), 0);
    if let Err(error) = outcome {
        // Text that is cut off may end inside quotes; what such a quote takes in can be set aside.
        let is_open = error.problem == ScanProblem::UnterminatedQuote;
        let is_cut = !failing.sample.whole && text.len() - error.offset <= super::CUT_BYTES;
        if !is_open || !is_cut && !settings.rejects {
            return None;
        }
        if !is_cut {
            taken_in = 1 + dialect.grammar.terminator.count_lines(text[error.offset..].trim_ascii_end());
        }
    } else if !failing.sample.whole {
        end = end.saturating_sub(1);
    }
    let whole = failing.sample.whole;
    let table = Table { text, dialect: &dialect, index: &index, faults: &faults, whole };
    let reading = table.reading(settings, words, end, taken_in)?;
    // What leaves records out needs what the reading without lacks: types that hold below.
    let is_guess = words.given.skip_records.is_none() && given.skip_records.is_some();
    (!is_guess || reading.typed > 0).then_some(())?;
    (!table.loses(end, words.given)).then_some(reading)
}

/// A text as a dialect cuts it into records.
struct Table<'a> {
    text: &'a [u8],
    dialect: &'a Dialect,
    index: &'a RecordIndex,
    faults: &'a [ScanError],
    /// Whether it is all of the input.
    whole: bool,
}

impl Table<'_> {
    fn reading(
        &self,
        settings: &Settings,
        words: &Words<'_>,
        end: usize,
        taken_in: usize,
    ) -> Option<TrialReading> {
        let mut preamble = Preamble::new(self.dialect);
        let (mut names, mut first) = (None, 0);
        while first < end {
            let is_header = preamble.is_at_header();
            match preamble.take(self.text, self.index.record(first)) {
                Taken::Data => break,
                _ if is_header && self.is_faulty(first) => return None,
                Taken::Skipped => {}
                Taken::Header(found) => names = Some(found),
            }
            first += 1;
        }
        let footer = self.footer();
        let end = end.checked_sub(footer).filter(|end| *end > first)?;
        if let Some(names) = &names {
            tell_apart(names, settings, words.names)?;
        }
        let first_record = (first..end).find(|record| !self.is_faulty(*record));
        let first_record = first_record.map(|record| FirstRecord::of(self.index.record(record)));
        let columns = match &names {
            Some(names) => Header::of(names, first_record, &self.dialect.framing).names.len(),
            None => self.index.record(first).len(),
        };
        let fits = |fields: usize| {
            fields == columns || settings.pads && fields < columns || settings.truncates && fields > columns
        };
        let is_bad = |record: &usize| !fits(self.index.record(*record).len()) || self.is_faulty(*record);
        let rejected = (first..end).filter(is_bad).count();
        let is_cut = |record: &usize| self.index.record(*record).len() > columns && !is_bad(record);
        let truncated = (first..end).filter(is_cut).count();
        if rejected > 0 && !settings.rejects || 2 * (rejected + taken_in) > end - first + taken_in {
            return None;
        }
        let good = (first..end).find(|record| !is_bad(record))?;
        let mut scratch = Vec::new();
        let value = |span| field_value(&self.dialect.grammar, self.text, span, &mut scratch).to_vec();
        let mut seen = HashSet::new();
        let mut is_read = |position: usize| {
            let name = names.as_ref().and_then(|names| names.get(position));
            !settings.leaves_duplicates_out || name.is_none_or(|name| is_blank(name) || seen.insert(name))
        };
        let read: Vec<usize> = (0..columns).filter(|position| is_read(*position)).collect();
        Some(TrialReading {
            records: end - first - rejected,
            columns: read.len(),
            whole: self.whole,
            rejected,
            taken_in,
            truncated,
            passed_over: self.dialect.framing.skip_records as usize + footer + self.comments().count(),
            swallows: (first..end).any(|record| self.swallows(record, columns)),
            header: names.is_some(),
            typed: self.typed(words.null_tokens),
            score: score(self.text, self.dialect),
            first: read.iter().filter_map(|at| self.index.record(good).get(*at)).map(value).collect(),
        })
    }

    fn typed(&self, null_tokens: &[String]) -> usize {
        let grammar = Grammar { stray_quotes: StrayQuotes::Keep, ..self.dialect.grammar };
        let lenient = self.dialect.with_grammar(grammar);
        let sample = Sample { text: self.text.to_vec(), whole: true, ..Sample::default() };
        let inferred = infer_schema(&[sample], &lenient, null_tokens);
        let columns = inferred.map_or(Vec::new(), |inferred| inferred.schema.columns);
        columns.iter().filter(|column| column.column_type != ColumnType::Text).count()
    }

    fn is_faulty(&self, record: usize) -> bool {
        self.faults.binary_search_by_key(&record, |fault| fault.record).is_ok()
    }

    fn comments(&self) -> impl Iterator<Item = &[u8]> {
        let mark = self.dialect.grammar.comment;
        let lines = self.text.split(|byte| matches!(byte, b'\r' | b'\n'));
        lines.filter(move |line| mark.is_some() && line.first().copied() == mark)
    }

    /// Records after the data, where the text goes to the end.
    fn footer(&self) -> usize {
        if self.whole { self.dialect.framing.footer_records as usize } else { 0 }
    }

    /// Whether something that is passed over, and that nobody `given` it to be, looks like a record, or
    /// like a header.
    fn loses(&self, end: usize, given: &DialectSpec) -> bool {
        let dialect = self.dialect;
        let first = (dialect.framing.skip_records as usize).min(end);
        let after = end.saturating_sub(self.footer()).max(first);
        let fields = |record: usize| self.index.record(record).len();
        let filled =
            |record: usize| self.index.record(record).iter().filter(|span| span.start < span.end).count();
        let columns = if first < after { fields(first) } else { 0 };
        let is_title = |record: usize| filled(record) <= (columns / 2).max(1);
        let is_footer = |record: usize| filled(record) < columns;
        let titles = if given.skip_records.is_none() { 0..first } else { 0..0 };
        let footers = if given.footer_records.is_none() { after..end } else { 0..0 };
        let passed_over: Vec<usize> = titles.clone().chain(footers.clone()).map(filled).collect();
        // Records of their own, if several of them agree.
        let agree = |(at, filled): (usize, &usize)| *filled > 1 && passed_over[..at].contains(filled);
        let delimiter = dialect.grammar.delimiter.as_bytes();
        let is_record = |line: &[u8]| memchr::memmem::find_iter(line, delimiter).count() + 1 == columns;
        !titles.clone().all(is_title)
            || !footers.clone().all(is_footer)
            || passed_over.iter().enumerate().any(agree)
            || titles.len() > after - first && self.are_records(titles)
            || columns > 1 && given.comment_char.is_none() && self.comments().any(is_record)
    }

    /// Whether some delimiter divides two of these lines alike.
    fn are_records(&self, lines: Range<usize>) -> bool {
        let raw = |record: usize| {
            &self.text[self.index.record_starts[record] as usize..self.index.record_stops[record] as usize]
        };
        delimiters_in(self.text).iter().filter(|delimiter| is_usual(**delimiter)).any(|delimiter| {
            let times = |line| memchr::memmem::find_iter(raw(line), delimiter.as_bytes()).count();
            let times: Vec<usize> = lines.clone().map(times).collect();
            times
                .iter()
                .enumerate()
                .any(|(at, times_here)| *times_here > 0 && times[..at].contains(times_here))
        })
    }

    /// Whether a field in quotes holds a line with the delimiters of a record.
    fn swallows(&self, record: usize, columns: usize) -> bool {
        let holds = |span: &FieldSpan| {
            let raw = &self.text[span.start as usize..span.end as usize];
            span.form.is_quoted()
                && memchr::memchr2(b'\r', b'\n', raw).is_some()
                && raw.split(|byte| matches!(byte, b'\r' | b'\n')).any(|line| {
                    memchr::memmem::find_iter(line, self.dialect.grammar.delimiter.as_bytes()).count() + 1
                        >= columns
                })
        };
        columns > 1 && self.index.record(record).iter().any(holds)
    }
}

/// Names that tell the columns apart and hold those that are known.
fn tell_apart(names: &[String], settings: &Settings, known: &[String]) -> Option<()> {
    let mut seen = HashSet::new();
    let may_be_blank = settings.dialect.blank_names != Some(BlankNames::Fail);
    let distinct = names.iter().all(|name| match is_blank(name) {
        true => may_be_blank,
        false => seen.insert(name) || settings.takes_duplicates,
    });
    let holds_known = known.iter().all(|name| names.contains(name));
    (distinct && holds_known).then_some(())
}
