//! Where routed rows go: into the files, or first into their order.

use super::WAVE_BLOCKS;
use crate::encode::{Consumed, TableWriter};
use crate::error::Result;
use crate::job::{EngineSpec, NullOrder, OutputSpec, SortOrder};
use crate::order::{Scratch, SortColumn, Sorter};
use crate::partition::PartitionRows;
use crate::runtime::Runtime;
use crate::task::FileReport;
use arrow::datatypes::SchemaRef;

/// Takes rows in order.
pub(super) struct Sink<'t> {
    writer: TableWriter<'t>,
    sorter: Option<Sorter>,
}

impl<'t> Sink<'t> {
    /// Rows of `schema`, the columns of the files.
    pub(super) fn new(
        writer: TableWriter<'t>,
        schema: &SchemaRef,
        output: &OutputSpec,
        engine: &EngineSpec,
        scratch: &Scratch,
    ) -> Result<Self> {
        let by = sort_columns(schema, output);
        let sorter = match by.is_empty() {
            true => None,
            false => Some(Sorter::new(schema, &by, engine.sort_bytes, scratch)?),
        };
        Ok(Sink { writer, sorter })
    }

    /// Takes a wave of rows. Called on the compute pool.
    pub(super) fn write(
        &mut self,
        rows: impl IntoIterator<Item = PartitionRows>,
        consumed: Consumed,
    ) -> Result<()> {
        match &mut self.sorter {
            None => self.writer.write(rows, consumed),
            Some(sorter) => rows.into_iter().try_for_each(|rows| sorter.push(rows)),
        }
    }

    /// Writes what is left and finishes the files. Called on the compute pool.
    pub(super) fn finish(mut self, consumed: Consumed, runtime: &Runtime) -> Result<Vec<FileReport>> {
        // All text has been read: it does not say how far the writing has come.
        let consumed = Consumed { total_text_bytes: None, ..consumed };
        if let Some(sorter) = self.sorter {
            let mut sorted = sorter.finish()?;
            loop {
                runtime.cancel().check()?;
                let wave = sorted.by_ref().take(WAVE_BLOCKS).collect::<Result<Vec<_>>>()?;
                if wave.is_empty() {
                    break;
                }
                self.writer.write(wave, consumed)?;
            }
        }
        self.writer.finish(consumed.records)
    }
}

/// Partition keys are left out: within a partition they say nothing.
fn sort_columns(schema: &SchemaRef, output: &OutputSpec) -> Vec<SortColumn> {
    let column = |key: &crate::job::SortKey| {
        let (column, _) = schema.column_with_name(&key.column)?;
        let (descending, nulls_first) = (key.order == SortOrder::Descending, key.nulls == NullOrder::First);
        Some(SortColumn { column, descending, nulls_first })
    };
    output.sort_by.iter().filter_map(column).collect()
}
