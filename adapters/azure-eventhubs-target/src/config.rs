//! The environment of the Event Hubs target. The names are those of the original image, but for the last.

use azure::{EventHubId, EventHubsConfig};
use common::{
    config::{Config, Flag, Problems},
    event::is_attribute_name,
};
use schemars::JsonSchema;
use serde::Deserialize;

/// Settings of the Event Hubs target.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct EventHubsTargetConfig {
    /// Resource id of the event hub:
    /// `/subscriptions/S/resourceGroups/RG/providers/Microsoft.EventHub/namespaces/NS/eventhubs/HUB`.
    pub eventhub_resource_id: EventHubId,
    /// Who this is for it.
    #[serde(flatten)]
    pub hub: EventHubsConfig,
    /// Whether only the data of an event is sent; else the whole event, as JSON.
    #[serde(default)]
    pub discard_ce_context: Flag,
    /// Attribute of an event whose value is its partition key, such as `subject` or `partitionkey`: events with the same
    /// value go to the same partition, in their order. Those without the attribute go to any.
    pub eventhub_partition_key_attribute: Option<String>,
}

impl Config for EventHubsTargetConfig {
    fn validate(&self, problems: &mut Problems) {
        self.hub.check(problems);
        if self.eventhub_partition_key_attribute.as_ref().is_some_and(|name| !is_attribute_name(name)) {
            problems.add("EVENTHUB_PARTITION_KEY_ATTRIBUTE", "must be the name of an attribute: a-z and 0-9");
        }
    }
}

#[cfg(test)]
pub mod tests {
    use common::config::{ConfigError, of};

    use super::*;

    pub const HUB: &str =
        "/subscriptions/S/resourceGroups/RG/providers/Microsoft.EventHub/namespaces/NS/eventhubs/HUB";

    /// A configuration with these settings over the least that there must be.
    pub fn config(settings: &[(&str, &str)]) -> Result<EventHubsTargetConfig, ConfigError> {
        let all = [("EVENTHUB_RESOURCE_ID", HUB)];
        of(&[&all, settings].concat())
    }

    #[test]
    fn half_of_a_proof_is_refused_and_all_at_once() {
        let connection = "Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=hunter2";
        for (settings, problems) in [
            (&[][..], 0),
            (&[("EVENTHUB_KEY_NAME", "n"), ("EVENTHUB_KEY_VALUE", "hunter2")], 0),
            (&[("EVENTHUB_KEY_NAME", "n")], 1),
            (&[("EVENTHUB_KEY_VALUE", "hunter2")], 1),
            (&[("EVENTHUB_KEY_NAME", "n"), ("EVENTHUB_CONNECTION_STRING", connection)], 0),
            (&[("EVENTHUB_CONNECTION_STRING", "hunter2")], 1),
            (&[("AZURE_CLIENT_SECRET", "hunter2")], 2),
            (&[("AZURE_FEDERATED_TOKEN_FILE", "/f"), ("AZURE_TENANT_ID", "t")], 1),
            (&[("AZURE_AUTHORITY_HOST", "http://h")], 1),
            (&[("EVENTHUB_ENDPOINT", "http://hunter2")], 1),
            (&[("EVENTHUB_RESOURCE_ID", "hunter2")], 1),
            (&[("EVENTHUB_PARTITION_KEY_ATTRIBUTE", "Partition-Key"), ("DISCARD_CE_CONTEXT", "maybe")], 1),
        ] {
            let found = config(settings).map_or_else(|error| error.problems, |_| Vec::new());
            assert_eq!(found.len(), problems, "{settings:?}: {found:?}");
            assert!(!found.concat().contains("hunter2"), "{found:?}");
        }
    }
}
