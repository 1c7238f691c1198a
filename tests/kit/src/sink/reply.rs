//! What a scripted peer answers, sound or not.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::PATIENCE;

/// One answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) how: How,
}

#[derive(Clone, Debug)]
pub(super) enum How {
    Sound,
    After(Duration),
    Held(Gate),
    Hang,
    Close,
    Garbage,
    Endless,
    Relayed(SocketAddr),
}

/// Holds answers back until it is opened; opens by itself when dropped everywhere else.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    /// A closed one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets all through from now on.
    pub fn open(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    pub(super) fn wait(&self) {
        let open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.1.wait_timeout_while(open, PATIENCE * 2, |open| !*open));
    }
}

impl Reply {
    /// This status, no fields, an empty body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), how: How::Sound }
    }

    /// 200 with JSON.
    #[must_use]
    pub fn json(value: &Value) -> Self {
        Self::status(200).header("Content-Type", "application/json").body(value.to_string())
    }

    /// 200 with an event in binary mode.
    #[must_use]
    pub fn event(event_type: &str, id: &str) -> Self {
        let reply = Self::status(200).header("ce-specversion", "1.0").header("ce-id", id);
        reply.header("ce-source", "/reply").header("ce-type", event_type)
    }

    fn faulty(how: How) -> Self {
        Self { how, ..Self::status(200) }
    }

    /// No answer, and the connection stays open until the other side gives up.
    #[must_use]
    pub fn hang() -> Self {
        Self::faulty(How::Hang)
    }

    /// The connection is closed without an answer.
    #[must_use]
    pub fn close() -> Self {
        Self::faulty(How::Close)
    }

    /// Bytes that are no HTTP.
    #[must_use]
    pub fn garbage() -> Self {
        Self::faulty(How::Garbage)
    }

    /// A head with this status and then a body without end.
    #[must_use]
    pub fn endless(status: u16) -> Self {
        Self { how: How::Endless, ..Self::status(status) }
    }

    /// What a real peer answers: the request is passed on to it, fields and all.
    #[must_use]
    pub fn relayed(peer: SocketAddr) -> Self {
        Self::faulty(How::Relayed(peer))
    }

    /// Whether it says nothing but that all is well.
    pub(super) fn is_plain_success(&self) -> bool {
        self.status == 202
            && self.headers.is_empty()
            && self.body.is_empty()
            && matches!(self.how, How::Sound)
    }

    /// Adds a field.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Answers so much later.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.how = How::After(delay);
        self
    }

    /// Answers when the gate is opened.
    #[must_use]
    pub fn held(mut self, gate: &Gate) -> Self {
        self.how = How::Held(gate.clone());
        self
    }
}
