//! What the codes of Google's APIs mean: <https://cloud.google.com/apis/design/errors>, and for Pub/Sub
//! <https://cloud.google.com/pubsub/docs/reference/error-codes>.

use std::{error::Error as StdError, fmt, time::Duration};

use common::Error;
use google_cloud_gax::error::{
    Error as CallError,
    rpc::{Code, Status, StatusDetails},
};

use crate::credentials::Identity;

/// How much of what Google says is passed on, in characters.
const TOLD: usize = 400;

/// The resource that a call is about, for errors.
#[derive(Clone, Copy, Debug)]
pub struct Resource<'a> {
    /// What it is: `topic`.
    pub what: &'a str,
    /// The setting that names it.
    pub setting: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The role without which it cannot be used.
    pub role: &'a str,
}

/// A failed call as the frame acts on it: permanent is what would be refused again and again.
///
/// A resource that is not there and a right that is missing are mistakes of whoever runs it, and may be mended: no event is
/// lost by them.
#[must_use]
pub fn failure(doing: &str, resource: &Resource<'_>, identity: Identity, error: &CallError) -> Error {
    let Resource { what, setting, name, role } = resource;
    let Some(code) = code(error) else {
        return without_status(doing, identity, error);
    };
    let (permanent, because) = match code {
        Code::InvalidArgument | Code::OutOfRange => (true, "it was refused as invalid".to_owned()),
        Code::NotFound => (false, format!("the {what} of {setting} does not exist: {name}")),
        Code::PermissionDenied => (
            false,
            format!("{} may not use the {what} of {setting} (it needs {role}): {name}", identity.words()),
        ),
        Code::Unauthenticated => (false, format!("{} is not accepted", identity.words())),
        Code::ResourceExhausted => (false, "a quota is exhausted".to_owned()),
        Code::FailedPrecondition => {
            (false, format!("the {what} of {setting} is in no state to be used: {name}"))
        }
        Code::DeadlineExceeded => (false, "no answer in time".to_owned()),
        Code::Unimplemented => {
            (false, "the endpoint does not know the call (see GCLOUD_PUBSUB_ENDPOINT)".to_owned())
        }
        _ => (false, "the service is not able to do it now".to_owned()),
    };
    let message = format!("{doing}: {because}");
    let told = if permanent { Error::permanent(message) } else { Error::retryable(message) };
    let Some(status) = error.status() else { return told.caused_by(Told(chain(error))) };
    let told = match retry_delay(status) {
        Some(delay) => told.after(delay),
        None => told,
    };
    told.with_detail(status.message.as_bytes()).caused_by(Told(format!("{code:?}: {}", status.message)))
}

/// The code of an answer. What stands before the service may answer for it, and then there is the HTTP status alone.
fn code(error: &CallError) -> Option<Code> {
    if let Some(status) = error.status() {
        return Some(status.code);
    }
    Some(match error.http_status_code()? {
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::NotFound,
        429 => Code::ResourceExhausted,
        _ => Code::Unavailable,
    })
}

/// There was no answer of the service.
fn without_status(doing: &str, identity: Identity, error: &CallError) -> Error {
    let cause = Told(chain(error));
    if error.is_authentication() {
        let message = format!("{doing}: no token could be had for {}", identity.words());
        return Error::retryable(message).caused_by(cause);
    }
    if error.is_serialization() || error.is_binding() {
        return Error::permanent(format!("{doing}: it cannot be written as a request")).caused_by(cause);
    }
    let because = if error.is_timeout() || is_cancelled(error) {
        "no answer in time"
    } else {
        "the service cannot be reached"
    };
    Error::retryable(format!("{doing}: {because}")).caused_by(cause)
}

/// Whether the service ended the call without a status, as servers do at its deadline, which they know (`grpc-timeout`):
/// they may be before our own clock.
fn is_cancelled(error: &CallError) -> bool {
    causes(error)
        .filter_map(|error| error.downcast_ref::<h2::Error>())
        .any(|error| error.reason() == Some(h2::Reason::CANCEL))
}

/// An error and all that caused it.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| error.source())
}

/// Credentials or a client that could not be made: something is to be mended, and then it works.
pub(crate) fn unbuilt(message: String, error: impl StdError + Send + Sync + 'static) -> Error {
    Error::retryable(message).caused_by(Told(chain(&error)))
}

/// How long the service wants to be left alone.
fn retry_delay(status: &Status) -> Option<Duration> {
    status.details.iter().find_map(|detail| match detail {
        StatusDetails::RetryInfo(info) => {
            let delay = info.retry_delay.as_ref()?;
            Some(Duration::new(u64::try_from(delay.seconds()).ok()?, u32::try_from(delay.nanos()).ok()?))
        }
        _ => None,
    })
}

/// All causes on one line; what stands in the message of the one before is not said twice.
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error).skip(1) {
        let next = cause.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
    }
    text
}

/// What Google or its library said, shortened: a whole page may come from a proxy on the way.
#[derive(Debug)]
struct Told(String);

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().take(TOLD).map(|at| if at.is_control() { ' ' } else { at }).try_for_each(|at| {
            use fmt::Write as _;
            f.write_char(at)
        })
    }
}

impl StdError for Told {}

#[cfg(test)]
mod tests {
    use google_cloud_gax::error::CredentialsError;

    use super::*;

    fn told(error: &CallError) -> Error {
        let resource = Resource {
            what: "topic",
            setting: "GCLOUD_PUBSUB_TOPIC",
            name: "projects/p/topics/t",
            role: "roles/pubsub.publisher",
        };
        failure("publishing", &resource, Identity::Key, error)
    }

    #[test]
    fn codes_are_those_of_the_table() {
        for (code, permanent, text) in [
            (Code::InvalidArgument, true, "refused as invalid"),
            (Code::OutOfRange, true, "refused as invalid"),
            (Code::NotFound, false, "the topic of GCLOUD_PUBSUB_TOPIC does not exist: projects/p/topics/t"),
            (
                Code::PermissionDenied,
                false,
                "GCLOUD_SERVICEACCOUNT_KEY may not use the topic of GCLOUD_PUBSUB_TOPIC",
            ),
            (Code::Unauthenticated, false, "GCLOUD_SERVICEACCOUNT_KEY is not accepted"),
            (Code::ResourceExhausted, false, "quota"),
            (Code::FailedPrecondition, false, "GCLOUD_PUBSUB_TOPIC"),
            (Code::Unimplemented, false, "GCLOUD_PUBSUB_ENDPOINT"),
            (Code::Aborted, false, "not able"),
            (Code::Cancelled, false, "not able"),
            (Code::DeadlineExceeded, false, "no answer in time"),
            (Code::Internal, false, "not able"),
            (Code::Unavailable, false, "not able"),
            (Code::Unknown, false, "not able"),
            (Code::DataLoss, false, "not able"),
        ] {
            let error = told(&CallError::service(Status::default().set_code(code).set_message("said\nso")));
            assert_eq!(error.is_permanent(), permanent, "{code:?}");
            let chain = error.chain();
            assert!(chain.starts_with("publishing: ") && chain.contains(text), "{chain}");
            assert!(chain.ends_with("said so"), "{chain}");
        }
    }

    #[test]
    fn what_is_no_answer_may_succeed_later() {
        for (error, text) in [
            (CallError::timeout("slow"), "no answer in time"),
            (CallError::io("reset"), "cannot be reached"),
            (CallError::io(h2::Error::from(h2::Reason::REFUSED_STREAM)), "cannot be reached"),
            (CallError::io(h2::Error::from(h2::Reason::CANCEL)), "no answer in time"),
            (CallError::connect("refused"), "cannot be reached"),
            (
                CallError::authentication(CredentialsError::from_msg(false, "invalid_grant")),
                "no token could be had for the service account of GCLOUD_SERVICEACCOUNT_KEY",
            ),
        ] {
            let error = told(&error);
            assert!(!error.is_permanent() && error.chain().contains(text), "{}", error.chain());
            assert!(error.chain().len() < 700);
        }
    }
}
