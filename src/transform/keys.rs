//! Keys of rows: 128 bits for the values of several columns.
//!
//! The bytes hashed are Arrow's row format, in which equal values, and only
//! those, have equal bytes; the hash is XXH3-128. Two different keys among n
//! have the same hash with a chance of about n²/2^129: 10^-21 for a billion
//! keys (the birthday bound), less than that of a memory error unseen. XXH3 is
//! no cryptographic hash: who can choose the values can make collisions.

use super::frame::{Frame, Slot};
use super::rows::{KeyCheck, KeyMeaning};
use crate::value::ColumnType;
use arrow::array::Array;
use arrow::error::ArrowError;
use arrow::row::{RowConverter, SortField};
use twox_hash::XxHash3_128;

/// A comparison of rows and where its columns are at the end of the program.
#[derive(Debug)]
pub(super) struct Key {
    pub(super) check: KeyCheck,
    pub(super) slots: Vec<Slot>,
    converter: RowConverter,
}

impl Key {
    /// A key of columns of these types.
    pub(super) fn new(check: KeyCheck, columns: &[(Slot, ColumnType)]) -> Result<Self, ArrowError> {
        let fields = columns.iter().map(|(_, column_type)| SortField::new(column_type.arrow())).collect();
        let slots = columns.iter().map(|(slot, _)| *slot).collect();
        Ok(Key { check, slots, converter: RowConverter::new(fields)? })
    }

    /// The key of every row that is left; `None` if it is not to be compared:
    /// nulls are equal where rows are deduplicated, and unlike all where they must be unique.
    pub(super) fn of_rows(&self, frame: &Frame) -> Result<Vec<Option<u128>>, ArrowError> {
        let columns = frame.columns(&self.slots)?;
        let rows = self.converter.convert_columns(&columns)?;
        let compares_nulls = !matches!(self.check.meaning, KeyMeaning::Unique(_));
        let is_compared = |row| compares_nulls || !columns.iter().any(|column| column.is_null(row));
        let keys = rows.iter().enumerate();
        Ok(keys.map(|(row, key)| is_compared(row).then(|| XxHash3_128::oneshot(key.as_ref()))).collect())
    }
}
