//! The synchronizer between a sink that only takes, and callers and responders that a test plays.

use std::io;
use std::net::SocketAddr;
use std::thread::JoinHandle;

use kit::{Event, Failure, Process, Request, Response, Sink, ensure};

pub type Outcome = Result<(), Failure>;

pub struct Bridge {
    pub process: Process,
    pub address: SocketAddr,
    pub sink: Sink,
}

impl Bridge {
    pub fn start(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut bridge = Self::unready(settings)?;
        bridge.process.wait_for_status("/readyz", 200)?;
        Ok(bridge)
    }

    /// One that listens; who speaks TLS cannot be asked whether it is ready without.
    pub fn unready(settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let sink = Sink::start()?;
        let usual = [("K_SINK", sink.url("/")), ("CORRELATION_KEY", "correlationid".to_owned())];
        let mut environment: Vec<_> = usual.map(|(name, value)| (name.to_owned(), value)).into();
        environment.push(("RESPONSE_WAIT_TIMEOUT".to_owned(), "60s".to_owned()));
        environment.push(("DRAIN_SECONDS".to_owned(), "0".to_owned()));
        for (name, value) in settings {
            environment.retain(|(known, _)| known != name);
            environment.push(((*name).to_owned(), (*value).to_owned()));
        }
        let mut process = Process::start("synchronizer", &[], &environment)?;
        let address = process.address()?;
        Ok(Self { process, address, sink })
    }

    pub fn send(&self, request: &Request) -> Result<Response, Failure> {
        request.send(self.address).map_err(|error| error.to_string())
    }

    /// The last of so many requests that came to the sink.
    pub fn forwarded(&self, count: usize) -> Result<Event, Failure> {
        self.sink.wait_for(count)?.last().ok_or("nothing came")?.event()
    }

    pub fn metrics(&mut self) -> Result<String, Failure> {
        let address = self.process.metrics_address()?;
        Request::get("/metrics").send(address).map(|answer| answer.text()).map_err(|error| error.to_string())
    }

    /// Waits for a line of the metrics.
    pub fn metrics_show(&mut self, line: &str) -> Outcome {
        kit::eventually(line, || {
            let metrics = self.metrics().ok()?;
            metrics.lines().any(|known| known == line).then_some(())
        })
        .map_err(|error| format!("{error}; in {:?}", self.metrics()))
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

/// What a caller got in the end.
pub fn answer(caller: JoinHandle<io::Result<Response>>) -> Result<Response, Failure> {
    caller.join().map_err(|_| "the client failed")?.map_err(|error| error.to_string())
}

/// Asserts a status and the whole text of an answer.
pub fn is(answer: &Response, status: u16, text: &str) -> Outcome {
    ensure(answer.status == status && answer.text() == text, || {
        format!("{} {:?}, not {status} {text:?}", answer.status, answer.text())
    })
}
