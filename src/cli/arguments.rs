//! The arguments of this process as text.

use std::ffi::OsString;
use std::path::Path;

/// The arguments, of which those that name a file and are not UTF-8 are its URL:
/// a shell that expands `*.csv` passes on whatever names there are.
pub(super) fn of_process() -> impl Iterator<Item = OsString> {
    std::env::args_os().map(as_text)
}

/// Anything else that is not UTF-8 is left for the parser to refuse.
fn as_text(argument: OsString) -> OsString {
    if argument.to_str().is_some() || !Path::new(&argument).exists() {
        return argument;
    }
    let url = std::path::absolute(&argument).ok().and_then(|path| url::Url::from_file_path(path).ok());
    url.map_or(argument, |url| String::from(url).into())
}
