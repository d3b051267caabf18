//! SDK errors → [`StoreFailure`], by code and status, with a remedy.

use super::Role;
use crate::error::{Error, ErrorKind, StoreFailure, StoreReason};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::config_bag::ConfigBag;
use std::error::Error as StdError;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// One request about to be made: what a failure of it will say.
#[derive(Debug)]
pub struct Request {
    /// Whose keys the remedy names.
    pub role: Role,
    /// A verb with its object: "list", "upload part 3 of".
    pub operation: String,
    /// The object or bucket.
    pub url: String,
    /// Region the request is signed for.
    pub region: String,
    /// What the request needs, such as `s3:PutObject`.
    pub permission: &'static str,
    attempts: AttemptCount,
    begun: Instant,
}

impl Request {
    /// Starts the clock of a request.
    pub fn new(
        role: Role,
        operation: impl Into<String>,
        url: String,
        region: &str,
        permission: &'static str,
    ) -> Self {
        Request {
            role,
            operation: operation.into(),
            url,
            region: region.to_owned(),
            permission,
            attempts: AttemptCount::default(),
            begun: Instant::now(),
        }
    }

    /// Counts the SDK's tries; give it to the operation's `customize().interceptor`.
    pub fn counter(&self) -> AttemptCount {
        self.attempts.clone()
    }

    /// The error of this request, with its remedy.
    pub fn failed<E>(&self, error: &SdkError<E, Response>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        self.error(classify(error), code(error), describe(error))
    }

    /// The error of this request where the reason is known already.
    pub fn error(&self, reason: StoreReason, code: Option<&str>, detail: String) -> Error {
        let attempts = self.attempts.0.load(Ordering::Relaxed);
        let failure = StoreFailure {
            operation: self.operation.clone(),
            url: self.url.clone(),
            region: Some(self.region.clone()),
            attempts: (attempts > 0).then_some(attempts),
            elapsed: Some(self.begun.elapsed()),
            reason,
            detail,
        };
        let error = Error::new(match self.role {
            Role::Source => ErrorKind::Source(failure),
            Role::Target(_) => ErrorKind::Target(failure),
        });
        match remedy(self.role, reason, code, self.permission) {
            Some(remedy) => error.remedy(remedy),
            None => error,
        }
    }
}

/// How often the SDK tried a request.
#[derive(Debug, Clone, Default)]
pub struct AttemptCount(Arc<AtomicU32>);

impl Intercept for AttemptCount {
    fn name(&self) -> &'static str {
        "AttemptCount"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// The one place that says what an SDK error means. By code and status, never
/// by message text, which differs between S3 and its imitations.
pub fn classify<E>(error: &SdkError<E, Response>) -> StoreReason
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    if let Some(reason) = reason_of_credentials(error) {
        return reason;
    }
    match error {
        SdkError::TimeoutError(_) => StoreReason::Unreachable,
        SdkError::DispatchFailure(failure) if failure.is_timeout() || failure.is_io() => {
            StoreReason::Unreachable
        }
        SdkError::ServiceError(service) => {
            reason_of_answer(service.err().code(), service.raw().status().as_u16())
        }
        SdkError::ResponseError(answer) => reason_of_answer(None, answer.raw().status().as_u16()),
        _ => StoreReason::Other,
    }
}

fn reason_of_answer(code: Option<&str>, status: u16) -> StoreReason {
    match code.unwrap_or_default() {
        "NoSuchKey" | "NoSuchBucket" | "NoSuchUpload" | "NotFound" => return StoreReason::NotFound,
        "QuotaExceeded" | "XMinioStorageFull" | "XMinioAdminBucketQuotaExceeded" => return StoreReason::Full,
        "PreconditionFailed" => return StoreReason::Exists,
        "AccessDenied"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "RequestTimeTooSkewed"
        | "KMS.DisabledException" => return StoreReason::Denied,
        "SlowDown" | "ServiceUnavailable" | "InternalError" | "RequestTimeout" => {
            return StoreReason::Unreachable;
        }
        _ => {}
    }
    match status {
        404 => StoreReason::NotFound,
        401 | 403 => StoreReason::Denied,
        412 => StoreReason::Exists,
        507 => StoreReason::Full,
        408 | 429 | 500 | 502 | 503 | 504 => StoreReason::Unreachable,
        _ => StoreReason::Other,
    }
}

/// Looks for a failure of the credential chain among the causes of an error.
pub fn reason_of_credentials(error: &(dyn StdError + 'static)) -> Option<StoreReason> {
    causes(error).find_map(|cause| {
        let failure = cause.downcast_ref::<CredentialsError>()?;
        Some(match failure {
            CredentialsError::ProviderTimedOut(_) => StoreReason::Unreachable,
            CredentialsError::ProviderError(_) => StoreReason::Denied,
            _ => StoreReason::NoCredentials,
        })
    })
}

/// The code of the answer, if there was one.
pub fn code<E: ProvideErrorMetadata>(error: &SdkError<E, Response>) -> Option<&str> {
    match error {
        SdkError::ServiceError(service) => service.err().code(),
        _ => None,
    }
}

fn describe<E>(error: &SdkError<E, Response>) -> String
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let status = service.raw().status().as_u16();
            match (service.err().code(), service.err().message()) {
                (Some(code), Some(message)) => redact(&format!("{code}: {message} (status {status})")),
                (Some(code), None) => redact(&format!("{code} (status {status})")),
                // An answer that reports success and cannot be understood.
                (None, _) if status < 300 => redact(&chain_text(error)),
                // Answers to HEAD have no body and so no code.
                (None, _) => format!("the server answered with status {status}"),
            }
        }
        other => redact(&chain_text(other)),
    }
}

/// An error and its causes, outermost first.
fn causes<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let this = next?;
        next = this.source();
        Some(this)
    })
}

/// The text of an error with its causes, outermost first.
pub fn chain_text(error: &(dyn StdError + 'static)) -> String {
    let mut text = String::new();
    for cause in causes(error) {
        let part = cause.to_string();
        if !text.contains(&part) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&part);
        }
    }
    text
}

/// What to do about a failure: which key of the job file, which permission.
pub fn remedy(role: Role, reason: StoreReason, code: Option<&str>, permission: &str) -> Option<String> {
    let key = |name| role.key(name);
    let location = match role {
        Role::Source => "source.inputs".to_owned(),
        Role::Target(_) => role.key("url"),
    };
    Some(match (reason, code) {
        (_, Some("NoSuchBucket")) => {
            format!("the bucket does not exist: check `{location}` and `{}`", key("endpoint"))
        }
        (
            _,
            Some("PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException"),
        ) => {
            format!("the bucket is in another region: set `{}` to it", key("region"))
        }
        (_, Some("ExpiredToken" | "TokenRefreshRequired")) => {
            "the session has expired: sign in again (`aws sso login`), or use a role that renews itself"
                .to_owned()
        }
        (_, Some("RequestTimeTooSkewed")) => "this machine's clock is wrong: set it".to_owned(),
        (_, Some("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken")) => {
            format!("the credentials are wrong: check `{}` and the AWS_* variables", key("profile"))
        }
        (StoreReason::Denied, _) => format!(
            "grant {permission} to the credentials in use, or choose others with `{}`{}",
            key("profile"),
            match role {
                Role::Source => String::new(),
                Role::Target(_) =>
                    format!("; with `{}`, the bucket must be that account's", key("expected_bucket_owner")),
            }
        ),
        (StoreReason::NoCredentials, _) => format!(
            "no AWS credentials were found: set `{}`, the AWS_* variables, or run where a role is attached",
            key("profile")
        ),
        (StoreReason::Unreachable, _) => {
            format!("check the network, `{}` and `{}`, then run again", key("endpoint"), key("region"))
        }
        (StoreReason::NotFound, _) => {
            format!("check `{location}`; without s3:ListBucket S3 also hides what is there")
        }
        (StoreReason::Full, _) => "free space or raise the quota, then run again".to_owned(),
        _ => return None,
    })
}

/// Characters of a message that are kept.
const SHOWN: usize = 400;

/// Takes signatures, credentials and query strings out of a message, reduces an
/// XML answer to its code and message, and cuts what is too long.
pub fn redact(text: &str) -> String {
    if let Some(code) = element(text, "Code") {
        let message = element(text, "Message").unwrap_or_default();
        return shorten(&if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") });
    }
    let mut clean = String::with_capacity(text.len());
    for (n, word) in text.split(' ').enumerate() {
        if n > 0 {
            clean.push(' ');
        }
        let secret =
            ["X-Amz-", "Signature=", "Credential=", "AWSAccessKeyId="].iter().any(|mark| word.contains(mark));
        match word.find(['?', '=']) {
            Some(cut) if secret => {
                clean.push_str(&word[..=cut]);
                clean.push('…');
                clean.push_str(&word[word.trim_end_matches([',', ';', ')', '"']).len()..]);
            }
            _ => clean.push_str(word),
        }
    }
    shorten(&clean)
}

fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let begin = text.find(&format!("<{name}>"))? + name.len() + 2;
    let length = text[begin..].find(&format!("</{name}>"))?;
    Some(&text[begin..begin + length])
}

fn shorten(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text.to_owned(),
    }
}
