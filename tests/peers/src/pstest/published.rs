//! What `pstest` tells of messages and calls.

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

/// What the server has seen of the calls of one method.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many.
    pub count: u64,
    /// `authorization` of the last one.
    pub authorization: String,
    /// How many were done without being said to be.
    pub unconfirmed: u64,
    /// How many messages the last `StreamingPull` wants to hold, and how many bytes.
    pub max_outstanding: (u64, u64),
    /// The deadline that it wants, in seconds.
    pub ack_deadline: u64,
}

impl Calls {
    pub(super) fn read(seen: &Value) -> Self {
        let number = |name: &str| seen[name].as_u64().unwrap_or_default();
        Self {
            count: number("count"),
            authorization: seen["authorization"].as_str().unwrap_or_default().to_owned(),
            unconfirmed: number("unconfirmed"),
            max_outstanding: (number("max_messages"), number("max_bytes")),
            ack_deadline: number("ack_deadline"),
        }
    }
}
