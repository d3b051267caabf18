//! Connections to S3, with what the job says of each place.

use super::{credentials, pace};
use crate::aws::{RequestClass, failure, responses, retry};
use crate::error::{Error, Result};
use crate::spec::{ACCOUNT_REMEDY, RequestsSpec};
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Who asks: names the keys of the job file in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// `source.*`
    Source,
    /// `targets[n].*`, from 0.
    Target(usize),
}

impl Role {
    /// The dotted key, such as `targets[0].region`.
    pub fn key(self, key: &str) -> String {
        format!("{self}.{key}")
    }

    /// The key as messages name it, see [`wording`](crate::error::wording).
    pub fn setting(self, key: &str) -> String {
        let (inputs, key) = match (self, key) {
            (Role::Source, "url") => (true, "inputs"),
            _ => (false, key),
        };
        let flag = match key {
            _ if inputs => "convert: the input",
            "url" => "--output",
            "region" => "--region",
            "endpoint" => "--endpoint",
            "profile" => "convert: AWS_PROFILE",
            // That of the job file; without one a bucket may have its own.
            "encryption" => "convert: the bucket",
            _ => return format!("`{}` in a job file", self.key(key)),
        };
        format!("`{}` ({flag})", self.key(key))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Role::Source => f.write_str("source"),
            Role::Target(position) => write!(f, "targets[{position}]"),
        }
    }
}

/// How one side of a job reaches S3, as the job file says it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Connection {
    /// Which side.
    pub role: Role,
    /// Region; the chain's if absent.
    pub region: Option<String>,
    /// URL of an S3-compatible server; AWS if absent.
    pub endpoint: Option<String>,
    /// Whether it may be reached without encryption though it is another machine.
    pub allow_http: bool,
    /// Whether buckets are addressed as `endpoint/bucket`; true for an endpoint if absent.
    pub path_style: Option<bool>,
    /// Profile of the AWS configuration files.
    pub profile: Option<String>,
    /// Account that must own the bucket.
    pub owner: Option<String>,
    /// How often it is asked, and how long it is waited for.
    pub requests: RequestsSpec,
}

/// A client for targets and listings, with the region it signs for.
#[derive(Debug, Clone)]
pub struct S3 {
    /// The SDK's client; clones share connections.
    pub client: aws_sdk_s3::Client,
    /// The region, for messages and reports.
    pub region: String,
    /// Whether this is AWS itself, over TLS, and not a server that imitates it.
    pub genuine: bool,
    /// How often it is asked, and how long it is waited for.
    pub requests: RequestsSpec,
}

impl S3 {
    /// The time that a request of this class has, and the waits between its tries, for the
    /// `config_override` of one request.
    pub fn time_for(&self, class: RequestClass) -> aws_sdk_s3::config::Builder {
        aws_sdk_s3::Config::builder()
            .timeout_config(retry::timeouts(&self.requests, class))
            .retry_classifier(pace::Pace::default())
    }

    /// The time that all tries of a request of this class have.
    pub fn time_for_all(&self, class: RequestClass) -> Duration {
        retry::times(&self.requests, class).all
    }

    /// The time that the body of an answer has, from its head to its last byte.
    pub fn time_for_body(&self, bytes: usize) -> Duration {
        retry::body_time(&self.requests, bytes)
    }
}

/// What [`Connection`] comes to once the environment has had its say.
struct Resolved {
    sdk: SdkConfig,
    region: String,
    endpoint: Option<String>,
    path_style: bool,
}

/// Loading the chain may ask IMDS or an SSO cache, so it is done once for each
/// (profile, region) of the process. The lock is held while loading, so that
/// targets opened at the same time do not load it twice.
static SDK_CONFIGS: tokio::sync::Mutex<Vec<(ChainKey, SdkConfig)>> =
    tokio::sync::Mutex::const_new(Vec::new());

type ChainKey = (Option<String>, Option<String>);

/// One reader for each bucket, size of a range and connection: a job may have ten
/// thousand inputs in one bucket, which should share connections and credentials.
static READERS: Mutex<Option<Readers>> = Mutex::new(None);

type Readers = HashMap<(Connection, String, usize), Arc<AmazonS3>>;

impl Connection {
    /// A client of the AWS SDK.
    ///
    /// # Errors
    /// A usage error for a missing region or an endpoint that is not a URL or
    /// not encrypted.
    pub async fn s3(&self) -> Result<S3> {
        let resolved = self.resolve().await?;
        let config = aws_sdk_s3::config::Builder::from(&resolved.sdk)
            .region(Region::new(resolved.region.clone()))
            .force_path_style(resolved.path_style);
        let mut config = retry::with_retries(config, &self.requests, self.role.to_string());
        if let Some(endpoint) = &resolved.endpoint {
            config = config.endpoint_url(endpoint);
        }
        Ok(S3 {
            client: aws_sdk_s3::Client::from_conf(config.build()),
            region: resolved.region,
            genuine: resolved.endpoint.is_none(),
            requests: self.requests.clone(),
        })
    }

    /// An object_store client that reads from a bucket. `fetch_bytes` is the
    /// largest range it will ask for.
    ///
    /// # Errors
    /// As [`Connection::s3`].
    pub async fn reader(&self, bucket: &str, fetch_bytes: usize) -> Result<Arc<AmazonS3>> {
        let key = (self.clone(), bucket.to_owned(), fetch_bytes);
        let known = {
            let readers = READERS.lock().unwrap_or_else(PoisonError::into_inner);
            readers.as_ref().and_then(|readers| readers.get(&key)).map(Arc::clone)
        };
        if let Some(reader) = known {
            return Ok(reader);
        }
        let resolved = self.resolve().await?;
        let mut options = retry::read_options(&self.requests, fetch_bytes);
        if let Some(owner) = &self.owner {
            // object_store has no setting for it, but signs headers that it is given.
            let header = HashMap::from([("x-amz-expected-bucket-owner".to_owned(), owner.clone())]);
            let headers = (&header).try_into().map_err(|_| {
                let key = self.role.key("expected_bucket_owner");
                Error::usage(format!("`{key}`: {owner:?} is not an account ID")).remedy(ACCOUNT_REMEDY)
            })?;
            options = options.with_default_headers(headers);
        }
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&resolved.region)
            .with_virtual_hosted_style_request(!resolved.path_style)
            .with_client_options(options)
            .with_retry(retry::read_retries(&self.requests, fetch_bytes))
            .with_http_connector(responses::Watching)
            .with_credentials(Arc::new(credentials::ChainCredentials::new(
                resolved.sdk.credentials_provider(),
            )));
        if let Some(endpoint) = &resolved.endpoint {
            // object_store takes the endpoint of a virtual-hosted bucket with
            // the bucket's name in it.
            let endpoint = match (resolved.path_style, endpoint.split_once("://")) {
                (false, Some((scheme, host))) => format!("{scheme}://{bucket}.{host}"),
                _ => endpoint.clone(),
            };
            builder = builder.with_allow_http(endpoint.starts_with("http:")).with_endpoint(endpoint);
        }
        let reader = builder.build().map_err(|error| {
            Error::usage(format!("cannot read s3://{bucket}: {}", failure::redact(&error.to_string())))
                .remedy(format!(
                    "check {} and {}",
                    self.role.setting("endpoint"),
                    self.role.setting("region")
                ))
        })?;
        let reader = Arc::new(reader);
        let mut readers = READERS.lock().unwrap_or_else(PoisonError::into_inner);
        readers.get_or_insert_default().insert(key, Arc::clone(&reader));
        Ok(reader)
    }

    async fn resolve(&self) -> Result<Resolved> {
        if let Some(endpoint) = &self.endpoint {
            self.check_endpoint(endpoint, &self.role.setting("endpoint"))?;
        }
        let sdk = self.chain().await;
        let endpoint = match &self.endpoint {
            Some(endpoint) => Some(endpoint.trim_end_matches('/').to_owned()),
            None => endpoint_of_chain(&sdk),
        };
        if let (None, Some(of_chain)) = (&self.endpoint, &endpoint) {
            self.check_endpoint(of_chain, "`AWS_ENDPOINT_URL`")?;
        }
        let region = match (&self.region, sdk.region(), &endpoint) {
            (Some(region), _, _) => region.clone(),
            (None, Some(region), _) => region.to_string(),
            // A server of one's own has to be signed for, but seldom cares for which region.
            (None, None, Some(_)) => "us-east-1".to_owned(),
            (None, None, None) => {
                let region = self.role.setting("region");
                return Err(Error::usage(format!("no AWS region is known for `{}`", self.role))
                    .remedy(format!("set {region}, or AWS_REGION, or `region` in the AWS profile")));
            }
        };
        let path_style = self.path_style.unwrap_or(endpoint.is_some());
        Ok(Resolved { sdk, region, endpoint, path_style })
    }

    /// Checks that an endpoint is a URL, and encrypted unless it is on this machine
    /// or the job allows it. `key` names where it comes from in the message.
    ///
    /// # Errors
    /// A usage error.
    fn check_endpoint(&self, endpoint: &str, key: &str) -> Result<()> {
        let example = "an endpoint looks like `https://storage.example.com` or `http://127.0.0.1:9000`";
        let refuse = |what: String| Err(Error::usage(format!("{key}: {what}")).remedy(example));
        let url = match url::Url::parse(endpoint) {
            Ok(url) => url,
            Err(error) => return refuse(format!("{endpoint:?} is not a URL: {error}")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse("the URL holds a user name or password".to_owned());
        }
        let loopback = match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => return refuse(format!("{endpoint:?} does not name a host")),
        };
        match url.scheme() {
            "https" => Ok(()),
            "http" if loopback || self.allow_http => Ok(()),
            "http" => Err(Error::usage(format!(
                "{key}: {endpoint:?} is not encrypted; plain http is allowed for this machine only"
            ))
            .remedy(format!(
                "use https in {key}; for a server in a private network use `{} = true` in a job file",
                self.role.key("allow_http")
            ))),
            other => refuse(format!("the scheme {other:?} is neither http nor https")),
        }
    }

    async fn chain(&self) -> SdkConfig {
        // With an endpoint and no region the chain is still asked: AWS_REGION counts there too.
        let key = (self.profile.clone(), self.region.clone());
        let mut configs = SDK_CONFIGS.lock().await;
        if let Some((_, config)) = configs.iter().find(|(known, _)| *known == key) {
            return config.clone();
        }
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(profile) = &self.profile {
            loader = loader.profile_name(profile);
        }
        if let Some(region) = &self.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let mut config = loader.load().await;
        if let Some(profile) = &self.profile {
            // Of the chain, the environment would win: a job that names a profile means it.
            let provider = ProviderConfig::without_region().with_region(config.region().cloned());
            let provider =
                ProfileFileCredentialsProvider::builder().configure(&provider).profile_name(profile);
            let provider = SharedCredentialsProvider::new(provider.build());
            config = config.into_builder().credentials_provider(provider).build();
        }
        configs.push((key, config.clone()));
        config
    }
}

/// `AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL` or the profile's `endpoint_url`:
/// the SDK obeys them by itself, object_store has to be told.
fn endpoint_of_chain(sdk: &SdkConfig) -> Option<String> {
    let key = aws_types::service_config::ServiceConfigKey::builder()
        .service_id("S3")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build()
        .ok()?;
    let of_service = sdk.service_config().and_then(|config| config.load_config(key));
    of_service.or_else(|| sdk.endpoint_url().map(str::to_owned)).map(|e| e.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests;
