//! Bumblebee: the `spec` of a transformation as JSON, and in the second part of the input an event as JSON.

use bumblebee::{Error, MAX_BYTES, Transformation};
use common::{Event, event::json::from_slice};
use serde_json::{Value, value::RawValue};

use crate::{event, is_message, parts};

/// A few steps can make much of little; what is larger is not written in every mode.
const LARGE: usize = 1 << 20;

/// Of the event that is taken where the input has none.
const DATA: &str =
    r#"{"user":{"name":"Ann","tags":["a","b"]},"text":"{\"n\":1.50}","n":12345678901234567890}"#;

/// Compiles a specification and applies it; what comes out is a valid event with JSON in it, the same each time.
pub fn bumblebee(data: &[u8]) {
    let Some((text, event)) = parts(data) else { return };
    let Ok(spec) = serde_json::from_str::<Value>(text) else { return };
    let section = |name: &str| spec.get(name).cloned().unwrap_or_default();
    let transformation = match Transformation::new(&section("context"), &section("data")) {
        Ok(transformation) => transformation,
        Err(problems) => {
            assert!(!problems.is_empty(), "no transformation and no problem");
            return problems.iter().for_each(|problem| is_message(&problem.to_string(), 700));
        }
    };
    transformation.warnings().iter().for_each(|warning| is_message(&warning.to_string(), 700));
    let Some(event) = from_slice(event.to_owned().into()).ok().or_else(default_event) else { return };

    let mut left_out = Vec::new();
    let result = transformation.apply_observed(event.clone(), |place, reason| {
        assert!(place.starts_with("context[") || place.starts_with("data["), "{place}");
        left_out.push((place.to_owned(), reason.label()));
    });
    assert_eq!(transformation.apply(event.clone()).map(lasting), result.clone().map(lasting));
    match result {
        Ok(transformed) => {
            let is_json = |event: &Event| {
                event.data().is_none_or(|data| serde_json::from_slice::<&RawValue>(data).is_ok())
            };
            assert!(is_json(&transformed) || !is_json(&event), "no JSON any more: {:?}", transformed.data());
            assert!(
                transformed.size() <= MAX_BYTES + event.size() + text.len(),
                "{} bytes",
                transformed.size()
            );
            if transformed.size() <= LARGE {
                event::survives(&transformed);
            }
        }
        Err(Error::ContentType(_)) => assert_ne!(event.data_content_type(), Some("application/json")),
        Err(error) => is_message(&error.to_string(), 700),
    }
}

/// What is the same each time: an event that lost its id or time gets a fresh one.
fn lasting(mut event: Event) -> Option<Event> {
    event.remove("time");
    event.set("id", "any").ok()?;
    Some(event)
}

fn default_event() -> Option<Event> {
    let mut event = Event::new("1", "/docs", "login").ok()?;
    event.set("region", "eu").ok()?;
    event.set_data("application/json", DATA).ok()?;
    Some(event)
}
