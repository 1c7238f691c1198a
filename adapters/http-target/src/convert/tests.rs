//! Tables for the conversion of events to requests.

use common::config::of;

use super::*;

fn config(settings: &[(&str, &str)]) -> HttpConfig {
    let base = [
        ("HTTP_EVENT_TYPE", "t"),
        ("HTTP_EVENT_SOURCE", "/s"),
        ("HTTP_URL", "http://h/api?k=v"),
        ("HTTP_METHOD", "POST"),
        ("HTTP_HEADERS", "X-A:configured,Host:elsewhere"),
    ];
    of(&[&base, settings].concat()).expect("a valid configuration")
}

fn event(event_type: &str, data: &str) -> Event {
    let mut event = Event::new("1", "/test", event_type).expect("an event");
    event.replace_data((!data.is_empty()).then(|| Bytes::copy_from_slice(data.as_bytes())));
    event
}

fn converted(config: &HttpConfig, guarded: bool, event: &Event) -> Result<Call, Error> {
    call(config, &configured_headers(config), guarded, event)
}

#[test]
fn bodies_are_the_raw_json_unless_unquoted() {
    let (raw, unquoted) = (config(&[]), config(&[("HTTP_BODY_UNQUOTE", "true")]));
    for (data, expected, expected_unquoted) in [
        ("", "", ""),
        ("{}", "", ""),
        ("null", "", ""),
        (r#"{"body": {"b" : 1.0,"a":2}}"#, r#"{"b" : 1.0,"a":2}"#, r#"{"b" : 1.0,"a":2}"#),
        (r#"{"Body":"a\n\"b\""}"#, r#""a\n\"b\"""#, "a\n\"b\""),
        (r#"{"body":null}"#, "null", "null"),
        (r#"{"BODY":1,"body":2}"#, "2", "2"),
        (r#"{"other":1}"#, "", ""),
    ] {
        let event = event(REQUEST_TYPE, data);
        for (config, expected) in [(&raw, expected), (&unquoted, expected_unquoted)] {
            let call = converted(config, false, &event).expect("a request");
            assert_eq!(call.body, expected.as_bytes(), "{data}");
        }
    }
}

#[test]
fn path_query_and_headers_of_the_event_join_those_of_the_settings() {
    let data = r#"{"query_string":"a=1&k=event","path_suffix":"world/total",
        "headers":{"x-a":"event","X-B":"b","Host":"evil","Content-Length":"1","Authorization":"Bearer event"}}"#;
    for (guarded, authorization) in [(false, Some("Bearer event")), (true, None)] {
        let call = converted(&config(&[]), guarded, &event(REQUEST_TYPE, data)).expect("a request");
        assert_eq!(call.uri.to_string(), "http://h/api/world/total?a=1&k=v");
        let header = |name: &str| call.headers.get(name).map(|value| value.to_str().expect("ASCII"));
        assert_eq!((header("x-a"), header("x-b")), (Some("event"), Some("b")));
        assert_eq!(header("authorization"), authorization);
        assert_eq!((header("host"), header("content-length"), header("content-type")), (None, None, None));
        assert_eq!(header("user-agent"), Some(concat!("http-target/", env!("CARGO_PKG_VERSION"))));
    }
}

#[test]
fn other_events_are_their_data() {
    let call =
        converted(&config(&[]), false, &event("com.example", r#"{"path_suffix":"x"}"#)).expect("a request");
    assert_eq!(
        (call.uri.to_string().as_str(), &*call.body),
        ("http://h/api?k=v", &br#"{"path_suffix":"x"}"#[..])
    );
    let mut xml = event(REQUEST_TYPE, "<a/>");
    xml.set("datacontenttype", "application/xml").expect("an attribute");
    let error = converted(&config(&[]), false, &xml).expect_err("refused");
    assert_eq!(error.status(), StatusCode::BAD_REQUEST);
}

#[test]
fn data_of_another_form_is_refused_with_400() {
    for data in [
        "not json",
        "[1]",
        r#""text""#,
        r#"{"body":1"#,
        r#"{"path_suffix":1}"#,
        r#"{"path_suffix":"../x"}"#,
        r#"{"query_string":["a"]}"#,
        r#"{"headers":{"a":1}}"#,
        r#"{"headers":{"a b":"c"}}"#,
        r#"{"headers":{"a":"b\r\nc: d"}}"#,
    ] {
        let error = converted(&config(&[]), false, &event(REQUEST_TYPE, data)).expect_err(data);
        assert_eq!((error.is_permanent(), error.status().as_u16()), (true, 400), "{data}");
    }
}
