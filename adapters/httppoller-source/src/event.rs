//! An answer as an event, and the cursor that knows it again. Facts: RFC 9110, sections 8.8 and 13.1.

use bytes::Bytes;
use common::{Error, Event, InvalidEvent, Text, event};
use http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::HttpPollerConfig;

/// What is kept of the last body that the sink accepted; JSON text in the checkpoint store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// `ETag`, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    /// `Last-Modified`, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
    /// Hash of what tells this body from others.
    version: Uuid,
    /// The id of its event, which goes into the id of the next.
    id: Uuid,
}

impl Cursor {
    /// Reads it back.
    ///
    /// # Errors
    /// When the text is not one that `text` made.
    pub fn read(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| Error::permanent("reading the position").caused_by(error))
    }

    /// As text.
    ///
    /// # Errors
    /// Never: all its members have a form in JSON.
    pub fn text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|error| Error::permanent("writing the position").caused_by(error))
    }

    /// The headers by which the endpoint sees whether it has anything new.
    pub fn conditions(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let pairs = [(header::IF_NONE_MATCH, &self.etag), (header::IF_MODIFIED_SINCE, &self.last_modified)];
        pairs
            .into_iter()
            .filter_map(|(name, value)| Some((name, HeaderValue::try_from(value.as_deref()?).ok()?)))
    }
}

/// The cursor for an answer of success; `None` when it is the body that the last cursor stands for. Only answers to
/// `GET` have validators that may be used so (`validated`).
///
/// The id is a hash of the last one and of this body, so that the same answer has the same id when it is asked for again
/// after a crash, and a new one when the endpoint comes back to what it said before.
pub fn advance(
    config: &HttpPollerConfig,
    last: Option<&Cursor>,
    response: &Response<Bytes>,
    validated: bool,
) -> Option<Cursor> {
    let validator = |name| text(response.headers(), name).filter(|_| validated);
    let (etag, last_modified) = (validator(header::ETAG), validator(header::LAST_MODIFIED));
    let endpoint = Uuid::new_v5(&Uuid::NAMESPACE_URL, config.httppoller_endpoint.as_str().as_bytes());
    let version = match (&etag, &last_modified) {
        (Some(etag), _) => hash(endpoint, &[b"etag", etag.as_bytes()]),
        // A body may change twice in the one second that is its resolution.
        (None, Some(date)) => hash(endpoint, &[b"date", date.as_bytes(), response.body()]),
        (None, None) => hash(endpoint, &[b"body", response.body()]),
    };
    let known = etag.is_some() || last_modified.is_some();
    if known && last.is_some_and(|last| last.version == version) {
        return None;
    }
    let before = match last {
        Some(last) => last.id,
        None if known => Uuid::nil(),
        // Every poll is an event then: those after a start without a position must not repeat the ids of an earlier run.
        None => Uuid::new_v4(),
    };
    let id = hash(version, &[before.as_bytes()]);
    Some(Cursor { etag, last_modified, version, id })
}

/// The event for an answer.
///
/// # Errors
/// Never with a configuration that was checked.
pub fn event(
    config: &HttpPollerConfig,
    cursor: &Cursor,
    response: Response<Bytes>,
) -> Result<Event, InvalidEvent> {
    let (source, event_type) =
        (config.httppoller_event_source.as_str(), config.httppoller_event_type.as_str());
    let mut event = Event::new(cursor.id.to_string(), source, event_type)?;
    event.set("time", event::now())?;
    let (head, body) = response.into_parts();
    if body.is_empty() {
        return Ok(event);
    }
    let given = text(&head.headers, header::CONTENT_TYPE);
    if given.is_none_or(|given| event.set("datacontenttype", given).is_err()) {
        event.set("datacontenttype", Text::from_static("application/json"))?;
    }
    event.replace_data(Some(body));
    Ok(event)
}

/// A header's value, unless it is empty or not text.
fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let value = headers.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// A hash of pieces that cannot run into one another: all but the last hold no NUL.
fn hash(namespace: Uuid, pieces: &[&[u8]]) -> Uuid {
    Uuid::new_v5(&namespace, &pieces.join(&0))
}

#[cfg(test)]
mod tests;
