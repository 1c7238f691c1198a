//! What is stored for an event, and under which key.

use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use chrono::{DateTime, FixedOffset, Timelike};
use common::{Error, Event};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use uuid::Uuid;

/// The type whose data is stored alone, whatever the settings say.
pub const PUT: &str = "io.triggermesh.awss3.object.put";

/// Longest key that S3 takes, in bytes.
const KEY_BYTES: usize = 1024;
/// Longest id that is kept beside the object: all metadata together may take 2 KB.
const ID_BYTES: usize = 1024;
/// A header of metadata holds visible ASCII; the percent sign is escaped so that no two ids look alike.
const UNSAFE: &AsciiSet = &CONTROLS.add(b' ').add(b'%');

/// An object to be.
#[derive(Debug)]
pub struct Object {
    pub key: Key,
    pub body: Bytes,
    pub content_type: Option<String>,
    /// The event's id as it can be kept beside the object; `None` when it is too long.
    pub id: Option<String>,
}

/// The name of an object.
#[derive(Debug, PartialEq, Eq)]
pub enum Key {
    /// By the subject, or with the id in it: what is stored under it before is replaced.
    Own(String),
    /// By type, source and time, which another event may have too; then the second name is taken.
    Shared(String, String),
}

impl Object {
    /// # Errors
    /// When the key would be too long.
    pub fn of(event: &Event, discard_context: bool) -> Result<Self, Error> {
        let data_only = discard_context || event.event_type() == PUT;
        let content_type = if data_only {
            event.data_content_type().filter(|text| is_header(text)).map(str::to_owned)
        } else {
            Some("application/cloudevents+json".to_owned())
        };
        Ok(Self {
            key: Key::of(event)?,
            body: aws::body(event, data_only),
            content_type,
            id: Some(utf8_percent_encode(event.id(), UNSAFE).to_string()).filter(|id| id.len() <= ID_BYTES),
        })
    }

    /// The body for one attempt.
    pub fn stream(&self) -> ByteStream {
        ByteStream::from(self.body.clone())
    }
}

impl Key {
    fn of(event: &Event) -> Result<Self, Error> {
        let key = match (event.get("subject"), event.get("time").and_then(parse)) {
            (Some(subject), _) => Self::Own(subject.to_owned()),
            (None, Some(time)) => {
                let key = generated(event, &go_time(time));
                let other = with_id(&key, event.id());
                Self::Shared(key, other)
            }
            (None, None) => Self::Own(with_id(&generated(event, NO_TIME), event.id())),
        };
        let (Self::Own(name) | Self::Shared(name, _)) = &key;
        if name.len() > KEY_BYTES {
            return Err(Error::permanent(format!("the object's key would be longer than {KEY_BYTES} bytes")));
        }
        Ok(key)
    }
}

/// Go's zero time.
const NO_TIME: &str = "0001-01-01 00:00:00 +0000 UTC";

fn generated(event: &Event, last: &str) -> String {
    format!("{}/{}/{last}", event.event_type(), event.source())
}

/// The key with the event's id, or with a short name for one that is too long. No folder of the key's own name, which a server
/// that keeps objects as files could not have.
fn with_id(key: &str, id: &str) -> String {
    if key.len() + 1 + id.len() <= KEY_BYTES {
        return format!("{key}.{id}");
    }
    format!("{key}.{}", Uuid::new_v5(&Uuid::NAMESPACE_OID, id.as_bytes()))
}

fn parse(time: &str) -> Option<DateTime<FixedOffset>> {
    DateTime::parse_from_rfc3339(time).ok()
}

/// A time as Go's `Time.String()` writes it: no zero at the end of the fraction, and no name for an offset but UTC.
fn go_time(time: DateTime<FixedOffset>) -> String {
    let fraction = match time.nanosecond() % 1_000_000_000 {
        0 => String::new(),
        nanoseconds => format!(".{nanoseconds:09}").trim_end_matches('0').to_owned(),
    };
    let zone = if time.offset().local_minus_utc() == 0 { "%z UTC" } else { "%z %z" };
    format!("{}{fraction} {}", time.format("%Y-%m-%d %H:%M:%S"), time.format(zone))
}

/// Whether a text can be the value of a header.
fn is_header(text: &str) -> bool {
    text.bytes().all(|b| b == b' ' || b.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(attributes: &[(&str, &str)]) -> Event {
        let mut event = Event::new("7", "shop", "com.example.order").expect("valid");
        for (name, value) in attributes {
            event.set(name, *value).expect("valid");
        }
        event.set_data("application/json", r#"{"n":1}"#).expect("valid");
        event
    }

    #[test]
    fn keys_are_those_of_the_original() {
        let shared = |time: &str| {
            let key = format!("com.example.order/shop/{time}");
            Key::Shared(key.clone(), format!("{key}.7"))
        };
        for (attributes, expected) in [
            (&[("subject", "a/b c.json")][..], Key::Own("a/b c.json".to_owned())),
            (&[("subject", "s"), ("time", "2024-01-02T03:04:05Z")], Key::Own("s".to_owned())),
            (&[("time", "2024-01-02T03:04:05.678Z")], shared("2024-01-02 03:04:05.678 +0000 UTC")),
            (&[("time", "2024-01-02T03:04:05.6780Z")], shared("2024-01-02 03:04:05.678 +0000 UTC")),
            (&[("time", "2024-01-02T03:04:05+00:00")], shared("2024-01-02 03:04:05 +0000 UTC")),
            (&[("time", "2024-01-02T03:04:05.5+02:30")], shared("2024-01-02 03:04:05.5 +0230 +0230")),
            (&[], Key::Own("com.example.order/shop/0001-01-01 00:00:00 +0000 UTC.7".to_owned())),
        ] {
            assert_eq!(Key::of(&event(attributes)).expect("short"), expected);
        }
        assert!(Key::of(&event(&[("subject", &"é".repeat(513))])).is_err());
        assert!(Key::of(&event(&[("subject", &"é".repeat(512))])).is_ok());
    }

    #[test]
    fn bodies_are_events_or_data() {
        let whole = Object::of(&event(&[]), false).expect("valid");
        assert!(whole.body.starts_with(b"{\"specversion\":\"1.0\""), "{:?}", whole.body);
        assert_eq!(whole.content_type.as_deref(), Some("application/cloudevents+json"));
        let data = Object::of(&event(&[]), true).expect("valid");
        assert_eq!(
            (&*data.body, data.content_type.as_deref()),
            (&b"{\"n\":1}"[..], Some("application/json"))
        );
        let mut put = event(&[]);
        put.set("type", PUT).expect("valid");
        assert_eq!(&*Object::of(&put, false).expect("valid").body, b"{\"n\":1}");
    }

    #[test]
    fn ids_are_kept_unambiguously() {
        let mut event = event(&[]);
        event.set("id", "é %c3").expect("valid");
        assert_eq!(Object::of(&event, true).expect("valid").id.as_deref(), Some("%C3%A9%20%25c3"));
        event.set("id", "x".repeat(1025)).expect("valid");
        let long = Object::of(&event, true).expect("valid");
        assert_eq!(long.id, None);
        assert!(matches!(long.key, Key::Own(key) if key.len() < 128), "a short name for a long id");
    }
}
