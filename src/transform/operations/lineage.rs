//! Where rows come from.

use super::Operation;
use crate::spec::LineageSpec;
use crate::transform::frame::{Frame, Slot, repeated};
use crate::transform::rows::{BlockContext, RunContext};
use crate::value::ColumnType;
use arrow::array::{ArrayRef, Int64Array, TimestampMicrosecondArray};
use arrow::datatypes::TimeUnit;
use arrow::error::ArrowError;
use std::sync::Arc;

/// Fills a column with where its rows come from.
#[derive(Debug)]
pub(in crate::transform) struct Lineage {
    pub(in crate::transform) what: LineageSpec,
    pub(in crate::transform) run: RunContext,
    pub(in crate::transform) to: Slot,
}

impl Lineage {
    /// The type of the column.
    pub(in crate::transform) fn column_type(what: LineageSpec) -> ColumnType {
        match what {
            LineageSpec::SourceUrl | LineageSpec::RunId => ColumnType::Text,
            LineageSpec::RecordNumber => ColumnType::Int { bits: 64 },
            LineageSpec::LoadedAt => ColumnType::Timestamp { unit: TimeUnit::Microsecond, utc: true },
        }
    }
}

impl Operation for Lineage {
    fn inputs(&self) -> Vec<Slot> {
        Vec::new()
    }

    fn run(&self, frame: &mut Frame, block: &BlockContext<'_>) -> Result<(), ArrowError> {
        let rows = frame.rows();
        let values: ArrayRef = match self.what {
            LineageSpec::SourceUrl => Arc::new(repeated(block.url, rows)),
            LineageSpec::RunId => Arc::new(repeated(&self.run.run_id, rows)),
            LineageSpec::RecordNumber => {
                let number = |record: &u32| block.first_record_number + i64::from(*record);
                Arc::new(frame.records().iter().map(number).collect::<Int64Array>())
            }
            LineageSpec::LoadedAt => {
                let moments = TimestampMicrosecondArray::from_value(self.run.loaded_at_us, rows);
                Arc::new(moments.with_timezone("UTC"))
            }
        };
        frame.set(self.to, values);
        Ok(())
    }
}
