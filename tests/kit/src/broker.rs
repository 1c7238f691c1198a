//! What trials of brokers share: a broker with its document, triggers, and what arrives at the receivers.

pub mod pages;

use std::ops::{Deref, DerefMut};

use serde_json::{Value, json};

use crate::{
    Adapter, Event, Example, Failure, Folder, Line, Process, Reply, Request, Response, Sink, ensure,
    eventually,
};

const DOCUMENT: &str = "broker.conf";

/// A running broker whose document is a file.
pub struct Broker {
    adapter: Adapter,
    folder: Folder,
}

impl Deref for Broker {
    type Target = Adapter;

    fn deref(&self) -> &Adapter {
        &self.adapter
    }
}

impl DerefMut for Broker {
    fn deref_mut(&mut self) -> &mut Adapter {
        &mut self.adapter
    }
}

impl Broker {
    /// Starts one as the old images were started, and waits until it listens.
    ///
    /// # Errors
    /// When it does not.
    pub fn listening(name: &str, document: &Value, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let folder = Folder::new()?;
        let path = folder.file(DOCUMENT, &document.to_string())?;
        let base = [("BROKER_CONFIG_PATH", &*path), ("DRAIN_SECONDS", "0")];
        let mut process = Process::start(name, &["start"], &[&base, settings].concat())?;
        Ok(Self { adapter: Adapter { address: process.address()?, process }, folder })
    }

    /// Starts one and waits until it is ready.
    ///
    /// # Errors
    /// When it does not become so.
    pub fn ready(name: &str, document: &Value, settings: &[(&str, &str)]) -> Result<Self, Failure> {
        let mut broker = Self::listening(name, document, settings)?;
        broker.process.wait_for_status("/readyz", 200)?;
        Ok(broker)
    }

    /// Writes another document.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, document: &str) -> Result<(), Failure> {
        self.folder.file(DOCUMENT, document).map(drop)
    }

    /// Puts other triggers into force.
    ///
    /// # Errors
    /// When it does not take them.
    pub fn reload(&self, triggers: &Value) -> Result<(), Failure> {
        let line = "the configuration document is in force";
        let loads = || self.process.log().iter().filter(|found| found.field("message") == line).count();
        let before = loads();
        self.write(&json!({"triggers": triggers}).to_string())?;
        eventually("the new document in force", || (loads() > before).then_some(()))
    }

    /// Sends an event.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn post(&self, event_type: &str, number: u64) -> Result<Response, Failure> {
        self.send(&event(event_type, number))
    }

    /// Sends an event that must be accepted.
    ///
    /// # Errors
    /// When it is not.
    pub fn accept(&self, event_type: &str, number: u64) -> Result<(), Failure> {
        let answer = self.post(event_type, number)?;
        answer.expect(200)
    }

    /// Asks a page.
    ///
    /// # Errors
    /// When no answer comes.
    pub fn page(&self, method: &str, path: &str) -> Result<Response, Failure> {
        self.send(&Request::new(method, path))
    }

    /// What a page says.
    ///
    /// # Errors
    /// When it is not answered with JSON.
    pub fn json(&self, path: &str) -> Result<Value, Failure> {
        let answer = self.get(path)?;
        answer.expect(200)?;
        serde_json::from_slice(&answer.body).map_err(|error| error.to_string())
    }

    /// The page of dead letters, once it has so many.
    ///
    /// # Errors
    /// When it does not come to so many.
    pub fn dead_letters(&self, count: usize) -> Result<Value, Failure> {
        let all = |page: &Value| page["entries"].as_array().is_some_and(|all| all.len() == count);
        eventually(&format!("{count} dead letters"), || self.json("/dlq").ok().filter(all))
    }

    /// The lines about events that are gone.
    #[must_use]
    pub fn lost(&self) -> Vec<Line> {
        self.process.log().into_iter().filter(|line| line.json["lost"] == true).collect()
    }
}

/// A request with an event whose data have the number, and whose id [`numbered`] gives.
#[must_use]
pub fn event(event_type: &str, number: u64) -> Request {
    Example::json(event_type, &json!({"number": number})).binary(number)
}

/// A target with these options, for a trigger that wants events of one type.
#[must_use]
pub fn trigger(event_type: &str, url: &str, options: Value) -> Value {
    json!({"filters": [{"exact": {"type": event_type}}], "target": {"url": url}, "deliveryOptions": options})
}

/// Answers by path: each gets its own reply, others 202.
pub fn answer_by_path(sink: &Sink, replies: Vec<(&'static str, Reply)>) {
    sink.route(move |request| {
        replies.iter().find(|(path, _)| *path == request.path).map(|(_, reply)| reply.clone())
    });
}

/// The ids that arrived at a path, in order.
#[must_use]
pub fn ids(sink: &Sink, path: &str) -> Vec<String> {
    let at_path = sink.requests().into_iter().filter(|request| request.path == path);
    at_path.filter_map(|request| Some(request.event().ok()?.get("id").to_owned())).collect()
}

/// Waits until so many events have arrived at a path.
///
/// # Errors
/// When they have not.
pub fn wait_for_ids(sink: &Sink, path: &str, count: usize) -> Result<Vec<String>, Failure> {
    eventually(&format!("{count} events at {path}"), || {
        Some(ids(sink, path)).filter(|ids| ids.len() >= count)
    })
}

/// As [`wait_for_ids`], each id once, in the order of their first coming: what a store that goes away could not be told of
/// comes again.
///
/// # Errors
/// When they do not come.
pub fn wait_for_different(sink: &Sink, path: &str, count: usize) -> Result<Vec<String>, Failure> {
    eventually(&format!("{count} different events at {path}"), || {
        let mut different = Vec::new();
        for id in ids(sink, path) {
            if !different.contains(&id) {
                different.push(id);
            }
        }
        Some(different).filter(|different| different.len() >= count)
    })
}

/// The first event that arrives at a path.
///
/// # Errors
/// When none comes.
pub fn first_event(sink: &Sink, path: &str) -> Result<Event, Failure> {
    wait_for_ids(sink, path, 1)?;
    let requests = sink.requests();
    requests.iter().find(|request| request.path == path).ok_or("gone")?.event()
}

/// The ids of events by their numbers.
pub fn numbered(numbers: impl IntoIterator<Item = u64>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("kit-{number}")).collect()
}

/// Holds that two are equal.
///
/// # Errors
/// With both of them, when they are not.
pub fn expect<T: PartialEq + std::fmt::Debug>(found: T, wanted: T, about: &str) -> Result<(), Failure> {
    ensure(found == wanted, || format!("{found:?} instead of {wanted:?}: {about}"))
}

/// Holds that two have the same ids, in whatever order.
///
/// # Errors
/// With both of them, when they have not.
pub fn expect_in_any_order(
    mut found: Vec<String>,
    mut wanted: Vec<String>,
    about: &str,
) -> Result<(), Failure> {
    found.sort();
    wanted.sort();
    expect(found, wanted, about)
}
