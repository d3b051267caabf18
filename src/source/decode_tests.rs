#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::error::ErrorKind;
use crate::spec::ByName;
use proptest::prelude::*;

/// Decodes `bytes`, given in pieces of `step`.
fn decode(encoding: &'static Encoding, bytes: &[u8], step: usize) -> Result<Vec<u8>> {
    decode_with(&mut TextDecoder::new(encoding, InvalidBytes::Error, 0), bytes, step)
}

fn decode_with(decoder: &mut TextDecoder, bytes: &[u8], step: usize) -> Result<Vec<u8>> {
    let (mut all, mut text) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(step) {
        if decoder.passes_on() {
            let sound = decoder.check(piece, "u")?;
            all.extend_from_slice(&piece[..sound]);
        } else {
            decoder.decode(piece, false, &mut text, "u")?;
            all.append(&mut text);
        }
    }
    decoder.decode(&[], true, &mut text, "u")?;
    all.append(&mut text);
    decoder.finish("u")?;
    assert_eq!(decoder.offset(), all.len() as u64);
    Ok(all)
}

#[test]
fn encodings_come_from_marks_then_names() {
    let latin = <&Encoding>::by_name("latin-1").unwrap();
    for (head, named, encoding, mark) in [
        (&b"a"[..], None, "UTF-8", 0),
        (b"\xef\xbb\xbfa", None, "UTF-8", 3),
        (b"\xff\xfea\0", None, "UTF-16LE", 2),
        (b"\xfe\xff\0a", Some(latin), "UTF-16BE", 2),
        (b"a", Some(latin), "windows-1252", 0),
        (b"", None, "UTF-8", 0),
    ] {
        let (found, length) = encoding_of(head, named);
        assert_eq!((found.name(), length), (encoding, mark));
    }
}

#[test]
fn other_encodings_become_utf8() {
    for (name, bytes, text) in [
        ("latin1", &b"caf\xe9 \x80"[..], "café €"),
        ("utf-16le", b"a\0\xac\x20=\xd8\0\xde", "a€😀"),
        ("utf-16be", b"\0a\x20\xac", "a€"),
        ("shift_jis", b"\x93\xfa\x96\x7b", "日本"),
    ] {
        for step in 1..=bytes.len() {
            let decoded = decode(<&Encoding>::by_name(name).unwrap(), bytes, step).unwrap();
            assert_eq!(String::from_utf8(decoded).unwrap(), text);
        }
    }
}

#[test]
fn bad_bytes_are_named_with_their_place() {
    for (name, bytes, shown, offset, line) in [
        ("utf-8", &b"a\nb\nc\xe9d"[..], "e9 64", 5, 3),
        ("utf-8", b"\xff", "ff", 0, 1),
        ("utf-8", "a\n\u{20ac}"[..].as_bytes().split_last().unwrap().1, "e2 82", 2, 2),
        ("utf-8", b"x\xed\xa0\x80", "ed a0 80", 1, 1),
        ("utf-16le", b"a\0\n\0\0\xdcb\0", "00 dc", 2, 2),
        ("utf-16le", b"a\0b", "62", 1, 1),
        ("shift_jis", b"a\n\x93", "93", 2, 2),
    ] {
        for step in 1..=bytes.len() {
            let error = decode(<&Encoding>::by_name(name).unwrap(), bytes, step).unwrap_err();
            let location = error.location().unwrap();
            assert_eq!(
                (location.byte_offset, location.line),
                (Some(offset), Some(line)),
                "{name} {bytes:x?} {step}"
            );
            let ErrorKind::Input(InputProblem::InvalidEncoding { bytes: found, .. }) = error.kind() else {
                panic!("{error}")
            };
            // How much follows the bad byte depends on the piece.
            assert!(
                shown.starts_with(found.as_str()) || found.starts_with(shown),
                "{name} {found} {shown} {step}"
            );
        }
    }
}

#[test]
fn bad_bytes_are_replaced_and_counted() {
    for (name, bytes, text, replaced) in [
        ("utf-8", &b"a\xffb\xe2\x82c\xe2\x82"[..], "a\u{fffd}b\u{fffd}c\u{fffd}", 5),
        ("utf-8", b"\xed\xa0\x80", "\u{fffd}\u{fffd}\u{fffd}", 3),
        ("utf-8", "é€😀".as_bytes(), "é€😀", 0),
        ("utf-16le", b"a\0\0\xdcb\0c", "a\u{fffd}b\u{fffd}", 3),
        ("shift_jis", b"\x93\xfa\x93", "日\u{fffd}", 1),
    ] {
        for step in 1..=bytes.len() {
            let encoding = <&Encoding>::by_name(name).unwrap();
            let mut decoder = TextDecoder::new(encoding, InvalidBytes::Replace, 0);
            let decoded = decode_with(&mut decoder, bytes, step).unwrap();
            assert_eq!(String::from_utf8(decoded).unwrap(), text, "{name} {step}");
            assert_eq!(decoder.replaced_bytes(), replaced, "{name} {step}");
        }
    }
}

#[test]
fn in_a_range_the_line_is_not_known() {
    let mut decoder = TextDecoder::new(UTF_8, InvalidBytes::Error, 100);
    assert_eq!(decoder.check(b"\n\xff", "u").unwrap(), 1);
    let error = decoder.take_error().unwrap_err();
    let location = error.location().unwrap();
    assert_eq!((location.byte_offset, location.line), (Some(101), None));
}

proptest! {
    #[test]
    fn any_pieces_give_what_the_whole_gives(
        bytes in prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..40),
            "[a\n€😀é]{0,20}".prop_map(String::into_bytes),
        ],
        step in 1usize..9,
        name in prop_oneof![Just("utf-8"), Just("utf-16le"), Just("shift_jis"), Just("gb18030"), Just("latin1")],
    ) {
        let encoding = <&Encoding>::by_name(name).unwrap();
        match (decode(encoding, &bytes, bytes.len().max(1)), decode(encoding, &bytes, step)) {
            (Ok(whole), Ok(pieces)) => prop_assert_eq!(whole, pieces),
            (Err(whole), Err(pieces)) => prop_assert_eq!(whole.location(), pieces.location()),
            (whole, pieces) => prop_assert!(false, "{:?} {:?}", whole, pieces),
        }
        prop_assert_eq!(decode(UTF_8, &bytes, step).is_ok(), std::str::from_utf8(&bytes).is_ok());
        let mut decoder = TextDecoder::new(UTF_8, InvalidBytes::Replace, 0);
        let replaced = decode_with(&mut decoder, &bytes, step).unwrap();
        prop_assert_eq!(String::from_utf8(replaced).unwrap(), String::from_utf8_lossy(&bytes));
    }
}
