//! Whose fault a failure is, and what follows from it: the one table that every adapter maps its vendor's codes to.

use std::{error::Error as StdError, fmt, sync::Arc, time::Duration};

use http::StatusCode;

/// Whose fault it is that a request was not accepted (by status, or by there being none).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// This event can never be accepted.
    Event,
    /// The receiver or our credentials are wrong: no event would be accepted.
    Receiver,
    /// It may be accepted later.
    Transient,
}

impl Fault {
    /// Reads a status that is no 2xx.
    #[must_use]
    pub fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            401 | 403 | 405 | 300..=399 => Self::Receiver,
            404 | 408 | 409 | 425 | 429 => Self::Transient,
            400..=499 => Self::Event,
            _ => Self::Transient,
        }
    }
}

/// A failure as an adapter reports it to the frame, which acts on it.
///
/// The message says, in lower case, what was being done; the cause stands behind it as `source()`. Cloning shares the
/// cause, so that one failed call can be the failure of all that it carried.
#[derive(Debug, Clone)]
pub struct Error {
    permanent: bool,
    status: Option<StatusCode>,
    after: Option<Duration>,
    message: String,
    detail: Option<String>,
    told_as: Option<&'static str>,
    code: Option<&'static str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Error {
    /// How much of what the other side said is told to a caller, in bytes.
    pub const DETAIL_BYTES: usize = 512;

    /// This event can never succeed: it is answered with 422, or goes to the dead letter.
    pub fn permanent(message: impl Into<String>) -> Self {
        Self {
            permanent: true,
            status: None,
            after: None,
            message: message.into(),
            detail: None,
            told_as: None,
            code: None,
            source: None,
        }
    }

    /// It may succeed later: it is answered with 503, or tried again.
    pub fn retryable(message: impl Into<String>) -> Self {
        Self { permanent: false, ..Self::permanent(message) }
    }

    /// By the status of a vendor's or a receiver's answer: 400, 413 and 415 stay; other faults of the event are 422;
    /// the rest, refused credentials among it, may succeed later.
    pub fn from_status(status: StatusCode, after: Option<Duration>, message: impl Into<String>) -> Self {
        if Fault::of(status) != Fault::Event {
            return Self { after, ..Self::retryable(message) };
        }
        let error = Self::permanent(message);
        if matches!(status.as_u16(), 400 | 413 | 415) { error.with_status(status) } else { error }
    }

    /// The same, answered with this status; for a permanent failure never one that callers retry.
    #[must_use]
    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// The same, to be tried again no sooner than after this time.
    #[must_use]
    pub fn after(mut self, after: Duration) -> Self {
        self.after = Some(after);
        self
    }

    /// The same with its cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        let source: Box<dyn StdError + Send + Sync> = source.into();
        self.source = Some(source.into());
        self
    }

    /// The same with what the other side said, the beginning of it as text: the caller is told, but it is never logged.
    #[must_use]
    pub fn with_detail(mut self, body: &[u8]) -> Self {
        let kept = body.get(..Self::DETAIL_BYTES).unwrap_or(body);
        let text = String::from_utf8_lossy(kept);
        self.detail = (!text.trim().is_empty()).then(|| text.trim().to_owned());
        self
    }

    /// The same, told as an event of this type where failures are told as events (`EVENTS_PAYLOAD_POLICY`). Without it the
    /// type is that of the event with `.response`.
    #[must_use]
    pub fn told_as(mut self, event_type: &'static str) -> Self {
        self.told_as = Some(event_type);
        self
    }

    /// The same, told with this code where failures are told as events. Without it the code is `adapter-process`.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The type of the event as which it is told, where it was given one.
    pub(crate) fn event_type(&self) -> Option<&'static str> {
        self.told_as
    }

    /// The code with which it is told.
    pub(crate) fn code(&self) -> &'static str {
        self.code.unwrap_or("adapter-process")
    }

    /// What the other side said.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Whether it can never succeed.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.permanent
    }

    /// The status that a caller gets.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        let default =
            if self.permanent { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::SERVICE_UNAVAILABLE };
        self.status.unwrap_or(default)
    }

    /// The least time before another try.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.after
    }

    /// The message and its causes on one line.
    #[must_use]
    pub fn chain(&self) -> String {
        chain(self)
    }
}

/// An error and its causes on one line.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_those_of_the_design() {
        for (code, fault) in [
            (400, Fault::Event),
            (402, Fault::Event),
            (410, Fault::Event),
            (413, Fault::Event),
            (422, Fault::Event),
            (401, Fault::Receiver),
            (403, Fault::Receiver),
            (405, Fault::Receiver),
            (301, Fault::Receiver),
            (404, Fault::Transient),
            (408, Fault::Transient),
            (425, Fault::Transient),
            (429, Fault::Transient),
            (500, Fault::Transient),
            (503, Fault::Transient),
        ] {
            assert_eq!(Fault::of(StatusCode::from_u16(code).expect("a status")), fault, "{code}");
        }
    }
}
