//! Where routed rows go: into the files, or first into their order.

use super::lane::WAVE_BLOCKS;
use crate::documents::FileReport;
use crate::encode::{Consumed, FileShape, TableWriter};
use crate::error::Result;
use crate::order::{SortColumn, Sorter, SpillDirectory};
use crate::partition::PartitionRows;
use crate::runtime::{Budget, Holder, Lease, Runtime};
use crate::spec::EngineSpec;

/// Takes rows in order.
pub(super) struct Sink<'t> {
    writer: TableWriter<'t>,
    sorter: Option<Sorter>,
    /// Counts the bytes of the sorter.
    sorted: Lease,
}

impl<'t> Sink<'t> {
    /// Rows for files of this shape: in the order that it declares, if any.
    pub(super) fn new(
        writer: TableWriter<'t>,
        shape: &FileShape,
        engine: &EngineSpec,
        spill_directory: &SpillDirectory,
        budget: &Budget,
    ) -> Result<Self> {
        // From what the footers will say, so that none declares an order that the rows lack.
        let by: Vec<SortColumn> = shape.sort_columns().iter().map(SortColumn::from).collect();
        let sorter = match by.is_empty() {
            true => None,
            false => {
                let partitions = writer.partitions().clone();
                Some(Sorter::new(shape.schema(), &by, partitions, engine.sort_bytes, spill_directory)?)
            }
        };
        Ok(Sink { writer, sorter, sorted: budget.lease(Holder::Sorted, 0) })
    }

    /// Takes a wave of rows. Called on the compute pool.
    pub(super) fn write(
        &mut self,
        rows: impl IntoIterator<Item = PartitionRows>,
        consumed: Consumed,
    ) -> Result<()> {
        match &mut self.sorter {
            None => self.writer.write(rows, consumed),
            Some(sorter) => rows.into_iter().try_for_each(|rows| {
                sorter.push(rows)?;
                self.sorted.resize(sorter.memory_bytes());
                Ok(())
            }),
        }
    }

    /// Writes what is left and finishes the files. Called on the compute pool.
    pub(super) fn finish(mut self, consumed: Consumed, runtime: &Runtime) -> Result<Vec<FileReport>> {
        // All text has been read: it does not say how far the writing has come.
        // The rows of each partition do, where they were sorted.
        let consumed = Consumed { total_text_bytes: None, ..consumed };
        if let Some(sorter) = self.sorter {
            self.writer.expect(sorter.rows_by_partition());
            let mut sorted = sorter.finish()?;
            loop {
                runtime.cancel().check()?;
                let wave = sorted.by_ref().take(WAVE_BLOCKS).collect::<Result<Vec<_>>>()?;
                self.sorted.resize(sorted.memory_bytes());
                if wave.is_empty() {
                    break;
                }
                self.writer.write(wave, consumed)?;
            }
        }
        self.writer.finish(consumed.records)
    }
}
