use super::*;

#[test]
fn each_verb_has_the_time_it_takes() {
    let spec = RequestsSpec::default();
    for (verb, one, all) in [
        (Verb::Small, 20, Some(60)),
        (Verb::List, 20, Some(60)),
        // 8 MiB at 64 KiB a second, on top.
        (Verb::Part(8 << 20), 20 + 128, None),
        (Verb::Complete, 600, None),
    ] {
        let timeouts = timeouts(&spec, verb);
        assert_eq!(timeouts.connect_timeout(), Some(Duration::from_secs(5)), "{verb:?}");
        assert_eq!(timeouts.operation_attempt_timeout(), Some(Duration::from_secs(one)), "{verb:?}");
        assert_eq!(timeouts.operation_timeout(), all.map(Duration::from_secs), "{verb:?}");
    }
}

#[test]
fn a_verb_without_a_total_time_takes_that_of_the_client_away() {
    let spec = RequestsSpec::default();
    let mut timeouts = timeouts(&spec, Verb::Complete);
    timeouts.take_defaults_from(&super::timeouts(&spec, Verb::Small));
    assert_eq!(timeouts.operation_timeout(), None);
}

#[test]
fn retries_are_those_of_the_job() {
    let spec = RequestsSpec { max_attempts: 7, adaptive: false, ..RequestsSpec::default() };
    let retries = retries(&spec);
    assert_eq!((retries.max_attempts(), retries.mode()), (7, aws_sdk_s3::config::retry::RetryMode::Standard));
    let retries = read_retries(&spec, 8 << 20);
    assert_eq!((retries.max_retries, retries.retry_timeout), (6, Duration::from_secs(60 + 128)));
    let waits = (retries.backoff.init_backoff, retries.backoff.max_backoff);
    assert_eq!(waits, (Duration::from_secs(1), Duration::from_secs(20)), "docs/s3.md");
    assert!(read_retries(&spec, 1 << 30).retry_timeout < Duration::from_secs(300), "credentials may expire");
}
