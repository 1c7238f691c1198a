//! Events as messages of an event hub: one data section with the event as JSON, or with its data alone.

use azure_core_amqp::AmqpSymbol;
use azure_messaging_eventhubs::models::{AmqpMessage, EventData};
use bytes::Bytes;
use common::{Context, Error, Event, event::json};

use crate::config::EventHubsTargetConfig;

/// Longest partition key that Event Hubs takes, in characters.
const MAX_KEY: usize = 128;
/// What a message needs beside its body, near enough: its id, its key, and the framing of both.
const OVERHEAD: usize = 128;

/// An event on its way.
#[derive(Debug, PartialEq)]
pub struct Entry {
    pub body: Bytes,
    /// The id of the event, which becomes that of the message.
    pub id: String,
    pub key: Option<String>,
    pub wants_reply: bool,
}

impl Entry {
    /// As a message of a batch, which has the key.
    pub fn event_data(&self) -> EventData {
        EventData::builder().with_body(self.body.to_vec()).with_message_id(self.id.clone()).build()
    }

    /// As a message of its own.
    pub fn message(&self) -> AmqpMessage {
        let mut message = AmqpMessage::from(self.event_data());
        if let Some(key) = &self.key {
            message.add_message_annotation(AmqpSymbol::from("x-opt-partition-key"), key.clone());
        }
        message
    }

    /// Bytes that it takes in a batch, near enough.
    pub fn size(&self) -> usize {
        self.body.len() + self.id.len() + self.key.as_ref().map_or(0, String::len) + OVERHEAD
    }
}

/// Makes one.
///
/// # Errors
/// When the partition key is longer than Event Hubs takes.
pub fn entry(config: &EventHubsTargetConfig, event: &Event, context: &Context) -> Result<Entry, Error> {
    let key = config.eventhub_partition_key_attribute.as_deref().and_then(|name| event.get(name));
    if key.is_some_and(|key| key.chars().count() > MAX_KEY) {
        return Err(Error::permanent(format!("the partition key has more than {MAX_KEY} characters")));
    }
    let body = if config.discard_ce_context.0 {
        event.data().cloned().unwrap_or_default()
    } else {
        Bytes::from(json::to_vec(event))
    };
    let (id, key) = (event.id().to_owned(), key.map(str::to_owned));
    Ok(Entry { body, id, key, wants_reply: context.wants_reply() })
}
