//! An event as a call of Slack's Web API: its type names the method, its data are the arguments.

use std::collections::HashMap;

use bytes::Bytes;
use common::{Error, Event};
use http::StatusCode;
use serde::de::IgnoredAny;

/// What comes before the method in the type of an event.
const PREFIX: &str = "com.slack.webapi.";

/// The methods that can be called.
const METHODS: [&str; 3] = ["chat.postMessage", "chat.scheduleMessage", "chat.update"];

/// The types of event that are taken.
pub const EVENT_TYPES: [&str; 3] = [
    "com.slack.webapi.chat.postMessage",
    "com.slack.webapi.chat.scheduleMessage",
    "com.slack.webapi.chat.update",
];

/// A call.
#[derive(Debug, PartialEq)]
pub struct Call {
    pub method: &'static str,
    /// JSON, byte for byte the data of the event.
    pub arguments: Bytes,
}

/// Reads an event.
///
/// # Errors
/// When it names no method, or its data are no JSON object: 422, 400 or 415.
pub fn call(event: &Event) -> Result<Call, Error> {
    let wanted = event.event_type().strip_prefix(PREFIX).unwrap_or_default();
    let Some(method) = METHODS.into_iter().find(|method| *method == wanted) else {
        return Err(Error::permanent(format!("the event's type is none of {}", EVENT_TYPES.join(", "))));
    };
    let arguments = event.data().cloned().unwrap_or_default();
    match serde_json::from_slice::<HashMap<String, IgnoredAny>>(&arguments) {
        Ok(_) => Ok(Call { method, arguments }),
        Err(error) => {
            let status =
                if event.is_json() { StatusCode::BAD_REQUEST } else { StatusCode::UNSUPPORTED_MEDIA_TYPE };
            let message = "reading the event's data, which must be a JSON object";
            Err(Error::permanent(message).with_status(status).caused_by(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event_type: &str, media_type: Option<&str>, data: &[u8]) -> Event {
        let mut event = Event::new("1", "/s", event_type).expect("an event");
        if let Some(media_type) = media_type {
            event.set("datacontenttype", media_type).expect("a media type");
        }
        event.replace_data((!data.is_empty()).then(|| Bytes::copy_from_slice(data)));
        event
    }

    #[test]
    fn the_data_are_passed_on_byte_for_byte() {
        let data = br#"{ "text" : "<hi> & 1.0", "channel":"C1" }"#;
        for (method, event_type) in METHODS.into_iter().zip(EVENT_TYPES) {
            // The original did not look at the media type either.
            for media_type in [None, Some("application/json"), Some("text/plain")] {
                let call = call(&event(event_type, media_type, data)).expect("a call");
                assert_eq!(call, Call { method, arguments: Bytes::from_static(data) });
            }
        }
    }

    #[test]
    fn what_is_no_call_is_refused_for_good() {
        let post = EVENT_TYPES[0];
        for (event_type, media_type, data, status) in [
            ("com.slack.webapi.chat.delete", None, "{}", 422),
            ("com.slack.webapi.", None, "{}", 422),
            ("chat.postMessage", None, "{}", 422),
            ("com.slack.events", None, "{}", 422),
            (post, None, "", 400),
            (post, Some("application/json"), "{", 400),
            (post, Some("application/json"), "{} {}", 400),
            (post, Some("application/json"), "[]", 400),
            (post, Some("application/json"), "\"text\"", 400),
            (post, Some("text/plain"), "hello", 415),
            (post, Some("application/xml"), "<a/>", 415),
        ] {
            let error = call(&event(event_type, media_type, data.as_bytes())).expect_err("no call");
            let found = (error.is_permanent(), error.status().as_u16());
            assert_eq!(found, (true, status), "{event_type} {media_type:?} {data}: {error}");
        }
    }
}
