//! Events and their messages.

use common::config::of;

use super::*;

const QUEUE: &str = "arn:aws:sqs:us-west-2:123456789012:orders";

fn config(settings: &[(&str, &str)]) -> SqsTargetConfig {
    let base = [("ARN", QUEUE), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "key")];
    of(&[&base, settings].concat()).expect("a configuration")
}

fn event(data: &[u8]) -> Event {
    let mut event = Event::new("1", "/shop", "com.example.order").expect("an event");
    event.set_data("application/json", data.to_vec()).expect("data");
    event
}

fn refused(config: &SqsTargetConfig, event: &Event) -> u16 {
    let error = entry(config, event).expect_err("refused");
    assert!(error.is_permanent(), "{error}");
    error.status().as_u16()
}

#[test]
fn the_body_is_the_event_or_its_data() {
    let event = event(br#"{"order":1}"#);
    let whole = r#"{"specversion":"1.0","id":"1","source":"/shop","type":"com.example.order","datacontenttype":"application/json","data":{"order":1}}"#;
    let expected = |body: &str| Entry { body: body.to_owned(), group: None, deduplication: None };
    assert_eq!(entry(&config(&[]), &event).expect("an entry"), expected(whole));
    let data_only = config(&[("AWS_DISCARD_CE_CONTEXT", "true"), ("AWS_MESSAGE_GROUP_ID", "unused")]);
    assert_eq!(entry(&data_only, &event).expect("an entry"), expected(r#"{"order":1}"#));
}

#[test]
fn what_no_message_can_hold_is_refused_for_good() {
    let (whole, data_only) = (config(&[]), config(&[("AWS_DISCARD_CE_CONTEXT", "true")]));
    let long = vec![b'1'; MAX_BYTES + 1];
    assert_eq!(refused(&whole, &event(&long)), 413);
    assert_eq!(refused(&data_only, &event(&long)), 413);
    assert!(entry(&data_only, &event(&long[1..])).is_ok());
    assert_eq!(refused(&data_only, &event(b"")), 422);
    for bytes in [b"\xff".as_slice(), b"\x01", "\u{ffff}".as_bytes()] {
        assert_eq!(refused(&data_only, &event(bytes)), 422, "{bytes:?}");
    }
    // What is no JSON is base64 in the event's own form.
    for bytes in [b"".as_slice(), b"\xff", b"\x01"] {
        assert!(entry(&whole, &event(bytes)).is_ok(), "{bytes:?}");
    }
    assert_eq!(refused(&whole, &event("\"\u{ffff}\"".as_bytes())), 422);
}

#[test]
fn a_fifo_queue_gets_group_and_deduplication_id() {
    let fifo = [("ARN", "arn:aws:sqs:us-west-2:123456789012:orders.fifo")];
    let ids = |config: &SqsTargetConfig, event: &Event| {
        let entry = entry(config, event).expect("an entry");
        (entry.group.expect("a group"), entry.deduplication.expect("an id"))
    };
    let ours = config(&fifo);
    let mut event = event(b"1");
    assert_eq!(ids(&ours, &event), ("/shop".to_owned(), "1;/shop".to_owned()));
    event.set("subject", "cart 7").expect("a subject");
    assert_eq!(ids(&ours, &event).0, "b8ac718bb325a8cb442efd578cc7a36783975a8aab7c15b2a407003fa1890f7b");
    event.set("partitionkey", "customer-7").expect("a key");
    assert_eq!(ids(&ours, &event).0, "customer-7");
    let configured = config(&[fifo[0], ("AWS_MESSAGE_GROUP_ID", "all")]);
    assert_eq!(ids(&configured, &event).0, "all");
    let long = Event::new("1", format!("/{}", "s".repeat(128)), "t").expect("an event");
    let (group, deduplication) = ids(&ours, &long);
    assert!(is_id(&group) && is_id(&deduplication) && group.len() == 64 && deduplication.len() == 64);
}
