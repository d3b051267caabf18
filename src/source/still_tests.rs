#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::error::ErrorKind;
use crate::spec::SourceSpec;
use std::fs::File;

fn settling(settle_seconds: Option<u64>, settle_limit_seconds: Option<u64>) -> Settling {
    SourceSpec { settle_seconds, settle_limit_seconds, ..SourceSpec::of(Vec::new()) }.settling()
}

fn file() -> (tempfile::TempDir, PathBuf, Input) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("in.csv");
    fs::write(&path, "id\n1\n").unwrap();
    let input = pin(&path, &fs::metadata(&path).unwrap());
    (directory, path, input)
}

fn wait(input: &Input, settling: Settling, runtime: &Runtime) -> Result<Input> {
    let mut inputs = [Input { url: "stdin:".into(), ..Input::default() }, input.clone()];
    wait_until_still(&mut inputs, settling, runtime)?;
    let [_, input] = inputs;
    Ok(input)
}

#[test]
fn inputs_are_pinned_as_they_are_when_they_are_still() {
    let (_directory, path, first) = file();
    fs::write(&path, "id\n1\n2\n").unwrap();
    let runtime = Runtime::new(1).unwrap();
    for settle in [None, Some(0), Some(1)] {
        File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now()).unwrap();
        let pinned = wait(&first, settling(settle, None), &runtime).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!(pinned, pin(&path, &found));
        let least = Duration::from_secs(settle.unwrap_or(0)).max(TICK);
        assert!(age(&found).unwrap() >= least, "a write now has another time than this");
    }
}

/// By the clock of its file system, which may not be ours.
#[test]
fn a_file_of_tomorrow_is_watched() {
    let (_directory, path, input) = file();
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    File::options().write(true).open(&path).unwrap().set_modified(tomorrow).unwrap();
    let begun = Instant::now();
    let runtime = Runtime::new(1).unwrap();
    let pinned = wait(&input, settling(Some(1), None), &runtime).unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(pinned, pin(&path, &fs::metadata(&path).unwrap()));
}

#[test]
fn waiting_has_an_end() {
    let (_directory, path, input) = file();
    let runtime = Runtime::new(1).unwrap();
    let error = wait(&input, settling(Some(3_600), Some(1)), &runtime).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Changed { .. }), "{error:?}");
    assert!(error.to_string().contains("still being written"), "{error}");
    assert_eq!(error.location().unwrap().url, input.url);
    assert!(error.what_to_do().unwrap().contains("source.settle_limit_seconds"));

    runtime.cancel().cancel();
    let error = wait(&input, settling(Some(3_600), None), &runtime).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Interrupted), "{error:?}");
    fs::remove_file(&path).unwrap();
    let error = wait(&input, settling(Some(3_600), None), &runtime).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Source(_)), "{error:?}");
}

#[test]
fn limits_have_defaults() {
    for (settle, limit, expected) in
        [(None, None, 600), (Some(30), None, 600), (Some(300), None, 3_000), (Some(30), Some(40), 40)]
    {
        assert_eq!(settling(settle, limit).limit, Duration::from_secs(expected));
    }
}
