//! The JSON format: one event and batches of them (CloudEvents 1.0.2, JSON event format).
//!
//! Payloads pass as they stand: a JSON value is a slice of the message, whatever its depth, numbers or key order.
//! Attributes are read from the text itself, so that nothing depends on how serde_json represents numbers or maps.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use serde_json::value::RawValue;

use super::{Event, InvalidEvent, SPEC_VERSION, is_json_media_type, members};

/// Why a JSON text is no event. The text quotes nothing of the payload.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidJson {
    /// No JSON at all.
    #[error("the body is not valid JSON: {0}")]
    Syntax(String),
    /// JSON, but not an object, or in a batch not an array of objects.
    #[error("the body is not {0}")]
    Shape(&'static str),
    /// Both members that hold a payload.
    #[error("'data' and 'data_base64' must not stand together")]
    TwoData,
    /// `data_base64` that is not base64 text.
    #[error("'data_base64' is not a base64 string")]
    Base64,
    /// `data` that is a string with a broken escape.
    #[error("'data' holds an escape that stands for no character")]
    Escape,
    /// A broken rule of the specification.
    #[error(transparent)]
    Event(#[from] InvalidEvent),
    /// A bad event in a batch.
    #[error("event {index} of the batch: {problem}")]
    Element {
        /// Its place, counted from 0.
        index: usize,
        /// What is wrong with it.
        problem: Box<InvalidJson>,
    },
}

/// Reads one event.
///
/// # Errors
/// When it is no JSON object or breaks a rule of the specification.
pub fn from_slice(body: Bytes) -> Result<Event, InvalidJson> {
    members::event(&body)
}

/// Reads a batch.
///
/// # Errors
/// When it is no JSON array or one of its events is bad.
pub fn batch_from_slice(body: Bytes) -> Result<Vec<Event>, InvalidJson> {
    members::batch(&body)
}

/// Writes one event: `specversion`, `id`, `source`, `type`, the other attributes in their order, the payload.
///
/// JSON white space around a JSON payload is not written.
#[must_use]
pub fn to_vec(event: &Event) -> Vec<u8> {
    let mut out = Vec::with_capacity(capacity(event));
    write(&mut out, event);
    out
}

/// Writes a batch.
#[must_use]
pub fn batch_to_vec(events: &[Event]) -> Vec<u8> {
    let mut out = Vec::with_capacity(2 + events.iter().map(capacity).sum::<usize>());
    out.push(b'[');
    for (index, event) in events.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(&mut out, event);
    }
    out.push(b']');
    out
}

/// Enough for an event with few escapes; more is grown into.
fn capacity(event: &Event) -> usize {
    event.size() + event.attributes().count() * 6 + 64
}

fn write(out: &mut Vec<u8>, event: &Event) {
    out.extend_from_slice(b"{\"specversion\":");
    string(out, SPEC_VERSION);
    for name in ["id", "source", "type"] {
        attribute(out, name, event.get(name).unwrap_or_default());
    }
    for (name, value) in event.attributes() {
        if !matches!(name.as_str(), "id" | "source" | "type") {
            attribute(out, name, value);
        }
    }
    if let Some(data) = event.data() {
        payload(out, event.data_content_type(), data);
    }
    out.push(b'}');
}

fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b',');
    string(out, name);
    out.push(b':');
    string(out, value);
}

/// A JSON payload as the value itself, other text as a string, everything else as base64.
///
/// Without a content type the payload is unknown, which only `data_base64` can say.
fn payload(out: &mut Vec<u8>, content_type: Option<&str>, data: &[u8]) {
    if let Some(content_type) = content_type {
        if is_json_media_type(content_type) {
            if let Ok(raw) = serde_json::from_slice::<&RawValue>(data) {
                out.extend_from_slice(b",\"data\":");
                return out.extend_from_slice(raw.get().as_bytes());
            }
        } else if let (true, Ok(text)) = (is_unicode(content_type), std::str::from_utf8(data)) {
            out.extend_from_slice(b",\"data\":");
            return string(out, text);
        }
    }
    out.extend_from_slice(b",\"data_base64\":\"");
    out.extend_from_slice(STANDARD.encode(data).as_bytes());
    out.push(b'"');
}

/// Whether a text of this media type is UTF-8, as far as it says.
fn is_unicode(content_type: &str) -> bool {
    let charset = content_type.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    charset.is_none_or(|charset| {
        ["utf-8", "utf8", "us-ascii"].iter().any(|unicode| charset.eq_ignore_ascii_case(unicode))
    })
}

fn string(out: &mut Vec<u8>, text: &str) {
    // Text into memory: neither can fail.
    let _written = serde_json::to_writer(out, text);
}
