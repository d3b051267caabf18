#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use super::*;
use crate::aws::redact::redact;

fn connection(endpoint: &str) -> Connection {
    Connection {
        role: Role::Target(1),
        region: Some("eu-central-1".into()),
        endpoint: Some(endpoint.into()),
        allow_http: false,
        path_style: None,
        profile: None,
        owner: None,
        requests: RequestsSpec::default(),
    }
}

#[test]
fn plain_http_is_for_loopback_unless_the_job_allows_it() {
    let check = |endpoint: &str, allow_http| {
        Connection { allow_http, ..connection(endpoint) }.check_endpoint(endpoint, "targets[1].endpoint")
    };
    for good in [
        "http://127.0.0.1:9000",
        "http://127.9.9.9",
        "http://localhost:5000/",
        "http://[::1]:1",
        "https://s3.example",
    ] {
        assert!(check(good, false).is_ok(), "{good}");
    }
    for bad in [
        "http://10.0.0.1",
        "http://localhost.example.com",
        "ftp://localhost",
        "localhost:9000",
        "",
        "https://a:b@c",
    ] {
        let error = check(bad, false).expect_err(bad);
        assert!(error.to_string().contains("targets[1].endpoint"), "{error}");
        assert!(error.what_to_do().is_some());
    }
    let remote = "http://minio.internal:9000";
    assert!(check(remote, false).unwrap_err().what_to_do().unwrap().contains("targets[1].allow_http"));
    assert!(check(remote, true).is_ok());
    assert!(check("ftp://localhost", true).is_err());
}

#[test]
fn roles_name_keys_of_the_job_file() {
    assert_eq!(Role::Source.key("region"), "source.region");
    assert_eq!(Role::Target(1).key("region"), "targets[1].region");
}

#[test]
fn nothing_secret_survives_redaction() {
    for (text, expected) in [
        ("plain", "plain"),
        ("GET https://b.s3/k?X-Amz-Signature=abc&x=1 failed", "GET https://b.s3/k?… failed"),
        ("see https://a.blob.core.windows.net/c?sv=1&sig=abc", "see https://a.blob.core.windows.net/c?…"),
        ("header Signature=0011, Credential=AKIA/2020 end", "header Signature=…, Credential=… end"),
        (
            "status 403: <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><Message>No</Message>\
             <AWSAccessKeyId>AKIA</AWSAccessKeyId><StringToSign>x</StringToSign></Error>",
            "SignatureDoesNotMatch: No",
        ),
    ] {
        assert_eq!(redact(text), expected);
    }
    assert!(redact(&"ä".repeat(10_000)).chars().count() <= 401);
}

#[tokio::test]
async fn an_endpoint_needs_no_region() {
    let connection = connection("http://127.0.0.1:1/");
    let s3 = connection.s3().await.unwrap();
    assert_eq!((s3.region.as_str(), s3.genuine), ("eu-central-1", false));
}
