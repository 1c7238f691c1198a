//! The bindings against the rules of the specification, and what the tests share.

mod decode;
mod encode;
mod json;
mod random;
mod rules;
mod sdk;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;

use super::{
    Event,
    http::{DecodeError, Decoded, HeaderDecode, decode},
};

/// The attributes that a binary event must have, as headers.
const REQUIRED: [(&str, &str); 4] =
    [("ce-specversion", "1.0"), ("ce-id", "A-1"), ("ce-source", "/s"), ("ce-type", "t")];

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(
            HeaderName::from_bytes(name.as_bytes()).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    headers
}

/// The required headers and these.
fn with(pairs: &[(&str, &str)]) -> HeaderMap {
    headers(&[&REQUIRED, pairs].concat())
}

fn decode_one(headers: &HeaderMap, body: impl Into<Bytes>) -> Result<Event, DecodeError> {
    match decode(headers, body.into(), HeaderDecode::Spec)? {
        Decoded::One(event) => Ok(event),
        Decoded::Batch(events) => panic!("a batch: {events:?}"),
    }
}

/// The event with the required attributes and these.
fn event(attributes: &[(&str, &str)], data: Option<&[u8]>) -> Event {
    let mut event = Event::new("A-1", "/s", "t").unwrap();
    for (name, value) in attributes {
        event.set(name, *value).unwrap();
    }
    event.replace_data(data.map(Bytes::copy_from_slice));
    event
}
