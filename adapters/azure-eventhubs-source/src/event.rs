//! A message of an event hub as CloudEvents, with the data that the original image made of it, byte for byte.

#[cfg(test)]
mod tests;
mod value;

use std::collections::BTreeMap;

use azure_core_amqp::message::{AmqpMessageBody, AmqpMessageId};
use azure_messaging_eventhubs::models::{AmqpMessage, ReceivedEventData};
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use common::{Event, InvalidEvent, Text, event::json, go_json};
use serde_json::value::RawValue;
use url::Url;

use crate::config::Processor;

/// The type of events, where none is set.
pub const EVENT_TYPE: &str = "com.microsoft.azure.eventhub.message";

/// What all events have in common.
#[derive(Debug, Clone)]
pub struct Conversion {
    pub processor: Processor,
    pub source: Text,
    pub event_type: Text,
}

impl Conversion {
    /// The events of a message.
    ///
    /// # Errors
    /// Never with a configuration that was checked.
    pub fn events(&self, partition: &str, message: &ReceivedEventData) -> Result<Vec<Event>, InvalidEvent> {
        if self.processor == Processor::Eventgrid
            && let Some(events) = grid(message.raw_amqp_message())
        {
            return Ok(events);
        }
        let sequence = message.sequence_number().unwrap_or_default();
        let id = format!("{partition}-{sequence}");
        let mut event = Event::new(id, self.source.clone(), self.event_type.clone())?;
        if let Some(enqueued) = message.enqueued_time() {
            let time = DateTime::<Utc>::from(enqueued).to_rfc3339_opts(SecondsFormat::AutoSi, true);
            event.set("time", time)?;
        }
        event.set_data(Text::from_static("application/json"), data(message.raw_amqp_message()))?;
        Ok(vec![event])
    }
}

/// The body, where it is one data section.
pub fn body(message: &AmqpMessage) -> Option<&[u8]> {
    match &message.body {
        AmqpMessageBody::Binary(sections) => match &sections[..] {
            [one] => Some(one),
            _ => None,
        },
        _ => None,
    }
}

/// The CloudEvents that Event Grid has sent; none when the body is not an array of them.
fn grid(message: &AmqpMessage) -> Option<Vec<Event>> {
    let elements = serde_json::from_slice::<Vec<&RawValue>>(body(message)?).ok()?;
    elements.into_iter().map(element).collect()
}

fn element(json: &RawValue) -> Option<Event> {
    let mut members = serde_json::from_str::<BTreeMap<String, &RawValue>>(json.get()).ok()?;
    let schema =
        members.get("dataschema").and_then(|schema| serde_json::from_str::<String>(schema.get()).ok());
    let mut text = Bytes::copy_from_slice(json.get().as_bytes());
    // Event Grid writes `#` where it knows no schema.
    if schema.is_some_and(|schema| Url::parse(&schema).is_err()) {
        members.remove("dataschema");
        text = serde_json::to_vec(&members).ok()?.into();
    }
    let mut event = json::from_slice(text).ok()?;
    if event.data_content_type().is_none() {
        event.set("datacontenttype", Text::from_static("application/json")).ok()?;
    }
    Some(event)
}

/// The five members of a message; a body that is JSON stands first, as it is.
fn data(message: &AmqpMessage) -> Vec<u8> {
    let body = body(message);
    let json = body.and_then(|body| serde_json::from_slice::<&RawValue>(body).ok());
    let mut out = Vec::with_capacity(body.map_or(0, |body| body.len() * 4 / 3) + 128);
    out.push(b'{');
    if let Some(json) = json {
        out.extend_from_slice(b"\"Body\":");
        go_json::compact(&mut out, json);
        out.push(b',');
    }
    out.extend_from_slice(b"\"Properties\":");
    value::map(&mut out, message.application_properties.as_ref().map(|properties| &properties.0));
    if json.is_none() {
        out.extend_from_slice(b",\"Body\":");
        go_json::bytes(&mut out, body);
    }
    let properties = message.properties.as_ref();
    out.extend_from_slice(b",\"ContentType\":");
    let content_type = properties.and_then(|properties| properties.content_type.as_ref());
    go_json::optional(&mut out, content_type.map(|symbol| symbol.0.as_str()));
    out.extend_from_slice(b",\"CorrelationID\":");
    match properties.and_then(|properties| properties.correlation_id.as_ref()) {
        None => go_json::optional(&mut out, None),
        Some(AmqpMessageId::String(text)) => go_json::string(&mut out, text),
        Some(AmqpMessageId::Ulong(number)) => out.extend_from_slice(number.to_string().as_bytes()),
        Some(AmqpMessageId::Binary(bytes)) => go_json::bytes(&mut out, Some(bytes)),
        Some(AmqpMessageId::Uuid(id)) => value::uuid(&mut out, id.as_bytes()),
    }
    out.extend_from_slice(b",\"MessageID\":");
    let message_id = match properties.and_then(|properties| properties.message_id.as_ref()) {
        Some(AmqpMessageId::String(text)) => Some(text.as_str()),
        _ => None,
    };
    go_json::optional(&mut out, message_id);
    out.push(b'}');
    out
}
