#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::error::InputProblem;
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

fn file(directory: &tempfile::TempDir) -> (PathBuf, Input) {
    let path = directory.path().join("in.csv");
    fs::write(&path, "id\n1\n").unwrap();
    let input = pin(&path, &fs::metadata(&path).unwrap());
    (path, input)
}

fn differs(path: &Path, planned: &Input) -> Option<String> {
    difference(planned, &fs::metadata(path).unwrap())
}

/// Touches the inode until the clock of the file system has moved on.
fn change_status(path: &Path, planned: &Input) {
    let before = &planned.identity.as_ref().unwrap().status_changed;
    while status_changed(&fs::metadata(path).unwrap()).unwrap() == *before {
        fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }
}

#[test]
fn what_is_another_file_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (path, planned) = file(&directory);
    assert_eq!(differs(&path, &planned), None);
    assert_eq!(planned.bytes, Some(5));

    // One that is alike, in its place.
    let other = directory.path().join("other");
    fs::write(&other, "id\n2\n").unwrap();
    File::options().write(true).open(&other).unwrap().set_modified(modified_of(&path)).unwrap();
    change_status(&other, &planned);
    let replaced = differs(&other, &planned).unwrap();
    assert!(replaced.contains("another file of the same size and time"), "{replaced}");

    for (content, what) in [
        ("id\n1\n2\n", "is still being written: it grew from 5 to 7 bytes"),
        ("id\n", "it shrank from 5 to 3 bytes"),
        ("i", "it shrank from 5 to 1 byte, modified at"),
    ] {
        fs::write(&path, content).unwrap();
        let found = differs(&path, &planned).unwrap();
        assert!(found.contains(what), "{found}");
    }
    fs::write(&path, "id\n3\n").unwrap();
    let later = modified_of(&other) + Duration::from_nanos(1);
    File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    let rewritten = differs(&path, &planned).unwrap();
    assert!(rewritten.contains("still has 5 bytes, but was modified at"), "{rewritten}");
    assert_eq!(differs(directory.path(), &planned).unwrap(), "it was a regular file and no longer is");
}

fn modified_of(path: &Path) -> std::time::SystemTime {
    fs::metadata(path).unwrap().modified().unwrap()
}

/// Neither the inode nor the status time alone says that the bytes are others.
#[test]
fn the_same_file_stays_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let (path, planned) = file(&directory);
    change_status(&path, &planned);
    assert_eq!(differs(&path, &planned), None, "chmod");
    let renamed = directory.path().join("renamed");
    fs::rename(&path, &renamed).unwrap();
    fs::hard_link(&renamed, &path).unwrap();
    assert_eq!(differs(&path, &planned), None, "rename and link");

    let mut renumbered = pin(&path, &fs::metadata(&path).unwrap());
    renumbered.identity.as_mut().unwrap().inode += 1;
    assert_eq!(differs(&path, &renumbered), None, "another mount");
    // As older plans have it.
    let older = Input { identity: None, ..planned.clone() };
    assert_eq!(differs(&path, &older), None);
    assert!(check_unchanged(&[planned, older, renumbered]).is_ok());
}

#[test]
fn inputs_are_looked_at_once_more() {
    let directory = tempfile::tempdir().unwrap();
    let (path, planned) = file(&directory);
    let elsewhere = [
        Input { url: super::super::STDIN.into(), ..Input::default() },
        Input { url: "s3://b/in.csv".into(), bytes: Some(5), ..Input::default() },
    ];
    let all = [elsewhere.to_vec(), vec![planned.clone()]].concat();
    assert!(check_unchanged(&all).is_ok());
    fs::write(&path, "id\n1\n2\n").unwrap();
    let error = check_unchanged(&all).unwrap_err();
    assert_eq!((error.kind().exit_code(), &error.location().unwrap().url), (4, &planned.url));
    fs::remove_file(&path).unwrap();
    assert!(check_unchanged(&all).is_ok(), "archived since it was read");
}

/// Data that is wrong because the file changed is no fault of the data.
#[test]
fn why_data_is_wrong_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let (path, planned) = file(&directory);
    let wrong = |url: &str| Error::input(InputProblem::EmptyFile, Location::object(url));
    let is_changed = |error: Error| matches!(error.kind(), ErrorKind::Changed { .. });
    let inputs = std::slice::from_ref(&planned);
    assert!(!is_changed(or_changed(wrong(&planned.url), inputs)));
    fs::write(&path, "id\n1\n2\n").unwrap();
    assert!(is_changed(or_changed(wrong(&planned.url), inputs)));
    assert!(is_changed(or_changed(wrong(""), inputs)), "a budget over all inputs");
    assert!(!is_changed(or_changed(wrong("file:///other.csv"), inputs)));
    assert!(!is_changed(or_changed(ErrorKind::Interrupted.into(), inputs)));
}
