//! Values → codes, in order of first appearance.

use std::ops::Range;

/// Slots of a table in the beginning.
const FIRST_SLOTS: usize = 64;

/// Slots that one search may look at: a table that is at most half full needs a tenth of
/// it. Values that were made to collide end the dictionary, not the day.
const MAX_PROBES: usize = 256;

/// 2^64 / φ: spreads neighbours over the upper bits.
const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Marks an empty slot.
const EMPTY: u32 = u32::MAX;

/// Codes of distinct values, and the values as a dictionary page holds them.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    /// Key (of an integer the value, of a text its hash) and code.
    slots: Vec<(u64, u32)>,
    /// Bits of a hash that choose no slot.
    shift: u32,
    entries: u32,
    /// The values, PLAIN.
    page: Vec<u8>,
    /// Where each text ends in `page`; empty for integers.
    ends: Vec<usize>,
    crowded: bool,
}

impl Dictionary {
    /// Distinct values so far.
    pub(super) fn entries(&self) -> usize {
        self.entries as usize
    }

    /// The values as they stand in a dictionary page.
    pub(super) fn page(&self) -> &[u8] {
        &self.page
    }

    /// Whether searches take too long: it should be given up.
    pub(super) fn is_crowded(&self) -> bool {
        self.crowded
    }

    pub(super) fn into_page(self) -> Vec<u8> {
        self.page
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<(u64, u32)>() + self.page.capacity() + self.ends.capacity() * 8
    }

    /// The code of an integer that is stored in `N` bytes.
    #[inline]
    pub(super) fn integer<const N: usize>(&mut self, value: i64) -> u32 {
        let key = value as u64;
        let hash = mix(SPREAD, key);
        let (found, probes) = self.find(hash, |slot_key, _| slot_key == key);
        self.crowded |= probes > MAX_PROBES;
        found.unwrap_or_else(|| {
            self.page.extend_from_slice(&value.to_le_bytes()[..N]);
            self.insert(hash, key, |key| mix(SPREAD, key))
        })
    }

    /// The code of a text, of which a length of 32 bits is written.
    #[inline]
    pub(super) fn text(&mut self, text: &[u8]) -> u32 {
        let hash = hash(text);
        let (page, ends) = (&self.page, &self.ends);
        let is_it = |slot_key, code: u32| slot_key == hash && page[bounds(ends, code)] == *text;
        let (found, probes) = self.find(hash, is_it);
        self.crowded |= probes > MAX_PROBES;
        found.unwrap_or_else(|| {
            self.page.extend_from_slice(&(text.len() as u32).to_le_bytes());
            self.page.extend_from_slice(text);
            self.ends.push(self.page.len());
            self.insert(hash, hash, |key| key)
        })
    }

    /// A value by its code, as it stands in `page`: an integer of `N` bytes.
    pub(super) fn integer_bytes<const N: usize>(&self, code: u32) -> &[u8] {
        &self.page[code as usize * N..][..N]
    }

    /// A text with its length before it.
    pub(super) fn text_bytes(&self, code: u32) -> &[u8] {
        let text = bounds(&self.ends, code);
        &self.page[text.start - 4..text.end]
    }

    /// The code of what is there, and how many slots were looked at.
    #[inline]
    fn find(&self, hash: u64, is_it: impl Fn(u64, u32) -> bool) -> (Option<u32>, usize) {
        if self.slots.is_empty() {
            return (None, 0);
        }
        let mask = self.slots.len() - 1;
        let start = (hash >> self.shift) as usize;
        let mut probes = 0;
        // Half of the slots are empty.
        loop {
            let (key, code) = self.slots[(start + probes) & mask];
            probes += 1;
            if code == EMPTY {
                return (None, probes);
            }
            if is_it(key, code) {
                return (Some(code), probes);
            }
        }
    }

    /// Gives the next code; `rehash` makes the hash of a key again.
    fn insert(&mut self, hash: u64, key: u64, rehash: impl Fn(u64) -> u64) -> u32 {
        if (self.entries as usize + 1) * 2 > self.slots.len() {
            let slots = (self.slots.len() * 2).max(FIRST_SLOTS);
            let old = std::mem::replace(&mut self.slots, vec![(0, EMPTY); slots]);
            self.shift = 64 - slots.trailing_zeros();
            for (key, code) in old.into_iter().filter(|(_, code)| *code != EMPTY) {
                self.place(rehash(key), key, code);
            }
        }
        let code = self.entries;
        self.entries += 1;
        self.place(hash, key, code);
        code
    }

    fn place(&mut self, hash: u64, key: u64, code: u32) {
        let mask = self.slots.len() - 1;
        let mut at = (hash >> self.shift) as usize;
        while self.slots[at & mask].1 != EMPTY {
            at += 1;
        }
        self.slots[at & mask] = (key, code);
    }
}

/// Where a text stands in the page, its length not included.
#[inline]
fn bounds(ends: &[usize], code: u32) -> Range<usize> {
    let code = code as usize;
    let start = if code == 0 { 0 } else { ends[code - 1] };
    start + 4..ends[code]
}

/// Both halves of a product: neighbours and multiples of any step are spread.
#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash ^ word.rotate_left(32)) * u128::from(SPREAD);
    (product as u64 ^ (product >> 64) as u64).wrapping_mul(SPREAD)
}

/// Eight bytes at a time, the last eight once more; those of short texts in one word.
#[inline]
fn hash(text: &[u8]) -> u64 {
    let seed = (text.len() as u64).wrapping_mul(SPREAD);
    if text.len() < 8 {
        let mut word = [0; 8];
        word[..text.len()].copy_from_slice(text);
        return mix(seed, u64::from_le_bytes(word));
    }
    let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().unwrap_or_default());
    let hash = text.chunks_exact(8).fold(seed, |hash, bytes| mix(hash, word(bytes)));
    mix(hash, word(&text[text.len() - 8..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// Codes by a map, in order of first appearance.
    fn twin<T: std::hash::Hash + Eq + Copy>(values: &[T]) -> Vec<u32> {
        let mut codes = HashMap::new();
        values
            .iter()
            .map(|value| {
                let next = codes.len() as u32;
                *codes.entry(*value).or_insert(next)
            })
            .collect()
    }

    #[test]
    fn codes_are_those_of_a_map() {
        let numbers: Vec<i64> = (0..40_000).map(|n: i64| n.wrapping_mul(n) % 7_919 - 3_000).collect();
        let mut dictionary = Dictionary::default();
        let codes: Vec<u32> = numbers.iter().map(|n| dictionary.integer::<8>(*n)).collect();
        assert_eq!(codes, twin(&numbers));
        for (number, code) in numbers.iter().zip(codes) {
            assert_eq!(dictionary.integer_bytes::<8>(code), number.to_le_bytes());
        }
        assert_eq!(dictionary.page().len(), dictionary.entries() * 8);

        let texts: Vec<String> =
            numbers.iter().map(|n| "x".repeat((n % 40).unsigned_abs() as usize) + &n.to_string()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).chain(["", "a", "a\0"]).collect();
        let mut dictionary = Dictionary::default();
        let codes: Vec<u32> = texts.iter().map(|text| dictionary.text(text.as_bytes())).collect();
        assert_eq!(codes, twin(&texts));
        for (text, code) in texts.iter().zip(codes) {
            assert_eq!(&dictionary.text_bytes(code)[4..], text.as_bytes());
        }
    }

    /// Multiples of 2^k, and texts that differ at one end only, are common.
    #[test]
    fn regular_values_do_not_collide() {
        let steps = [
            1i64,
            2,
            8,
            987,
            1_597,
            2_584,
            1 << 20,
            1 << 40,
            3_600_000_000,
            4_000_000_000,
            86_400_000_000,
            -1,
        ];
        for (step, base) in steps.into_iter().flat_map(|step| [(step, 0), (step, 1_764_249_904_000_000_000)])
        {
            let mut dictionary = Dictionary::default();
            for n in 0..100_000 {
                let _ = dictionary.integer::<8>(step.wrapping_mul(n).wrapping_add(base));
            }
            assert!(!dictionary.is_crowded(), "{step} from {base}");
        }
        for (before, after) in
            [("", ""), ("customer#000", ""), ("", "-of-the-same-length"), ("0123456789", "0123456789")]
        {
            let mut dictionary = Dictionary::default();
            for n in 0..100_000 {
                let _ = dictionary.text(format!("{before}{n:09}{after}").as_bytes());
            }
            assert!(!dictionary.is_crowded(), "{before} {after}");
        }
    }
}
