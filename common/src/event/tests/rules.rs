//! What makes an event invalid, the same in every form it arrives in.

use ::http::StatusCode;

use super::{decode_one, headers};
use crate::event::{Event, is_json_media_type};

const VALID: [(&str, &str); 4] = [("specversion", "1.0"), ("id", "A-1"), ("source", "/s"), ("type", "t")];

/// The attributes with one replaced, added or (without a value) taken away.
fn changed<'a>(name: &'a str, value: Option<&'a str>) -> Vec<(&'a str, &'a str)> {
    let mut attributes: Vec<_> = VALID.into_iter().filter(|(known, _)| *known != name).collect();
    attributes.extend(value.map(|value| (name, value)));
    attributes
}

#[test]
fn broken_rules_are_400_in_binary_and_structured_mode() {
    let table: &[(&str, Option<&str>, &str)] = &[
        ("id", None, "attribute 'id' is missing"),
        ("source", None, "attribute 'source' is missing"),
        ("type", None, "attribute 'type' is missing"),
        ("specversion", None, "attribute 'specversion' is missing"),
        ("id", Some(""), "attribute 'id' is empty"),
        ("source", Some(""), "attribute 'source' is empty"),
        ("type", Some(""), "attribute 'type' is empty"),
        ("subject", Some(""), "attribute 'subject' is empty"),
        ("dataschema", Some(""), "attribute 'dataschema' is empty"),
        ("specversion", Some("9000.1"), "specversion '9000.1' is not supported: it must be 1.0"),
        ("specversion", Some("19.0"), "specversion '19.0' is not supported: it must be 1.0"),
        ("specversion", Some("0.3"), "specversion '0.3' is not supported: it must be 1.0"),
        ("specversion", Some(""), "specversion '' is not supported: it must be 1.0"),
        ("time", Some("yesterday"), "attribute 'time' is not an RFC 3339 timestamp"),
        ("time", Some("2026-01-02"), "attribute 'time' is not an RFC 3339 timestamp"),
        ("dataschema", Some("relative/path"), "attribute 'dataschema' is not an absolute URI"),
        ("bad_name", Some("x"), "'bad_name' is no attribute name"),
        ("bad-name", Some("x"), "'bad-name' is no attribute name"),
        ("data_", Some("x"), "'data_' is no attribute name"),
        ("", Some("x"), "'' is no attribute name"),
    ];
    for (name, value, expected) in table {
        let attributes = changed(name, *value);
        let names: Vec<_> = attributes.iter().map(|(name, _)| format!("ce-{name}")).collect();
        let pairs: Vec<_> =
            names.iter().zip(&attributes).map(|(name, (_, value))| (name.as_str(), *value)).collect();
        let members: Vec<_> = attributes.iter().map(|(name, value)| format!("{name:?}:{value:?}")).collect();
        let structured = [("content-type", "application/cloudevents+json")];
        for error in [
            decode_one(&headers(&pairs), "x").unwrap_err(),
            decode_one(&headers(&structured), format!("{{{}}}", members.join(","))).unwrap_err(),
        ] {
            assert!(error.to_string().starts_with(expected), "{name} {value:?}: {error}");
            assert_eq!(error.status(), StatusCode::BAD_REQUEST, "{name} {value:?}");
        }
    }
}

#[test]
fn valid_attributes_are_kept_verbatim() {
    for (name, value) in [
        ("time", "2018-04-05T17:31:00.123456789+02:00"),
        ("time", "1985-04-12T23:20:50Z"),
        ("dataschema", "http://Example.com"),
        ("dataschema", "urn:x:Y"),
        ("source", "1-555-123-4567"),
        ("source", "urn:event:from:myapi/resource/123"),
        ("subject", "a/b:c+d,e"),
        ("datacontenttype", "Text/XML; Charset=\"UTF-8\""),
        ("datacontenttype", "application/vnd.apache.thrift.binary"),
        ("comexampleextension1", "value"),
        ("1digit", ""),
        ("database64", "x"),
    ] {
        let mut event = Event::new("i", "s", "t").unwrap();
        event.set(name, value).unwrap();
        assert_eq!(event.get(name), Some(value));
    }
}

#[test]
fn forbidden_values_and_names_cannot_be_set() {
    let long = "n".repeat(129);
    for (name, value) in [
        ("subject", "a\u{0}b"),
        ("subject", "a\u{7f}"),
        ("subject", "\u{9f}"),
        ("subject", "line\nbreak"),
        ("subject", "\u{fdd0}"),
        ("subject", "\u{1fffe}"),
        ("datacontenttype", "json"),
        ("datacontenttype", "a b/json"),
        ("datacontenttype", "text/plain; x=é"),
        ("data", "x"),
        ("specversion", "1.0"),
        ("Subject", "x"),
        (long.as_str(), "x"),
    ] {
        assert!(Event::new("i", "s", "t").unwrap().set(name, value).is_err(), "{name}={value:?}");
    }
}

#[test]
fn attributes_are_limited_in_number() {
    let mut event = Event::new("i", "s", "t").unwrap();
    let added = (0..1000).take_while(|n| event.set(&format!("x{n}"), "1").is_ok()).count();
    assert_eq!(added, 253);
    event.set("x0", "replacing is no addition").unwrap();
}

#[test]
fn json_media_types() {
    for (media_type, json) in [
        ("application/json", true),
        ("APPLICATION/JSON", true),
        ("application/json; charset=utf-8", true),
        ("application/vnd.a+json; charset=utf-8", true),
        ("application/Problem+JSON", true),
        ("text/json", true),
        ("application/json ;x=y", true),
        ("application/jsonl", false),
        ("application/json-seq", false),
        ("application/json+xml", false),
        ("text/plain; format=a/json", false),
        ("application/xml", false),
        ("json", false),
        ("", false),
    ] {
        assert_eq!(is_json_media_type(media_type), json, "{media_type}");
    }
}
