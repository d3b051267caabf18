//! Stores that answer slowly, not at all, or that they are asked too often.

use crate::harness::{Workspace, testdata};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const SLOW_DOWN: &str = "HTTP/1.1 503 Slow Down\r\nconnection: close\r\ncontent-length: 79\r\n\r\n\
                         <Error><Code>SlowDown</Code><Message>Reduce your request rate.</Message></Error>";

/// A server that does this with each connection, and its endpoint.
pub(crate) fn server(answer: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let answer = Arc::clone(&answer);
            std::thread::spawn(move || answer(connection.unwrap()));
        }
    });
    endpoint
}

pub(crate) fn read_head(connection: &TcpStream) -> Vec<String> {
    let lines = BufReader::new(connection.try_clone().unwrap()).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).collect()
}

/// The flights into a target at this endpoint, or from a source at it.
fn flights(workspace: &Workspace, source: Option<&str>, target: Option<&str>, requests: &str) {
    let schema = testdata("flights/schema.json");
    let source = match source {
        Some(endpoint) => {
            format!("inputs = [\"s3://bucket/in.csv\"]\nregion = \"us-east-1\"\nendpoint = {endpoint:?}\n")
        }
        None => format!("inputs = [{:?}]\n", testdata("flights/flights-2013-h1.csv")),
    };
    let target = match target {
        Some(endpoint) => {
            format!("url = \"s3://bucket/t/\"\nregion = \"us-east-1\"\nendpoint = {endpoint:?}\n")
        }
        None => "url = \"out/\"\n".to_owned(),
    };
    workspace.write(
        "job.toml",
        format!("schema = {schema:?}\n[source]\n{source}[[targets]]\n{target}[engine.requests]\n{requests}"),
    );
}

#[test]
fn a_server_that_never_answers_is_given_up_in_the_time_of_the_job() {
    // Connections are taken and kept.
    let kept = Mutex::new(Vec::new());
    let endpoint = server(move |connection| kept.lock().unwrap().push(connection));
    let limits =
        "max_attempts = 9\nread_timeout_seconds = 1\nsmall_timeout_seconds = 3\nlist_timeout_seconds = 1\n";
    for (source, target, code) in [(Some(&*endpoint), None, 4), (None, Some(&*endpoint), 5)] {
        let workspace = Workspace::new();
        // A listing has no time of its own for all tries.
        let limits = limits.replace("= 9", if source.is_some() { "= 9" } else { "= 2" });
        flights(&workspace, source, target, &limits);
        let begun = Instant::now();
        let run = workspace.sawmill(["run", "job.toml"]).run().exits_with(code);
        let _ = run.says(&["s3://bucket/", "check the network"]).helps();
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}

#[test]
fn a_store_that_is_asked_too_often_is_asked_as_often_as_the_job_says() {
    for (source, code) in [(true, 4), (false, 5)] {
        let asked = Arc::new(AtomicU32::new(0));
        let counted = Arc::clone(&asked);
        let endpoint = server(move |mut connection| {
            // HEAD must have no body.
            let head = read_head(&connection);
            counted.fetch_add(1, Ordering::Relaxed);
            let answer = if head[0].starts_with("HEAD") {
                "HTTP/1.1 200 OK\r\nconnection: close\r\netag: \"e\"\r\ncontent-length: 100\r\n\r\n"
            } else {
                SLOW_DOWN
            };
            let _ = connection.write_all(answer.as_bytes());
        });
        let workspace = Workspace::new();
        let (from, to) = if source { (Some(&*endpoint), None) } else { (None, Some(&*endpoint)) };
        flights(&workspace, from, to, "max_attempts = 2\n");
        let run = workspace.sawmill(["run", "job.toml"]).run().exits_with(code);
        let _ = run.says(&["SlowDown", "tried 2 times", "engine.requests.max_attempts"]).helps();
        // The HEAD of an input succeeds.
        assert_eq!(asked.load(Ordering::Relaxed), 2 + u32::from(source));
    }
}

#[test]
fn a_budget_that_is_used_up_ends_the_retries() {
    let asked = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&asked);
    let endpoint = server(move |mut connection| {
        read_head(&connection);
        counted.fetch_add(1, Ordering::Relaxed);
        let _ = connection.write_all(SLOW_DOWN.as_bytes());
    });
    let workspace = Workspace::new();
    flights(&workspace, None, Some(&endpoint), "max_attempts = 9\nretry_budget = 1\nadaptive = false\n");
    let _ = workspace.sawmill(["run", "job.toml"]).run().exits_with(5).says(&["SlowDown"]).helps();
    assert_eq!(asked.load(Ordering::Relaxed), 2, "a try and the one retry of the budget");
}
