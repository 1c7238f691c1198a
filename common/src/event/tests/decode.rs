//! Messages to events: modes, headers, percent-decoding (HTTP binding, section 3).

use ::http::{HeaderValue, StatusCode};
use bytes::Bytes;

use super::{REQUIRED, decode_one, event, headers, with};
use crate::event::http::{Decoded, HeaderDecode, decode};

const STRUCTURED: &str = r#"{"specversion":"1.0","id":"A-1","source":"/s","type":"t",
    "datacontenttype":"application/json","subject":"x","data":{"a":1}}"#;

#[test]
fn binary_and_structured_give_the_same_event() {
    let expected = event(&[("datacontenttype", "application/json"), ("subject", "x")], Some(br#"{"a":1}"#));
    let binary = with(&[("content-type", "application/json"), ("ce-subject", "x")]);
    assert_eq!(decode_one(&binary, r#"{"a":1}"#), Ok(expected.clone()));
    for content_type in [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=utf-8",
        "Application/CloudEvents+JSON",
        "APPLICATION/CLOUDEVENTS+JSON;charset=UTF-8",
    ] {
        let bare = headers(&[("content-type", content_type)]);
        assert_eq!(decode_one(&bare, STRUCTURED), Ok(expected.clone()), "{content_type}");
        // Copies of attributes in the headers mean nothing in structured mode.
        let copies = with(&[("content-type", content_type), ("ce-subject", "other")]);
        assert_eq!(decode_one(&copies, STRUCTURED), Ok(expected.clone()), "{content_type}");
    }
}

#[test]
fn batches() {
    let body = format!("[{STRUCTURED}, {STRUCTURED}]");
    for (content_type, body, count) in [
        ("application/cloudevents-batch+json", body.as_str(), 2),
        ("Application/CloudEvents-Batch+JSON; charset=utf-8", body.as_str(), 2),
        ("application/cloudevents-batch+json", " [] ", 0),
    ] {
        let decoded = decode(
            &headers(&[("content-type", content_type)]),
            Bytes::copy_from_slice(body.as_bytes()),
            HeaderDecode::Spec,
        );
        let Ok(Decoded::Batch(events)) = decoded else { panic!("{decoded:?}") };
        assert_eq!(events.len(), count);
    }
}

#[test]
fn what_is_no_event_or_of_an_unknown_format_is_415() {
    for headers in [
        headers(&[]),
        headers(&[("content-type", "application/json")]),
        headers(&[("content-type", "application/cloudevents+avro")]),
        headers(&[("content-type", "application/CloudEvents-batch+protobuf; x=y")]),
        headers(&[("content-type", "application/cloudevents")]),
        with(&[("content-type", "application/cloudevents+xml")]),
    ] {
        let error = decode_one(&headers, STRUCTURED).unwrap_err();
        assert_eq!(error.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{headers:?}");
    }
}

#[test]
fn values_are_decoded() {
    for (sent, expected) in [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("Euro%20%e2%82%ac%20%f0%9f%98%80", "Euro € 😀"),
        ("\"Euro%20%E2%82%AC\"", "Euro €"),
        (r#""a \"b\" \\ c""#, r#"a "b" \ c"#),
        ("Euro € 😀", "Euro € 😀"),
        ("a b", "a b"),
        ("100%", "100%"),
        ("100%2", "100%2"),
        ("%zz%4", "%zz%4"),
        ("%41%62", "Ab"),
        // One round only.
        ("%2541", "%41"),
        ("%25", "%"),
        ("a/b:c+d,e", "a/b:c+d,e"),
        // No well-formed quoted string: the marks are part of the value.
        ("\"a", "\"a"),
        ("a\"b", "a\"b"),
        ("\"a\"b\"", "\"a\"b\""),
        ("\"", "\""),
        ("\"a\\\"", "\"a\\\""),
    ] {
        let event = decode_one(&with(&[("ce-subject", sent), ("ce-myext", sent)]), "").unwrap();
        assert_eq!((event.get("subject"), event.get("myext")), (Some(expected), Some(expected)), "{sent}");
    }
}

#[test]
fn raw_values_stay_as_they_are() {
    for sent in ["Euro%20%E2%82%AC", "%41", "\"quoted\"", "a € b"] {
        let decoded = decode(&with(&[("ce-subject", sent)]), Bytes::new(), HeaderDecode::Raw);
        let Ok(Decoded::One(event)) = decoded else { panic!("{decoded:?}") };
        assert_eq!(event.get("subject"), Some(sent));
    }
}

#[test]
fn bad_headers_are_400() {
    let table: &[(&[(&str, &str)], &str)] = &[
        (&[("ce-subject", "%C0%A0")], "header 'ce-subject' is not valid UTF-8 after decoding"),
        (&[("ce-subject", "%E2%82")], "header 'ce-subject' is not valid UTF-8 after decoding"),
        (&[("ce-subject", "%ED%A0%80")], "header 'ce-subject' is not valid UTF-8 after decoding"),
        (&[("ce-subject", "a%0Ab")], "attribute 'subject' holds a control character or a noncharacter"),
        (&[("ce-subject", "a%00")], "attribute 'subject' holds a control character or a noncharacter"),
        (&[("ce-subject", "%C2%85")], "attribute 'subject' holds a control character or a noncharacter"),
        (&[("ce-subject", "%EF%BF%BF")], "attribute 'subject' holds a control character or a noncharacter"),
        (&[("ce-subject", "\"\"")], "attribute 'subject' is empty"),
        (&[("ce-id", "A-2")], "attribute 'id' stands twice"),
        (&[("CE-ID", "A-1")], "attribute 'id' stands twice"),
        (&[("ce-myext", "1"), ("ce-myext", "2")], "attribute 'myext' stands twice"),
        (&[("ce-specversion", "1.0")], "attribute 'specversion' stands twice"),
        (&[("ce-datacontenttype", "text/plain")], "header 'ce-datacontenttype' is not allowed"),
        (&[("ce-data", "x")], "'data' is no attribute name"),
        (&[("ce-a_b", "x")], "'a_b' is no attribute name"),
        (&[("content-type", "nonsense")], "attribute 'datacontenttype' is not a media type"),
        (&[("content-type", "a/b"), ("content-type", "a/b")], "header 'content-type' stands twice"),
    ];
    for (pairs, expected) in table {
        let error = decode_one(&with(pairs), "secret body").unwrap_err();
        assert!(error.to_string().starts_with(expected), "{pairs:?}: {error}");
        assert_eq!(error.status(), StatusCode::BAD_REQUEST, "{pairs:?}");
    }
}

#[test]
fn bytes_that_are_not_utf_8_are_400() {
    let mut headers = with(&[]);
    headers.insert("ce-subject", HeaderValue::from_bytes(b"caf\xe9").unwrap());
    assert_eq!(decode_one(&headers, "").unwrap_err().status(), StatusCode::BAD_REQUEST);
    headers.remove("ce-subject");
    headers.insert("content-type", HeaderValue::from_bytes(b"text/plain; x=\xe9").unwrap());
    assert_eq!(decode_one(&headers, "").unwrap_err().status(), StatusCode::BAD_REQUEST);
}

#[test]
fn bodies_are_opaque_and_shared() {
    for content_type in [
        "application/vnd.apache.thrift.binary",
        "application/xml",
        "application/json",
        "application/json; charset=utf-8",
    ] {
        let body = Bytes::from(vec![b'{', 0xff, 0x00]);
        let event = decode_one(&with(&[("content-type", content_type)]), body.clone()).unwrap();
        assert_eq!(event.data_content_type(), Some(content_type));
        assert_eq!(event.data().map(|data| data.as_ptr()), Some(body.as_ptr()));
        assert_eq!(event.data(), Some(&body));
    }
}

#[test]
fn absent_data_and_absent_content_type() {
    for (sent, body, content_type, data) in [
        (None, "", None, None),
        (None, "x", None, Some("x")),
        (Some("text/plain"), "", Some("text/plain"), None),
        (Some("text/plain"), "x", Some("text/plain"), Some("x")),
        (Some(""), "x", None, Some("x")),
        // Only attributes of their own header are percent-encoded.
        (Some("text/plain; x=%41"), "", Some("text/plain; x=%41"), None),
    ] {
        let pairs: Vec<_> = sent.map(|sent| ("content-type", sent)).into_iter().collect();
        let event = decode_one(&with(&pairs), body).unwrap();
        assert_eq!(event.data_content_type(), content_type, "{pairs:?} {body}");
        assert_eq!(event.data().map(|data| &data[..]), data.map(str::as_bytes), "{pairs:?} {body}");
    }
}

#[test]
fn other_headers_are_no_attributes_and_the_order_is_kept() {
    let mut pairs = vec![("host", "x"), ("traceparent", "00-1"), ("kn-namespace", "ns"), ("ce-zeta", "1")];
    pairs.extend(REQUIRED);
    pairs.extend([
        ("content-type", "a/b"),
        ("prefer", "reply"),
        ("ce-alpha", "2"),
        ("ce-traceparent", "00-2"),
    ]);
    let event = decode_one(&headers(&pairs), "").unwrap();
    let names: Vec<_> = event.attributes().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["zeta", "id", "source", "type", "datacontenttype", "alpha", "traceparent"]);
    assert_eq!(event.get("traceparent"), Some("00-2"));
}

#[test]
fn messages_are_short_and_quote_no_payload() {
    let long = "secret".repeat(1000);
    let structured = |body: String| (headers(&[("content-type", "application/cloudevents+json")]), body);
    for (headers, body) in [
        (with(&[(format!("ce-{}_", "x".repeat(2000)).as_str(), "v")]), String::new()),
        (
            headers(&[("content-type", format!("application/cloudevents{}", "é".repeat(500)).as_str())]),
            String::new(),
        ),
        (headers(&[("ce-specversion", "9".repeat(5000).as_str())]), String::new()),
        structured(format!("{long:?}")),
        structured(format!("[{long:?}]")),
        structured(format!("{{\"{}\":[1]}}", "NAME".repeat(1000))),
        structured(format!("{{\"data\":{long:?},}}")),
        structured(format!("{{\"id\":{{{long:?}:1}}}}")),
        structured("\u{1}".repeat(5000)),
    ] {
        let text = decode_one(&headers, body).unwrap_err().to_string();
        assert!(text.len() <= 700 && !text.contains("secret"), "{text}");
        assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
    }
}
