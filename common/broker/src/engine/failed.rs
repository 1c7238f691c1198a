//! Why an event was not delivered.

use bytes::Bytes;
use common::send::Failure;

/// The last failure of a delivery, as the dead letter is told of it.
#[derive(Debug)]
pub struct Failed {
    /// `None` = there was no answer.
    pub status: Option<u16>,
    /// The body of the answer, or what happened.
    pub body: Bytes,
    /// What happened, for the log.
    pub message: String,
    /// How often it was tried.
    pub attempts: u32,
}

impl Failed {
    pub(super) fn without_answer(reason: &str) -> Self {
        let body = format!("dispatch error: {reason}").into();
        Self { status: None, body, message: reason.to_owned(), attempts: 0 }
    }

    pub(super) fn stopped() -> Self {
        Self::without_answer("the broker stopped before the event was delivered")
    }

    /// What the broker itself refused, with the status that says it best.
    pub(crate) fn refused(status: u16, reason: &str) -> Self {
        let body = reason.to_owned().into();
        Self { status: Some(status), body, message: reason.to_owned(), attempts: 0 }
    }

    /// After so many tries.
    pub(super) fn after(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// What happened, and what after it.
    pub(super) fn reason(&self, after: &str) -> String {
        format!("{}; {after}", self.message)
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        match failure.status {
            Some(status) => Self {
                status: Some(status.as_u16()),
                body: failure.body,
                message: failure.message,
                attempts: 0,
            },
            None => Self::without_answer(&failure.message),
        }
    }
}
