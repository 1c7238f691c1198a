//! Bodies that are known again, ids that stay or change, media types.

use super::*;
use crate::config::tests::config;

fn response(headers: &[(&str, &str)], body: &'static str) -> Response<Bytes> {
    let mut response = Response::builder();
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Bytes::from_static(body.as_bytes())).expect("a response")
}

fn next(last: Option<&Cursor>, headers: &[(&str, &str)], body: &'static str) -> Option<Cursor> {
    advance(&config(&[]).expect("valid"), last, &response(headers, body), true)
}

const ETAG: [(&str, &str); 1] = [("ETag", "\"1\"")];
const DATE: [(&str, &str); 1] = [("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")];

#[test]
fn a_body_is_known_again_by_its_validators() {
    for (headers, body, again, is_new) in [
        (&ETAG[..], "a", &ETAG[..], false),
        (&ETAG, "a", &[("ETag", "W/\"1\"")], true),
        (&ETAG, "a", &[], true),
        (&DATE, "a", &DATE, false),
        (&DATE, "b", &DATE, true),
        (&[], "a", &[], true),
        (&[("ETag", "")], "a", &[("ETag", " ")], true),
    ] {
        let first = next(None, headers, "a").expect("new");
        assert_eq!(next(Some(&first), again, body).is_some(), is_new, "{headers:?}, then {again:?} {body}");
    }
    // What a validator of an answer to POST says is another thing (RFC 9110, section 8.8).
    let config = config(&[]).expect("valid");
    let first = advance(&config, None, &response(&ETAG, "a"), false).expect("new");
    assert_eq!(first.conditions().count(), 0);
    assert!(advance(&config, Some(&first), &response(&ETAG, "a"), false).is_some());
}

#[test]
fn ids_stay_over_a_crash_and_change_with_every_event() {
    let first = next(None, &ETAG, "a").expect("new");
    assert_eq!(next(None, &ETAG, "a"), Some(first.clone()), "asked for again without a position");
    let other = next(Some(&first), &[("ETag", "\"2\"")], "b").expect("new");
    assert_eq!(next(Some(&first), &[("ETag", "\"2\"")], "b"), Some(other.clone()), "asked for again");
    let back = next(Some(&other), &ETAG, "a").expect("new");
    assert!(first.id != other.id && first.id != back.id, "a document that comes back is another event");

    let (one, two) = (next(None, &[], "a").expect("new"), next(None, &[], "a").expect("new"));
    assert_ne!(one.id, two.id, "two runs");
    let then = next(Some(&one), &[], "a").expect("new");
    assert_ne!(one.id, then.id);
    assert_eq!(next(Some(&one), &[], "a").expect("new").id, then.id, "asked for again");
}

#[test]
fn the_cursor_is_json_text_and_becomes_conditions() {
    let headers = [ETAG[0], DATE[0]];
    let cursor = next(None, &headers, "a").expect("new");
    let read = Cursor::read(&cursor.text().expect("text")).expect("our own");
    assert_eq!(read, cursor);
    let conditions: Vec<_> =
        read.conditions().map(|(name, value)| (name, value.to_str().expect("text").to_owned())).collect();
    let expected = [
        (header::IF_NONE_MATCH, headers[0].1.to_owned()),
        (header::IF_MODIFIED_SINCE, headers[1].1.to_owned()),
    ];
    assert_eq!(conditions, expected);
    assert!(Cursor::read("{}").is_err());
}

#[test]
fn events_carry_the_body_and_its_media_type() {
    let config = config(&[]).expect("valid");
    for (media_type, body, expected) in [
        (Some("text/csv; charset=utf-8"), "a;b", Some("text/csv; charset=utf-8")),
        (Some("nonsense"), "x", Some("application/json")),
        (None, "x", Some("application/json")),
        (Some("text/plain"), "", None),
    ] {
        let headers: Vec<_> = media_type.map(|media_type| ("Content-Type", media_type)).into_iter().collect();
        let response = response(&headers, body);
        let cursor = advance(&config, None, &response, true).expect("new");
        let event = event(&config, &cursor, response).expect("an event");
        assert_eq!((event.id(), event.source(), event.event_type()), (&*cursor.id.to_string(), "/s", "t"));
        assert_eq!(event.data_content_type(), expected, "{media_type:?}");
        assert_eq!(event.data().map(|data| &**data), (!body.is_empty()).then_some(body.as_bytes()));
        assert!(event.get("time").is_some() && event.get("subject").is_none());
    }
}
