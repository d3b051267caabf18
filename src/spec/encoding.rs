//! The names of encodings.

use super::{ByName, Named};
use crate::spanned::{KeyPath, Problem};
use encoding_rs::Encoding;

/// An encoding by a label of the Encoding Standard, in which `latin1` means `windows-1252`, or by
/// what Python calls it.
pub type EncodingName = Named<&'static Encoding>;

impl From<&'static Encoding> for EncodingName {
    fn from(encoding: &'static Encoding) -> Self {
        Named::new(encoding.name().to_ascii_lowercase(), encoding)
    }
}

impl ByName for &'static Encoding {
    fn by_name(name: &str) -> Result<Self, Problem> {
        let name = name.trim();
        let label = name.to_ascii_lowercase().replace('_', "-");
        let label = match label.as_str() {
            // ASCII is UTF-8 as it stands; the Encoding Standard would take it for windows-1252.
            "ascii" | "us-ascii" | "utf-8-sig" | "utf8-sig" => "utf-8",
            "latin-1" => "latin1",
            "utf16" => "utf-16",
            "utf16-le" | "utf16le" | "utf-16-le" => "utf-16le",
            "utf16-be" | "utf16be" | "utf-16-be" => "utf-16be",
            // Some of the standard's own labels have an underscore: ms_kanji.
            other if Encoding::for_label(name.as_bytes()).is_none() => other,
            _ => name,
        };
        Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(|| {
            Problem::new(KeyPath::root(), format!("unknown encoding `{name}`")).remedy(
                "write a label of the WHATWG Encoding Standard: utf-8, utf-16le, latin1, windows-1252, …",
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_known_by_the_names_of_the_standard_and_of_python() {
        for (name, encoding) in [
            ("UTF8", "UTF-8"),
            ("ascii", "UTF-8"),
            ("utf_8_sig", "UTF-8"),
            ("latin-1", "windows-1252"),
            ("cp1252", "windows-1252"),
            ("utf_16_be", "UTF-16BE"),
            ("sjis", "Shift_JIS"),
            ("shift_jis", "Shift_JIS"),
            ("ms_kanji", "Shift_JIS"),
        ] {
            assert_eq!(<&Encoding>::by_name(name).map(Encoding::name), Ok(encoding), "{name}");
        }
        assert!(<&Encoding>::by_name("klingon").is_err());
    }
}
