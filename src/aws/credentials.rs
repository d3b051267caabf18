//! The AWS SDK's chain of credentials behind object_store's trait.
//!
//! object_store's own chain knows neither profiles nor SSO, and a job that can
//! write but not read is hard to explain.

use super::unanswered::describe_credentials;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::Mutex;

/// Credentials are renewed this long before they expire. object_store retries a
/// GET with the signature of its first try, so they have to outlive its retries.
const RENEW_BEFORE_EXPIRY: Duration = Duration::from_secs(300);

/// The chain, with the last credentials kept until shortly before they expire:
/// a provider of the SDK does not cache, and IMDS and STS throttle.
#[derive(Debug)]
pub(super) struct ChainCredentials {
    provider: Option<SharedCredentialsProvider>,
    last: Mutex<Option<(Credentials, Arc<AwsCredential>)>>,
}

impl ChainCredentials {
    pub(super) fn new(provider: Option<SharedCredentialsProvider>) -> Self {
        ChainCredentials { provider, last: Mutex::new(None) }
    }

    async fn load(&self) -> Result<Credentials, CredentialsError> {
        match &self.provider {
            Some(provider) => provider.provide_credentials().await,
            None => Err(CredentialsError::not_loaded("the AWS configuration has no credentials provider")),
        }
    }
}

fn outlives(credentials: &Credentials, margin: Duration) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + margin)
}

#[async_trait::async_trait]
impl CredentialProvider for ChainCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        // Held while loading, so that concurrent GETs ask the chain once.
        let mut last = self.last.lock().await;
        if let Some((credentials, signed)) = &*last
            && outlives(credentials, RENEW_BEFORE_EXPIRY)
        {
            return Ok(Arc::clone(signed));
        }
        match self.load().await {
            Ok(credentials) => {
                let signed = Arc::new(AwsCredential {
                    key_id: credentials.access_key_id().to_owned(),
                    secret_key: credentials.secret_access_key().to_owned(),
                    token: credentials.session_token().map(str::to_owned),
                });
                *last = Some((credentials, Arc::clone(&signed)));
                Ok(signed)
            }
            // Renewal failed, but the old ones still hold.
            Err(error) => match &*last {
                Some((credentials, signed)) if outlives(credentials, Duration::ZERO) => {
                    let error = describe_credentials(&error);
                    tracing::warn!(
                        error,
                        "the AWS credentials could not be renewed: they are kept until they expire, and renewal is retried"
                    );
                    Ok(Arc::clone(signed))
                }
                _ => Err(object_store::Error::Generic { store: "S3", source: Box::new(error) }),
            },
        }
    }
}
