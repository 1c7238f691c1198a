//! `cloudevents-sdk` as the foreign peer, where its own JSON format is right, and where it is not.

use cloudevents::{AttributesReader, Data, EventBuilder, EventBuilderV03, EventBuilderV10};
use serde_json::json;

use super::event;
use crate::{
    Event,
    event::json::{from_slice, to_vec},
};

#[test]
fn it_reads_what_is_written() {
    let table: &[(&str, &[u8], Data)] = &[
        ("application/json", br#"{"b":1,"a":[null]}"#, Data::Json(json!({"b":1,"a":[null]}))),
        ("text/xml", b"<x/>", Data::String("<x/>".to_owned())),
        ("image/png", b"\x89PNG", Data::Binary(b"\x89PNG".to_vec())),
    ];
    for (content_type, data, expected) in table {
        let event = event(
            &[
                ("datacontenttype", content_type),
                ("subject", "Euro € \"😀\""),
                ("time", "2018-04-05T17:31:00.5Z"),
                ("dataschema", "http://example.com/schema"),
                ("myext", "\\"),
            ],
            Some(data),
        );
        let sdk: cloudevents::Event = serde_json::from_slice(&to_vec(&event)).unwrap();
        assert_eq!(sdk.id(), "A-1");
        assert_eq!(sdk.subject(), Some("Euro € \"😀\""));
        assert_eq!(
            sdk.time().map(|time| time.to_rfc3339()).as_deref(),
            Some("2018-04-05T17:31:00.500+00:00")
        );
        assert_eq!(sdk.data(), Some(expected));
        assert_eq!(sdk, cloudevents::Event::from(&event));
        assert_eq!(from_slice(serde_json::to_vec(&sdk).unwrap().into()).unwrap().get("myext"), Some("\\"));
    }
}

#[test]
fn what_it_writes_is_read() {
    let builder = || {
        EventBuilderV10::new()
            .id("A-1")
            .source("/s")
            .ty("t")
            .subject("Euro €")
            .time("2018-04-05T17:31:00+02:00")
            .extension("number", 7)
            .extension("flag", true)
            .extension("text", "x")
    };
    for (sdk, data) in [
        (builder().build().unwrap(), None),
        (builder().data("application/json", json!({"a": 1})).build().unwrap(), Some(&br#"{"a":1}"#[..])),
        (builder().data("text/plain", "a\nb").build().unwrap(), Some(b"a\nb")),
        (builder().data("image/png", vec![0xff, 0]).build().unwrap(), Some(b"\xff\0")),
    ] {
        let read = from_slice(serde_json::to_vec(&sdk).unwrap().into()).unwrap();
        assert_eq!(read.data().map(|data| &data[..]), data);
        for (name, value) in [
            ("number", "7"),
            ("flag", "true"),
            ("text", "x"),
            ("time", "2018-04-05T15:31:00Z"),
            ("subject", "Euro €"),
        ] {
            assert_eq!(read.get(name), Some(value));
        }
        assert_eq!(Event::try_from(sdk), Ok(read));
    }
}

#[test]
fn conversion_there_and_back() {
    for (content_type, data) in [
        ("application/json", &b"[1,2]"[..]),
        ("application/vnd.a+json; charset=utf-8", b"{\"a\":1}"),
        ("application/json", b"no json"),
        ("application/jsonl", b"{}\n{}"),
        ("text/plain", b"x"),
        ("application/octet-stream", b"\xff"),
    ] {
        let event = event(&[("datacontenttype", content_type), ("time", "2018-04-05T17:31:00Z")], Some(data));
        assert_eq!(Event::try_from(cloudevents::Event::from(&event)), Ok(event), "{content_type}");
    }
    let unknown = event(&[], Some(b"{}"));
    assert_eq!(Event::try_from(cloudevents::Event::from(&unknown)), Ok(unknown));
}

#[test]
fn a_schema_that_it_cannot_parse_is_left_out() {
    for schema in ["http://VVVVµA/", "http://%C2%B5A", "http://a b/"] {
        let event = event(&[("dataschema", schema)], None);
        assert_eq!(cloudevents::Event::from(&event).dataschema(), None, "{schema}");
    }
}

#[test]
fn json_without_a_content_type_gets_one() {
    let mut sdk = EventBuilderV10::new().id("i").source("s").ty("t").build().unwrap();
    sdk.set_data_unchecked(json!({"a": 1}));
    assert_eq!(Event::try_from(sdk).unwrap().data_content_type(), Some("application/json"));
}

#[test]
fn what_it_lets_through_is_refused() {
    let built = |id: &str, extension: &str| {
        let builder = EventBuilderV10::new().id(id).source("s").ty("t");
        Event::try_from(builder.extension(extension, "x").build().unwrap()).map_err(|error| error.to_string())
    };
    assert!(built("i", "good").is_ok());
    assert_eq!(built("", "good"), Err("attribute 'id' is empty".to_owned()));
    assert!(built("i", "Bad_Name").is_err());
    assert_eq!(built("i", "id"), Err("attribute 'id' stands twice".to_owned()));
    let old = EventBuilderV03::new().id("i").source("s").ty("t").build().unwrap();
    assert_eq!(
        Event::try_from(old).unwrap_err().to_string(),
        "specversion '0.3' is not supported: it must be 1.0"
    );
}
