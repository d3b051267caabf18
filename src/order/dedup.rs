//! Rows in order → the first or the last row of each key, in order.

use super::key_set::{Insertion, KeySet};
use super::refused;
use super::repeats::{Keep, RepeatedRows, Repeats};
use super::spill::{Spill, SpillReader, SpillWriter};
use super::spill_directory::SpillDirectory;
use crate::error::count::count;
use crate::error::{Error, ErrorKind, Result};
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::SchemaRef;
use std::collections::VecDeque;

/// Rows with their keys.
#[derive(Debug, Clone)]
pub struct TaggedBatch {
    /// The rows; all batches of one [`Deduplicator`] have one schema.
    pub rows: RecordBatch,
    /// The key of each row, a hash of all its bits; `None` is never a duplicate.
    pub keys: Vec<Option<u128>>,
    /// Where the rows came from: the number of the split.
    pub tag: u32,
}

/// Rows of one batch.
#[derive(Debug, Clone)]
pub struct TaggedRows {
    /// At least one row.
    pub rows: RecordBatch,
    /// As in [`TaggedBatch`].
    pub tag: u32,
}

/// What can be said of a batch at once.
#[derive(Debug, Clone)]
pub struct Kept {
    /// Rows that stay; they come before all that is still to be decided.
    pub rows: Option<TaggedRows>,
    /// Rows that repeat a key, to be counted for the tag of the batch.
    pub removed: u64,
}

/// What is left of a batch that had to wait.
#[derive(Debug, Clone)]
pub struct Survivors {
    /// The rows that stay; may be none.
    pub rows: RecordBatch,
    /// As in [`TaggedBatch`].
    pub tag: u32,
    /// Rows of the batch that repeat a key.
    pub removed: u64,
}

/// Keeps one row of each key.
///
/// [`Keep::First`] lets rows go on at once while their distinct keys fit into
/// `key_bytes`, at 32 bytes each. From there on, rows whose key is known are
/// dropped and all others wait on disk until the input ends.
/// [`Keep::Last`] cannot know before the input ends: every row waits on disk,
/// and nothing is encoded before.
///
/// On disk a row takes its share of a compressed Arrow IPC stream, 24 bytes for
/// its key (48 at most while runs are merged), and 8 if it repeats one. It is
/// written and read once, its key once or twice.
pub struct Deduplicator {
    keep: Keep,
    key_bytes: u64,
    spill_directory: SpillDirectory,
    known: KeySet,
    waiting: Option<Waiting>,
}

/// Rows on disk, and their keys.
struct Waiting {
    spill: SpillWriter,
    repeats: Repeats,
    rows: u64,
    tags: VecDeque<(u32, u64)>,
}

enum Fate {
    Stays,
    Goes,
    Waits,
}

impl Deduplicator {
    /// Keys take at most `key_bytes` of memory (`engine.key_bytes`).
    pub fn new(keep: Keep, key_bytes: u64, spill_directory: &SpillDirectory) -> Self {
        let known = match keep {
            Keep::First => KeySet::new(key_bytes),
            Keep::Last => KeySet::new(0),
        };
        Deduplicator { keep, key_bytes, spill_directory: spill_directory.clone(), known, waiting: None }
    }

    /// Bytes that keys take now.
    pub fn memory_bytes(&self) -> u64 {
        self.known.memory_bytes() + self.waiting.as_ref().map_or(0, |waiting| waiting.repeats.memory_bytes())
    }

    /// Takes the next batch, in the order of records.
    pub fn push(&mut self, batch: TaggedBatch) -> Result<Kept> {
        let TaggedBatch { rows, keys, tag } = batch;
        if keys.len() != rows.num_rows() {
            let message =
                format!("{} computed for {}", count(keys.len(), "key"), count(rows.num_rows(), "row"));
            return Err(ErrorKind::Accounting { message }.into());
        }
        let (mut stay, mut wait) = (Vec::with_capacity(keys.len()), Vec::with_capacity(keys.len()));
        let mut waiting = 0;
        for key in keys {
            let fate = self.fate(key, &rows.schema(), waiting)?;
            stay.push(matches!(fate, Fate::Stays));
            wait.push(matches!(fate, Fate::Waits));
            waiting += u64::from(matches!(fate, Fate::Waits));
        }
        if let Some(place) = self.waiting.as_mut().filter(|_| waiting > 0) {
            place.push(&rows_where(&rows, wait)?, tag)?;
        }
        let staying = rows_where(&rows, stay)?;
        let removed = (rows.num_rows() - staying.num_rows()) as u64 - waiting;
        let rows = (staying.num_rows() > 0).then_some(TaggedRows { rows: staying, tag });
        Ok(Kept { rows, removed })
    }

    /// What happens to a row; `ahead` rows of its batch wait already.
    fn fate(&mut self, key: Option<u128>, schema: &SchemaRef, ahead: u64) -> Result<Fate> {
        if self.waiting.is_none() {
            match (self.keep, key) {
                (Keep::First, None) => return Ok(Fate::Stays),
                (Keep::First, Some(key)) => match self.known.insert(key) {
                    Insertion::New => return Ok(Fate::Stays),
                    Insertion::Known => return Ok(Fate::Goes),
                    Insertion::Full => {}
                },
                (Keep::Last, _) => {}
            }
        }
        if key.is_some_and(|key| self.known.contains(key)) {
            return Ok(Fate::Goes);
        }
        let waiting = match &mut self.waiting {
            Some(waiting) => waiting,
            // The set is full, so it will not grow, and what growing would take is free.
            none => {
                let budget_bytes = self.key_bytes - self.known.memory_bytes();
                none.insert(Waiting::begin(self.keep, budget_bytes, schema, &self.spill_directory)?)
            }
        };
        if let Some(key) = key {
            waiting.repeats.push(key, waiting.rows + ahead)?;
        }
        Ok(Fate::Waits)
    }

    /// What had to wait, in order, without duplicates. Reads the keys before it
    /// returns.
    pub fn finish(self) -> Result<SurvivingBatches> {
        drop(self.known);
        let Some(waiting) = self.waiting else { return Ok(SurvivingBatches(None)) };
        let spill: Spill = waiting.spill.finish()?;
        let mut repeats = waiting.repeats.finish()?;
        let next_repeat = repeats.next().transpose()?;
        let (spill, tags) = (spill.read()?, waiting.tags);
        Ok(SurvivingBatches(Some(Reading { spill, tags, repeats, next_repeat, rows: 0 })))
    }
}

impl Waiting {
    fn begin(
        keep: Keep,
        budget_bytes: u64,
        schema: &SchemaRef,
        spill_directory: &SpillDirectory,
    ) -> Result<Self> {
        Ok(Waiting {
            spill: SpillWriter::create(schema, spill_directory)?,
            repeats: Repeats::new(keep, budget_bytes, spill_directory),
            rows: 0,
            tags: VecDeque::new(),
        })
    }

    fn push(&mut self, rows: &RecordBatch, tag: u32) -> Result<()> {
        self.spill.push(rows)?;
        self.rows += rows.num_rows() as u64;
        match self.tags.back_mut() {
            Some((last, batches)) if *last == tag => *batches += 1,
            _ => self.tags.push_back((tag, 1)),
        }
        Ok(())
    }
}

/// Gives what is left of the batches that had to wait.
pub struct SurvivingBatches(Option<Reading>);

struct Reading {
    spill: SpillReader,
    /// Tag, and how many batches in a row have it.
    tags: VecDeque<(u32, u64)>,
    repeats: RepeatedRows,
    next_repeat: Option<u64>,
    /// Rows read so far.
    rows: u64,
}

impl Iterator for SurvivingBatches {
    type Item = Result<Survivors>;

    fn next(&mut self) -> Option<Self::Item> {
        let reading = self.0.as_mut()?;
        let survivors = reading.spill.next()?.and_then(|rows| reading.survivors(&rows));
        Some(survivors.inspect_err(|_| self.0 = None))
    }
}

impl Reading {
    fn survivors(&mut self, rows: &RecordBatch) -> Result<Survivors> {
        let mut stay = vec![true; rows.num_rows()];
        let end = self.rows + rows.num_rows() as u64;
        let mut removed = 0;
        while let Some(repeat) = self.next_repeat.filter(|&repeat| repeat < end) {
            stay[(repeat - self.rows) as usize] = false;
            removed += 1;
            self.next_repeat = self.repeats.next().transpose()?;
        }
        self.rows = end;
        Ok(Survivors { rows: rows_where(rows, stay)?, tag: self.next_tag()?, removed })
    }

    fn next_tag(&mut self) -> Result<u32> {
        while self.tags.front().is_some_and(|(_, batches)| *batches == 0) {
            self.tags.pop_front();
        }
        let Some((tag, batches)) = self.tags.front_mut() else {
            let message = "more batches were read from temporary files than were written".into();
            return Err(Error::new(ErrorKind::Accounting { message }));
        };
        *batches -= 1;
        Ok(*tag)
    }
}

fn rows_where(rows: &RecordBatch, mask: Vec<bool>) -> Result<RecordBatch> {
    filter_record_batch(rows, &BooleanArray::from(mask)).map_err(refused)
}

#[cfg(test)]
#[path = "dedup_tests.rs"]
mod tests;
