//! The last events as JSON, for this machine and for those who have the token.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Mutex, PoisonError},
};

use common::{
    Event,
    adapter::{Answer, answer, text_answer},
    config::Secret,
    credentials,
    event::json,
};
use http::{HeaderMap, HeaderValue, StatusCode, header, uri::Authority};

/// Bytes that are kept at most.
const KEPT_BYTES: usize = 8 << 20;

/// The last events in their JSON form: copies, so that no event keeps the request alive that it came in.
#[derive(Debug)]
pub struct Page {
    keep: usize,
    token: Option<Secret>,
    last: Mutex<Last>,
}

#[derive(Debug, Default)]
struct Last {
    events: VecDeque<Box<[u8]>>,
    bytes: usize,
}

impl Page {
    /// Keeps so many events.
    pub fn new(keep: usize, token: Option<Secret>) -> Self {
        Self { keep, token, last: Mutex::default() }
    }

    /// Adds an event; the oldest go. One that is larger than all the room is not kept.
    pub fn add(&self, event: &Event) {
        if self.keep == 0 || event.size() > KEPT_BYTES {
            return;
        }
        let event = json::to_vec(event).into_boxed_slice();
        if event.len() > KEPT_BYTES {
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.bytes += event.len();
        last.events.push_back(event);
        while last.events.len() > self.keep || last.bytes > KEPT_BYTES {
            let Some(oldest) = last.events.pop_front() else { break };
            last.bytes -= oldest.len();
        }
    }

    /// Answers a request for the events.
    pub fn answer(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Answer {
        if !is_from_here(peer, headers) {
            let Some(token) = &self.token else {
                return text_answer(
                    StatusCode::FORBIDDEN,
                    "only this machine may read the events: DISPLAY_TOKEN is not set",
                );
            };
            if !has_token(headers, token) {
                let mut refusal = text_answer(StatusCode::UNAUTHORIZED, "the token is missing or wrong");
                let challenge = HeaderValue::from_static(r#"Bearer realm="events""#);
                refusal.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                return refusal;
            }
        }
        let mut page = answer(StatusCode::OK);
        for (name, value) in [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ] {
            page.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        *page.body_mut() = self.array().into();
        page
    }

    /// The events as an array, the newest last.
    fn array(&self) -> Vec<u8> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let mut array = Vec::with_capacity(last.bytes + 2 * last.events.len() + 4);
        array.extend_from_slice(b"[");
        for (number, event) in last.events.iter().enumerate() {
            array.extend_from_slice(if number == 0 { b"\n" } else { b",\n" });
            array.extend_from_slice(event);
        }
        array.extend_from_slice(b"\n]\n");
        array
    }
}

/// Whether the request was made on this machine. A proxy beside us (Knative's queue proxy, a service mesh) connects
/// from here for others, and a page in a browser may have its name resolved to here: both give other names as host.
fn is_from_here(peer: Option<SocketAddr>, headers: &HeaderMap) -> bool {
    let is_near = peer.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    let is_forwarded = headers.contains_key(header::FORWARDED) || headers.contains_key("x-forwarded-for");
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()?.parse::<Authority>().ok());
    is_near && !is_forwarded && host.is_some_and(|host| is_local_name(host.host()))
}

fn is_local_name(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost")
        || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

fn has_token(headers: &HeaderMap, token: &Secret) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let expected = token.read();
    given.is_some_and(|(scheme, given)| {
        scheme.eq_ignore_ascii_case("bearer")
            && credentials::equal(given.trim().as_bytes(), expected.as_bytes())
    }) && !expected.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str, data: usize) -> Event {
        let mut event = Event::new(id, "/me", "t").expect("an event");
        event.set_data("text/plain", vec![b'x'; data]).expect("data");
        event
    }

    fn ids(page: &Page) -> Vec<String> {
        let events: Vec<serde_json::Value> = serde_json::from_slice(&page.array()).expect("an array");
        events.iter().map(|event| event["id"].as_str().unwrap_or_default().to_owned()).collect()
    }

    #[test]
    fn the_last_events_are_kept_within_count_and_bytes() {
        let page = Page::new(3, None);
        assert!(ids(&page).is_empty());
        for id in ["1", "2", "3", "4"] {
            page.add(&event(id, 10));
        }
        assert_eq!(ids(&page), ["2", "3", "4"]);
        page.add(&event("large", KEPT_BYTES));
        assert_eq!(ids(&page), ["2", "3", "4"], "larger than all the room");
        page.add(&event("half", KEPT_BYTES / 2));
        page.add(&event("other half", KEPT_BYTES / 2));
        assert_eq!(ids(&page), ["other half"]);
        let none = Page::new(0, None);
        none.add(&event("1", 1));
        assert!(ids(&none).is_empty());
    }

    fn status(page: &Page, peer: &str, headers: &[(&'static str, &str)]) -> u16 {
        let headers = headers.iter().map(|(name, value)| {
            (http::HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
        });
        page.answer(peer.parse().ok(), &headers.collect()).status().as_u16()
    }

    #[test]
    fn only_this_machine_and_those_with_the_token_may_read() {
        let (closed, open) = (Page::new(1, None), Page::new(1, Some(Secret::new("s3cret"))));
        for (peer, host) in [
            ("127.0.0.1:1", "localhost:8080"),
            ("127.9.9.9:1", "127.0.0.1"),
            ("[::1]:1", "[::1]:8080"),
            ("[::ffff:127.0.0.1]:1", "LOCALHOST"),
        ] {
            assert_eq!(status(&closed, peer, &[("host", host)]), 200, "{peer} {host}");
        }
        for (peer, headers) in [
            ("192.0.2.1:1", [("host", "localhost"), ("accept", "*/*")]),
            ("127.0.0.1:1", [("host", "display.example.com"), ("accept", "*/*")]),
            ("127.0.0.1:1", [("host", "localhost"), ("x-forwarded-for", "192.0.2.1")]),
            ("127.0.0.1:1", [("host", "localhost"), ("forwarded", "for=192.0.2.1")]),
            ("127.0.0.1:1", [("accept", "*/*"), ("x-host", "localhost")]),
            ("no peer", [("host", "localhost"), ("accept", "*/*")]),
        ] {
            assert_eq!(status(&closed, peer, &headers), 403, "{peer} {headers:?}");
            assert_eq!(status(&open, peer, &headers), 401, "{peer} {headers:?}");
        }
        for (authorization, expected) in [
            ("Bearer s3cret", 200),
            ("bearer s3cret", 200),
            ("Bearer s3cre", 401),
            ("Bearer ", 401),
            ("Bearer", 401),
            ("Basic s3cret", 401),
        ] {
            let headers = [("authorization", authorization)];
            assert_eq!(status(&open, "192.0.2.1:1", &headers), expected, "{authorization}");
        }
        let empty = Page::new(1, Some(Secret::new("")));
        assert_eq!(status(&empty, "192.0.2.1:1", &[("authorization", "Bearer ")]), 401);
    }
}
