//! Records → a matrix of fields, every record with the same number.
//!
//! Where all records have it (the rule), the matrix is the index as the scanner
//! made it. Only a block with a ragged or broken record is copied.

use super::{DataRecords, Policies, RecordFault};
use crate::error::InputProblem;
use crate::job::{LongRecord, ShortRecord};
use crate::parse::RecordIndex;
use crate::parse::scan::{FieldForm, FieldSpan};
use std::borrow::Cow;

/// The records of a block that become rows.
#[derive(Debug)]
pub(super) struct Shaped<'a> {
    /// `records × fields_per_record` of them.
    pub(super) spans: Cow<'a, [FieldSpan]>,
    /// For each row: its record in the block.
    pub(super) records: Vec<u32>,
    /// Ragged records that are set aside.
    pub(super) faults: Vec<RecordFault>,
    /// The first ragged record that may not be; rows end before it.
    pub(super) failure: Option<RecordFault>,
    pub(super) padded: u64,
    pub(super) truncated: u64,
}

/// What a short record lacks.
const MISSING: FieldSpan = FieldSpan { start: 0, end: 0, form: FieldForm::Missing };

/// What becomes of one record.
enum Fate {
    Row,
    Padded,
    Truncated,
    Rejected,
    Failed,
}

impl<'a> Shaped<'a> {
    pub(super) fn of(
        index: &'a RecordIndex,
        data: &DataRecords<'_>,
        fields_per_record: usize,
        policies: &Policies,
    ) -> Self {
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
        if even && data.broken.is_empty() {
            shaped.records = (range.start as u32..range.end as u32).collect();
            return shaped;
        }
        let mut spans = Vec::with_capacity(range.len() * fields_per_record);
        let mut broken = data.broken.iter().peekable();
        for record in range {
            if broken.next_if_eq(&&record).is_some() {
                continue;
            }
            let fields = index.record(record);
            match fate(fields.len(), fields_per_record, policies) {
                Fate::Row => spans.extend_from_slice(fields),
                Fate::Padded => {
                    spans.extend_from_slice(fields);
                    spans.extend(std::iter::repeat_n(MISSING, fields_per_record - fields.len()));
                    shaped.padded += 1;
                }
                Fate::Truncated => {
                    spans.extend_from_slice(&fields[..fields_per_record]);
                    shaped.truncated += 1;
                }
                Fate::Rejected => {
                    shaped.faults.push(ragged(index, record, fields.len(), fields_per_record));
                    continue;
                }
                Fate::Failed => {
                    shaped.failure = Some(ragged(index, record, fields.len(), fields_per_record));
                    break;
                }
            }
            shaped.records.push(record as u32);
        }
        shaped.spans = Cow::Owned(spans);
        shaped
    }
}

fn fate(found: usize, expected: usize, policies: &Policies) -> Fate {
    match found.cmp(&expected) {
        std::cmp::Ordering::Equal => Fate::Row,
        std::cmp::Ordering::Less => match policies.short_records {
            ShortRecord::Fail => Fate::Failed,
            ShortRecord::Reject => Fate::Rejected,
            ShortRecord::Pad => Fate::Padded,
        },
        std::cmp::Ordering::Greater => match policies.long_records {
            LongRecord::Fail => Fate::Failed,
            LongRecord::Reject => Fate::Rejected,
            LongRecord::Truncate => Fate::Truncated,
        },
    }
}

fn ragged(index: &RecordIndex, record: usize, found: usize, expected: usize) -> RecordFault {
    RecordFault {
        record,
        column: None,
        byte_offset: index.record_starts[record] as usize,
        line: index.record_lines[record] as usize,
        problem: InputProblem::Ragged { found, expected },
    }
}
