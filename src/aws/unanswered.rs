//! What is said of a request that came to no answer of S3, in words for people.
//!
//! The SDK, object_store and the HTTP libraries below wrap a cause in several layers
//! whose texts name their own parts ("dispatch failure: io error: client error
//! (Connect)"), or print structures. Said is what happened, and the innermost causes.

use super::Role;
use super::redact::{causes, redact};
use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::ErrorMetadata;
use object_store::client::HttpError;
use std::error::Error as StdError;

/// Texts of layers that say nothing of the cause.
const LAYERS: [&str; 15] = [
    "HTTP error: error sending request",
    "client error (Connect)",
    "client error (SendRequest)",
    "dispatch failure",
    "error sending request",
    "failed to construct request",
    "io error",
    "other",
    "request has timed out",
    "response error",
    "service error",
    "timeout",
    "unexpected credentials error",
    "unhandled error",
    "user error",
];

/// The causes of an error without the layers around them, outermost first.
fn words(error: &(dyn StdError + 'static)) -> String {
    let mut words = Vec::<String>::new();
    // A provider of credentials may stand behind another.
    for cause in causes(error).filter(|cause| !cause.is::<CredentialsError>()) {
        let text = match cause.downcast_ref::<ErrorMetadata>() {
            // Of another service, such as STS; displayed, it is a dump.
            Some(answer) => match (answer.code(), answer.message()) {
                (Some(code), Some(message)) => format!("{code}: {message}"),
                (Some(one), None) | (None, Some(one)) => one.to_owned(),
                (None, None) => continue,
            },
            None => cause.to_string(),
        };
        let text = text.trim_start_matches("ProfileFile provider could not be built: ").trim();
        // "unhandled error (AccessDenied)": the code follows with its message.
        let is_layer =
            LAYERS.contains(&text) || text.starts_with("unhandled error (") || text.contains(" { ");
        if !is_layer && !text.is_empty() && !words.iter().any(|said| said.contains(text)) {
            words.push(text.to_owned());
        }
    }
    words.join(": ")
}

fn told(what: &str, causes: &str) -> String {
    redact(&if causes.is_empty() { what.to_owned() } else { format!("{what}: {causes}") })
}

/// What is said of an error of the SDK, unless S3 itself has said what is wrong.
pub(super) fn describe_unanswered<E>(error: &SdkError<E, Response>) -> String
where
    E: StdError + Send + Sync + 'static,
{
    if let Some(problem) = CredentialsProblem::of(error) {
        return problem.detail;
    }
    match error {
        SdkError::TimeoutError(_) => told("there was no response in time", ""),
        SdkError::DispatchFailure(_) => told("there was no response", &words(error)),
        SdkError::ResponseError(_) => told("the response was cut short", &words(error)),
        SdkError::ServiceError(answer) => {
            // The cause is a dump of what stood there instead of the XML that was expected.
            let status = answer.raw().status().as_u16();
            told(&format!("the response is not from S3, or incomplete (status {status})"), "")
        }
        other => told("the request could not be made", &words(other)),
    }
}

/// The same of an error of object_store.
pub fn describe_unread(error: &object_store::Error) -> String {
    if let Some(problem) = CredentialsProblem::of(error) {
        return problem.detail;
    }
    match causes(error).find(|cause| cause.is::<HttpError>()).and_then(StdError::source) {
        Some(transport) => told("there was no response", &words(transport)),
        None => match error.source() {
            Some(cause) => told("the response cannot be used", &words(cause)),
            None => told("the response cannot be used", &words(error)),
        },
    }
}

/// What is said of the body of an answer that ends too early.
pub fn describe_broken_body(error: &(dyn StdError + 'static)) -> String {
    told("the response was cut short", &words(error))
}

/// Why there are no credentials to sign a request with.
#[derive(Debug)]
pub struct CredentialsProblem<'e> {
    error: &'e CredentialsError,
    /// What is wrong.
    pub detail: String,
}

impl CredentialsProblem<'_> {
    /// Looks for a failure of the credential chain among the causes of an error.
    pub fn of<'e>(error: &'e (dyn StdError + 'static)) -> Option<CredentialsProblem<'e>> {
        let error = causes(error).find_map(|cause| cause.downcast_ref::<CredentialsError>())?;
        Some(CredentialsProblem { error, detail: describe_credentials(error) })
    }

    /// What to do about it.
    pub fn remedy(&self, role: Role) -> String {
        let profile = role.setting("profile");
        match self.error {
            CredentialsError::CredentialsNotLoaded(_) => {
                format!("set {profile} or the AWS_* variables, or run where a role is attached")
            }
            CredentialsError::InvalidConfiguration(_) => format!(
                "correct ~/.aws/config and ~/.aws/credentials, or choose another profile with {profile}"
            ),
            _ => format!(
                "sign in again (`aws sso login`) if the profile uses SSO; otherwise check the profile of \
                 {profile}, or the role of this machine: `aws sts get-caller-identity` has to \
                 succeed"
            ),
        }
    }
}

/// A failure of the credential chain, for people.
pub(super) fn describe_credentials(error: &CredentialsError) -> String {
    let causes = error.source().map(words).unwrap_or_default();
    match error {
        CredentialsError::CredentialsNotLoaded(_) => told("there are no AWS credentials", ""),
        CredentialsError::InvalidConfiguration(_) => {
            told("the AWS credentials are not configured properly", &causes)
        }
        CredentialsError::ProviderTimedOut(_) => told("the AWS credentials did not arrive in time", ""),
        _ => told("the AWS credentials could not be loaded", &causes),
    }
}
