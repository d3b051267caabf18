//! How many sorted runs lie on disk, and which are merged when.
//!
//! Runs of one size class are merged as soon as there are enough of them, so
//! each row is written again only a logarithmic number of times, and the files
//! open at once are at most [`FAN_IN`] of each class. Only neighbours are
//! merged: runs stay in the order in which their rows came.

use crate::error::Result;

/// Runs read at once. A merge of 64 runs of 48 MiB is 3 GiB in one pass; the
/// cost of a pass is the disk's, not the comparisons'.
pub(super) const FAN_IN: usize = 64;

pub(super) trait Run {
    /// Memory that this run takes while it is merged.
    fn merge_bytes(&self) -> u64;
}

#[derive(Debug)]
pub(super) struct Runs<R> {
    /// With the number of merges behind each; never ascending.
    runs: Vec<(u32, R)>,
    /// For all runs of a merge together. Two are merged whatever they take:
    /// a row may be larger than all memory there is for it.
    merge_bytes: u64,
}

impl<R: Run> Runs<R> {
    pub(super) fn new(merge_bytes: u64) -> Self {
        Runs { runs: Vec::new(), merge_bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Adds a run; `merge` makes one run of neighbours.
    pub(super) fn push(&mut self, run: R, mut merge: impl FnMut(Vec<R>) -> Result<R>) -> Result<()> {
        self.runs.push((0, run));
        while let Some((level, start)) = self.full_level() {
            let merged = merge(self.runs.drain(start..).map(|(_, run)| run).collect())?;
            self.runs.push((level + 1, merged));
        }
        Ok(())
    }

    /// As few runs as one merge can take.
    pub(super) fn into_one_merge(mut self, mut merge: impl FnMut(Vec<R>) -> Result<R>) -> Result<Vec<R>> {
        while self.runs.len() > 2 && (self.runs.len() > FAN_IN || self.bytes_from(0) > self.merge_bytes) {
            // The last are the smallest.
            let start = self.tail();
            let level = self.runs[start].0;
            let merged = merge(self.runs.drain(start..).map(|(_, run)| run).collect())?;
            self.runs.push((level, merged));
        }
        Ok(self.runs.into_iter().map(|(_, run)| run).collect())
    }

    fn bytes_from(&self, start: usize) -> u64 {
        self.runs[start..].iter().map(|(_, run)| run.merge_bytes()).sum()
    }

    /// The last level and where it begins, if it is to be merged.
    fn full_level(&self) -> Option<(u32, usize)> {
        let level = self.runs.last()?.0;
        let start = self.runs.iter().rposition(|(other, _)| *other != level).map_or(0, |last| last + 1);
        let count = self.runs.len() - start;
        let full = count >= FAN_IN || (count >= 2 && self.bytes_from(start) > self.merge_bytes);
        full.then_some((level, start))
    }

    /// Where the longest tail begins that one merge can take.
    fn tail(&self) -> usize {
        let mut start = self.runs.len() - 2;
        while start > 0 && self.runs.len() - start < FAN_IN && self.bytes_from(start - 1) <= self.merge_bytes
        {
            start -= 1;
        }
        start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// First and last row, bytes, and how often its rows were written.
    #[derive(Debug, Clone, Copy)]
    struct Fake(usize, usize, u64, u32);

    impl Run for Fake {
        fn merge_bytes(&self) -> u64 {
            self.2
        }
    }

    #[test]
    fn merges_are_of_few_neighbours_and_as_deep_as_the_logarithm() {
        // Runs, bytes of each; most merges of a row; runs of the last merge.
        for (count, bytes, most_writes, most_left) in [
            (1, 1, 1, 1),
            (64, 1, 2, 1),
            (63, 1, 1, 63),
            (4_096, 1, 3, 1),
            (5_000, 1, 3, 64),
            (1_000, 40, 12, 2),
            (1_000, 1_000, 12, 2),
        ] {
            let mut runs = Runs::new(64);
            let mut open = 0;
            let mut merge = |runs: Vec<Fake>| {
                let fits = runs.iter().map(|run| run.2).sum::<u64>() <= 64 + bytes;
                assert!(runs.len() == 2 || (runs.len() <= FAN_IN && fits), "{runs:?}");
                assert!(runs.windows(2).all(|pair| pair[0].1 == pair[1].0), "{runs:?}");
                let writes = runs.iter().map(|run| run.3).max().unwrap_or(0);
                Ok(Fake(runs[0].0, runs[runs.len() - 1].1, bytes, writes + 1))
            };
            for n in 0..count {
                runs.push(Fake(n, n + 1, bytes, 1), &mut merge).unwrap();
                open = open.max(runs.runs.len());
            }
            let left = runs.into_one_merge(&mut merge).unwrap();
            assert!(
                left.len() <= most_left && open <= 3 * FAN_IN,
                "{count}: {} left, {open} open",
                left.len()
            );
            assert!(left.iter().all(|run| run.3 <= most_writes), "{count}: {left:?}");
            assert_eq!((left[0].0, left[left.len() - 1].1), (0, count));
        }
    }
}
