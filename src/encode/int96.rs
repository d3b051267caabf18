//! Timestamps as INT96, which the Arrow writer of the parquet crate has no way to write.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{
    DataType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType,
};
use bytes::Bytes;
use parquet::column::page::{CompressedPage, PageWriteSpec, PageWriter};
use parquet::column::writer::{ColumnCloseResult, ColumnWriter, get_column_writer};
use parquet::data_type::Int96;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The Julian day of 1970-01-01.
const JULIAN_DAY_OF_EPOCH: i64 = 2_440_588;
const SECONDS_PER_DAY: i64 = 86_400;

/// Encodes one column chunk.
pub(super) struct Int96Encoder {
    writer: ColumnWriter<'static>,
    pages: Pages,
    nullable: bool,
    /// Values handed over; those that are not in a page yet take 12 bytes each.
    values: usize,
}

/// An encoded column chunk.
pub(super) struct Int96Chunk {
    pub(super) pages: Bytes,
    pub(super) close: ColumnCloseResult,
}

impl Int96Encoder {
    pub(super) fn new(column: ColumnDescPtr, properties: WriterPropertiesPtr) -> Self {
        let pages = Pages::default();
        let nullable = column.max_def_level() > 0;
        let writer = get_column_writer(column, properties, Box::new(pages.clone()));
        Int96Encoder { writer, pages, nullable, values: 0 }
    }

    pub(super) fn write(&mut self, array: &ArrayRef) -> Result<(), ParquetError> {
        let values = int96_values(array)?;
        let levels: Option<Vec<i16>> =
            self.nullable.then(|| (0..array.len()).map(|row| i16::from(array.is_valid(row))).collect());
        let ColumnWriter::Int96ColumnWriter(writer) = &mut self.writer else {
            return Err(ParquetError::General("the column is not INT96".into()));
        };
        self.values += values.len();
        writer.write_batch(&values, levels.as_deref(), None).map(drop)
    }

    /// Pages and dictionary indices so far, in bytes.
    pub(super) fn encoded_bytes(&self) -> usize {
        match &self.writer {
            ColumnWriter::Int96ColumnWriter(writer) => writer.get_total_bytes_written() as usize,
            _ => 0,
        }
    }

    /// At most: pages, and values that are in none yet.
    pub(super) fn memory_bytes(&self) -> usize {
        self.encoded_bytes() + self.values.min(1 << 16) * size_of::<Int96>()
    }

    pub(super) fn close(self) -> Result<Int96Chunk, ParquetError> {
        let Int96Encoder { writer, pages, .. } = self;
        let close = writer.close()?;
        let mut sink = pages.sink();
        let pages = std::mem::replace(&mut *sink, TrackedWrite::new(Vec::new())).into_inner()?;
        Ok(Int96Chunk { pages: pages.into(), close })
    }
}

/// Pages of one column chunk, in memory.
#[derive(Clone)]
struct Pages(Arc<Mutex<TrackedWrite<Vec<u8>>>>);

impl Default for Pages {
    fn default() -> Self {
        Pages(Arc::new(Mutex::new(TrackedWrite::new(Vec::new()))))
    }
}

impl Pages {
    fn sink(&self) -> MutexGuard<'_, TrackedWrite<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PageWriter for Pages {
    fn write_page(&mut self, page: CompressedPage) -> Result<PageWriteSpec, ParquetError> {
        SerializedPageWriter::new(&mut self.sink()).write_page(page)
    }

    fn close(&mut self) -> Result<(), ParquetError> {
        Ok(())
    }
}

/// The values that are not null.
fn int96_values(array: &ArrayRef) -> Result<Vec<Int96>, ParquetError> {
    let DataType::Timestamp(unit, _) = array.data_type() else {
        return Err(ParquetError::General(format!("a {} is not a timestamp", array.data_type())));
    };
    let per_second: i64 = match unit {
        TimeUnit::Second => 1,
        TimeUnit::Millisecond => 1_000,
        TimeUnit::Microsecond => 1_000_000,
        TimeUnit::Nanosecond => 1_000_000_000,
    };
    let values = match unit {
        TimeUnit::Second => array.as_primitive::<TimestampSecondType>().values(),
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().values(),
        TimeUnit::Microsecond => array.as_primitive::<TimestampMicrosecondType>().values(),
        TimeUnit::Nanosecond => array.as_primitive::<TimestampNanosecondType>().values(),
    };
    let present = values.iter().enumerate().filter(|(row, _)| array.is_valid(*row));
    present.map(|(_, &value)| int96(value, per_second)).collect()
}

/// Nanoseconds of the day, then the Julian day. Never counted as nanoseconds
/// since 1970, which end in 2262.
fn int96(value: i64, per_second: i64) -> Result<Int96, ParquetError> {
    let per_day = SECONDS_PER_DAY * per_second;
    let day = value.div_euclid(per_day) + JULIAN_DAY_OF_EPOCH;
    let nanoseconds = value.rem_euclid(per_day) as u64 * (1_000_000_000 / per_second) as u64;
    // Readers take the day as signed, some as unsigned.
    let day = u32::try_from(day).ok().filter(|day| i32::try_from(*day).is_ok()).ok_or_else(|| {
        ParquetError::General(format!(
            "{value} (in 1/{per_second} s since 1970) is outside the range of INT96"
        ))
    })?;
    let mut int96 = Int96::new();
    int96.set_data(nanoseconds as u32, (nanoseconds >> 32) as u32, day);
    Ok(int96)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn days_that_int96_does_not_hold_are_refused() {
        let micros = 1_000_000;
        assert!(int96(-JULIAN_DAY_OF_EPOCH * SECONDS_PER_DAY * micros, micros).is_ok());
        assert!(int96(-JULIAN_DAY_OF_EPOCH * SECONDS_PER_DAY * micros - 1, micros).is_err());
        assert!(int96(i64::MIN, micros).is_err());
        assert!(int96(i64::MAX, micros).is_ok());
        assert!(int96(i64::MAX, 1).is_err(), "seconds reach beyond 32 bits of days");
    }

    proptest! {
        #[test]
        fn what_is_read_back_is_what_was_written(value in any::<i64>(), unit in 0..4) {
            let per_second = 1_000i64.pow(unit as u32);
            if let Ok(int96) = int96(value, per_second) {
                let nanoseconds = i128::from(int96.data()[0]) | i128::from(int96.data()[1]) << 32;
                let day = i128::from(int96.data()[2]) - i128::from(JULIAN_DAY_OF_EPOCH);
                let total = day * 86_400_000_000_000 + nanoseconds;
                prop_assert!((0..86_400_000_000_000).contains(&nanoseconds));
                prop_assert_eq!(total, i128::from(value) * i128::from(1_000_000_000 / per_second));
            }
        }
    }
}
