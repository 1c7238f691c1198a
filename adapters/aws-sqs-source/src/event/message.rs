//! The processor `default`: a message as it is, in the form of the Go SDK's `sqs.Message`.

use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use common::{Event, InvalidEvent, Text, event, go_json as json};
use serde_json::value::RawValue;

use super::Origin;

/// The type of its events.
pub const EVENT_TYPE: &str = "com.amazon.sqs.message";

/// The event of a message.
///
/// # Errors
/// When the ARN of the queue is no `source`, which the configuration does not allow.
pub fn event(origin: &Origin, message: &Message) -> Result<Event, InvalidEvent> {
    let event_type = Text::from_static(EVENT_TYPE);
    let mut event =
        match message.message_id().map(|id| Event::new(id, origin.queue.clone(), event_type.clone())) {
            Some(Ok(event)) => event,
            // No queue gives such a message, and none may be stuck by it.
            _ => Event::new(event::new_id(), origin.queue.clone(), event_type)?,
        };
    event.set("time", super::sent(message))?;
    for (name, value) in extensions(message) {
        // What no attribute can hold is in the data.
        let _ = event.set(&name, value);
    }
    event.set_data(Text::from_static("application/json"), data(message))?;
    Ok(event)
}

/// Message attributes that are text, by names that extensions can have. Of several with one name the first counts, in
/// the order of their own names.
fn extensions(message: &Message) -> Vec<(String, &str)> {
    let mut extensions: Vec<(String, &str)> = Vec::new();
    for (name, attribute) in sorted(message) {
        let Some(value) = attribute.string_value().filter(|_| !attribute.data_type().starts_with("Binary"))
        else {
            continue;
        };
        let kept = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase());
        let name: String = "sqsmsg".chars().chain(kept).collect();
        if !extensions.iter().any(|(known, _)| *known == name) {
            extensions.push((name, value));
        }
    }
    extensions
}

fn sorted(message: &Message) -> Vec<(&str, &MessageAttributeValue)> {
    let attributes = message.message_attributes().into_iter().flatten();
    let mut sorted: Vec<_> = attributes.map(|(name, value)| (name.as_str(), value)).collect();
    sorted.sort_unstable_by_key(|(name, _)| *name);
    sorted
}

/// One member of the data.
enum Member<'a> {
    Attributes,
    Json(&'a RawValue),
    Text(Option<&'a str>),
    MessageAttributes,
}

/// The members in the order of the Go struct. A body that is JSON is not quoted, and it stands first.
fn data(message: &Message) -> Vec<u8> {
    let body = message.body();
    let json = body.and_then(|body| serde_json::from_str::<&RawValue>(body).ok());
    let (first, second) = match json {
        Some(json) => (Some(("Body", Member::Json(json))), None),
        None => (None, Some(("Body", Member::Text(body)))),
    };
    let members = first.into_iter().chain([("Attributes", Member::Attributes)]).chain(second).chain([
        ("MD5OfBody", Member::Text(message.md5_of_body())),
        ("MD5OfMessageAttributes", Member::Text(message.md5_of_message_attributes())),
        ("MessageAttributes", Member::MessageAttributes),
        ("MessageId", Member::Text(message.message_id())),
        ("ReceiptHandle", Member::Text(message.receipt_handle())),
    ]);
    let mut out = Vec::with_capacity(body.map_or(0, str::len) + 1024);
    json::object(&mut out, members, |out, member| match member {
        Member::Attributes => attributes(out, message),
        Member::Json(json) => json::compact(out, json),
        Member::Text(text) => json::optional(out, text),
        Member::MessageAttributes if message.message_attributes().is_none() => out.extend_from_slice(b"null"),
        Member::MessageAttributes => json::object(out, sorted(message), attribute),
    });
    out
}

fn attributes(out: &mut Vec<u8>, message: &Message) {
    let Some(attributes) = message.attributes() else { return out.extend_from_slice(b"null") };
    let mut sorted: Vec<_> = attributes.iter().map(|(name, value)| (name.as_str(), value)).collect();
    sorted.sort_unstable();
    json::object(out, sorted, |out, value| json::string(out, value));
}

fn attribute(out: &mut Vec<u8>, value: &MessageAttributeValue) {
    out.extend_from_slice(b"{\"BinaryListValues\":");
    json::list(out, value.binary_list_values.as_deref(), |out, blob| json::bytes(out, Some(blob.as_ref())));
    out.extend_from_slice(b",\"BinaryValue\":");
    json::bytes(out, value.binary_value().map(AsRef::as_ref));
    out.extend_from_slice(b",\"DataType\":");
    json::string(out, value.data_type());
    out.extend_from_slice(b",\"StringListValues\":");
    json::list(out, value.string_list_values.as_deref(), |out, text| json::string(out, text));
    out.extend_from_slice(b",\"StringValue\":");
    json::optional(out, value.string_value());
    out.push(b'}');
}
