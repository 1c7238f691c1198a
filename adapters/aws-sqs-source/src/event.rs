//! What becomes of a message: events, by one of three processors. A message that is not what its processor looks for is
//! an event of the processor `default`; no message is dropped, and none can stop the source.

mod eventbridge;
mod message;
mod s3;
#[cfg(test)]
mod tests;

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use common::{Event, InvalidEvent, Text, event};

use crate::config::Processor;

/// What events say of where they come from.
#[derive(Debug)]
pub struct Origin {
    /// How messages are read.
    pub processor: Processor,
    /// The ARN of the queue.
    pub queue: Text,
    /// The partition of AWS in it: `aws`, `aws-cn`.
    pub partition: String,
    /// The source of events of a bus.
    pub source: Text,
}

/// The events of a message, at least one.
///
/// # Errors
/// When the ARN of the queue is no `source`, which the configuration does not allow.
pub fn events(origin: &Origin, message: &Message) -> Result<Vec<Event>, InvalidEvent> {
    let found = match origin.processor {
        Processor::Default => None,
        Processor::S3 => s3::events(origin, message),
        Processor::EventBridge => eventbridge::event(origin, message).map(|event| vec![event]),
    };
    found.map_or_else(|| message::event(origin, message).map(|event| vec![event]), Ok)
}

/// An attribute that the queue gave the message.
pub fn attribute(message: &Message, name: MessageSystemAttributeName) -> Option<&str> {
    message.attributes()?.get(&name).map(String::as_str)
}

/// When the message was sent to the queue; now, where it does not say.
fn sent(message: &Message) -> Text {
    let millis = attribute(message, MessageSystemAttributeName::SentTimestamp);
    let time = millis.and_then(|millis| chrono::DateTime::from_timestamp_millis(millis.parse().ok()?));
    time.map_or_else(event::now, |time| time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true).into())
}
