//! Settings in messages: keys of a job file, or flags.
//!
//! What is said of a setting is written once, with both of its names:
//! "`dialect.quoteChar = ""` (--no-quote)". The command that shows it knows which of
//! the two its user has, and leaves out the other. What stands in backticks is one key
//! or one key with a value, or several with values and "and" between them; " in a schema"
//! may follow a key that stands there. In the parentheses are flags, or after "convert: "
//! what takes the place of a key that has no flag: "`source.inputs` (convert: INPUT)".

use std::collections::BTreeSet;

/// How a command names settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Wording {
    /// As keys of the job file, which it takes.
    #[default]
    Keys,
    /// As flags. Those that it lacks, `convert` has.
    Flags(BTreeSet<String>),
}

/// What introduces words in place of a flag.
const WORDS: &str = "convert: ";

/// Where keys may stand beside the job file.
const IN_A_SCHEMA: &str = " in a schema";

/// A setting in a text, by its two names.
#[derive(Debug, PartialEq, Eq)]
struct Setting<'a> {
    /// Where it begins and ends in the text.
    start: usize,
    end: usize,
    keys: &'a str,
    flags: &'a str,
}

/// Settings, each with its flag and what follows its key.
pub fn settings<'s>(all: impl IntoIterator<Item = (String, String, &'s str)>) -> String {
    let (mut keys, mut flags) = (Vec::new(), Vec::new());
    for (key, flag, in_a) in all {
        keys.push(format!("`{key}`{in_a}"));
        flags.push(flag);
    }
    format!("{} ({})", keys.join(" and "), flags.join(" "))
}

/// A text as TOML and JSON have it.
pub fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

/// A text as one word of a command line.
pub fn word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/%=:+,".contains(&byte);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

impl Wording {
    /// The text with one name for each setting.
    pub fn shown(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut told = 0;
        while let Some(setting) = Setting::first(text, told) {
            shown.push_str(&text[told..setting.start]);
            match self {
                Wording::Keys => shown.push_str(setting.keys),
                Wording::Flags(known) => shown.push_str(&setting.as_flags(known)),
            }
            told = setting.end;
        }
        shown.push_str(&text[told..]);
        shown
    }

    /// The same in each string of a line of JSON.
    pub fn shown_in_json(&self, line: &str) -> String {
        let mut shown = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(start) = rest.find('"') {
            let Some(length) = string_length(&rest[start..]) else { break };
            let literal = &rest[start..start + length];
            shown.push_str(&rest[..start]);
            match serde_json::from_str::<String>(literal) {
                Ok(value) if value.contains('`') => shown.push_str(&self::text(&self.shown(&value))),
                _ => shown.push_str(literal),
            }
            rest = &rest[start + length..];
        }
        shown.push_str(rest);
        shown
    }
}

/// The settings of a text: keys and flags of each.
#[cfg(test)]
pub(crate) fn named_in(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut told = 0;
    while let Some(setting) = Setting::first(text, told) {
        found.push((setting.keys, setting.flags));
        told = setting.end;
    }
    found
}

/// The text as a command shows it that has all flags.
#[cfg(test)]
pub(crate) fn by_flags(text: &str) -> String {
    Wording::Flags(flags_in(text).map(str::to_owned).collect()).shown(text)
}

/// Bytes of the JSON string that a text begins with.
fn string_length(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().enumerate().skip(1).find_map(|(at, byte)| match (is_escaped, byte) {
        (false, b'"') => Some(at + 1),
        (escaped, byte) => {
            is_escaped = !escaped && byte == b'\\';
            None
        }
    })
}

impl<'a> Setting<'a> {
    /// The first that begins at `told` or after it.
    fn first(text: &'a str, told: usize) -> Option<Setting<'a>> {
        let mut from = told;
        loop {
            let open = from + text[from..].find(" (")?;
            let inner = open + " (".len();
            from = inner;
            if !text[inner..].starts_with("--") && !text[inner..].starts_with(WORDS) {
                continue;
            }
            let (Some(start), Some(length)) = (start_of_keys(&text[told..open]), closing(&text[inner..]))
            else {
                continue;
            };
            let (start, close) = (told + start, inner + length);
            let (keys, flags) = (&text[start..open], &text[inner..close]);
            return Some(Setting { start, end: close + 1, keys, flags });
        }
    }

    fn as_flags(&self, known: &BTreeSet<String>) -> String {
        if let Some(words) = self.flags.strip_prefix(WORDS) {
            return words.to_owned();
        }
        let is_known = flags_in(self.flags).all(|flag| known.contains(flag));
        let whose = if is_known { "" } else { " of `convert`" };
        format!("{}{whose}", self.flags)
    }
}

/// Names of the flags in a text, without the dashes.
pub fn flags_in(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split([' ', '(', '`', '"']).filter_map(|word| word.strip_prefix("--"));
    let name = |word: &'_ str| word.find(|c: char| c != '-' && !c.is_ascii_lowercase()).unwrap_or(word.len());
    words.map(move |word| &word[..name(word)]).filter(|flag| !flag.is_empty())
}

/// Where the keys begin that a text ends with.
fn start_of_keys(text: &str) -> Option<usize> {
    let (mut start, content) = span_at_end(text)?;
    while value_of(content).is_some()
        && let Some(before) = text[..start].strip_suffix(" and ")
        && let Some((earlier, content)) = span_at_end(before)
        && value_of(content).is_some()
    {
        start = earlier;
    }
    Some(start)
}

/// A span in backticks at the end of a text: where it begins, and what it holds. Its value may
/// hold backticks, too.
fn span_at_end(text: &str) -> Option<(usize, &str)> {
    let text = text.strip_suffix(IN_A_SCHEMA).unwrap_or(text);
    let text = text.strip_suffix('`')?;
    let mut end = text.len();
    while let Some(start) = text[..end].rfind('`') {
        let content = &text[start + 1..];
        if is_key(value_of(content).map_or(content, |(key, _)| key)) {
            return Some((start, content));
        }
        end = start;
    }
    None
}

/// Key and value.
fn value_of(content: &str) -> Option<(&str, &str)> {
    content.split_once(" = ").filter(|(key, value)| is_key(key) && !value.is_empty())
}

fn is_key(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.[]<>".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(is_part)
}

/// Bytes before the parenthesis that closes the one before the text: those in quotes of a shell
/// do not count.
fn closing(text: &str) -> Option<usize> {
    let (mut depth, mut quote, mut is_escaped) = (0, None, false);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            _ if is_escaped => is_escaped = false,
            (None | Some(b'"'), b'\\') => is_escaped = true,
            (Some(open), byte) if open == byte => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') if depth == 0 => return Some(at),
            (None, b')') => depth -= 1,
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
#[path = "wording_tests.rs"]
mod tests;
