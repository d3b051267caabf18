#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::error::StoreReason;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStoreExt, PutPayload};
use tokio::runtime::Runtime;

fn fetch(runtime: &Runtime, body: &[u8], fetch_bytes: u64) -> Fetch {
    let store = InMemory::new();
    let path = Path::from("k.csv");
    runtime.block_on(store.put(&path, PutPayload::from(body.to_vec()))).unwrap();
    let etag = runtime.block_on(store.head(&path)).unwrap().e_tag;
    let input =
        Input { url: "s3://b/k.csv".into(), bytes: Some(body.len() as u64), etag, ..Input::default() };
    let time = Duration::from_secs(60);
    Fetch {
        store: Arc::new(store),
        path,
        input,
        region: None,
        fetch_bytes,
        concurrency: 3,
        budget: Budget::default(),
        time,
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap()
}

fn all(mut chunks: Chunks) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = chunks.next()? {
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[test]
fn ranges_come_in_order_and_whole() {
    let runtime = runtime();
    let body: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
    for fetch_bytes in [1, 7, 999, 1000, 1001] {
        let fetch = fetch(&runtime, &body, fetch_bytes);
        assert_eq!(
            all(fetch.clone().start(0..1000, runtime.handle().clone(), Cancel::default())).unwrap(),
            body
        );
        assert_eq!(
            all(fetch.clone().start(10..20, runtime.handle().clone(), Cancel::default())).unwrap(),
            body[10..20]
        );
        assert_eq!(all(fetch.start(5..5, runtime.handle().clone(), Cancel::default())).unwrap(), b"");
    }
}

#[test]
fn an_object_that_changed_is_not_read() {
    let runtime = runtime();
    let planned = fetch(&runtime, b"0123456789", 4);
    let mut other_tag = planned.clone();
    other_tag.input.etag = Some("\"other\"".into());
    let mut other_size = planned.clone();
    other_size.input.bytes = Some(11);
    for fetch in [other_tag, other_size] {
        let error = all(fetch.start(0..10, runtime.handle().clone(), Cancel::default())).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Changed { .. }), "{error:?}");
    }
    let mut gone = planned;
    gone.path = Path::from("gone");
    let error = all(gone.start(0..10, runtime.handle().clone(), Cancel::default())).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Source(f) if f.reason == StoreReason::NotFound), "{error:?}");
    assert!(error.what_to_do().is_some());
}

#[test]
fn a_range_that_does_not_come_is_given_up_in_time() {
    let runtime = runtime();
    let whole = fetch(&runtime, b"id\n1\n", 3);
    let config =
        ThrottleConfig { wait_get_per_call: Duration::from_secs(3_600), ..ThrottleConfig::default() };
    let silent = ThrottledStore::new(InMemory::new(), config);
    let fetch = Fetch { store: Arc::new(silent), time: Duration::from_millis(50), ..whole };
    let error = all(fetch.start(0..5, runtime.handle().clone(), Cancel::default())).unwrap_err();
    let ErrorKind::Source(failure) = error.kind() else { panic!("{error}") };
    assert_eq!(failure.reason, StoreReason::Unreachable, "{error}");
    assert!(failure.detail.contains("over all tries"), "{error}");
}
