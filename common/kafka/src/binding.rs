//! The Kafka protocol binding of CloudEvents 1.0.2, in and out:
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md>.
//!
//! In binary mode each attribute is a header `ce_<name>` (as text, not percent-encoded), `datacontenttype` is the header
//! `content-type`, and the value of the record is the data. In structured mode the value is the event in JSON.

#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::{Bytes, BytesMut};
use common::{Event, InvalidEvent, Text, event::json};
use rdkafka::message::{Header, Headers, OwnedHeaders};

/// The header with the media type of the value.
pub const CONTENT_TYPE: &str = "content-type";
/// The media type of an event in structured mode.
pub const STRUCTURED: &str = "application/cloudevents+json; charset=UTF-8";
const PREFIX: &str = "ce_";

/// A record as the binding sees it.
#[derive(Debug)]
pub struct Encoded {
    /// The value; `None` is a tombstone.
    pub value: Option<Bytes>,
    /// The headers.
    pub headers: OwnedHeaders,
}

/// Writes an event in binary mode. An event without data has the value given.
#[must_use]
pub fn binary(event: &Event, without_data: Option<Bytes>) -> Encoded {
    let mut headers = OwnedHeaders::new_with_capacity(event.attributes().count() + 1)
        .insert(Header { key: "ce_specversion", value: Some(common::event::SPEC_VERSION) });
    for (name, value) in event.attributes() {
        let value = Some(value.as_str());
        headers = match name.as_str() {
            "datacontenttype" => headers.insert(Header { key: CONTENT_TYPE, value }),
            "id" => headers.insert(Header { key: "ce_id", value }),
            "source" => headers.insert(Header { key: "ce_source", value }),
            "type" => headers.insert(Header { key: "ce_type", value }),
            "time" => headers.insert(Header { key: "ce_time", value }),
            name => headers.insert(Header { key: &format!("{PREFIX}{name}"), value }),
        };
    }
    Encoded { value: event.data().cloned().or(without_data), headers }
}

/// Writes an event in structured mode.
#[must_use]
pub fn structured(event: &Event) -> Encoded {
    let headers =
        OwnedHeaders::new_with_capacity(1).insert(Header { key: CONTENT_TYPE, value: Some(STRUCTURED) });
    Encoded { value: Some(json::to_vec(event).into()), headers }
}

/// The headers of a record as text; those that are none are left out.
///
/// The client panics when the name of a header is not UTF-8, which no client of Kafka's own writes: then there are none.
#[must_use]
pub fn texts<H: Headers>(headers: &H) -> Vec<(&str, &str)> {
    let read = || {
        let texts = headers.iter().filter_map(|header| {
            Some((header.key, std::str::from_utf8(header.value.unwrap_or_default()).ok()?))
        });
        texts.collect()
    };
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_default()
}

/// Why a record that says it is an event is none.
#[derive(Debug, thiserror::Error)]
pub enum InvalidRecord {
    /// In binary mode.
    #[error(transparent)]
    Binary(#[from] InvalidEvent),
    /// In structured mode.
    #[error(transparent)]
    Structured(#[from] json::InvalidJson),
}

/// Reads the event that a record holds; `None` when it does not say that it holds one. Headers that are not text count for
/// nothing.
///
/// # Errors
/// When it says so and is none.
pub fn decode(headers: &[(&str, &str)], value: Option<&Bytes>) -> Option<Result<Event, InvalidRecord>> {
    let content_type = find(headers, CONTENT_TYPE);
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if media_type.eq_ignore_ascii_case("application/cloudevents+json") {
        return Some(json::from_slice(value.cloned().unwrap_or_default()).map_err(InvalidRecord::from));
    }
    find(headers, "ce_specversion")?;
    Some(from_headers(headers, content_type, value).map_err(InvalidRecord::from))
}

fn find<'a>(headers: &[(&str, &'a str)], wanted: &str) -> Option<&'a str> {
    headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
}

/// All texts are slices of one buffer.
fn from_headers(
    headers: &[(&str, &str)],
    content_type: Option<&str>,
    value: Option<&Bytes>,
) -> Result<Event, InvalidEvent> {
    let attributes = headers.iter().filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?, *value)));
    let content_type = content_type.filter(|text| !text.is_empty()).map(|text| ("datacontenttype", text));
    let attributes = attributes.chain(content_type);
    let mut buffer =
        BytesMut::with_capacity(attributes.clone().map(|(name, value)| name.len() + value.len()).sum());
    for (name, value) in attributes.clone() {
        buffer.extend_from_slice(name.as_bytes());
        buffer.extend_from_slice(value.as_bytes());
    }
    let mut rest = buffer.freeze();
    let mut next = |text: &str| Text::from_utf8(rest.split_to(text.len())).unwrap_or_default();
    let attributes = attributes.map(|(name, value)| (next(name), next(value)));
    Event::from_attributes(attributes, value.filter(|value| !value.is_empty()).cloned())
}
