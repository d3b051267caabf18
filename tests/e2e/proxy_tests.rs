//! The faulty proxy itself: what goes through unharmed, and each harm.

use crate::harness::Workspace;
use crate::harness::moto::{Bucket, Region};
use crate::harness::proxy::{Fault, Faults, Matching, Moment, Operation, Proxy};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// Not looked at, but without one the server takes the client for a stranger.
const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, \
                         SignedHeaders=host, Signature=0";

fn connect(endpoint: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(endpoint.strip_prefix("http://").unwrap())
}

fn message(first: &str, headers: &str, body: &str) -> String {
    format!("{first} HTTP/1.1\r\nHost: s3\r\nAuthorization: {SIGNATURE}\r\n{headers}\r\n{body}")
}

/// All that is answered until the connection ends.
fn ask(endpoint: &str, first: &str, headers: &str, body: &str) -> String {
    let mut connection = connect(endpoint).unwrap();
    let headers = format!("Connection: close\r\n{headers}");
    connection.write_all(message(first, &headers, body).as_bytes()).unwrap();
    let mut answer = Vec::new();
    // Faults may break the connection; what came before counts.
    let _ = connection.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn put(endpoint: &str, bucket: &Bucket<'_>, key: &str, body: &str) -> String {
    let length = format!("Content-Length: {}\r\n", body.len());
    ask(endpoint, &format!("PUT /{}/{key}", bucket.name), &length, body)
}

fn get(endpoint: &str, bucket: &Bucket<'_>, key: &str) -> String {
    ask(endpoint, &format!("GET /{}/{key}", bucket.name), "", "")
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

#[test]
fn bodies_of_every_framing_arrive_whole() {
    let bucket = Region::home().bucket("framing");
    let proxy = Proxy::before(Region::home());
    let aws_chunked = "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\n\
                       Content-Encoding: aws-chunked\r\nx-amz-decoded-content-length: 11\r\n\
                       x-amz-trailer: x-amz-checksum-crc32\r\n";
    let framed = "6\r\nhello \r\n5\r\nworld\r\n0\r\nx-amz-checksum-crc32: DUoRhQ==\r\n\r\n";
    let twice = format!("{:x}\r\n{framed}\r\n0\r\n\r\n", framed.len());
    let cases = [
        ("plain", "Content-Length: 11\r\n".to_owned(), "hello world"),
        ("waits", "Content-Length: 11\r\nExpect: 100-continue\r\n".to_owned(), "hello world"),
        (
            "chunked",
            "Transfer-Encoding: chunked\r\n".to_owned(),
            "6;x=y\r\nhello \r\n5\r\nworld\r\n0\r\nA: b\r\n\r\n",
        ),
        ("aws-chunked", format!("{aws_chunked}Content-Length: {}\r\n", framed.len()), framed),
        ("both", format!("{aws_chunked}Transfer-Encoding: chunked\r\n"), &twice),
    ];
    for (key, headers, sent) in cases {
        let answer = ask(&proxy.endpoint, &format!("PUT /{}/{key}", bucket.name), &headers, sent);
        let answer = answer.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&answer);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{key}: {answer}");
        assert_eq!(bucket.read(key), b"hello world", "{key}");
        assert_eq!(body(&get(&proxy.endpoint, &bucket, key)), "hello world", "{key}");
    }
    let head = ask(&proxy.endpoint, &format!("HEAD /{}/plain", bucket.name), "", "");
    assert!(head.to_ascii_lowercase().contains("content-length: 11") && body(&head).is_empty(), "{head}");
}

#[test]
fn connections_serve_more_than_one_request() {
    let bucket = Region::home().bucket("again");
    let proxy = Proxy::before(Region::home());
    put(&proxy.endpoint, &bucket, "key", "hello");
    let mut connection = connect(&proxy.endpoint).unwrap();
    for round in 0..3 {
        let request = message(&format!("GET /{}/key", bucket.name), "", "");
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"hello") {
            let mut byte = [0];
            assert_eq!(connection.read(&mut byte).unwrap(), 1, "round {round}");
            answer.push(byte[0]);
        }
    }
    assert_eq!(proxy.count(Operation::GetObject), 3);
}

#[test]
fn operations_are_told_apart() {
    use Operation::*;
    let proxy = Proxy::before(Region::home());
    proxy.fault(Matching::any(), 1..=u64::MAX, Fault::INTERNAL_ERROR);
    let cases = [
        ("POST /b/k?uploads", CreateMultipartUpload),
        ("PUT /b/k?x-id=UploadPart&partNumber=1&uploadId=u", UploadPart),
        ("POST /b/k?uploadId=u", CompleteMultipartUpload),
        ("DELETE /b/k?uploadId=u", AbortMultipartUpload),
        ("GET /b?uploads&prefix=x", ListMultipartUploads),
        ("GET /b/k?uploadId=u", ListParts),
        ("PUT /b/a%3D1/k?x-id=PutObject", PutObject),
        ("GET /b/k", GetObject),
        ("HEAD /b/k", HeadObject),
        ("DELETE /b/k", DeleteObject),
        ("POST /b/?delete", DeleteObjects),
        ("GET /b/?list-type=2", ListObjectsV2),
        ("HEAD /b", Other),
        ("PUT /b", Other),
    ];
    for (first, _) in cases {
        ask(&proxy.endpoint, first, "", "");
    }
    let seen: Vec<Operation> = proxy.exchanges().iter().map(|exchange| exchange.operation).collect();
    assert_eq!(seen, cases.map(|(_, operation)| operation));
    assert_eq!(proxy.count(PutObject.of("a=1/")), 1, "keys are decoded");
    assert_eq!(proxy.counts()[&Other], 2);
}

#[test]
fn every_fault_does_its_harm() {
    let bucket = Region::home().bucket("faults");
    let proxy = Proxy::before(Region::home());
    put(&proxy.endpoint, &bucket, "key", "hello");
    let long = Duration::from_millis(100);
    // What a GET comes to: body, or code of an error; at least how long it takes.
    let gets = [
        (Fault::Delay(long), "hello", long),
        (Fault::LoseRequest, "", Duration::ZERO),
        (Fault::LoseReply, "", Duration::ZERO),
        (Fault::SLOW_DOWN, "<Code>SlowDown</Code>", Duration::ZERO),
        (Fault::EXPIRED_TOKEN, "<Code>ExpiredToken</Code>", Duration::ZERO),
        (Fault::Trickle(long), "hello", long),
        (Fault::CutReply, "he", Duration::ZERO),
        (Fault::HalveReply, "he", Duration::ZERO),
        (Fault::ErrorAfterOk { done: true }, "<Code>InternalError</Code>", Duration::ZERO),
        (Fault::FlipDownload, "hemlo", Duration::ZERO),
    ];
    for (fault, expected, takes) in gets {
        proxy.fault(Operation::GetObject.of("key"), 2..=2, fault);
        let begun = Instant::now();
        assert_eq!(body(&get(&proxy.endpoint, &bucket, "key")), "hello", "{fault:?} comes too early");
        let answer = get(&proxy.endpoint, &bucket, "key");
        assert!(body(&answer).contains(expected), "{fault:?}: {answer}");
        assert_eq!(body(&answer).is_empty(), expected.is_empty(), "{fault:?}: {answer}");
        assert!(begun.elapsed() >= takes, "{fault:?} took no time");
        assert_eq!(body(&get(&proxy.endpoint, &bucket, "key")), "hello", "{fault:?} does not end");
    }
    // What a PUT does.
    let puts = [
        (Fault::LoseRequest, None),
        (Fault::SLOW_DOWN, None),
        (Fault::ErrorAfterOk { done: false }, None),
        (Fault::ErrorAfterOk { done: true }, Some("hello")),
        (Fault::LoseReply, Some("hello")),
        (Fault::FlipUpload, Some("hemlo")),
    ];
    for (number, (fault, expected)) in puts.into_iter().enumerate() {
        let key = format!("put-{number}");
        proxy.fault(Operation::PutObject, 1..=1, fault);
        put(&proxy.endpoint, &bucket, &key, "hello");
        let read = bucket.objects().contains(&key).then(|| bucket.read(&key));
        assert_eq!(read.as_deref(), expected.map(str::as_bytes), "{fault:?}");
    }
    proxy.fault(Matching::any(), 1..=u64::MAX, Fault::SLOW_DOWN);
    proxy.heal();
    assert_eq!(body(&get(&proxy.endpoint, &bucket, "key")), "hello");
}

#[test]
fn a_region_goes_down_and_comes_back() {
    let bucket = Region::home().bucket("down");
    let proxy = Proxy::before(Region::home());
    put(&proxy.endpoint, &bucket, "key", "hello");
    let mut open = connect(&proxy.endpoint).unwrap();
    proxy.down();
    assert_eq!(open.read(&mut [0]).unwrap_or_default(), 0, "the connection is broken");
    let refused = connect(&proxy.endpoint).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    proxy.up();
    assert_eq!(body(&get(&proxy.endpoint, &bucket, "key")), "hello");
}

#[test]
fn gates_hold_one_request() {
    let bucket = Region::home().bucket("gates");
    let proxy = Proxy::before(Region::home());
    // Moment, whether the request is let go on, whether it was carried out while it
    // was held, whether it was at last, whether it was answered.
    let cases = [
        (Moment::Before, true, false, true, true),
        (Moment::Before, false, false, false, false),
        (Moment::After, true, true, true, true),
        (Moment::After, false, true, true, false),
    ];
    for (number, (moment, goes_on, done_while_held, done, answered)) in cases.into_iter().enumerate() {
        let key = format!("key-{number}");
        let gate = proxy.hold(Operation::PutObject.of(&key), 1, moment);
        assert!(!gate.is_reached());
        thread::scope(|scope| {
            let answer = scope.spawn(|| put(&proxy.endpoint, &bucket, &key, "hello"));
            assert_eq!(gate.reached(), key);
            assert_eq!(bucket.objects().contains(&key), done_while_held, "{key}");
            if goes_on {
                gate.release();
            } else {
                drop(gate);
            }
            assert_eq!(answer.join().unwrap().starts_with("HTTP/1.1 200 "), answered, "{key}");
        });
        assert_eq!(bucket.objects().contains(&key), done, "{key}");
    }
}

#[test]
fn chance_is_the_same_for_the_same_seed() {
    let faults_of = |seed, probability| {
        let proxy = Proxy::before(Region::home());
        proxy.random(Faults::random(seed, probability).only(&[Fault::SLOW_DOWN, Fault::LoseRequest]));
        for _ in 0..40 {
            ask(&proxy.endpoint, "HEAD /no-such-bucket/key", "", "");
        }
        proxy.exchanges().iter().map(|exchange| exchange.fault).collect::<Vec<_>>()
    };
    let some = faults_of(1, 0.5);
    assert_eq!(some, faults_of(1, 0.5));
    assert_ne!(some, faults_of(2, 0.5));
    assert!((10..30).contains(&some.iter().flatten().count()), "{some:?}");
    assert!(some.contains(&Some(Fault::SLOW_DOWN)) && some.contains(&Some(Fault::LoseRequest)));
    assert_eq!(faults_of(1, 0.0).iter().flatten().count(), 0);
    assert_eq!(faults_of(1, 1.0).iter().flatten().count(), 40);
}

#[test]
fn a_frozen_region_answers_later() {
    let region = Region::start("eu-west-1");
    let bucket = region.bucket("frozen");
    put(&region.endpoint, &bucket, "key", "hello");
    let frozen = region.freeze();
    thread::scope(|scope| {
        let answer = scope.spawn(|| get(&region.endpoint, &bucket, "key"));
        thread::sleep(Duration::from_millis(300));
        assert!(!answer.is_finished(), "a frozen region answers");
        drop(frozen);
        assert_eq!(body(&answer.join().unwrap()), "hello");
    });
}

#[test]
fn buckets_compare_by_the_files_of_their_tables() {
    let workspace = Workspace::new();
    let buckets = [Region::home(), Region::remote()].map(|region| region.bucket("same"));
    let (one, other) = (workspace.write("one", "1"), workspace.write("other", "2"));
    for bucket in &buckets {
        bucket.put("t/k=1/a.parquet", &one);
    }
    buckets[0].put("t/_SUCCESS", &one);
    assert_eq!(buckets[0].assert_same_files(&buckets[1], "t/", &workspace), ["k=1/a.parquet"]);
    buckets[1].put("t/k=1/a.parquet", &other);
    let compare = || buckets[0].assert_same_files(&buckets[1], "t/", &workspace);
    let differ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(compare));
    assert!(differ.is_err(), "different bytes are taken for the same");
}
