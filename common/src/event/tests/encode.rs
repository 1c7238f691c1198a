//! Events to messages: which mode, which headers, and that what is written is read back.

use bytes::Bytes;

use super::{decode_one, event};
use crate::event::{
    Event,
    header::encode as percent,
    http::{Decoded, HeaderDecode, Mode, decode, encode, encode_batch},
};

fn written(event: &Event, mode: Mode) -> (Vec<(String, String)>, Bytes) {
    let (headers, body) = encode(event, mode);
    let headers = headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    (headers.collect(), body)
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn binary_is_the_default() {
    let data = Bytes::from_static(b"<x/>");
    let mut event =
        event(&[("datacontenttype", "text/xml; charset=\"utf-8\""), ("subject", "a/b:c+d,e")], None);
    event.set("myext", "1").unwrap();
    event.replace_data(Some(data.clone()));
    let (headers, body) = written(&event, Mode::Auto);
    let expected = [
        pair("ce-specversion", "1.0"),
        pair("ce-id", "A-1"),
        pair("ce-source", "/s"),
        pair("ce-type", "t"),
        pair("content-type", "text/xml; charset=\"utf-8\""),
        pair("ce-subject", "a/b:c+d,e"),
        pair("ce-myext", "1"),
    ];
    assert_eq!(headers, expected);
    assert_eq!(body.as_ptr(), data.as_ptr(), "the payload is shared");
}

#[test]
fn no_content_type_is_invented() {
    for data in [None, Some(&b"x"[..])] {
        let (headers, body) = written(&event(&[], data), Mode::Auto);
        assert!(headers.iter().all(|(name, _)| name != "content-type"));
        assert_eq!(body, data.unwrap_or_default());
    }
}

#[test]
fn a_value_that_needs_encoding_makes_it_structured_or_is_encoded() {
    for (value, encoded) in [
        ("a b", "a%20b"),
        ("Euro € 😀", "Euro%20%E2%82%AC%20%F0%9F%98%80"),
        ("say \"hi\"", "say%20%22hi%22"),
        ("100%", "100%25"),
        ("%41", "%2541"),
        ("\u{a0}", "%C2%A0"),
    ] {
        for name in ["subject", "myext"] {
            let event = event(&[(name, value), ("datacontenttype", "text/plain")], Some(b"x"));
            let (headers, body) = written(&event, Mode::Auto);
            assert_eq!(headers, [pair("content-type", "application/cloudevents+json")], "{value}");
            assert_eq!(decode_one(&encode(&event, Mode::Auto).0, body), Ok(event.clone()), "{value}");

            let (headers, body) = written(&event, Mode::Binary);
            assert!(headers.contains(&pair(&format!("ce-{name}"), encoded)), "{value}: {headers:?}");
            assert_eq!(decode_one(&encode(&event, Mode::Binary).0, body), Ok(event), "{value}");
        }
    }
}

#[test]
fn exactly_what_must_be_encoded_is_encoded() {
    for code in 0x21..=0x7e_u8 {
        let text = char::from(code).to_string();
        let expected = if matches!(code, b'"' | b'%') { format!("%{code:02X}") } else { text.clone() };
        assert_eq!(percent(&text), expected);
    }
    assert_eq!(percent(" "), "%20");
}

#[test]
fn large_attributes_make_it_structured() {
    let event = event(&[("myext", &"x".repeat(7000))], None);
    assert_eq!(written(&event, Mode::Auto).0, [pair("content-type", "application/cloudevents+json")]);
    assert!(written(&event, Mode::Binary).0.len() > 1);
}

#[test]
fn an_event_within_an_event_is_never_binary() {
    for content_type in ["application/cloudevents+json", "Application/CloudEvents-Batch+json; charset=utf-8"]
    {
        let event = event(&[("datacontenttype", content_type)], Some(b"{\"id\": 1}"));
        let mut spaced = event.clone();
        spaced.set("datacontenttype", format!(" {content_type}")).unwrap();
        assert_eq!(encode(&spaced, Mode::Auto).0, encode(&spaced, Mode::Structured).0);
        for mode in [Mode::Auto, Mode::Binary, Mode::Structured] {
            let (headers, body) = encode(&event, mode);
            assert_eq!(decode_one(&headers, body), Ok(event.clone()), "{mode:?}");
        }
    }
}

#[test]
fn the_most_attributes_are_written_and_read() {
    let mut event = event(&[], None);
    for n in 0..253 {
        event.set(&format!("{}{n}", "x".repeat(120)), "ä").unwrap();
    }
    for mode in [Mode::Auto, Mode::Binary, Mode::Structured] {
        let (headers, body) = encode(&event, mode);
        assert_eq!(decode_one(&headers, body), Ok(event.clone()), "{mode:?}");
    }
}

#[test]
fn batches_are_written_and_read() {
    let events = [event(&[], None), event(&[("subject", "ü")], Some(b"\xff")), event(&[], Some(b""))];
    for count in 0..=events.len() {
        let (headers, body) = encode_batch(&events[..count]);
        assert_eq!(headers["content-type"], "application/cloudevents-batch+json");
        assert_eq!(decode(&headers, body, HeaderDecode::Spec), Ok(Decoded::Batch(events[..count].to_vec())));
    }
}
