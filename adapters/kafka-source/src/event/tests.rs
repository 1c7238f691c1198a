//! Tables for the events of records.

use common::config::of;
use rdkafka::message::{Header, OwnedHeaders, OwnedMessage};

use super::*;

fn events(settings: &[(&str, &str)]) -> Events {
    let base = [("BOOTSTRAP_SERVERS", "a:1"), ("TOPIC", "orders"), ("GROUP_ID", "g")];
    Events::new(&of(&[&base, settings].concat()).expect("a valid configuration"))
}

fn record(key: Option<&[u8]>, value: Option<&[u8]>, headers: &[(&str, &str)]) -> OwnedMessage {
    let headers = headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
        headers.insert(Header { key, value: Some(*value) })
    });
    OwnedMessage::new(
        value.map(<[u8]>::to_vec),
        key.map(<[u8]>::to_vec),
        "orders".to_owned(),
        Timestamp::CreateTime(1_700_000_000_123),
        3,
        42,
        Some(headers),
    )
}

fn made(settings: &[(&str, &str)], record: &OwnedMessage) -> Event {
    let headers = record.headers().map(binding::texts).unwrap_or_default();
    events(settings).made(record, &headers).expect("an event")
}

#[test]
fn as_the_original_made_them_but_for_the_id() {
    let event = made(&[], &record(Some(b"k"), Some(b"{}"), &[("h", "v")]));
    let expected = [
        ("id", "orders/3/42"),
        ("source", "orders"),
        ("type", "io.triggermesh.kafka.event"),
        ("subject", "kafka/event"),
        ("time", "2023-11-14T22:13:20.123Z"),
        ("datacontenttype", "application/json"),
        ("partitionkey", "k"),
    ];
    let found: Vec<_> = event.attributes().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(found, expected);
    assert_eq!(event.data().map(|data| &**data), Some(&b"{}"[..]));
}

#[test]
fn ids_are_keys_where_asked_and_possible() {
    for (key, id) in [
        (Some(&b"k"[..]), "k"),
        (Some(b""), "orders/3/42"),
        (None, "orders/3/42"),
        (Some(&[0xff]), "orders/3/42"),
        (Some(b"a\nb"), "orders/3/42"),
    ] {
        assert_eq!(made(&[("EVENT_ID", "key")], &record(key, Some(b"x"), &[])).id(), id, "{key:?}");
        assert_eq!(made(&[], &record(key, Some(b"x"), &[])).id(), "orders/3/42");
    }
    assert_eq!(made(&[], &record(Some(b"a\nb"), None, &[])).get("partitionkey"), None);
}

#[test]
fn a_tombstone_is_an_event_without_data() {
    let event = made(&[], &record(Some(b"k"), None, &[]));
    assert_eq!((event.data(), event.data_content_type(), event.get("partitionkey")), (None, None, Some("k")));
    let event = made(&[], &record(Some(b"k"), Some(b""), &[]));
    assert_eq!((event.data(), event.data_content_type()), (Some(&Bytes::new()), Some("application/json")));
}

#[test]
fn the_content_type_is_the_records_own_if_it_has_one() {
    for (settings, headers, expected) in [
        (&[][..], &[][..], "application/json"),
        (&[("CONTENT_TYPE", "text/csv")], &[], "text/csv"),
        (&[("CONTENT_TYPE", "text/csv")], &[("Content-Type", "text/xml")], "text/xml"),
        (&[], &[("content-type", "nonsense")], "application/json"),
    ] {
        let event = made(settings, &record(None, Some(b"x"), headers));
        assert_eq!(event.data_content_type(), Some(expected), "{headers:?}");
    }
}

#[test]
fn headers_are_extensions_where_asked_and_the_trace_always() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let record = record(None, Some(b"x"), &[("X-Tenant", "7"), ("traceparent", parent), ("bad", "a\nb")]);
    let event = made(&[], &record);
    assert_eq!((event.get("traceparent"), event.get("kafkaheaderxtenant")), (Some(parent), None));
    let event = made(&[("HEADER_EXTENSIONS", "true")], &record);
    assert_eq!((event.get("kafkaheaderxtenant"), event.get("kafkaheaderbad")), (Some("7"), None));
}

#[test]
fn events_by_the_binding_are_themselves_where_asked() {
    let binary = [
        ("ce_specversion", "1.0"),
        ("ce_id", "1"),
        ("ce_source", "/s"),
        ("ce_type", "t"),
        ("ce_subject", "ü"),
    ];
    let on = [("DECODE_CLOUDEVENTS", "true")];
    let written = record(Some(b"k"), Some(b"hello"), &binary);
    assert_eq!(made(&[], &written).event_type(), EVENT_TYPE);
    let event = made(&on, &written);
    let found =
        (event.id(), event.source(), event.event_type(), event.get("subject"), event.get("partitionkey"));
    assert_eq!(found, ("1", "/s", "t", Some("ü"), Some("k")));
    assert_eq!(event.data().map(|data| &**data), Some(&b"hello"[..]));

    let json = br#"{"specversion":"1.0","id":"1","source":"/s","type":"t","partitionkey":"mine","data":[1]}"#;
    let event =
        made(&on, &record(Some(b"k"), Some(json), &[("content-type", "application/cloudevents+json")]));
    assert_eq!((event.event_type(), event.get("partitionkey")), ("t", Some("mine")));

    // What says so and is none is not lost.
    let event = made(&on, &record(Some(b"k"), Some(b"hello"), &binary[..3]));
    assert_eq!((event.event_type(), event.data().map(|data| &**data)), (EVENT_TYPE, Some(&b"hello"[..])));
}
