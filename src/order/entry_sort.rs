//! An external sort of small entries of a fixed size.

use super::runs::{FAN_IN, Run, Runs};
use super::spill_directory::{SpillDirectory, SpillFile};
use crate::error::Result;
use rayon::slice::ParallelSliceMut;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io::{BufReader, BufWriter, Read, Write};

/// What one run is read and written by, in bytes: less costs too many system
/// calls, more gains nothing.
const MIN_READ_BYTES: u64 = 4 << 10;
const MAX_READ_BYTES: u64 = 1 << 20;

/// Larger runs would not make merges rarer in practice.
const MAX_RUN_BYTES: u64 = 1 << 30;

/// Sorts entries of `N` words, of which the first weighs most.
#[derive(Debug)]
pub(super) struct EntrySorter<const N: usize> {
    buffer: Vec<[u64; N]>,
    most_entries: usize,
    runs: Runs<EntryRun>,
    read_bytes: u64,
    spill_directory: SpillDirectory,
}

impl<const N: usize> EntrySorter<N> {
    /// Takes `budget_bytes`, but enough to read two runs in any case.
    pub(super) fn new(budget_bytes: u64, spill_directory: &SpillDirectory) -> Self {
        let entries = budget_bytes.min(MAX_RUN_BYTES) / (N as u64 * 8);
        EntrySorter {
            buffer: Vec::new(),
            most_entries: entries.max(1) as usize,
            runs: Runs::new(budget_bytes),
            read_bytes: (budget_bytes / (FAN_IN as u64 + 1)).clamp(MIN_READ_BYTES, MAX_READ_BYTES),
            spill_directory: spill_directory.clone(),
        }
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        (self.buffer.capacity() * N * 8) as u64
    }

    pub(super) fn push(&mut self, entry: [u64; N]) -> Result<()> {
        if self.buffer.len() == self.most_entries {
            self.spill()?;
        }
        if self.buffer.capacity() == 0 {
            // At once, as growing would copy; pages that stay untouched cost nothing.
            self.buffer.reserve_exact(self.most_entries);
        }
        self.buffer.push(entry);
        Ok(())
    }

    /// The entries in ascending order.
    pub(super) fn finish(mut self) -> Result<SortedEntries<N>> {
        if self.runs.is_empty() {
            self.buffer.par_sort_unstable();
            return Ok(SortedEntries::Memory(self.buffer.into_iter()));
        }
        self.spill()?;
        let (read_bytes, spill_directory) = (self.read_bytes, self.spill_directory);
        let runs = self.runs.into_one_merge(|runs| merge::<N>(runs, read_bytes, &spill_directory))?;
        Ok(SortedEntries::Disk(Merge::of(runs)?))
    }

    fn spill(&mut self) -> Result<()> {
        let mut buffer = std::mem::take(&mut self.buffer);
        // Equal entries are alike in every way, so an unstable sort is as good.
        buffer.par_sort_unstable();
        let mut run = RunWriter::create(self.read_bytes, &self.spill_directory)?;
        buffer.iter().try_for_each(|entry| run.push(entry))?;
        drop(buffer);
        let (read_bytes, spill_directory) = (self.read_bytes, &self.spill_directory);
        self.runs.push(run.finish()?, |runs| merge::<N>(runs, read_bytes, spill_directory))
    }
}

/// Gives entries in ascending order.
#[derive(Debug)]
pub(super) enum SortedEntries<const N: usize> {
    /// All were in memory.
    Memory(std::vec::IntoIter<[u64; N]>),
    /// Merged from runs.
    Disk(Merge<N>),
}

impl<const N: usize> Iterator for SortedEntries<N> {
    type Item = Result<[u64; N]>;

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            SortedEntries::Memory(entries) => entries.next().map(Ok),
            SortedEntries::Disk(merge) => merge.next().transpose(),
        }
    }
}

fn merge<const N: usize>(
    runs: Vec<EntryRun>,
    read_bytes: u64,
    spill_directory: &SpillDirectory,
) -> Result<EntryRun> {
    let mut merge = Merge::<N>::of(runs)?;
    let mut run = RunWriter::create(read_bytes, spill_directory)?;
    while let Some(entry) = merge.next()? {
        run.push(&entry)?;
    }
    run.finish()
}

/// Sorted entries on disk, as little-endian words.
#[derive(Debug)]
struct EntryRun {
    file: SpillFile,
    entries: u64,
    read_bytes: u64,
}

impl Run for EntryRun {
    fn merge_bytes(&self) -> u64 {
        self.read_bytes
    }
}

struct RunWriter {
    file: BufWriter<SpillFile>,
    entries: u64,
    read_bytes: u64,
}

impl RunWriter {
    fn create(read_bytes: u64, spill_directory: &SpillDirectory) -> Result<Self> {
        let file = BufWriter::with_capacity(read_bytes as usize, spill_directory.file()?);
        Ok(RunWriter { file, entries: 0, read_bytes })
    }

    fn push<const N: usize>(&mut self, entry: &[u64; N]) -> Result<()> {
        self.entries += 1;
        for word in entry {
            let written = self.file.write_all(&word.to_le_bytes());
            written.map_err(|cause| self.file.get_ref().spill_directory().failed("write", &cause))?;
        }
        Ok(())
    }

    fn finish(self) -> Result<EntryRun> {
        let spill_directory = self.file.get_ref().spill_directory().clone();
        let mut file = self.file.into_inner().map_err(|e| spill_directory.failed("write", e.error()))?;
        file.rewind()?;
        Ok(EntryRun { file, entries: self.entries, read_bytes: self.read_bytes })
    }
}

#[derive(Debug)]
struct RunReader {
    file: BufReader<SpillFile>,
    left: u64,
}

impl RunReader {
    fn next<const N: usize>(&mut self) -> Result<Option<[u64; N]>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        let mut entry = [0; N];
        for word in &mut entry {
            let mut bytes = [0; 8];
            let read = self.file.read_exact(&mut bytes);
            read.map_err(|cause| self.file.get_ref().spill_directory().failed("read", &cause))?;
            *word = u64::from_le_bytes(bytes);
        }
        Ok(Some(entry))
    }
}

#[derive(Debug)]
pub(super) struct Merge<const N: usize> {
    readers: Vec<RunReader>,
    /// The least entry of each run that has one left, and which run it is.
    heads: BinaryHeap<Reverse<([u64; N], usize)>>,
}

impl<const N: usize> Merge<N> {
    fn of(runs: Vec<EntryRun>) -> Result<Self> {
        let mut merge = Merge { readers: Vec::new(), heads: BinaryHeap::new() };
        for (number, run) in runs.into_iter().enumerate() {
            let file = BufReader::with_capacity(run.read_bytes as usize, run.file);
            let mut reader = RunReader { file, left: run.entries };
            merge.heads.extend(reader.next()?.map(|entry| Reverse((entry, number))));
            merge.readers.push(reader);
        }
        Ok(merge)
    }

    fn next(&mut self) -> Result<Option<[u64; N]>> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let Reverse((entry, run)) = *head;
        match self.readers[run].next()? {
            Some(following) => head.0.0 = following,
            None => drop(PeekMut::pop(head)),
        }
        Ok(Some(entry))
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
