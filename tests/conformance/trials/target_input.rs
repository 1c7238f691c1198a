//! T: malformed events, and header values in every spelling.

use std::sync::Arc;

use kit::{Failure, Harness, Request, World, ensure};
use serde_json::{Value, json};

/// Sets one field of a good request to something else, `None` to take it away.
fn with(request: &Request, name: &str, value: Option<&str>) -> Request {
    let mut request = request.clone();
    request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    request.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    request
}

/// Requests that carry no valid event in binary mode.
fn binary_mistakes(good: &Request) -> Vec<(String, Request)> {
    let mut all = Vec::new();
    for name in ["ce-id", "ce-source", "ce-type", "ce-specversion"] {
        all.push((format!("no {name}"), with(good, name, None)));
        all.push((format!("empty {name}"), with(good, name, Some(""))));
    }
    for (name, value) in [
        ("ce-specversion", "9000.1"),
        ("ce-specversion", "19.0"),
        ("ce-specversion", "0.3"),
        ("ce-subject", "%C0%A0"),
        ("ce-subject", "%FF"),
        ("ce-subject", "%00"),
        ("ce-subject", ""),
        ("ce-time", "yesterday"),
        ("ce-dataschema", "no uri"),
        ("ce-bad_name", "x"),
        ("ce-bad-name", "x"),
    ] {
        all.push((format!("{name}: {value}"), with(good, name, Some(value))));
    }
    all.push(("two ce-id".to_owned(), good.clone().header("ce-id", "another")));
    all.push(("two ce-id alike".to_owned(), good.clone().header("CE-ID", "kit-0")));
    all
}

/// Bodies that are no valid event in structured mode.
fn structured_mistakes(good: &Value) -> Vec<String> {
    let change = |name: &str, value: Option<Value>| {
        let mut event = good.clone();
        if let Some(members) = event.as_object_mut() {
            members.remove(name);
            members.extend(value.map(|value| (name.to_owned(), value)));
        }
        event.to_string()
    };
    let mut all = vec![
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "7".to_owned(),
        format!("{good} trailing"),
        change("id", Some(json!({"an": "object"}))),
        change("specversion", Some("9000.1".into())),
        change("Bad_Name", Some("x".into())),
        change("data_base64", Some("not base64!".into())),
        // Deep enough to end a parser that follows it down.
        format!("{{\"data\":{}", "[".repeat(200_000)),
    ];
    for name in ["id", "source", "type", "specversion"] {
        all.push(change(name, None));
        all.push(change(name, Some("".into())));
    }
    all
}

/// T2.
pub fn malformed_events(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    let example = running.example()?;
    let refused = |what: &str, request: &Request, status: u16| {
        let answer = running.send(request).map_err(|error| format!("{what}: {error}"))?;
        ensure(answer.status == status, || format!("{what}: {} {}", answer.status, answer.text()))?;
        ensure(answer.body.len() <= 768, || format!("{what}: a body of {} bytes", answer.body.len()))
    };
    let plain = running.send(&Request::post("/").json(&json!({"no": "event"})))?;
    ensure(matches!(plain.status, 400 | 415), || format!("no event at all: {}", plain.status))?;
    for (what, request) in binary_mistakes(&example.binary(0)) {
        refused(&what, &request, 400)?;
    }
    let good = example.to_json(0);
    for text in structured_mistakes(&good) {
        let what: String = text.chars().take(200).collect();
        refused(&what, &Request::post("/").body("application/cloudevents+json", text), 400)?;
    }
    for text in
        ["", "{}", "[", "[7]", "[{}]"].map(str::to_owned).into_iter().chain([format!("[{good},{{}}]")])
    {
        let what = format!("a batch of {text}");
        refused(&what, &Request::post("/").body("application/cloudevents-batch+json", text), 400)?;
    }
    for media_type in ["application/cloudevents+avro", "application/cloudevents-batch+xml"] {
        refused(media_type, &Request::post("/").body(media_type, good.to_string()), 415)?;
    }
    ensure(running.arrived()?.is_empty(), || format!("arrived: {:?}", running.arrived()))?;
    let answer = running.send(&example.binary(1))?;
    ensure(answer.is_success(), || format!("the next good event: {}", answer.status))?;
    running.wait_for_arrivals(1)?;
    ensure(running.arrived()?.len() == 1, || format!("arrived: {:?}", running.arrived()))
}

/// T3.
pub fn percent_coding(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    let example = running.example()?;
    for (number, (written, meant)) in (0..).zip([
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("Euro%20%e2%82%ac", "Euro €"),
        ("\"quoted text\"", "quoted text"),
        ("\"with \\\"marks\\\"\"", "with \"marks\""),
        ("raw spaces", "raw spaces"),
        ("raw € 😀", "raw € 😀"),
        ("100%", "100%"),
        ("100%zz", "100%zz"),
        ("%41%2542", "A%42"),
    ]) {
        let request = example.binary(number).header("ce-subject", written).header("ce-kitextension", written);
        let answer = running.send(&request)?;
        ensure(answer.is_success(), || format!("{written}: {} {}", answer.status, answer.text()))?;
        let id = format!("kit-{number}");
        if running.events().is_none() {
            continue;
        }
        let event = kit::eventually(&format!("the event {written}"), || {
            running.events()?.ok()?.into_iter().find(|event| event.get("id") == id)
        })
        .map_err(|error| format!("{error}: {:?}", running.events()))?;
        for name in ["subject", "kitextension"] {
            ensure(event.get(name) == meant, || format!("{name}: {written} became {:?}", event.get(name)))?;
        }
    }
    Ok(())
}
