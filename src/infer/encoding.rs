//! One encoding for all inputs, from what each sample looks like.

use crate::source::Detected;
use crate::spec::EncodingName;

/// The encoding to name in the dialect, if it is not UTF-8, and notes for
/// people. Inputs that disagree are left to the person: then none is named.
pub fn infer_encoding(samples: &[(String, Detected)]) -> (Option<EncodingName>, Vec<String>) {
    // Bytes beyond ASCII, or pairs of them, are what tells encodings apart.
    let mut telling = samples.iter().filter(|(_, detected)| {
        matches!(detected, Detected::Utf8 | Detected::Utf16(_) | Detected::Windows1252 { .. })
    });
    let Some((url, first)) = telling.next() else { return (None, Vec::new()) };
    let utf16 = matches!(first, Detected::Utf16(_));
    let differing = telling.find(|(_, detected)| detected.encoding() != first.encoding());
    let plain = samples.iter().find(|(_, detected)| utf16 && *detected == Detected::Ascii);
    if let Some((other, _)) = differing.or(plain) {
        let note = format!(
            "{url} and {other} are in different encodings; read them separately, each with its own `dialect.encoding` (--encoding)"
        );
        return (None, vec![note]);
    }
    let note = match first {
        Detected::Windows1252 { offset, byte } => format!(
            "{url} is not UTF-8: the first byte that shows it is {byte:02x}, at byte {offset}; it is read as \
             windows-1252, which decodes anything: check the non-ASCII letters"
        ),
        Detected::Utf16(encoding) => {
            format!("{url} has a zero in every other byte: it is read as {}", encoding.name())
        }
        _ => return (None, Vec::new()),
    };
    (first.encoding().map(EncodingName::from), vec![note])
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::UTF_16LE;

    #[test]
    fn inputs_have_to_agree() {
        let windows = Detected::Windows1252 { offset: 7, byte: 0xe9 };
        let utf16 = Detected::Utf16(UTF_16LE);
        for (detected, expected, notes) in [
            (vec![], None, 0),
            (vec![Detected::Ascii, Detected::Given], None, 0),
            (vec![Detected::Ascii, Detected::Utf8], None, 0),
            (vec![Detected::Ascii, windows, windows], Some("windows-1252"), 1),
            (vec![Detected::Given, utf16, utf16], Some("utf-16le"), 1),
            (vec![Detected::Utf8, windows], None, 1),
            (vec![utf16, Detected::Ascii], None, 1),
        ] {
            let samples: Vec<_> = detected.iter().map(|detected| ("u".to_owned(), *detected)).collect();
            let (encoding, said) = infer_encoding(&samples);
            assert_eq!(
                (encoding.as_ref().map(EncodingName::name), said.len()),
                (expected, notes),
                "{detected:?}"
            );
        }
    }
}
