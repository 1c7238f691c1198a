//! Tables for the binding.

use super::*;

fn event() -> Event {
    let mut event = Event::new("1", "/s", "com.example.t").expect("an event");
    event.set("subject", "ü 100%").expect("an attribute");
    event.set("partitionkey", "k").expect("an attribute");
    event.set_data("text/plain", "hello").expect("data");
    event
}

#[test]
fn binary_mode_there_and_back() {
    let encoded = binary(&event(), None);
    let texts = texts(&encoded.headers);
    let expected = [
        ("ce_specversion", "1.0"),
        ("ce_id", "1"),
        ("ce_source", "/s"),
        ("ce_type", "com.example.t"),
        ("ce_subject", "ü 100%"),
        ("ce_partitionkey", "k"),
        ("content-type", "text/plain"),
    ];
    assert_eq!(texts, expected);
    let read = decode(&texts, encoded.value.as_ref()).expect("an event").expect("a valid one");
    assert_eq!(read, event());
}

#[test]
fn structured_mode_there_and_back() {
    let encoded = structured(&event());
    let texts = texts(&encoded.headers);
    assert_eq!(texts, [("content-type", STRUCTURED)]);
    let read = decode(&texts, encoded.value.as_ref()).expect("an event").expect("a valid one");
    assert_eq!(read, event());
}

#[test]
fn an_event_without_data_has_the_value_asked_for() {
    let mut bare = event();
    bare.replace_data(None);
    assert_eq!(binary(&bare, None).value, None);
    assert_eq!(binary(&bare, Some(Bytes::new())).value, Some(Bytes::new()));
    assert_eq!(binary(&event(), Some(Bytes::new())).value, Some(Bytes::from_static(b"hello")));
    let encoded = binary(&bare, None);
    let read = decode(&texts(&encoded.headers), None).expect("an event").expect("a valid one");
    assert_eq!(read, bare);
}

#[test]
fn what_does_not_say_that_it_is_an_event_is_none() {
    for headers in [
        &[][..],
        &[("content-type", "application/json")],
        &[("content-type", "application/cloudevents-batch+json")],
        &[("ce_id", "1"), ("ce_type", "t")],
        &[("content-type", "application/cloudevents+avro")],
    ] {
        assert!(decode(headers, Some(&Bytes::from_static(b"{}"))).is_none(), "{headers:?}");
    }
}

#[test]
fn what_says_so_and_is_none_is_an_error() {
    for (headers, value) in [
        (&[("content-type", "application/CloudEvents+JSON")][..], "{"),
        (&[("Content-Type", "application/cloudevents+json")], "{}"),
        (&[("ce_specversion", "1.0"), ("ce_id", "1"), ("ce_type", "t")], ""),
        (&[("ce_specversion", "2.0"), ("ce_id", "1"), ("ce_type", "t"), ("ce_source", "s")], ""),
        (&[("ce_specversion", "1.0"), ("ce_Id", "1"), ("ce_type", "t"), ("ce_source", "s")], ""),
    ] {
        let read = decode(headers, Some(&Bytes::from_static(value.as_bytes())));
        assert!(read.expect("says that it is an event").is_err(), "{headers:?}");
    }
}
