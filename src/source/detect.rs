//! The encoding of an input for which none is given, by its first bytes.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// What the first bytes of an input look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detected {
    /// Nothing was looked at: the job or a byte order mark says it.
    Given,
    /// ASCII, which all but UTF-16 agree on.
    Ascii,
    /// Valid UTF-8 with characters beyond ASCII.
    Utf8,
    /// UTF-8 but for some bytes, which is damage and no other encoding.
    DamagedUtf8,
    /// UTF-16 without a byte order mark, by its zero bytes: almost every other
    /// byte of ASCII text is one.
    Utf16(&'static Encoding),
    /// Neither: taken for windows-1252, which decodes any bytes.
    Windows1252 {
        /// Bytes before the first that is not valid UTF-8.
        offset: u64,
        /// That byte.
        byte: u8,
    },
}

impl Detected {
    /// What to decode from, if it is not UTF-8.
    pub fn encoding(self) -> Option<&'static Encoding> {
        match self {
            Detected::Utf16(encoding) => Some(encoding),
            Detected::Windows1252 { .. } => Some(WINDOWS_1252),
            Detected::Given | Detected::Ascii | Detected::Utf8 | Detected::DamagedUtf8 => None,
        }
    }
}

/// Bytes that the zeros of UTF-16 are counted in.
const COUNTED_BYTES: usize = 4 << 10;

/// Looks at the first bytes; `whole` if there are no others, so that they end
/// no character in the middle.
pub(super) fn detect(head: &[u8], whole: bool) -> Detected {
    if head.is_ascii() && !head.contains(&0) {
        return Detected::Ascii;
    }
    if let Some(encoding) = utf16(head) {
        return Detected::Utf16(encoding);
    }
    let (mut bad, mut first, mut multibyte, mut at) = (0usize, None, 0usize, 0);
    for part in head.utf8_chunks() {
        multibyte += part.valid().chars().filter(|character| !character.is_ascii()).count();
        at += part.valid().len();
        let invalid = part.invalid();
        let cut = !whole && at + invalid.len() == head.len() && is_cut(invalid);
        if !invalid.is_empty() && !cut {
            bad += 1;
            first = first.or(Some((at as u64, invalid[0])));
        }
        at += invalid.len();
    }
    match first {
        None => Detected::Utf8,
        // In text of one byte a character, pairs that are valid UTF-8 are rare accidents.
        Some((offset, byte)) if bad > multibyte => Detected::Windows1252 { offset, byte },
        Some(_) => Detected::DamagedUtf8,
    }
}

/// Whether more bytes could make a character of these.
fn is_cut(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// UTF-16, if one of two bytes is mostly zero and the other hardly ever.
fn utf16(head: &[u8]) -> Option<&'static Encoding> {
    let counted = &head[..head.len().min(COUNTED_BYTES)];
    let units = counted.len() / 2;
    let zeros = |from: usize| counted.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (first, second) = (zeros(0), zeros(1));
    let (mostly, hardly) = (units / 2, units / 16);
    match units {
        0 | 1 => None,
        _ if second > mostly && first <= hardly => Some(UTF_16LE),
        _ if first > mostly && second <= hardly => Some(UTF_16BE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_found_by_their_bytes() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect();
        for (head, whole, expected) in [
            (b"".to_vec(), true, Detected::Ascii),
            (b"a,b\n1,2\n".to_vec(), true, Detected::Ascii),
            ("a,é\n".into(), true, Detected::Utf8),
            (b"a,\xc3".to_vec(), false, Detected::Utf8),
            (b"a,\xc3".to_vec(), true, Detected::Windows1252 { offset: 2, byte: 0xc3 }),
            (b"caf\xe9,1\n".to_vec(), true, Detected::Windows1252 { offset: 3, byte: 0xe9 }),
            (b"\xc3\xa9\xc3\xa9\xff".to_vec(), true, Detected::DamagedUtf8),
            (utf16("id,näme\n1,x\n", u16::to_le_bytes), true, Detected::Utf16(UTF_16LE)),
            (utf16("id,näme\n1,x\n", u16::to_be_bytes), true, Detected::Utf16(UTF_16BE)),
            (b"a\0b,c\n".to_vec(), true, Detected::Utf8),
        ] {
            assert_eq!(detect(&head, whole), expected, "{head:x?} {whole}");
        }
    }
}
