//! Objects that are visible: small ones written and read whole, and removed.

use super::{IDENTITY_KEY, Inner};
use crate::aws::{RequestClass, failure, wait_after};
use crate::error::{Result, StoreReason};
use crate::store::{ObjectMeta, StoredDocument, WriteOutcome};
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use bytes::Bytes;
use std::ops::Range;
use std::time::Duration;

/// Wait after the first 409; longer after each further one.
const CONFLICT_PAUSE: Duration = Duration::from_millis(100);

impl Inner {
    pub(super) async fn head(&self, key: &str) -> Result<Option<ObjectMeta>> {
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
            .config_override(self.s3.time_for(RequestClass::Small))
            .interceptor(request.attempts())
            .send()
            .await;
        match answer {
            Ok(object) => Ok(Some(ObjectMeta {
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
    pub(super) async fn get(
        &self,
        operation: &'static str,
        key: &str,
        range: Option<String>,
    ) -> Result<Option<StoredDocument>> {
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
                .config_override(self.s3.time_for(RequestClass::Small))
                .interceptor(request.attempts())
                .send()
                .await;
            let object = match answer {
                Ok(object) => object,
                // Without the bucket there is no object either, but that is a mistake.
                Err(error) if failure::code(&error) == Some("NoSuchKey") => return Ok(None),
                Err(error) => return Err(request.failed(&error)),
            };
            let tag = object.e_tag().unwrap_or_default().to_owned();
            // The SDK's timeouts end with the head of the answer.
            let bytes = object.content_length().unwrap_or_default();
            let time = self.s3.time_for_body(usize::try_from(bytes).unwrap_or_default());
            let all = self.s3.time_for_all(RequestClass::Part(usize::try_from(bytes).unwrap_or_default()));
            let time = time.min(all.saturating_sub(request.elapsed()));
            let broke_off = match tokio::time::timeout(time, object.body.collect()).await {
                Ok(Ok(body)) => return Ok(Some(StoredDocument { body: body.into_bytes(), tag })),
                Ok(Err(error)) => failure::describe_broken_body(&error),
                Err(_) => "the rest of it did not arrive in time".to_owned(),
            };
            tries += 1;
            let wait = wait_after(tries);
            if tries >= self.s3.requests.max_attempts || request.elapsed() + wait >= all {
                return Err(request.error(StoreReason::Unreachable, None, broke_off));
            }
            tokio::time::sleep(wait).await;
        }
    }

    pub(super) async fn read(&self, key: &str, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let bytes = format!("bytes={}-{}", range.start, range.end - 1);
        match self.get("read", key, Some(bytes)).await? {
            Some(part) => Ok(part.body),
            None => {
                let request = self.request("read", key, "s3:GetObject and s3:ListBucket");
                Err(request.error(StoreReason::NotFound, None, "there is no such object".to_owned()))
            }
        }
    }

    /// A PUT; `condition` adds to it. 409 says that somebody is writing the key at
    /// this moment: soon it will be told who was first.
    pub(super) async fn put(
        &self,
        operation: &'static str,
        key: &str,
        body: Bytes,
        condition: impl Fn(PutObjectFluentBuilder) -> PutObjectFluentBuilder,
    ) -> Result<WriteOutcome> {
        let request = self.request(operation, key, "s3:PutObject (and kms:GenerateDataKey with SSE-KMS)");
        let mut tries = 0;
        loop {
            let put = self
                .s3
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(self.path(key))
                .body(ByteStream::from(body.clone()))
                .set_checksum_algorithm(self.checksum())
                .set_server_side_encryption(self.encryption.clone())
                .set_ssekms_key_id(self.kms_key.clone())
                .set_expected_bucket_owner(self.owner.clone());
            let put = condition(put).customize().config_override(self.s3.time_for(RequestClass::Small));
            let Err(error) = put.interceptor(request.attempts()).send().await else {
                return Ok(WriteOutcome::Created);
            };
            tries += 1;
            match failure::classify(&error) {
                StoreReason::Exists => return Ok(WriteOutcome::AlreadyExists),
                StoreReason::Conflict
                    if tries < self.s3.requests.max_attempts
                        && request.elapsed() < self.s3.time_for_all(RequestClass::Small) =>
                {
                    tokio::time::sleep(CONFLICT_PAUSE * tries).await;
                }
                _ => return Err(request.failed(&error)),
            }
        }
    }

    pub(super) async fn delete(&self, key: &str) -> Result<()> {
        let request = self.request("remove", key, "s3:DeleteObject");
        self.s3
            .client
            .delete_object()
            .bucket(&self.bucket)
            .key(self.path(key))
            .set_expected_bucket_owner(self.owner.clone())
            .customize()
            .config_override(self.s3.time_for(RequestClass::Small))
            .interceptor(request.attempts())
            .send()
            .await
            .map(drop)
            .map_err(|error| request.failed(&error))
    }
}
