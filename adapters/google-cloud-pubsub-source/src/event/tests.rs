//! Messages and the events they make: the examples of the contract and the edges around them.

use google_cloud_wkt::Timestamp;

use super::*;

fn message(data: &[u8], attributes: &[(&str, &str)]) -> Message {
    Message::new()
        .set_data(data.to_vec())
        .set_message_id("1100")
        .set_attributes(attributes.iter().copied())
        .set_publish_time(Timestamp::new(1_714_557_600, 123_000_000).expect("a time"))
}

fn origin(processor: Processor) -> Origin {
    Origin {
        source: Text::from_static("projects/p/topics/t"),
        event_type: Text::from_static(EVENT_TYPE),
        processor,
    }
}

fn data(event: &Event) -> &str {
    std::str::from_utf8(event.data().expect("data")).expect("text")
}

#[test]
fn the_data_is_that_of_the_original() {
    const REST: &str = r#""PublishTime":"2024-05-01T10:00:00.123Z","DeliveryAttempt":null,"OrderingKey":""}"#;
    for (given, attributes, start) in [
        (
            &b"{\"temp\":21}"[..],
            &[("My-Attr", "x")][..],
            r#"{"Data":{"temp":21},"ID":"1100","Attributes":{"My-Attr":"x"},"#,
        ),
        (
            b" [ 1.50 , \"<a b>\" ] ",
            &[],
            r#"{"Data":[1.50,"\u003ca b\u003e"],"ID":"1100","Attributes":null,"#,
        ),
        (b"null", &[], r#"{"Data":null,"ID":"1100","Attributes":null,"#),
        (b"\"text\"", &[], r#"{"Data":"text","ID":"1100","Attributes":null,"#),
        (b"\x00\x01\x02\xff", &[], r#"{"ID":"1100","Data":"AAEC/w==","Attributes":null,"#),
        (b"{\"a\":", &[], r#"{"ID":"1100","Data":"eyJhIjo=","Attributes":null,"#),
        (b"\"\xff\"", &[], r#"{"ID":"1100","Data":"Iv8i","Attributes":null,"#),
        (
            b"",
            &[("b", "&"), ("a", "\"")],
            r#"{"ID":"1100","Data":null,"Attributes":{"a":"\"","b":"\u0026"},"#,
        ),
    ] {
        for processor in [Processor::Default, Processor::Gcs] {
            let event = event(&origin(processor), &message(given, attributes), None).expect("an event");
            assert_eq!(data(&event), format!("{start}{REST}"), "{given:?}");
            assert_eq!(event.data_content_type(), Some("application/json"));
        }
    }
}

#[test]
fn what_depends_on_the_subscription_is_told() {
    let message = message(b"1", &[]).set_ordering_key("k");
    let event = event(&origin(Processor::Default), &message, Some(3)).expect("an event");
    assert!(data(&event).ends_with(r#""DeliveryAttempt":3,"OrderingKey":"k"}"#), "{}", data(&event));
}

#[test]
fn attributes_become_extensions_in_a_fixed_way() {
    for (attributes, expected) in [
        (&[("My-Attr", "x")][..], &[("pubsubmsgmyattr", "x")][..]),
        (&[("a-b", "2"), ("A.B", "1"), ("ab", "3")], &[("pubsubmsgab", "1")]),
        (&[("--", "x"), ("é", "y")], &[("pubsubmsg", "x")]),
        (&[("bad", "line\nend"), ("good", "é")], &[("pubsubmsggood", "é")]),
        (&[("budgetId", "b")], &[("pubsubmsgbudgetid", "b")]),
    ] {
        let event = event(&origin(Processor::Default), &message(b"", attributes), None).expect("an event");
        let found: Vec<_> = event
            .attributes()
            .filter(|(name, _)| name.starts_with("pubsubmsg"))
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected, "{attributes:?}");
        let found = (event.id(), event.source(), event.event_type(), event.get("time"), event.get("subject"));
        let expected = ("1100", "projects/p/topics/t", EVENT_TYPE, Some("2024-05-01T10:00:00.123Z"), None);
        assert_eq!(found, expected);
    }
}

#[test]
fn notifications_of_cloud_storage_have_types_of_their_own() {
    for (attributes, expected) in [
        (&[("eventType", "OBJECT_FINALIZE")][..], "com.google.cloud.storage.objectfinalize"),
        (&[("eventType", "OBJECT_METADATA_UPDATE")], "com.google.cloud.storage.objectmetadataupdate"),
        (&[("eventType", "OBJECT_DELETE")], "com.google.cloud.storage.objectdelete"),
        (&[("eventType", "OBJECT_ARCHIVE")], "com.google.cloud.storage.objectarchive"),
        (&[("eventType", "OBJECT_SOMETHING")], STORAGE_TYPE),
        (&[("bucketId", "b")], STORAGE_TYPE),
        (&[], STORAGE_TYPE),
    ] {
        let event = event(&origin(Processor::Gcs), &message(b"{}", attributes), None).expect("an event");
        assert_eq!(event.event_type(), expected);
        assert!(event.attributes().all(|(name, _)| !name.starts_with("pubsubmsg")), "{event:?}");
    }
}

#[test]
fn a_message_without_an_id_is_not_stuck() {
    let message = Message::new().set_data("x");
    let event = event(&origin(Processor::Default), &message, None).expect("an event");
    assert!(!event.id().is_empty());
    assert_eq!(event.get("time"), Some("1970-01-01T00:00:00Z"));
}
