//! A CloudEvent read from an HTTP message, more strictly than any receiver should: what an adapter writes must be
//! without a fault. Facts: CloudEvents 1.0.2, HTTP binding 3.1 and 3.2, JSON format 3.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::wire::Headers;
use crate::{Failure, ensure};

/// An event as it was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Every attribute and extension as text, `specversion` and `datacontenttype` among them.
    pub attributes: BTreeMap<String, String>,
    /// The payload; of structured JSON data its compact form.
    pub data: Vec<u8>,
    /// Whether it came in structured mode.
    pub structured: bool,
}

impl Event {
    /// An attribute or extension; empty when it is not there.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The payload as JSON; null when it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.data).unwrap_or_default()
    }

    /// Reads one event in either mode.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn read(headers: &Headers, body: &[u8]) -> Result<Self, Failure> {
        let media_type = headers.get("content-type").unwrap_or_default().to_ascii_lowercase();
        let event = if media_type.starts_with("application/cloudevents-batch") {
            return Err("a batch, not one event".to_owned());
        } else if media_type.starts_with("application/cloudevents") {
            let value = serde_json::from_slice(body).map_err(|error| format!("structured mode: {error}"))?;
            Self::from_json(&value)?
        } else {
            Self::from_binary(headers, body)?
        };
        event.check()?;
        Ok(event)
    }

    fn from_binary(headers: &Headers, body: &[u8]) -> Result<Self, Failure> {
        let mut attributes = BTreeMap::new();
        for (name, value) in headers.iter() {
            let Some(name) = name.strip_prefix("ce-") else { continue };
            ensure(name != "datacontenttype", || "ce-datacontenttype must not be sent".to_owned())?;
            let printable = value.bytes().all(|byte| (0x21..=0x7e).contains(&byte) && byte != b'"');
            ensure(printable, || format!("ce-{name} is not percent-encoded: {value:?}"))?;
            let decoded =
                percent_decode_str(value).decode_utf8().map_err(|error| format!("ce-{name}: {error}"))?;
            let known = attributes.insert(name.to_owned(), decoded.into_owned());
            ensure(known.is_none(), || format!("ce-{name} twice"))?;
        }
        if let Some(media_type) = headers.get("content-type") {
            attributes.insert("datacontenttype".to_owned(), media_type.to_owned());
        }
        Ok(Self { attributes, data: body.to_vec(), structured: false })
    }

    /// Reads the JSON form of an event.
    ///
    /// # Errors
    /// When it is no object, or a value has a type that the format does not know.
    pub fn from_json(value: &Value) -> Result<Self, Failure> {
        let members = value.as_object().ok_or("structured mode: no object")?;
        let mut attributes = BTreeMap::new();
        let mut data = Vec::new();
        for (name, value) in members {
            match (name.as_str(), value) {
                ("data_base64", Value::String(text)) => {
                    data = STANDARD.decode(text).map_err(|error| format!("data_base64: {error}"))?;
                }
                ("data", Value::String(text)) if !is_json(members.get("datacontenttype")) => {
                    data = text.clone().into_bytes();
                }
                ("data", value) => data = value.to_string().into_bytes(),
                (_, Value::Null) => {}
                (_, Value::String(text)) => drop(attributes.insert(name.clone(), text.clone())),
                (_, Value::Bool(_) | Value::Number(_)) => {
                    drop(attributes.insert(name.clone(), value.to_string()))
                }
                _ => return Err(format!("attribute {name} is {value}")),
            }
        }
        Ok(Self { attributes, data, structured: true })
    }

    fn check(&self) -> Result<(), Failure> {
        for required in ["id", "source", "type"] {
            ensure(!self.get(required).is_empty(), || format!("{required} is missing or empty"))?;
        }
        ensure(self.get("specversion") == "1.0", || format!("specversion {:?}", self.get("specversion")))?;
        for (name, value) in &self.attributes {
            let lower = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
            ensure(lower && !name.is_empty(), || format!("attribute name {name:?}"))?;
            ensure(!value.chars().any(char::is_control), || format!("control character in {name}"))?;
        }
        for optional in ["subject", "dataschema", "datacontenttype", "time"] {
            let empty = self.attributes.get(optional).is_some_and(String::is_empty);
            ensure(!empty, || format!("{optional} is there and empty"))?;
        }
        match self.attributes.get("time") {
            Some(time) => chrono::DateTime::parse_from_rfc3339(time)
                .map(drop)
                .map_err(|error| format!("time {time:?}: {error}")),
            None => Ok(()),
        }
    }
}

pub(crate) fn is_json(media_type: Option<&Value>) -> bool {
    let Some(media_type) = media_type.and_then(Value::as_str) else { return true };
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json")
}
