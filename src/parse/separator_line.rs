//! The line `sep=;` that may begin a text: spreadsheets write it and take the delimiter from it.

use super::Terminator;

/// No such line is longer.
pub(crate) const MAX_SEPARATOR_LINE_BYTES: usize = 16;

/// A first line that names the delimiter and holds nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeparatorLine {
    /// What it names.
    pub delimiter: String,
    /// Its bytes, line end included.
    pub bytes: Vec<u8>,
}

/// How a text begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opening {
    /// With a line that names the delimiter.
    Separator(SeparatorLine),
    /// With anything else.
    Other,
    /// More bytes may tell.
    Undecided,
}

impl SeparatorLine {
    /// As it stands, without its line end.
    pub fn text(&self) -> String {
        let end =
            self.bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
        String::from_utf8_lossy(&self.bytes[..end]).into_owned()
    }
}

impl Opening {
    /// That of a text without byte order mark: `sep=` and one character that is neither a letter, a
    /// digit nor a quote, or `\t`; it may stand in quotes. Without a known terminator, any line end
    /// is one.
    pub fn of(text: &[u8], terminator: Option<Terminator>) -> Opening {
        let quoted = text.first() == Some(&b'"');
        let rest = &text[usize::from(quoted)..];
        let known = rest.len().min(4);
        if !rest[..known].eq_ignore_ascii_case(&b"sep="[..known]) {
            return Opening::Other;
        }
        let Some((delimiter, mut rest)) = delimiter(&rest[known..]) else {
            return if text.len() < MAX_SEPARATOR_LINE_BYTES { Opening::Undecided } else { Opening::Other };
        };
        if delimiter.is_alphanumeric() || matches!(delimiter, '"' | '\r' | '\n' | '\0') {
            return Opening::Other;
        }
        if quoted {
            rest = match rest {
                [b'"', rest @ ..] => rest,
                [] => return Opening::Undecided,
                _ => return Opening::Other,
            };
        }
        let (takes_lf, takes_cr) = match terminator {
            None | Some(Terminator::Any) => (true, true),
            Some(Terminator::Lf) => (true, false),
            Some(Terminator::Cr) => (false, true),
            Some(Terminator::Byte(_)) => return Opening::Other,
        };
        let end = match rest {
            [] => return Opening::Undecided,
            [b'\n', ..] if takes_lf => 1,
            [b'\r', b'\n', ..] if takes_lf => 2,
            [b'\r', b'\r', b'\n', ..] if takes_lf && terminator != Some(Terminator::Any) => 3,
            [b'\r'] if takes_lf => return Opening::Undecided,
            [b'\r', b'\r'] if takes_lf && terminator != Some(Terminator::Any) => return Opening::Undecided,
            [b'\r', ..] if takes_cr => 1,
            _ => return Opening::Other,
        };
        let bytes = text[..text.len() - rest.len() + end].to_vec();
        Opening::Separator(SeparatorLine { delimiter: delimiter.into(), bytes })
    }
}

/// The first character, or what `\t` stands for, and what follows it; `None` if it is not whole.
fn delimiter(text: &[u8]) -> Option<(char, &[u8])> {
    match text {
        [b'\\', b't', rest @ ..] => Some(('\t', rest)),
        [b'\\'] => None,
        _ => {
            let start = &text[..text.len().min(4)];
            let character = start.utf8_chunks().next()?.valid().chars().next()?;
            Some((character, &text[character.len_utf8()..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_names_the_delimiter_is_known_as_soon_as_it_ends() {
        for (text, terminator, delimiter) in [
            ("sep=;\na;b\n", Some(Terminator::Lf), ";"),
            ("SEP=,\r\na,b\r\n", Some(Terminator::Lf), ","),
            ("Sep=|\r\r\na|b", None, "|"),
            ("\"sep=;\"\na;b", Some(Terminator::Any), ";"),
            ("sep=\t\na\tb", None, "\t"),
            ("sep=\\t\na\tb", None, "\t"),
            ("sep=\\\nab", None, "\\"),
            ("sep=¦\na¦b", Some(Terminator::Lf), "¦"),
            ("sep=;\ra;b\r", Some(Terminator::Cr), ";"),
            ("sep=;\ra;b\r", Some(Terminator::Any), ";"),
        ] {
            let Opening::Separator(line) = Opening::of(text.as_bytes(), terminator) else {
                panic!("{text:?}")
            };
            assert_eq!(line.delimiter, delimiter, "{text:?}");
            assert!(text.as_bytes()[line.bytes.len()..].first().is_some_and(u8::is_ascii_lowercase));
            // However the bytes come, nothing else is said before.
            for end in 0..line.bytes.len() {
                let part = Opening::of(&text.as_bytes()[..end], terminator);
                assert_eq!(part, Opening::Undecided, "{:?}", &text.as_bytes()[..end]);
            }
        }
        for (text, terminator) in [
            ("sep=a\n", None),
            ("sep=\n", None),
            ("sep=;;\n", None),
            ("sep=;x\n", None),
            ("sepal;1\n", None),
            ("\"sep=;\nx\"", None),
            ("sep=\"\n", None),
            (" sep=;\n", None),
            ("sep=;\rx\n", Some(Terminator::Lf)),
            ("sep=;\nx\r", Some(Terminator::Cr)),
            ("sep=;\u{1e}x", Some(Terminator::Byte(0x1e))),
        ] {
            assert_eq!(Opening::of(text.as_bytes(), terminator), Opening::Other, "{text:?}");
        }
    }
}
