//! The settings of google-cloud-pubsub-source.

use common::config::{Config, Duration, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct GoogleCloudPubsubConfig {
    /// `source` of the events: a URI reference that says where they come from.
    #[schemars(example = "/google-cloud-pubsub/main")]
    pub google_cloud_pubsub_event_source: String,
    /// Time from one event to the next.
    #[serde(default = "default_period")]
    pub google_cloud_pubsub_period: Duration,
}

impl Config for GoogleCloudPubsubConfig {
    fn validate(&self, problems: &mut Problems) {
        if let Err(error) = common::Event::new("id", self.google_cloud_pubsub_event_source.as_str(), "type") {
            problems.add("GOOGLE_CLOUD_PUBSUB_EVENT_SOURCE", format_args!("makes no valid event: {error}"));
        }
        if self.google_cloud_pubsub_period.is_zero() {
            problems.add("GOOGLE_CLOUD_PUBSUB_PERIOD", "must be longer than nothing");
        }
    }
}

fn default_period() -> Duration {
    Duration::seconds(60)
}
