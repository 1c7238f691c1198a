//! Our side: adapters as the trials run them.

use std::net::SocketAddr;

use kit::{Event, Failure, Process, Request, ensure, eventually};
use serde_json::{Value, json};

/// A running adapter and its address.
pub struct Adapter {
    // Held, for it ends when it is dropped.
    _process: Process,
    /// Where it takes requests.
    pub address: SocketAddr,
}

impl Adapter {
    /// Starts one and waits until it is ready.
    pub fn start(name: &str, environment: &[(&str, &str)]) -> Result<Self, Failure> {
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut process = Process::start(name, &[], &environment)?;
        process.wait_for_status("/readyz", 200)?;
        let address = process.address()?;
        Ok(Self { _process: process, address })
    }

    /// A display, which shows what it received.
    pub fn display(environment: &[(&str, &str)]) -> Result<Self, Failure> {
        Self::start("display-target", environment)
    }

    /// A broker that delivers every event to one URL.
    pub fn broker(url: &str) -> Result<Self, Failure> {
        let document = json!({"triggers": {"all": {"target": {"url": url}}}});
        Self::start("memory-broker", &[("BROKER_CONFIG", &document.to_string())])
    }

    /// Its URL with this path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends a request that must be accepted.
    pub fn accepts(&self, request: &Request) -> Result<(), Failure> {
        let answer = request.send(self.address).map_err(|error| error.to_string())?;
        ensure(answer.is_success(), || {
            format!("{request:?} was answered {}: {}", answer.status, answer.text())
        })
    }

    /// What a display received, each as an object of the JSON format, once there are so many.
    pub fn shown(&self, count: usize) -> Result<Vec<Value>, Failure> {
        eventually(&format!("{count} events shown"), || {
            let page = Request::get("/events").send(self.address).ok()?;
            let events: Vec<Value> = serde_json::from_slice(&page.body).ok()?;
            (events.len() >= count).then_some(events)
        })
    }

    /// The same, read.
    pub fn events(&self, count: usize) -> Result<Vec<Event>, Failure> {
        self.shown(count)?.iter().map(Event::from_json).collect()
    }
}
