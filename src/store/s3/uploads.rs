//! Staged files: multipart uploads that are not completed.

use super::{IDENTITY_KEY, Inner};
use crate::aws::RequestClass;
use crate::aws::failure::{self, Request};
use crate::documents::{StagedFile, StagedPart, Staging};
use crate::error::count::count;
use crate::error::{Error, Result, StoreReason};
use crate::store::target::random_suffix;
use crate::store::{ObjectMeta, StagedWrite};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumType, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use md5::{Digest, Md5};
use std::sync::Arc;

/// Most parts of an upload:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>.
const MAX_PARTS: u32 = 10_000;

/// How often a part is sent that does not arrive as it was.
const CHANGED_TRIES: usize = 3;

impl Inner {
    pub(super) async fn complete(&self, staged: &StagedFile) -> Result<()> {
        let (upload_id, identity, parts) = upload_of(staged)?;
        let request = self.request("complete the upload of", &staged.key, "s3:PutObject");
        let list = parts
            .iter()
            .map(|part| CompletedPart::builder().part_number(part.number as i32).e_tag(&part.etag).build())
            .collect();
        let answer = self
            .s3
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(self.path(&staged.key))
            .upload_id(upload_id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(list)).build())
            .set_checksum_crc64_nvme(
                self.checksum().map(|_| staged.crc64nvme.clone()).filter(|c| !c.is_empty()),
            )
            .set_checksum_type(self.checksum().map(|_| ChecksumType::FullObject))
            .set_expected_bucket_owner(self.owner.clone())
            .customize()
            .config_override(self.s3.time_for(RequestClass::Complete))
            .interceptor(request.attempts())
            .send()
            .await;
        let Err(error) = answer else { return Ok(()) };
        // The response of a completion that succeeded may be lost; the SDK's retry then gets
        // NoSuchUpload, so only a HEAD of the object tells. Its size is not enough: an earlier run
        // may have left a file of the same size.
        match self.head(&staged.key).await {
            Ok(Some(found)) if is_of(&found, identity) && found.bytes == staged.bytes => Ok(()),
            Ok(Some(found)) if !is_of(&found, identity) && failure::code(&error) == Some("NoSuchUpload") => {
                let there = match found.identity {
                    Some(_) => "that of another upload",
                    None => "one that sawmill did not write",
                };
                let bytes = count(found.bytes, "byte");
                let detail = format!("the upload is gone, and the object in its place ({bytes}) is {there}");
                Err(request.error(StoreReason::Other, failure::code(&error), detail))
            }
            _ => Err(request.failed(&error)),
        }
    }

    pub(super) async fn abort(&self, staged: &StagedFile) -> Result<()> {
        let (upload_id, ..) = upload_of(staged)?;
        let request = self.request("abort the upload of", &staged.key, "s3:AbortMultipartUpload");
        let answer = self
            .s3
            .client
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(self.path(&staged.key))
            .upload_id(upload_id)
            .set_expected_bucket_owner(self.owner.clone())
            .customize()
            .config_override(self.s3.time_for(RequestClass::Small))
            .interceptor(request.attempts())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error) if failure::code(&error) == Some("NoSuchUpload") => Ok(()),
            Err(error) => Err(request.failed(&error)),
        }
    }

    pub(super) async fn list_staged(&self, key: Option<&str>) -> Result<Vec<StagedFile>> {
        let request = self.request("list the uploads under", "", "s3:ListBucketMultipartUploads");
        let mut staged = Vec::new();
        let (mut key_marker, mut id_marker) = (None, None);
        loop {
            let page = self
                .s3
                .client
                .list_multipart_uploads()
                .bucket(&self.bucket)
                // Some servers answer for exact keys only, so one key is asked for as such.
                .prefix(key.map_or_else(|| self.prefix.clone(), |key| self.path(key)))
                .set_key_marker(key_marker)
                .set_upload_id_marker(id_marker)
                .set_expected_bucket_owner(self.owner.clone())
                .customize()
                .config_override(self.s3.time_for(RequestClass::List))
                .interceptor(request.attempts())
                .send()
                .await
                .map_err(|error| request.failed(&error))?;
            for upload in page.uploads() {
                let (Some(key), Some(upload_id)) =
                    (upload.key().and_then(|k| self.relative(k)), upload.upload_id())
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
}

/// A multipart upload being written.
pub(super) struct MultipartUpload {
    inner: Arc<Inner>,
    key: String,
    upload_id: String,
    identity: String,
}

impl MultipartUpload {
    pub(super) async fn begin(inner: &Arc<Inner>, key: &str) -> Result<MultipartUpload> {
        let request =
            inner.request("begin an upload to", key, "s3:PutObject (and kms:GenerateDataKey with SSE-KMS)");
        let identity = random_suffix();
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
            .config_override(inner.s3.time_for(RequestClass::Small))
            .interceptor(request.attempts())
            .send()
            .await
            .map_err(|error| request.failed(&error))?;
        match upload.upload_id() {
            Some(id) => Ok(MultipartUpload {
                inner: Arc::clone(inner),
                key: key.to_owned(),
                upload_id: id.to_owned(),
                identity,
            }),
            None => Err(request.error(StoreReason::Other, None, "the response has no upload ID".to_owned())),
        }
    }
}

impl MultipartUpload {
    /// Sends a part, and gives its entity tag.
    async fn send(&self, request: &Request, number: u32, body: Bytes) -> Result<String> {
        let (inner, bytes) = (&self.inner, body.len());
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
            .config_override(inner.s3.time_for(RequestClass::Part(bytes)))
            .interceptor(request.attempts());
        // TLS and the checksum guard the body; a SHA-256 of it for each target's
        // signature would be paid for nothing.
        let operation = if inner.s3.genuine { operation.disable_payload_signing() } else { operation };
        let answer = operation.send().await.map_err(|error| request.failed(&error))?;
        let no_tag = || request.error(StoreReason::Other, None, "the response has no entity tag".to_owned());
        answer.e_tag().map(str::to_owned).ok_or_else(no_tag)
    }
}

impl Inner {
    /// What the entity tag of a part should be. AWS checks the checksum that comes with
    /// a part; some servers that imitate it check nothing, but give its MD5 as they all do
    /// for parts that they do not encrypt.
    fn md5_of(&self, body: &[u8]) -> Option<String> {
        let tells = !self.s3.genuine && self.encryption.is_none();
        tells.then(|| hex::encode(Md5::digest(body)))
    }
}

fn is_md5(etag: &str) -> bool {
    let tag = etag.trim_matches('"');
    tag.len() == 32 && tag.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[async_trait::async_trait]
impl StagedWrite for MultipartUpload {
    async fn put_part(&self, number: u32, _offset: u64, body: Bytes) -> Result<StagedPart> {
        let inner = &self.inner;
        let request = inner.request(format!("upload part {number} of"), &self.key, "s3:PutObject");
        if number > MAX_PARTS {
            let detail =
                format!("an upload to S3 has at most {MAX_PARTS} parts of {} bytes", inner.part_bytes);
            let error = request.error(StoreReason::Other, None, detail);
            return Err(
                error.remedy("raise `engine.part_bytes` or lower `output.target_file_bytes` in a job file")
            );
        }
        let bytes = body.len() as u64;
        let expected = inner.md5_of(&body);
        let mut tags = Vec::new();
        loop {
            let etag = self.send(&request, number, body.clone()).await?;
            let differs = expected.as_ref().is_some_and(|md5| is_md5(&etag) && etag.trim_matches('"') != md5);
            // A server whose tags are not MD5s gives the same one each time.
            if !differs || (tags.len() + 1 == CHANGED_TRIES && tags.iter().all(|tag| *tag == etag)) {
                return Ok(StagedPart { number, bytes, etag });
            }
            tags.push(etag);
            if tags.len() == CHANGED_TRIES {
                let detail = "what arrives there differs from what was sent".to_owned();
                return Err(request.error(StoreReason::Other, None, detail));
            }
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

fn is_of(found: &ObjectMeta, identity: &str) -> bool {
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
        .remedy("commit with the `targets` of the job file that the tasks were run with")),
    }
}
