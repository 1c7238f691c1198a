//! The table of errors: what AWS's codes mean, whose fault they are, and which setting to look at.
//!
//! Codes: "Common Errors" of each service's API reference, S3's "List of error codes", SQS's and STS's actions. Messages of
//! AWS are not passed on where they may hold what was signed; nothing of a request stands in ours.

mod codes;

use std::{error::Error as StdError, time::Duration};

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use common::Error;
use http::StatusCode;

use self::codes::{Meaning, meaning};

/// Reads one entry's failure in the answer to a batch. `sender_fault` is AWS's own word on whose fault it is.
#[must_use]
pub fn from_code(doing: &str, code: &str, sender_fault: bool) -> Error {
    let status = if sender_fault { StatusCode::BAD_REQUEST } else { StatusCode::SERVICE_UNAVAILABLE };
    read(doing, code, status, None, None).0
}

/// Reads a failure. The second value says whether the credentials were refused.
pub(crate) fn of<E>(doing: &str, failure: SdkError<E, HttpResponse>) -> (Error, bool)
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    if let SdkError::ServiceError(context) = &failure {
        let status = StatusCode::from_u16(context.raw().status().as_u16());
        let after = context.raw().headers().get("retry-after").and_then(|text| text.parse().ok());
        let answer = context.err();
        return read(
            doing,
            answer.code().unwrap_or_default(),
            status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            after.map(Duration::from_secs),
            answer.message(),
        );
    }
    if let Some(problem) = credentials_problem(&failure) {
        return (Error::retryable(format!("{doing}: {problem}")), false);
    }
    let problem = match &failure {
        // What adapters make of an event can always be sent: it is a key that no header can hold.
        SdkError::ConstructionFailure(_) => "no request can be made, see the credentials",
        SdkError::TimeoutError(_) => "no answer in time",
        SdkError::DispatchFailure(_) => {
            "it cannot be reached, see AWS_ENDPOINT_URL if it is set, and the region of ARN or AWS_REGION"
        }
        _ => "the answer is not understood",
    };
    (Error::retryable(format!("{doing}: {problem}")).caused_by(failure), false)
}

fn read(
    doing: &str,
    code: &str,
    status: StatusCode,
    after: Option<Duration>,
    message: Option<&str>,
) -> (Error, bool) {
    let shown = if code.is_empty() { status.as_str() } else { code };
    let told = |text: &str| format!("{doing}: {text} ({shown})");
    let retryable = |text: &str| {
        let error = Error::retryable(told(text));
        match after {
            Some(after) => error.after(after),
            None => error,
        }
    };
    match meaning(code) {
        Some(Meaning::Credentials(text)) => (retryable(text), true),
        Some(Meaning::Denied) => {
            // AWS's message names who may not do what to which resource, which is what one needs to know.
            let who = message.map(|message| format!(": {}", clipped(message))).unwrap_or_default();
            (retryable(&format!("the credentials are not allowed to{who}")), false)
        }
        Some(Meaning::Settings(text)) => (retryable(text), false),
        Some(Meaning::Throttled) => (retryable("AWS takes no more for now"), false),
        Some(Meaning::Transient) => (retryable("AWS did not get it whole"), false),
        Some(Meaning::TooLarge) => (
            Error::permanent(told("the event is too large")).with_status(StatusCode::PAYLOAD_TOO_LARGE),
            false,
        ),
        Some(Meaning::Event) => (detailed(Error::permanent(told("the event is not taken")), message), false),
        None => {
            let text = match status.as_u16() / 100 {
                2 => "the answer is not understood",
                5 => "AWS failed",
                _ => "AWS refused",
            };
            (detailed(Error::from_status(status, after, told(text)), message), false)
        }
    }
}

fn detailed(error: Error, message: Option<&str>) -> Error {
    match message {
        Some(message) => error.with_detail(message.as_bytes()),
        None => error,
    }
}

fn clipped(message: &str) -> String {
    message.chars().filter(|c| !c.is_control()).take(300).collect()
}

/// Why there are no credentials, when that is what is wrong.
fn credentials_problem(failure: &(dyn StdError + 'static)) -> Option<String> {
    let found = causes(failure).find_map(<dyn StdError>::downcast_ref::<CredentialsError>)?;
    // What STS said has been read by the table already.
    if let Some(error) = causes(found).find_map(<dyn StdError>::downcast_ref::<Error>) {
        return Some(error.chain());
    }
    Some(match found {
        CredentialsError::CredentialsNotLoaded(_) => {
            "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where there is a role"
                .to_owned()
        }
        CredentialsError::ProviderTimedOut(_) => "getting credentials took too long".to_owned(),
        other => {
            let chain: Vec<_> = causes(other).skip(1).map(ToString::to_string).collect();
            format!("getting credentials failed: {}", clipped(&chain.join(": ")))
        }
    })
}

/// An error and all that is behind it.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_code(code: &str, status: u16) -> (Error, bool) {
        let status = StatusCode::from_u16(status).expect("a status");
        read("sending", code, status, None, Some("what AWS says"))
    }

    #[test]
    fn codes_are_whose_fault_they_are() {
        for (code, status, answered, names) in [
            ("InvalidAccessKeyId", 403, 503, "AWS_ACCESS_KEY_ID"),
            ("SignatureDoesNotMatch", 403, 503, "AWS_SECRET_ACCESS_KEY"),
            ("ExpiredToken", 400, 503, "AWS_SESSION_TOKEN"),
            ("AccessDenied", 403, 503, "not allowed to: what AWS says"),
            ("AWS.SimpleQueueService.NonExistentQueue", 400, 503, "ARN"),
            ("NoSuchBucket", 404, 503, "ARN"),
            ("PermanentRedirect", 301, 503, "AWS_REGION"),
            ("SlowDown", 503, 503, "no more for now"),
            ("ThrottlingException", 400, 503, "no more for now"),
            ("KMS.DisabledException", 400, 503, "key"),
            ("KmsThrottled", 400, 503, "no more for now"),
            ("RequestTimeout", 400, 503, "did not get it whole"),
            ("EntityTooLarge", 400, 413, "too large"),
            ("KeyTooLongError", 400, 422, "KeyTooLongError"),
            ("SomethingNew", 400, 400, "AWS refused (SomethingNew)"),
            ("SomethingNew", 403, 503, "AWS refused"),
            ("", 404, 503, "AWS refused (404)"),
            ("InternalError", 500, 503, "AWS failed"),
        ] {
            let (error, _) = read_code(code, status);
            assert_eq!(error.status().as_u16(), answered, "{code}");
            assert!(error.chain().contains(names), "{code}: {}", error.chain());
        }
    }

    #[test]
    fn only_refused_credentials_are_forgotten() {
        for (code, expected) in
            [("ExpiredToken", true), ("InvalidClientTokenId", true), ("AccessDenied", false)]
        {
            assert_eq!(read_code(code, 403).1, expected, "{code}");
        }
    }

    #[test]
    fn what_may_hold_what_was_signed_is_not_passed_on() {
        for code in
            ["SignatureDoesNotMatch", "InvalidSignatureException", "ExpiredToken", "InvalidClientTokenId"]
        {
            let (error, _) = read_code(code, 403);
            assert_eq!(error.detail(), None, "{code}");
            assert!(!error.chain().contains("what AWS says"), "{code}");
        }
    }

    #[test]
    fn an_entry_of_a_batch_is_read_by_the_same_table() {
        assert_eq!(from_code("sending", "InvalidMessageContents", true).status().as_u16(), 422);
        assert_eq!(from_code("sending", "ThrottlingException", true).status().as_u16(), 503);
        assert_eq!(from_code("sending", "Whatever", false).status().as_u16(), 503);
    }
}
