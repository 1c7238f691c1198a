//! T: what a target or a broker takes.

use std::sync::Arc;

use kit::{Event, Failure, Harness, Request, Response, World, ensure};
use serde_json::Value;

/// Asserts a success that a broker may take for one: nothing, or one valid event.
pub fn sound_success(answer: &Response) -> Result<Option<Event>, Failure> {
    let shown = || format!("{} {:?} {}", answer.status, answer.headers, answer.text());
    ensure(matches!(answer.status, 200 | 202 | 204), shown)?;
    if !answer.body.is_empty() {
        ensure(answer.status == 200, shown)?;
        return answer.event().map(Some).map_err(|error| format!("{error}: {}", shown()));
    }
    if answer.status == 200 && answer.headers.get("ce-id").is_some() {
        return answer.event().map(Some).map_err(|error| format!("{error}: {}", shown()));
    }
    let bare = !answer.headers.iter().any(|(name, _)| name.starts_with("ce-"));
    ensure(bare, shown)?;
    Ok(None)
}

/// T1.
pub fn modes(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    let mut sent = 0;
    let mut take = |request: &Request, count: usize, what: &str| {
        let answer = running.send(request)?;
        ensure(answer.is_success(), || format!("{what}: {} {}", answer.status, answer.text()))?;
        sent += count;
        running.wait_for_arrivals(sent).map_err(|error| format!("{what}: {error}"))
    };
    for (number, example) in (0..).step_by(10).zip(&harness.examples) {
        take(&example.binary(number), 1, "binary")?;
        let text = example.to_json(number + 1).to_string();
        for media_type in [
            "application/cloudevents+json",
            "application/cloudevents+json; charset=utf-8",
            "Application/CloudEvents+JSON; charset=UTF-8",
        ] {
            take(&Request::post("/").body(media_type, text.clone()), 1, media_type)?;
        }
        let batch: Vec<_> = (number + 2..number + 5).map(|number| example.to_json(number)).collect();
        let batch =
            Request::post("/").body("application/cloudevents-batch+json", Value::from(batch).to_string());
        take(&batch, 3, "a batch")?;
    }
    let empty = Request::post("/").body("application/cloudevents-batch+json", "[]");
    take(&empty, 0, "an empty batch")
}

/// T4.
pub fn success(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    for (number, example) in (0..).zip(&harness.examples) {
        for request in [example.binary(number), example.structured(number)] {
            sound_success(&running.send(&request)?)?;
            sound_success(&running.send(&request.header("Prefer", "reply"))?)?;
        }
    }
    Ok(())
}

/// T6.
pub fn methods(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    let options = Request::new("OPTIONS", "/")
        .header("WebHook-Request-Origin", "eventemitter.example.com")
        .header("WebHook-Request-Rate", "120");
    let answer = running.send(&options)?;
    let field = |name: &str| answer.headers.get(name).unwrap_or_default().to_owned();
    ensure(answer.status == 200, || format!("OPTIONS: {}", answer.status))?;
    ensure(field("allow").contains("POST"), || format!("OPTIONS: allow {:?}", field("allow")))?;
    let origin = field("webhook-allowed-origin");
    ensure(matches!(origin.as_str(), "*" | "eventemitter.example.com"), || {
        format!("allowed origin {origin:?}")
    })?;
    let rate = field("webhook-allowed-rate");
    ensure(rate == "*" || rate.parse::<u64>().is_ok(), || format!("allowed rate {rate:?}"))?;
    for method in ["GET", "PUT", "DELETE", "PATCH"] {
        let answer = running.send(&Request::new(method, "/"))?;
        ensure(answer.status == 405, || format!("{method}: {}", answer.status))?;
        let allow = answer.headers.get("allow").unwrap_or_default();
        ensure(allow.contains("POST"), || format!("{method}: allow {allow:?}"))?;
    }
    Ok(())
}

/// T7.
pub fn fifty_at_once(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    let example = running.example()?;
    let asking: Vec<_> = (0..50).map(|number| example.binary(number).send_later(running.address)).collect();
    for asked in asking {
        let answer = kit::answer(asked)?;
        ensure(answer.is_success(), || format!("{} {}", answer.status, answer.text()))?;
    }
    running.wait_for_arrivals(50)
}

/// T10.
pub fn opaque(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    let bytes: Vec<u8> = (0..=255).cycle().take(65_536).collect();
    let bodies: [(Option<&str>, Vec<u8>); 7] = [
        (Some("application/vnd.apache.thrift.binary"), bytes.clone()),
        (Some("application/xml"), b"<not closed".to_vec()),
        (Some("application/json"), b"{ \"spaces\" :  1.0, \"big\": 12345678901234567890123 }".to_vec()),
        (Some("application/json"), b"{not json".to_vec()),
        (Some("text/plain; charset=iso-8859-1"), b"caf\xe9".to_vec()),
        (Some("application/octet-stream"), vec![0]),
        (None, b"no media type".to_vec()),
    ];
    for (number, (media_type, body)) in (0..).zip(bodies) {
        let mut request = running.example()?.binary(number);
        request.headers.retain(|(name, _)| name != "Content-Type");
        request.headers.extend(media_type.map(|value| ("Content-Type".to_owned(), value.to_owned())));
        request.body.clone_from(&body);
        let answer = running.send(&request)?;
        ensure(answer.is_success(), || format!("{media_type:?}: {} {}", answer.status, answer.text()))?;
        kit::eventually(&format!("a body of {media_type:?}, byte for byte"), || {
            running.arrived().ok()?.contains(&body).then_some(())
        })?;
    }
    Ok(())
}
