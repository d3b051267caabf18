//! A target on S3: staged files are multipart uploads that are not completed.
//!
//! An open upload is invisible to every reader, durable part by part, and can
//! be completed by another process that knows its id and parts, which is what
//! the commit needs. Nothing is ever copied or renamed.

use super::{
    Document, StagedFile, StagedPart, StagedWrite, Staging, Store, TargetIdentity, Visible, Written,
    is_hidden,
};
use crate::aws::failure::{self, Request};
use crate::aws::{Connection, Role, S3};
use crate::error::{Error, Result, StoreReason};
use crate::job::{Encryption, EngineSpec, TargetSpec};
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart,
    ServerSideEncryption,
};
use bytes::Bytes;
use std::ops::Range;
use std::sync::Arc;

/// Most parts of an upload:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
const MAX_PARTS: u32 = 10_000;

/// How often an object is asked for when its body breaks off.
const BODY_TRIES: u32 = 4;

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
        let rest = spec.url.strip_prefix("s3://").unwrap_or(&spec.url);
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(Error::usage(format!("`{}`: {:?} names no bucket", role.key("url"), spec.url))
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
            path_style: spec.path_style,
            profile: spec.profile.clone(),
        };
        let s3 = connection.s3(engine.part_bytes).await?;
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

    async fn look(&self, key: &str) -> Result<Option<Visible>> {
        let request = self.request("look for", key, "s3:GetObject and s3:ListBucket");
        let answer = self
            .s3
            .client
            .head_object()
            .bucket(&self.bucket)
            .key(self.path(key))
            .set_checksum_mode(self.checksum().map(|_| ChecksumMode::Enabled))
            .set_expected_bucket_owner(self.owner.clone())
            .customize()
            .interceptor(request.counter())
            .send()
            .await;
        match answer {
            Ok(object) => Ok(Some(Visible {
                bytes: object.content_length().unwrap_or(0).max(0) as u64,
                identity: object.metadata().and_then(|metadata| metadata.get(IDENTITY_KEY)).cloned(),
                crc64nvme: self
                    .checksum()
                    .and(object.checksum_crc64_nvme())
                    .filter(|_| object.checksum_type() == Some(&ChecksumType::FullObject))
                    .map(str::to_owned),
            })),
            Err(error) if failure::classify(&error) == StoreReason::NotFound => Ok(None),
            Err(error) => Err(request.failed(&error)),
        }
    }

    /// A GET, of the whole object or a range. The SDK repeats requests, not
    /// bodies that break off.
    async fn get(
        &self,
        operation: &'static str,
        key: &str,
        range: Option<String>,
    ) -> Result<Option<Document>> {
        let request = self.request(operation, key, "s3:GetObject and s3:ListBucket");
        let mut tries = 0;
        loop {
            let answer = self
                .s3
                .client
                .get_object()
                .bucket(&self.bucket)
                .key(self.path(key))
                .set_range(range.clone())
                .set_expected_bucket_owner(self.owner.clone())
                .customize()
                .interceptor(request.counter())
                .send()
                .await;
            let object = match answer {
                Ok(object) => object,
                // Without the bucket there is no object either, but that is a mistake.
                Err(error) if failure::code(&error) == Some("NoSuchKey") => return Ok(None),
                Err(error) => return Err(request.failed(&error)),
            };
            let tag = object.e_tag().unwrap_or_default().to_owned();
            tries += 1;
            match object.body.collect().await {
                Ok(body) => return Ok(Some(Document { body: body.into_bytes(), tag })),
                Err(error) if tries == BODY_TRIES => {
                    let detail = failure::chain_text(&error);
                    return Err(request.error(StoreReason::Unreachable, None, detail));
                }
                Err(error) => tracing::debug!(%error, key, "a body broke off and is asked for again"),
            }
        }
    }

    /// A PUT; `condition` adds to it.
    async fn put(
        &self,
        operation: &'static str,
        key: &str,
        body: Bytes,
        condition: impl FnOnce(PutObjectFluentBuilder) -> PutObjectFluentBuilder,
    ) -> Result<Written> {
        let request = self.request(operation, key, "s3:PutObject (and kms:GenerateDataKey with SSE-KMS)");
        let put = self
            .s3
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(self.path(key))
            .body(ByteStream::from(body))
            .set_checksum_algorithm(self.checksum())
            .set_server_side_encryption(self.encryption.clone())
            .set_ssekms_key_id(self.kms_key.clone())
            .set_expected_bucket_owner(self.owner.clone());
        match condition(put).customize().interceptor(request.counter()).send().await {
            Ok(_) => Ok(Written::Now),
            Err(error) if failure::classify(&error) == StoreReason::Exists => Ok(Written::Before),
            Err(error) => Err(request.failed(&error)),
        }
    }
}

fn is_of(found: &Visible, identity: &str) -> bool {
    found.identity.as_deref() == Some(identity)
}

/// Upload id, identity and parts.
fn upload_of(staged: &StagedFile) -> Result<(&str, &str, &[StagedPart])> {
    match &staged.staging {
        Staging::MultipartUpload { upload_id, identity, parts } => Ok((upload_id, identity, parts)),
        Staging::TemporaryFile { .. } | Staging::Absent => Err(Error::usage(format!(
            "{:?} was not staged on S3: the targets changed after it was staged",
            staged.key
        ))
        .remedy("commit with the `targets` that the tasks were run with")),
    }
}

#[async_trait::async_trait]
impl Store for S3Store {
    fn describe(&self) -> &TargetIdentity {
        &self.inner.identity
    }

    fn part_bytes(&self) -> usize {
        self.inner.part_bytes
    }

    async fn begin(&self, key: &str) -> Result<Box<dyn StagedWrite>> {
        let inner = &self.inner;
        let request =
            inner.request("begin an upload to", key, "s3:PutObject (and kms:GenerateDataKey with SSE-KMS)");
        let identity = super::random_suffix();
        let upload = inner
            .s3
            .client
            .create_multipart_upload()
            .bucket(&inner.bucket)
            .key(inner.path(key))
            .metadata(IDENTITY_KEY, &identity)
            .set_server_side_encryption(inner.encryption.clone())
            .set_ssekms_key_id(inner.kms_key.clone())
            .set_expected_bucket_owner(inner.owner.clone())
            .set_checksum_algorithm(inner.checksum())
            .set_checksum_type(inner.checksum().map(|_| ChecksumType::FullObject))
            .customize()
            .interceptor(request.counter())
            .send()
            .await
            .map_err(|error| request.failed(&error))?;
        match upload.upload_id() {
            Some(id) => Ok(Box::new(Upload {
                inner: Arc::clone(inner),
                key: key.to_owned(),
                upload_id: id.to_owned(),
                identity,
            })),
            None => Err(request.error(StoreReason::Other, None, "the answer holds no upload id".to_owned())),
        }
    }

    async fn complete(&self, staged: &StagedFile) -> Result<()> {
        let inner = &self.inner;
        let (upload_id, identity, parts) = upload_of(staged)?;
        let request = inner.request("complete the upload of", &staged.key, "s3:PutObject");
        let list = parts
            .iter()
            .map(|part| CompletedPart::builder().part_number(part.number as i32).e_tag(&part.etag).build())
            .collect();
        let answer = inner
            .s3
            .client
            .complete_multipart_upload()
            .bucket(&inner.bucket)
            .key(inner.path(&staged.key))
            .upload_id(upload_id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(list)).build())
            .set_checksum_crc64_nvme(
                inner.checksum().map(|_| staged.crc64nvme.clone()).filter(|c| !c.is_empty()),
            )
            .set_checksum_type(inner.checksum().map(|_| ChecksumType::FullObject))
            .set_expected_bucket_owner(inner.owner.clone())
            .customize()
            .interceptor(request.counter())
            .send()
            .await;
        let Err(error) = answer else { return Ok(()) };
        // The answer of a request that succeeded may be lost, and a repeated
        // one is told NoSuchUpload: only the object itself can say. Its size is
        // not enough: a run before this one may have left a file of the same.
        match inner.look(&staged.key).await {
            Ok(Some(found)) if is_of(&found, identity) && found.bytes == staged.bytes => Ok(()),
            Ok(Some(found)) if !is_of(&found, identity) && failure::code(&error) == Some("NoSuchUpload") => {
                let there = match found.identity {
                    Some(_) => "that of another upload",
                    None => "one that sawmill did not write",
                };
                let bytes = found.bytes;
                let detail =
                    format!("the upload is gone, and the object in its place ({bytes} bytes) is {there}");
                Err(request.error(StoreReason::Other, failure::code(&error), detail))
            }
            _ => Err(request.failed(&error)),
        }
    }

    async fn abort(&self, staged: &StagedFile) -> Result<()> {
        let inner = &self.inner;
        let (upload_id, ..) = upload_of(staged)?;
        let request = inner.request("abort the upload of", &staged.key, "s3:AbortMultipartUpload");
        let answer = inner
            .s3
            .client
            .abort_multipart_upload()
            .bucket(&inner.bucket)
            .key(inner.path(&staged.key))
            .upload_id(upload_id)
            .set_expected_bucket_owner(inner.owner.clone())
            .customize()
            .interceptor(request.counter())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if failure::code(&error) == Some("NoSuchUpload") => Ok(()),
            Err(error) => Err(request.failed(&error)),
        }
    }

    async fn put(&self, key: &str, body: Bytes) -> Result<()> {
        self.inner.put("write", key, body, |put| put).await.map(drop)
    }

    async fn create(&self, key: &str, body: Bytes) -> Result<Written> {
        self.inner.put("create", key, body, |put| put.if_none_match("*")).await
    }

    async fn replace(&self, key: &str, body: Bytes, read: Option<&Document>) -> Result<Written> {
        match read {
            None => self.create(key, body).await,
            Some(read) => self.inner.put("replace", key, body, |put| put.if_match(&read.tag)).await,
        }
    }

    async fn get(&self, key: &str) -> Result<Option<Document>> {
        self.inner.get("read", key, None).await
    }

    async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        match self.inner.get("read", key, Some(bytes)).await? {
            Some(part) => Ok(part.body),
            None => {
                let request = self.inner.request("read", key, "s3:GetObject and s3:ListBucket");
                Err(request.error(StoreReason::NotFound, None, "there is no such object".to_owned()))
            }
        }
    }

    async fn look(&self, key: &str) -> Result<Option<Visible>> {
        self.inner.look(key).await
    }

    async fn delete(&self, key: &str) -> Result<()> {
        let inner = &self.inner;
        let request = inner.request("remove", key, "s3:DeleteObject");
        inner
            .s3
            .client
            .delete_object()
            .bucket(&inner.bucket)
            .key(inner.path(key))
            .set_expected_bucket_owner(inner.owner.clone())
            .customize()
            .interceptor(request.counter())
            .send()
            .await
            .map(drop)
            .map_err(|error| request.failed(&error))
    }

    async fn list(&self, prefix: &str, limit: usize) -> Result<Vec<String>> {
        let inner = &self.inner;
        let request = inner.request("list", prefix, "s3:ListBucket");
        let mut keys = Vec::new();
        let mut token = None;
        while keys.len() < limit {
            let page = inner
                .s3
                .client
                .list_objects_v2()
                .bucket(&inner.bucket)
                .prefix(inner.path(prefix))
                .max_keys((limit - keys.len()).min(1_000) as i32)
                .set_continuation_token(token)
                .set_expected_bucket_owner(inner.owner.clone())
                .customize()
                .interceptor(request.counter())
                .send()
                .await
                .map_err(|error| request.failed(&error))?;
            let found = page.contents().iter().filter_map(|object| inner.relative(object.key()?));
            let found = found.filter(|key| !is_hidden(key));
            keys.extend(found.map(str::to_owned));
            match page.next_continuation_token() {
                Some(next) => token = Some(next.to_owned()),
                None => break,
            }
        }
        keys.truncate(limit);
        Ok(keys)
    }

    async fn list_documents(&self, prefix: &str, after: &str) -> Result<Vec<String>> {
        let inner = &self.inner;
        let request = inner.request("list", prefix, "s3:ListBucket");
        let mut pages = inner
            .s3
            .client
            .list_objects_v2()
            .bucket(&inner.bucket)
            .prefix(inner.path(prefix))
            .set_start_after((!after.is_empty()).then(|| inner.path(after)))
            .set_expected_bucket_owner(inner.owner.clone())
            .into_paginator()
            .send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| request.failed(&error))?;
            let found = page.contents().iter().filter_map(|object| inner.relative(object.key()?));
            keys.extend(found.map(str::to_owned));
        }
        Ok(keys)
    }

    async fn list_staged(&self, key: Option<&str>) -> Result<Vec<StagedFile>> {
        let inner = &self.inner;
        let request = inner.request("list the uploads under", "", "s3:ListBucketMultipartUploads");
        let mut staged = Vec::new();
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let page = inner
                .s3
                .client
                .list_multipart_uploads()
                .bucket(&inner.bucket)
                // Some servers answer for exact keys only, so one key is asked for as such.
                .prefix(key.map_or_else(|| inner.prefix.clone(), |key| inner.path(key)))
                .set_key_marker(key_marker)
                .set_upload_id_marker(id_marker)
                .set_expected_bucket_owner(inner.owner.clone())
                .customize()
                .interceptor(request.counter())
                .send()
                .await
                .map_err(|error| request.failed(&error))?;
            for upload in page.uploads() {
                let (Some(key), Some(upload_id)) =
                    (upload.key().and_then(|k| inner.relative(k)), upload.upload_id())
                else {
                    continue;
                };
                // Without parts: an upload is aborted by its id alone, and listing
                // them would take a request for each upload.
                let staging = Staging::MultipartUpload {
                    upload_id: upload_id.to_owned(),
                    identity: String::new(),
                    parts: Vec::new(),
                };
                let (key, crc64nvme) = (key.to_owned(), String::new());
                staged.push(StagedFile { key, bytes: 0, crc64nvme, staging });
            }
            if page.is_truncated() != Some(true) || page.next_key_marker().is_none() {
                return Ok(staged);
            }
            key_marker = page.next_key_marker().map(str::to_owned);
            id_marker = page.next_upload_id_marker().map(str::to_owned);
        }
    }

    async fn sweep_documents(&self) -> Result<()> {
        Ok(())
    }

    async fn check_access(&self) -> Result<()> {
        super::probe(self).await
    }
}

/// A multipart upload being written.
struct Upload {
    inner: Arc<Inner>,
    key: String,
    upload_id: String,
    identity: String,
}

#[async_trait::async_trait]
impl StagedWrite for Upload {
    async fn put_part(&self, number: u32, _offset: u64, body: Bytes) -> Result<StagedPart> {
        let inner = &self.inner;
        let request = inner.request(format!("upload part {number} of"), &self.key, "s3:PutObject");
        if number > MAX_PARTS {
            let detail =
                format!("an upload to S3 has at most {MAX_PARTS} parts of {} bytes", inner.part_bytes);
            let error = request.error(StoreReason::Other, None, detail);
            return Err(error.remedy("raise `engine.part_bytes` or lower `output.target_file_bytes`"));
        }
        let bytes = body.len() as u64;
        let operation = inner
            .s3
            .client
            .upload_part()
            .bucket(&inner.bucket)
            .key(inner.path(&self.key))
            .upload_id(&self.upload_id)
            .part_number(number as i32)
            .set_checksum_algorithm(inner.checksum())
            .set_expected_bucket_owner(inner.owner.clone())
            .body(ByteStream::from(body))
            .customize()
            .interceptor(request.counter());
        // TLS and the checksum guard the body; a SHA-256 of it for each target's
        // signature would be paid for nothing.
        let operation = if inner.s3.genuine { operation.disable_payload_signing() } else { operation };
        let answer = operation.send().await.map_err(|error| request.failed(&error))?;
        match answer.e_tag() {
            Some(etag) => Ok(StagedPart { number, bytes, etag: etag.to_owned() }),
            None => Err(request.error(StoreReason::Other, None, "the answer holds no entity tag".to_owned())),
        }
    }

    async fn seal(&self, parts: Vec<StagedPart>) -> Result<StagedFile> {
        // Every acknowledged part is durable already.
        let mut staged = self.handle();
        staged.bytes = parts.iter().map(|part| part.bytes).sum();
        if let Staging::MultipartUpload { parts: sealed, .. } = &mut staged.staging {
            *sealed = parts;
        }
        Ok(staged)
    }

    fn handle(&self) -> StagedFile {
        StagedFile {
            key: self.key.clone(),
            bytes: 0,
            crc64nvme: String::new(),
            staging: Staging::MultipartUpload {
                upload_id: self.upload_id.clone(),
                identity: self.identity.clone(),
                parts: Vec::new(),
            },
        }
    }
}

#[cfg(test)]
#[path = "s3_tests.rs"]
mod tests;
