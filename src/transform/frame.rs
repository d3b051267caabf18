//! The rows of one block while operations work on them.

use super::rows::TransformedRows;
use crate::error::InputProblem;
use crate::rows::{Fault, Origin, Rows};
use crate::spec::ValuePolicy;
use arrow::array::{Array, ArrayRef, BooleanArray, BooleanBufferBuilder, StringArray};
use arrow::compute::{FilterBuilder, nullif};
use arrow::error::ArrowError;
use std::collections::BTreeMap;

/// Where the values of a column are kept. A column that changes gets a new one.
pub(super) type Slot = usize;

/// Values and what has become of the rows so far.
#[derive(Debug)]
pub(super) struct Frame {
    slots: Vec<Option<ArrayRef>>,
    records: Vec<u32>,
    filtered: u64,
    faults: Vec<Fault>,
    nulled: BTreeMap<String, u64>,
}

/// Whose values are bad, and what happens to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blame {
    /// The column, if one is to blame.
    pub(super) column: Option<String>,
    /// As [`judge`](crate::rows::judge) says: [`ValuePolicy::Null`] only with a column that takes null.
    pub(super) policy: ValuePolicy,
    /// Key of the job file that gives the policy; `None` if no policy is asked.
    pub(super) policy_key: Option<String>,
}

/// A row and what is wrong with it.
pub(super) type RowProblem = (usize, InputProblem);

impl Frame {
    /// A frame of so many slots with the columns of `rows` in these.
    pub(super) fn new(rows: Rows, slots: usize, input: &[Slot]) -> Self {
        let mut frame = Frame {
            slots: vec![None; slots],
            records: rows.records,
            filtered: 0,
            faults: Vec::new(),
            nulled: BTreeMap::new(),
        };
        for (&slot, column) in input.iter().zip(rows.batch.columns()) {
            frame.slots[slot] = Some(column.clone());
        }
        frame
    }

    /// Rows that are left.
    pub(super) fn rows(&self) -> usize {
        self.records.len()
    }

    /// Their records.
    pub(super) fn records(&self) -> &[u32] {
        &self.records
    }

    /// The values in a slot.
    pub(super) fn column(&self, slot: Slot) -> Result<&ArrayRef, ArrowError> {
        let message = || ArrowError::InvalidArgumentError(format!("slot {slot} of the transforms is empty"));
        self.slots.get(slot).and_then(Option::as_ref).ok_or_else(message)
    }

    /// The values in several slots.
    pub(super) fn columns(&self, slots: &[Slot]) -> Result<Vec<ArrayRef>, ArrowError> {
        slots.iter().map(|&slot| self.column(slot).cloned()).collect()
    }

    /// Puts values for all rows into a slot.
    pub(super) fn set(&mut self, slot: Slot, values: ArrayRef) {
        debug_assert_eq!(values.len(), self.rows(), "a value for every row");
        self.slots[slot] = Some(values);
    }

    /// Gives up the values that nothing needs any more.
    pub(super) fn free(&mut self, slots: &[Slot]) {
        slots.iter().for_each(|&slot| self.slots[slot] = None);
    }

    /// Puts values into a slot, of which those of the `bad` rows (ascending) are to be
    /// dealt with: they become null, or their rows go.
    pub(super) fn set_with_bad(
        &mut self,
        slot: Slot,
        values: ArrayRef,
        bad: Vec<RowProblem>,
        blame: &Blame,
    ) -> Result<(), ArrowError> {
        if bad.is_empty() {
            self.set(slot, values);
            return Ok(());
        }
        if let (ValuePolicy::Null, Some(column)) = (blame.policy, &blame.column) {
            *self.nulled.entry(column.clone()).or_default() += bad.len() as u64;
            let rows = mask(self.rows(), bad.iter().map(|(row, _)| *row));
            self.set(slot, nullif(&values, &rows)?);
            return Ok(());
        }
        self.set(slot, values);
        self.fault(bad, blame)
    }

    /// Takes the `bad` rows (ascending) out as faults.
    pub(super) fn fault(&mut self, bad: Vec<RowProblem>, blame: &Blame) -> Result<(), ArrowError> {
        if bad.is_empty() {
            return Ok(());
        }
        let gone = mask(self.rows(), bad.iter().map(|(row, _)| *row));
        for (row, problem) in bad {
            self.faults.push(self.fault_of(row, problem, blame));
        }
        self.keep(&arrow::compute::not(&gone)?)
    }

    /// Makes the run fail at a row, whatever the policy. The row stays: what
    /// happens to the block is of no use any more.
    pub(super) fn stop_at(&mut self, (row, problem): RowProblem, blame: &Blame) {
        let no_choice = Blame { policy: ValuePolicy::Fail, policy_key: None, ..blame.clone() };
        self.faults.push(self.fault_of(row, problem, &no_choice));
    }

    fn fault_of(&self, row: usize, problem: InputProblem, blame: &Blame) -> Fault {
        let Blame { column, policy, policy_key } = blame.clone();
        Fault { record: self.records[row], column, problem, policy, origin: Origin::Row { policy_key } }
    }

    /// Takes out rows that are false, and counts them as filtered. `keep` has no nulls.
    pub(super) fn filter(&mut self, keep: &BooleanArray) -> Result<(), ArrowError> {
        let out = keep.len() - keep.true_count();
        self.filtered += out as u64;
        if out == 0 { Ok(()) } else { self.keep(keep) }
    }

    fn keep(&mut self, keep: &BooleanArray) -> Result<(), ArrowError> {
        let predicate = FilterBuilder::new(keep).optimize().build();
        for values in self.slots.iter_mut().flatten() {
            *values = predicate.filter(values)?;
        }
        let mut row = 0;
        self.records.retain(|_| {
            row += 1;
            keep.value(row - 1)
        });
        Ok(())
    }

    /// What has become of the rows; `batch` and `keys` are made by the caller of what is left.
    pub(super) fn finish(
        mut self,
        batch: arrow::array::RecordBatch,
        keys: Vec<Vec<Option<u128>>>,
    ) -> TransformedRows {
        self.faults.sort_by_key(|fault| fault.record);
        TransformedRows {
            rows: Rows { batch, records: self.records },
            filtered: self.filtered,
            faults: self.faults,
            nulled: self.nulled,
            keys,
        }
    }
}

/// True for these rows.
fn mask(rows: usize, set: impl Iterator<Item = usize>) -> BooleanArray {
    let mut bits = BooleanBufferBuilder::new(rows);
    bits.append_n(rows, false);
    set.for_each(|row| bits.set_bit(row, true));
    BooleanArray::new(bits.finish(), None)
}

/// Some rows of an array as text of at most 100 characters, for messages.
pub(super) fn texts(values: &ArrayRef, rows: impl Iterator<Item = usize>) -> Result<Vec<String>, ArrowError> {
    const CHARACTERS: usize = 100;
    let options = arrow::util::display::FormatOptions::default().with_null("null");
    let formatter = arrow::util::display::ArrayFormatter::try_new(values.as_ref(), &options)?;
    Ok(rows.map(|row| formatter.value(row).to_string().chars().take(CHARACTERS).collect()).collect())
}

/// An array with one text in every row.
pub(super) fn repeated(text: &str, rows: usize) -> StringArray {
    StringArray::from_iter_values(std::iter::repeat_n(text, rows))
}
