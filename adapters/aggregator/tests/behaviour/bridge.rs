//! The aggregator between callers that a test plays and a sink.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use kit::{Event, Failure, Process, Request, Response, Sink, ensure};
use serde_json::{Value, json};

pub type Outcome = Result<(), Failure>;

pub struct Bridge {
    pub process: Process,
    pub address: SocketAddr,
    pub sink: Sink,
}

impl Bridge {
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let sink = Sink::start()?;
        let usual = [
            ("K_SINK", sink.url("/")),
            ("AGGREGATOR_CE_TYPE", "whole".to_owned()),
            ("AGGREGATOR_CE_SOURCE", "/aggregator".to_owned()),
            ("AGGREGATOR_TIMEOUT", "60s".to_owned()),
            ("DRAIN_SECONDS", "0".to_owned()),
        ];
        let mut environment: Vec<_> = usual.map(|(name, value)| (name.to_owned(), value)).into();
        for (name, value) in settings {
            environment.retain(|(known, _)| known != name);
            environment.push(((*name).to_owned(), (*value).to_owned()));
        }
        let mut process = Process::start("aggregator", &[], &environment)?;
        let address = process.address()?;
        process.wait_for_status("/readyz", 200)?;
        Ok(Self { process, address, sink })
    }

    pub fn send(&self, request: &Request) -> Result<Response, Failure> {
        request.send(self.address).map_err(|error| error.to_string())
    }

    /// The last of so many aggregates.
    pub fn sent(&self, count: usize) -> Result<Event, Failure> {
        self.sink.wait_for(count)?.last().ok_or("nothing came")?.event()
    }

    /// Waits for a line of the metrics.
    pub fn metrics_show(&mut self, line: &str) -> Outcome {
        let address = self.process.metrics_address()?;
        let metrics = || Request::get("/metrics").send(address).map(|answer| answer.text());
        kit::eventually(line, || metrics().ok()?.lines().any(|known| known == line).then_some(()))
            .map_err(|error| format!("{error}; in {:?}", metrics()))
    }

    /// Waits until so many callers wait.
    pub fn waits(&mut self, callers: usize) -> Outcome {
        self.metrics_show(&format!("aggregator_waiting_parts {callers}"))
    }
}

/// A part as a splitter makes it, of the event with that id.
pub fn part(of: &str, index: usize, count: usize) -> Request {
    named(&format!("{of}-{index}"))
        .header("ce-splitid", of)
        .header("ce-splitsource", "/shop")
        .header("ce-splitindex", &index.to_string())
        .header("ce-splitcount", &count.to_string())
        .body("application/json", json!({ "n": index }).to_string())
}

/// An event with no more than it must have.
pub fn named(id: &str) -> Request {
    Request::post("/")
        .header("ce-specversion", "1.0")
        .header("ce-id", id)
        .header("ce-source", "/splitter")
        .header("ce-type", "part")
}

/// What a caller got in the end.
pub fn answer<E: ToString>(caller: JoinHandle<Result<Response, E>>) -> Result<Response, Failure> {
    caller.join().map_err(|_| "the client failed")?.map_err(|error| error.to_string())
}

/// Asserts a status and the whole text of an answer.
pub fn is(answer: &Response, status: u16, text: &str) -> Outcome {
    ensure(answer.status == status && answer.text() == text, || {
        format!("{} {:?}, not {status} {text:?}", answer.status, answer.text())
    })
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
