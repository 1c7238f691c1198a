//! An event as a request: `io.triggermesh.http.request` says what to send, the data of any other event is the body.

mod address;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::BTreeMap};

use bytes::Bytes;
use common::{Error, Event, event::is_json_media_type};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use serde_json::value::RawValue;

use crate::config::HttpConfig;

/// The event that says what to send.
const REQUEST_TYPE: &str = "io.triggermesh.http.request";

/// Headers that belong to the connection, which neither an event nor a setting decides.
const OF_THE_CONNECTION: [HeaderName; 11] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::HOST,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What of a request the event decides.
#[derive(Debug, PartialEq)]
pub struct Call {
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The headers of every request.
pub fn configured_headers(config: &HttpConfig) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let agent = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
    for (name, value) in &config.http_headers.0 {
        // What cannot be sent was refused with the configuration.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value))
            && !OF_THE_CONNECTION.contains(&name)
        {
            headers.insert(name, value);
        }
    }
    headers
}

/// Reads an event. `headers` are those of every request; an event may not replace `Authorization` when `guarded`.
///
/// # Errors
/// When the event asks for something that is no request; the answer is 400.
pub fn call(config: &HttpConfig, headers: &HeaderMap, guarded: bool, event: &Event) -> Result<Call, Error> {
    let data = event.data().cloned().unwrap_or_default();
    let mut call = Call { uri: config.http_url.to_uri(), headers: headers.clone(), body: data };
    if event.event_type() != REQUEST_TYPE {
        return Ok(call);
    }
    if event.data_content_type().is_some_and(|media_type| !is_json_media_type(media_type)) {
        return Err(refused("the data must be JSON"));
    }
    let data = std::mem::take(&mut call.body);
    let members = Members::read(&data)?;
    let path_suffix = members.text("path_suffix")?;
    let query_string = members.text("query_string")?;
    call.uri = address::extended(&config.http_url, &path_suffix, &query_string)?;
    for (name, value) in members.headers()? {
        let known = HeaderName::try_from(&name).ok().zip(HeaderValue::try_from(value).ok());
        let (name, value) = known.ok_or_else(|| refused("headers holds one that cannot be sent"))?;
        let kept = OF_THE_CONNECTION.contains(&name) || (guarded && name == header::AUTHORIZATION);
        if !kept {
            call.headers.insert(name, value);
        }
    }
    if let Some(body) = members.get("body") {
        call.body = body_bytes(body, config.http_body_unquote.0);
    }
    Ok(call)
}

/// The JSON as it stands, or the text of a JSON string.
fn body_bytes(body: &RawValue, unquote: bool) -> Bytes {
    let text = if unquote { serde_json::from_str::<String>(body.get()).ok() } else { None };
    text.map_or_else(|| Bytes::copy_from_slice(body.get().as_bytes()), Bytes::from)
}

/// The members of the data, their names in any letter case, as the original read them.
struct Members<'a>(BTreeMap<Cow<'a, str>, &'a RawValue>);

impl<'a> Members<'a> {
    fn read(data: &'a [u8]) -> Result<Self, Error> {
        if data.is_empty() {
            return Ok(Self(BTreeMap::new()));
        }
        let members: Option<BTreeMap<Name<'a>, &'a RawValue>> = serde_json::from_slice(data)
            .map_err(|error| refused("the data must be a JSON object").caused_by(error))?;
        Ok(Self(members.unwrap_or_default().into_iter().map(|(name, value)| (name.0, value)).collect()))
    }

    fn get(&self, name: &str) -> Option<&'a RawValue> {
        let exact = self.0.get(name);
        let any =
            || self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        exact.or_else(any).copied()
    }

    /// A member that is a string; absent and `null` are the empty one.
    fn text(&self, name: &str) -> Result<String, Error> {
        let Some(value) = self.get(name) else { return Ok(String::new()) };
        let text: Option<String> =
            serde_json::from_str(value.get()).map_err(|_| refused(&format!("{name} must be a string")))?;
        Ok(text.unwrap_or_default())
    }

    fn headers(&self) -> Result<BTreeMap<String, String>, Error> {
        let Some(value) = self.get("headers") else { return Ok(BTreeMap::new()) };
        let headers: Option<BTreeMap<String, String>> =
            serde_json::from_str(value.get()).map_err(|_| refused("headers must be an object of strings"))?;
        Ok(headers.unwrap_or_default())
    }
}

/// A name of a member, borrowed where it holds no escapes.
#[derive(PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

fn refused(message: &str) -> Error {
    Error::permanent(message.to_owned()).with_status(StatusCode::BAD_REQUEST)
}
