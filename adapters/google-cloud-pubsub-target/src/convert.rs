//! An event as a message: the CloudEvents binding for Pub/Sub
//! (<https://github.com/googleapis/google-cloudevents/blob/main/docs/spec/pubsub.md>), within the limits of Pub/Sub
//! (<https://cloud.google.com/pubsub/quotas#resource_limits>). What breaks one is refused here, because the service
//! refuses all messages of a request for one of them.

use common::{Error, Event, event};
use google_cloud_pubsub::model::Message;
use http::StatusCode;

use crate::config::{ContentMode, PubsubTargetConfig};

/// Most bytes of a request, and so of a message.
pub const REQUEST_BYTES: usize = 10_000_000;
/// What a request has beside its messages: the name of the topic and lengths.
const ENVELOPE: usize = 1_024;
/// Most bytes of an attribute's value, and of an ordering key.
const VALUE_BYTES: usize = 1_024;
/// Most bytes of an attribute's name.
const NAME_BYTES: usize = 256;
/// Most attributes of a message.
const ATTRIBUTES: usize = 100;

/// Makes the message.
///
/// # Errors
/// When Pub/Sub could never take it.
pub fn message(config: &PubsubTargetConfig, event: Event) -> Result<Message, Error> {
    let key =
        config.gcloud_pubsub_ordering_key.as_deref().and_then(|name| event.get(name)).unwrap_or_default();
    if key.len() > VALUE_BYTES {
        return Err(Error::permanent(format!("the ordering key is longer than {VALUE_BYTES} bytes")));
    }
    let message = Message::new().set_ordering_key(key);
    let message = if config.discard_ce_context.0 {
        let data = event.data().cloned().unwrap_or_default();
        if data.is_empty() {
            return Err(Error::permanent(
                "an event without data is nothing that could be sent (DISCARD_CE_CONTEXT is set)",
            ));
        }
        message.set_data(data)
    } else {
        match config.gcloud_pubsub_content_mode {
            ContentMode::Binary if fits(&event) => binary(message, &event),
            _ => message.set_data(event::json::to_vec(&event)),
        }
    };
    if size(&message) + ENVELOPE > REQUEST_BYTES {
        let told =
            format!("as a message the event is larger than {REQUEST_BYTES} bytes, the limit of Pub/Sub");
        return Err(Error::permanent(told).with_status(StatusCode::PAYLOAD_TOO_LARGE));
    }
    Ok(message)
}

/// The size of a message as the service counts it: it takes names and values, and about 20 bytes for what it adds.
pub fn size(message: &Message) -> usize {
    let attributes: usize = message.attributes.iter().map(|(name, value)| name.len() + value.len() + 8).sum();
    message.data.len() + attributes + message.ordering_key.len() + 20
}

/// Whether all attributes can be attributes of a message. An event of which one cannot is sent in the other mode.
fn fits(event: &Event) -> bool {
    event.attributes().count() < ATTRIBUTES
        && event.attributes().all(|(name, value)| name.len() + 3 <= NAME_BYTES && value.len() <= VALUE_BYTES)
}

fn binary(message: Message, event: &Event) -> Message {
    let attribute = |(name, value): (&common::Text, &common::Text)| {
        let name = if *name == "datacontenttype" { "content-type".to_owned() } else { format!("ce-{name}") };
        (name, value.to_string())
    };
    let version = [("ce-specversion".to_owned(), event::SPEC_VERSION.to_owned())];
    message
        .set_attributes(version.into_iter().chain(event.attributes().map(attribute)))
        .set_data(event.data().cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use common::config::of;

    use super::*;

    fn config(settings: &[(&str, &str)]) -> PubsubTargetConfig {
        let base = [("GCLOUD_PUBSUB_TOPIC", "projects/p/topics/t")];
        of(&[&base, settings].concat()).expect("a valid configuration")
    }

    fn order(data: Option<&str>) -> Event {
        let mut event = Event::new("1", "/shop", "order").expect("an event");
        event.set("partitionkey", "k1").expect("an extension");
        if let Some(data) = data {
            event.set_data("application/json", data.to_owned()).expect("data");
        }
        event
    }

    #[test]
    fn an_event_becomes_a_message_in_each_mode() {
        let structured = message(&config(&[]), order(Some("{\"a\":1}"))).expect("a message");
        let text = String::from_utf8(structured.data.to_vec()).expect("text");
        for part in ["\"specversion\":\"1.0\"", "\"id\":\"1\"", "\"source\":\"/shop\"", "\"data\":{\"a\":1}"]
        {
            assert!(text.contains(part), "{text}");
        }
        assert!(structured.attributes.is_empty() && structured.ordering_key.is_empty());

        let settings =
            [("GCLOUD_PUBSUB_CONTENT_MODE", "binary"), ("GCLOUD_PUBSUB_ORDERING_KEY", "partitionkey")];
        let binary = message(&config(&settings), order(Some("{\"a\":1}"))).expect("a message");
        let attributes: BTreeMap<_, _> =
            binary.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected = BTreeMap::from([
            ("ce-id", "1"),
            ("ce-partitionkey", "k1"),
            ("ce-source", "/shop"),
            ("ce-specversion", "1.0"),
            ("ce-type", "order"),
            ("content-type", "application/json"),
        ]);
        assert_eq!((attributes, &*binary.data, &*binary.ordering_key), (expected, &b"{\"a\":1}"[..], "k1"));

        let bare = message(&config(&[("DISCARD_CE_CONTEXT", "true")]), order(Some("x"))).expect("a message");
        assert_eq!((&*bare.data, bare.attributes.len()), (&b"x"[..], 0));
    }

    #[test]
    fn what_pubsub_could_never_take_is_refused() {
        let long = "x".repeat(1_025);
        let refused = |settings: &[(&str, &str)], event: Event| {
            let error = message(&config(settings), event).expect_err("refused");
            assert!(error.is_permanent());
            error.status().as_u16()
        };
        assert_eq!(refused(&[("DISCARD_CE_CONTEXT", "true")], order(None)), 422);
        assert_eq!(refused(&[], order(Some(&"1".repeat(10_000_000)))), 413);
        let mut event = order(None);
        event.set("partitionkey", long.as_str()).expect("an extension");
        assert_eq!(refused(&[("GCLOUD_PUBSUB_ORDERING_KEY", "partitionkey")], event.clone()), 422);

        // A value that no attribute of a message could hold.
        let message =
            message(&config(&[("GCLOUD_PUBSUB_CONTENT_MODE", "binary")]), event).expect("a message");
        assert!(message.attributes.is_empty() && message.data.starts_with(b"{"));
    }
}
