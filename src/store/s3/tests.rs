#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::job::RequestsSpec;
use crate::store::{StagedPart, Staging};
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc;

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

fn store(endpoint: &str) -> S3Store {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .endpoint_url(endpoint)
        .force_path_style(true)
        .retry_config(RetryConfig::disabled())
        .build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let inner = Inner {
        identity: TargetIdentity { url: "s3://bucket/t/".into(), region: Some("us-east-1".into()) },
        role: Role::Target(0),
        s3: S3 { client, region: "us-east-1".into(), genuine: false, requests: RequestsSpec::default() },
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
