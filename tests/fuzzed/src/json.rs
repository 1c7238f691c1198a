//! The JSON format, of one event and of batches, against `serde_json`'s own idea of the same document.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use common::{
    Event,
    event::json::{batch_from_slice, from_slice, to_vec},
};
use serde_json::{Map, Value};

use crate::{event, is_message};

const LONGEST_MESSAGE: usize = 700;

/// Reads a document as an event and as a batch.
pub fn json(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    match from_slice(body.clone()) {
        Ok(event) => {
            agrees(&event, &body);
            event::survives(&event);
            is_fit_for_the_sdk(&event);
            let batch = Bytes::from([b"[", &body[..], b",", &to_vec(&event), b"]"].concat());
            let read = batch_from_slice(batch).unwrap_or_else(|error| panic!("twice in a batch: {error}"));
            assert_eq!(read.first(), Some(&event));
            event::survive(&read);
        }
        Err(error) => is_message(&error.to_string(), LONGEST_MESSAGE),
    }
    match batch_from_slice(body) {
        Ok(events) => event::survive(&events),
        Err(error) => is_message(&error.to_string(), LONGEST_MESSAGE),
    }
}

/// Another reader of the document sees the same attributes and the same data.
fn agrees(event: &Event, body: &[u8]) {
    // It refuses what is nested deeper or has larger numbers than it can represent: not the event's fault.
    let Ok(members) = serde_json::from_slice::<Map<String, Value>>(body) else { return };
    for (name, value) in event.attributes() {
        match members.get(name.as_str()) {
            Some(Value::String(text)) => assert_eq!(value, text.as_str(), "{name}"),
            Some(other @ (Value::Bool(_) | Value::Number(_))) => {
                // `-0` is the integer 0.
                let other = other.to_string();
                assert!(
                    *value == other.as_str() || (*value == "0" && other.starts_with("-0")),
                    "{name}: {other}"
                );
            }
            _ => assert_eq!((name.as_str(), value.as_str()), ("datacontenttype", "application/json")),
        }
    }
    let set = |name: &&String| !matches!(name.as_str(), "data" | "data_base64") && !members[*name].is_null();
    let added = usize::from(
        event.get("datacontenttype").is_some()
            && !members.keys().any(|name| name == "datacontenttype" && !members[name].is_null()),
    );
    assert_eq!(event.attributes().count() + 1, members.keys().filter(set).count() + added);
    let Some(data) = event.data() else { return };
    match (members.get("data"), members.get("data_base64")) {
        (None | Some(Value::Null), Some(Value::String(encoded))) => {
            assert_eq!(STANDARD.decode(encoded).as_deref(), Ok(&data[..]));
        }
        (Some(Value::String(text)), _) if !event.is_json() => assert_eq!(&data[..], text.as_bytes()),
        (Some(value), _) => {
            let read = serde_json::from_slice::<Value>(data);
            assert_eq!(read.ok().as_ref(), Some(value));
        }
        none => panic!("data out of nothing: {none:?}"),
    }
}

/// The way to the other library's type and back ends in an event of the same identity, or in a clear refusal.
fn is_fit_for_the_sdk(event: &Event) {
    match Event::try_from(cloudevents::Event::from(event)) {
        Ok(back) => {
            assert_eq!(
                (back.id(), back.source(), back.event_type()),
                (event.id(), event.source(), event.event_type())
            );
        }
        Err(error) => is_message(&error.to_string(), LONGEST_MESSAGE),
    }
}
