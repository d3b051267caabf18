use super::*;

#[test]
fn each_class_of_request_has_a_time_for_one_try_and_for_all() {
    let spec = RequestsSpec::default();
    // 8 MiB at 64 KiB a second take 128 s. The table of docs/reliability.md.
    for (class, one, all) in [
        (RequestClass::Small, 20, 60),
        (RequestClass::List, 20, 60),
        (RequestClass::Part(8 << 20), 20 + 128, 60 + 128),
        (RequestClass::Complete, 600, 600),
    ] {
        let timeouts = timeouts(&spec, class);
        assert_eq!(timeouts.connect_timeout(), Some(Duration::from_secs(5)), "{class:?}");
        assert_eq!(timeouts.operation_attempt_timeout(), Some(Duration::from_secs(one)), "{class:?}");
        assert_eq!(timeouts.operation_timeout(), Some(Duration::from_secs(all)), "{class:?}");
    }
    assert_eq!(range_time(&spec, 8 << 20), Duration::from_secs(60 + 128));
}

#[test]
fn all_tries_have_no_less_time_than_one() {
    let spec =
        RequestsSpec { list_timeout_seconds: 90, complete_timeout_seconds: 7, ..RequestsSpec::default() };
    for class in
        [RequestClass::Small, RequestClass::List, RequestClass::Part(1 << 30), RequestClass::Complete]
    {
        let Times { one, all } = times(&spec, class);
        assert!(one <= all, "{class:?}");
    }
}

#[test]
fn retries_are_those_of_the_job() {
    let spec = RequestsSpec { max_attempts: 7, adaptive: false, ..RequestsSpec::default() };
    let retries = retries(&spec);
    assert_eq!((retries.max_attempts(), retries.mode()), (7, aws_sdk_s3::config::retry::RetryMode::Standard));
    let retries = read_retries(&spec, 8 << 20);
    assert_eq!((retries.max_retries, retries.retry_timeout), (6, Duration::from_secs(60 + 128)));
    let waits = (retries.backoff.init_backoff, retries.backoff.max_backoff);
    assert_eq!(waits, (Duration::from_millis(1_500), Duration::from_secs(20)), "docs/s3.md");
    let shortest = retries.backoff.init_backoff * (RequestsSpec::default().max_attempts - 1);
    assert!(shortest > Duration::from_secs(5), "five tries outlast five seconds");
    assert!(read_retries(&spec, 1 << 30).retry_timeout < Duration::from_secs(300), "credentials may expire");
}
