//! What callers are told: by status code, and by the category events of the original images where they are asked for.

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;

use super::Frame;
use crate::{
    Event, Text,
    adapter::{Answer, answer, text_answer},
    error::Error,
    event::{self, http::Mode},
    frame::PayloadPolicy,
};

/// Longest text of an error: its base64 must fit into a dead letter's 1024 characters (K20).
const MAX_TEXT: usize = 768;

/// The server's form of an answer.
pub(super) fn respond(answer: Answer) -> Response<Body> {
    answer.map(Body::from)
}

/// An answer with a reply event.
pub(super) fn reply(event: &Event) -> Answer {
    let (headers, body) = event::http::encode(event, Mode::Auto);
    with_headers(headers, body)
}

/// An answer with several reply events, which only a batch can have asked for.
pub(super) fn replies(events: &[Event]) -> Answer {
    let (headers, body) = event::http::encode_batch(events);
    with_headers(headers, body)
}

fn with_headers(headers: http::HeaderMap, body: Bytes) -> Answer {
    let mut answer = Response::new(body);
    *answer.headers_mut() = headers;
    answer
}

/// The answer for a failure: permanent ones by their status, others with `Retry-After`, at most `RETRY_AFTER_MAX`.
fn failure(frame: &Frame, error: &Error) -> Answer {
    let mut answer = text_answer(error.status(), text(error));
    if !error.is_permanent() {
        let after = error.retry_after().map(|after| after.min(*frame.config.retry_after_max));
        let seconds = after.map_or(1, |after| after.as_secs_f64().ceil() as u64).max(1);
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// What a caller is told of it.
fn text(error: &Error) -> String {
    let mut text = error.chain();
    if let Some(detail) = error.detail() {
        text.push_str(": ");
        text.push_str(detail);
    }
    shortened(text)
}

fn shortened(mut text: String) -> String {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT - 3).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The answer to methods that bring no event: the handshake of the webhook specification, or 405.
pub(super) fn without_event(method: &Method) -> Answer {
    const ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
    const RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");
    let handshake = *method == Method::OPTIONS;
    let mut answer = answer(if handshake { StatusCode::OK } else { StatusCode::METHOD_NOT_ALLOWED });
    let headers = answer.headers_mut();
    headers.insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    if handshake {
        headers.insert(ORIGIN, HeaderValue::from_static("*"));
        headers.insert(RATE, HeaderValue::from_static("*"));
    }
    answer
}

/// The answer to a failed event under `EVENTS_PAYLOAD_POLICY`: what is permanent may be an event with category `error`.
pub(super) fn failed_event(frame: &Frame, event_type: &str, incoming: &Stateful, error: &Error) -> Answer {
    let wanted = matches!(
        frame.config.events_payload_policy,
        Some(PayloadPolicy::Always | PayloadPolicy::Error | PayloadPolicy::Errors)
    );
    if !wanted || !error.is_permanent() {
        return failure(frame, error);
    }
    category_event(frame, event_type, incoming, error)
        .map_or_else(|| failure(frame, error), |event| reply(&event))
}

/// The extensions that tie the events of one bridge together.
#[derive(Debug, Default)]
pub(super) struct Stateful {
    bridge: Option<Text>,
    id: Option<Text>,
}

impl Stateful {
    pub(super) fn of(event: &Event) -> Self {
        Self { bridge: event.text("statefulbridge").cloned(), id: event.text("statefulid").cloned() }
    }
}

fn category_event(frame: &Frame, event_type: &str, incoming: &Stateful, error: &Error) -> Option<Event> {
    let event_type = match error.event_type() {
        Some(event_type) => Text::from_static(event_type),
        None => Text::from(format!("{event_type}.response")),
    };
    let mut event = Event::new(event::new_id(), Text::from_static(frame.component), event_type).ok()?;
    event.set("time", event::now()).ok()?;
    event.set("category", Text::from_static("error")).ok()?;
    if let Some(bridge) = &frame.config.events_bridge_identifier {
        event
            .set("statefulbridge", incoming.bridge.clone().unwrap_or_else(|| bridge.as_str().into()))
            .ok()?;
        event.set("statefulid", incoming.id.clone().unwrap_or_else(event::new_id)).ok()?;
    }
    let details = error.detail().map(|detail| json!({"body": detail}));
    let data = json!({"Code": error.code(), "Description": text(error), "Details": details});
    event.set_data(Text::from_static("application/json"), data.to_string()).ok()?;
    Some(event)
}
