//! Random dialects and dirty texts for the property tests of this stage and of
//! [`crate::split`].

use super::{Dialect, Escape, StrayQuotes, Terminator};
use proptest::prelude::*;

/// Dialects whose bytes are all different, often with limits that texts break.
pub(crate) fn dialects() -> impl Strategy<Value = Dialect> {
    let limit = || prop_oneof![3 => Just(1 << 20), 1 => 0u64..24];
    (
        prop::sample::select(vec![b',', b';', b'b', 0]),
        prop::sample::select(vec![None, Some(b'"'), Some(b'"'), Some(b'a')]),
        prop::sample::select(vec![
            Escape::Doubled,
            Escape::Byte(b'\\'),
            Escape::Byte(b'"'),
            Escape::Byte(b','),
        ]),
        prop::sample::select(vec![Terminator::Lf, Terminator::Cr, Terminator::Any]),
        prop::sample::select(vec![StrayQuotes::Error, StrayQuotes::Keep]),
        prop::sample::select(vec![None, Some(b'#')]),
        (limit(), limit()),
    )
        .prop_map(|(delimiter, quote, escape, terminator, stray_quotes, comment, limits)| Dialect {
            delimiter,
            quote,
            escape,
            terminator,
            stray_quotes,
            comment,
            max_field_bytes: limits.0,
            max_record_bytes: limits.1,
            ..Dialect::default()
        })
}

/// Texts of a small alphabet in which everything means something somewhere,
/// and of whole fields and records, which such an alphabet seldom spells.
pub(crate) fn texts() -> impl Strategy<Value = Vec<u8>> {
    let dirt = vec!["a", "b", ",", ";", "\"", "\\", "#", "\r", "\n", "\r\n", "\0", "é"];
    let clean =
        vec!["ab,", "\"a\",", "\"\"\"\",", "\"b,\r\n\"", "xyz\n", "x\r\n", "\"a\\\"\"\n", "#c\"\n", "\n\n"];
    let piece = prop_oneof![prop::sample::select(dirt), prop::sample::select(clean)];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat().into_bytes())
}
