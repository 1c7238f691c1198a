//! Records as events: as the original image made them, or the CloudEvents that they hold.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use common::{Event, InvalidEvent, Text, event};
use kafka::binding;
use rdkafka::{
    Timestamp,
    message::{BorrowedHeaders, Headers, Message},
};

use crate::config::{EventId, KafkaConfig};

/// The type of the events.
pub const EVENT_TYPE: &str = "io.triggermesh.kafka.event";
const SUBJECT: &str = "kafka/event";
const CONTENT_TYPE: &str = "application/json";
/// What an extension for a header begins with, and how long its name may be.
const HEADER: &str = "kafkaheader";
const HEADER_NAME: usize = 64;

/// How records of the topic become events.
pub struct Events {
    topic: Text,
    content_type: Text,
    id: EventId,
    decode: bool,
    headers: bool,
}

impl Events {
    /// By the settings.
    pub fn new(config: &KafkaConfig) -> Self {
        let content_type = match config.content_type.as_str() {
            CONTENT_TYPE => Text::from_static(CONTENT_TYPE),
            other => Text::from(other),
        };
        Self {
            topic: Text::from(config.topic.as_str()),
            content_type,
            id: config.event_id,
            decode: config.decode_cloudevents.0,
            headers: config.header_extensions.0,
        }
    }

    /// The event of a record.
    ///
    /// # Errors
    /// Never, as long as the name of the topic is one.
    pub fn of<M: Message<Headers = BorrowedHeaders>>(&self, record: &M) -> Result<Event, InvalidEvent> {
        let headers = record.headers().map(binding::texts).unwrap_or_default();
        self.made(record, &headers)
    }

    fn made<H: Headers>(
        &self,
        record: &impl Message<Headers = H>,
        headers: &[(&str, &str)],
    ) -> Result<Event, InvalidEvent> {
        let value = record.payload().map(Bytes::copy_from_slice);
        let mut event = match self.decoded(record, headers, value.as_ref()) {
            Some(event) => event,
            None => self.plain(record, headers, value)?,
        };
        // Whoever wrote the record may say which trace it belongs to, and its key is what it is about. A value that no
        // event can hold is left out.
        for name in ["traceparent", "tracestate"] {
            if let Some((_, value)) = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))
                && event.get(name).is_none()
            {
                let _ = event.set(name, *value);
            }
        }
        if let Some(key) = text(record.key())
            && event.get("partitionkey").is_none()
        {
            let _ = event.set("partitionkey", key);
        }
        if self.headers {
            for (name, value) in headers {
                let _ = event.set(&extension(name), *value);
            }
        }
        Ok(event)
    }

    /// The CloudEvent that a record holds, when it says so and is right.
    fn decoded(
        &self,
        record: &impl Message,
        headers: &[(&str, &str)],
        value: Option<&Bytes>,
    ) -> Option<Event> {
        if !self.decode {
            return None;
        }
        match binding::decode(headers, value)? {
            Ok(event) => Some(event),
            Err(error) => {
                tracing::warn!(
                    partition = record.partition(),
                    offset = record.offset(),
                    %error,
                    "a record says that it is a CloudEvent and is none: it is delivered as any other"
                );
                None
            }
        }
    }

    fn plain(
        &self,
        record: &impl Message,
        headers: &[(&str, &str)],
        value: Option<Bytes>,
    ) -> Result<Event, InvalidEvent> {
        let position = || format!("{}/{}/{}", self.topic, record.partition(), record.offset());
        let key = if self.id == EventId::Key { text(record.key()) } else { None };
        let (source, kind) = (self.topic.clone(), Text::from_static(EVENT_TYPE));
        let with_key = key.and_then(|key| Event::new(key, source.clone(), kind.clone()).ok());
        let mut event = match with_key {
            Some(event) => event,
            None => Event::new(position(), source, kind)?,
        };
        event.set("subject", Text::from_static(SUBJECT))?;
        event.set("time", time(record.timestamp()))?;
        // A tombstone has no data, and so no type of data.
        if value.is_some() {
            let named = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(binding::CONTENT_TYPE));
            let set = named.is_some_and(|(_, media_type)| event.set("datacontenttype", *media_type).is_ok());
            if !set {
                event.set("datacontenttype", self.content_type.clone())?;
            }
        }
        event.replace_data(value);
        Ok(event)
    }
}

/// When the record was written, as it says.
fn time(timestamp: Timestamp) -> Text {
    timestamp
        .to_millis()
        .and_then(chrono::DateTime::from_timestamp_millis)
        .map_or_else(event::now, |time| Text::from(time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)))
}

fn text(key: Option<&[u8]>) -> Option<&str> {
    key.and_then(|key| std::str::from_utf8(key).ok()).filter(|key| !key.is_empty())
}

/// The name of the extension that a header becomes.
fn extension(header: &str) -> String {
    let letters = header.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
    HEADER.chars().chain(letters).take(HEADER_NAME).collect()
}
