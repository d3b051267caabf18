//! What a shell would have replaced in a location, but did not: `~/lake`,
//! `$HOME/lake`, `day=$DAY/`.
//!
//! Refused and not expanded: job files have `${NAME}`, which fails where the
//! variable is not set, and of two ways to write one thing the other would be
//! a file name on some days.

use super::location::{LocationError, error};

/// Refuses a path that holds what was meant to be replaced.
pub(super) fn check_path(path: &str) -> Result<(), LocationError> {
    if let Some(below) = path.strip_prefix('~') {
        let name = path.split('/').next().unwrap_or(path);
        let home = match below.strip_prefix('/') {
            Some(below) => format!("`${{HOME}}/{below}`"),
            None if below.is_empty() => "`${HOME}`".to_owned(),
            None => "the whole path of that user's directory".to_owned(),
        };
        return Err(error(
            format!("`{name}` is not replaced by a home directory"),
            format!(
                "write {home}, which job files and shells (but not in single quotes) replace, or `./{path}` for a \
                 file or directory of that name"
            ),
        ));
    }
    let Some(variable) = variable(path) else { return Ok(()) };
    let as_it_stands = match path.starts_with('/') {
        true => format!("file://{}", escape(path)),
        false => format!("./{path}"),
    };
    Err(refused(variable, &format!("`{as_it_stands}` for a file or directory of that name")))
}

/// The same of a URL, in which `~` is a character like others.
pub(super) fn check_url(url: &str) -> Result<(), LocationError> {
    match variable(url) {
        Some(name) => Err(refused(name, "`[$]` for the character itself in an input")),
        None => Ok(()),
    }
}

fn refused(variable: &str, or: &str) -> LocationError {
    let name = variable.trim_matches(['$', '{', '}']);
    error(
        format!("`{variable}` is not replaced by the variable's value"),
        format!(
            "write `${{{name}}}`, which job files and shells (but not in single quotes) replace, or {or}"
        ),
    )
}

/// The first `$NAME` or `${NAME}` that stands where a word begins: `V$SESSION` and
/// `day_$folder$` are names of files.
fn variable(text: &str) -> Option<&str> {
    let begins = |at: &usize| !text[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    text.match_indices('$').map(|(at, _)| at).filter(begins).find_map(|at| {
        let inside = &text[at + 1..];
        let (open, name) = inside.strip_prefix('{').map_or((0, inside), |name| (1, name));
        let length = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
        let is_name = length > 0 && !name.starts_with(|c: char| c.is_ascii_digit());
        let close = usize::from(open == 1 && name[length..].starts_with('}'));
        (is_name && open == close).then(|| &text[at..at + 1 + open + length + close])
    })
}

/// An absolute path as it stands in a `file:///` URL.
pub(super) fn escape(path: &str) -> String {
    path.replace('%', "%25").replace('$', "%24")
}
