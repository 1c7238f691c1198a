//! The environment of the Pub/Sub target. `GCLOUD_PUBSUB_TOPIC`, `GCLOUD_SERVICEACCOUNT_KEY` and `DISCARD_CE_CONTEXT` are
//! names of the original image.

use common::{
    config::{Config, Flag, Problems},
    event::is_attribute_name,
};
use google::{PubsubConfig, TopicName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the Pub/Sub target.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PubsubTargetConfig {
    /// Full name of the topic: `projects/PROJECT/topics/TOPIC`.
    #[schemars(example = "projects/my-project/topics/my-topic")]
    pub gcloud_pubsub_topic: TopicName,
    /// Whether only the data of an event becomes the message; its attributes are lost then.
    #[serde(default)]
    pub discard_ce_context: Flag,
    /// How an event becomes a message, unless `DISCARD_CE_CONTEXT` is set: `structured` as JSON in the message's data,
    /// `binary` as attributes of the message (`ce-id` and so on) beside the data as it is.
    #[serde(default)]
    pub gcloud_pubsub_content_mode: ContentMode,
    /// Attribute of the events whose value becomes the ordering key of the messages; an event without it has none.
    #[schemars(example = &"partitionkey")]
    pub gcloud_pubsub_ordering_key: Option<String>,
    /// The way to Pub/Sub.
    #[serde(flatten)]
    pub pubsub: PubsubConfig,
}

/// `GCLOUD_PUBSUB_CONTENT_MODE`: the content modes of the CloudEvents binding for Pub/Sub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContentMode {
    /// The whole event is the data.
    #[default]
    Structured,
    /// The data is the event's, its attributes are attributes.
    Binary,
}

impl Config for PubsubTargetConfig {
    fn validate(&self, problems: &mut Problems) {
        self.pubsub.validate(problems);
        if let Some(name) = &self.gcloud_pubsub_ordering_key
            && !is_attribute_name(name)
        {
            problems.add(
                "GCLOUD_PUBSUB_ORDERING_KEY",
                "must be the name of an attribute, lower-case letters and digits",
            );
        }
    }
}
