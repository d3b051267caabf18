//! What the answer of a server means: the one table, for the SDK, for
//! object_store and for whoever comes next.

use crate::error::StoreReason;

/// What an answer that is not a success means, by its code (the `Code` of the XML
/// body; HEAD has none) and its status. Never by its message, which differs
/// between S3 and its imitations and holds keys, which may be called anything.
///
/// Codes: "Error responses" in the S3 API reference, and MinIO's of its own.
pub fn classify_response(code: Option<&str>, status: u16) -> StoreReason {
    match code.unwrap_or_default() {
        "NoSuchBucket" => StoreReason::NoBucket,
        "NoSuchKey" | "NoSuchUpload" | "NoSuchVersion" | "NotFound" => StoreReason::NotFound,
        "QuotaExceeded" | "XMinioStorageFull" | "XMinioAdminBucketQuotaExceeded" => StoreReason::Full,
        "PreconditionFailed" => StoreReason::Exists,
        "ConditionalRequestConflict" | "OperationAborted" => StoreReason::Conflict,
        "AccessDenied"
        | "AllAccessDisabled"
        | "AccountProblem"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "ExpiredToken"
        | "InvalidToken"
        | "TokenRefreshRequired"
        | "RequestTimeTooSkewed" => StoreReason::Denied,
        // S3 hands on what KMS says of the key, whatever the status.
        code if code.starts_with("KMS.") => StoreReason::Denied,
        "SlowDown"
        | "TooManyRequests"
        | "TooManyRequestsException"
        | "Throttling"
        | "ThrottlingException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded" => StoreReason::Throttled,
        "ServiceUnavailable" | "InternalError" | "RequestTimeout" => StoreReason::Unreachable,
        // A conflict with how the bucket is set up, which stays as it is.
        "InvalidBucketState" | "BucketAlreadyExists" | "BucketAlreadyOwnedByYou" => StoreReason::Other,
        _ => classify_status(status),
    }
}

/// For answers without a code, or with one that says nothing new.
fn classify_status(status: u16) -> StoreReason {
    match status {
        404 => StoreReason::NotFound,
        401 | 403 => StoreReason::Denied,
        409 => StoreReason::Conflict,
        412 => StoreReason::Exists,
        429 => StoreReason::Throttled,
        507 => StoreReason::Full,
        // 503 too: to HEAD it may mean either, and "try later" is right for both.
        408 | 500 | 502 | 503 | 504 => StoreReason::Unreachable,
        _ => StoreReason::Other,
    }
}

#[cfg(test)]
#[path = "classify_tests.rs"]
mod tests;
