//! The records of one head, as a grammar reads them.

use super::Head;
use crate::parse::{FieldSpan, Grammar, RecordIndex, ScanError, Scanner, StrayQuotes, field_value};
use crate::spec::{BlankNames, Framing};
use crate::split::header::{FirstRecord, is_empty, trailing};

/// The records of one head.
#[derive(Debug, Clone)]
pub(super) struct Records<'a> {
    text: &'a [u8],
    grammar: Grammar,
    index: RecordIndex,
    /// What ended the reading before the end of the head.
    pub(super) outcome: Result<(), ScanError>,
    /// Records that break the grammar and whose end is known all the same.
    pub(super) faults: Vec<ScanError>,
    lines_before: u32,
}

impl<'a> Records<'a> {
    pub(super) fn of(head: &Head<'a>, grammar: &Grammar) -> Self {
        let grammar = Grammar { stray_quotes: StrayQuotes::Error, guessed_comment_fields: None, ..*grammar };
        let (mut index, mut faults) = (RecordIndex::default(), Vec::new());
        let outcome = Scanner::new(&grammar).scan_tolerant(head.text, &mut index, &mut faults);
        Records { text: head.text, grammar, index, outcome, faults, lines_before: head.lines_before }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    /// The fields of a record, `None` without such a record.
    pub(super) fn fields(&self, record: usize) -> Option<&[FieldSpan]> {
        (record < self.len()).then(|| self.index.record(record))
    }

    /// How many fields a record has; of one that may be the header, which may end in a delimiter more or
    /// less than the records, how many these have.
    pub(super) fn data_fields(&self, record: usize, framing: &Framing) -> Option<usize> {
        let found = self.fields(record)?;
        let may_be_header = framing.header && record as u64 == framing.skip_records;
        // One name and a field more is a title above a table as well, and one field below two is text.
        let next = self.fields(record + 1).filter(|next| may_be_header && found.len() > 1 && next.len() > 1);
        let Some(next) = next else {
            return Some(found.len());
        };
        let first = FirstRecord::of(next);
        let is_blank = found.last().is_some_and(is_empty);
        let trails =
            framing.blank_names != BlankNames::Fail && trailing(found.len(), is_blank, first).is_some();
        Some(if trails { next.len() } else { found.len() })
    }

    /// The values of a record, `None` without such a record.
    pub(super) fn values(&self, record: usize) -> Option<Vec<Vec<u8>>> {
        let mut scratch = Vec::new();
        let fields = self.fields(record)?;
        Some(fields.iter().map(|span| self.value(span, &mut scratch).to_vec()).collect())
    }

    pub(super) fn value<'b>(&'b self, span: &FieldSpan, scratch: &'b mut Vec<u8>) -> &'b [u8] {
        field_value(&self.grammar, self.text, span, scratch)
    }

    /// The comments, each with its line, from 1.
    pub(super) fn comments(&self) -> Vec<(&'a [u8], u32)> {
        let Some(mark) = self.grammar.comment else { return Vec::new() };
        let starts = self.index.record_starts.iter().map(|start| *start as usize);
        let stops = self.index.record_stops.iter().map(|stop| *stop as usize);
        let end = if self.outcome.is_ok() { self.text.len() } else { 0 };
        let gaps = std::iter::once(0).chain(stops).zip(starts.chain([end]));
        let (mut found, mut counted, mut lines) = (Vec::new(), 0, 0);
        for gap in gaps.filter(|(from, to)| from < to).map(|(from, to)| from..to) {
            let mut at = gap.start;
            for line in self.text[gap].split(|byte| self.ends_line(*byte)) {
                if line.first() == Some(&mark) {
                    lines += self.grammar.terminator.count_lines(&self.text[counted..at]);
                    counted = at;
                    found.push((line, lines as u32 + self.lines_before + 1));
                }
                at += line.len() + 1;
            }
        }
        found
    }

    /// Whether a field takes in the end of a line.
    pub(super) fn holds_line_end(&self, span: &FieldSpan) -> bool {
        self.text[span.start as usize..span.end as usize].iter().any(|byte| self.ends_line(*byte))
    }

    fn ends_line(&self, byte: u8) -> bool {
        self.grammar.terminator.ends_with(byte)
    }

    /// The text of a record as it stands, and its line, from 1.
    pub(super) fn raw(&self, record: usize) -> (&'a [u8], u32) {
        let range = self.index.record_starts[record] as usize..self.index.record_stops[record] as usize;
        (&self.text[range], self.index.record_lines[record] + self.lines_before + 1)
    }
}
