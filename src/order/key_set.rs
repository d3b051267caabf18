//! A set of 128-bit keys in a given number of bytes.

/// Bytes of budget for each key: 16 in a table that is three quarters full,
/// and half of that again for the smaller table while it is copied.
pub(super) const BYTES_PER_KEY: u64 = 32;

/// The first table has about this many slots.
const FIRST_SLOTS: usize = 1024;

/// An open-addressing table without values. Its sizes are the largest that
/// fits, halved and halved again, so that the last growth, when old and new
/// table exist together, ends exactly at the budget.
#[derive(Debug)]
pub(super) struct KeySet {
    /// 0 is an empty slot.
    slots: Vec<u128>,
    /// Without `zero`.
    keys: usize,
    /// Whether the key 0 is in.
    zero: bool,
    /// Slots of the largest table; the next one has these, shifted right by `halvings`.
    most_slots: usize,
    halvings: u32,
}

/// What happened to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Insertion {
    /// It was not there and is now.
    New,
    /// It was there.
    Known,
    /// It was not there and does not fit.
    Full,
}

impl KeySet {
    /// An empty set that never takes more than `budget_bytes`.
    pub(super) fn new(budget_bytes: u64) -> Self {
        let most_slots = usize::try_from(budget_bytes / 24).unwrap_or(usize::MAX >> 5);
        let halvings = (most_slots / FIRST_SLOTS).checked_ilog2().unwrap_or(0);
        KeySet { slots: Vec::new(), keys: 0, zero: false, most_slots, halvings }
    }

    pub(super) fn memory_bytes(&self) -> u64 {
        self.slots.len() as u64 * 16
    }

    pub(super) fn contains(&self, key: u128) -> bool {
        match key {
            0 => self.zero,
            _ => self.slots.get(self.find(key)) == Some(&key),
        }
    }

    pub(super) fn insert(&mut self, key: u128) -> Insertion {
        if self.contains(key) {
            return Insertion::Known;
        }
        if key == 0 {
            self.zero = true;
            return Insertion::New;
        }
        while self.keys >= self.slots.len() - self.slots.len().div_ceil(4) {
            if !self.grow() {
                return Insertion::Full;
            }
        }
        let slot = self.find(key);
        self.slots[slot] = key;
        self.keys += 1;
        Insertion::New
    }

    /// The slot of `key`, or the empty one where it belongs. There is always an
    /// empty one, unless there is no table.
    fn find(&self, key: u128) -> usize {
        // Keys are hashes; this only makes the halves count alike.
        let hash = ((key >> 64) as u64 ^ key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut slot = ((u128::from(hash) * self.slots.len() as u128) >> 64) as usize;
        while self.slots.get(slot).is_some_and(|&other| other != 0 && other != key) {
            slot = if slot + 1 == self.slots.len() { 0 } else { slot + 1 };
        }
        slot
    }

    fn grow(&mut self) -> bool {
        let slots = self.most_slots >> self.halvings;
        if slots <= self.slots.len() {
            return false;
        }
        self.halvings = self.halvings.saturating_sub(1);
        let old = std::mem::replace(&mut self.slots, vec![0; slots]);
        for key in old.into_iter().filter(|&key| key != 0) {
            let slot = self.find(key);
            self.slots[slot] = key;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    #[test]
    fn the_budget_holds_while_it_grows_and_is_used_well() {
        for budget in [1 << 16, 1_000_003, 48 << 20] {
            let mut set = KeySet::new(budget);
            let (mut keys, mut most) = (0u64, 0);
            loop {
                let before = set.memory_bytes();
                if set.insert(u128::from(keys) << 64 | 1) == Insertion::Full {
                    break;
                }
                keys += 1;
                let grown = set.memory_bytes();
                most = most.max(if grown == before { grown } else { before + grown });
            }
            assert!(most <= budget, "{most} of {budget}");
            assert!(keys >= budget / BYTES_PER_KEY * 99 / 100, "{keys} keys in {budget} bytes");
            assert!((0..keys).all(|key| set.contains(u128::from(key) << 64 | 1)));
            assert!(!set.contains(u128::from(keys) << 64 | 1));
        }
    }

    proptest! {
        #[test]
        fn it_is_a_set_until_it_is_full(
            budget in 0u64..3_000,
            keys in prop::collection::vec((0u128..60, any::<bool>()), 0..200),
        ) {
            let (mut set, mut twin) = (KeySet::new(budget), HashSet::new());
            for (low, wide) in keys {
                let key = if wide { low << 100 } else { low };
                prop_assert_eq!(set.contains(key), twin.contains(&key));
                match set.insert(key) {
                    Insertion::New => prop_assert!(twin.insert(key)),
                    Insertion::Known => prop_assert!(twin.contains(&key)),
                    Insertion::Full => prop_assert!(twin.len() as u64 + 2 >= budget / BYTES_PER_KEY),
                }
                prop_assert!(set.memory_bytes() <= budget);
            }
        }
    }
}
