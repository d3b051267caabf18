//! Which of many rows repeat a key, found on disk.

use super::entries::{EntrySorter, SortedEntries};
use super::spill_directory::SpillDirectory;
use crate::error::Result;

/// Which row of a key stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The one that came first.
    First,
    /// The one that came last.
    Last,
}

/// Collects the keys of numbered rows and gives the rows to be left out.
///
/// Two external sorts: by (key, row), after which the rows of a key are
/// neighbours; and of the rows to be left out by number, so that whoever reads
/// the rows again needs no more than the next of them. (A bitmap of all rows
/// would grow with the input.)
pub(super) struct Repeats {
    keep: Keep,
    entries: EntrySorter<3>,
    repeats: EntrySorter<1>,
}

impl Repeats {
    /// Takes two thirds of `budget_bytes` for keys and one third for repeats.
    pub(super) fn new(keep: Keep, budget_bytes: u64, spill_directory: &SpillDirectory) -> Self {
        let third = budget_bytes / 3;
        let entries = EntrySorter::new(2 * third, spill_directory);
        Repeats { keep, entries, repeats: EntrySorter::new(third, spill_directory) }
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.entries.memory_bytes() + self.repeats.memory_bytes()
    }

    pub(super) fn push(&mut self, key: u128, row: u64) -> Result<()> {
        self.entries.push([(key >> 64) as u64, key as u64, row])
    }

    /// The rows that have to go, ascending.
    pub(super) fn finish(mut self) -> Result<RepeatedRows> {
        let mut previous: Option<[u64; 3]> = None;
        for entry in self.entries.finish()? {
            let entry = entry?;
            if let Some(previous) = previous.filter(|previous| previous[..2] == entry[..2]) {
                self.repeats.push(match self.keep {
                    Keep::First => [entry[2]],
                    Keep::Last => [previous[2]],
                })?;
            }
            previous = Some(entry);
        }
        Ok(RepeatedRows(self.repeats.finish()?))
    }
}

/// Gives row numbers in ascending order.
pub(super) struct RepeatedRows(SortedEntries<1>);

impl Iterator for RepeatedRows {
    type Item = Result<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.map(|[row]| row))
    }
}
