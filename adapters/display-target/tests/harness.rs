//! What the conformance kit needs to know of display-target.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use kit::{Event, Example, Failure, Harness, Running};
use serde_json::{Value, json, value::RawValue};

/// What was printed is read back from `/events`, which holds an event only after it was written.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.hello", &json!({ "text": "hello" })),
        Example::new("com.example.note", "text/plain", "good\u{1b}[31m morning"),
        Example::new("com.example.bytes", "application/octet-stream", vec![0, 255, 128]),
    ])
    .arrived(payloads)
    .events(events)
    .opt_out("T5", "no data and no reader of standard output makes printing fail for good")
    .opt_out("T8", "no data and no reader of standard output makes printing fail for good")
    .opt_out("T9", "any data can be printed")
}

fn events(running: &Running) -> Result<Vec<Event>, Failure> {
    let events: Vec<Value> =
        serde_json::from_slice(&running.get("/events")?.body).map_err(|error| error.to_string())?;
    events.iter().map(Event::from_json).collect()
}

/// The payloads byte for byte: JSON as it stands in the page.
fn payloads(running: &Running) -> Result<Vec<Vec<u8>>, Failure> {
    let page = running.get("/events")?.body;
    let events: Vec<BTreeMap<String, &RawValue>> =
        serde_json::from_slice(&page).map_err(|error| error.to_string())?;
    events.iter().map(payload).collect()
}

fn payload(members: &BTreeMap<String, &RawValue>) -> Result<Vec<u8>, Failure> {
    let text = |name: &str| members.get(name).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let is_json = text("datacontenttype").is_some_and(|media_type| media_type.ends_with("json"));
    match (members.get("data"), text("data_base64")) {
        (Some(data), _) if is_json => Ok(data.get().as_bytes().to_vec()),
        (Some(_), _) => Ok(text("data").unwrap_or_default().into_bytes()),
        (None, Some(encoded)) => STANDARD.decode(encoded).map_err(|error| error.to_string()),
        (None, None) => Ok(Vec::new()),
    }
}
