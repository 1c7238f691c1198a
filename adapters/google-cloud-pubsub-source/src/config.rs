//! The environment of the Pub/Sub source. The names are those of the original image, but for the acknowledgement deadline
//! and the endpoint.

use common::{
    Event,
    config::{Config, Duration, Problems},
};
use google::{ProjectName, PubsubConfig, SubscriptionName, TopicName};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the Pub/Sub source.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PubsubSourceConfig {
    /// Full name of a pull subscription: `projects/PROJECT/subscriptions/SUBSCRIPTION`. It must exist. The id alone is
    /// enough where `GCLOUD_PUBSUB_PROJECT` or `GCLOUD_PUBSUB_TOPIC` names the project.
    #[schemars(example = "projects/my-project/subscriptions/my-subscription")]
    pub gcloud_pubsub_subscription: SubscriptionName,
    /// Project of a subscription that is given by its id, or the full name of any resource in that project.
    pub gcloud_pubsub_project: Option<ProjectName>,
    /// Full name of the topic of a subscription that is given by its id: the subscription is in the project of the topic.
    pub gcloud_pubsub_topic: Option<TopicName>,
    /// What events are made of messages: `default` for any, `gcs` for the notifications of Cloud Storage, whose event type
    /// follows from what happened to the object.
    #[serde(default)]
    pub gcloud_pubsub_message_processor: Processor,
    /// `source` of the events. Without it that is the topic of the subscription, or where it may not be asked for, the
    /// subscription.
    pub ce_source: Option<String>,
    /// Bucket of the processor `gcs`: the `source` is `gs://BUCKET` unless `CE_SOURCE` is set.
    pub gcloud_storage_bucket: Option<String>,
    /// `type` of the events, `com.google.cloud.pubsub.message` if not set; the processor `gcs` takes no notice of it.
    pub ce_type: Option<String>,
    /// How long messages stay with this adapter after it has died. While it lives it keeps them as long as it needs,
    /// whatever the subscription says. 10 seconds to 10 minutes.
    #[serde(default = "default_ack_deadline")]
    pub gcloud_pubsub_ack_deadline: Duration,
    /// The way to Pub/Sub.
    #[serde(flatten)]
    pub pubsub: PubsubConfig,
}

/// `GCLOUD_PUBSUB_MESSAGE_PROCESSOR`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Processor {
    /// Any message; its attributes become extensions.
    #[default]
    Default,
    /// Notifications of Cloud Storage.
    Gcs,
}

impl PubsubSourceConfig {
    /// The full name of the subscription.
    pub fn subscription(&self) -> Option<String> {
        let of_topic = self.gcloud_pubsub_topic.as_deref().and_then(|topic| topic.split('/').nth(1));
        self.gcloud_pubsub_subscription.full(of_topic.or(self.gcloud_pubsub_project.as_deref()))
    }

    /// The `source` of the events, where the subscription does not decide it.
    pub fn source(&self) -> Option<String> {
        let of_bucket = || self.gcloud_storage_bucket.as_ref().map(|bucket| format!("gs://{bucket}"));
        self.ce_source.clone().or_else(of_bucket)
    }
}

impl Config for PubsubSourceConfig {
    fn validate(&self, problems: &mut Problems) {
        self.pubsub.validate(problems);
        if self.subscription().is_none() {
            problems.add(
                "GCLOUD_PUBSUB_SUBSCRIPTION",
                "must be the full name of a subscription, projects/PROJECT/subscriptions/SUBSCRIPTION: neither \
                 GCLOUD_PUBSUB_PROJECT nor GCLOUD_PUBSUB_TOPIC is set",
            );
        }
        if let Some(source) = self.source()
            && let Err(error) = Event::new("id", source, "type")
        {
            let name = if self.ce_source.is_some() { "CE_SOURCE" } else { "GCLOUD_STORAGE_BUCKET" };
            problems.add(name, format_args!("makes no valid event: {error}"));
        }
        if let Some(event_type) = &self.ce_type
            && let Err(error) = Event::new("id", "/", event_type.as_str())
        {
            problems.add("CE_TYPE", format_args!("makes no valid event: {error}"));
        }
        if !(10..=600).contains(&self.gcloud_pubsub_ack_deadline.as_secs()) {
            problems.add("GCLOUD_PUBSUB_ACK_DEADLINE", "must be from 10s to 10m");
        }
    }
}

fn default_ack_deadline() -> Duration {
    Duration::seconds(60)
}
