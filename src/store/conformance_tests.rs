//! What every store has to do, whatever is behind it. Local files and the
//! simulated store are held to it by unit tests, S3 by an end-to-end test, which
//! includes this file.

use bytes::Bytes;
use sawmill::documents::{StagedFile, Staging};
use sawmill::store::{Store, WriteOutcome, check_access};

/// A key of the table and its file of two parts.
async fn staged(store: &dyn Store, key: &str) -> (StagedFile, Bytes) {
    let body = Bytes::from((0..store.part_bytes() + 5).map(|n| (n % 251) as u8).collect::<Vec<_>>());
    let write = store.begin(key).await.unwrap();
    let (first, last) = (body.slice(..store.part_bytes()), body.slice(store.part_bytes()..));
    let offset = first.len() as u64;
    // Parts may be written in any order.
    let last = write.put_part(2, offset, last).await.unwrap();
    let first = write.put_part(1, 0, first).await.unwrap();
    (write.seal(vec![first, last]).await.unwrap(), body)
}

/// Keys of the staged files that are open.
async fn open(store: &dyn Store) -> Vec<String> {
    let mut keys: Vec<_> =
        store.list_staged(None).await.unwrap().into_iter().map(|staged| staged.key).collect();
    keys.sort();
    keys
}

/// Fails at the first thing that a store without any object does otherwise.
pub(crate) async fn conforms(store: &dyn Store) {
    staged_files(store).await;
    documents(store).await;
    lists(store).await;
    check_access(store).await.unwrap();
    assert_eq!(open(store).await, [""; 0], "a look at the access leaves nothing behind");
}

async fn staged_files(store: &dyn Store) {
    let key = "day=1/part-0.parquet";
    let (file, body) = staged(store, key).await;
    assert_eq!((file.key.as_str(), file.bytes), (key, body.len() as u64));
    assert!(file.staging != Staging::Absent);
    // Nobody sees it, and whoever cleans up finds it.
    assert_eq!(store.list("", 10).await.unwrap(), [""; 0]);
    assert_eq!(store.head(key).await.unwrap(), None);
    assert_eq!(open(store).await, [key]);
    let of_key = store.list_staged(Some(key)).await.unwrap();
    assert!(of_key.iter().any(|open| open.staging.handle() == file.staging.handle()));

    store.complete(&file).await.unwrap();
    store.complete(&file).await.expect("a second call finds it done");
    let found = store.head(key).await.unwrap().expect("it is visible");
    assert_eq!(found.bytes, file.bytes);
    assert!(found.crc64nvme.is_none_or(|sum| file.crc64nvme.is_empty() || sum == file.crc64nvme));
    let size = file.bytes;
    for (range, expected) in
        [(0..size, 0..body.len()), (3..9, 3..9), (size - 2..size + 10, body.len() - 2..body.len())]
    {
        assert_eq!(store.read(key, range).await.unwrap(), body.slice(expected));
    }
    assert_eq!(store.list("day=", 10).await.unwrap(), [key]);
    assert_eq!(open(store).await, [""; 0]);

    // Given up: before it is whole, and when it is.
    let begun = store.begin("day=2/part-0.parquet").await.unwrap();
    begun.put_part(1, 0, Bytes::from_static(b"x")).await.unwrap();
    let (whole, _) = staged(store, "day=3/part-0.parquet").await;
    for given_up in [begun.handle(), whole.clone()] {
        store.abort(&given_up).await.unwrap();
        store.abort(&given_up).await.expect("a second call finds it gone");
        assert_eq!(store.head(&given_up.key).await.unwrap(), None);
    }
    assert!(store.complete(&whole).await.is_err(), "what was given up cannot come to be");
    assert_eq!(open(store).await, [""; 0]);

    store.delete(key).await.unwrap();
    store.delete(key).await.expect("a second call finds it gone");
    assert_eq!(store.head(key).await.unwrap(), None);
}

async fn documents(store: &dyn Store) {
    let key = "_sawmill/log/1.json";
    let body = |text: &'static str| Bytes::from_static(text.as_bytes());
    assert!(store.get(key).await.unwrap().is_none());
    assert_eq!(store.create(key, body("1")).await.unwrap(), WriteOutcome::Created);
    assert_eq!(store.create(key, body("2")).await.unwrap(), WriteOutcome::AlreadyExists);
    let first = store.get(key).await.unwrap().expect("it was created");
    assert_eq!(first.body, "1");
    assert_eq!(store.replace(key, body("3"), None).await.unwrap(), WriteOutcome::AlreadyExists);
    assert_eq!(store.replace(key, body("4"), Some(&first)).await.unwrap(), WriteOutcome::Created);
    // Whoever read before that is late.
    assert_eq!(store.replace(key, body("5"), Some(&first)).await.unwrap(), WriteOutcome::AlreadyExists);
    assert_eq!(store.get(key).await.unwrap().expect("it was replaced").body, "4");
    store.put(key, body("6")).await.unwrap();
    assert_eq!(store.get(key).await.unwrap().expect("it was put").body, "6");
    store.delete(key).await.unwrap();
    assert!(store.get(key).await.unwrap().is_none());
    assert_eq!(store.replace(key, body("7"), None).await.unwrap(), WriteOutcome::Created);
    store.delete(key).await.unwrap();
}

async fn lists(store: &dyn Store) {
    let keys =
        ["_sawmill/log/1.json", "_sawmill/log/10.json", "_sawmill/log/2.json", "a=1/x", "a=1/y", "b", "c/_z"];
    for key in keys {
        store.put(key, Bytes::from_static(b"{}")).await.unwrap();
    }
    assert_eq!(store.list("", 10).await.unwrap(), ["a=1/x", "a=1/y", "b"]);
    assert_eq!(store.list("", 2).await.unwrap(), ["a=1/x", "a=1/y"]);
    assert_eq!(store.list("a=1/", 10).await.unwrap(), ["a=1/x", "a=1/y"]);
    let log = "_sawmill/log/";
    assert_eq!(store.list_documents(log, "").await.unwrap(), &keys[..3]);
    assert_eq!(store.list_documents(log, keys[0]).await.unwrap(), &keys[1..3]);
    assert_eq!(store.list_documents(log, keys[2]).await.unwrap(), [""; 0]);
    for key in keys {
        store.delete(key).await.unwrap();
    }
    assert_eq!(store.list("", 10).await.unwrap(), [""; 0]);
}
