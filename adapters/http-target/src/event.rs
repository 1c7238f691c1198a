//! The answer of the endpoint: a reply event, or a failure by its status.

use bytes::Bytes;
use common::{Error, Event, InvalidEvent, Text, event, send::retry_after};
use http::{Response, StatusCode, header};

use crate::config::HttpConfig;

/// Extensions that tie the events of one conversation together; the reply has those of the event it answers.
const CONVERSATION: [&str; 2] = ["statefulid", "statestep"];

/// What of an event its reply needs.
#[derive(Debug, Default)]
pub struct Origin([Option<Text>; 2]);

impl Origin {
    /// The extensions of an event that its reply has too.
    pub fn of(event: &Event) -> Self {
        Self(CONVERSATION.map(|name| event.text(name).cloned()))
    }
}

/// The reply event for an answer of success.
///
/// # Errors
/// Never with a configuration that was checked.
pub fn reply(config: &HttpConfig, origin: Origin, response: Response<Bytes>) -> Result<Event, InvalidEvent> {
    let id = event::new_id();
    let mut reply = Event::new(id, config.http_event_source.as_str(), config.http_event_type.as_str())?;
    reply.set("time", event::now())?;
    for (name, value) in CONVERSATION.into_iter().zip(origin.0) {
        if let Some(value) = value {
            reply.set(name, value)?;
        }
    }
    if let Some(value) = response.headers().get(header::CONTENT_TYPE) {
        let given = value.to_str().unwrap_or_default();
        if reply.set("datacontenttype", given).is_err() {
            // The endpoint says something that is no media type; of the data nothing is known then.
            reply.set("datacontenttype", Text::from_static("application/octet-stream"))?;
        }
    }
    let body = response.into_body();
    reply.replace_data((!body.is_empty()).then_some(body));
    Ok(reply)
}

/// The failure that a status means. `credentials` tells whether this target has any: one that was rotated must not cost
/// events, so that a refusal of them may succeed later.
pub fn failure(status: StatusCode, credentials: bool) -> Error {
    let message = format!("the endpoint answered {}", status.as_u16());
    match status.as_u16() {
        401 | 403 if credentials => Error::retryable(message),
        408 | 425 | 429 => Error::retryable(message),
        413 | 415 => Error::permanent(message).with_status(status),
        400..=499 => Error::permanent(message),
        _ => Error::retryable(message),
    }
}

/// The same with what the answer says beside its status.
pub fn refusal(response: &Response<Bytes>, credentials: bool) -> Error {
    let error = failure(response.status(), credentials).with_detail(response.body());
    match retry_after(response.headers()) {
        Some(after) => error.after(after),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use common::config::of;

    use super::*;

    fn config() -> HttpConfig {
        let settings = [
            ("HTTP_EVENT_TYPE", "t"),
            ("HTTP_EVENT_SOURCE", "/s"),
            ("HTTP_URL", "http://h"),
            ("HTTP_METHOD", "GET"),
        ];
        of(&settings).expect("a valid configuration")
    }

    #[test]
    fn statuses_are_those_of_the_table() {
        for (status, credentials, permanent, answered) in [
            (301, false, false, 503),
            (400, false, true, 422),
            (401, false, true, 422),
            (401, true, false, 503),
            (403, false, true, 422),
            (403, true, false, 503),
            (404, true, true, 422),
            (408, false, false, 503),
            (409, false, true, 422),
            (413, false, true, 413),
            (415, false, true, 415),
            (422, false, true, 422),
            (425, false, false, 503),
            (429, false, false, 503),
            (500, false, false, 503),
            (503, false, false, 503),
            (599, false, false, 503),
        ] {
            let error = failure(StatusCode::from_u16(status).expect("a status"), credentials);
            assert_eq!((error.is_permanent(), error.status().as_u16()), (permanent, answered), "{status}");
            assert!(error.to_string().contains(&status.to_string()), "{error}");
        }
    }

    #[test]
    fn replies_carry_the_answer_and_the_conversation() {
        for (media_type, body, expected) in [
            (Some("application/json"), r#"{"a":1}"#, Some("application/json")),
            (Some("text/plain; charset=utf-8"), "", Some("text/plain; charset=utf-8")),
            (Some("nonsense"), "x", Some("application/octet-stream")),
            (None, "x", None),
        ] {
            let mut request = Event::new("1", "/r", "r").expect("an event");
            for name in ["statefulid", "statestep", "statefulbridge"] {
                request.set(name, name).expect("an extension");
            }
            let mut response = Response::builder();
            if let Some(media_type) = media_type {
                response = response.header(header::CONTENT_TYPE, media_type);
            }
            let response = response.body(Bytes::from_static(body.as_bytes())).expect("a response");
            let reply = reply(&config(), Origin::of(&request), response).expect("an event");
            assert_eq!((reply.event_type(), reply.source()), ("t", "/s"));
            assert_eq!(reply.data_content_type(), expected);
            assert_eq!(reply.data().map(|data| &**data), (!body.is_empty()).then_some(body.as_bytes()));
            assert_eq!(
                (reply.get("statefulid"), reply.get("statestep")),
                (Some("statefulid"), Some("statestep"))
            );
            assert_eq!(reply.get("statefulbridge"), None);
            assert_ne!(reply.id(), "1");
        }
    }
}
