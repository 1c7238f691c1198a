//! What holds for every event that was read, from wherever.

use ::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use bytes::Bytes;
use common::{
    Event,
    event::{
        header::needs_encoding,
        http::{Decoded, HeaderDecode, Mode, STRUCTURED, decode, encode, encode_batch},
        is_attribute_name, is_json_media_type,
    },
};
use serde_json::value::RawValue;

/// More than a binary event's headers have for themselves in mode auto.
const HEADER_BYTES: usize = 8 * 1024;

/// Checks that the event is valid and survives being written and read in each mode.
pub(crate) fn survives(event: &Event) {
    is_valid(event);
    let expected = canonical(event);
    for mode in [Mode::Auto, Mode::Binary, Mode::Structured] {
        let (headers, body) = encode(event, mode);
        is_well_formed(event, mode, &headers, &body);
        let headers = on_the_wire(&headers);
        let read = match decode(&headers, body.clone(), HeaderDecode::Spec) {
            Ok(Decoded::One(read)) => read,
            other => panic!("{mode:?}: {event:?} was written as {headers:?} and read as {other:?}"),
        };
        assert_eq!(canonical(&read), expected, "{mode:?}");
        // What was read once changes no more.
        let (again_headers, again_body) = encode(&read, mode);
        assert_eq!(
            (sorted(&on_the_wire(&again_headers)), &again_body),
            (sorted(&headers), &body),
            "{mode:?}"
        );
    }
}

/// Checks that events survive together what each survives alone.
pub(crate) fn survive(events: &[Event]) {
    events.iter().for_each(is_valid);
    let (headers, body) = encode_batch(events);
    match decode(&headers, body, HeaderDecode::Spec) {
        Ok(Decoded::Batch(read)) => {
            let canonical = |events: &[Event]| events.iter().map(canonical).collect::<Vec<_>>();
            assert_eq!(canonical(&read), canonical(events));
        }
        other => panic!("{events:?} were read as {other:?}"),
    }
}

fn is_valid(event: &Event) {
    assert!(
        !event.id().is_empty() && !event.source().is_empty() && !event.event_type().is_empty(),
        "{event:?}"
    );
    let mut names: Vec<&str> = event.attributes().map(|(name, _)| name.as_str()).collect();
    for (name, value) in event.attributes() {
        assert!(is_attribute_name(name), "{name:?}");
        assert!(!value.chars().any(char::is_control), "{name}: {value:?}");
        assert_eq!(event.get(name), Some(value.as_str()));
    }
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "twice in {names:?}");
    assert_eq!(event.get("specversion"), Some("1.0"));
}

/// What must hold of every message, whoever reads it.
fn is_well_formed(event: &Event, mode: Mode, headers: &HeaderMap, body: &Bytes) {
    let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if media_type == STRUCTURED.as_bytes() {
        assert!(serde_json::from_slice::<&RawValue>(body).is_ok(), "no JSON: {body:?}");
        // The longest escape is six bytes for one.
        assert!(body.len() <= 6 * event.size() + 8 * headers_of(event) + 128, "{} bytes", body.len());
        return;
    }
    assert_ne!(mode, Mode::Structured);
    assert_eq!(headers.len(), headers_of(event));
    let mut size = 0;
    for (name, value) in headers {
        let value = value.to_str().unwrap_or_else(|_| panic!("{name} is not printable: {value:?}"));
        size += name.as_str().len() + value.len();
        match name.as_str().strip_prefix("ce-") {
            Some(attribute) => {
                let spaces = value.contains([' ', '"']);
                assert!(
                    !spaces && is_attribute_name(attribute) || attribute == "specversion",
                    "{name}: {value:?}"
                );
                if mode == Mode::Auto {
                    let plain = event.get(attribute).is_some_and(|value| !needs_encoding(value));
                    assert!(plain, "{name}: {value:?}");
                }
            }
            None => assert_eq!(*name, CONTENT_TYPE),
        }
    }
    assert!(mode == Mode::Binary || size <= HEADER_BYTES, "{size} bytes of headers");
}

/// A header for each attribute, and `ce-specversion`.
fn headers_of(event: &Event) -> usize {
    event.attributes().count() + 1
}

/// White space around a field's value does not reach its reader (RFC 9110, section 5.5).
fn on_the_wire(headers: &HeaderMap) -> HeaderMap {
    let trim =
        |value: &HeaderValue| HeaderValue::from_bytes(value.as_bytes().trim_ascii()).unwrap_or(value.clone());
    headers.iter().map(|(name, value)| (name.clone(), trim(value))).collect()
}

fn sorted(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    let mut headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    headers.sort_unstable();
    headers
}

/// The event as any form carries it: an empty body is none in binary mode, white space around a JSON document is not
/// written in structured mode, and none around a media type arrives.
fn canonical(event: &Event) -> Event {
    let mut event = event.clone();
    if let Some(media_type) = event.data_content_type().map(|media_type| media_type.trim_ascii().to_owned()) {
        assert!(event.set("datacontenttype", media_type).is_ok());
    }
    let is_json = event.data_content_type().is_some_and(is_json_media_type);
    let data = event.data().filter(|data| !data.is_empty()).cloned();
    let data = data.map(|data| match serde_json::from_slice::<&RawValue>(&data) {
        Ok(raw) if is_json => data.slice_ref(raw.get().as_bytes()),
        _ => data,
    });
    event.replace_data(data);
    event
}
