//! Requests without an answer of S3: what went wrong is said in words, with place and
//! remedy, and no library's structures are shown.

use crate::harness::Workspace;
use crate::requests::{read_head, server};
use std::io::Write;
use std::net::TcpListener;

/// What stands in the messages of libraries, and not in ours.
const DUMPS: [&str; 12] = [
    "Failure",
    "SdkError",
    "Unhandled",
    "ProviderError",
    "ConnectorError",
    "StartEl",
    " { ",
    "io error",
    "dispatch failure",
    "Generic S3",
    "client error",
    "WARN",
];

const CONFIG: &str = "[profile empty]\nregion = us-east-1\n\
    [profile process]\ncredential_process = /bin/false\n\
    [profile sso]\nsso_session = s\nsso_account_id = 111122223333\nsso_role_name = r\nregion = us-east-1\n\
    [sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n\
    [profile role]\nrole_arn = arn:aws:iam::111122223333:role/r\nsource_profile = keys\nregion = us-east-1\n\
    [profile keys]\naws_access_key_id = a\naws_secret_access_key = b\n";

/// A server that says this to every request.
fn saying(answer: impl Into<String>) -> String {
    let answer = answer.into();
    server(move |mut connection| {
        read_head(&connection);
        // Who hangs up early has heard enough.
        let _ = connection.write_all(answer.as_bytes());
    })
}

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn refusal(head: &str, code: &str, message: &str) -> String {
    answer(head, &format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>"))
}

/// A port that nobody listens at.
fn nobody() -> String {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    format!("http://127.0.0.1:{port}")
}

/// A target, then a source, at this endpoint with this profile, which say these words each.
#[track_caller]
fn say(endpoint: &str, profile: Option<&str>, variables: &[(&str, &str)], words: [&[&str]; 2]) {
    let schema = "schema = { fields = [{ name = \"id\", type = \"int32\" }] }\n";
    let profile = profile.map(|name| format!("profile = {name:?}\n")).unwrap_or_default();
    let s3 = format!("region = \"us-east-1\"\nendpoint = {endpoint:?}\n{profile}");
    let requests = "[engine.requests]\nmax_attempts = 2\n";
    let target = format!(
        "[source]\ninputs = [\"in.csv\"]\nsettle_seconds = 0\n[[targets]]\nurl = \"s3://bucket/t/\"\n{s3}"
    );
    let source = format!("[source]\ninputs = [\"s3://bucket/in.csv\"]\n{s3}[[targets]]\nurl = \"out/\"\n");
    let sides = [(target, 5, "s3://bucket/t/", "targets[0]."), (source, 4, "s3://bucket/in.csv", "source.")];
    for ((job, code, url, key), words) in sides.into_iter().zip(words) {
        let workspace = Workspace::new();
        workspace.write(".aws/config", CONFIG);
        workspace.write("in.csv", "id\n1\n");
        workspace.write("job.toml", format!("{schema}{job}{requests}"));
        let mut command = workspace.sawmill(["run", "job.toml"]);
        for (name, value) in variables {
            command = command.env(name, value);
        }
        let run = command.run().exits_with(code).says(&[url, "us-east-1", key]).says(words).helps();
        for dump in DUMPS {
            assert!(!run.stderr.contains(dump), "{dump:?} is a library's: {run}");
        }
        assert_eq!(run.stderr.lines().count(), 2, "an error and its remedy were expected: {run}");
    }
}

#[test]
fn nobody_listens() {
    let words: &[&str] = &["there was no response: tcp connect error: Connection refused", "endpoint`"];
    say(&nobody(), None, &[], [words; 2]);
}

#[test]
fn the_server_is_not_one_of_http() {
    say(
        &saying("SSH-2.0-OpenSSH_9.2\r\n"),
        None,
        &[],
        [&["there was no response: invalid HTTP", "endpoint`"]; 2],
    );
}

#[test]
fn the_server_is_not_s3() {
    let page = answer("200 OK", "<html>Sign in to the network first</html>");
    let words: [&[&str]; 2] = [
        &["the response is not from S3, or incomplete (status 200)", "endpoint` points to S3"],
        &["the response cannot be used: ", "endpoint` points to S3"],
    ];
    say(&saying(page), None, &[], words);
    let nothing = answer("501 Not Implemented", "");
    say(&saying(nothing), None, &[], [&["status 501", "endpoint` points to S3"]; 2]);
}

#[test]
fn the_bucket_is_in_another_region() {
    let elsewhere = "301 Moved Permanently\r\nx-amz-bucket-region: eu-central-1";
    let elsewhere = refusal(elsewhere, "PermanentRedirect", "Use the specified endpoint.");
    say(&saying(elsewhere), None, &[], [&["the bucket is in eu-central-1: set `", "region` to it"]; 2]);
    // HEAD is told nothing but the status.
    let elsewhere = refusal("301 Moved Permanently", "PermanentRedirect", "Use the specified endpoint.");
    say(&saying(elsewhere), None, &[], [&["the bucket is in another region: set `", "region` to it"]; 2]);
}

#[test]
fn the_session_has_expired() {
    let expired = refusal("400 Bad Request", "ExpiredToken", "The provided token has expired.");
    let words: [&[&str]; 2] = [
        &["ExpiredToken", "has expired: sign in again", "profile`"],
        &["status 400", "session has not expired"],
    ];
    say(&saying(expired), None, &[], words);
}

#[test]
fn there_are_no_credentials() {
    let words: &[&str] = &["there are no AWS credentials", "help: set `", "profile` or the AWS_* variables"];
    say(&nobody(), Some("empty"), &[], [words; 2]);
}

#[test]
fn the_profile_does_not_exist() {
    let words: &[&str] = &[
        "not configured properly: profile `gone` was not defined",
        "choose another profile with `",
        ".profile`",
    ];
    say(&nobody(), Some("gone"), &[], [words; 2]);
}

#[test]
fn credentials_cannot_be_loaded() {
    let words: &[&str] = &["could not be loaded", "external process exited", "`aws sts get-caller-identity`"];
    say(&nobody(), Some("process"), &[], [words; 2]);
    say(&nobody(), Some("sso"), &[], [&["could not be loaded", "SSO token", "`aws sso login`"]; 2]);
}

#[test]
fn the_role_may_not_be_assumed() {
    let refused = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
                   <Code>AccessDenied</Code><Message>User a is not authorized to assume r</Message></Error>\
                   <RequestId>1</RequestId></ErrorResponse>";
    let sts = saying(answer("403 Forbidden", refused));
    let words: &[&str] = &["could not be loaded: AccessDenied: User a is not authorized to assume r"];
    say(&nobody(), Some("role"), &[("AWS_ENDPOINT_URL_STS", &sts)], [words; 2]);
    let words: &[&str] = &["could not be loaded: tcp connect error: Connection refused"];
    say(&nobody(), Some("role"), &[("AWS_ENDPOINT_URL_STS", &nobody())], [words; 2]);
}
