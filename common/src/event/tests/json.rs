//! The JSON format (CloudEvents 1.0.2, JSON event format, sections 2 to 4).

use bytes::Bytes;

use super::event;
use crate::event::json::{InvalidJson, batch_from_slice, from_slice, to_vec};

/// An event with these members beside the required ones.
fn document(members: &str) -> Bytes {
    format!(r#"{{"specversion":"1.0","id":"A-1","source":"/s","type":"t"{members}}}"#).into()
}

type Payload = Option<&'static [u8]>;

#[test]
fn payloads_in() {
    let table: &[(&str, Option<&str>, Payload)] = &[
        ("", None, None),
        (r#","datacontenttype":"text/xml""#, Some("text/xml"), None),
        // Absent content type: JSON, and said so from then on.
        (r#","data":{"b":1,"a":2}"#, Some("application/json"), Some(br#"{"b":1,"a":2}"#)),
        (r#","data":null"#, Some("application/json"), Some(b"null")),
        (r#","data":"text""#, Some("application/json"), Some(br#""text""#)),
        (r#","data":1,"datacontenttype":null"#, Some("application/json"), Some(b"1")),
        // JSON is the value itself, byte for byte.
        (
            r#","data": { "z":12345678901234567890123, "a": 1.50, "z": "\u0041" } ,"datacontenttype":"application/json""#,
            Some("application/json"),
            Some(br#"{ "z":12345678901234567890123, "a": 1.50, "z": "\u0041" }"#),
        ),
        (
            r#","datacontenttype":"application/vnd.a+json; charset=utf-8","data":{"a":[]}"#,
            Some("application/vnd.a+json; charset=utf-8"),
            Some(br#"{"a":[]}"#),
        ),
        (r#","datacontenttype":"APPLICATION/JSON","data":"{}""#, Some("APPLICATION/JSON"), Some(br#""{}""#)),
        (r#","datacontenttype":"text/json","data":null"#, Some("text/json"), Some(b"null")),
        // Anything else is a string.
        (
            r#","datacontenttype":"text/xml","data":"<x>é\n\u20ac</x>""#,
            Some("text/xml"),
            Some("<x>é\n€</x>".as_bytes()),
        ),
        (
            r#","datacontenttype":"application/jsonl","data":"{}\n{}""#,
            Some("application/jsonl"),
            Some(b"{}\n{}"),
        ),
        (r#","datacontenttype":"text/plain","data":"""#, Some("text/plain"), Some(b"")),
        (r#","datacontenttype":"text/plain","data":null"#, Some("text/plain"), None),
        (r#","datacontenttype":"text/plain","data":{"a": 1}"#, Some("text/plain"), Some(br#"{"a": 1}"#)),
        // Base64 is bytes whatever the content type, and without one they stay unknown.
        (r#","data_base64":"/wA=""#, None, Some(b"\xff\0")),
        (r#","data_base64":"\/wA=""#, None, Some(b"\xff\0")),
        (r#","data_base64":"""#, None, Some(b"")),
        (r#","data_base64":null"#, None, None),
        (r#","data_base64":null,"data":1"#, Some("application/json"), Some(b"1")),
        (
            r#","datacontenttype":"application/json","data_base64":"eyAiYSI6IDEgfQ==""#,
            Some("application/json"),
            Some(br#"{ "a": 1 }"#),
        ),
    ];
    for (members, content_type, data) in table {
        let event = from_slice(document(members)).unwrap_or_else(|error| panic!("{members}: {error}"));
        assert_eq!(event.data_content_type(), *content_type, "{members}");
        assert_eq!(event.data().map(|data| &data[..]), *data, "{members}");
    }
}

#[test]
fn payloads_out() {
    let table: &[(&str, &[u8], &str)] = &[
        (
            "application/json",
            br#"{ "z":12345678901234567890123,"a":1.50 }"#,
            r#""data":{ "z":12345678901234567890123,"a":1.50 }"#,
        ),
        ("application/json", b" {}\r\n", r#""data":{}"#),
        ("application/json", b"null", r#""data":null"#),
        ("application/vnd.a+json; charset=utf-8", b"[1]", r#""data":[1]"#),
        ("application/json", b"{\"a\":}", r#""data_base64":"eyJhIjp9""#),
        ("application/json", b"{} {}", r#""data_base64":"e30ge30=""#),
        ("application/json", b"", r#""data_base64":"""#),
        ("application/json", b"\"\xff\"", r#""data_base64":"Iv8i""#),
        ("text/xml", "<x a=\"é\"/>".as_bytes(), r#""data":"<x a=\"é\"/>""#),
        ("text/plain; charset=utf-8", b"a\nb", r#""data":"a\nb""#),
        ("text/plain; charset=utf-16", b"ab", r#""data_base64":"YWI=""#),
        ("image/png", b"\x89PNG", r#""data_base64":"iVBORw==""#),
        ("", b"{}", r#""data_base64":"e30=""#),
    ];
    for (content_type, data, expected) in table {
        let mut attributes = vec![("datacontenttype", *content_type)];
        attributes.retain(|(_, value)| !value.is_empty());
        let text = String::from_utf8(to_vec(&event(&attributes, Some(data)))).unwrap();
        assert!(text.ends_with(&format!(",{expected}}}")), "{content_type}: {text}");
    }
}

#[test]
fn attributes_out_in_order() {
    let mut event =
        event(&[("zeta", "\"\\\u{20ac}"), ("datacontenttype", "text/plain"), ("alpha", "")], Some(b"x"));
    event.set("id", "A-2").unwrap();
    assert_eq!(
        String::from_utf8(to_vec(&event)).unwrap(),
        r#"{"specversion":"1.0","id":"A-2","source":"/s","type":"t","zeta":"\"\\€","datacontenttype":"text/plain","alpha":"","data":"x"}"#
    );
}

#[test]
fn attributes_in() {
    let members = r#","a":1,"b":-2147483648,"c":true,"d":false,"e":null,"f":"é\u20ac\ud83d\ude00","subject":null,"g":"","\u0068":"x""#;
    let event = from_slice(document(members)).unwrap();
    let extensions: Vec<_> =
        event.attributes().skip(3).map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        extensions,
        [
            ("a", "1"),
            ("b", "-2147483648"),
            ("c", "true"),
            ("d", "false"),
            ("f", "é€😀"),
            ("g", ""),
            ("h", "x")
        ]
    );
}

#[test]
fn broken_documents() {
    for (members, expected) in [
        (r#","x":1.0"#, "attribute 'x' is a number, but not a 32-bit integer"),
        (r#","x":1e3"#, "attribute 'x' is a number, but not a 32-bit integer"),
        (r#","x":2147483648"#, "attribute 'x' is a number, but not a 32-bit integer"),
        (r#","x":[]"#, "attribute 'x' is neither a string, a boolean nor an integer"),
        (r#","x":{}"#, "attribute 'x' is neither a string, a boolean nor an integer"),
        (r#","x":"\ud800""#, "attribute 'x' holds an escape that stands for no character"),
        (r#","x":"\u0007""#, "attribute 'x' holds a control character or a noncharacter"),
        (r#","subject":7"#, "attribute 'subject' is not a string"),
        (r#","time":true"#, "attribute 'time' is not a string"),
        (r#","id":"A-1""#, "attribute 'id' stands twice"),
        (r#","\u0069d":"A-1""#, "attribute 'id' stands twice"),
        (r#","x":null,"x":"1""#, "attribute 'x' stands twice"),
        (r#","data":1,"data":1"#, "attribute 'data' stands twice"),
        (r#","data_base64":"","data_base64":"""#, "attribute 'data_base64' stands twice"),
        (r#","data":1,"data_base64":"""#, "'data' and 'data_base64' must not stand together"),
        (r#","data":null,"data_base64":"""#, "'data' and 'data_base64' must not stand together"),
        (r#","data_base64":"*""#, "'data_base64' is not a base64 string"),
        (r#","data_base64":12"#, "'data_base64' is not a base64 string"),
        (
            r#","datacontenttype":"text/plain","data":"\udc00""#,
            "'data' holds an escape that stands for no character",
        ),
        (r#","Subject":"x""#, "'Subject' is no attribute name"),
        (r#","data64":1.5"#, "attribute 'data64' is a number, but not a 32-bit integer"),
        (r#","#, "the body is not valid JSON: "),
        (r#"} x {"#, "the body is not valid JSON: "),
        (r#","x":"a"#, "the body is not valid JSON: "),
        (r#","x":01"#, "the body is not valid JSON: "),
        (r#","data":{"a":}"#, "the body is not valid JSON: "),
        // Malformed JSON is told before a broken rule.
        (r#","X":"x",]"#, "the body is not valid JSON: "),
    ] {
        let error = from_slice(document(members)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{members}: {error}");
    }
}

#[test]
fn wrong_shapes() {
    for body in ["[]", "1", "\"x\"", "null"] {
        assert_eq!(from_slice(body.into()), Err(InvalidJson::Shape("a JSON object")), "{body}");
    }
    for body in ["{}", "1", "[1]", "[[]]"] {
        assert_eq!(
            batch_from_slice(body.into()),
            Err(InvalidJson::Shape("a JSON array of objects")),
            "{body}"
        );
    }
    for body in ["", "\u{feff}{}", "{", "<x/>"] {
        assert!(matches!(from_slice(body.into()), Err(InvalidJson::Syntax(_))), "{body}");
    }
    let error = from_slice(Bytes::from_static(b"{\"id\":\"\xff\"}")).unwrap_err();
    assert!(matches!(error, InvalidJson::Syntax(_)), "{error}");
    assert!(matches!(batch_from_slice("[{}, x]".into()), Err(InvalidJson::Syntax(_))));
    let good = String::from_utf8(document("").to_vec()).unwrap();
    let error = batch_from_slice(format!("[{good},{{}},1]").into()).unwrap_err().to_string();
    assert_eq!(error, "event 1 of the batch: attribute 'specversion' is missing");
}

#[test]
fn depth_and_number_are_bounded() {
    const DEPTH: usize = 200_000;
    let deep = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    // A payload is never looked into, so its depth does not matter, on the way in or out.
    let nested = from_slice(document(&format!(r#","data":{deep}"#))).unwrap();
    assert_eq!(nested.data().map(|data| &data[..]), Some(deep.as_bytes()));
    assert_eq!(from_slice(to_vec(&nested).into()), Ok(nested));
    for body in [document(&format!(r#","x":{deep}"#)), deep.into(), "[".repeat(DEPTH).into()] {
        assert!(from_slice(body.clone()).is_err());
        assert!(batch_from_slice(body).is_err());
    }
    let many: String = (0..100_000).map(|n| format!(r#","x{n}":1"#)).collect();
    assert_eq!(from_slice(document(&many)).unwrap_err().to_string(), "more than 256 attributes");
}

#[test]
fn payloads_and_values_are_slices_of_the_message() {
    for members in [r#","data":{"a":1}"#, r#","datacontenttype":"text/plain","data":"plain""#] {
        let body = document(members);
        let event = from_slice(body.clone()).unwrap();
        for slice in [event.data().unwrap(), event.text("id").unwrap().bytes()] {
            assert!(body.as_ptr_range().contains(&slice.as_ptr()), "{members}");
        }
    }
}
