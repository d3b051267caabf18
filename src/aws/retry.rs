//! `engine.requests` of the job file → settings of the two clients.
//!
//! Retries, their budget and the adaptive limit are the SDK's own; a partition
//! for each client keeps a bucket that is throttled from slowing down another.

use super::pace;
use crate::spec::RequestsSpec;
use aws_sdk_s3::config::retry::{ClientRateLimiter, RetryConfig, RetryPartition, TokenBucket};
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, StalledStreamProtectionConfig};
use object_store::ClientOptions;
use std::time::{Duration, SystemTime};

/// Tokens of the SDK's bucket that a retry takes; a request that succeeds at
/// once gives one back. The SDK's own figure, for errors of every kind.
const RETRY_TOKENS: u32 = 5;

/// Time that a GET of a range has over all tries, at most: object_store
/// repeats the signature of the first, which S3 takes for 15 minutes but which
/// credentials may not outlive, see `credentials::RENEW_BEFORE_EXPIRY`.
const LONGEST_READ: Duration = Duration::from_secs(240);

/// Waits of object_store between tries of a read: the first is this long, each later one is
/// drawn between it and three times the one before. Its own begin at 0.1 s, and five tries are
/// over within 1.6 s: a shorter blip than most. These take 6 s at least.
const READ_BACKOFF: object_store::BackoffConfig = object_store::BackoffConfig {
    init_backoff: Duration::from_millis(1_500),
    max_backoff: pace::LONGEST_WAIT,
    base: 3.0,
};

/// What a request does, as far as it decides how long it may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestClass {
    /// Sends and gets little, and should be answered at once: HEAD, GET and PUT of a document,
    /// the beginning or abort of an upload, a removal.
    Small,
    /// Looks through a prefix.
    List,
    /// Sends this many bytes.
    Part(usize),
    /// Puts the parts of an upload together.
    Complete,
}

/// A client's settings, for requests that are [`RequestClass::Small`]. `name` is for logs.
pub(crate) fn with_retries(config: Builder, spec: &RequestsSpec, name: String) -> Builder {
    config
        .retry_config(retries(spec))
        .retry_partition(partition(spec, name))
        .timeout_config(timeouts(spec, RequestClass::Small))
        // Bodies that stand still for so long are given up, in either direction.
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled().grace_period(read_time(spec)).build(),
        )
}

/// How often the SDK tries a request.
fn retries(spec: &RequestsSpec) -> RetryConfig {
    let mode = if spec.adaptive { RetryConfig::adaptive() } else { RetryConfig::standard() };
    mode.with_max_attempts(spec.max_attempts)
}

/// A budget and a limit that no other client shares.
fn partition(spec: &RequestsSpec, name: String) -> RetryPartition {
    let tokens = TokenBucket::builder()
        .capacity(spec.retry_budget as usize * RETRY_TOKENS as usize)
        .retry_cost(RETRY_TOKENS)
        .throttling_retry_cost(RETRY_TOKENS)
        .timeout_retry_cost(RETRY_TOKENS)
        .build();
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    RetryPartition::custom(name)
        .token_bucket(tokens)
        .client_rate_limiter(ClientRateLimiter::new(now.as_secs_f64()))
        .build()
}

/// The time of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// One try, from its first byte sent to the last of its answer's head; connections are opened
    /// within it.
    pub(super) one: Duration,
    /// All tries and the waits between them: a region that takes connections and answers nothing
    /// holds no request longer.
    pub(super) all: Duration,
}

/// The time of each class.
pub(super) fn times(spec: &RequestsSpec, class: RequestClass) -> Times {
    let (read, small) = (read_time(spec), seconds(spec.small_timeout_seconds));
    match class {
        RequestClass::Small => Times { one: read, all: small },
        RequestClass::List => {
            let one = seconds(spec.list_timeout_seconds);
            Times { one, all: one.max(small) }
        }
        RequestClass::Part(bytes) => {
            let transfer = transfer_time(spec, bytes);
            Times { one: read + transfer, all: small + transfer }
        }
        RequestClass::Complete => {
            let one = seconds(spec.complete_timeout_seconds);
            Times { one, all: one.max(small) }
        }
    }
}

/// The same as the SDK takes it.
pub(super) fn timeouts(spec: &RequestsSpec, class: RequestClass) -> TimeoutConfig {
    let Times { one, all } = times(spec, class);
    TimeoutConfig::builder()
        .connect_timeout(seconds(spec.connect_timeout_seconds))
        .operation_attempt_timeout(one)
        .operation_timeout(all)
        .build()
}

/// The same for object_store, which reads ranges of up to `fetch_bytes`. It has
/// no budget and slows down by its own wait between tries only.
pub(super) fn read_options(spec: &RequestsSpec, fetch_bytes: usize) -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(seconds(spec.connect_timeout_seconds))
        .with_read_timeout(read_time(spec))
        .with_timeout(read_time(spec) + transfer_time(spec, fetch_bytes))
}

/// How often object_store tries a read.
pub(super) fn read_retries(spec: &RequestsSpec, fetch_bytes: usize) -> object_store::RetryConfig {
    object_store::RetryConfig {
        max_retries: spec.max_attempts.saturating_sub(1) as usize,
        retry_timeout: range_time(spec, fetch_bytes),
        backoff: READ_BACKOFF,
    }
}

/// How long a range of an input may take, over all tries and resumptions.
pub(crate) fn range_time(spec: &RequestsSpec, fetch_bytes: usize) -> Duration {
    times(spec, RequestClass::Part(fetch_bytes)).all.min(LONGEST_READ)
}

/// How long the body of an answer may take.
pub(super) fn body_time(spec: &RequestsSpec, bytes: usize) -> Duration {
    read_time(spec) + transfer_time(spec, bytes)
}

fn read_time(spec: &RequestsSpec) -> Duration {
    seconds(spec.read_timeout_seconds)
}

fn transfer_time(spec: &RequestsSpec, bytes: usize) -> Duration {
    seconds(bytes as u64 / spec.slowest_bytes_per_second.max(1))
}

/// A day is for ever here, and sums of them do not overflow.
fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds.min(24 * 60 * 60))
}

#[cfg(test)]
#[path = "retry_tests.rs"]
mod tests;
