//! The settings of kafka-source.

use common::config::{Config, Duration, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct KafkaConfig {
    /// `source` of the events: a URI reference that says where they come from.
    #[schemars(example = "/kafka/main")]
    pub kafka_event_source: String,
    /// Time from one event to the next.
    #[serde(default = "default_period")]
    pub kafka_period: Duration,
}

impl Config for KafkaConfig {
    fn validate(&self, problems: &mut Problems) {
        if let Err(error) = common::Event::new("id", self.kafka_event_source.as_str(), "type") {
            problems.add("KAFKA_EVENT_SOURCE", format_args!("makes no valid event: {error}"));
        }
        if self.kafka_period.is_zero() {
            problems.add("KAFKA_PERIOD", "must be longer than nothing");
        }
    }
}

fn default_period() -> Duration {
    Duration::seconds(60)
}
