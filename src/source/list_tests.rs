#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::error::ErrorKind;
use crate::spec::{EngineSpec, SourceSpec};

fn access() -> Access {
    Access::of(&SourceSpec::of(Vec::new()), &EngineSpec::default())
}

async fn names(root: &Path, inputs: &[&str]) -> Result<Vec<String>> {
    let inputs: Vec<String> = inputs.iter().map(|input| format!("{}/{input}", root.display())).collect();
    let found = list(&inputs, &access()).await?;
    let base = url_of(&root.join("x"));
    let base = base.strip_suffix('x').unwrap().to_owned();
    Ok(found.into_iter().map(|input| input.url.strip_prefix(&base).unwrap().to_owned()).collect())
}

fn tree() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    for name in
        ["b.csv", "a.csv", "data[1].csv", "2/c.csv", "2/d e.csv", "2/_SUCCESS", "2/.hidden", "_tmp/x.csv"]
    {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    directory
}

#[tokio::test]
async fn entries_find_what_they_should() {
    let directory = tree();
    for (inputs, expected) in [
        (&["b.csv", "a.csv"][..], &["b.csv", "a.csv"][..]),
        (&["*.csv"], &["a.csv", "b.csv", "data[1].csv"]),
        (&["b.csv", "?.csv", "a.csv"], &["b.csv", "a.csv"]),
        (&["data[1].csv"], &["data[1].csv"]),
        (&["2/"], &["2/c.csv", "2/d%20e.csv"]),
        (&["2"], &["2/c.csv", "2/d%20e.csv"]),
        (&[""], &["2/c.csv", "2/d%20e.csv", "a.csv", "b.csv", "data[1].csv"]),
        (&["**/[cx].csv"], &["2/c.csv"]),
        (&["{a,b}.csv"], &["a.csv", "b.csv"]),
    ] {
        assert_eq!(names(directory.path(), inputs).await.unwrap(), expected, "{inputs:?}");
    }
}

#[tokio::test]
async fn hidden_names_are_found_only_where_the_glob_has_their_first_character() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for name in [
        "day=1/a.csv",
        "day=1/_b.csv",
        "_temporary/0/c.csv",
        ".git/d.csv",
        "_staging/e.csv",
        "_staging/_f.csv",
        "_staging/.g/h.csv",
        "x/_staging/i.csv",
        "_j.csv",
        "k.csv",
    ] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    for (input, expected) in [
        ("", &["day=1/a.csv", "k.csv"][..]),
        ("**/*.csv", &["day=1/a.csv", "k.csv"]),
        ("*.csv", &["k.csv"]),
        ("?*.csv", &["k.csv"]),
        ("[!k]*.csv", &[]),
        ("_*.csv", &["_j.csv"]),
        ("[_k]*.csv", &["_j.csv", "k.csv"]),
        ("{_j,k}.csv", &["_j.csv", "k.csv"]),
        ("*/*.csv", &["day=1/a.csv"]),
        ("_staging/*.csv", &["_staging/e.csv"]),
        ("_s*/*.csv", &["_staging/e.csv"]),
        ("_staging/**", &["_staging/e.csv"]),
        ("_staging/", &["_staging/e.csv"]),
        ("_staging/_f.csv", &["_staging/_f.csv"]),
        ("_staging/.*/*", &["_staging/.g/h.csv"]),
        ("**/_staging/*.csv", &["_staging/e.csv", "x/_staging/i.csv"]),
        ("**/_*", &["_j.csv", "day=1/_b.csv"]),
        ("**/_temporary/**", &["_temporary/0/c.csv"]),
    ] {
        match names(root, &[input]).await {
            Ok(found) => assert_eq!(found, expected, "{input}"),
            Err(error) => assert!(expected.is_empty(), "{input}: {error}"),
        }
    }
}

#[tokio::test]
async fn what_is_hidden_is_said_where_nothing_is_found_and_the_remedy_finds_it() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("in/_tmp")).unwrap();
    fs::write(root.join("in/_x.csv"), "a").unwrap();
    for entry in ["in/", "in/*.csv"] {
        let error = names(root, &[entry]).await.unwrap_err();
        assert!(error.to_string().contains("hidden, such as"), "{error}");
        let remedy = error.what_to_do().unwrap().to_owned();
        let advised = remedy.split('`').rev().nth(1).unwrap();
        if advised.ends_with("_x.csv") {
            let found = list(&[advised.to_owned()], &access()).await.unwrap();
            assert!(found[0].url.ends_with("in/_x.csv"), "{found:?}");
        }
    }
}

#[tokio::test]
async fn names_that_are_not_utf8_are_found_and_opened() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    fs::create_dir_all(root.join("in")).unwrap();
    fs::write(root.join("in").join(OsStr::from_bytes(b"caf\xe9.csv")), "a").unwrap();
    for entry in ["in/", "in/*.csv", "in/caf?.csv", "**/*.csv"] {
        let found = names(root, &[entry]).await.unwrap();
        assert_eq!(found, ["in/caf%E9.csv"], "{entry}");
    }
    let url = format!("file://{}/in/caf%E9.csv", root.display());
    let found = list(&[url], &access()).await.unwrap();
    assert_eq!(fs::read_to_string(local_path(&found[0].url).unwrap()).unwrap(), "a");
}

#[tokio::test]
async fn links_give_no_file_twice() {
    use std::os::unix::fs::symlink;
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    for name in ["day=1/a.csv", "day=2/b.csv"] {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    symlink(".", root.join("self")).unwrap();
    symlink("day=2", root.join("latest")).unwrap();
    symlink("a.csv", root.join("day=1/same.csv")).unwrap();
    fs::hard_link(root.join("day=1/a.csv"), root.join("day=1/z.csv")).unwrap();
    symlink("nowhere", root.join("day=1/broken.csv")).unwrap();
    let both = &["day%3D1/a.csv", "day%3D2/b.csv"][..];
    for (inputs, expected) in [
        (&[""][..], both),
        (&["**/*.csv"], both),
        (&["*/*.csv"], both),
        (&["day=1/a.csv", "day=1/z.csv", "day=2/b.csv"], both),
        // What is named is entered and read.
        (&["latest/"], &["latest/b.csv"]),
        (&["l*/*.csv"], &["latest/b.csv"]),
        (&["self/day=1/same.csv"], &["self/day%3D1/same.csv"]),
    ] {
        let found = names(root, inputs).await.unwrap();
        let found: Vec<_> = found.iter().map(|url| url.replace("day=", "day%3D")).collect();
        assert_eq!(found, expected, "{inputs:?}");
    }
}

#[tokio::test]
async fn inputs_are_pinned() {
    let directory = tree();
    let url = url_of(&directory.path().join("2/d e.csv"));
    let found = list(&[url.clone(), "-".into(), "stdin:".into()], &access()).await.unwrap();
    assert_eq!((found[0].url.as_str(), found[0].bytes), (url.as_str(), Some(9)));
    assert!(found[0].last_modified.as_deref().unwrap().ends_with('Z'));
    assert_eq!(found[1..], [Input { url: STDIN.into(), ..Input::default() }]);
}

#[tokio::test]
async fn what_is_missing_is_said() {
    let directory = tree();
    for (input, expected) in [
        ("none.csv", StoreReason::NotFound),
        ("none/*.csv", StoreReason::NoMatch),
        ("*.parquet", StoreReason::NoMatch),
        ("none/", StoreReason::NotFound),
    ] {
        let error = names(directory.path(), &[input]).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Source(f) if f.reason == expected), "{input}: {error:?}");
        assert!(error.what_to_do().unwrap().contains("source.inputs"));
    }
    fs::create_dir(directory.path().join("empty")).unwrap();
    assert!(names(directory.path(), &["empty/"]).await.is_err());
    for bad in ["gs://bucket/key", "s3:///key", "/tmp/[a"] {
        let error = list(&[bad.to_owned()], &access()).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Usage { .. }), "{bad}: {error:?}");
    }
}
