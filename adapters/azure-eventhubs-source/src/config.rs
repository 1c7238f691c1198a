//! The settings of azure-eventhubs-source.

use common::config::{Config, Duration, Problems};
use schemars::JsonSchema;
use serde::Deserialize;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct AzureEventhubsConfig {
    /// `source` of the events: a URI reference that says where they come from.
    #[schemars(example = "/azure-eventhubs/main")]
    pub azure_eventhubs_event_source: String,
    /// Time from one event to the next.
    #[serde(default = "default_period")]
    pub azure_eventhubs_period: Duration,
}

impl Config for AzureEventhubsConfig {
    fn validate(&self, problems: &mut Problems) {
        if let Err(error) = common::Event::new("id", self.azure_eventhubs_event_source.as_str(), "type") {
            problems.add("AZURE_EVENTHUBS_EVENT_SOURCE", format_args!("makes no valid event: {error}"));
        }
        if self.azure_eventhubs_period.is_zero() {
            problems.add("AZURE_EVENTHUBS_PERIOD", "must be longer than nothing");
        }
    }
}

fn default_period() -> Duration {
    Duration::seconds(60)
}
