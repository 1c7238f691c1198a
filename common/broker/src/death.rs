//! What a dead letter says about the failure, beside the event itself, and the event without that.
//!
//! Facts: Knative's dead-letter extensions `knativeerrordest`, `knativeerrorcode` and `knativeerrordata`. Of our own are
//! `trestletrigger`, `trestleattempts`, `trestlefailedat` and `trestlehops`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use common::{Event, InvalidEvent, Text, event};

/// Bytes of an error body that a dead-letter event carries: its base64 text is 1024 characters, Knative's limit.
const ERROR_DATA: usize = 768;

/// Where it was sent to.
pub const DESTINATION: &str = "knativeerrordest";
/// The last status.
pub const CODE: &str = "knativeerrorcode";
/// The beginning of the last answer, or what happened; base64.
pub const DATA: &str = "knativeerrordata";
/// The trigger that it could not be delivered by.
pub const TRIGGER: &str = "trestletrigger";
/// How often it was tried.
pub const ATTEMPTS: &str = "trestleattempts";
/// When it was given up (RFC 3339).
pub const FAILED_AT: &str = "trestlefailedat";
/// How many replies had led to it.
pub const HOPS: &str = "trestlehops";

/// The type of a dead letter that never was an event: its data are what stood in the log.
const INVALID: &str = "io.trestle.broker.invalid";

/// How an event came to be undeliverable.
#[derive(Clone, Copy, Debug)]
pub struct Death<'a> {
    /// The target; empty when there is none.
    pub destination: &'a str,
    /// The last status. `None` when there was no answer: it is then given as 500 and `body` should say what happened,
    /// both as Knative's in-memory channel does it.
    pub status: Option<u16>,
    /// The body of the last answer.
    pub body: &'a [u8],
    /// The trigger.
    pub trigger: &'a str,
    /// How often it was tried.
    pub attempts: u32,
    /// How many replies had led to the event.
    pub hops: u32,
}

/// An event as it was before it became a dead letter.
#[derive(Debug, PartialEq)]
pub struct Revived {
    /// The event.
    pub event: Event,
    /// The trigger that could not deliver it; empty where that was not written.
    pub trigger: String,
    /// How many replies had led to it.
    pub hops: u32,
}

/// The event as the dead letter gets it.
#[must_use]
pub fn dead_letter(event: &Event, death: &Death<'_>) -> Event {
    let mut event = event.clone();
    let data = STANDARD.encode(death.body.get(..ERROR_DATA).unwrap_or(death.body));
    let attributes = [
        (TRIGGER, Text::from(death.trigger)),
        (HOPS, Text::from(death.hops.to_string())),
        (DESTINATION, Text::from(death.destination)),
        (CODE, Text::from(death.status.unwrap_or(500).to_string())),
        (DATA, Text::from(data)),
        (ATTEMPTS, Text::from(death.attempts.to_string())),
        (FAILED_AT, event::now()),
    ];
    for (name, value) in attributes {
        // Nothing to say is better left out; and a value that could not be carried must not cost the event.
        if value.is_empty() || event.set(name, value).is_err() {
            event.remove(name);
        }
    }
    event
}

/// The original event of a dead letter.
#[must_use]
pub fn revive(mut event: Event) -> Revived {
    let trigger = event.remove(TRIGGER).unwrap_or_default().to_string();
    let hops = event.remove(HOPS).and_then(|hops| hops.parse().ok()).unwrap_or_default();
    for name in [DESTINATION, CODE, DATA, ATTEMPTS, FAILED_AT] {
        event.remove(name);
    }
    Revived { event, trigger, hops }
}

/// What stood in a log at a place and is no event, as a dead letter of a trigger.
///
/// # Errors
/// When the place cannot be an event's id, or the log's name its source.
pub fn invalid(
    log: &str,
    place: &str,
    content: Bytes,
    reason: &str,
    trigger: &str,
) -> Result<Event, InvalidEvent> {
    let mut event = Event::new(place, log, Text::from_static(INVALID))?;
    event.set_data(Text::from_static("application/octet-stream"), content)?;
    let death =
        Death { destination: "", status: Some(400), body: reason.as_bytes(), trigger, attempts: 0, hops: 0 };
    Ok(dead_letter(&event, &death))
}

/// Whether a dead letter never was an event.
#[must_use]
pub fn is_invalid(event: &Event) -> bool {
    event.event_type() == INVALID
}

/// What a dead letter says happened, as text.
#[must_use]
pub fn error(event: &Event) -> String {
    let data = event.get(DATA).and_then(|data| STANDARD.decode(data).ok()).unwrap_or_default();
    String::from_utf8_lossy(&data).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn death<'a>(destination: &'a str, status: Option<u16>, body: &'a [u8]) -> Death<'a> {
        Death { destination, status, body, trigger: "t", attempts: 3, hops: 2 }
    }

    #[test]
    fn dead_letter_says_what_happened() {
        let event = Event::new("1", "/a", "t").unwrap();
        let dead = dead_letter(&event, &death("http://x/", Some(418), b"teapot"));
        for (name, value) in [
            ("knativeerrordest", "http://x/"),
            ("knativeerrorcode", "418"),
            ("knativeerrordata", "dGVhcG90"),
            ("trestletrigger", "t"),
            ("trestleattempts", "3"),
            ("trestlehops", "2"),
            ("id", "1"),
        ] {
            assert_eq!(dead.get(name), Some(value));
        }
        assert!(dead.get("trestlefailedat").is_some_and(|time| time.ends_with('Z')));
        assert_eq!(error(&dead), "teapot");

        let dead = dead_letter(&dead, &death("", None, &[b'x'; 5000]));
        assert_eq!(dead.get("knativeerrordest"), None);
        assert_eq!(dead.get("knativeerrorcode"), Some("500"));
        let data = dead.get("knativeerrordata").unwrap();
        assert_eq!(data.len(), 1024);
        assert_eq!(STANDARD.decode(data).unwrap(), [b'x'; 768]);

        assert_eq!(dead_letter(&event, &death("http://x/", Some(503), b"")).get("knativeerrordata"), None);
    }

    #[test]
    fn revived_it_is_what_it_was() {
        let mut event = Event::new("1", "/a", "t").unwrap();
        event.set("region", "eu").unwrap();
        event.set_data("text/plain", "hello").unwrap();
        let dead = dead_letter(&event, &death("http://x/", Some(500), b"no"));
        assert_eq!(revive(dead), Revived { event, trigger: "t".into(), hops: 2 });
    }

    #[test]
    fn what_is_no_event_is_kept_as_it_stood() {
        let dead = invalid("orders", "1-0", Bytes::from_static(b"{\xff"), "no JSON", "t").unwrap();
        assert!(is_invalid(&dead));
        assert_eq!((dead.id(), dead.source(), error(&dead).as_str()), ("1-0", "orders", "no JSON"));
        assert_eq!(dead.data().map(|data| &data[..]), Some(&b"{\xff"[..]));
    }
}
