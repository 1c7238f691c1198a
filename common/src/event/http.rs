//! The HTTP binding: requests and responses to events and back, in binary, structured and batch mode.
//!
//! Facts: CloudEvents 1.0.2, HTTP protocol binding. Bodies are shared, never copied; the attribute values of a binary
//! event are slices of one buffer.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header::CONTENT_TYPE};
use smallvec::SmallVec;

use super::{Event, InvalidEvent, SPEC_VERSION, header, json, names, validate::Short};
use crate::Text;

pub use super::header::HeaderDecode;

/// The media type of one event in structured mode.
pub const STRUCTURED: &str = "application/cloudevents+json";
/// The media type of a batch.
pub const BATCH: &str = "application/cloudevents-batch+json";

/// Bytes of attributes above which [`Mode::Auto`] turns to structured mode: many servers stop at 8 KiB of headers.
const HEADER_BYTES: usize = 6 * 1024;

/// What a message held.
#[derive(Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one event is the rule; a box would cost it an allocation")]
pub enum Decoded {
    /// One event, in binary or structured mode.
    One(Event),
    /// A batch, possibly empty.
    Batch(Vec<Event>),
}

/// How an event is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Binary, but structured when a value would need percent-encoding (few SDKs decode it) or the headers would
    /// become too large.
    #[default]
    Auto,
    /// Binary, values percent-encoded where they must be. Structured all the same when the data is itself of a
    /// CloudEvents media type, because no reader could tell such a binary event from a structured one.
    Binary,
    /// One JSON document.
    Structured,
}

/// Why a message is no event. The text is one sentence of at most 700 bytes and quotes nothing of the payload.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// Neither an attribute in the headers nor a structured content type.
    #[error("not a CloudEvent: neither 'ce-' headers nor content type {STRUCTURED} or {BATCH}")]
    NoEvent,
    /// A CloudEvents format other than JSON.
    #[error("content type '{}' is not supported: use {STRUCTURED}, {BATCH} or binary mode", Short(.0))]
    Format(String),
    /// A header that stands twice.
    #[error("header '{0}' stands twice")]
    Duplicate(HeaderName),
    /// `ce-datacontenttype`, which the binding forbids.
    #[error("header 'ce-datacontenttype' is not allowed: the content type of the data is in 'content-type'")]
    DataContentType,
    /// A value that is not UTF-8 after percent-decoding, or not printable in `content-type`.
    #[error("header '{}' is not valid UTF-8 after decoding", Short(.0.as_str()))]
    Encoding(HeaderName),
    /// A broken rule of the specification.
    #[error(transparent)]
    Event(#[from] InvalidEvent),
    /// A structured event or batch that is malformed.
    #[error(transparent)]
    Json(#[from] json::InvalidJson),
}

impl DecodeError {
    /// The answer's status: 415 when the message is in no form that is understood, else 400.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoEvent | Self::Format(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// Reads the event or the batch that a message carries.
///
/// # Errors
/// What is wrong with the message, for its sender.
pub fn decode(headers: &HeaderMap, body: Bytes, header_decode: HeaderDecode) -> Result<Decoded, DecodeError> {
    let mut content_types = headers.get_all(CONTENT_TYPE).iter();
    let content_type = content_types.next().map(HeaderValue::as_bytes).unwrap_or_default();
    if content_types.next().is_some() {
        return Err(DecodeError::Duplicate(CONTENT_TYPE));
    }
    if !is_cloudevents(content_type) {
        return binary(headers, body, header_decode).map(Decoded::One);
    }
    let essence = content_type.split(|b| *b == b';').next().unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(BATCH.as_bytes()) {
        Ok(Decoded::Batch(json::batch_from_slice(body)?))
    } else if essence.eq_ignore_ascii_case(STRUCTURED.as_bytes()) {
        Ok(Decoded::One(json::from_slice(body)?))
    } else {
        Err(DecodeError::Format(String::from_utf8_lossy(essence).into_owned()))
    }
}

/// Writes one event. Never fails: what no header can carry is percent-encoded or makes the message structured.
#[must_use]
pub fn encode(event: &Event, mode: Mode) -> (HeaderMap, Bytes) {
    let binary = match mode {
        Mode::Structured => false,
        Mode::Binary => !carries_event(event),
        Mode::Auto => !carries_event(event) && fits_headers(event),
    };
    if binary {
        let body = event.data().cloned().unwrap_or_default();
        // In mode auto every value was just seen to fit as it is.
        return (binary_headers(event, mode == Mode::Binary), body);
    }
    (content_type(STRUCTURED), json::to_vec(event).into())
}

/// Writes a batch.
#[must_use]
pub fn encode_batch(events: &[Event]) -> (HeaderMap, Bytes) {
    (content_type(BATCH), json::batch_to_vec(events).into())
}

/// Where one attribute stands in the buffer: its name unless that is well known, then its value.
struct Part<'a> {
    known: Option<Text>,
    header: &'a HeaderName,
    name: usize,
    value: usize,
    end: usize,
}

fn binary(headers: &HeaderMap, body: Bytes, header_decode: HeaderDecode) -> Result<Event, DecodeError> {
    let carries = |name: &HeaderName| name.as_str().starts_with("ce-") || *name == CONTENT_TYPE;
    let wanted = || headers.iter().filter(|(name, _)| carries(name));
    if wanted().all(|(name, _)| *name == CONTENT_TYPE) {
        return Err(DecodeError::NoEvent);
    }
    let mut buffer =
        BytesMut::with_capacity(wanted().map(|(name, value)| name.as_str().len() + value.len()).sum());
    let mut parts = SmallVec::<[Part; 8]>::new();
    for (header, value) in wanted() {
        let (attribute, how) = match header.as_str().strip_prefix("ce-") {
            Some("datacontenttype") => return Err(DecodeError::DataContentType),
            Some(attribute) => (attribute, header_decode),
            None if value.is_empty() => continue,
            None => ("datacontenttype", HeaderDecode::Raw),
        };
        let known = names::known(attribute).map(|known| Text::from_static(known.attribute));
        let name = buffer.len();
        if known.is_none() {
            buffer.extend_from_slice(attribute.as_bytes());
        }
        let value_start = buffer.len();
        header::decode(value.as_bytes(), how, &mut buffer);
        parts.push(Part { known, header, name, value: value_start, end: buffer.len() });
    }
    let buffer = buffer.freeze();
    let mut attributes = SmallVec::<[(Text, Text); 8]>::new();
    for part in parts {
        let text = |from, to| {
            Text::from_utf8(buffer.slice(from..to)).ok_or_else(|| DecodeError::Encoding(part.header.clone()))
        };
        let value = text(part.value, part.end)?;
        let name = part.known.map_or_else(|| text(part.name, part.value), Ok)?;
        attributes.push((name, value));
    }
    Ok(Event::from_attributes(attributes, (!body.is_empty()).then_some(body))?)
}

fn binary_headers(event: &Event, percent: bool) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(16);
    if let Some(version) = names::known("specversion") {
        headers.append(version.header.clone(), HeaderValue::from_static(SPEC_VERSION));
    }
    for (name, value) in event.attributes() {
        let header = names::known(name).map(|known| known.header.clone()).or_else(|| {
            let mut header = SmallVec::<[u8; 64]>::from_slice(b"ce-");
            header.extend_from_slice(name.as_bytes());
            HeaderName::from_bytes(&header).ok()
        });
        let shared = if percent && *name != "datacontenttype" && header::needs_encoding(value) {
            Bytes::from(header::encode(value))
        } else {
            value.bytes().clone()
        };
        // An event's names and values, encoded, are always fit for headers; there is nothing to lose here.
        if let (Some(header), Ok(value)) = (header, HeaderValue::from_maybe_shared(shared)) {
            headers.append(header, value);
        }
    }
    headers
}

fn content_type(media_type: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers
}

/// Whether the media type is one of CloudEvents, of whatever format; batches too. White space before it counts for
/// nothing: no receiver sees any in front of a header's value.
fn is_cloudevents(content_type: &[u8]) -> bool {
    const PREFIX: &[u8] = b"application/cloudevents";
    content_type
        .trim_ascii_start()
        .get(..PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}

fn carries_event(event: &Event) -> bool {
    event.data_content_type().is_some_and(|media_type| is_cloudevents(media_type.as_bytes()))
}

fn fits_headers(event: &Event) -> bool {
    let mut size = 0;
    event.attributes().all(|(name, value)| {
        size += name.len() + value.len();
        size <= HEADER_BYTES && (*name == "datacontenttype" || !header::needs_encoding(value))
    })
}
