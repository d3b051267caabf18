#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::runtime::Runtime;
use std::time::{Duration, Instant};

#[test]
fn a_sender_that_dies_is_not_the_end_of_the_input() {
    let runtime = Runtime::new(1).unwrap();
    for (bytes, sound) in [(Some(3), true), (None, true), (Some(4), false)] {
        let (sender, receiver) = mpsc::channel(1);
        let mut chunks = Chunks::new(receiver, "s3://b/k", bytes, runtime.handle(), runtime.cancel().clone());
        sender.blocking_send(Ok(Bytes::from_static(b"abc"))).unwrap();
        drop(sender);
        assert_eq!(chunks.next().unwrap().unwrap(), "abc");
        let end = chunks.next();
        assert_eq!(end.is_ok(), sound, "{end:?}");
        let Err(error) = end else { continue };
        assert!(matches!(error.kind(), ErrorKind::Source(failure) if failure.url == "s3://b/k"));
    }
}

#[test]
fn a_wait_ends_when_somebody_asks_to_stop() {
    let runtime = Runtime::new(1).unwrap();
    let (_sender, receiver) = mpsc::channel(1);
    let own = runtime.cancel().child();
    let mut chunks = Chunks::new(receiver, "u", None, runtime.handle(), runtime.cancel().clone());
    chunks.stop_with(own.clone());
    let begun = Instant::now();
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        own.cancel();
    });
    assert!(matches!(chunks.next().unwrap_err().kind(), ErrorKind::Interrupted));
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(runtime.cancel().check().is_ok());
}
