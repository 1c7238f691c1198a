//! What AWS's codes mean: S3's "List of error codes", "Common Errors" of the other services, SQS's and STS's actions.

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The credentials themselves: they are got anew.
    Credentials(&'static str),
    /// The credentials are good, and not for this.
    Denied,
    /// The settings, or what they name: no event would be taken.
    Settings(&'static str),
    /// Too much at once.
    Throttled,
    /// Over at the next try, though the status is one of the caller's fault.
    Transient,
    /// This event is too large.
    TooLarge,
    /// This event, for another reason.
    Event,
}

const KEY: Meaning = Meaning::Credentials("AWS_ACCESS_KEY_ID is not known there");
const SECRET: Meaning = Meaning::Credentials("AWS_SECRET_ACCESS_KEY does not belong to AWS_ACCESS_KEY_ID");
const EXPIRED: Meaning =
    Meaning::Credentials("the credentials have expired, see AWS_SESSION_TOKEN if it is set");
const IDENTITY: Meaning = Meaning::Credentials("the token of AWS_WEB_IDENTITY_TOKEN_FILE is refused");
const MISSING: Meaning = Meaning::Settings("what ARN names does not exist there");
const REGION: Meaning = Meaning::Settings("it is in another region than ARN or AWS_REGION says");
const CLOCK: Meaning = Meaning::Settings("this machine's clock is wrong");
const ENCRYPTION: Meaning = Meaning::Settings("the encryption key of what ARN names cannot be used");

/// Codes that mean something of their own; `AWS.SimpleQueueService.` is cut off before.
const CODES: &[(&str, Meaning)] = &[
    ("InvalidClientTokenId", KEY),
    ("InvalidAccessKeyId", KEY),
    ("UnrecognizedClientException", KEY),
    ("UnrecognizedClient", KEY),
    ("XAdminUserNotFound", KEY),
    ("SignatureDoesNotMatch", SECRET),
    ("InvalidSignatureException", SECRET),
    ("InvalidSignature", SECRET),
    ("IncompleteSignature", SECRET),
    ("IncompleteSignatureException", SECRET),
    ("InvalidSecurity", Meaning::Settings("it takes requests by HTTPS only, see AWS_ENDPOINT_URL")),
    ("ExpiredToken", EXPIRED),
    ("ExpiredTokenException", EXPIRED),
    ("InvalidToken", EXPIRED),
    ("TokenRefreshRequired", EXPIRED),
    ("RequestExpired", EXPIRED),
    ("InvalidIdentityToken", IDENTITY),
    ("InvalidIdentityTokenException", IDENTITY),
    ("IDPRejectedClaim", IDENTITY),
    ("IDPCommunicationError", IDENTITY),
    ("RequestTimeTooSkewed", CLOCK),
    ("RequestInTheFuture", CLOCK),
    ("AccessDenied", Meaning::Denied),
    ("AccessDeniedException", Meaning::Denied),
    ("AuthorizationError", Meaning::Denied),
    ("AuthorizationErrorException", Meaning::Denied),
    ("UnauthorizedOperation", Meaning::Denied),
    ("NotAuthorized", Meaning::Denied),
    ("AccountProblem", Meaning::Denied),
    ("AllAccessDisabled", Meaning::Denied),
    ("OptInRequired", Meaning::Denied),
    ("MissingAuthenticationToken", Meaning::Denied),
    ("NoSuchBucket", MISSING),
    ("QueueDoesNotExist", MISSING),
    ("NonExistentQueue", MISSING),
    ("QueueDeletedRecently", MISSING),
    ("ResourceNotFoundException", MISSING),
    ("NotFound", MISSING),
    ("NotFoundException", MISSING),
    ("PermanentRedirect", REGION),
    ("TemporaryRedirect", REGION),
    ("IllegalLocationConstraintException", REGION),
    ("AuthorizationHeaderMalformed", REGION),
    ("InvalidBucketName", Meaning::Settings("ARN names no valid bucket")),
    ("InvalidAddress", Meaning::Settings("ARN names no valid queue")),
    ("UnsupportedOperation", Meaning::Settings("what ARN names cannot do this")),
    ("InvalidBucketState", Meaning::Settings("what ARN names cannot do this now")),
    ("RegionDisabledException", Meaning::Settings("STS is not enabled in the region of ARN or AWS_REGION")),
    ("Throttling", Meaning::Throttled),
    ("ThrottlingException", Meaning::Throttled),
    ("ThrottledException", Meaning::Throttled),
    ("Throttled", Meaning::Throttled),
    ("RequestThrottled", Meaning::Throttled),
    ("RequestThrottledException", Meaning::Throttled),
    ("TooManyRequestsException", Meaning::Throttled),
    ("RequestLimitExceeded", Meaning::Throttled),
    ("ProvisionedThroughputExceededException", Meaning::Throttled),
    ("LimitExceededException", Meaning::Throttled),
    ("OverLimit", Meaning::Throttled),
    ("SlowDown", Meaning::Throttled),
    ("BandwidthLimitExceeded", Meaning::Throttled),
    ("OperationAborted", Meaning::Throttled),
    ("RequestTimeout", Meaning::Transient),
    ("RequestTimeoutException", Meaning::Transient),
    ("PriorRequestNotComplete", Meaning::Transient),
    ("ConditionalRequestConflict", Meaning::Transient),
    ("IncompleteBody", Meaning::Transient),
    ("BadDigest", Meaning::Transient),
    ("XAmzContentSHA256Mismatch", Meaning::Transient),
    ("XAmzContentChecksumMismatch", Meaning::Transient),
    ("EntityTooLarge", Meaning::TooLarge),
    ("BatchRequestTooLong", Meaning::TooLarge),
    ("MaxMessageLengthExceeded", Meaning::TooLarge),
    ("RequestEntityTooLarge", Meaning::TooLarge),
    ("KeyTooLongError", Meaning::Event),
    ("InvalidMessageContents", Meaning::Event),
];

pub(super) fn meaning(code: &str) -> Option<Meaning> {
    let code = code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code);
    // `KMS.DisabledException`, `KmsAccessDenied`, `KMSNotFoundException`, with a code for each state of a key.
    if let Some(rest) = code.strip_prefix("KMS").or_else(|| code.strip_prefix("Kms")) {
        return Some(if rest.to_ascii_lowercase().contains("thrott") {
            Meaning::Throttled
        } else {
            ENCRYPTION
        });
    }
    CODES.iter().find(|(known, _)| *known == code).map(|(_, meaning)| *meaning)
}
