#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::store::Store;

fn store(root: &Path) -> LocalStore {
    LocalStore::new(root.to_owned(), 16, 1).unwrap()
}

async fn stage(store: &LocalStore, key: &str, body: &'static [u8]) -> StagedFile {
    let write = store.begin(key).await.unwrap();
    // The last part first: order within a file is free.
    let (first, second) = body.split_at(body.len() / 2);
    let b = write.put_part(2, first.len() as u64, Bytes::from_static(second)).await.unwrap();
    let a = write.put_part(1, 0, Bytes::from_static(first)).await.unwrap();
    write.seal(vec![a, b]).await.unwrap()
}

fn reason(error: &Error) -> StoreReason {
    match error.kind() {
        ErrorKind::Target(failure) => failure.reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn staged_files_appear_on_completion_only() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory.path().join("new/table"));
    assert!(store.describe().url.starts_with("file:///") && store.describe().url.ends_with("/table/"));
    assert!(store.list("", 10).await.unwrap().is_empty());

    let staged = stage(&store, "k=1/a.parquet", b"PAR1 and so on").await;
    assert_eq!(staged.bytes, 14);
    assert_eq!(store.list("", 10).await.unwrap(), Vec::<String>::new());
    assert_eq!(store.list_staged(None).await.unwrap(), std::slice::from_ref(&staged));

    store.complete(&staged).await.unwrap();
    store.complete(&staged).await.unwrap();
    store.abort(&staged).await.unwrap();
    assert_eq!(store.size("k=1/a.parquet").await.unwrap(), Some(14));
    assert!(store.list_staged(None).await.unwrap().is_empty());

    let other_size = StagedFile { bytes: 13, ..staged };
    assert_eq!(reason(&store.complete(&other_size).await.unwrap_err()), StoreReason::NotFound);
}

#[tokio::test]
async fn aborted_files_leave_no_directories() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(&directory.path().join("t"));
    let (a, b) = (stage(&store, "x/y/a", b"1").await, stage(&store, "x/b", b"2").await);
    store.abort(&a).await.unwrap();
    assert!(directory.path().join("t/x").is_dir());
    store.abort(&b).await.unwrap();
    store.abort(&b).await.unwrap();
    assert!(!directory.path().join("t").exists());
    store.check_access().await.unwrap();
    assert!(!directory.path().join("t").exists());
}

#[tokio::test]
async fn lists_are_in_key_order_within_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    for key in ["a/2", "a-b", "a/1", "b", "ab/c", "_sawmill/log"] {
        store.put(key, Bytes::from_static(b"{}")).await.unwrap();
    }
    store.put("b", Bytes::from_static(b"[1]")).await.unwrap();
    for (prefix, limit, expected) in [
        ("", 9, &["a-b", "a/1", "a/2", "ab/c", "b"][..]),
        ("", 2, &["a-b", "a/1"]),
        ("a", 9, &["a-b", "a/1", "a/2", "ab/c"]),
        ("a/", 9, &["a/1", "a/2"]),
        ("a/2", 9, &["a/2"]),
        ("z/", 9, &[]),
        ("", 0, &[]),
    ] {
        assert_eq!(store.list(prefix, limit).await.unwrap(), expected, "{prefix:?} {limit}");
    }
    assert_eq!(store.get("b").await.unwrap().unwrap(), "[1]");
    assert_eq!(store.get("none").await.unwrap(), None);
    assert_eq!(store.size("a").await.unwrap(), None);
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    for key in ["../escape", "a//b", "/a", "", "a/./b", "a\0b"] {
        assert!(store.put(key, Bytes::new()).await.is_err(), "{key:?}");
    }
    std::fs::write(directory.path().join("file"), "").unwrap();
    assert!(store.begin("file/below").await.is_err());
    for (code, expected) in [
        (libc::ENOSPC, StoreReason::Full),
        (libc::EDQUOT, StoreReason::Full),
        (libc::EACCES, StoreReason::Denied),
        (libc::EROFS, StoreReason::Denied),
        (libc::ENOENT, StoreReason::NotFound),
    ] {
        let error = store.inner.error("write", "k", &io::Error::from_raw_os_error(code));
        assert_eq!(reason(&error), expected);
        assert!(error.what_to_do().unwrap().contains("targets[1].url"), "{error:?}");
    }
    let upload = Staging::MultipartUpload { upload_id: "u".into(), identity: "i".into(), parts: Vec::new() };
    let foreign = StagedFile { key: "k".into(), bytes: 0, staging: upload };
    assert!(store.abort(&foreign).await.is_err());
}

#[tokio::test]
async fn long_names_fit() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let key = "é".repeat(125);
    let staged = stage(&store, &key, b"long").await;
    assert_eq!(store.list_staged(None).await.unwrap().len(), 1);
    store.complete(&staged).await.unwrap();
    assert_eq!(store.size(&key).await.unwrap(), Some(4));
}
