//! The SDK for Rust, `cloudevents-sdk`, as the other side, in structured mode and batches. Its HTTP binding is no peer:
//! it neither encodes nor decodes header values, and cannot read what it wrote itself.

use std::collections::BTreeMap;

use cloudevents::{
    AttributesReader, Data, Event as SdkEvent, EventBuilder, EventBuilderV10, event::ExtensionValue,
};
use kit::{Event, Failure, Request, Sink, ensure};
use serde_json::{Value, json};

use crate::Named;
use crate::adapters::Adapter;
use crate::cases::{Case, cases, check_all};

pub const TRIALS: &[Named] = &[
    ("it_sends_structured", it_sends_structured),
    ("it_sends_a_batch", it_sends_a_batch),
    ("it_receives_structured", it_receives_structured),
    ("it_receives_a_batch", it_receives_a_batch),
    ("what_is_known_of_it", what_is_known_of_it),
];

/// Builds the event of a case with the SDK's builder.
fn build(case: &Case) -> Result<SdkEvent, Failure> {
    let member = |name: &str| case.0[name].as_str();
    let text = |name: &str| member(name).unwrap_or_default().to_owned();
    let mut builder = EventBuilderV10::new().id(case.id()).source(text("Source")).ty(text("Type"));
    if let Some(subject) = member("Subject") {
        builder = builder.subject(subject);
    }
    if let Some(time) = member("Time") {
        builder = builder.time(time);
    }
    for (name, value) in case.0["Extensions"].as_object().into_iter().flatten() {
        builder = match value {
            Value::Bool(flag) => builder.extension(name, *flag),
            Value::Number(number) => builder.extension(name, number.as_i64().unwrap_or_default()),
            other => builder.extension(name, other.as_str().unwrap_or_default()),
        };
    }
    let data = match (&case.0["JSON"], &case.0["Binary"], member("Text")) {
        (_, _, Some(text)) => Some(Data::String(text.to_owned())),
        (_, Value::String(_), _) => Some(Data::Binary(case.expected().data)),
        (Value::Null, ..) => None,
        (json, ..) => Some(Data::Json(json.clone())),
    };
    if let Some(data) = data {
        builder = match member("DataSchema") {
            Some(schema) => builder.data_with_schema(text("DataContentType"), schema, data),
            None => builder.data(text("DataContentType"), data),
        };
    }
    builder.build().map_err(|error| format!("{}: {error}", case.id()))
}

fn it_sends_structured() -> Result<(), Failure> {
    let display = Adapter::display(&[])?;
    let cases = cases();
    for case in &cases {
        let body = serde_json::to_vec(&build(case)?).map_err(|error| error.to_string())?;
        display.accepts(&Request::post("/").body("application/cloudevents+json", body))?;
    }
    check_all(&cases, &display.events(cases.len())?)
}

fn it_sends_a_batch() -> Result<(), Failure> {
    let display = Adapter::display(&[])?;
    let cases = cases();
    let events: Vec<SdkEvent> = cases.iter().map(build).collect::<Result<_, _>>()?;
    let body = serde_json::to_vec(&events).map_err(|error| error.to_string())?;
    display.accepts(&Request::post("/").body("application/cloudevents-batch+json", body))?;
    check_all(&cases, &display.events(cases.len())?)
}

/// What the SDK read, in the common form.
fn told(event: &SdkEvent) -> Event {
    let mut attributes: BTreeMap<String, String> =
        event.iter_attributes().map(|(name, value)| (name.to_owned(), value.to_string())).collect();
    // It shows times with an offset in figures.
    if let Some(time) = event.time() {
        attributes.insert("time".to_owned(), time.to_rfc3339().replace("+00:00", "Z"));
    }
    for (name, value) in event.iter_extensions() {
        let text = match value {
            ExtensionValue::String(text) => text.clone(),
            ExtensionValue::Boolean(flag) => flag.to_string(),
            ExtensionValue::Integer(number) => number.to_string(),
        };
        attributes.insert(name.to_owned(), text);
    }
    let data = match event.data() {
        Some(Data::Binary(bytes)) => bytes.clone(),
        Some(Data::String(text)) => text.clone().into_bytes(),
        Some(Data::Json(json)) => json.to_string().into_bytes(),
        None => Vec::new(),
    };
    Event { attributes, data, structured: true }
}

/// A broker writes in structured mode what headers cannot carry as it is, so each case gets such an attribute.
fn it_receives_structured() -> Result<(), Failure> {
    let sink = Sink::start()?;
    let broker = Adapter::broker(&sink.url("/in"))?;
    let mut cases = cases();
    for case in &mut cases {
        case.0["Subject"] = "größe".into();
        broker.accepts(&case.request("/"))?;
    }
    let mut found = Vec::new();
    for request in sink.wait_for(cases.len())? {
        let media_type = request.headers.get("content-type").unwrap_or_default();
        ensure(media_type == "application/cloudevents+json", || format!("content type {media_type}"))?;
        let event: SdkEvent = serde_json::from_slice(&request.body)
            .map_err(|error| format!("{error} in {}", request.text()))?;
        found.push(told(&event));
    }
    check_all(&cases, &found)
}

/// The display's page is a batch.
fn it_receives_a_batch() -> Result<(), Failure> {
    let display = Adapter::display(&[])?;
    let cases = cases();
    for case in &cases {
        display.accepts(&case.request("/"))?;
    }
    let batch = Value::from(display.shown(cases.len())?);
    let events: Vec<SdkEvent> = serde_json::from_value(batch).map_err(|error| error.to_string())?;
    check_all(&cases, &events.iter().map(told).collect::<Vec<_>>())
}

/// Where version 0.9.0 departs from the specification. When one of these fails it has been mended, and the cases can
/// ask for more.
fn what_is_known_of_it() -> Result<(), Failure> {
    let read = |member: &str, value: Value| {
        let mut event = json!({"specversion": "1.0", "id": "1", "source": "/s", "type": "t"});
        event[member] = value;
        event
    };
    let parse = |event: &Value| serde_json::from_value::<SdkEvent>(event.clone());
    let known = |what: &str, holds: bool| ensure(holds, || format!("no longer so: {what}"));
    let mut json = read("datacontenttype", "APPLICATION/JSON".into());
    json["data"] = json!({"a": 1});
    known("the media type of JSON in upper case is not known", parse(&json).is_err())?;
    known("an empty id is taken", parse(&read("id", "".into())).is_ok())?;
    known("any name is taken", parse(&read("Bad_Name", "x".into())).is_ok())?;
    let schema = parse(&read("dataschema", "http://Example.com".into())).map(|event| told(&event));
    let schema = schema.map(|event| event.get("dataschema").to_owned()).unwrap_or_default();
    known("schemas are normalised", schema == "http://example.com/")?;
    let time = parse(&read("time", "2018-04-05T17:31:00+02:00".into())).map(|event| told(&event));
    let time = time.map(|event| event.get("time").to_owned()).unwrap_or_default();
    known("the offset of a time is lost", time == "2018-04-05T15:31:00Z")
}
