//! A target on S3: staged files are multipart uploads that are not completed.
//!
//! An open upload is invisible to every reader, durable part by part, and can
//! be completed by another process that knows its id and parts, which is what
//! the commit needs. Nothing is ever copied or renamed.

mod listings;
mod objects;
mod uploads;

use super::{ObjectMeta, StagedWrite, StagingStore, Store, StoredDocument, TargetIdentity, WriteOutcome};
use crate::aws::failure::Request;
use crate::aws::{Connection, Role, S3};
use crate::documents::StagedFile;
use crate::error::{Error, Result};
use crate::spec::location::in_s3;
use crate::spec::{Encryption, EngineSpec, TargetSpec};
use aws_sdk_s3::types::{ChecksumAlgorithm, ServerSideEncryption};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

/// Metadata of an object that says which upload it came from.
const IDENTITY_KEY: &str = "sawmill-upload";

/// A table root on S3.
#[derive(Debug, Clone)]
pub struct S3Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    identity: TargetIdentity,
    role: Role,
    s3: S3,
    bucket: String,
    /// Empty, or ends in `/`.
    prefix: String,
    owner: Option<String>,
    encryption: Option<ServerSideEncryption>,
    kms_key: Option<String>,
    part_bytes: usize,
}

impl S3Store {
    /// Opens the target `spec`, the `position`th of the job (from 0). Makes no
    /// request to S3, but may ask the AWS chain for a region.
    ///
    /// # Errors
    /// A usage error for a URL without a bucket, a bad endpoint or no region.
    pub async fn open(spec: &TargetSpec, engine: &EngineSpec, position: usize) -> Result<Self> {
        let role = Role::Target(position);
        let (bucket, prefix) = in_s3(&spec.url).unwrap_or_default();
        if bucket.is_empty() {
            return Err(Error::usage(format!(
                "`{}`: {:?} does not name a bucket",
                role.key("url"),
                spec.url
            ))
            .remedy("a target on S3 looks like `s3://bucket/prefix/`"));
        }
        let mut prefix = prefix.to_owned();
        if !prefix.is_empty() && !prefix.ends_with('/') {
            prefix.push('/');
        }
        let connection = Connection {
            role,
            region: spec.region.clone(),
            endpoint: spec.endpoint.clone(),
            allow_http: spec.allow_http,
            path_style: spec.path_style,
            profile: spec.profile.clone(),
            owner: spec.expected_bucket_owner.clone(),
            requests: engine.requests.clone(),
        };
        let s3 = connection.s3().await?;
        let (encryption, kms_key) = match &spec.encryption {
            None => (None, None),
            Some(Encryption::S3) => (Some(ServerSideEncryption::Aes256), None),
            Some(Encryption::Kms) => (Some(ServerSideEncryption::AwsKms), None),
            Some(Encryption::KmsKey(key)) => (Some(ServerSideEncryption::AwsKms), Some(key.clone())),
        };
        let identity =
            TargetIdentity { url: format!("s3://{bucket}/{prefix}"), region: Some(s3.region.clone()) };
        let inner = Inner {
            identity,
            role,
            s3,
            bucket: bucket.to_owned(),
            prefix,
            owner: spec.expected_bucket_owner.clone(),
            encryption,
            kms_key,
            part_bytes: engine.part_bytes,
        };
        Ok(S3Store { inner: Arc::new(inner) })
    }
}

impl Inner {
    fn path(&self, key: &str) -> String {
        format!("{}{key}", self.prefix)
    }

    fn request(&self, operation: impl Into<String>, key: &str, permission: &'static str) -> Request {
        Request::new(self.role, operation, format!("{}{key}", self.identity.url), &self.s3.region, permission)
    }

    /// Key relative to the table root; `None` for what lies outside.
    fn relative<'k>(&self, key: &'k str) -> Option<&'k str> {
        key.strip_prefix(self.prefix.as_str()).filter(|key| !key.is_empty())
    }

    /// CRC64NVME is the one checksum that S3 makes of the whole object without
    /// those of all parts in the completing request. Servers that imitate S3 lag
    /// behind (some take it and give back another's value): they get what the
    /// SDK sends by default.
    fn checksum(&self) -> Option<ChecksumAlgorithm> {
        self.s3.genuine.then_some(ChecksumAlgorithm::Crc64Nvme)
    }
}

#[async_trait::async_trait]
impl StagingStore for S3Store {
    fn describe(&self) -> &TargetIdentity {
        &self.inner.identity
    }

    fn part_bytes(&self) -> usize {
        self.inner.part_bytes
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn StagedWrite>> {
        let upload = uploads::MultipartUpload::begin(&self.inner, key).await?;
        Ok(Box::new(upload))
    }

    async fn abort(&self, staged: &StagedFile) -> Result<()> {
        self.inner.abort(staged).await
    }
}

#[async_trait::async_trait]
impl Store for S3Store {
    async fn complete(&self, staged: &StagedFile) -> Result<()> {
        self.inner.complete(staged).await
    }

    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        self.inner.put("write", key, body, |put| put).await.map(drop)
    }

    async fn create(&self, key: &str, body: Bytes) -> Result<WriteOutcome> {
        self.inner.put("create", key, body, |put| put.if_none_match("*")).await
    }

    async fn replace(&self, key: &str, body: Bytes, read: Option<&StoredDocument>) -> Result<WriteOutcome> {
        match read {
            None => self.create(key, body).await,
            Some(read) => self.inner.put("replace", key, body, |put| put.if_match(&read.tag)).await,
        }
    }

    async fn get(&self, key: &str) -> Result<Option<StoredDocument>> {
        self.inner.get("read", key, None).await
    }

    async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        self.inner.read(key, range).await
    }

    async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
        self.inner.head(key).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        self.inner.delete(key).await
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<String>> {
        self.inner.list(prefix, limit).await
    }

    async fn list_documents(&self, prefix: &str, after: &str) -> Result<Vec<String>> {
        self.inner.list_documents(prefix, after).await
    }

    async fn list_staged(&self, key: Option<&str>) -> Result<Vec<StagedFile>> {
        self.inner.list_staged(key).await
    }
}

#[cfg(test)]
mod tests;
