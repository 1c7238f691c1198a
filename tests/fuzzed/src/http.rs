//! The HTTP binding: header lines, an empty line, then the body.

use ::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use common::event::http::{Decoded, HeaderDecode, decode};

use crate::{event, is_message};

/// The longest answer that a sender gets.
const LONGEST_MESSAGE: usize = 700;

/// Reads a message in both ways of reading headers; what is an event survives being written in each mode.
pub fn http(data: &[u8]) {
    let (head, body) = match data.windows(2).position(|pair| pair == b"\n\n") {
        Some(end) => (&data[..end], &data[end + 2..]),
        None => (data, &[][..]),
    };
    let headers = headers(head);
    let body = Bytes::copy_from_slice(body);
    for how in [HeaderDecode::Spec, HeaderDecode::Raw] {
        match decode(&headers, body.clone(), how) {
            Ok(Decoded::One(event)) => event::survives(&event),
            Ok(Decoded::Batch(events)) => event::survive(&events),
            Err(error) => {
                is_message(&error.to_string(), LONGEST_MESSAGE);
                assert!(matches!(error.status().as_u16(), 400 | 415), "{error:?}");
            }
        }
    }
}

/// The fields that an HTTP server would let through.
fn headers(head: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n') {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
    }
    headers
}
