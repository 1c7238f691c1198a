//! Properties that hold for every event and every message, tried on generated ones; the seed is the case's number.

use ::http::{HeaderMap, HeaderName, HeaderValue};
use bytes::Bytes;
use fastrand::Rng;

use crate::event::{
    Event,
    http::{Decoded, HeaderDecode, Mode, decode, encode, encode_batch},
    json::{batch_from_slice, from_slice, to_vec},
};

const CASES: u64 = 3000;

/// Pieces that make trouble in one of the codecs.
const PIECES: [&str; 24] = [
    "a", "Z", "0", "/", ":", "+", "%", "%41", "%C0%A0", " ", "\"", "\\", "\\u0041", "é", "€", "😀", "\u{a0}",
    "\u{ad}", "\u{2028}", "'", "<", "{", "}", ",",
];

fn text(rng: &mut Rng, at_least: usize) -> String {
    (0..rng.usize(at_least..12)).map(|_| PIECES[rng.usize(..PIECES.len())]).collect()
}

fn payload(rng: &mut Rng) -> (&'static str, Vec<u8>) {
    match rng.u8(..6) {
        0 => ("application/json", format!("{{\"k\":[{},{:?}]}}", rng.u128(..), "x\"y").into_bytes()),
        1 => ("application/vnd.x+json; charset=utf-8", b"[ 1.50 , 1e999 ]".to_vec()),
        2 => ("application/json", text(rng, 0).into_bytes()),
        3 => ("text/plain", text(rng, 0).into_bytes()),
        4 => ("application/octet-stream", (0..rng.usize(..40)).map(|_| rng.u8(..)).collect()),
        _ => ("", (0..rng.usize(..40)).map(|_| rng.u8(..)).collect()),
    }
}

fn event(rng: &mut Rng) -> Event {
    let mut event = Event::new(text(rng, 1), text(rng, 1), text(rng, 1)).unwrap();
    for name in ["subject", "x1", "someextension", "traceparent"] {
        if rng.bool() {
            event.set(name, text(rng, 1)).unwrap();
        }
    }
    if rng.bool() {
        event.set("time", "2026-01-02T03:04:05.678901+02:00").unwrap();
    }
    let (content_type, data) = payload(rng);
    if !content_type.is_empty() {
        event.set("datacontenttype", content_type).unwrap();
    }
    // White space around JSON is no part of the value, and an empty body is none.
    let data = data.trim_ascii();
    if rng.u8(..5) > 0 && !data.is_empty() {
        event.replace_data(Some(Bytes::copy_from_slice(data)));
    }
    event
}

#[test]
fn every_event_survives_every_form() {
    for seed in 0..CASES {
        let rng = &mut Rng::with_seed(seed);
        let event = event(rng);
        for mode in [Mode::Auto, Mode::Binary, Mode::Structured] {
            let (headers, body) = encode(&event, mode);
            let read = decode(&headers, body, HeaderDecode::Spec);
            let Ok(Decoded::One(read)) = read else { panic!("{seed} {mode:?}: {read:?}") };
            assert_eq!(read, event, "{seed} {mode:?}");
        }
        let (_, body) = encode_batch(&[event.clone(), event.clone()]);
        assert_eq!(batch_from_slice(body), Ok(vec![event.clone(), event]), "{seed}");
    }
}

#[test]
fn broken_documents_never_panic_and_what_is_accepted_is_stable() {
    for seed in 0..CASES {
        let rng = &mut Rng::with_seed(seed);
        let mut body = to_vec(&event(rng));
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..body.len());
            match rng.u8(..4) {
                0 => body[at] = rng.u8(..),
                1 => drop(body.remove(at)),
                2 => body.insert(at, b"{}[]\",:\\0e.-tn"[rng.usize(..14)]),
                _ => body.truncate(at.max(1)),
            }
        }
        if let Ok(event) = from_slice(body.into()) {
            assert_eq!(from_slice(to_vec(&event).into()), Ok(event), "{seed}");
        }
    }
}

#[test]
fn arbitrary_headers_never_panic_and_what_is_accepted_survives() {
    for seed in 0..CASES {
        let rng = &mut Rng::with_seed(seed);
        let mut headers = HeaderMap::new();
        for name in ["ce-specversion", "ce-id", "ce-source", "ce-type", "ce-x", "content-type"] {
            let bytes: Vec<u8> = match name {
                "ce-specversion" => b"1.0".to_vec(),
                "content-type" => b"text/plain".to_vec(),
                _ if rng.u8(..4) == 0 => (0..rng.usize(1..6)).map(|_| rng.u8(32..127)).collect(),
                _ => text(rng, 1).into_bytes(),
            };
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(&bytes).unwrap());
        }
        for how in [HeaderDecode::Spec, HeaderDecode::Raw] {
            if let Ok(Decoded::One(event)) = decode(&headers, Bytes::new(), how) {
                let (headers, body) = encode(&event, Mode::Binary);
                assert_eq!(decode(&headers, body, HeaderDecode::Spec), Ok(Decoded::One(event)), "{seed}");
            }
        }
    }
}
