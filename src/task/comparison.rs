//! What can only be said of rows beside other rows: duplicates and repeated keys.
//!
//! Blocks come in order, between two waves; the keys were made with the blocks.

use super::parser::{ParsedBlock, Parser};
use crate::error::{ErrorKind, InputProblem, Result};
use crate::order::{Deduplicator, Keep, SpillDirectory, Survivors, TaggedBatch, UniqueCheck};
use crate::rows::{Fault, Origin, Rows};
use crate::runtime::{Budget, Holder, Lease};
use crate::spec::{EngineSpec, ValuePolicy};
use crate::transform::rows::{KeyCheck, KeyMeaning};
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use std::collections::VecDeque;

/// Compares the keys of all rows of a task.
pub(super) struct Comparison {
    deduplicator: Option<Deduplicator>,
    uniques: Vec<Unique>,
    /// Counts the bytes of all keys.
    lease: Lease,
}

/// One key that may come up once.
struct Unique {
    columns: Vec<String>,
    policy: ValuePolicy,
    policy_key: Option<String>,
    check: UniqueCheck,
}

impl Comparison {
    /// For these checks: a deduplication first, if there is one.
    pub(super) fn new(
        checks: &[KeyCheck],
        engine: &EngineSpec,
        spill_directory: &SpillDirectory,
        budget: &Budget,
    ) -> Self {
        let lease = budget.lease(Holder::Keys, 0);
        let mut comparison = Comparison { deduplicator: None, uniques: Vec::new(), lease };
        for KeyCheck { columns, meaning, policy_key } in checks {
            let keep = match *meaning {
                KeyMeaning::KeepFirst => Keep::First,
                KeyMeaning::KeepLast => Keep::Last,
                KeyMeaning::Unique(policy) => {
                    let check = UniqueCheck::new(engine.key_bytes);
                    let (columns, policy_key) = (columns.clone(), policy_key.clone());
                    comparison.uniques.push(Unique { columns, policy, policy_key, check });
                    continue;
                }
            };
            comparison.deduplicator = Some(Deduplicator::new(keep, engine.key_bytes, spill_directory));
        }
        comparison
    }

    /// Whether there is nothing to compare.
    pub(super) fn is_idle(&self) -> bool {
        self.deduplicator.is_none() && self.uniques.is_empty()
    }

    /// Takes out of a block what repeats an earlier key, or has to wait for later ones.
    pub(super) fn settle(&mut self, parser: &Parser<'_>, block: &mut ParsedBlock) -> Result<()> {
        let Some(mut loose) = block.loose.take() else { return Ok(()) };
        let mut keys = VecDeque::from(std::mem::take(&mut block.keys));
        if let Some(deduplicator) = &mut self.deduplicator {
            let schema = loose.batch.schema();
            let (rows, keys, tag) = (loose.batch, keys.pop_front().unwrap_or_default(), block.split as u32);
            let kept = deduplicator.push(TaggedBatch { rows, keys, tag })?;
            loose.batch = kept.rows.map_or_else(|| RecordBatch::new_empty(schema), |kept| kept.rows);
            block.deduplicated = kept.removed;
        }
        for unique in &mut self.uniques {
            let repeated = unique.check.check(&keys.pop_front().unwrap_or_default())?;
            if !repeated.is_empty() {
                unique.set_aside(&repeated, parser, block, &mut loose, &mut keys)?;
            }
        }
        block.loose = Some(loose);
        let unique = self.uniques.iter().map(|unique| unique.check.memory_bytes()).sum::<u64>();
        self.lease.resize(unique + self.deduplicator.as_ref().map_or(0, Deduplicator::memory_bytes));
        Ok(())
    }

    /// The rows that had to wait until the input ended, in order.
    pub(super) fn finish(self) -> Result<impl Iterator<Item = Result<Survivors>>> {
        Ok(self.deduplicator.map(Deduplicator::finish).transpose()?.into_iter().flatten())
    }
}

impl Unique {
    /// Takes rows out that repeat a key, as the policy has it; `keys` are those
    /// of the comparisons still to come.
    fn set_aside(
        &self,
        repeated: &[u32],
        parser: &Parser<'_>,
        block: &mut ParsedBlock,
        loose: &mut Rows,
        keys: &mut VecDeque<Vec<Option<u128>>>,
    ) -> Result<()> {
        let column = match &self.columns[..] {
            [only] => Some(only.clone()),
            _ => None,
        };
        for &row in repeated {
            let problem = InputProblem::Duplicate { columns: self.columns.clone() };
            let record = loose.records[row as usize];
            let origin = Origin::Row { policy_key: self.policy_key.clone() };
            let fault = Fault { record, column: column.clone(), problem, policy: self.policy, origin };
            parser.set_aside(block, fault)?;
        }
        let mut gone = repeated.iter().copied().peekable();
        let keep: BooleanArray =
            (0..loose.batch.num_rows() as u32).map(|row| Some(gone.next_if_eq(&row).is_none())).collect();
        loose.batch = filter_record_batch(&loose.batch, &keep)
            .map_err(|cause| ErrorKind::Compute { step: "leaving out rows with the same key", cause })?;
        retain(&mut loose.records, &keep);
        keys.iter_mut().for_each(|keys| retain(keys, &keep));
        Ok(())
    }
}

fn retain<T>(items: &mut Vec<T>, keep: &BooleanArray) {
    let mut kept = keep.values().iter();
    items.retain(|_| kept.next().unwrap_or_default());
}
