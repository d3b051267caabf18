//! Names and values of the user's in messages: cut where they are long.

use std::borrow::Cow;

/// Characters of a name or value that are shown.
const SHOWN: usize = 100;

/// No character takes more bytes in UTF-8.
const CHARACTER_BYTES: usize = 4;

/// The beginning of a text, with an ellipsis if that is not all.
pub fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SHOWN) {
        // What was cut before stays as it is.
        Some((end, _)) if &text[end..] != "…" => format!("{}…", &text[..end]).into(),
        _ => text.into(),
    }
}

/// The same of bytes that should be UTF-8.
pub fn excerpt_of(value: &[u8]) -> String {
    let begins = &value[..value.len().min((SHOWN + 1) * CHARACTER_BYTES)];
    excerpt(&String::from_utf8_lossy(begins)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let text = |characters: usize| "ä".repeat(characters);
        assert_eq!(excerpt(&text(100)), text(100));
        let cut = format!("{}…", text(100));
        assert_eq!(excerpt(&text(101)), cut);
        assert_eq!(excerpt(&cut), cut);
        assert_eq!(excerpt_of(text(5000).as_bytes()), cut);
        assert_eq!(excerpt_of(&[0xff; 101]), format!("{}…", "\u{fffd}".repeat(100)));
        assert_eq!(excerpt_of(b"a"), "a");
    }
}
