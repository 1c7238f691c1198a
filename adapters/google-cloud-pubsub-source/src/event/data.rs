//! A message as JSON, in the form of the Go SDK's `pubsub.Message` as Go writes it: what the original image sent.

use common::go_json::{bytes, compact, object, string};
use google_cloud_pubsub::model::Message;
use serde_json::value::RawValue;

/// When the message was published: RFC 3339 in UTC, as many digits of a second as there are.
pub fn time(message: &Message) -> String {
    message.publish_time.map(String::from).unwrap_or_else(|| "1970-01-01T00:00:00Z".to_owned())
}

/// The attributes in the order of their names.
pub fn sorted(message: &Message) -> Vec<(&str, &str)> {
    let mut sorted: Vec<_> =
        message.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sorted.sort_unstable();
    sorted
}

/// One member of the data.
enum Member<'a> {
    Json(&'a RawValue),
    Base64(Option<&'a [u8]>),
    Text(&'a str),
    Attributes,
    Attempt,
}

/// The members in the order of the Go struct. Data that is JSON stands as it is, and first; other data is base64.
pub fn json(message: &Message, time: &str, attempt: Option<i32>) -> Vec<u8> {
    let json = serde_json::from_slice::<&RawValue>(&message.data).ok();
    let (first, second) = match json {
        Some(json) => (Some(("Data", Member::Json(json))), None),
        None => {
            let data = Some(&*message.data).filter(|data| !data.is_empty());
            (None, Some(("Data", Member::Base64(data))))
        }
    };
    let id = [("ID", Member::Text(&message.message_id))];
    let members = first.into_iter().chain(id).chain(second).chain([
        ("Attributes", Member::Attributes),
        ("PublishTime", Member::Text(time)),
        ("DeliveryAttempt", Member::Attempt),
        ("OrderingKey", Member::Text(&message.ordering_key)),
    ]);
    let mut out = Vec::with_capacity(message.data.len() + 512);
    object(&mut out, members, |out, member| match member {
        Member::Json(json) => compact(out, json),
        Member::Base64(data) => bytes(out, data),
        Member::Text(text) => string(out, text),
        Member::Attributes if message.attributes.is_empty() => out.extend_from_slice(b"null"),
        Member::Attributes => object(out, sorted(message), string),
        Member::Attempt => match attempt {
            Some(attempt) => out.extend_from_slice(attempt.to_string().as_bytes()),
            None => out.extend_from_slice(b"null"),
        },
    });
    out
}
