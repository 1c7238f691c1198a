//! The environment of the Event Hubs source. The names down to `CE_TYPE` are those of the original image.

use std::fmt;

use azure::{EventHubId, EventHubsConfig, ResourceId};
use chrono::{DateTime, Utc};
use common::{
    Event,
    config::{Config, Duration, Parse, Problems, Secret},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the Event Hubs source.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct EventHubsSourceConfig {
    /// Resource id of the event hub:
    /// `/subscriptions/S/resourceGroups/RG/providers/Microsoft.EventHub/namespaces/NS/eventhubs/HUB`.
    pub eventhub_resource_id: Option<EventHubId>,
    /// Resource id of the namespace, beside `EVENTHUB_NAME`, where `EVENTHUB_RESOURCE_ID` is not set.
    pub eventhub_namespace_id: Option<ResourceId>,
    /// Name of the hub, beside `EVENTHUB_NAMESPACE_ID`; without it the hub is called like the storage account.
    pub eventhub_name: Option<String>,
    /// Resource id of a storage account whose name is that of the hub.
    pub eventhub_storage_account_id: Option<ResourceId>,
    /// Who this is for the hub.
    #[serde(flatten)]
    pub hub: EventHubsConfig,
    /// Consumer group.
    #[serde(default = "default_group")]
    pub eventhub_consumer_group: String,
    /// Seconds without an event after which a partition is asked whether it has any, and its link is attached anew if it
    /// gives none.
    #[serde(default = "default_timeout")]
    #[schemars(range(min = 1, max = 3600))]
    pub eventhub_message_timeout: u64,
    /// Events of each partition that are taken at once, and as many that are had in advance.
    #[serde(default = "default_count")]
    #[schemars(range(min = 1, max = 5000))]
    pub eventhub_message_count_size: u32,
    /// What messages are: `default`, anything, or `eventgrid`, arrays of CloudEvents as Event Grid writes them.
    #[serde(default)]
    pub eventhub_message_processor: Processor,
    /// Source of the events, a URI reference; else the resource id of the hub.
    pub ce_source: Option<String>,
    /// Type of the events.
    pub ce_type: Option<String>,
    /// Id of the subscription whose activity log the hub has: with it the source of events is `/subscriptions/ID`.
    pub azure_subscription_id: Option<String>,
    /// Where reading begins in a partition of which no position is stored: `latest`, `earliest`, or a moment such as
    /// `2026-01-31T12:00:00Z`.
    #[serde(default)]
    pub eventhub_start_position: Start,
    /// Where positions are kept, and how replicas share partitions: `https://ACCOUNT.blob.core.windows.net/CONTAINER` (perhaps
    /// with a shared access signature), `s3://…` or `rediss://…`. Without it positions are files in `CHECKPOINT_DIR`, for
    /// one replica.
    pub checkpoint_url: Option<Secret>,
    /// Key of the storage account of `CHECKPOINT_URL`; without it the `AZURE_` variables prove who this is.
    pub azure_storage_key: Option<Secret>,
    /// How often partitions are looked for and shared anew between replicas.
    #[serde(default = "default_interval")]
    pub eventhub_balance_interval: Duration,
    /// After which time without a sign of life the partitions of a replica go to others.
    #[serde(default = "default_expiry")]
    pub eventhub_ownership_expiry: Duration,
}

/// What messages are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Processor {
    /// Anything.
    #[default]
    Default,
    /// Arrays of CloudEvents.
    Eventgrid,
}

/// Where reading begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Start {
    /// After the last event there is.
    #[default]
    Latest,
    /// Before the first event there is.
    Earliest,
    /// At the first event that came then or later.
    At(DateTime<Utc>),
}

impl Parse for Start {
    const FORMAT: &'static str = "start-position";
    const EXPECTED: &'static str = "latest, earliest, or a moment such as 2026-01-31T12:00:00Z";

    fn parse(text: &str) -> Result<Self, String> {
        match text.trim() {
            "latest" => Ok(Self::Latest),
            "earliest" => Ok(Self::Earliest),
            moment => DateTime::parse_from_rfc3339(moment)
                .map(|moment| Self::At(moment.to_utc()))
                .map_err(|_| format!("must be {}", Self::EXPECTED)),
        }
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Earliest => f.write_str("earliest"),
            Self::At(moment) => f.write_str(&moment.to_rfc3339()),
        }
    }
}

common::config_type!(Start);

impl EventHubsSourceConfig {
    /// The hub that the settings name.
    ///
    /// # Errors
    /// The variable at fault and the end of a sentence about it.
    pub fn id(&self) -> Result<EventHubId, (&'static str, String)> {
        if let Some(id) = &self.eventhub_resource_id {
            return Ok(id.clone());
        }
        let Some(namespace) = &self.eventhub_namespace_id else {
            return Err(("EVENTHUB_RESOURCE_ID", "is missing: resource id of the event hub".to_owned()));
        };
        let account = self.eventhub_storage_account_id.as_ref().and_then(|id| Some(id.resource.clone()?.1));
        let Some(hub) = self.eventhub_name.clone().or(account) else {
            return Err(("EVENTHUB_NAME", "is missing: EVENTHUB_NAMESPACE_ID is set".to_owned()));
        };
        EventHubId::of_namespace(namespace.as_str(), &hub).map_err(|_| {
            ("EVENTHUB_NAMESPACE_ID", "must be the resource id of a namespace of Event Hubs".to_owned())
        })
    }

    /// The source of events.
    pub fn source(&self, id: &EventHubId) -> String {
        let subscription = self.azure_subscription_id.as_ref().map(|id| format!("/subscriptions/{id}"));
        self.ce_source.clone().or(subscription).unwrap_or_else(|| id.as_str().to_owned())
    }
}

impl Config for EventHubsSourceConfig {
    fn validate(&self, problems: &mut Problems) {
        self.hub.check(problems);
        match self.id() {
            Err((variable, problem)) => problems.add(variable, problem),
            Ok(id) => {
                let event_type = self.ce_type.as_deref().unwrap_or("type");
                if let Err(error) = Event::new("id", self.source(&id).as_str(), event_type) {
                    problems.add("CE_SOURCE", format_args!("and CE_TYPE must suit an event: {error}"));
                }
            }
        }
        if self.eventhub_consumer_group.contains('/') {
            problems.add("EVENTHUB_CONSUMER_GROUP", "must be the name of a consumer group");
        }
        if self.eventhub_balance_interval.is_zero() {
            problems.add("EVENTHUB_BALANCE_INTERVAL", "must be longer than 0");
        }
        if *self.eventhub_ownership_expiry < *self.eventhub_balance_interval * 2 {
            problems.add("EVENTHUB_OWNERSHIP_EXPIRY", "must be at least twice EVENTHUB_BALANCE_INTERVAL");
        }
    }
}

fn default_group() -> String {
    "$Default".to_owned()
}

fn default_timeout() -> u64 {
    20
}

fn default_count() -> u32 {
    100
}

fn default_interval() -> Duration {
    Duration::seconds(10)
}

fn default_expiry() -> Duration {
    Duration::seconds(30)
}

#[cfg(test)]
pub mod tests {
    use common::config::{ConfigError, of};

    use super::*;

    pub const HUB: &str =
        "/subscriptions/S/resourceGroups/RG/providers/Microsoft.EventHub/namespaces/NS/eventhubs/HUB";
    const NAMESPACE: &str = "/subscriptions/S/resourceGroups/RG/providers/Microsoft.EventHub/namespaces/NS";
    const ACCOUNT: &str =
        "/subscriptions/S/resourceGroups/RG/providers/Microsoft.Storage/storageAccounts/acc";

    /// A configuration of these settings.
    pub fn config(settings: &[(&str, &str)]) -> Result<EventHubsSourceConfig, ConfigError> {
        of(settings)
    }

    #[test]
    fn the_hub_is_named_by_its_id_or_by_its_namespace_and_name() {
        for (settings, hub, source) in [
            (&[("EVENTHUB_RESOURCE_ID", HUB), ("EVENTHUB_NAME", "ignored")][..], "HUB", HUB.to_owned()),
            (
                &[("EVENTHUB_NAMESPACE_ID", NAMESPACE), ("EVENTHUB_NAME", "insights-activity-logs")],
                "insights-activity-logs",
                format!("{NAMESPACE}/eventhubs/insights-activity-logs"),
            ),
            (
                &[("EVENTHUB_NAMESPACE_ID", NAMESPACE), ("EVENTHUB_STORAGE_ACCOUNT_ID", ACCOUNT)],
                "acc",
                format!("{NAMESPACE}/eventhubs/acc"),
            ),
            (
                &[("EVENTHUB_RESOURCE_ID", HUB), ("AZURE_SUBSCRIPTION_ID", "0-1")],
                "HUB",
                "/subscriptions/0-1".to_owned(),
            ),
            (&[("EVENTHUB_RESOURCE_ID", HUB), ("CE_SOURCE", "/mine")], "HUB", "/mine".to_owned()),
        ] {
            let config = config(settings).unwrap_or_else(|error| panic!("{settings:?}: {error}"));
            let id = config.id().expect("an id");
            assert_eq!((id.hub.as_str(), config.source(&id)), (hub, source), "{settings:?}");
        }
    }

    #[test]
    fn what_the_schema_cannot_see_is_refused() {
        for (settings, problems) in [
            (&[][..], 1),
            (&[("EVENTHUB_NAMESPACE_ID", NAMESPACE)], 1),
            (&[("EVENTHUB_NAMESPACE_ID", ACCOUNT), ("EVENTHUB_NAME", "x")], 1),
            (&[("EVENTHUB_RESOURCE_ID", HUB), ("EVENTHUB_START_POSITION", "yesterday")], 1),
            (&[("EVENTHUB_RESOURCE_ID", HUB), ("EVENTHUB_START_POSITION", "2026-01-31T12:00:00Z")], 0),
            (&[("EVENTHUB_RESOURCE_ID", HUB), ("EVENTHUB_MESSAGE_PROCESSOR", "other")], 1),
            (&[("EVENTHUB_RESOURCE_ID", HUB), ("EVENTHUB_MESSAGE_TIMEOUT", "20s")], 1),
            (&[("EVENTHUB_RESOURCE_ID", HUB), ("EVENTHUB_MESSAGE_COUNT_SIZE", "0")], 1),
            (&[("EVENTHUB_RESOURCE_ID", HUB), ("EVENTHUB_CONSUMER_GROUP", "a/b"), ("CE_SOURCE", "\u{1}")], 2),
            (&[("EVENTHUB_RESOURCE_ID", HUB), ("EVENTHUB_OWNERSHIP_EXPIRY", "15s")], 1),
        ] {
            let found = config(settings).map_or_else(|error| error.problems, |_| Vec::new());
            assert_eq!(found.len(), problems, "{settings:?}: {found:?}");
        }
    }
}
