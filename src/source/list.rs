//! What the job names → the objects there are, pinned.

use super::pin::{pin, url_of};
use super::{Access, STDIN, failure, file_failure};
use crate::aws::failure::Request;
use crate::aws::{RequestClass, Role, S3};
use crate::documents::Input;
use crate::error::{Error, ErrorKind, Result, StoreReason};
use crate::spec::foreign::ForeignStore;
use crate::spec::location::{in_s3, local_path};
use chrono::{DateTime, SecondsFormat, Utc};
use futures::StreamExt;
use globset::{GlobBuilder, GlobMatcher};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use tokio::sync::OnceCell;

/// Entries that are looked for at once: each that names an object is a request.
const ENTRIES_AT_ONCE: usize = 64;

/// Finds and pins every input of a source.
///
/// Entries stay in their order; what a glob or prefix finds is in order of URL;
/// an object that is found twice counts where it is found first, and so does a
/// local file that has two names. An entry is
///
/// - `-` or `stdin:`, standard input;
/// - a URL or path with `*`, `?` or `[…]`: a glob, in which `**` alone crosses `/`;
/// - a URL or path that ends in `/`, a bucket, or a local directory: a prefix.
///   Everything below it but the empty objects that stand for directories;
/// - else one object.
///
/// Names that begin with `_` or `.`, of files and of directories, are hidden, as
/// Spark and Hive have it: no prefix finds them, and a glob only where it has
/// that first character itself, as `_staging/*.csv` has. A local name that is
/// not UTF-8 is found like any other; its URL has the bytes as `%XX`.
///
/// Prefixes and `**` do not enter symbolic links to directories, which often
/// point to a sibling (`latest`) or up; `*` in the place of a directory does.
///
/// # Errors
/// A source error for an object that is not there, a glob or prefix that
/// matches nothing, a store that cannot be asked; a usage error for a glob or
/// URL that cannot be read.
pub async fn list(entries: &[String], access: &Access) -> Result<Vec<Input>> {
    let mut inputs = Vec::new();
    let mut seen = HashSet::new();
    let mut seen_files = HashSet::new();
    let s3 = OnceCell::new();
    let mut listed = futures::stream::iter(entries)
        .map(async |entry: &String| (entry, list_entry(access, entry, &s3).await))
        .buffered(ENTRIES_AT_ONCE);
    while let Some((entry, matches)) = listed.next().await {
        let Matches { mut found, hidden } = matches?;
        found.sort_unstable_by(|a, b| a.input.url.cmp(&b.input.url));
        if found.is_empty() {
            return Err(nothing_matches(entry, hidden.as_deref()));
        }
        if let Some(hidden) = hidden {
            tracing::info!("{entry}: passed over names that begin with `_` or `.`, such as {hidden}");
        }
        let new = found.into_iter().filter(|found| {
            seen.insert(found.input.url.clone()) && found.file.is_none_or(|file| seen_files.insert(file))
        });
        inputs.extend(new.map(|found| found.input));
    }
    Ok(inputs)
}

/// What one of the entries of `source.inputs` stands for; `s3` is connected to by the first that needs it.
async fn list_entry(access: &Access, entry: &str, s3: &OnceCell<S3>) -> Result<Matches> {
    if entry == "-" || entry == STDIN {
        return Ok(Matches::one(Input { url: STDIN.to_owned(), ..Input::default() }.into()));
    }
    if let Some(place) = in_s3(entry) {
        let s3 = s3.get_or_try_init(|| access.connection.s3()).await?;
        return list_s3(s3, access, entry, place).await;
    }
    if let Some(foreign) = ForeignStore::of(entry) {
        let refused = foreign.refused_as_source();
        return Err(Error::usage(format!("`source.inputs` (convert: INPUT): {}", refused.message))
            .remedy(refused.remedy));
    }
    let entry = entry.to_owned();
    match tokio::task::spawn_blocking(move || list_local(&entry)).await {
        Ok(found) => found,
        Err(stopped) if stopped.is_panic() => std::panic::resume_unwind(stopped.into_panic()),
        Err(_) => Err(ErrorKind::Interrupted.into()),
    }
}

/// Nothing is found, though something may be hidden.
fn nothing_matches(entry: &str, hidden: Option<&str>) -> Error {
    let (detail, remedy) = match hidden {
        None => (
            "nothing matches".to_owned(),
            "check `source.inputs` (convert: the input); `*` does not cross `/`, `**` does".to_owned(),
        ),
        Some(name) => (
            format!("nothing matches; names that begin with `_` or `.` are hidden, such as {name}"),
            format!(
                "check `source.inputs` (convert: the input); to read what is hidden, write the first character, as in `{}`",
                literally(name)
            ),
        ),
    };
    failure("find", entry, StoreReason::NoMatch, detail).remedy(remedy)
}

/// What an entry finds.
#[derive(Default)]
struct Matches {
    found: Vec<ListedInput>,
    /// One that it would find if it were not hidden.
    hidden: Option<String>,
}

impl Matches {
    fn one(found: ListedInput) -> Self {
        Matches { found: vec![found], hidden: None }
    }

    fn hide(&mut self, url: impl FnOnce() -> String) {
        self.hidden.get_or_insert_with(url);
    }
}

/// An input, and what tells whether it is the same file as another.
struct ListedInput {
    input: Input,
    /// Device and inode of a plain local file.
    file: Option<(u64, u64)>,
}

impl From<Input> for ListedInput {
    fn from(input: Input) -> Self {
        ListedInput { input, file: None }
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
            Error::usage(format!(
                "`source.inputs` (convert: INPUT): {entry:?} is not a glob: {}",
                error.kind()
            ))
            .remedy("write `[*]`, `[?]` or `[[]` for a character that is meant literally")
        })?;
        Ok(Pattern::Glob(glob.compile_matcher()))
    }

    /// Whether a key below `prefix` is meant. A key that is spelled like the
    /// glob itself is: `data[1].csv` finds `data[1].csv`.
    fn takes(&self, key: &[u8], prefix: &str, text: &str) -> Take {
        let hides = |hidden: bool| if hidden { Take::Hidden } else { Take::Yes };
        match self {
            _ if key == text.as_bytes() => Take::Yes,
            Pattern::One => Take::No,
            Pattern::Prefix => match key.strip_prefix(prefix.as_bytes()) {
                Some(below) => hides(below.split(|byte| *byte == b'/').any(is_hidden)),
                None => Take::No,
            },
            Pattern::Glob(glob) if glob.is_match(as_path(key)) => hides(hides_in_glob(glob, key)),
            Pattern::Glob(_) => Take::No,
        }
    }
}

/// Whether a pattern takes a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Take {
    Yes,
    No,
    /// It would, if no part of the key were hidden.
    Hidden,
}

/// Whether the name of a file or directory is hidden.
fn is_hidden(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'_' | b'.'))
}

/// Whether a key that matches has a hidden name whose first character the glob
/// does not have itself. Where it has, the key no longer matches with another
/// character there.
fn hides_in_glob(glob: &GlobMatcher, key: &[u8]) -> bool {
    /// In no name and in no glob.
    const ANOTHER: u8 = 0x01;
    let begins = |at: usize| at == 0 || key[at - 1] == b'/';
    (0..key.len()).filter(|&at| begins(at) && is_hidden(&key[at..])).any(|at| {
        let mut other = key.to_vec();
        other[at] = ANOTHER;
        glob.is_match(as_path(&other))
    })
}

/// Whether a glob has, anywhere, what a hidden name may begin with.
fn may_name_hidden(glob: &str) -> bool {
    glob.contains(['[', '{']) || glob.split('/').any(|part| is_hidden(part.as_bytes()))
}

fn as_path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// A URL or path as an entry that finds just this.
fn literally(url: &str) -> String {
    match url.strip_prefix("s3://") {
        Some(_) => url.replace('[', "[[]").replace('*', "[*]").replace('?', "[?]"),
        None => url.to_owned(),
    }
}

/// The part of a glob before its first special character.
fn literal_prefix(glob: &str) -> &str {
    &glob[..glob.find(['*', '?', '[', '{', '\\']).unwrap_or(glob.len())]
}

async fn list_s3(s3: &S3, access: &Access, entry: &str, (bucket, key): (&str, &str)) -> Result<Matches> {
    if bucket.is_empty() {
        return Err(Error::usage(format!(
            "`source.inputs` (convert: INPUT): {entry:?} does not name a bucket"
        )));
    }
    let pattern = Pattern::of(key, entry)?;
    if let Pattern::One = pattern {
        return Ok(Matches::one(head(s3, access, entry, bucket, key).await?.into()));
    }
    let prefix = literal_prefix(key);
    let request = Request::new(Role::Source, "list", entry.to_owned(), &s3.region, "s3:ListBucket");
    let mut matches = Matches::default();
    let mut token = None;
    loop {
        let page = s3
            .client
            .list_objects_v2()
            .bucket(bucket)
            .prefix(prefix)
            .set_continuation_token(token)
            .set_expected_bucket_owner(access.connection.owner.clone())
            .customize()
            .config_override(s3.time_for(RequestClass::List))
            .interceptor(request.attempts())
            .send()
            .await
            .map_err(|error| request.failed(&error))?;
        for object in page.contents() {
            let Some(key_found) = object.key() else { continue };
            if key_found.ends_with('/') {
                continue;
            }
            let url = || format!("s3://{bucket}/{key_found}");
            match pattern.takes(key_found.as_bytes(), prefix, key) {
                Take::No => continue,
                Take::Hidden => matches.hide(url),
                Take::Yes => {
                    let input = Input {
                        url: url(),
                        bytes: object.size().and_then(|size| u64::try_from(size).ok()),
                        etag: object.e_tag().map(str::to_owned),
                        last_modified: object.last_modified().and_then(rfc3339),
                        ..Input::default()
                    };
                    matches.found.push(input.into());
                }
            }
        }
        match page.next_continuation_token() {
            Some(next) => token = Some(next.to_owned()),
            None => return Ok(matches),
        }
    }
}

async fn head(s3: &S3, access: &Access, url: &str, bucket: &str, key: &str) -> Result<Input> {
    let permission = "s3:GetObject and s3:ListBucket";
    let request = Request::new(Role::Source, "find", url.to_owned(), &s3.region, permission);
    let object = s3
        .client
        .head_object()
        .bucket(bucket)
        .key(key)
        .set_expected_bucket_owner(access.connection.owner.clone())
        .customize()
        .config_override(s3.time_for(RequestClass::Small))
        .interceptor(request.attempts())
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

fn list_local(entry: &str) -> Result<Matches> {
    let path = local_path(entry).ok_or_else(|| {
        Error::usage(format!("`source.inputs` (convert: INPUT): {entry:?} is not a place to read from"))
            .remedy("an input is `s3://bucket/key`, `file:///path`, a path, or `-` for standard input")
    })?;
    let absolute = std::path::absolute(&path).map_err(|error| file_failure("find", entry, &error))?;
    // A file that is named like a glob is that file.
    match fs::metadata(&absolute) {
        Ok(found) if found.is_dir() => {
            return DirectoryWalk { entry, enters_hidden: false, linked_depth: 0, takes: &takes_all }
                .run(&absolute);
        }
        Ok(found) => return Ok(Matches::one(pin_file(&absolute, &found))),
        Err(_) => {}
    }
    // A path that is not UTF-8 comes from a URL with `%XX`, which means one file.
    if let Some(text) = absolute.to_str()
        && let pattern @ Pattern::Glob(_) = Pattern::of(text, entry)?
    {
        let literal = literal_prefix(text);
        let directory = Path::new(&literal[..literal.rfind('/').map_or(0, |slash| slash + 1)]);
        if !directory.is_dir() {
            return Ok(Matches::default());
        }
        let takes = |path: &Path| pattern.takes(path.as_os_str().as_bytes(), "", text);
        let below = &text[directory.as_os_str().len()..];
        // Without `**`, nothing lies deeper than the glob has slashes, so a
        // loop of links ends there.
        let linked_depth = if below.contains("**") { 0 } else { below.matches('/').count() };
        let enters_hidden = may_name_hidden(below);
        return DirectoryWalk { entry, enters_hidden, linked_depth, takes: &takes }.run(directory);
    }
    let error = io::Error::from(io::ErrorKind::NotFound);
    Err(file_failure("find", &url_of(&absolute), &error))
}

/// What a prefix makes of a path whose directories are not hidden.
fn takes_all(path: &Path) -> Take {
    let name = path.file_name().unwrap_or_default();
    if is_hidden(name.as_bytes()) { Take::Hidden } else { Take::Yes }
}

/// How the files below a directory are found.
struct DirectoryWalk<'a> {
    /// For messages.
    entry: &'a str,
    /// Whether something in hidden directories may be meant. Others are left
    /// alone: what a running writer keeps there comes and goes.
    enters_hidden: bool,
    /// Directories under the first are entered through symbolic links down to this depth.
    linked_depth: usize,
    takes: &'a dyn Fn(&Path) -> Take,
}

impl DirectoryWalk<'_> {
    /// The files below `directory` that are taken.
    fn run(&self, directory: &Path) -> Result<Matches> {
        let mut matches = Matches::default();
        let mut waiting: Vec<(PathBuf, usize)> = vec![(directory.to_owned(), 0)];
        while let Some((directory, depth)) = waiting.pop() {
            let failed = |error: io::Error| file_failure("list", self.entry, &error);
            for below in fs::read_dir(&directory).map_err(failed)? {
                let below = below.map_err(failed)?;
                let linked = below.file_type().map_err(failed)?.is_symlink();
                let path = below.path();
                // Follows links; one that leads nowhere is no input.
                let Ok(metadata) = fs::metadata(&path) else { continue };
                if !metadata.is_dir() {
                    match (self.takes)(&path) {
                        Take::Yes => matches.found.push(pin_file(&path, &metadata)),
                        Take::Hidden => matches.hide(|| url_of(&path)),
                        Take::No => {}
                    }
                } else if !self.enters_hidden && is_hidden(below.file_name().as_bytes()) {
                    matches.hide(|| url_of(&path) + "/");
                } else if !linked || depth < self.linked_depth {
                    waiting.push((path, depth + 1));
                }
            }
        }
        Ok(matches)
    }
}

fn pin_file(path: &Path, metadata: &Metadata) -> ListedInput {
    let file = metadata.is_file().then(|| (metadata.dev(), metadata.ino()));
    ListedInput { input: pin(path, metadata), file }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
