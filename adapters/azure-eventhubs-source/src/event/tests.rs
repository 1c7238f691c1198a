//! The payloads of the contract, byte for byte.

use azure_core_amqp::{
    AmqpSimpleValue, AmqpSymbol, AmqpTimestamp, AmqpValue, message::AmqpMessageProperties,
};
use std::time::{Duration, SystemTime};

use super::*;

fn conversion(processor: Processor) -> Conversion {
    Conversion {
        processor,
        source: Text::from_static("/subscriptions/s"),
        event_type: Text::from_static(EVENT_TYPE),
    }
}

fn message(body: &[u8]) -> AmqpMessage {
    let annotations = [
        ("x-opt-sequence-number", AmqpValue::Long(42)),
        ("x-opt-offset", AmqpValue::String("4711".to_owned())),
        (
            "x-opt-enqueued-time",
            AmqpValue::TimeStamp(AmqpTimestamp(Some(
                SystemTime::UNIX_EPOCH + Duration::from_millis(1_714_557_600_123),
            ))),
        ),
    ];
    let mut message = AmqpMessage::builder().with_body(AmqpMessageBody::Binary(vec![body.to_vec()])).build();
    for (name, value) in annotations {
        message.add_message_annotation(AmqpSymbol::from(name), value);
    }
    message
}

fn text(message: &AmqpMessage) -> String {
    String::from_utf8(data(message)).expect("JSON")
}

#[test]
fn a_message_is_five_members_and_json_stands_first() {
    let mut json = message(br#" { "a" : 1 , "b": "<&> x" } "#);
    json.properties = Some(AmqpMessageProperties {
        content_type: Some(AmqpSymbol::from("application/json")),
        ..AmqpMessageProperties::default()
    });
    json = AmqpMessage { ..json };
    let mut with = AmqpMessage::builder();
    with = with.add_application_property("k".to_owned(), AmqpSimpleValue::String("v".to_owned()));
    json.application_properties = with.build().application_properties;
    assert_eq!(
        text(&json),
        r#"{"Body":{"a":1,"b":"\u003c\u0026\u003e x"},"Properties":{"k":"v"},"ContentType":"application/json","CorrelationID":null,"MessageID":null}"#
    );
    assert_eq!(
        text(&message(b"hello")),
        r#"{"Properties":null,"Body":"aGVsbG8=","ContentType":null,"CorrelationID":null,"MessageID":null}"#
    );
    for (body, wanted) in [
        (&b"null"[..], r#"{"Body":null,"Pro"#),
        (b"7", r#"{"Body":7,"Pro"#),
        (b"\"x\"", r#"{"Body":"x","Pro"#),
    ] {
        assert!(text(&message(body)).starts_with(wanted), "{}", text(&message(body)));
    }
    assert!(text(&message(b"")).contains(r#""Body":"","#));
    let mut two = message(b"");
    two.body = AmqpMessageBody::Binary(vec![b"1".to_vec(), b"2".to_vec()]);
    assert!(text(&two).contains(r#""Body":null,"#));
    two.body = AmqpMessageBody::Value(AmqpValue::String("x".to_owned()));
    assert!(text(&two).contains(r#""Body":null,"#));
}

#[test]
fn values_are_those_of_go() {
    let time = AmqpTimestamp(Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_714_557_600_120)));
    let whole = AmqpTimestamp(Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_714_557_600)));
    let mut builder = AmqpMessage::builder();
    for (name, value) in [
        ("z", AmqpSimpleValue::Long(-5)),
        ("b", AmqpSimpleValue::Boolean(true)),
        ("f", AmqpSimpleValue::Double(1.5)),
        ("g", AmqpSimpleValue::Double(1e21)),
        ("h", AmqpSimpleValue::Double(1e-9)),
        ("i", AmqpSimpleValue::Float(0.1)),
        ("j", AmqpSimpleValue::Double(100.0)),
        ("n", AmqpSimpleValue::Null),
        ("t", AmqpSimpleValue::TimeStamp(time)),
        ("u", AmqpSimpleValue::TimeStamp(whole)),
        ("x", AmqpSimpleValue::Binary(vec![0, 1])),
        ("y", AmqpSimpleValue::Symbol(AmqpSymbol::from("<s>"))),
    ] {
        builder = builder.add_application_property(name.to_owned(), value);
    }
    let mut out = Vec::new();
    let message = builder.build();
    value::map(&mut out, message.application_properties.as_ref().map(|properties| &properties.0));
    assert_eq!(
        String::from_utf8_lossy(&out),
        concat!(
            r#"{"b":true,"f":1.5,"g":1e+21,"h":1e-9,"i":0.1,"j":100,"n":null,"t":"2024-05-01T10:00:00.12Z","#,
            r#""u":"2024-05-01T10:00:00Z","x":"AAE=","y":"\u003cs\u003e","z":-5}"#
        )
    );
}

#[test]
fn ids_are_a_string_a_number_base64_or_sixteen_numbers() {
    for (id, correlation, message_id) in [
        (AmqpMessageId::String("c".to_owned()), "\"c\"", "\"c\""),
        (AmqpMessageId::Ulong(7), "7", "null"),
        (AmqpMessageId::Binary(vec![255]), "\"/w==\"", "null"),
        (AmqpMessageId::Uuid(uuid::Uuid::from_u128(1)), "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1]", "null"),
    ] {
        let mut message = message(b"1");
        message.properties = Some(AmqpMessageProperties {
            correlation_id: Some(id.clone()),
            message_id: Some(id),
            ..AmqpMessageProperties::default()
        });
        let wanted = format!("\"CorrelationID\":{correlation},\"MessageID\":{message_id}}}");
        assert!(text(&message).ends_with(&wanted), "{}", text(&message));
    }
}

#[test]
fn an_event_is_named_after_its_place() {
    let received = ReceivedEventData::from(message(b"{}"));
    let events = conversion(Processor::Default).events("3", &received).expect("an event");
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.id(), event.source(), event.event_type()), ("3-42", "/subscriptions/s", EVENT_TYPE));
    assert_eq!(
        (event.get("time"), event.data_content_type()),
        (Some("2024-05-01T10:00:00.123Z"), Some("application/json"))
    );
}

#[test]
fn event_grid_sends_arrays_of_cloudevents() {
    let one = r##"{"specversion":"1.0","id":"g1","source":"/acc","type":"Microsoft.Storage.BlobCreated","subject":"/b",
        "dataschema":"#","data":{"n": 1}}"##;
    let events = |body: String| {
        let received = ReceivedEventData::from(message(body.as_bytes()));
        conversion(Processor::Eventgrid).events("0", &received).expect("events")
    };
    let two = one
        .replace("g1", "g2")
        .replace("\"#\"", "\"https://s/1\"")
        .replace("\"data\"", "\"datacontenttype\":\"text/json\",\"data\"");
    let found = events(format!("[{one},{two}]"));
    let [first, second] = &found[..] else { panic!("{found:?}") };
    assert_eq!((first.id(), first.source(), first.get("subject")), ("g1", "/acc", Some("/b")));
    assert_eq!((first.get("dataschema"), first.data_content_type()), (None, Some("application/json")));
    assert_eq!(first.data().map(|data| &data[..]), Some(&br#"{"n": 1}"#[..]));
    assert_eq!(
        (second.get("dataschema"), second.data_content_type()),
        (Some("https://s/1"), Some("text/json"))
    );
    assert!(events("[]".to_owned()).is_empty());
    for body in
        [one.to_owned(), "[null]".to_owned(), format!("[{one},null]"), "no".to_owned(), "[{}]".to_owned()]
    {
        let found = events(body.clone());
        assert_eq!((found.len(), found.first().map(Event::id)), (1, Some("0-42")), "{body}");
    }
}
