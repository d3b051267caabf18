#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::store::Store;
use crate::store::faulty::{FaultyStore, Operation};
use crate::store::local::LocalStore;
use sha2::{Digest, Sha256};
use std::io::Write;
use std::time::Instant;
use tokio::runtime::Runtime;

const PART: usize = 64;

fn local(directory: &tempfile::TempDir, position: usize) -> Arc<LocalStore> {
    Arc::new(LocalStore::new(directory.path().join("table"), PART, position).unwrap())
}

struct Bench {
    runtime: Runtime,
    directories: [tempfile::TempDir; 2],
    stores: Vec<Arc<dyn StagingStore>>,
}

impl Bench {
    /// Two targets; in the second, the `nth` call of `operation` fails.
    fn new(fault: Option<(Operation, usize)>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        let directories = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let [first, second] = [0, 1].map(|position| local(&directories[position], position));
        let second: Arc<dyn StagingStore> = match fault {
            Some((operation, nth)) => Arc::new(FaultyStore::new(second, operation, nth)),
            None => second,
        };
        let stores = vec![first as _, second];
        Bench { runtime, directories, stores }
    }

    fn factory(&self) -> TeeFactory {
        self.factory_with(2 * PART, &Cancel::default())
    }

    fn factory_with(&self, in_flight_bytes: usize, cancel: &Cancel) -> TeeFactory {
        let runtime = self.runtime.handle().clone();
        TeeFactory::new(self.stores.clone(), runtime, &Budget::default(), in_flight_bytes, cancel)
    }

    /// In the second target, calls of `operation` from the `nth` on are never answered.
    fn stalling(operation: Operation, nth: usize) -> Self {
        let mut bench = Bench::new(None);
        let second = bench.stores.pop().unwrap();
        bench.stores.push(Arc::new(FaultyStore::stalling(second, operation, nth)));
        bench
    }

    /// Nothing visible, nothing staged, no directory left.
    fn is_clean(&self) -> bool {
        self.directories.iter().all(|d| std::fs::read_dir(d).unwrap().next().is_none())
    }
}

#[test]
fn every_target_gets_the_same_file_and_none_shows_it() {
    let bench = Bench::new(None);
    let factory = bench.factory();
    for length in [0, 1, PART - 1, PART, PART + 1, 10 * PART + 7] {
        let body: Vec<u8> = (0..length).map(|n| n as u8).collect();
        let key = format!("day=1/part-{length}.parquet");
        let mut writer = factory.begin(&key).unwrap();
        for piece in body.chunks(13) {
            writer.write_all(piece).unwrap();
        }
        assert_eq!(writer.bytes_buffered(), length % PART);
        let file = writer.finish().unwrap();
        assert_eq!((file.bytes, file.sha256), (length as u64, hex::encode(Sha256::digest(&body))));
        assert_eq!(file.staged.len(), 2);
        for (directory, staged) in bench.directories.iter().zip(&file.staged) {
            let store = local(directory, 0);
            bench.runtime.block_on(async {
                assert_eq!(store.head(&key).await.unwrap(), None);
                store.complete(staged).await.unwrap();
                store.complete(staged).await.unwrap();
                assert_eq!(store.get(&key).await.unwrap().unwrap().body, body);
                assert!(store.list_staged(None).await.unwrap().is_empty());
            });
        }
    }
    factory.abort_all();
    assert!(matches!(factory.begin("late").map(drop).unwrap_err().kind(), ErrorKind::Interrupted));
}

#[test]
fn a_failure_in_the_second_target_leaves_nothing_in_either() {
    for (operation, nth) in [
        (Operation::Begin, 1),
        (Operation::PutPart, 1),
        (Operation::PutPart, 2),
        (Operation::PutPart, 5),
        (Operation::Seal, 1),
    ] {
        let bench = Bench::new(Some((operation, nth)));
        let factory = bench.factory();
        let mut writer = factory.begin("a/b.parquet").unwrap();
        let written = writer.write_all(&[7; 4 * PART + 1]);
        let error = match written {
            Ok(()) => writer.finish().unwrap_err(),
            Err(_) => writer.take_error().unwrap(),
        };
        assert!(
            matches!(error.kind(), ErrorKind::Target(f) if f.detail == "injected"),
            "{operation:?} {error}"
        );
        factory.abort_all();
        assert!(bench.is_clean(), "{operation:?} {nth}");
    }
}

#[test]
fn dropped_and_unfinished_writers_leave_nothing() {
    // The first attempt to remove fails: abort_all tries again.
    let bench = Bench::new(Some((Operation::Abort, 1)));
    let factory = bench.factory();
    let mut dropped = factory.begin("dropped").unwrap();
    dropped.write_all(&[1; 3 * PART]).unwrap();
    drop(dropped);
    let mut alive = factory.begin("alive").unwrap();
    alive.write_all(&[1; PART]).unwrap();
    factory.abort_all();
    assert!(alive.write_all(&[1]).is_err());
    assert!(matches!(alive.finish().unwrap_err().kind(), ErrorKind::Interrupted));
    assert!(bench.is_clean());
}

#[test]
fn a_part_larger_than_the_budget_still_gets_through() {
    let bench = Bench::new(None);
    let factory = bench.factory_with(1, &Cancel::default());
    let mut writers: Vec<_> = (0..8).map(|n| factory.begin(&format!("f{n}")).unwrap()).collect();
    for writer in &mut writers {
        writer.write_all(&[0; 5 * PART]).unwrap();
    }
    assert!(writers.into_iter().all(|writer| writer.finish().is_ok()));
}

#[test]
fn finished_files_are_removed_unless_they_are_kept() {
    let finished = |bench: &Bench| {
        let factory = bench.factory();
        for key in ["rolled", "last"] {
            let mut writer = factory.begin(key).unwrap();
            writer.write_all(&[1; 3 * PART]).unwrap();
            writer.finish().unwrap();
        }
        assert!(!bench.is_clean());
        factory
    };
    let bench = Bench::new(None);
    finished(&bench).abort_all();
    assert!(bench.is_clean(), "aborted");
    drop(finished(&bench));
    assert!(bench.is_clean(), "dropped");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _factory = finished(&bench);
        std::panic::resume_unwind(Box::new(()));
    }));
    assert!(panicked.is_err() && bench.is_clean(), "panicked");
    finished(&bench).keep();
    assert!(!bench.is_clean(), "kept");
}

#[test]
fn a_signal_ends_every_wait_for_a_silent_target() {
    for (operation, nth) in [(Operation::PutPart, 1), (Operation::PutPart, 3), (Operation::Seal, 1)] {
        let bench = Bench::stalling(operation, nth);
        let cancel = Cancel::default();
        let factory = bench.factory_with(2 * PART, &cancel);
        factory.begin("earlier").unwrap();
        let mut writer = factory.begin("a/b.parquet").unwrap();
        let begun = Instant::now();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            cancel.cancel();
        });
        let error = match writer.write_all(&[7; 4 * PART + 1]) {
            Ok(()) => writer.finish().unwrap_err(),
            Err(_) => writer.take_error().unwrap(),
        };
        assert!(matches!(error.kind(), ErrorKind::Interrupted), "{operation:?} {error}");
        drop(factory);
        assert!(bench.is_clean(), "{operation:?} {nth}");
        assert!(begun.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn giving_up_does_not_wait_for_ever_for_a_silent_target() {
    for operation in [Operation::Begin, Operation::Abort] {
        let bench = Bench::stalling(operation, 1);
        let mut factory = bench.factory();
        Arc::get_mut(&mut factory.shared).unwrap().abort_time = Duration::from_millis(50);
        let mut writer = factory.begin("a").unwrap();
        writer.write_all(&[7; PART]).unwrap();
        factory.abort_all();
        assert!(matches!(writer.finish().unwrap_err().kind(), ErrorKind::Interrupted));
        // The other target is not held up.
        assert!(std::fs::read_dir(bench.directories[0].path()).unwrap().next().is_none());
    }
}
