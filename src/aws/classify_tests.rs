use super::*;

#[test]
fn every_answer_has_its_meaning() {
    use StoreReason::*;
    for (code, status, expected) in [
        // Codes win over the status.
        ("NoSuchKey", 404, NotFound),
        ("NoSuchBucket", 404, NoBucket),
        ("NoSuchUpload", 404, NotFound),
        ("NoSuchVersion", 404, NotFound),
        ("NotFound", 404, NotFound),
        ("QuotaExceeded", 403, Full),
        ("XMinioStorageFull", 507, Full),
        ("XMinioAdminBucketQuotaExceeded", 400, Full),
        ("PreconditionFailed", 412, Exists),
        ("ConditionalRequestConflict", 409, Conflict),
        ("OperationAborted", 409, Conflict),
        ("AccessDenied", 403, Denied),
        ("AllAccessDisabled", 403, Denied),
        ("AccountProblem", 403, Denied),
        ("InvalidAccessKeyId", 403, Denied),
        ("SignatureDoesNotMatch", 403, Denied),
        ("ExpiredToken", 400, Denied),
        ("InvalidToken", 400, Denied),
        ("TokenRefreshRequired", 400, Denied),
        ("RequestTimeTooSkewed", 403, Denied),
        ("KMS.DisabledException", 400, Denied),
        ("KMS.NotFoundException", 400, Denied),
        ("SlowDown", 503, Throttled),
        // A 200 whose body says that it failed after all.
        ("SlowDown", 200, Throttled),
        ("InternalError", 200, Unreachable),
        ("TooManyRequests", 429, Throttled),
        ("TooManyRequestsException", 400, Throttled),
        ("Throttling", 400, Throttled),
        ("ThrottlingException", 400, Throttled),
        ("RequestLimitExceeded", 503, Throttled),
        ("BandwidthLimitExceeded", 503, Throttled),
        ("ServiceUnavailable", 503, Unreachable),
        ("InternalError", 500, Unreachable),
        ("RequestTimeout", 400, Unreachable),
        ("InvalidBucketState", 409, Other),
        ("BucketAlreadyExists", 409, Other),
        ("BucketAlreadyOwnedByYou", 409, Other),
        // Codes that say nothing new.
        ("EntityTooSmall", 400, Other),
        ("PermanentRedirect", 301, Other),
        ("SomethingNew", 403, Denied),
        ("SomethingNew", 500, Unreachable),
        // Words in them are not looked for.
        ("NotSlowDown", 400, Other),
        ("slowdown", 400, Other),
    ] {
        assert_eq!(classify_response(Some(code), status), expected, "{code} {status}");
    }
    for (status, expected) in [
        (301, Other),
        (400, Other),
        (401, Denied),
        (403, Denied),
        (404, NotFound),
        (405, Other),
        (408, Unreachable),
        (409, Conflict),
        (412, Exists),
        (416, Other),
        (429, Throttled),
        (500, Unreachable),
        (501, Other),
        (502, Unreachable),
        (503, Unreachable),
        (504, Unreachable),
        (507, Full),
    ] {
        assert_eq!(classify_response(None, status), expected, "{status}");
        assert_eq!(classify_response(Some(""), status), expected, "{status}");
    }
}
