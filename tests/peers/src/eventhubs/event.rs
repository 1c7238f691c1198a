//! An event on its way in, and as a partition holds it.

use std::time::SystemTime;

use fe2o3_amqp_types::messaging::annotations::OwnedKey;
use fe2o3_amqp_types::messaging::{ApplicationProperties, Body, Data, Message, MessageId, Properties};
use fe2o3_amqp_types::primitives::{SimpleValue, Symbol, Value};

/// A message with a body of any kind.
pub(super) type AnyMessage = Message<Body<Value>>;

/// An event to be put into a partition.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// The one data section.
    pub body: Vec<u8>,
    /// `content-type`.
    pub content_type: Option<String>,
    /// `message-id`, a string.
    pub message_id: Option<String>,
    /// `correlation-id`.
    pub correlation_id: Option<MessageId>,
    /// Application properties, as text.
    pub properties: Vec<(String, SimpleValue)>,
}

impl Published {
    /// An event of which only the body matters.
    #[must_use]
    pub fn body(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::default() }
    }

    pub(super) fn into_message(self) -> AnyMessage {
        let any = self.content_type.is_some() || self.message_id.is_some() || self.correlation_id.is_some();
        let properties = Properties {
            content_type: self.content_type.map(Symbol::from),
            message_id: self.message_id.map(MessageId::String),
            correlation_id: self.correlation_id,
            ..Properties::default()
        };
        let application = ApplicationProperties(self.properties.into_iter().collect());
        Message {
            properties: any.then_some(properties),
            application_properties: (!application.0.is_empty()).then_some(application),
            header: None,
            delivery_annotations: None,
            message_annotations: None,
            body: Body::Data(vec![Data::from(self.body)].into()),
            footer: None,
        }
    }
}

/// An event as a partition holds it.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its partition.
    pub partition: usize,
    /// Its sequence number.
    pub sequence: i64,
    /// Its offset; no two have the same, and none is the sequence number.
    pub offset: i64,
    /// When it came, in milliseconds since 1970.
    pub enqueued: i64,
    /// The message with the annotations of the service.
    pub message: Message<Body<Value>>,
}

impl Stored {
    /// The bytes of its data sections.
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        body(&self.message)
    }

    /// An annotation that is text.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<String> {
        annotation(&self.message, name)
    }
}

/// The bytes of its data sections.
pub(super) fn body(message: &AnyMessage) -> Vec<u8> {
    match &message.body {
        Body::Data(sections) => sections.iter().flat_map(|section| section.0.iter().copied()).collect(),
        _ => Vec::new(),
    }
}

/// An annotation that is text.
pub(super) fn annotation(message: &AnyMessage, name: &str) -> Option<String> {
    let annotations = message.message_annotations.as_ref()?;
    annotations.0.iter().find_map(|(key, value)| match (key, value) {
        (OwnedKey::Symbol(key), Value::String(value)) if key.as_str() == name => Some(value.clone()),
        _ => None,
    })
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_millis() as i64)
}
