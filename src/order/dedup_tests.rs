use super::*;
use crate::runtime::Cancel;
use arrow::array::{AsArray, UInt32Array};
use arrow::datatypes::{DataType, Field, Schema, UInt32Type};
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;

type Key = Option<u128>;

/// Rows numbered from `first`, which is also how they are told apart.
fn batch(first: usize, keys: &[Key]) -> TaggedBatch {
    let numbers = UInt32Array::from_iter_values((first..first + keys.len()).map(|n| n as u32));
    let schema = Schema::new(vec![Field::new("number", DataType::UInt32, false)]);
    let rows = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(numbers)]).unwrap();
    TaggedBatch { rows, keys: keys.to_vec(), tag: tag(first) }
}

fn tag(first: usize) -> u32 {
    first as u32 / 50
}

/// What is left, and how many rows went by tag.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    rows: Vec<(u32, u32)>,
    removed: HashMap<u32, u64>,
}

impl Outcome {
    fn add(&mut self, rows: Option<&RecordBatch>, tag: u32, removed: u64) {
        let numbers = rows.into_iter().flat_map(|rows| rows.column(0).as_primitive::<UInt32Type>().values());
        self.rows.extend(numbers.map(|&number| (number, tag)));
        if removed > 0 {
            *self.removed.entry(tag).or_default() += removed;
        }
    }
}

/// Batches end at multiples of `size` and where the tag changes.
fn deduplicate(keep: Keep, key_bytes: u64, keys: &[Key], size: usize) -> Result<Outcome> {
    let spill_directory = SpillDirectory::new(None, Cancel::default());
    let mut deduplicator = Deduplicator::new(keep, key_bytes, &spill_directory);
    let mut outcome = Outcome::default();
    let mut first = 0;
    for keys in keys.chunks(50).flat_map(|keys| keys.chunks(size)) {
        let kept = deduplicator.push(batch(first, keys))?;
        assert!(deduplicator.memory_bytes() <= key_bytes.max(64));
        assert!(kept.rows.as_ref().is_none_or(|kept| kept.rows.num_rows() > 0 && kept.tag == tag(first)));
        outcome.add(kept.rows.map(|kept| kept.rows).as_ref(), tag(first), kept.removed);
        first += keys.len();
    }
    for survivors in deduplicator.finish()? {
        let Survivors { rows, tag, removed } = survivors?;
        outcome.add(Some(&rows), tag, removed);
    }
    assert_eq!(spill_directory.bytes(), 0);
    Ok(outcome)
}

/// What it should do, with a map.
fn expected(keep: Keep, keys: &[Key]) -> Outcome {
    let mut kept: HashMap<u128, usize> = HashMap::new();
    for (row, key) in keys.iter().enumerate().filter_map(|(row, key)| Some((row, (*key)?))) {
        match keep {
            Keep::First => drop(kept.entry(key).or_insert(row)),
            Keep::Last => drop(kept.insert(key, row)),
        }
    }
    let mut outcome = Outcome::default();
    for (row, key) in keys.iter().enumerate() {
        let tag = tag(row);
        if key.is_none_or(|key| kept[&key] == row) {
            outcome.rows.push((row as u32, tag));
        } else {
            *outcome.removed.entry(tag).or_default() += 1;
        }
    }
    outcome
}

fn keys() -> impl Strategy<Value = Vec<Key>> {
    let key =
        prop_oneof![1 => Just(None), 6 => (0u128..40).prop_map(Some), 3 => any::<u128>().prop_map(Some)];
    prop::collection::vec(key, 0..300)
}

proptest! {
    #[test]
    fn whatever_fits_and_however_it_is_cut_the_same_rows_stay(
        keys in keys(),
        key_bytes in prop_oneof![0u64..3_000, Just(1 << 20)],
        size in 1usize..60,
    ) {
        for keep in [Keep::First, Keep::Last] {
            prop_assert_eq!(deduplicate(keep, key_bytes, &keys, size).unwrap(), expected(keep, &keys));
        }
    }
}

#[test]
fn rows_go_on_at_once_while_keys_fit() {
    let mut first = Deduplicator::new(Keep::First, 1 << 20, &SpillDirectory::with_room(None, 0));
    let kept = first.push(batch(0, &[Some(1), None, Some(1), Some(2)])).unwrap();
    assert_eq!((kept.rows.unwrap().rows.num_rows(), kept.removed), (3, 1));
    assert_eq!(first.finish().unwrap().count(), 0);
}

#[test]
fn last_waits_for_the_end() {
    let spill_directory = SpillDirectory::new(None, Cancel::default());
    let mut last = Deduplicator::new(Keep::Last, 1 << 20, &spill_directory);
    let kept = last.push(batch(0, &[Some(1), None, Some(1)])).unwrap();
    assert!(kept.rows.is_none() && kept.removed == 0);
    let survivors = last.finish().unwrap().next().unwrap().unwrap();
    assert_eq!(survivors.rows.column(0).as_primitive::<UInt32Type>().values(), &[1, 2]);
    assert_eq!((survivors.tag, survivors.removed), (0, 1));
}

#[test]
fn many_runs_are_merged_in_passes() {
    // In runs of a few dozen entries.
    let keys: Vec<Key> = (0..7_300u128).map(|n| Some((n * 7919) % 2_000)).collect();
    for keep in [Keep::First, Keep::Last] {
        assert_eq!(deduplicate(keep, 1_536, &keys, 50).unwrap(), expected(keep, &keys));
    }
}

#[test]
fn a_full_disk_ends_it_and_leaves_nothing() {
    // 100 bytes do not take the head of a spill; 2,000 not the runs of keys.
    for (room, keep) in [(100, Keep::Last), (2_000, Keep::Last), (2_000, Keep::First)] {
        let spill_directory = SpillDirectory::with_room(None, room);
        let mut deduplicator = Deduplicator::new(keep, 512, &spill_directory);
        let mut push = || {
            (0..100).try_for_each(|n| {
                let keys: Vec<Key> = (0..50).map(|row| Some(n * 50 + row)).collect();
                deduplicator.push(batch(n as usize * 50, &keys)).map(drop)
            })
        };
        let error = push().unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Spill { .. }), "{error}");
        drop(deduplicator);
        assert_eq!(spill_directory.bytes(), 0);
    }
}

#[test]
fn keys_that_do_not_match_the_rows_are_a_bug_that_is_told() {
    let wrong = TaggedBatch { keys: vec![None], ..batch(0, &[None, None]) };
    let error = Deduplicator::new(Keep::First, 0, &SpillDirectory::new(None, Cancel::default()))
        .push(wrong)
        .unwrap_err();
    assert_eq!(error.kind().name(), "accounting");
}

#[test]
fn keys_on_disk_are_left_when_it_is_asked_to_stop() {
    let cancel = Cancel::default();
    let spill_directory = SpillDirectory::new(None, cancel.clone());
    let mut last = Deduplicator::new(Keep::Last, 1_536, &spill_directory);
    for n in 0..100 {
        let keys: Vec<Key> = (0..50).map(|row| Some(n * 50 + row)).collect();
        last.push(batch(n as usize * 50, &keys)).unwrap();
    }
    cancel.cancel();
    let error = last.finish().map(drop).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error}");
    assert_eq!(spill_directory.bytes(), 0);
}
