#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::aws::failure::classify_read;
use crate::error::StoreReason;
use object_store::aws::AmazonS3Builder;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, RetryConfig};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

/// A server that gives every request this answer.
fn server(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let lines = BufReader::new(connection.try_clone().unwrap()).lines().map(Result::unwrap);
            let _ = lines.take_while(|line| !line.is_empty()).count();
            connection.write_all(answer.as_bytes()).unwrap();
        }
    });
    endpoint
}

async fn refused(answer: String) -> (object_store::Error, Responses) {
    let retry = RetryConfig { max_retries: 1, ..RetryConfig::default() };
    let store = AmazonS3Builder::new()
        .with_bucket_name("bucket")
        .with_region("us-east-1")
        .with_endpoint(server(answer))
        .with_allow_http(true)
        .with_access_key_id("id")
        .with_secret_access_key("secret")
        .with_retry(retry)
        .with_http_connector(Watching)
        .build()
        .unwrap();
    let answers = Responses::default();
    let mut options = GetOptions::default();
    options.extensions.insert(answers.clone());
    let error = store.get_opts(&Path::from("k=SlowDown/InternalError"), options).await.unwrap_err();
    (error, answers)
}

#[tokio::test]
async fn answers_are_read_by_code_and_status_whatever_the_key_is_called() {
    for (status, code, expected, tries) in [
        ("503 Slow Down", Some("SlowDown"), StoreReason::Throttled, 2),
        ("500 Internal Server Error", Some("InternalError"), StoreReason::Unreachable, 2),
        ("503 Service Unavailable", None, StoreReason::Unreachable, 2),
        ("403 Forbidden", Some("AccessDenied"), StoreReason::Denied, 1),
        ("404 Not Found", Some("NoSuchKey"), StoreReason::NotFound, 1),
        ("400 Bad Request", Some("ExpiredToken"), StoreReason::Denied, 1),
        ("301 Moved Permanently", Some("PermanentRedirect"), StoreReason::Other, 1),
        ("409 Conflict", Some("OperationAborted"), StoreReason::Conflict, 1),
    ] {
        let body = code.map_or_else(String::new, |code| {
            format!(
                "<Error><Code>{code}</Code><Message>no</Message><Key>k=SlowDown/InternalError</Key></Error>"
            )
        });
        let length = body.len();
        let answer =
            format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
        let (error, answers) = refused(answer).await;
        assert_eq!(classify_read(&error, &answers), expected, "{error:?}");
        assert_eq!(answers.tries(), tries, "{status}");
        let failed = answers.failed().unwrap();
        assert_eq!(failed.code.as_deref(), code);
        assert_eq!(failed.to_string().starts_with("the server answered"), code.is_none(), "{failed}");
    }
}

#[tokio::test]
async fn without_an_answer_the_store_is_unreachable() {
    let (error, answers) = refused(String::new()).await;
    assert_eq!(classify_read(&error, &answers), StoreReason::Unreachable, "{error:?}");
    assert_eq!(answers.failed(), None);
}
