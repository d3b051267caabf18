//! The least and the largest value of pages and chunks.

use parquet::basic::Type as PhysicalType;
use parquet::data_type::ByteArray;
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::schema::types::ColumnDescriptor;

/// Least and largest of some values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Extremes {
    /// There is no value.
    #[default]
    None,
    /// By [`Order::key`], so that they compare as the column does.
    Integers(i64, i64),
    Texts(Vec<u8>, Vec<u8>),
}

/// How integers compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Signed,
    /// Of 64 bits: smaller ones are never negative here.
    Unsigned,
}

impl Order {
    /// What compares as a signed number; its own inverse.
    #[inline]
    pub(super) fn key(self, value: i64) -> i64 {
        match self {
            Order::Signed => value,
            Order::Unsigned => value ^ i64::MIN,
        }
    }
}

impl Extremes {
    /// Takes in integers, by their keys.
    #[inline]
    pub(super) fn add_integers(&mut self, least: i64, largest: i64) {
        match self {
            Extremes::Integers(min, max) => (*min, *max) = ((*min).min(least), (*max).max(largest)),
            _ => *self = Extremes::Integers(least, largest),
        }
    }

    #[inline]
    pub(super) fn add_text(&mut self, text: &[u8]) {
        match self {
            Extremes::Texts(min, max) => {
                if text < &min[..] {
                    min.clear();
                    min.extend_from_slice(text);
                } else if text > &max[..] {
                    max.clear();
                    max.extend_from_slice(text);
                }
            }
            _ => *self = Extremes::Texts(text.to_owned(), text.to_owned()),
        }
    }

    pub(super) fn add(&mut self, other: &Extremes) {
        match other {
            Extremes::None => {}
            Extremes::Integers(min, max) => self.add_integers(*min, *max),
            Extremes::Texts(min, max) => {
                self.add_text(min);
                self.add_text(max);
            }
        }
    }

    /// Whether neither bound is above that of `other`; nothing is above anything.
    pub(super) fn is_not_above(&self, other: &Extremes) -> bool {
        match (self, other) {
            (Extremes::Integers(min, max), Extremes::Integers(other_min, other_max)) => {
                min <= other_min && max <= other_max
            }
            (Extremes::Texts(min, max), Extremes::Texts(other_min, other_max)) => {
                min <= other_min && max <= other_max
            }
            _ => true,
        }
    }

    /// As the column index has them, texts cut at `longest` bytes.
    pub(super) fn page_bounds(
        &self,
        order: Order,
        bytes: usize,
        longest: Option<usize>,
    ) -> (Vec<u8>, Vec<u8>) {
        match self {
            Extremes::None => (Vec::new(), Vec::new()),
            Extremes::Integers(min, max) => {
                let stored = |key: &i64| order.key(*key).to_le_bytes()[..bytes].to_vec();
                (stored(min), stored(max))
            }
            Extremes::Texts(min, max) => (cut_least(min, longest).0, cut_largest(max, longest).0),
        }
    }

    /// As the metadata of the chunk has them.
    pub(super) fn statistics(
        &self,
        column: &ColumnDescriptor,
        order: Order,
        nulls: u64,
        longest: Option<usize>,
    ) -> Statistics {
        // Old readers compare the fields that came first as signed numbers.
        let signed = column.sort_order().is_signed();
        match (self, column.physical_type()) {
            (Extremes::Integers(min, max), PhysicalType::INT32) => {
                ValueStatistics::new(Some(*min as i32), Some(*max as i32), None, Some(nulls), false)
                    .with_backwards_compatible_min_max(signed)
                    .into()
            }
            (Extremes::Integers(min, max), _) => {
                let (min, max) = (order.key(*min), order.key(*max));
                ValueStatistics::new(Some(min), Some(max), None, Some(nulls), false)
                    .with_backwards_compatible_min_max(signed)
                    .into()
            }
            (Extremes::Texts(min, max), _) => {
                let ((min, min_is_exact), (max, max_is_exact)) =
                    (cut_least(min, longest), cut_largest(max, longest));
                ValueStatistics::new(
                    Some(ByteArray::from(min)),
                    Some(ByteArray::from(max)),
                    None,
                    Some(nulls),
                    false,
                )
                .with_min_is_exact(min_is_exact)
                .with_max_is_exact(max_is_exact)
                .into()
            }
            (Extremes::None, PhysicalType::INT32) => {
                ValueStatistics::<i32>::new(None, None, None, Some(nulls), false).into()
            }
            (Extremes::None, PhysicalType::INT64) => {
                ValueStatistics::<i64>::new(None, None, None, Some(nulls), false).into()
            }
            (Extremes::None, _) => {
                ValueStatistics::<ByteArray>::new(None, None, None, Some(nulls), false).into()
            }
        }
    }
}

/// The beginning of a text, and whether it is the whole.
fn cut_least(text: &[u8], longest: Option<usize>) -> (Vec<u8>, bool) {
    match start_of(text, longest) {
        Some(start) => (start.as_bytes().to_vec(), false),
        None => (text.to_vec(), true),
    }
}

/// The least short text that is larger, and whether it is the text itself: which it is,
/// too, where there is none.
fn cut_largest(text: &[u8], longest: Option<usize>) -> (Vec<u8>, bool) {
    let Some(mut start) = start_of(text, longest) else { return (text.to_vec(), true) };
    while let Some(last) = start.chars().next_back() {
        let before = &start[..start.len() - last.len_utf8()];
        // A following character of the same length; none is for surrogates.
        if let Some(next) = char::from_u32(last as u32 + 1).filter(|next| next.len_utf8() == last.len_utf8())
        {
            return (format!("{before}{next}").into_bytes(), false);
        }
        start = before;
    }
    (text.to_vec(), true)
}

/// At most `longest` bytes of a text, whole characters; `None` if it is no longer, or not UTF-8.
fn start_of(text: &[u8], longest: Option<usize>) -> Option<&str> {
    let longest = longest.filter(|longest| text.len() > *longest)?;
    let text = std::str::from_utf8(text).ok()?;
    Some(&text[..text.floor_char_boundary(longest)]).filter(|start| !start.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bounds_that_are_cut_hold_the_text(text in "[a-c\u{7f}\u{7ff}\u{d7ff}\u{ffff}\u{10ffff}]{0,9}", longest in 1usize..12) {
            let (min, min_is_exact) = cut_least(text.as_bytes(), Some(longest));
            let (max, max_is_exact) = cut_largest(text.as_bytes(), Some(longest));
            prop_assert!(min[..] <= *text.as_bytes() && max[..] >= *text.as_bytes());
            prop_assert_eq!(min_is_exact, min == text.as_bytes());
            prop_assert_eq!(max_is_exact, max == text.as_bytes());
            prop_assert!(std::str::from_utf8(&min).is_ok() && std::str::from_utf8(&max).is_ok());
            prop_assert!(min_is_exact || min.len() <= longest);
            prop_assert!(max_is_exact || max.len() <= longest);
        }
    }

    #[test]
    fn unsigned_numbers_compare_as_such() {
        let mut extremes = Extremes::default();
        for value in [1u64, u64::MAX, 7] {
            let key = Order::Unsigned.key(value as i64);
            extremes.add_integers(key, key);
        }
        let (min, max) = extremes.page_bounds(Order::Unsigned, 8, None);
        assert_eq!((min, max), (1u64.to_le_bytes().to_vec(), u64::MAX.to_le_bytes().to_vec()));
    }
}
