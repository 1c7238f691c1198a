//! The aggregator between callers that a test plays and a sink.

use std::io::Write;
use std::net::TcpStream;

use kit::http::{Asked, connect};
use kit::{Adapter, Event, Failure, Request, Response, Sink, ensure};
use serde_json::{Value, json};

pub type Outcome = Result<(), Failure>;

pub struct Bridge {
    pub adapter: Adapter,
    pub sink: Sink,
}

impl Bridge {
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let sink = Sink::start()?;
        let base = [
            ("K_SINK", &*sink.url("/")),
            ("AGGREGATOR_CE_TYPE", "whole"),
            ("AGGREGATOR_CE_SOURCE", "/aggregator"),
            ("AGGREGATOR_TIMEOUT", "60s"),
            ("DRAIN_SECONDS", "0"),
        ];
        Ok(Self { adapter: Adapter::ready("aggregator", &[&base, settings].concat())?, sink })
    }

    pub fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.adapter.send(request)
    }

    /// Sends it and goes on.
    pub fn call(&self, request: &Request) -> Asked {
        request.send_later(self.adapter.address)
    }

    /// A caller who can go away before the answer: by dropping this.
    pub fn restless(&self, request: &Request) -> Result<TcpStream, Failure> {
        let mut stream = connect(self.adapter.address).map_err(|error| error.to_string())?;
        let bytes = request.to_bytes(self.adapter.address);
        stream.write_all(&bytes).map_err(|error| error.to_string())?;
        Ok(stream)
    }

    /// The last of so many aggregates.
    pub fn sent(&self, count: usize) -> Result<Event, Failure> {
        self.sink.last(count)
    }

    /// Waits until so many callers wait.
    pub fn waits(&self, callers: usize) -> Outcome {
        self.adapter.process.wait_for_metric(&format!("aggregator_waiting_parts {callers}"))
    }
}

/// A part as a splitter makes it, of the event with that id.
pub fn part(of: &str, index: usize, count: usize) -> Request {
    with_data(of, index, count, &json!({ "n": index }).to_string())
}

pub fn with_data(of: &str, index: usize, count: usize, data: &str) -> Request {
    named(&format!("{of}-{index}"))
        .header("ce-splitid", of)
        .header("ce-splitsource", "/shop")
        .header("ce-splitindex", &index.to_string())
        .header("ce-splitcount", &count.to_string())
        .body("application/json", data)
}

/// An event with no more than it must have.
pub fn named(id: &str) -> Request {
    Request::post("/")
        .header("ce-specversion", "1.0")
        .header("ce-id", id)
        .header("ce-source", "/splitter")
        .header("ce-type", "part")
}

/// Asserts a status and the whole text of an answer; those that are worth another try say so.
pub fn is(answer: &Response, status: u16, text: &str) -> Outcome {
    answer.expect_text(status, text)?;
    let is_transient = answer.headers.get("retry-after").is_some();
    ensure(is_transient == (status == 503), || format!("{answer:?}"))
}

/// Asserts that all callers got the same.
pub fn are(callers: impl IntoIterator<Item = Asked>, status: u16, text: &str) -> Outcome {
    callers.into_iter().try_for_each(|caller| is(&kit::answer(caller)?, status, text))
}

/// Asserts attributes.
pub fn has(event: &Event, attributes: &[(&str, &str)]) -> Outcome {
    attributes
        .iter()
        .try_for_each(|(name, value)| ensure(event.get(name) == *value, || format!("{name}: {event:?}")))
}

/// Asserts the data.
pub fn is_json(event: &Event, data: &Value) -> Outcome {
    ensure(event.json() == *data, || format!("{event:?}, not {data}"))
}
