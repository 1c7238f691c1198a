//! The synchronizer between a sink that only takes, and callers and responders that a test plays.

use kit::{Adapter, Event, Failure, Request, Response, Sink};

pub type Outcome = Result<(), Failure>;

pub struct Bridge {
    pub adapter: Adapter,
    pub sink: Sink,
}

impl Bridge {
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut bridge = Self::unready(settings)?;
        bridge.adapter.process.wait_for_status("/readyz", 200)?;
        Ok(bridge)
    }

    /// One that listens; who speaks TLS cannot be asked whether it is ready without.
    pub fn unready(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let sink = Sink::start()?;
        let base = [
            ("K_SINK", &*sink.url("/")),
            ("CORRELATION_KEY", "correlationid"),
            ("RESPONSE_WAIT_TIMEOUT", "60s"),
            ("DRAIN_SECONDS", "0"),
        ];
        Ok(Self { adapter: Adapter::listening("synchronizer", &[&base, settings].concat())?, sink })
    }

    pub fn send(&self, request: &Request) -> Result<Response, Failure> {
        self.adapter.send(request)
    }

    /// The last of so many requests that came to the sink.
    pub fn forwarded(&self, count: usize) -> Result<Event, Failure> {
        self.sink.last(count)
    }
}

pub fn request(id: &str) -> Request {
    Request::post("/")
        .header("ce-specversion", "1.0")
        .header("ce-id", id)
        .header("ce-source", "/shop")
        .header("ce-type", "com.example.order")
        .body("application/json", format!(r#"{{"order":"{id}"}}"#))
}

pub fn response(id: &str, key: &str) -> Request {
    Request::post("/")
        .header("ce-specversion", "1.0")
        .header("ce-id", id)
        .header("ce-source", "/warehouse")
        .header("ce-type", "com.example.answer")
        .header("ce-correlationid", key)
        .body("application/json", r#"{ "answer":  1.0 }"#)
}
