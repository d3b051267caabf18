//! Random grammars and dirty texts for the property tests of this stage and of
//! [`crate::split`].

use super::{Delimiter, Escape, Grammar, StrayQuotes, Terminator, Trim};
use proptest::prelude::*;

/// Grammars whose bytes are all different, often with limits that texts break,
/// half of them plain.
pub(crate) fn grammars() -> impl Strategy<Value = Grammar> {
    let limit = || prop_oneof![3 => Just(1 << 20), 1 => 0u64..24];
    let plain = prop::sample::select(vec![",", ";", "b", "\0"]);
    let other = prop::sample::select(vec!["||", ",|", "\t", " ", " ,", "é", "bcb"]);
    let terminators = vec![Terminator::Lf, Terminator::Cr, Terminator::Any, Terminator::Byte(0x1e)];
    let trims = vec![Trim::None, Trim::None, Trim::Left, Trim::Right, Trim::Both];
    (
        prop_oneof![plain, other],
        prop::sample::select(vec![None, Some(b'"'), Some(b'"'), Some(b'a')]),
        prop::sample::select(vec![
            Escape::Doubled,
            Escape::Byte(b'\\'),
            Escape::Byte(b'"'),
            Escape::Byte(b','),
        ]),
        prop::sample::select(terminators),
        prop::sample::select(vec![StrayQuotes::Error, StrayQuotes::Keep]),
        prop::sample::select(vec![None, Some(b'#')]),
        (prop::sample::select(trims), any::<bool>(), any::<bool>(), prop::bool::weighted(0.3)),
        (limit(), limit(), limit()),
    )
        .prop_map(|(delimiter, quote, escape, terminator, stray_quotes, comment, space, limits)| {
            let delimiter = Delimiter::new(delimiter).expect("short");
            let (trim, skip_initial_space, trimming, unescaped_quotes) = space;
            // Inside quotes delimiters mean nothing, so there one may be the escape.
            let ambiguous = |byte| quote.is_none() && delimiter.as_bytes().contains(&byte);
            Grammar {
                delimiter,
                quote,
                escape: match escape {
                    Escape::Byte(byte) if ambiguous(byte) => Escape::Doubled,
                    escape => escape,
                },
                terminator,
                stray_quotes,
                unescaped_quotes,
                comment,
                trim: if trimming { trim } else { Trim::None },
                skip_initial_space: skip_initial_space && trimming,
                max_field_bytes: limits.0,
                max_record_bytes: limits.1,
                max_fields: limits.2,
                guessed_comment_fields: None,
            }
        })
}

/// Texts of a small alphabet in which everything means something somewhere,
/// and of whole fields and records, which such an alphabet seldom spells.
pub(crate) fn texts() -> impl Strategy<Value = Vec<u8>> {
    let dirt = vec![
        "a", "b", ",", ";", "\"", "\\", "#", "\r", "\n", "\r\n", "\0", "é", "|", "||", " ", "\t", "\u{1e}",
    ];
    let clean = vec![
        "ab,",
        "\"a\",",
        "\"\"\"\",",
        "\"b,\r\n\"",
        "xyz\n",
        "x\r\n",
        "\"a\\\"\"\n",
        "#c\"\n",
        "\n\n",
        " \"a\" ,",
        ",\t\"b\"\r\n",
        "||\"a|b\"||",
        "é\"a\"é",
        "|||\"a\"\n",
        "\\,",
        "\\\n",
        "\\\r\n",
        "x\r\r\n",
        "\"a\"\r\r\n",
        "\"a \"b\" c\",",
        "\"a \"\",b\"\n",
        "\"a\" \r\nb\" \t||",
        "\\\r\r\n",
    ];
    let piece = prop_oneof![prop::sample::select(dirt), prop::sample::select(clean)];
    prop::collection::vec(piece, 0..80).prop_map(|pieces| pieces.concat().into_bytes())
}
