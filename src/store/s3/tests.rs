#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::aws::with_retries;
use crate::documents::{StagedPart, Staging};
use crate::error::{ErrorKind, StoreReason};
use crate::spec::RequestsSpec;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

const BEGUN: &str = "<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>";
const GONE: &str = "<Error><Code>NoSuchUpload</Code><Message>gone</Message></Error>";

/// An S3 that begins an upload and has forgotten it when it is completed. The
/// object in its place is of that upload (`ours`) or of another one.
fn forgetful_server(ours: bool) -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (identities, received) = mpsc::channel();
    std::thread::spawn(move || {
        let mut identity = String::new();
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut lines = BufReader::new(connection.try_clone().unwrap()).lines().map(Result::unwrap);
            let request = lines.next().unwrap();
            let headers: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            if let Some(given) =
                headers.iter().find_map(|line| line.strip_prefix("x-amz-meta-sawmill-upload: "))
            {
                identity = given.to_owned();
                identities.send(given.to_owned()).unwrap();
            }
            let shown = if ours { identity.as_str() } else { "another" };
            let answer = match request.split(' ').next().unwrap() {
                "HEAD" => {
                    format!("200 OK\r\nx-amz-meta-sawmill-upload: {shown}\r\ncontent-length: 3\r\n\r\n")
                }
                _ if request.contains("?uploads") => {
                    format!("200 OK\r\ncontent-length: {}\r\n\r\n{BEGUN}", BEGUN.len())
                }
                _ => format!("404 Not Found\r\ncontent-length: {}\r\n\r\n{GONE}", GONE.len()),
            };
            write!(connection, "HTTP/1.1 {}", answer.replacen("\r\n", "\r\nconnection: close\r\n", 1))
                .unwrap();
        }
    });
    (endpoint, received)
}

/// Requests are tried once, and may take a second and one for each 2 MiB.
fn store(endpoint: &str) -> S3Store {
    store_of(
        endpoint,
        &RequestsSpec {
            max_attempts: 1,
            read_timeout_seconds: 1,
            list_timeout_seconds: 1,
            slowest_bytes_per_second: 2 << 20,
            ..RequestsSpec::default()
        },
    )
}

fn store_of(endpoint: &str, requests: &RequestsSpec) -> S3Store {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .endpoint_url(endpoint)
        .force_path_style(true);
    let config = with_retries(config, requests, "test".into());
    let client = aws_sdk_s3::Client::from_conf(config.build());
    let inner = Inner {
        identity: TargetIdentity { url: "s3://bucket/t/".into(), region: Some("us-east-1".into()) },
        role: Role::Target(0),
        s3: S3 { client, region: "us-east-1".into(), genuine: false, requests: requests.clone() },
        bucket: "bucket".into(),
        prefix: "t/".into(),
        owner: None,
        encryption: None,
        kms_key: None,
        part_bytes: 5 << 20,
    };
    S3Store { inner: Arc::new(inner) }
}

#[tokio::test]
async fn an_old_object_of_the_same_size_is_not_the_one_that_was_staged() {
    for ours in [true, false] {
        let (endpoint, identities) = forgetful_server(ours);
        let store = store(&endpoint);
        let write = store.begin("a.parquet").await.unwrap();
        let part = StagedPart { number: 1, bytes: 3, etag: "e".into() };
        let staged = write.seal(vec![part]).await.unwrap();
        let Staging::MultipartUpload { identity, .. } = &staged.staging else { panic!("{staged:?}") };
        assert_eq!(identities.recv().unwrap(), *identity);
        let completed = store.complete(&staged).await;
        assert_eq!(completed.is_ok(), ours, "{completed:?}");
        let unknown =
            Staging::MultipartUpload { upload_id: "u1".into(), identity: String::new(), parts: Vec::new() };
        assert!(store.complete(&StagedFile { staging: unknown, ..staged }).await.is_err());
    }
}

/// An S3 that takes its time, or answers with this.
fn server(wait: Duration, answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            std::thread::spawn(move || {
                let lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let begins = head[0].ends_with("?uploads HTTP/1.1");
                if !begins {
                    std::thread::sleep(wait);
                }
                let (status, body) = if begins { ("200 OK", BEGUN) } else { answer.split_once('|').unwrap() };
                let length = body.len();
                let head = format!("connection: close\r\netag: \"e\"\r\ncontent-length: {length}");
                // A client that gave up is not there to read it.
                let _ = write!(connection, "HTTP/1.1 {status}\r\n{head}\r\n\r\n{body}");
                let _ = std::io::copy(&mut connection, &mut std::io::sink());
            });
        }
    });
    endpoint
}

fn reason<T: std::fmt::Debug>(result: Result<T>) -> StoreReason {
    let error = result.unwrap_err();
    match error.kind() {
        ErrorKind::Target(failure) => failure.reason,
        _ => panic!("{error:?}"),
    }
}

#[tokio::test]
async fn every_verb_has_the_time_it_takes_and_no_more() {
    let store = store(&server(Duration::from_millis(2_500), "200 OK|"));
    let write = store.begin("a.parquet").await.unwrap();
    let part = Bytes::from(vec![0; 6 << 20]);
    write.put_part(1, 0, part).await.expect("6 MiB have four seconds");
    let begun = std::time::Instant::now();
    for result in [store.get("a").await.map(drop), store.head("a").await.map(drop)] {
        assert_eq!(reason(result), StoreReason::Unreachable);
    }
    assert_eq!(reason(store.create("a", Bytes::from_static(b"{}")).await), StoreReason::Unreachable);
    assert_eq!(reason(store.list("", 1).await), StoreReason::Unreachable);
    assert!(begun.elapsed() < Duration::from_secs(8), "four tries of a second each: {:?}", begun.elapsed());
}

#[tokio::test]
async fn a_document_that_somebody_else_is_writing_is_to_be_read_back() {
    for (answer, expected) in [
        (
            "412 Precondition Failed|<Error><Code>PreconditionFailed</Code></Error>",
            Ok(WriteOutcome::AlreadyExists),
        ),
        ("409 Conflict|<Error><Code>ConditionalRequestConflict</Code></Error>", Err(StoreReason::Conflict)),
        ("503 Slow Down|<Error><Code>SlowDown</Code></Error>", Err(StoreReason::Throttled)),
        ("500 Oh|", Err(StoreReason::Unreachable)),
        ("200 OK|", Ok(WriteOutcome::Created)),
    ] {
        let store = store(&server(Duration::ZERO, answer));
        let created = store.create("a", Bytes::from_static(b"{}")).await;
        match expected {
            Ok(written) => assert_eq!(created.unwrap(), written, "{answer}"),
            Err(expected) => assert_eq!(reason(created), expected, "{answer}"),
        }
    }
}

#[tokio::test]
async fn what_was_answered_is_told_where_the_time_ends_before_the_next_try() {
    let later = "503 Slow Down\r\nx-amz-retry-after: 60000|<Error><Code>SlowDown</Code></Error>";
    let requests = RequestsSpec { small_timeout_seconds: 2, ..RequestsSpec::default() };
    let store = store_of(&server(Duration::ZERO, later), &requests);
    let error = store.create("a", Bytes::from_static(b"{}")).await.unwrap_err();
    assert!(error.to_string().contains("SlowDown (status 503), and no time was left to retry"), "{error}");
    assert!(error.what_to_do().unwrap().contains("throttling requests"), "{error:?}");
    assert_eq!(reason::<()>(Err(error)), StoreReason::Throttled);
}

#[tokio::test]
async fn every_request_names_the_owner_of_the_bucket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (heads, received) = mpsc::channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let lines = BufReader::new(connection.try_clone().unwrap()).lines().map(Result::unwrap);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let body = if head[0].contains("?uploads") { BEGUN } else { "" };
            let status = if body.is_empty() { "403 Forbidden" } else { "200 OK" };
            heads.send(head.join("\n")).unwrap();
            let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}", body.len());
            write!(connection, "{head}\r\n\r\n{body}").unwrap();
        }
    });
    let mut store = store(&endpoint);
    Arc::get_mut(&mut store.inner).unwrap().owner = Some("111122223333".into());
    let document = || Bytes::from_static(b"{}");
    let read = StoredDocument { body: document(), tag: "e".into() };
    let write = store.begin("a").await.unwrap();
    let staged = write.handle();
    let mut requests = 1;
    let mut refused = |result: Result<()>| {
        result.unwrap_err();
        requests += 1;
    };
    refused(write.put_part(1, 0, document()).await.map(drop));
    refused(store.abort(&staged).await);
    refused(store.put("a", document()).await);
    refused(store.create("a", document()).await.map(drop));
    refused(store.replace("a", document(), Some(&read)).await.map(drop));
    refused(store.get("a").await.map(drop));
    refused(store.read("a", 0..1).await.map(drop));
    refused(store.head("a").await.map(drop));
    refused(store.delete("a").await);
    refused(store.list("", 1).await.map(drop));
    refused(store.list_documents("_sawmill/log/", "").await.map(drop));
    refused(store.list_staged(None).await.map(drop));
    // And a HEAD that would settle it.
    store.complete(&staged).await.unwrap_err();
    let heads: Vec<String> = received.try_iter().collect();
    assert_eq!(heads.len(), requests + 2);
    for head in heads {
        assert!(head.contains("x-amz-expected-bucket-owner: 111122223333"), "{head}");
    }
}
