//! Where a grammar was left → what was most likely meant: text without its quotes, or
//! a value that is missing. Parsers say what they expected next, such as `true` after a `t`.

use super::DocumentFormat;
use super::document::SyntaxError;

/// The error in words for people, with what to do.
pub(super) fn explain(text: &str, format: DocumentFormat, error: SyntaxError) -> SyntaxError {
    let offset = text.floor_char_boundary(error.offset);
    // The JSON parser has read a word and the white space after it.
    let read = text[..offset].trim_end();
    let offset = if read.ends_with(char::is_alphanumeric) && format == DocumentFormat::Json {
        read.len()
    } else {
        offset
    };
    let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let Some(start) = value_start(line, offset - line_start, format) else { return otherwise(format, error) };
    let rest = &line[start..];
    let value = rest.split([',', ']', '}', '#']).next().unwrap_or_default().trim_end();
    let at_value = |message: &str, remedy: String| SyntaxError {
        offset: line_start + start,
        message: message.to_owned(),
        remedy: Some(remedy),
    };
    match value.chars().next() {
        None if rest.is_empty() || rest.starts_with('#') => at_value(
            "the value is missing",
            "write one: text in double quotes, a number, true or false".into(),
        ),
        None => otherwise(format, error),
        Some(quote @ ('"' | '\'')) => {
            let remedy = match rest[1..].contains(quote) {
                false => format!("end the text with {quote}, on the same line"),
                true if rest.contains('\\') => r"write a backslash in text as `\\`".to_owned(),
                true => return otherwise(format, error),
            };
            SyntaxError { remedy: Some(remedy), ..error }
        }
        Some(first) if first.is_ascii_digit() || "+-[{".contains(first) => otherwise(format, error),
        Some(_) if ["true", "false", "null", "inf", "nan"].contains(&value) => otherwise(format, error),
        Some(_) => at_value("text must be in double quotes", format!("write {value:?}")),
    }
}

fn otherwise(format: DocumentFormat, error: SyntaxError) -> SyntaxError {
    let remedy = match format {
        DocumentFormat::Toml => {
            "a job file is TOML: `key = value` with text in double quotes, `[table]`, `[[list]]`"
        }
        DocumentFormat::Json => {
            "keys and text must be in double quotes, with a comma between two values and none after the last"
        }
    };
    SyntaxError { remedy: Some(remedy.to_owned()), ..error }
}

/// Where in a line the value begins that `at` is in, if that is a value and not a key.
fn value_start(line: &str, at: usize, format: DocumentFormat) -> Option<usize> {
    let separator = match format {
        DocumentFormat::Toml => '=',
        DocumentFormat::Json => ':',
    };
    let mut quote = None;
    let mut open = Vec::new();
    let mut start = None;
    let mut is_escaped = false;
    for (offset, c) in line.char_indices().take_while(|(offset, _)| *offset < at) {
        match quote {
            Some(_) if is_escaped => is_escaped = false,
            Some('"') if c == '\\' => is_escaped = true,
            Some(end) if c == end => quote = None,
            Some(_) => {}
            None if c == separator => start = Some(offset + 1),
            None => match c {
                '"' | '\'' => quote = Some(c),
                // A list within a value; at the beginning of a line it is the name of a table.
                '[' if start.is_some() => {
                    open.push('[');
                    start = Some(offset + 1);
                }
                '{' => {
                    open.push('{');
                    start = None;
                }
                ',' => start = (open.last() == Some(&'[')).then_some(offset + 1),
                ']' | '}' => {
                    open.pop();
                    start = None;
                }
                _ => {}
            },
        }
    }
    let start = start?;
    let rest = &line[start..];
    Some(start + rest.len() - rest.trim_start().len())
}

#[cfg(test)]
mod tests {
    use super::super::Document;
    use super::*;

    fn said(text: &str, format: DocumentFormat) -> String {
        let error = Document::parse(text, format, "job").unwrap_err().into_error("job");
        format!("{error} ({})", error.what_to_do().unwrap())
    }

    #[test]
    fn text_without_quotes_and_missing_values_are_named() {
        for (line, expected) in [
            ("name = t", "job:2:8: text must be in double quotes (write \"t\")"),
            ("name = flights # ours", "job:2:8: text must be in double quotes (write \"flights\")"),
            ("name = it's", "job:2:8: text must be in double quotes (write \"it's\")"),
            ("name = nightly run", "job:2:8: text must be in double quotes (write \"nightly run\")"),
            (
                "inputs = [\"a,b\", s3://b/c, d]",
                "job:2:18: text must be in double quotes (write \"s3://b/c\")",
            ),
            ("a = { b = 1, c = x }", "job:2:18: text must be in double quotes (write \"x\")"),
            ("name =", "job:2:7: the value is missing (write one:"),
            ("name = # none", "job:2:8: the value is missing (write one:"),
        ] {
            let said = said(&format!("a_key = 1\n{line}\n"), DocumentFormat::Toml);
            assert!(said.starts_with(expected), "{line}: {said}");
        }
        let said = said("{\n  \"name\": t\n}", DocumentFormat::Json);
        assert!(said.starts_with("job:2:11: text must be in double quotes (write \"t\")"), "{said}");
    }

    #[test]
    fn other_mistakes_keep_their_message_and_get_a_remedy() {
        for (line, place, remedy) in [
            ("name = 'a", "job:2:", "end the text with '"),
            ("name = \"a", "job:2:", "end the text with \""),
            ("name = \"C:\\dir\"", "job:2:", "backslash"),
            ("name t", "job:2:", "`key = value`"),
            ("[source", "job:2:", "`[table]`"),
            ("name = 1x", "job:2:", "`key = value`"),
            ("a = { b = 1, c }", "job:2:", "`key = value`"),
        ] {
            let said = said(&format!("a_key = 1\n{line}\n"), DocumentFormat::Toml);
            assert!(said.starts_with(place) && said.contains(remedy), "{line}: {said}");
            assert!(!said.contains("double quotes (write"), "{line}: {said}");
        }
    }
}
