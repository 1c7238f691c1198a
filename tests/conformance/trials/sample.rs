//! S12 and T11: what an adapter's README shows of events is what passes through it. With `TRESTLE_SAMPLES=write` the
//! samples are written instead, as `cargo xtask sample` does.

use std::path::Path;
use std::sync::Arc;
use std::{env, fs};

use kit::{Failure, Harness, Request, Response, Running, Shape, World, ensure, payload};
use serde_json::{Map, Value, json};

use crate::describe;
use crate::targets::sound_success;

/// S12.
pub fn of_source(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    let mut sample = json!({"settings": settings(&running)?});
    if harness.shape == Shape::Webhook {
        let request = running.genuine(1)?;
        let answer = running.send(&request)?;
        ensure(answer.is_success(), || format!("{} {}", answer.status, answer.text()))?;
        sample["takes"] = shown(&request);
        sample["answers"] = json!({"status": answer.status});
    } else {
        running.provoke(1)?;
    }
    let first = running.sink.wait_for(1)?.swap_remove(0);
    sample["sends"] = first.event()?.to_json();
    keep(&running, sample)
}

/// T11.
pub fn of_target(harness: &Arc<Harness>) -> Result<(), Failure> {
    let running = World::new(harness)?.start()?;
    let mut event = running.example()?.to_json(1);
    event["id"] = "A234-1234-1234".into();
    event["source"] = "/shop".into();
    event["time"] = "2026-01-02T03:04:05Z".into();
    let answer = answered(&running, &event)?;
    running.wait_for_arrivals(1)?;
    let mut sample =
        json!({"settings": settings(&running)?, "takes": event, "answers": shown_answer(&answer)?});
    let delivered = match running.events() {
        Some(events) => events?.first().map(kit::Event::to_json),
        None => running.arrived()?.first().map(|bytes| payload(bytes)),
    };
    sample["delivers"] = delivered.ok_or("nothing arrived")?;
    if sample["answers"]["event"].is_null() && harness.shape == Shape::Target {
        let mut world = World::new(harness)?;
        world.set("EVENTS_PAYLOAD_POLICY", "always");
        let reply = shown_answer(&answered(&world.start()?, &event)?)?;
        if !reply["event"].is_null() {
            sample["answers_always"] = reply;
        }
    }
    keep(&running, sample)
}

fn answered(running: &Running, event: &Value) -> Result<Response, Failure> {
    running.send(&Request::post("/").body("application/cloudevents+json", event.to_string()))
}

fn shown_answer(answer: &Response) -> Result<Value, Failure> {
    let mut shown = json!({"status": answer.status});
    if let Some(event) = sound_success(answer)? {
        shown["event"] = event.to_json();
    }
    Ok(shown)
}

fn shown(request: &Request) -> Value {
    let headers: Map<String, Value> =
        request.headers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    json!({
        "method": request.method, "path": request.path, "headers": headers, "body": payload(&request.body),
    })
}

/// The environment without secrets, and without what is the trial's own: addresses and folders.
fn settings(running: &Running) -> Result<Value, Failure> {
    let variables = describe::all_variables(&running.harness)?;
    let is_secret = |name: &str| variables.iter().any(|variable| variable.name == name && variable.secret());
    let folder = running.folder().to_string_lossy().into_owned();
    let is_own = |value: &str| value.contains("127.0.0.1") || value.contains(&folder);
    let shown = running.environment().into_iter().filter(|(name, value)| !is_secret(name) && !is_own(value));
    Ok(shown.map(|(name, value)| (name, Value::from(value))).collect::<Map<_, _>>().into())
}

/// Compares the sample with the committed one, or writes it. That there is one is for `tests/repo` to see.
fn keep(running: &Running, mut sample: Value) -> Result<(), Failure> {
    running.settle(&mut sample)?;
    let text = format!("{sample:#}\n");
    let name = running.harness.name();
    let file =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../adapters").join(name).join("tests/sample.json");
    if env::var_os("TRESTLE_SAMPLES").is_some_and(|word| word == "write") {
        return fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()));
    }
    let committed = fs::read_to_string(&file).unwrap_or_else(|_| text.clone());
    ensure(committed == text, || {
        format!("adapters/{name}/tests/sample.json: cargo xtask sample {name} would write\n{text}")
    })
}
