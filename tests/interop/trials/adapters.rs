//! Our side: adapters as the trials run them.

use std::ops::Deref;

use kit::{Event, Failure, Request, ensure, eventually};
use serde_json::{Value, json};

/// A running adapter.
pub struct Adapter(kit::Adapter);

impl Deref for Adapter {
    type Target = kit::Adapter;

    fn deref(&self) -> &kit::Adapter {
        &self.0
    }
}

impl Adapter {
    /// Starts one and waits until it is ready.
    pub fn start(name: &str, environment: &[(&str, &str)]) -> Result<Self, Failure> {
        kit::Adapter::ready(name, environment).map(Self)
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

    /// Sends a request that must be accepted.
    pub fn accepts(&self, request: &Request) -> Result<(), Failure> {
        let answer = self.send(request)?;
        ensure(answer.is_success(), || {
            format!("{request:?} was answered {}: {}", answer.status, answer.text())
        })
    }

    /// What a display received, each as an object of the JSON format, once there are so many.
    pub fn shown(&self, count: usize) -> Result<Vec<Value>, Failure> {
        eventually(&format!("{count} events shown"), || {
            let page = self.get("/events").ok()?;
            let events: Vec<Value> = serde_json::from_slice(&page.body).ok()?;
            (events.len() >= count).then_some(events)
        })
    }

    /// The same, read.
    pub fn events(&self, count: usize) -> Result<Vec<Event>, Failure> {
        self.shown(count)?.iter().map(Event::from_json).collect()
    }
}
