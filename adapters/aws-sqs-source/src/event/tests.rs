//! Messages and their events, as the contract has them.

use aws_sdk_sqs::{
    primitives::Blob,
    types::{Message, MessageAttributeValue, MessageSystemAttributeName, builders::MessageBuilder},
};
use common::{Event, Text};

use super::{Origin, events};
use crate::config::Processor;

const QUEUE: &str = "arn:aws:sqs:us-west-2:123456789012:orders";
const BUS: &str = "arn:aws:events:us-west-2:123456789012:event-bus/orders";

fn origin(processor: Processor) -> Origin {
    Origin {
        processor,
        queue: Text::from_static(QUEUE),
        partition: "aws".to_owned(),
        source: Text::from_static(BUS),
    }
}

fn message(body: &str) -> MessageBuilder {
    Message::builder()
        .message_id("m1")
        .receipt_handle("r1")
        .body(body)
        .md5_of_body("d41d")
        .attributes(MessageSystemAttributeName::SentTimestamp, "1700000000123")
        .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "1")
}

fn attribute(data_type: &str, value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type(data_type).string_value(value).build().expect("an attribute")
}

fn all(processor: Processor, message: &Message) -> Vec<Event> {
    events(&origin(processor), message).expect("events")
}

fn one(processor: Processor, body: &str) -> Event {
    let mut events = all(processor, &message(body).build());
    assert_eq!(events.len(), 1, "{body}");
    events.remove(0)
}

fn data(event: &Event) -> &str {
    std::str::from_utf8(event.data().expect("data")).expect("UTF-8")
}

fn shown(event: &Event) -> [&str; 4] {
    [event.event_type(), event.source(), event.id(), event.get("time").unwrap_or_default()]
}

/// What the processor `default` makes of a body that is no JSON.
fn is_default(event: &Event) -> bool {
    shown(event) == ["com.amazon.sqs.message", QUEUE, "m1", "2023-11-14T22:13:20.123Z"]
}

const ATTRIBUTES: &str = r#""Attributes":{"ApproximateReceiveCount":"1","SentTimestamp":"1700000000123"}"#;
const REST: &str = r#""MD5OfBody":"d41d","MD5OfMessageAttributes":null,"MessageAttributes":null,"MessageId":"m1","ReceiptHandle":"r1"}"#;

#[test]
fn text_is_quoted_and_json_is_not() {
    for (body, written) in
        [("plain <text>", r#""plain \u003ctext\u003e""#), ("", r#""""#), ("{\"a\":", r#""{\"a\":""#)]
    {
        let event = one(Processor::Default, body);
        assert!(is_default(&event), "{event:?}");
        assert_eq!(data(&event), format!("{{{ATTRIBUTES},\"Body\":{written},{REST}"));
    }
    for (body, written) in [
        (r#" { "b": [1, "<"], "a": 1.0 } "#, r#"{"b":[1,"\u003c"],"a":1.0}"#),
        ("123", "123"),
        ("\"x\"", "\"x\""),
        ("null", "null"),
    ] {
        let event = one(Processor::Default, body);
        assert!(is_default(&event), "{event:?}");
        assert_eq!(data(&event), format!("{{\"Body\":{written},{ATTRIBUTES},{REST}"));
    }
}

#[test]
fn a_message_without_anything_is_an_event_too() {
    let event = all(Processor::S3, &Message::builder().build()).remove(0);
    assert_eq!(
        data(&event),
        r#"{"Attributes":null,"Body":null,"MD5OfBody":null,"MD5OfMessageAttributes":null,"MessageAttributes":null,"MessageId":null,"ReceiptHandle":null}"#
    );
    let event = all(Processor::Default, &message("x").message_id("\u{1}").build()).remove(0);
    assert_eq!(event.id().len(), 36, "{event:?}");
}

#[test]
fn message_attributes_become_extensions_and_stay_in_the_data() {
    let binary = MessageAttributeValue::builder().data_type("Binary.png").binary_value(Blob::new("\u{1}x"));
    let message = message("x")
        .message_attributes("My-Attr.1", attribute("String", "v"))
        .message_attributes("my_attr1", attribute("String", "later"))
        .message_attributes("Count", attribute("Number", "7"))
        .message_attributes("control", attribute("String", "\u{1}"))
        .message_attributes("--", attribute("String.custom", "é"))
        .message_attributes("Picture", binary.build().expect("an attribute"))
        .build();
    let event = all(Processor::Default, &message).remove(0);
    let extensions: Vec<_> = event.attributes().filter(|(name, _)| name.starts_with("sqsmsg")).collect();
    let extensions: Vec<_> = extensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(extensions, [("sqsmsg", "é"), ("sqsmsgcount", "7"), ("sqsmsgmyattr1", "v")]);
    let text = data(&event);
    for part in [
        r#""MessageAttributes":{"--":{"BinaryListValues":null,"BinaryValue":null,"DataType":"String.custom","StringListValues":null,"StringValue":"é"},"Count""#,
        r#""Picture":{"BinaryListValues":null,"BinaryValue":"AXg=","DataType":"Binary.png","StringListValues":null,"StringValue":null}"#,
        r#""control":{"BinaryListValues":null,"BinaryValue":null,"DataType":"String","StringListValues":null,"StringValue":"\u0001"}"#,
    ] {
        assert!(text.contains(part), "no {part} in {text}");
    }
}

fn record(name: &str, key: &str) -> String {
    format!(
        r#"{{"eventVersion":"2.1","eventName":"{name}","eventTime":"2024-01-02T03:04:05.678Z","s3":{{"object":{{"key":"{key}","size":1024}},"bucket":{{"name":"b","arn":"arn:aws:s3:::b"}}}}}}"#
    )
}

#[test]
fn each_record_of_a_bucket_is_an_event() {
    let records = [record("ObjectCreated:Put", "a%2Fb+c"), record("s3:ObjectRemoved:Delete", "d")];
    let body = format!("{{\"Records\": [{}, {}]}}", records[0], records[1]);
    let events =
        all(Processor::S3, &message(&body).message_attributes("A", attribute("String", "v")).build());
    assert_eq!(events.len(), 2);
    for (event, (kind, id, key)) in
        events.iter().zip([("objectcreated", "m1-0", "a%2Fb+c"), ("objectremoved", "m1-1", "d")])
    {
        let event_type = format!("com.amazon.s3.{kind}");
        assert_eq!(shown(event), [event_type.as_str(), "arn:aws:s3:::b", id, "2024-01-02T03:04:05.678Z"]);
        assert_eq!(event.get("subject"), Some(key));
        assert_eq!(event.get("sqsmsga"), None);
        assert_eq!(event.data_content_type(), Some("application/json"));
    }
    let sorted = r#"{"eventName":"ObjectCreated:Put","eventTime":"2024-01-02T03:04:05.678Z","eventVersion":"2.1","s3":{"bucket":{"arn":"arn:aws:s3:::b","name":"b"},"object":{"key":"a%2Fb+c","size":1024}}}"#;
    assert_eq!(data(&events[0]), sorted);
}

#[test]
fn the_test_of_a_bucket_is_an_event() {
    let body = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2024-01-02T03:04:05.678Z","Bucket":"b","RequestId":"r","HostId":"h"}"#;
    let event = one(Processor::S3, body);
    assert_eq!(
        shown(&event),
        ["com.amazon.s3.testevent", "arn:aws:s3:::b", "m1", "2023-11-14T22:13:20.123Z"]
    );
    assert_eq!(data(&event), body);
}

#[test]
fn what_is_no_notification_is_a_message() {
    let good = record("ObjectCreated:Put", "a");
    for body in [
        "text".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        r#"{"Records":[]}"#.to_owned(),
        r#"{"Records":{}}"#.to_owned(),
        r#"{"Records":[7]}"#.to_owned(),
        r#"{"Records":[{"eventName":7}]}"#.to_owned(),
        format!("{{\"Records\":[{good},{{}}]}}"),
        format!("{{\"Records\":[{}]}}", record("", "a")),
        format!("{{\"Records\":[{}]}}", record("ObjectCreated:Put", "")),
        format!("{{\"Records\":[{}]}}", good.replace("arn:aws:s3:::b", "")),
        format!("{{\"Records\":[{}]}}", good.replace("1024", &["[".repeat(70), "]".repeat(70)].concat())),
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent"}"#.to_owned(),
        r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":7}"#.to_owned(),
        r#"{"Service":"Amazon S3","Event":"other","Bucket":"b"}"#.to_owned(),
    ] {
        assert!(is_default(&one(Processor::S3, &body)), "{body}");
    }
}

#[test]
fn events_of_a_bus_keep_their_id_and_time() {
    let body = r#"{"version":"0","id":"e1","detail-type":"Order Placed","source":"shop","account":"1","time":"2024-01-02T03:04:05Z","region":"r","resources":[],"detail":{"b":1,"a":"&"}}"#;
    let event = one(Processor::EventBridge, body);
    assert_eq!(shown(&event), ["com.amazon.events.event", BUS, "e1", "2024-01-02T03:04:05Z"]);
    assert_eq!(event.get("awseventssource"), Some("shop"));
    assert_eq!(event.get("awseventsdetailtype"), Some("Order Placed"));
    let sorted = r#"{"account":"1","detail":{"a":"\u0026","b":1},"detail-type":"Order Placed","id":"e1","region":"r","resources":[],"source":"shop","time":"2024-01-02T03:04:05Z","version":"0"}"#;
    assert_eq!(data(&event), sorted);
}

#[test]
fn parts_of_a_bus_event_may_be_missing_or_strange() {
    for rest in ["", r#","id":7,"time":7"#, r#","id":"","time":"yesterday""#, r#","id":null,"time":null"#] {
        let event =
            one(Processor::EventBridge, &format!(r#"{{"detail":null,"detail-type":"","source":"s"{rest}}}"#));
        let expected = ["com.amazon.events.event", BUS, "m1", "2023-11-14T22:13:20.123Z"];
        assert_eq!(shown(&event), expected, "{rest}");
    }
    for body in [
        "text",
        "7",
        r#"{"detail-type":"t","source":"s"}"#,
        r#"{"detail":{},"source":"s"}"#,
        r#"{"detail":{},"detail-type":"t"}"#,
        r#"{"detail":{},"detail-type":7,"source":"s"}"#,
        r#"{"detail":{},"detail-type":"t","source":"\u0000"}"#,
    ] {
        assert!(is_default(&one(Processor::EventBridge, body)), "{body}");
    }
}
