//! The table of errors: conditions of AMQP, statuses of `$cbs` and `$management`, and failures below them.
//!
//! Facts: "AMQP errors in Azure Service Bus and Event Hubs", OASIS AMQP 1.0 section 2.8.15.

use std::error::Error as StdError;

use azure_core::error::ErrorKind as CoreKind;
use azure_core_amqp::error::{AmqpError, AmqpErrorCondition as Condition, AmqpErrorKind};
use azure_messaging_eventhubs::error::{ErrorKind, EventHubsError};
use common::Error;
use http::StatusCode;

use crate::credentials::Settings;

/// Pause after being told to slow down; what the service itself advises.
const THROTTLED: std::time::Duration = std::time::Duration::from_secs(4);

/// What a failure comes down to.
#[derive(Debug)]
enum Core<'a> {
    /// A condition of AMQP and what was said with it.
    Condition(&'a Condition, Option<&'a str>),
    /// A status of a node.
    Status(u16, Option<&'a str>),
    /// There is no token.
    Token(String),
    /// Anything else: no connection, no answer, something that is no AMQP.
    Transport(String),
}

/// A failure as the frame takes it: what was being done, and what to look at.
pub fn failure(doing: &str, settings: Settings, error: &EventHubsError) -> Error {
    let (advice, retry) = match core(error) {
        Core::Condition(condition, text) => of_condition(condition, text, settings),
        Core::Status(status, text) => of_status(status, text, settings),
        Core::Token(text) => (format!("no token of Entra ID: check {} ({text})", settings.0), Retry::Later),
        Core::Transport(text) => (
            format!(
                "no connection: check EVENTHUB_RESOURCE_ID and whether the namespace can be reached ({text})"
            ),
            Retry::Later,
        ),
    };
    let message = format!("{doing}: {advice}");
    match retry {
        Retry::Later => Error::retryable(message),
        Retry::Throttled => Error::retryable(message).after(THROTTLED),
        Retry::Never => Error::permanent(message),
        Retry::TooLarge => Error::permanent(message).with_status(StatusCode::PAYLOAD_TOO_LARGE),
    }
}

enum Retry {
    Later,
    Throttled,
    Never,
    TooLarge,
}

fn of_condition(condition: &Condition, text: Option<&str>, settings: Settings) -> (String, Retry) {
    let name: &str = condition.into();
    let said = text.map(|text| format!(": {}", first_line(text))).unwrap_or_default();
    match condition {
        Condition::UnauthorizedAccess => {
            (format!("access is refused: check {} ({name}{said})", settings.0), Retry::Later)
        }
        Condition::NotFound | Condition::ResourceDeleted => {
            (format!("{NOT_FOUND} ({name}{said})"), Retry::Later)
        }
        Condition::ServerBusyError | Condition::ResourceLimitExceeded => {
            (format!("the namespace is busy, or its throughput is used up ({name}{said})"), Retry::Throttled)
        }
        Condition::LinkPayloadSizeExceeded => {
            (format!("the event is larger than the event hub takes ({name})"), Retry::TooLarge)
        }
        Condition::ArgumentError
        | Condition::ArgumentOutOfRangeError
        | Condition::InvalidField
        | Condition::DecodeError
        | Condition::NotImplemented
        | Condition::PreconditionFailed => (format!("it is refused ({name}{said})"), Retry::Never),
        _ => (format!("{name}{said}"), Retry::Later),
    }
}

fn of_status(status: u16, text: Option<&str>, settings: Settings) -> (String, Retry) {
    let said = text.map(|text| format!(": {}", first_line(text))).unwrap_or_default();
    match status {
        401 | 403 => (format!("access is refused: check {} ({status}{said})", settings.0), Retry::Later),
        404 | 410 => (format!("{NOT_FOUND} ({status}{said})"), Retry::Later),
        429 | 503 => (format!("the namespace is busy ({status}{said})"), Retry::Throttled),
        _ => (format!("the namespace answered {status}{said}"), Retry::Later),
    }
}

const NOT_FOUND: &str =
    "there is no such event hub or consumer group: check EVENTHUB_RESOURCE_ID and EVENTHUB_CONSUMER_GROUP";

/// Whether a reader lost its partition to another one.
#[must_use]
pub fn is_stolen(error: &EventHubsError) -> bool {
    matches!(error.kind, ErrorKind::ConsumerDisconnected(_))
        || matches!(core(error), Core::Condition(Condition::LinkStolen, _))
}

/// Whether it says that there is no such hub.
pub fn is_missing(error: &EventHubsError) -> bool {
    matches!(
        core(error),
        Core::Status(404 | 410, _) | Core::Condition(Condition::NotFound | Condition::ResourceDeleted, _)
    )
}

/// Whether it says that there is no connection.
pub fn is_disconnected(error: &EventHubsError) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = match &error.kind {
        ErrorKind::AmqpError(error) => Some(error),
        ErrorKind::AzureCore(error) => Some(error),
        _ => None,
    };
    while let Some(error) = cause {
        let amqp = error.downcast_ref::<AmqpError>().map(AmqpError::kind);
        let core = error.downcast_ref::<azure_core::Error>().map(azure_core::Error::kind);
        if matches!(
            amqp,
            Some(
                AmqpErrorKind::ConnectionDropped(_)
                    | AmqpErrorKind::ConnectionClosedByRemote(_)
                    | AmqpErrorKind::ConnectionDetachedByRemote(_)
                    | AmqpErrorKind::FramingError(_)
                    | AmqpErrorKind::IdleTimeoutElapsed(_)
            )
        ) || matches!(core, Some(CoreKind::Io | CoreKind::Connection))
        {
            return true;
        }
        cause = error.source();
    }
    false
}

fn first_line(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default().trim();
    line.char_indices().nth(200).map_or(line, |(end, _)| line.get(..end).unwrap_or_default())
}

fn core(error: &EventHubsError) -> Core<'_> {
    match &error.kind {
        ErrorKind::ConsumerDisconnected(Some(described)) | ErrorKind::SendRejected(Some(described)) => {
            Core::Condition(&described.condition, described.description.as_deref())
        }
        ErrorKind::ConsumerDisconnected(None) => Core::Condition(&Condition::LinkStolen, None),
        ErrorKind::AmqpError(error) => of_chain(error),
        ErrorKind::AzureCore(error) => of_chain(error),
        other => Core::Transport(first_line(&EventHubsErrorText(other).to_string()).to_owned()),
    }
}

struct EventHubsErrorText<'a>(&'a ErrorKind);

impl std::fmt::Display for EventHubsErrorText<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            ErrorKind::SimpleMessage(text) | ErrorKind::SendNotAccepted(text) => f.write_str(text),
            ErrorKind::InvalidManagementResponse => f.write_str("an answer of $management that is none"),
            other => write!(f, "{other:?}"),
        }
    }
}

/// The first cause that says something: a condition, a status, a credential that gives no token.
fn of_chain<'a>(error: &'a (dyn StdError + 'static)) -> Core<'a> {
    let mut cause = Some(error);
    let mut last = error;
    while let Some(error) = cause {
        last = error;
        if let Some(amqp) = error.downcast_ref::<AmqpError>() {
            match amqp.kind() {
                AmqpErrorKind::AmqpDescribedError(described) => {
                    return Core::Condition(&described.condition, described.description.as_deref());
                }
                AmqpErrorKind::ManagementStatusCode(code, text) => {
                    return Core::Status(u16::from(*code), text.as_deref());
                }
                _ => {}
            }
        }
        if let Some(core) = error.downcast_ref::<azure_core::Error>()
            && matches!(core.kind(), CoreKind::Credential)
        {
            return Core::Token(first_line(&core.to_string()).to_owned());
        }
        cause = error.source();
    }
    Core::Transport(first_line(&last.to_string()).to_owned())
}

#[cfg(test)]
mod tests {
    use azure_core_amqp::AmqpDescribedError;

    use super::*;

    fn described(condition: Condition) -> EventHubsError {
        let text = Some("what it says\nTrackingId:1".to_owned());
        let described = AmqpDescribedError::new(condition, text, Default::default());
        let amqp = AmqpError::from(AmqpErrorKind::AmqpDescribedError(described));
        // As the SDK wraps what befell a link that it attached.
        let wrapped = azure_core::Error::with_error(CoreKind::Other, amqp, "Failed to ensure receiver");
        EventHubsError::from(AmqpError::from(wrapped))
    }

    #[test]
    fn conditions_say_whose_fault_it_was_and_which_setting_to_look_at() {
        const SETTINGS: Settings = Settings("EVENTHUB_CONNECTION_STRING");
        for (condition, status, throttled, text) in [
            (Condition::UnauthorizedAccess, 503, false, "check EVENTHUB_CONNECTION_STRING"),
            (Condition::NotFound, 503, false, "check EVENTHUB_RESOURCE_ID and EVENTHUB_CONSUMER_GROUP"),
            (Condition::ServerBusyError, 503, true, "com.microsoft:server-busy: what it says)"),
            (Condition::ResourceLimitExceeded, 503, true, "its throughput is used up"),
            (Condition::LinkPayloadSizeExceeded, 413, false, "larger than the event hub takes"),
            (Condition::ArgumentError, 422, false, "it is refused (com.microsoft:argument-error"),
            (Condition::TimeoutError, 503, false, "com.microsoft:timeout"),
            (Condition::LinkDetachForced, 503, false, "amqp:link:detach-forced"),
        ] {
            let error = failure("sending", SETTINGS, &described(condition));
            let found = (error.status().as_u16(), error.retry_after().is_some());
            assert_eq!(found, (status, throttled), "{error}");
            assert!(error.to_string().contains(text) && !error.to_string().contains("TrackingId"), "{error}");
        }
        assert!(is_stolen(&described(Condition::LinkStolen)) && !is_stolen(&described(Condition::NotFound)));
        assert!(is_missing(&described(Condition::NotFound)));
    }

    #[test]
    fn statuses_and_lost_connections_are_told_apart() {
        const SETTINGS: Settings = Settings("AZURE_CLIENT_SECRET");
        for (code, text) in
            [(401, "check AZURE_CLIENT_SECRET"), (404, "check EVENTHUB_RESOURCE_ID"), (503, "busy")]
        {
            let kind = AmqpErrorKind::ManagementStatusCode(code.into(), None);
            let error = EventHubsError::from(AmqpError::from(kind));
            assert!(failure("asking", SETTINGS, &error).to_string().contains(text), "{code}");
            assert!(!is_disconnected(&error));
        }
        let dropped = AmqpErrorKind::ConnectionDropped(Box::new(std::io::Error::other("gone")));
        let error = EventHubsError::from(AmqpError::from(dropped));
        assert!(is_disconnected(&error));
        assert!(failure("asking", SETTINGS, &error).to_string().contains("no connection"));
    }
}
