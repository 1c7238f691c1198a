//! What trials of brokers share: triggers of a document, and what arrives at the receivers.

use serde_json::{Value, json};

use crate::{Example, Failure, Reply, Request, Sink, ensure, eventually};

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
