#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

#[test]
fn only_regular_files_are_replaced_and_links_are_followed_to_their_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    fs::create_dir(path("below")).unwrap();
    fs::write(path("below/file"), "x").unwrap();
    symlink("below/file", path("link")).unwrap();
    symlink(path("link"), path("link-to-link")).unwrap();
    symlink("below/none", path("dangling")).unwrap();
    symlink("circle", path("circle")).unwrap();
    let _socket = UnixListener::bind(path("socket")).unwrap();
    symlink("socket", path("link-to-socket")).unwrap();
    let file = |name: &str| Some(Place::File(path(name)));
    for (name, expected) in [
        ("below/file", file("below/file")),
        ("none", file("none")),
        ("no/such/directory", file("no/such/directory")),
        ("link", file("below/file")),
        ("link-to-link", file("below/file")),
        ("dangling", file("below/none")),
        ("circle", None),
        ("below", None),
        ("socket", Some(Place::Stream)),
        ("link-to-socket", Some(Place::Stream)),
    ] {
        assert_eq!(look(&path(name)).ok(), expected, "{name}");
    }
    // A character device, only looked at.
    assert_eq!(look(Path::new("/dev/null")).unwrap(), Place::Stream);
    assert!(replaceable(&path("socket")).is_err());
}

/// What `> file` has opened is not replaced by another file of its name.
#[cfg(target_os = "linux")]
#[test]
fn open_descriptors_are_written_to() {
    use std::os::fd::AsRawFd;
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(b"before ").unwrap();
    let path = PathBuf::from(format!("/dev/fd/{}", file.as_raw_fd()));
    assert_eq!(look(&path).unwrap(), Place::Stream);
    write_stream(&path, b"after").unwrap();
    assert_eq!(fs::read_to_string(file.path()).unwrap(), "before after");
}
