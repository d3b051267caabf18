//! How long is waited between two tries of a request to S3.
//!
//! The SDK draws its waits from zero on: five tries may be over within a second, and one in
//! five of them is within five. So the classifier here, which the SDK asks after each try
//! whether there should be another, says when, too.

use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use aws_smithy_types::retry::ErrorKind;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// The longest wait after the first try; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// The wait after this many tries: at random between the half and the whole of 1, 2, 4, 8, 16,
/// 20, 20 … seconds, so that those who failed together do not come back together. Five tries
/// take 7.5 s at least.
pub(crate) fn wait_after(tries: u32) -> Duration {
    let chance = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
    longest_after(tries).mul_f64(0.5 + chance / 2.0)
}

fn longest_after(tries: u32) -> Duration {
    FIRST_WAIT.saturating_mul(2_u32.saturating_pow(tries.saturating_sub(1))).min(LONGEST_WAIT)
}

/// Spaces the tries of one request. Where the SDK's adaptive limit says when, that holds.
#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The SDK asks once after each.
    tries: AtomicU32,
}

impl ClassifyRetry for Pace {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let tries = self.tries.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        match kind(context) {
            Some(kind) => RetryAction::retryable_error_with_explicit_delay(kind, wait_after(tries)),
            None => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "Pace"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// What the SDK's own classifiers make of a try that failed, as far as it depends on the network
/// or the status; `None` leaves it to them.
fn kind(context: &InterceptorContext) -> Option<ErrorKind> {
    let Some(Err(error)) = context.output_or_error() else { return None };
    if error.is_response_error() || error.is_timeout_error() {
        return Some(ErrorKind::TransientError);
    }
    if let Some(error) = error.as_connector_error() {
        let broken = error.is_timeout() || error.is_io();
        return if broken { Some(ErrorKind::TransientError) } else { error.as_other() };
    }
    let response = context.response()?;
    // The server may say when itself.
    if response.headers().get("x-amz-retry-after").is_some() {
        return None;
    }
    match response.status().as_u16() {
        // The adaptive limit has to hear of it.
        503 if says_slow_down(response.body().bytes().unwrap_or_default()) => {
            Some(ErrorKind::ThrottlingError)
        }
        500 | 502..=504 => Some(ErrorKind::TransientError),
        _ => None,
    }
}

fn says_slow_down(body: &[u8]) -> bool {
    let code = b"<Code>SlowDown</Code>";
    body.windows(code.len()).any(|window| window == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_about_one_second_to_twenty() {
        for (tries, longest) in [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 20), (90, 20)] {
            assert_eq!(longest_after(tries), Duration::from_secs(longest), "docs/s3.md");
            for _ in 0..100 {
                let wait = wait_after(tries);
                let range = longest_after(tries) / 2..=longest_after(tries);
                assert!(range.contains(&wait), "{tries} {wait:?}");
            }
        }
        let shortest: Duration = (1..5).map(|tries| longest_after(tries) / 2).sum();
        assert_eq!(shortest, Duration::from_millis(7_500), "five tries outlast five seconds; docs/s3.md");
    }

    #[test]
    fn the_code_of_the_answer_tells_slow_down() {
        assert!(says_slow_down(b"<Error><Code>SlowDown</Code></Error>"));
        assert!(!says_slow_down(b"<Error><Code>InternalError</Code><Message>SlowDown</Message></Error>"));
        assert!(!says_slow_down(b""));
    }
}
