//! Which operation of S3 a request is.

use super::http::Request;
use std::fmt;

/// An operation, by the names of the API reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    CreateMultipartUpload,
    UploadPart,
    CompleteMultipartUpload,
    AbortMultipartUpload,
    ListMultipartUploads,
    ListParts,
    PutObject,
    GetObject,
    HeadObject,
    DeleteObject,
    DeleteObjects,
    ListObjectsV2,
    /// One that sawmill has no use for.
    Other,
}

impl Operation {
    /// This operation on keys that hold `part`, such as `"/_SUCCESS"`.
    pub(crate) fn of(self, part: impl Into<String>) -> Matching {
        Matching { operation: Some(self), part: part.into() }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Which requests something is about.
#[derive(Debug, Clone)]
pub(crate) struct Matching {
    operation: Option<Operation>,
    /// Of the key; empty for all.
    part: String,
}

impl Matching {
    /// Every request.
    pub(crate) fn any() -> Matching {
        Matching { operation: None, part: String::new() }
    }

    pub(super) fn holds(&self, operation: Operation, key: &str) -> bool {
        self.operation.is_none_or(|wanted| wanted == operation) && key.contains(&self.part)
    }
}

impl From<Operation> for Matching {
    fn from(operation: Operation) -> Matching {
        operation.of("")
    }
}

/// Operation, bucket and key of a request to `/bucket/key`, which is how an
/// endpoint of a job file is asked.
pub(super) fn classify(request: &Request) -> (Operation, String, String) {
    use Operation::*;
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let path = path.trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let asks = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let copies = request.headers.get("x-amz-copy-source").is_some();
    let operation = match (request.method.as_str(), key.is_empty()) {
        ("GET", true) if asks("uploads") => ListMultipartUploads,
        ("GET", true) if query.contains("list-type=2") => ListObjectsV2,
        ("POST", true) if asks("delete") => DeleteObjects,
        ("POST", false) if asks("uploads") => CreateMultipartUpload,
        ("POST", false) if asks("uploadId") => CompleteMultipartUpload,
        ("PUT", false) if asks("uploadId") && !copies => UploadPart,
        ("PUT", false) if !copies && !asks("tagging") && !asks("acl") => PutObject,
        ("GET", false) if asks("uploadId") => ListParts,
        ("GET", false) => GetObject,
        ("HEAD", false) => HeadObject,
        ("DELETE", false) if asks("uploadId") => AbortMultipartUpload,
        ("DELETE", false) => DeleteObject,
        _ => Other,
    };
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    (operation, decoded(bucket), decoded(key))
}
