//! An external merge sort: sorted runs on disk, merged into one order.
//!
//! Who sorts keeps items in memory and hands them over, sorted, when it is full. What an
//! item is, the [`SortedRun`] says: an entry of some words ([`super::entries`]), or a row
//! of a batch ([`super::sort`]). Items that are equal keep the order in which they came.

use super::runs::{Run, Runs};
use crate::error::Result;
use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// Items in order, some of them in memory, and which is the next.
pub(super) trait SortedRun: Run + Sized {
    /// What all runs of a sort have in common.
    type Form: Clone;

    /// Writes items to disk.
    fn write(form: &Self::Form, items: Merge<Self>) -> Result<Self>;

    /// Goes to the first item that is not in memory, in place of those that were;
    /// of a run that never was on disk to the first. False at the end of the run.
    fn load(&mut self, form: &Self::Form) -> Result<bool>;

    /// Goes to the next item in memory; false if there is none.
    fn advance(&mut self) -> bool;

    /// Compares the next items.
    fn order(&self, other: &Self) -> Ordering;
}

/// Sorted runs on disk, merged as their number demands.
pub(super) struct ExternalSort<R: SortedRun> {
    pub(super) form: R::Form,
    runs: Runs<R>,
}

impl<R: SortedRun> ExternalSort<R> {
    /// Merges at once what takes `merge_bytes` of memory, but two runs in any case.
    pub(super) fn new(form: R::Form, merge_bytes: u64) -> Self {
        ExternalSort { form, runs: Runs::new(merge_bytes) }
    }

    /// Moves what was sorted in memory to disk.
    pub(super) fn spill(&mut self, in_memory: R) -> Result<()> {
        let write = |runs| R::write(&self.form, Merge::of(runs, &self.form)?);
        self.runs.push(write(vec![in_memory])?, write)
    }

    /// All items: those on disk, and what is left in memory, if anything.
    pub(super) fn finish(mut self, in_memory: Option<R>) -> Result<Merge<R>> {
        let runs = match in_memory {
            Some(in_memory) if self.runs.is_empty() => vec![in_memory],
            in_memory => {
                in_memory.map_or(Ok(()), |run| self.spill(run))?;
                self.runs.into_one_merge(|runs| R::write(&self.form, Merge::of(runs, &self.form)?))?
            }
        };
        Merge::of(runs, &self.form)
    }
}

/// Merges runs.
pub(super) struct Merge<R: SortedRun> {
    form: R::Form,
    /// By their next items.
    heads: BinaryHeap<Head<R>>,
    /// The run of which nothing is in memory any more. Who picked its items may
    /// still hold them, so more are read only when others are asked for.
    dry: Option<Head<R>>,
}

impl<R: SortedRun> Merge<R> {
    fn of(runs: Vec<R>, form: &R::Form) -> Result<Self> {
        let heads = BinaryHeap::with_capacity(runs.len());
        let mut merge = Merge { form: form.clone(), heads, dry: None };
        for (number, run) in runs.into_iter().enumerate() {
            merge.load(Head { run: Box::new(run), number })?;
        }
        Ok(merge)
    }

    fn load(&mut self, mut head: Head<R>) -> Result<()> {
        if head.run.load(&self.form)? {
            self.heads.push(head);
        }
        Ok(())
    }

    /// Shows runs to `take`, in the order of their next items, each with its
    /// number, until it refuses the item or all that a run has in memory was
    /// taken. After an error, what would come is not in order.
    pub(super) fn pick(&mut self, mut take: impl FnMut(usize, &R) -> bool) -> Result<()> {
        self.dry.take().map_or(Ok(()), |head| self.load(head))?;
        while let Some(mut head) = self.heads.peek_mut() {
            if !take(head.number, &head.run) {
                break;
            }
            if !head.run.advance() {
                self.dry = Some(PeekMut::pop(head));
                break;
            }
        }
        Ok(())
    }

    /// The runs of which something is in memory.
    pub(super) fn runs(&self) -> impl Iterator<Item = &R> {
        self.heads.iter().chain(&self.dry).map(|head| &*head.run)
    }
}

/// A run that is merged.
struct Head<R> {
    /// In a box, as the heap moves it for each item.
    run: Box<R>,
    number: usize,
}

impl<R: SortedRun> Ord for Head<R> {
    /// Greatest is who goes first, as the heap wants it. Of equal items the
    /// earlier run's go first: runs are in the order of arrival.
    fn cmp(&self, other: &Self) -> Ordering {
        self.run.order(&other.run).then_with(|| self.number.cmp(&other.number)).reverse()
    }
}

impl<R: SortedRun> PartialOrd for Head<R> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<R: SortedRun> PartialEq for Head<R> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<R: SortedRun> Eq for Head<R> {}
