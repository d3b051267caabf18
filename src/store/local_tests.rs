#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::documents::Staging;
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
    assert_eq!(store.head("k=1/a.parquet").await.unwrap().map(|found| found.bytes), Some(14));
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
    crate::store::check_access(&store).await.unwrap();
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
    assert_eq!(store.get("b").await.unwrap().unwrap().body, "[1]");
    assert_eq!(store.get("none").await.unwrap(), None);
    assert_eq!(store.head("a").await.unwrap(), None);
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
    let foreign = StagedFile { key: "k".into(), bytes: 0, crc64nvme: String::new(), staging: upload };
    assert!(store.abort(&foreign).await.is_err());
}

/// Found out before anything is staged, and again before anything is renamed.
#[tokio::test]
async fn only_regular_files_are_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let path = |name: &str| directory.path().join(name);
    let staged = stage(&store, "socket", b"x").await;
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    assert!(store.begin("socket").await.is_err());
    assert!(store.complete(&staged).await.is_err());
    assert!(store.put("socket", Bytes::new()).await.is_err(), "a socket is not opened, and not replaced");
    assert!(!std::fs::symlink_metadata(path("socket")).unwrap().is_file());

    std::fs::create_dir(path("other")).unwrap();
    std::os::unix::fs::symlink("other/file", path("link")).unwrap();
    let staged = stage(&store, "link", b"linked").await;
    store.complete(&staged).await.unwrap();
    store.complete(&staged).await.unwrap();
    assert!(path("link").is_symlink());
    assert_eq!(std::fs::read(path("other/file")).unwrap(), b"linked");
    store.put("link", Bytes::from_static(b"put")).await.unwrap();
    assert!(path("link").is_symlink());
    assert_eq!(std::fs::read(path("other/file")).unwrap(), b"put");
}

#[tokio::test]
async fn long_names_fit() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let key = "é".repeat(125);
    let staged = stage(&store, &key, b"long").await;
    assert_eq!(store.list_staged(None).await.unwrap().len(), 1);
    store.complete(&staged).await.unwrap();
    assert_eq!(store.head(&key).await.unwrap().unwrap().bytes, 4);
}

#[tokio::test]
async fn a_document_is_created_once_and_replaced_if_it_is_the_one_that_was_read() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    let (one, two) = (Bytes::from_static(b"1"), Bytes::from_static(b"2"));
    let log = "_sawmill/log/1.json";
    assert_eq!(store.create(log, one.clone()).await.unwrap(), WriteOutcome::Created);
    assert_eq!(store.create(log, two.clone()).await.unwrap(), WriteOutcome::AlreadyExists);
    let read = store.get(log).await.unwrap().unwrap();
    assert_eq!(read.body, one);
    assert_eq!(store.replace(log, two.clone(), Some(&read)).await.unwrap(), WriteOutcome::Created);
    for stale in [Some(&read), None] {
        assert_eq!(store.replace(log, one.clone(), stale).await.unwrap(), WriteOutcome::AlreadyExists);
    }
    assert_eq!(store.replace("_SUCCESS", one, None).await.unwrap(), WriteOutcome::Created);
    store.create("_sawmill/log/2.json", two).await.unwrap();
    assert_eq!(store.list_documents("_sawmill/log/", "").await.unwrap(), [log, "_sawmill/log/2.json"]);
    assert_eq!(store.list_documents("_sawmill/log/", log).await.unwrap(), ["_sawmill/log/2.json"]);
    assert_eq!(store.list_documents("_sawmill/none/", "").await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn of_many_creators_one_succeeds() {
    let directory = tempfile::tempdir().unwrap();
    let stores: Vec<_> = (0..8).map(|_| store(directory.path())).collect();
    let creations = stores.iter().map(|store| store.create("_sawmill/log/1.json", Bytes::from_static(b"x")));
    let written = futures::future::join_all(creations).await;
    let now = written.into_iter().filter(|written| *written.as_ref().unwrap() == WriteOutcome::Created);
    assert_eq!(now.count(), 1);
}

#[tokio::test]
async fn what_dead_writers_of_documents_leave_is_swept_and_what_live_ones_write_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    store.put("_sawmill/log/1.json", Bytes::from_static(b"{}")).await.unwrap();
    let names = ["_sawmill/log/.2.json.00.sawmill-tmp", "._SUCCESS.00.sawmill-tmp"];
    for name in names {
        std::fs::write(directory.path().join(name), "half").unwrap();
    }
    let alive = directory.path().join("_sawmill/log/.3.json.01.sawmill-tmp");
    let writer = std::fs::File::create(&alive).unwrap();
    writer.lock().unwrap();
    assert_eq!(store.list_staged(None).await.unwrap(), [], "documents are not staged files");
    store.sweep_documents().await.unwrap();
    assert_eq!(names.map(|name| directory.path().join(name).exists()), [false; 2]);
    assert!(alive.exists());
}

#[tokio::test]
async fn ranges_are_read_and_files_removed_with_their_directories() {
    let directory = tempfile::tempdir().unwrap();
    let store = store(directory.path());
    store.put("k=1/a.parquet", Bytes::from_static(b"0123456789")).await.unwrap();
    for (range, expected) in [(0..3, "012"), (7..99, "789"), (10..12, "")] {
        assert_eq!(store.read("k=1/a.parquet", range).await.unwrap(), expected);
    }
    assert!(store.read("k=1/none", 0..1).await.is_err());
    for _ in 0..2 {
        store.delete("k=1/a.parquet").await.unwrap();
    }
    assert!(!directory.path().join("k=1").exists() && directory.path().exists());
}

#[tokio::test]
async fn local_files_do_what_every_store_has_to_do() {
    let directory = tempfile::tempdir().unwrap();
    crate::store::conformance_tests::conforms(&store(directory.path())).await;
}
