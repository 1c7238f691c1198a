//! A message as `pstest` tells of it.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use kit::Failure;
use serde_json::Value;

/// A message as the server has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its id.
    pub id: String,
    /// The topic.
    pub topic: String,
    /// Its data.
    pub data: Vec<u8>,
    /// Its attributes.
    pub attributes: BTreeMap<String, String>,
    /// Its ordering key, or nothing.
    pub key: String,
    /// How often it was delivered, to all subscriptions together.
    pub deliveries: u64,
    /// How often it was acknowledged, likewise.
    pub acks: u64,
    /// The deadlines that were asked for, in seconds; 0 hands it back.
    pub deadlines: Vec<u64>,
}

impl Published {
    pub(super) fn read(value: &Value) -> Result<Self, Failure> {
        let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| value[name].as_u64().unwrap_or_default();
        let attributes = value["attributes"].as_object().into_iter().flatten();
        let deadlines = value["deadlines"].as_array().into_iter().flatten();
        Ok(Self {
            id: text("id"),
            topic: text("topic"),
            data: STANDARD.decode(text("data")).map_err(|error| format!("data: {error}"))?,
            attributes: attributes
                .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()))
                .collect(),
            key: text("key"),
            deliveries: number("deliveries"),
            acks: number("acks"),
            deadlines: deadlines.filter_map(Value::as_u64).collect(),
        })
    }
}
