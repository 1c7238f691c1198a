//! An event that a target takes, as requests that carry it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::http::Request;

/// An event that a target takes.
#[derive(Clone, Debug)]
pub struct Example {
    /// Its `type`.
    pub event_type: String,
    /// Its `datacontenttype`.
    pub content_type: String,
    /// Its payload.
    pub data: Vec<u8>,
}

impl Example {
    /// An event with a JSON payload.
    #[must_use]
    pub fn json(event_type: &str, data: &Value) -> Self {
        Self::new(event_type, "application/json", data.to_string())
    }

    /// An event with any payload.
    #[must_use]
    pub fn new(event_type: &str, content_type: &str, data: impl Into<Vec<u8>>) -> Self {
        Self { event_type: event_type.to_owned(), content_type: content_type.to_owned(), data: data.into() }
    }

    /// The request that carries it in binary mode, with id `kit-<number>`.
    #[must_use]
    pub fn binary(&self, number: u64) -> Request {
        Request::post("/")
            .header("ce-specversion", "1.0")
            .header("ce-id", &format!("kit-{number}"))
            .header("ce-source", "/kit")
            .header("ce-type", &self.event_type)
            .body(&self.content_type, self.data.clone())
    }

    /// Its JSON form, with id `kit-<number>`.
    #[must_use]
    pub fn to_json(&self, number: u64) -> Value {
        let mut event = json!({
            "specversion": "1.0", "id": format!("kit-{number}"), "source": "/kit",
            "type": self.event_type, "datacontenttype": self.content_type,
        });
        match (serde_json::from_slice::<Value>(&self.data), std::str::from_utf8(&self.data)) {
            (Ok(data), _) if self.content_type.ends_with("json") => event["data"] = data,
            (_, Ok(text)) => event["data"] = text.into(),
            _ => event["data_base64"] = STANDARD.encode(&self.data).into(),
        }
        event
    }

    /// The request that carries it in structured mode.
    #[must_use]
    pub fn structured(&self, number: u64) -> Request {
        Request::post("/").body("application/cloudevents+json", self.to_json(number).to_string())
    }
}
