//! Paths and URLs of a job file → absolute locations.

use super::foreign::ForeignStore;
use super::unexpanded;
use crate::error::nearest;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
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

pub(super) fn error(message: impl Into<String>, remedy: impl Into<String>) -> LocationError {
    LocationError { message: message.into(), remedy: remedy.into() }
}

/// Makes a location absolute: relative paths are taken from `base` and `a/../b`
/// becomes `b`, without looking at the disk; `s3://` URLs stay as they are,
/// `file:` URLs become `file:///…`. Globs and a final `/` are kept.
///
/// Every location that a user gives comes through here before anything is done
/// with it: what is not a path and no URL of a known kind would else become a
/// directory of that name. A path that begins with `./` is taken as it stands.
/// What this returns it takes again, unchanged: a plan is checked once more by
/// each task.
pub fn absolute(text: &str, base: &Path) -> Result<String, LocationError> {
    if text.is_empty() {
        return Err(error("the location is empty", "write a path or a URL"));
    }
    check_no_credentials(text)?;
    let Some(url) = Url::of(text) else {
        if !text.starts_with("./") {
            unexpanded::check_path(text)?;
        }
        return Ok(literal(normalize(text, base)));
    };
    match url.scheme.to_ascii_lowercase().as_str() {
        "s3" => url.s3(),
        "file" => url.file(base),
        "s3a" | "s3n" => Err(url.is_meant_as(format!("`{}://` is Hadoop's name for it", url.scheme))),
        "arn" => Err(url.arn()),
        _ => Err(url.unknown()),
    }
}

/// The location of an input: [`absolute`], but for standard input, which is `-`.
pub fn input(text: &str, base: &Path) -> Result<String, LocationError> {
    match (text, ForeignStore::of(text)) {
        ("-" | "stdin:", _) => Ok("stdin:".into()),
        (_, Some(store)) => Err(store.refused_as_source()),
        _ => absolute(text, base),
    }
}

/// The location of something that is written: [`absolute`], or why it is refused.
pub fn output(text: &str, base: &Path) -> Result<String, LocationError> {
    match ForeignStore::of(text) {
        Some(store) => Err(store.refused_as_target()),
        None => absolute(text, base),
    }
}

/// A directory for temporary files, which has to be on this machine.
pub(crate) fn local_directory(directory: &Path, base: &Path) -> Result<PathBuf, LocationError> {
    match directory.to_str() {
        Some(text) if !directory.is_absolute() => local_path(&absolute(text, base)?)
            .ok_or_else(|| error("temporary files must be in a local directory", "write the path of one")),
        _ => Ok(base.join(directory)),
    }
}

/// A text that is meant as a URL: what stands before the first `:`, and after it.
struct Url<'t> {
    text: &'t str,
    scheme: &'t str,
    rest: &'t str,
}

/// Schemes that no file name begins with as the beginning of its name.
const KNOWN_SCHEMES: [&str; 21] = [
    "s3", "s3a", "s3n", "file", "arn", "gs", "gcs", "az", "azure", "abfs", "abfss", "adl", "wasb", "wasbs",
    "hdfs", "http", "https", "ftp", "ftps", "sftp", "dbfs",
];

impl<'t> Url<'t> {
    /// `2024-01-01T00:00.csv` is a file; `x:/y` and `s3:y` are not.
    fn of(text: &'t str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let is_known = KNOWN_SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known));
        let is_url = match scheme {
            _ if scheme.is_empty() || scheme.contains('/') => false,
            _ if rest.starts_with("//") => true,
            _ => is_known || is_scheme(scheme) && rest.starts_with('/'),
        };
        is_url.then_some(Url { text, scheme, rest })
    }

    fn s3(&self) -> Result<String, LocationError> {
        let Some(inside) = self.rest.strip_prefix("//") else {
            return Err(self.is_meant_as("an S3 URL has two slashes after the colon".into()));
        };
        let bucket = inside.split('/').next().unwrap_or_default();
        if bucket.is_empty() {
            return Err(error("the URL does not name a bucket", "write `s3://bucket/prefix/`"));
        }
        if bucket.to_ascii_lowercase().starts_with("arn:") {
            return Err(Url { text: inside, scheme: "arn", rest: &inside[4..] }.arn());
        }
        unexpanded::check_url(self.text)?;
        Ok(format!("s3://{inside}"))
    }

    fn file(&self, base: &Path) -> Result<String, LocationError> {
        let path = match self.rest.strip_prefix("//") {
            Some(rest) => rest.strip_prefix("localhost").filter(|path| path.starts_with('/')).unwrap_or(rest),
            None => self.rest,
        };
        if !path.starts_with('/') {
            return Err(error(
                "a file URL has three slashes",
                "write `file:///absolute/path`, or the path alone",
            ));
        }
        unexpanded::check_path(path)?;
        Ok(format!("file://{}", normalize(path, base)))
    }

    /// `s3:/b/x`, `s3a://b/x`: what it would be as a URL of S3.
    fn is_meant_as(&self, message: String) -> LocationError {
        let inside = self.rest.trim_start_matches('/');
        // What stands after a `?` may be a signature.
        let url = if inside.is_empty() || inside.contains('?') { "bucket/prefix/" } else { inside };
        error(message, format!("write `s3://{url}`{}", self.or_the_file()))
    }

    fn arn(&self) -> LocationError {
        let parts: Vec<&str> = self.text.splitn(6, ':').collect();
        let remedy = match parts[..] {
            [_, _, "s3", "", "", object] if !object.is_empty() => format!("write `s3://{object}`"),
            [_, _, "s3", ..] => "write `s3://`, the alias of the access point, and the prefix".to_owned(),
            _ => "write `s3://bucket/prefix/`".to_owned(),
        };
        error("an ARN is not a location", remedy)
    }

    fn unknown(&self) -> LocationError {
        let nearest = nearest(self.scheme, ["s3", "file"]);
        let remedy = match nearest {
            Some("s3") => self.is_meant_as(String::new()).remedy,
            _ => format!("write a path, `file:///…` or `s3://…`{}", self.or_the_file()),
        };
        error(format!("locations of kind `{}://` are not supported", self.scheme), remedy)
    }

    /// What reaches a file of that name, where this can be one. The text is not
    /// repeated where it may hold a signature.
    fn or_the_file(&self) -> String {
        match self.rest.starts_with("//") || self.text.contains('?') {
            true => String::new(),
            false => format!(", or `./{}` for a file or directory of that name", self.text),
        }
    }
}

/// A path that [`absolute`] would not take again becomes a `file:///` URL, which it does.
fn literal(path: String) -> String {
    match unexpanded::check_path(&path) {
        Ok(()) => path,
        Err(_) => format!("file://{}", unexpanded::escape(&path)),
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// Bucket and key (or prefix) of a URL of S3; `None` for other places.
pub(crate) fn in_s3(url: &str) -> Option<(&str, &str)> {
    let inside = url.strip_prefix("s3://")?;
    Some(inside.split_once('/').unwrap_or((inside, "")))
}

/// The path of a `file://` URL or of a plain path; `None` for other schemes.
pub(crate) fn local_path(url: &str) -> Option<PathBuf> {
    match url.strip_prefix("file://") {
        Some(rest) => {
            let path = rest.strip_prefix("localhost").unwrap_or(rest);
            // A name may be of any bytes.
            let decoded = percent_encoding::percent_decode_str(path).collect::<Vec<u8>>();
            path.starts_with('/').then(|| PathBuf::from(OsString::from_vec(decoded)))
        }
        None if url.is_empty() || url.contains("://") => None,
        None => Some(PathBuf::from(url)),
    }
}

/// Refuses `scheme://user:password@host`; the error does not repeat it.
pub fn check_no_credentials(url: &str) -> Result<(), LocationError> {
    let plain = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '+');
    let authority = match (url.split_once("://"), Url::of(url)) {
        (Some((scheme, rest)), _) if plain(scheme) => rest.split('/').next(),
        // `s3:/user:password@bucket`
        (None, Some(url)) if !url.scheme.eq_ignore_ascii_case("file") => {
            url.rest.trim_start_matches('/').split('/').next()
        }
        _ => None,
    };
    // Azure's URLs have the container before the `@`; why they are refused is told elsewhere.
    let is_azure = ForeignStore::of(url) == Some(ForeignStore::Azure);
    match authority.and_then(|authority| authority.split_once('@')) {
        Some((before, _)) if !is_azure || before.contains(':') => Err(error(
            "the URL holds credentials",
            "remove what comes before `@`; credentials come from the AWS environment, or name a `profile`",
        )),
        _ => Ok(()),
    }
}

/// Refuses what is not an endpoint of a server.
pub fn check_endpoint(endpoint: &str) -> Result<(), LocationError> {
    check_no_credentials(endpoint)?;
    if endpoint.starts_with("http://") || endpoint.starts_with("https://") {
        return Ok(());
    }
    Err(error("an endpoint begins with `http://` or `https://`", "write one like `http://127.0.0.1:9000`"))
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
pub(crate) fn with_slash(location: &mut String) {
    if !location.ends_with('/') {
        location.push('/');
    }
}

/// One spelling for each place, to compare places with: `file:///a%20b` is `/a b`.
pub(crate) fn comparable(location: &str, endpoint: Option<&str>) -> String {
    match location.strip_prefix("file://") {
        Some(path) => percent_encoding::percent_decode_str(path).decode_utf8_lossy().into_owned(),
        None if location.contains("://") => {
            format!("{}{location}", endpoint.unwrap_or_default().trim_end_matches('/'))
        }
        None => location.into(),
    }
}

/// What stands before the first character of a glob.
pub(crate) fn before_glob(location: &str) -> &str {
    location.find(['*', '?', '[']).map_or(location, |at| &location[..at])
}

#[cfg(test)]
#[path = "location_tests.rs"]
mod tests;
