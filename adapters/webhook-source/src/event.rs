//! The event that a request becomes.

use std::collections::BTreeMap;

use bytes::Bytes;
use common::{Event, InvalidEvent, Text, event};
use http::{HeaderMap, Request, header};

use crate::config::{RequestPart, RequestParts, WebhookConfig};

/// Extension names are cut to this, as the original did.
const MAX_NAME: usize = 20;

/// Builds the event. Header and query values that no event may hold are left out of it.
pub fn build(config: &WebhookConfig, request: &Request<Bytes>) -> Result<Event, InvalidEvent> {
    let parts = &config.webhook_event_extension_attributes_from;
    let headers = request.headers();
    let with_headers = parts.0.contains(&RequestPart::Headers);
    let id = with_headers.then(|| header(headers, "ce-id")).flatten().map_or_else(event::new_id, Text::from);
    let mut event = Event::new(id, config.webhook_event_source.as_str(), config.webhook_event_type.as_str())?;
    event.set("time", event::now())?;
    if let Some(subject) = with_headers.then(|| header(headers, "ce-subject")).flatten() {
        event.set("subject", subject)?;
    }
    for (name, value) in extensions(parts, request) {
        // A value with control characters cannot stand in an event; the rest of the request still can.
        let _ = event.set(&name, value);
    }
    if let Some(content_type) = header(headers, header::CONTENT_TYPE.as_str()) {
        event.set("datacontenttype", content_type)?;
    }
    let body = request.body();
    event.replace_data((!body.is_empty()).then(|| body.clone()));
    Ok(event)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

/// The chosen parts of the request by extension name. Of names that collide when they are cut, the first one in the
/// order of the full names wins, so that the result is always the same.
fn extensions(parts: &RequestParts, request: &Request<Bytes>) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut put = |name: String, value: String| {
        found.entry(name).or_insert(value);
    };
    for part in &parts.0 {
        match part {
            RequestPart::Method => put("method".to_owned(), request.method().to_string()),
            RequestPart::Path => put("path".to_owned(), request.uri().path().to_owned()),
            RequestPart::Host => {
                let host = header(request.headers(), header::HOST.as_str()).or_else(|| request.uri().host());
                put("host".to_owned(), host.unwrap_or_default().to_owned());
            }
            RequestPart::Queries => {
                for (name, value) in queries(request.uri().query().unwrap_or_default()) {
                    put(sanitised(&name), value);
                }
            }
            RequestPart::Headers => {
                let sorted: BTreeMap<_, _> = request
                    .headers()
                    .keys()
                    .map(|name| (name.as_str(), request.headers().get_all(name)))
                    .collect();
                for (name, values) in
                    sorted.into_iter().filter(|(name, _)| *name != header::AUTHORIZATION.as_str())
                {
                    let values: Vec<_> =
                        values.iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
                    for (name, value) in numbered("h", name, &values) {
                        put(sanitised(&name), value);
                    }
                }
            }
        }
    }
    found.retain(|name, _| !name.is_empty());
    found
}

fn queries(query: &str) -> Vec<(String, String)> {
    let mut values: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        values.entry(name.into_owned()).or_default().push(value);
    }
    values.iter().flat_map(|(name, values)| numbered("q", name, values)).collect()
}

/// `q` and the name for a single value; the same with 0, 1, … behind it for several.
fn numbered(prefix: &str, name: &str, values: &[std::borrow::Cow<'_, str>]) -> Vec<(String, String)> {
    let number = |index: usize| if values.len() == 1 { String::new() } else { index.to_string() };
    values
        .iter()
        .enumerate()
        .map(|(index, value)| (format!("{prefix}{name}{}", number(index)), value.clone().into_owned()))
        .collect()
}

fn sanitised(name: &str) -> String {
    let clean = name.chars().map(|c| c.to_ascii_lowercase()).filter(char::is_ascii_alphanumeric);
    let name: String = clean.take(MAX_NAME).collect();
    if matches!(name.as_str(), "data" | "path" | "method" | "host") { format!("{name}0") } else { name }
}
