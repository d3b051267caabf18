//! Errors of the SDK and of object_store → [`StoreFailure`], with a remedy.

pub use super::classify::classify_response;
pub use super::redact::redact;

use super::Role;
use super::redact::{causes, element};
use super::responses::{FailedResponse, Responses};
use super::unanswered::describe_unanswered;
pub use super::unanswered::{CredentialsProblem, describe_broken_body, describe_unread};
use crate::error::{Error, ErrorKind, StoreFailure, StoreReason};
use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::config_bag::ConfigBag;
use object_store::client::{HttpError, HttpErrorKind};
use std::error::Error as StdError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

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
    attempts: Attempts,
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
            attempts: Attempts::default(),
            begun: Instant::now(),
        }
    }

    /// Watches the SDK's tries; give it to the operation's `customize().interceptor`.
    pub fn attempts(&self) -> Attempts {
        self.attempts.clone()
    }

    /// Time since the first try began.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    /// The error of this request, with its remedy.
    pub fn failed<E>(&self, error: &SdkError<E, Response>) -> Error
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
    {
        // The time of all tries may end while it is waited for the next: what was answered is known.
        let failed = self.attempts.made().failed.clone();
        if let (SdkError::TimeoutError(_), Some(failed)) = (error, failed) {
            let code = failed.code.as_deref();
            let detail = format!("{failed}, and no time was left to retry");
            return self.error(classify_response(code, failed.status), code, detail);
        }
        let failed = self.error(classify(error), code(error).or(code_of_status(error)), describe(error));
        if let Some(problem) = CredentialsProblem::of(error) {
            return failed.remedy(problem.remedy(self.role));
        }
        match bucket_region(error) {
            Some(region) if region != self.region => {
                failed.remedy(format!("the bucket is in {region}: set {} to it", self.role.setting("region")))
            }
            _ => failed,
        }
    }

    /// The error of this request where the reason is known already.
    pub fn error(&self, reason: StoreReason, code: Option<&str>, detail: String) -> Error {
        let detail = with_permission(detail, reason, code, self.permission);
        let attempts = self.attempts.made().number;
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

/// The SDK's tries of a request.
#[derive(Debug, Clone, Default)]
pub struct Attempts(Arc<Mutex<Made>>);

#[derive(Debug, Default)]
struct Made {
    number: u32,
    /// How the last one was refused; `None` while it is under way, and if there was no response.
    failed: Option<FailedResponse>,
}

impl Attempts {
    fn made(&self) -> MutexGuard<'_, Made> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Attempts {
    fn name(&self) -> &'static str {
        "Attempts"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut made = self.made();
        made.number += 1;
        made.failed = None;
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let refused = context.response().filter(|answer| !answer.status().is_success());
        self.made().failed = refused.map(|answer| {
            let text = String::from_utf8_lossy(answer.body().bytes().unwrap_or_default());
            let part = |name| element(&text, name).map(str::to_owned);
            FailedResponse { status: answer.status().as_u16(), code: part("Code"), message: part("Message") }
        });
        Ok(())
    }
}

/// The one place that says what an SDK error means: [`classify_response`] if
/// there was an answer.
pub fn classify<E>(error: &SdkError<E, Response>) -> StoreReason
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    if let Some(reason) = classify_credentials_error(error) {
        return reason;
    }
    match error {
        SdkError::TimeoutError(_) => StoreReason::Unreachable,
        // Connections that break off while an answer is awaited are "other" to
        // the SDK, with a kind that says that it tries again.
        SdkError::DispatchFailure(failure)
            if failure.is_timeout() || failure.is_io() || failure.as_other().is_some() =>
        {
            StoreReason::Unreachable
        }
        SdkError::ServiceError(service) => {
            classify_response(service.err().code(), service.raw().status().as_u16())
        }
        // A success that breaks off or makes no sense: what happened to the
        // request is not known.
        SdkError::ResponseError(answer) if answer.raw().status().is_success() => StoreReason::Unreachable,
        SdkError::ResponseError(answer) => classify_response(None, answer.raw().status().as_u16()),
        _ => StoreReason::Other,
    }
}

/// The same for object_store, with what the server answered last.
pub fn classify_read(error: &object_store::Error, answers: &Responses) -> StoreReason {
    if let Some(reason) = classify_credentials_error(error) {
        return reason;
    }
    if let Some(failed) = answers.failed() {
        return classify_response(failed.code.as_deref(), failed.status);
    }
    let transport = causes(error).find_map(|cause| cause.downcast_ref::<HttpError>());
    match (error, transport.map(HttpError::kind)) {
        (_, Some(HttpErrorKind::Decode | HttpErrorKind::Unknown)) => StoreReason::Other,
        (_, Some(_)) => StoreReason::Unreachable,
        // Stores that are not watched, such as those of tests.
        (object_store::Error::NotFound { .. }, None) => StoreReason::NotFound,
        _ => StoreReason::Other,
    }
}

/// Looks for a failure of the credential chain among the causes of an error.
pub fn classify_credentials_error(error: &(dyn StdError + 'static)) -> Option<StoreReason> {
    causes(error).find_map(|cause| {
        let failure = cause.downcast_ref::<CredentialsError>()?;
        Some(match failure {
            CredentialsError::ProviderTimedOut(_) => StoreReason::Unreachable,
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

/// What a status means like a code of its own. Responses to HEAD have no body, and so no code.
fn code_of_status<E>(error: &SdkError<E, Response>) -> Option<&'static str> {
    match error.raw_response()?.status().as_u16() {
        301 => Some("PermanentRedirect"),
        307 => Some("TemporaryRedirect"),
        _ => None,
    }
}

/// Where the bucket is, as S3 says it of itself to whoever asks in the wrong place.
fn bucket_region<E>(error: &SdkError<E, Response>) -> Option<&str> {
    error.raw_response()?.headers().get("x-amz-bucket-region")
}

/// What a server said, for people.
pub(super) fn describe_response(code: Option<&str>, message: Option<&str>, status: u16) -> String {
    match (code, message) {
        (Some(code), Some(message)) => redact(&format!("{code}: {message} (status {status})")),
        (Some(code), None) => redact(&format!("{code} (status {status})")),
        // Responses to HEAD have no body and so no code.
        (None, _) => format!("the server answered with status {status}"),
    }
}

fn describe<E>(error: &SdkError<E, Response>) -> String
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    match error {
        SdkError::ServiceError(service) => {
            let (status, error_of) = (service.raw().status().as_u16(), service.err());
            match error_of.code() {
                // An answer that reports success and cannot be understood.
                None if status < 300 => describe_unanswered(error),
                code => describe_response(code, error_of.message(), status),
            }
        }
        other => describe_unanswered(other),
    }
}

/// Says in the message itself which permission is missing: callers have
/// remedies of their own, which take the place of that of the request.
pub fn with_permission(detail: String, reason: StoreReason, code: Option<&str>, permission: &str) -> String {
    match (reason, code) {
        (StoreReason::Denied, None | Some("AccessDenied")) => format!("{detail}; it takes {permission}"),
        _ => detail,
    }
}

/// What to do about a failure: which key of the job file, which permission.
pub fn remedy(role: Role, reason: StoreReason, code: Option<&str>, permission: &str) -> Option<String> {
    let key = |name| role.setting(name);
    let location = key("url");
    Some(match (reason, code) {
        (_, Some("NoSuchBucket")) => {
            format!("the bucket does not exist: check {location} and {}", key("endpoint"))
        }
        (
            _,
            Some(
                "PermanentRedirect"
                | "TemporaryRedirect"
                | "AuthorizationHeaderMalformed"
                | "IllegalLocationConstraintException",
            ),
        ) => {
            format!("the bucket is in another region: set {} to it", key("region"))
        }
        (_, Some("ExpiredToken" | "TokenRefreshRequired")) => {
            format!("the session has expired: sign in again (`aws sso login`), or set the AWS_* variables or {} to valid credentials", key("profile"))
        }
        (_, Some("RequestTimeTooSkewed")) => "this machine's clock is wrong: set it".to_owned(),
        (_, Some("InvalidAccessKeyId" | "SignatureDoesNotMatch" | "InvalidToken")) => {
            format!("the credentials are wrong: check {} and the AWS_* variables", key("profile"))
        }
        (_, Some(code)) if code.starts_with("KMS.") => format!(
            "check that the key of {} exists, is enabled and is in the region of the bucket, and grant \
             kms:GenerateDataKey and kms:Decrypt on it",
            key("encryption")
        ),
        (StoreReason::Denied, _) => format!(
            "grant {permission} to the credentials in use, or choose others with {}; with {}, the bucket must be \
             that account's",
            key("profile"),
            key("expected_bucket_owner")
        ),
        (StoreReason::NoCredentials, _) => format!(
            "no AWS credentials were found: set {}, the AWS_* variables, or run where a role is attached",
            key("profile")
        ),
        (StoreReason::Unreachable, _) => {
            format!("check the network, {} and {}, then run again", key("endpoint"), key("region"))
        }
        (StoreReason::Throttled, _) => {
            "the store is throttling requests: run again, with fewer runs at once or a larger \
             `engine.requests.max_attempts` in a job file"
                .to_owned()
        }
        (StoreReason::Conflict, _) => "another process is writing the same object: run again".to_owned(),
        (StoreReason::NotFound, _) => {
            format!("check {location}; without s3:ListBucket, S3 also hides objects that exist")
        }
        (_, Some("NotImplemented")) => {
            "the server lacks S3 features that sawmill needs: see \"What S3-compatible servers need\" in docs/commit.md"
                .to_owned()
        }
        (StoreReason::Other, None) => format!(
            "check that {} points to S3, that {} is the region of the bucket, and that the session has not expired",
            key("endpoint"),
            key("region")
        ),
        (StoreReason::Full, _) => "free space or raise the quota, then run again".to_owned(),
        _ => return None,
    })
}
