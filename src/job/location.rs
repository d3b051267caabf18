//! Paths and URLs of a job file → absolute locations.

use super::foreign::Foreign;
use std::path::{Component, Path, PathBuf};

/// A location that cannot be used: what is wrong and what to do. Never holds
/// the location itself where that may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LocationError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

fn error(message: impl Into<String>, remedy: impl Into<String>) -> LocationError {
    LocationError { message: message.into(), remedy: remedy.into() }
}

/// Makes a location absolute: relative paths are taken from `base` and `a/../b`
/// becomes `b`, without looking at the disk; `s3://` URLs stay as they are,
/// `file:///` URLs stay URLs. Globs and a final `/` are kept.
pub fn absolute(text: &str, base: &Path) -> Result<String, LocationError> {
    if text.is_empty() {
        return Err(error("the location is empty", "write a path or a URL"));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok(normalize(text, base));
    };
    check_no_credentials(text)?;
    match scheme {
        "s3" if rest.is_empty() || rest.starts_with('/') => {
            Err(error("the URL names no bucket", "write `s3://bucket/prefix/`"))
        }
        "s3" => Ok(text.into()),
        "file" if rest.starts_with('/') => Ok(format!("file://{}", normalize(rest, base))),
        "file" => Err(error(
            "the URL of a file has three slashes",
            "write `file:///absolute/path`, or the path alone",
        )),
        "s3a" | "s3n" => Err(error(format!("`{scheme}://` is Hadoop's name for it"), "write `s3://`")),
        other => Err(error(
            format!("locations of kind `{other}://` are not supported"),
            "write a path, `file:///…` or `s3://…`",
        )),
    }
}

/// The path of a `file://` URL or of a plain path; `None` for other schemes.
pub(crate) fn local_path(url: &str) -> Option<PathBuf> {
    match url.strip_prefix("file://") {
        Some(rest) => {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            let decoded = percent_encoding::percent_decode_str(path).decode_utf8().ok()?;
            path.starts_with('/').then(|| PathBuf::from(decoded.as_ref()))
        }
        None if url.is_empty() || url.contains("://") => None,
        None => Some(PathBuf::from(url)),
    }
}

/// Refuses `scheme://user:password@host`; the error does not repeat it.
pub fn check_no_credentials(url: &str) -> Result<(), LocationError> {
    let is_scheme =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '+');
    let authority = match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest.split('/').next(),
        _ => None,
    };
    // Azure's URLs have the container before the `@`; why they are refused is told elsewhere.
    let is_azure = Foreign::of(url) == Some(Foreign::Azure);
    match authority.and_then(|authority| authority.split_once('@')) {
        Some((before, _)) if !is_azure || before.contains(':') => Err(error(
            "the URL holds credentials",
            "remove what stands before `@`; credentials come from the AWS environment, or name a `profile`",
        )),
        _ => Ok(()),
    }
}

fn normalize(path: &str, base: &Path) -> String {
    let mut out = PathBuf::new();
    for component in base.join(path).components() {
        match component {
            Component::CurDir => {}
            // At the root, `..` is the root.
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    let mut text = out.to_string_lossy().into_owned();
    if path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..") || matches!(path, "." | "..") {
        with_slash(&mut text);
    }
    text
}

/// Makes the location end in `/`.
pub(super) fn with_slash(location: &mut String) {
    if !location.ends_with('/') {
        location.push('/');
    }
}

/// One spelling for each place, to compare places with: `file:///a%20b` is `/a b`.
pub(super) fn comparable(location: &str, endpoint: Option<&str>) -> String {
    match location.strip_prefix("file://") {
        Some(path) => percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned(),
        None if location.contains("://") => {
            format!("{}{location}", endpoint.unwrap_or_default().trim_end_matches('/'))
        }
        None => location.into(),
    }
}

/// What stands before the first character of a glob.
pub(super) fn before_glob(location: &str) -> &str {
    location.find(['*', '?', '[']).map_or(location, |at| &location[..at])
}
