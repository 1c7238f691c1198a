//! The cases of the project `cloudevents/conformance` that need only HTTP (those for Kafka need an adapter for it): each
//! as a request to a display, and through a broker to a sink.

use kit::{Event, Failure, Request, Sink, ensure};
use serde_json::{Value, json};

use crate::Named;
use crate::adapters::Adapter;

pub const TRIALS: &[Named] = &[
    ("binary_json", || arrives(&binary("application/json"), "application/json")),
    ("binary_json_with_charset", || {
        arrives(&binary("application/json; charset=utf-8"), "application/json; charset=utf-8")
    }),
    ("structured_json", || arrives(&structured("application/cloudevents+json"), "application/json")),
    ("structured_json_with_charset", || {
        arrives(&structured("application/cloudevents+json; charset=utf-8"), "application/json")
    }),
];

const ATTRIBUTES: [(&str, &str); 5] = [
    ("id", "1234-1234-1234"),
    ("source", "/mycontext/subcontext"),
    ("specversion", "1.0"),
    ("time", "2018-04-05T03:56:24Z"),
    ("type", "com.example.someevent"),
];

fn data() -> Value {
    json!({"message": "Hello World!"})
}

fn binary(content_type: &str) -> Request {
    let request = Request::post("/").body(content_type, data().to_string());
    ATTRIBUTES.iter().fold(request, |request, (name, value)| request.header(&format!("ce-{name}"), value))
}

fn structured(content_type: &str) -> Request {
    let mut members: serde_json::Map<String, Value> =
        ATTRIBUTES.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    members.insert("datacontenttype".to_owned(), "application/json".into());
    members.insert("data".to_owned(), data());
    Request::post("/").body(content_type, Value::from(members).to_string())
}

fn arrives(request: &Request, content_type: &str) -> Result<(), Failure> {
    let check = |event: &Event| {
        let mut expected: Vec<_> = ATTRIBUTES.to_vec();
        expected.push(("datacontenttype", content_type));
        expected.sort_unstable();
        let found: Vec<_> =
            event.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        ensure(found == expected, || format!("{found:?}, expected {expected:?}"))?;
        ensure(event.json() == data(), || format!("data {:?}", String::from_utf8_lossy(&event.data)))
    };
    let display = Adapter::display(&[])?;
    display.accepts(request)?;
    check(&display.events(1)?[0])?;
    let sink = Sink::start()?;
    let broker = Adapter::broker(&sink.url("/in"))?;
    broker.accepts(request)?;
    check(&sink.wait_for(1)?[0].event()?)
}
