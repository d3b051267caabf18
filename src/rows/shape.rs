//! Records → a matrix of fields, every record with the same number.
//!
//! Where all records have it (the rule), the matrix is the index as the scanner
//! made it. Only a block with a ragged or broken record is copied.

use super::{DataRecords, Fault, Origin, Policies};
use crate::error::InputProblem;
use crate::error::excerpt::excerpt_of;
use crate::parse::scan::{FieldForm, FieldSpan};
use crate::parse::{Grammar, RecordIndex, field_value};
use crate::spec::{LongRecord, ShortRecord, ValuePolicy};
use crate::split::header::is_empty;
use std::borrow::Cow;
use std::cmp::Ordering;

/// The records of a block that become rows.
#[derive(Debug)]
pub(super) struct Shaped<'a> {
    /// `records × fields_per_record` of them.
    pub(super) spans: Cow<'a, [FieldSpan]>,
    /// For each row: its record in the block.
    pub(super) records: Vec<u32>,
    /// Ragged records that are set aside.
    pub(super) faults: Vec<Fault>,
    /// The first ragged record that may not be; rows end before it.
    pub(super) failure: Option<Fault>,
    pub(super) padded: u64,
    pub(super) truncated: u64,
}

/// What a short record lacks.
const MISSING: FieldSpan = FieldSpan { start: 0, end: 0, form: FieldForm::Missing };

/// What happens to one record.
enum Fate {
    Row,
    Padded,
    Truncated,
    Rejected,
    Failed,
}

/// The fields of the records of one input.
pub(super) struct Fields<'a> {
    pub(super) per_record: usize,
    /// [`Binding::empty_fields`](super::Binding::empty_fields).
    pub(super) empty: &'a [usize],
    pub(super) block: &'a [u8],
    pub(super) grammar: &'a Grammar,
}

impl Fields<'_> {
    /// The first field that is to be empty and is not.
    fn filled(&self, record: &[FieldSpan]) -> Option<usize> {
        let is_filled = |field: &&usize| record.get(**field).is_some_and(|span| !is_empty(span));
        self.empty.iter().find(is_filled).copied()
    }

    /// What is wrong where this field is not empty.
    fn nameless(&self, span: &FieldSpan, field: usize) -> InputProblem {
        let mut scratch = Vec::new();
        let value = field_value(self.grammar, self.block, span, &mut scratch);
        InputProblem::NamelessValue { value: excerpt_of(value), field: field + 1 }
    }
}

impl<'a> Shaped<'a> {
    pub(super) fn of(
        index: &'a RecordIndex,
        data: &DataRecords<'_>,
        fields: &Fields<'_>,
        policies: &Policies,
    ) -> Self {
        let fields_per_record = fields.per_record;
        let range = data.range.start.min(index.len())..data.range.end.min(index.len());
        let first_span = if range.start == 0 { 0 } else { index.record_ends[range.start - 1] as usize };
        let end_span = if range.is_empty() { first_span } else { index.record_ends[range.end - 1] as usize };
        let mut shaped = Shaped {
            spans: Cow::Borrowed(&index.fields[first_span..end_span]),
            records: Vec::new(),
            faults: Vec::new(),
            failure: None,
            padded: 0,
            truncated: 0,
        };
        let mut ends = index.record_ends[range.clone()].iter().zip(1..);
        let even =
            ends.all(|(&end, rows): (&u32, usize)| end as usize == first_span + rows * fields_per_record);
        let records = shaped.spans.chunks_exact(fields_per_record.max(1));
        let none_filled =
            || fields.empty.is_empty() || records.into_iter().all(|record| fields.filled(record).is_none());
        if even && data.broken.is_empty() && none_filled() {
            shaped.records = (range.start as u32..range.end as u32).collect();
            return shaped;
        }
        let mut spans = Vec::with_capacity(range.len() * fields_per_record);
        let mut broken = data.broken.iter().peekable();
        for record in range {
            if broken.next_if_eq(&&record).is_some() {
                continue;
            }
            let found = index.record(record);
            let filled = fields.filled(found);
            // Of a record with too few or too many fields, the number is what is wrong first.
            let is_padded = found.len() < fields_per_record && policies.short_records == ShortRecord::Pad;
            let fault = |policy| {
                let (problem, byte_offset) =
                    match filled.filter(|_| found.len() == fields_per_record || is_padded) {
                        Some(field) => (fields.nameless(&found[field], field), found[field].start as usize),
                        None => {
                            let problem =
                                InputProblem::Ragged { found: found.len(), expected: fields_per_record };
                            (problem, index.record_starts[record] as usize)
                        }
                    };
                let origin = Origin::in_text(index, record, byte_offset, fields.block, fields.grammar);
                Fault { record: record as u32, column: None, problem, policy, origin }
            };
            match fate(found.len(), fields_per_record, filled.is_some(), policies) {
                Fate::Row => spans.extend_from_slice(found),
                Fate::Padded => {
                    spans.extend_from_slice(found);
                    spans.extend(std::iter::repeat_n(MISSING, fields_per_record - found.len()));
                    shaped.padded += 1;
                }
                Fate::Truncated => {
                    spans.extend_from_slice(&found[..fields_per_record]);
                    shaped.truncated += 1;
                }
                Fate::Rejected => {
                    shaped.faults.push(fault(ValuePolicy::Reject));
                    continue;
                }
                Fate::Failed => {
                    shaped.failure = Some(fault(ValuePolicy::Fail));
                    break;
                }
            }
            shaped.records.push(record as u32);
        }
        shaped.spans = Cow::Owned(spans);
        shaped
    }
}

/// `is_filled`: something stands in a field that is to be empty, which is as much too many as a
/// field beyond the last.
fn fate(found: usize, expected: usize, is_filled: bool, policies: &Policies) -> Fate {
    let too_many = match policies.long_records {
        LongRecord::Fail => Fate::Failed,
        LongRecord::Reject => Fate::Rejected,
        LongRecord::Truncate => Fate::Truncated,
    };
    match (found.cmp(&expected), policies.short_records) {
        (Ordering::Equal, _) if !is_filled => Fate::Row,
        (Ordering::Equal | Ordering::Greater, _) => too_many,
        (Ordering::Less, ShortRecord::Fail) => Fate::Failed,
        (Ordering::Less, ShortRecord::Reject) => Fate::Rejected,
        (Ordering::Less, ShortRecord::Pad) => match too_many {
            Fate::Failed | Fate::Rejected if is_filled => too_many,
            _ => Fate::Padded,
        },
    }
}
