//! An external sort of small entries of a fixed size.

use super::external_sort::{ExternalSort, Merge, SortedRun};
use super::runs::{FAN_IN, Run};
use super::spill_directory::{SpillDirectory, SpillFile};
use crate::error::Result;
use rayon::slice::ParallelSliceMut;
use std::cmp::Ordering;
use std::io::{BufWriter, Read, Write};
use std::vec::IntoIter;

/// What one run is read and written by, in bytes: less costs too many system
/// calls, more gains nothing.
const MIN_READ_BYTES: u64 = 4 << 10;
const MAX_READ_BYTES: u64 = 1 << 20;

/// Larger runs would not make merges rarer in practice.
const MAX_RUN_BYTES: u64 = 1 << 30;

/// Sorts entries of `N` words, of which the first weighs most.
pub(super) struct EntrySorter<const N: usize> {
    buffer: Vec<[u64; N]>,
    most_entries: usize,
    runs: ExternalSort<EntryRun<N>>,
}

impl<const N: usize> EntrySorter<N> {
    /// Takes `budget_bytes`, but enough to read two runs in any case.
    pub(super) fn new(budget_bytes: u64, spill_directory: &SpillDirectory) -> Self {
        let entries = budget_bytes.min(MAX_RUN_BYTES) / (N as u64 * 8);
        // Beside the runs that are read: the one that is written, and what was read before it
        // has become entries.
        let read_bytes = (budget_bytes / (FAN_IN as u64 + 2)).clamp(MIN_READ_BYTES, MAX_READ_BYTES);
        let form = EntryForm { read_bytes, spill_directory: spill_directory.clone() };
        EntrySorter {
            buffer: Vec::new(),
            most_entries: entries.max(1) as usize,
            runs: ExternalSort::new(form, budget_bytes),
        }
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        (self.buffer.capacity() * N * 8) as u64
    }

    pub(super) fn push(&mut self, entry: [u64; N]) -> Result<()> {
        if self.buffer.len() == self.most_entries {
            self.runs.spill(EntryRun::sorted(std::mem::take(&mut self.buffer)))?;
        }
        if self.buffer.capacity() == 0 {
            // At once, as growing would copy; pages that stay untouched cost nothing.
            self.buffer.reserve_exact(self.most_entries);
        }
        self.buffer.push(entry);
        Ok(())
    }

    /// The entries in ascending order.
    pub(super) fn finish(self) -> Result<SortedEntries<N>> {
        Ok(SortedEntries(self.runs.finish(Some(EntryRun::sorted(self.buffer)))?))
    }
}

/// Gives entries in ascending order.
pub(super) struct SortedEntries<const N: usize>(Merge<EntryRun<N>>);

impl<const N: usize> Iterator for SortedEntries<N> {
    type Item = Result<[u64; N]>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut entry = None;
        let picked = self.0.pick(|_, run| {
            let is_first = entry.is_none();
            entry = entry.or(Some(run.entry));
            is_first
        });
        picked.map(|()| entry).transpose()
    }
}

#[derive(Clone)]
struct EntryForm {
    /// What is read at once.
    read_bytes: u64,
    spill_directory: SpillDirectory,
}

/// Entries in order.
struct EntryRun<const N: usize> {
    entry: [u64; N],
    /// What follows in memory.
    following: IntoIter<[u64; N]>,
    /// What follows on disk, as little-endian words.
    file: Option<SpillFile>,
    left: u64,
    read_bytes: u64,
}

impl<const N: usize> EntryRun<N> {
    fn sorted(mut entries: Vec<[u64; N]>) -> Self {
        // Equal entries are alike in every way, so an unstable sort is as good.
        entries.par_sort_unstable();
        EntryRun { entry: [0; N], following: entries.into_iter(), file: None, left: 0, read_bytes: 0 }
    }
}

impl<const N: usize> Run for EntryRun<N> {
    fn merge_bytes(&self) -> u64 {
        self.read_bytes
    }
}

impl<const N: usize> SortedRun for EntryRun<N> {
    type Form = EntryForm;

    fn write(form: &EntryForm, items: Merge<Self>) -> Result<Self> {
        let &EntryForm { read_bytes, ref spill_directory } = form;
        let mut file = BufWriter::with_capacity(read_bytes as usize, spill_directory.file()?);
        let mut left = 0;
        for entry in SortedEntries(items) {
            for word in entry? {
                let written = file.write_all(&word.to_le_bytes());
                written.map_err(|cause| spill_directory.failed("write", &cause))?;
            }
            left += 1;
        }
        let mut file = file.into_inner().map_err(|e| spill_directory.failed("write", e.error()))?;
        file.rewind()?;
        Ok(EntryRun { entry: [0; N], following: Vec::new().into_iter(), file: Some(file), left, read_bytes })
    }

    fn load(&mut self, form: &EntryForm) -> Result<bool> {
        if let Some(file) = &mut self.file {
            self.following = Vec::new().into_iter();
            let entries = self.left.min(self.read_bytes / (N as u64 * 8));
            self.left -= entries;
            let mut bytes = vec![0; entries as usize * N * 8];
            file.read_exact(&mut bytes).map_err(|cause| form.spill_directory.failed("read", &cause))?;
            let (words, _) = bytes.as_chunks::<8>();
            let (entries, _) = words.as_chunks::<N>();
            let entries = entries.iter().map(|entry| entry.map(u64::from_le_bytes));
            self.following = entries.collect::<Vec<_>>().into_iter();
        }
        Ok(self.advance())
    }

    fn advance(&mut self) -> bool {
        self.following.next().map(|entry| self.entry = entry).is_some()
    }

    fn order(&self, other: &Self) -> Ordering {
        self.entry.cmp(&other.entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::Cancel;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn entries_come_sorted_whatever_fits_into_memory(
            entries in prop::collection::vec([0u64..9, 0u64..9_000], 0..400),
            budget in prop_oneof![0u64..200, Just(20_000)],
        ) {
            let spill_directory = SpillDirectory::new(None, Cancel::default());
            let mut sorter = EntrySorter::new(budget, &spill_directory);
            for &entry in &entries {
                sorter.push(entry).unwrap();
                prop_assert!(sorter.memory_bytes() <= budget.max(16));
            }
            let sorted: Vec<_> = sorter.finish().unwrap().collect::<Result<_>>().unwrap();
            let mut expected = entries;
            expected.sort_unstable();
            prop_assert_eq!(sorted, expected);
            prop_assert_eq!(spill_directory.bytes(), 0);
        }
    }
}
