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
