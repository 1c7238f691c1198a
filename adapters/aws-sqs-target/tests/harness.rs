//! What the conformance kit needs to know of the SQS target.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use kit::{Event, Example, Failure, Fault, Harness, Reply, World};
use peers::Queue;
use serde_json::{Value, json, value::RawValue};

/// What stands in the README for the queue of a trial.
const ARN: &str = "arn:aws:sqs:us-west-2:123456789012:orders";

/// Each event is a message in a queue of ElasticMQ.
pub fn harness() -> Harness {
    Harness::target(vec![
        Example::json("com.example.order", &json!({ "order": 1 })),
        Example::new("com.example.note", "text/plain", "hello"),
    ])
    .environment(|world| match queue(world) {
        Ok(queue) => {
            world.upstream.stand_before(queue.address());
            queue.settings(world.upstream.url(""))
        }
        Err(failure) => panic!("{failure}"),
    })
    .arrived(|running| bodies(running)?.iter().map(|body| payload(body)).collect())
    .events(|running| {
        let read = |body: &String| {
            let event: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
            Event::from_json(&event)
        };
        bodies(running)?.iter().map(read).collect()
    })
    .fault(|running, fault| {
        let code = match fault {
            Fault::Permanent => "InvalidMessageContents",
            Fault::Transient => "ThrottlingException",
        };
        let body = json!({ "__type": format!("com.amazonaws.sqs#{code}"), "message": "no" });
        running.upstream.always(
            Reply::status(400).header("Content-Type", "application/x-amz-json-1.0").body(body.to_string()),
        );
    })
    .malformed(Example::json("com.example.order", &json!("\u{ffff}")))
    .wrong(&[
        ("ARN", "arn:aws:s3:::orders"),
        ("AWS_MESSAGE_GROUP_ID", "not one"),
        ("AWS_DISCARD_CE_CONTEXT", "perhaps"),
    ])
    .varying(&[("/settings/ARN", ARN), ("/answers/event/source", ARN)])
}

fn queue(world: &World) -> Result<Arc<Queue>, Failure> {
    world.peer(|| Queue::standard(&json!({})))
}

fn bodies(world: &World) -> Result<Vec<String>, Failure> {
    let messages = queue(world)?.take()?;
    Ok(messages.iter().map(|message| message["Body"].as_str().unwrap_or_default().to_owned()).collect())
}

/// The data of an event in JSON format, byte for byte.
fn payload(body: &str) -> Result<Vec<u8>, Failure> {
    let members: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(body).map_err(|error| error.to_string())?;
    let text = |name: &str| {
        let value = members.get(name)?;
        serde_json::from_str::<String>(value.get()).ok()
    };
    if let Some(encoded) = text("data_base64") {
        return STANDARD.decode(encoded).map_err(|error| error.to_string());
    }
    let is_json = text("datacontenttype").is_some_and(|media_type| media_type.ends_with("json"));
    let data = members.get("data").ok_or("an event without data")?;
    match text("data") {
        Some(text) if !is_json => Ok(text.into_bytes()),
        _ => Ok(data.get().as_bytes().to_vec()),
    }
}
