//! `key=value/`: how Hive names the directories of partitions, to write and to read them.

use std::borrow::Cow;

/// What Hive, Spark and Redshift Spectrum call the directory of null.
pub const NULL_DIRECTORY: &str = "__HIVE_DEFAULT_PARTITION__";

/// Escapes a key or value as Hive does for directory names: control
/// characters and `"#%'*/:=?\{}[]^` become `%XX`. (Hive's
/// `FileUtils.escapePathName`.) A leading `.` or `_` is escaped too: readers
/// skip directories that begin so.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (position, character) in text.char_indices() {
        let special = matches!(
            character,
            '"' | '#' | '%' | '\'' | '*' | '/' | ':' | '=' | '?' | '\\' | '{' | '}' | '[' | ']' | '^'
        );
        let hides = position == 0 && matches!(character, '.' | '_');
        if special || hides || character.is_ascii_control() {
            escaped.push_str(&format!("%{:02X}", character as u32));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

/// The text of an escaped key or value. Bytes that are not UTF-8 once they are
/// unescaped stay as they stand in the name.
pub fn unescape(name: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(name).decode_utf8().unwrap_or(Cow::Borrowed(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_escaped_are_read_back() {
        for text in ["a", "a/b=c", "100%", "_x", ".x", "12:30", "é", "%41", "\t"] {
            assert_eq!(unescape(&escape(text)), text);
        }
        assert_eq!(unescape("caf%C3%A9"), "café");
        assert_eq!(unescape("caf%E9"), "caf%E9");
    }
}
