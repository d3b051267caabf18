//! What the job names → the objects there are, pinned.

use super::pin::{pin, url_of};
use super::{Input, STDIN, connection, failure, file_failure};
use crate::aws::failure::Request;
use crate::aws::{RequestClass, Role, S3};
use crate::error::{Error, Result, StoreReason};
use crate::job::foreign::Foreign;
use crate::job::location::local_path;
use crate::job::{EngineSpec, SourceSpec};
use chrono::{DateTime, SecondsFormat, Utc};
use globset::{GlobBuilder, GlobMatcher};
use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Finds and pins every input of a source.
///
/// Entries stay in their order; what a glob or prefix finds is in order of URL;
/// an object that is found twice counts where it is found first, and so does a
/// local file that has two names. An entry is
///
/// - `-` or `stdin:`, standard input;
/// - a URL or path with `*`, `?` or `[…]`: a glob, in which `**` alone crosses `/`;
/// - a URL or path that ends in `/`, a bucket, or a local directory: a prefix.
///   Everything below it, but for names that begin with `_` or `.` (what Spark
///   and Hive hide) and the empty objects that stand for directories;
/// - else one object.
///
/// Prefixes and `**` do not enter symbolic links to directories, which often
/// point to a sibling (`latest`) or up; `*` in the place of a directory does.
///
/// # Errors
/// A source error for an object that is not there, a glob or prefix that
/// matches nothing, a store that cannot be asked; a usage error for a glob or
/// URL that cannot be read.
pub async fn list(spec: &SourceSpec, engine: &EngineSpec) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    let mut seen = HashSet::new();
    let mut seen_files = HashSet::new();
    let mut s3 = None;
    for entry in &spec.inputs {
        let mut found = if entry == "-" || entry == STDIN {
            vec![Found::from(Input { url: STDIN.to_owned(), ..Input::default() })]
        } else if let Some(rest) = entry.strip_prefix("s3://") {
            if s3.is_none() {
                s3 = Some(connection(spec, engine).s3().await?);
            }
            match &s3 {
                Some(s3) => list_s3(s3, spec, entry, rest).await?.into_iter().map(Found::from).collect(),
                None => Vec::new(),
            }
        } else if let Some(foreign) = Foreign::of(entry) {
            let refused = foreign.refused_as_source();
            return Err(Error::usage(format!("`source.inputs`: {}", refused.message)).remedy(refused.remedy));
        } else {
            let entry = entry.clone();
            match tokio::task::spawn_blocking(move || list_local(&entry)).await {
                Ok(found) => found?,
                Err(stopped) if stopped.is_panic() => std::panic::resume_unwind(stopped.into_panic()),
                Err(_) => return Err(crate::error::ErrorKind::Interrupted.into()),
            }
        };
        found.sort_unstable_by(|a, b| a.input.url.cmp(&b.input.url));
        if found.is_empty() {
            return Err(failure("find", entry, StoreReason::NoMatch, "nothing matches")
                .remedy("check `source.inputs`; `*` does not cross `/`, `**` does"));
        }
        let new = found.into_iter().filter(|found| {
            seen.insert(found.input.url.clone()) && found.file.is_none_or(|file| seen_files.insert(file))
        });
        inputs.extend(new.map(|found| found.input));
    }
    Ok(inputs)
}

/// An input, and what tells whether it is the same file as another.
struct Found {
    input: Input,
    /// Device and inode of a plain local file.
    file: Option<(u64, u64)>,
}

impl From<Input> for Found {
    fn from(input: Input) -> Self {
        Found { input, file: None }
    }
}

/// What an entry means, once standard input is set aside.
enum Pattern {
    /// One object.
    One,
    /// Everything below, by the rules for prefixes.
    Prefix,
    /// What matches.
    Glob(GlobMatcher),
}

impl Pattern {
    fn of(text: &str, entry: &str) -> Result<Pattern> {
        if text.is_empty() || text.ends_with('/') && literal_prefix(text) == text {
            return Ok(Pattern::Prefix);
        }
        if literal_prefix(text) == text {
            return Ok(Pattern::One);
        }
        let glob = GlobBuilder::new(text).literal_separator(true).build().map_err(|error| {
            Error::usage(format!("`source.inputs`: {entry:?} is not a glob: {}", error.kind()))
                .remedy("write `[*]`, `[?]` or `[[]` for a character that is meant literally")
        })?;
        Ok(Pattern::Glob(glob.compile_matcher()))
    }

    /// Whether a key below `prefix` is meant. A key that is spelled like the
    /// glob itself is: `data[1].csv` finds `data[1].csv`.
    fn takes(&self, key: &str, prefix: &str, text: &str) -> bool {
        match self {
            Pattern::One => key == text,
            Pattern::Prefix => key
                .strip_prefix(prefix)
                .is_some_and(|below| !below.split('/').any(|name| name.starts_with(['_', '.']))),
            Pattern::Glob(glob) => key == text || glob.is_match(key),
        }
    }
}

/// The part of a glob before its first special character.
fn literal_prefix(glob: &str) -> &str {
    &glob[..glob.find(['*', '?', '[', '{', '\\']).unwrap_or(glob.len())]
}

async fn list_s3(s3: &S3, spec: &SourceSpec, entry: &str, rest: &str) -> Result<Vec<Input>> {
    let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() {
        return Err(Error::usage(format!("`source.inputs`: {entry:?} names no bucket")));
    }
    let pattern = Pattern::of(key, entry)?;
    if let Pattern::One = pattern {
        return Ok(vec![head(s3, spec, entry, bucket, key).await?]);
    }
    let prefix = literal_prefix(key);
    let request = Request::new(Role::Source, "list", entry.to_owned(), &s3.region, "s3:ListBucket");
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let page = s3
            .client
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .set_continuation_token(token)
            .set_expected_bucket_owner(spec.expected_bucket_owner.clone())
            .customize()
            .config_override(s3.time_for(RequestClass::List))
            .interceptor(request.counter())
            .send()
            .await
            .map_err(|error| request.failed(&error))?;
        for object in page.contents() {
            let Some(key_found) = object.key() else { continue };
            if key_found.ends_with('/') || !pattern.takes(key_found, prefix, key) {
                continue;
            }
            found.push(Input {
                url: format!("s3://{bucket}/{key_found}"),
                bytes: object.size().and_then(|size| u64::try_from(size).ok()),
                etag: object.e_tag().map(str::to_owned),
                last_modified: object.last_modified().and_then(rfc3339),
                ..Input::default()
            });
        }
        match page.next_continuation_token() {
            Some(next) => token = Some(next.to_owned()),
            None => return Ok(found),
        }
    }
}

async fn head(s3: &S3, spec: &SourceSpec, url: &str, bucket: &str, key: &str) -> Result<Input> {
    let permission = "s3:GetObject and s3:ListBucket";
    let request = Request::new(Role::Source, "find", url.to_owned(), &s3.region, permission);
    let object = s3
        .client
        .head_object()
        .bucket(bucket)
        .key(key)
        .set_expected_bucket_owner(spec.expected_bucket_owner.clone())
        .customize()
        .config_override(s3.time_for(RequestClass::Small))
        .interceptor(request.counter())
        .send()
        .await
        .map_err(|error| request.failed(&error))?;
    Ok(Input {
        url: url.to_owned(),
        bytes: object.content_length().and_then(|size| u64::try_from(size).ok()),
        etag: object.e_tag().map(str::to_owned),
        last_modified: object.last_modified().and_then(rfc3339),
        ..Input::default()
    })
}

fn rfc3339(time: &aws_sdk_s3::primitives::DateTime) -> Option<String> {
    let time = DateTime::<Utc>::from_timestamp(time.secs(), time.subsec_nanos())?;
    Some(time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn list_local(entry: &str) -> Result<Vec<Found>> {
    let path = local_path(entry).ok_or_else(|| {
        Error::usage(format!("`source.inputs`: {entry:?} is no place to read from"))
            .remedy("an input is `s3://bucket/key`, `file:///path`, a path, or `-` for standard input")
    })?;
    let absolute = std::path::absolute(&path).map_err(|error| file_failure("find", entry, &error))?;
    // A file that is named like a glob is that file.
    match fs::metadata(&absolute) {
        Ok(found) if found.is_dir() => {
            let mut below = Vec::new();
            let walk = Walk { entry, skip_hidden: true, linked_depth: 0, takes: &|_| true };
            walk.run(&absolute, &mut below)?;
            return Ok(below);
        }
        Ok(found) => return Ok(vec![pin_file(&absolute, &found)]),
        Err(_) => {}
    }
    // Only Unicode paths can come from a job file.
    let text = absolute.to_string_lossy();
    let pattern = Pattern::of(&text, entry)?;
    if let Pattern::Glob(_) = pattern {
        let literal = literal_prefix(&text);
        let directory = Path::new(&literal[..literal.rfind('/').map_or(0, |slash| slash + 1)]);
        let mut found = Vec::new();
        if directory.is_dir() {
            let takes = |path: &Path| path.to_str().is_some_and(|path| pattern.takes(path, "", &text));
            let below = &text[directory.as_os_str().len()..];
            // Without `**`, nothing lies deeper than the glob has slashes, so a
            // loop of links ends there.
            let linked_depth = if below.contains("**") { 0 } else { below.matches('/').count() };
            Walk { entry, skip_hidden: false, linked_depth, takes: &takes }.run(directory, &mut found)?;
        }
        return Ok(found);
    }
    let error = io::Error::from(io::ErrorKind::NotFound);
    Err(file_failure("find", &url_of(&absolute), &error))
}

/// How the files below a directory are found.
struct Walk<'a> {
    /// For messages.
    entry: &'a str,
    skip_hidden: bool,
    /// Directories under the first are entered through symbolic links down to this depth.
    linked_depth: usize,
    takes: &'a dyn Fn(&Path) -> bool,
}

impl Walk<'_> {
    /// Adds the files below `directory` that are taken.
    fn run(&self, directory: &Path, found: &mut Vec<Found>) -> Result<()> {
        let mut waiting: Vec<(PathBuf, usize)> = vec![(directory.to_owned(), 0)];
        while let Some((directory, depth)) = waiting.pop() {
            let failed = |error: io::Error| file_failure("list", self.entry, &error);
            for below in fs::read_dir(&directory).map_err(failed)? {
                let below = below.map_err(failed)?;
                let name = below.file_name();
                if self.skip_hidden && matches!(name.as_encoded_bytes().first(), Some(b'_' | b'.')) {
                    continue;
                }
                let linked = below.file_type().map_err(failed)?.is_symlink();
                let path = below.path();
                // Follows links; one that leads nowhere is no input.
                let Ok(metadata) = fs::metadata(&path) else { continue };
                if !metadata.is_dir() {
                    if (self.takes)(&path) {
                        found.push(pin_file(&path, &metadata));
                    }
                } else if !linked || depth < self.linked_depth {
                    waiting.push((path, depth + 1));
                }
            }
        }
        Ok(())
    }
}

fn pin_file(path: &Path, metadata: &Metadata) -> Found {
    let file = metadata.is_file().then(|| (metadata.dev(), metadata.ino()));
    Found { input: pin(path, metadata), file }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
