//! Where the bytes are that can mean something: the scanner's innermost loop.
//!
//! A word of 64 bytes becomes a mask with one bit a byte; the scanner then walks
//! the bits and never looks at the bytes between. The comparisons are written so
//! that the compiler makes vector instructions of them; hand-made SIMD replaces
//! [`Needles::mask`] and nothing else.

use crate::parse::{Grammar, Terminator};

const WORD: usize = 64;

/// The bytes to look for; of a delimiter of several bytes, the first. Five are the most a grammar has; one with fewer
/// repeats its delimiter, which costs less than a loop of variable length.
#[derive(Debug, Clone)]
pub(super) struct Needles([u8; 5]);

impl Needles {
    pub(super) fn new(grammar: &Grammar) -> Self {
        let delimiter = grammar.delimiter.first();
        let quote = grammar.quote.unwrap_or(delimiter);
        let escape = grammar.escape_byte().unwrap_or(delimiter);
        let (first, second) = match grammar.terminator {
            Terminator::Lf => (b'\n', b'\n'),
            Terminator::Cr => (b'\r', b'\r'),
            Terminator::Any => (b'\n', b'\r'),
            Terminator::Byte(byte) => (byte, byte),
        };
        Needles([delimiter, quote, escape, first, second])
    }

    /// Bit `i` is set where `word[i]` is one of the needles.
    #[inline(always)]
    fn mask(&self, word: &[u8; WORD]) -> u64 {
        let [a, b, c, d, e] = self.0;
        let mut hits = [0u8; WORD];
        for (hit, &byte) in hits.iter_mut().zip(word) {
            *hit = (byte == a) as u8
                | (byte == b) as u8
                | (byte == c) as u8
                | (byte == d) as u8
                | (byte == e) as u8;
        }
        // Eight bytes of 0 or 1 to eight bits: the product adds byte i, shifted
        // by 7 × (8 - i), so that all of them meet in the top byte without a carry.
        const GATHER: u64 = 0x0102_0408_1020_4080;
        let (groups, _) = hits.as_chunks::<8>();
        groups
            .iter()
            .rev()
            .fold(0, |mask, group| mask << 8 | u64::from_le_bytes(*group).wrapping_mul(GATHER) >> 56)
    }
}

/// The positions of the needles in a text, in ascending order.
pub(super) struct Positions<'a> {
    needles: &'a Needles,
    text: &'a [u8],
    /// Offset of the word that `mask` belongs to.
    word_start: usize,
    /// Its positions that were not given yet.
    mask: u64,
}

impl<'a> Positions<'a> {
    pub(super) fn new(needles: &'a Needles, text: &'a [u8]) -> Self {
        let mut positions = Positions { needles, text, word_start: 0, mask: 0 };
        positions.mask = positions.mask_at(0);
        positions
    }

    #[inline(always)]
    fn mask_at(&self, start: usize) -> u64 {
        let rest = &self.text[start..];
        match rest.first_chunk::<WORD>() {
            Some(word) => self.needles.mask(word),
            None => self.last_mask(rest),
        }
    }

    #[cold]
    fn last_mask(&self, rest: &[u8]) -> u64 {
        let mut word = [0; WORD];
        word[..rest.len()].copy_from_slice(rest);
        // NUL may be a needle, so the padding is masked off.
        self.needles.mask(&word) & ((1 << rest.len()) - 1)
    }
}

impl Iterator for Positions<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            let next = self.word_start + WORD;
            if next >= self.text.len() {
                return None;
            }
            self.word_start = next;
            self.mask = self.mask_at(next);
        }
        let position = self.word_start + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_of_the_needles_at_any_length() {
        let grammar = Grammar { delimiter: '\0'.into(), terminator: Terminator::Any, ..Grammar::default() };
        let needles = Needles::new(&grammar);
        for length in 0..300 {
            let text: Vec<u8> = (0..length).map(|i| b"a\0b\"c\r\n\xffd"[i * i % 9]).collect();
            let expected: Vec<_> = (0..length).filter(|&i| b"\0\"\r\n".contains(&text[i])).collect();
            assert_eq!(Positions::new(&needles, &text).collect::<Vec<_>>(), expected, "length {length}");
        }
    }
}
