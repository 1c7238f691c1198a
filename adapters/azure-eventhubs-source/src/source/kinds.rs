//! The Kubernetes kinds that one image has always run. In a cluster the old controller prepared what is at Azure; without one
//! the diagnostic setting or the event subscription must be there.

use azure::EventHubsConfig;
use common::{Field, Kind, info::joined};

const PRINCIPAL: [Field; 3] = EventHubsConfig::PRINCIPAL_FIELDS;

const fn kind(kind: &'static str, constants: &'static [(&str, &str)], fields: &'static [Field]) -> Kind {
    Kind { group: "sources.triggermesh.io", version: "v1alpha1", kind, constants, fields }
}

/// All of them.
pub const KINDS: &[Kind] = &[
    kind(
        "AzureEventHubsSource",
        &[],
        &joined::<4, 6, 10>(
            [
                Field::new("eventHubID", "EVENTHUB_RESOURCE_ID"),
                Field::new("consumerGroup", "EVENTHUB_CONSUMER_GROUP"),
                Field::new("messageTimeout", "EVENTHUB_MESSAGE_TIMEOUT"),
                Field::new("messageCountSize", "EVENTHUB_MESSAGE_COUNT_SIZE"),
            ],
            EventHubsConfig::AUTH_FIELDS,
        ),
    ),
    kind(
        "AzureActivityLogsSource",
        &[("CE_TYPE", "com.microsoft.azure.monitor.activity-log")],
        &joined::<6, 3, 9>(
            [
                Field::new("subscriptionID", "AZURE_SUBSCRIPTION_ID"),
                Field::new("destination.eventHubs.namespaceID", "EVENTHUB_NAMESPACE_ID"),
                Field::new("destination.eventHubs.hubName", "EVENTHUB_NAME").or("insights-activity-logs"),
                Field::new("destination.eventHubs.consumerGroup", "EVENTHUB_CONSUMER_GROUP"),
                Field::cluster("destination.eventHubs.sasPolicy"),
                Field::cluster("categories"),
            ],
            PRINCIPAL,
        ),
    ),
    kind(
        "AzureBlobStorageSource",
        &[("EVENTHUB_MESSAGE_PROCESSOR", "eventgrid")],
        &joined::<5, 3, 8>(
            [
                Field::new("storageAccountID", "EVENTHUB_STORAGE_ACCOUNT_ID"),
                Field::new("endpoint.eventHubs.namespaceID", "EVENTHUB_NAMESPACE_ID"),
                Field::new("endpoint.eventHubs.hubName", "EVENTHUB_NAME"),
                Field::new("endpoint.eventHubs.consumerGroup", "EVENTHUB_CONSUMER_GROUP"),
                Field::cluster("eventTypes"),
            ],
            PRINCIPAL,
        ),
    ),
    kind(
        "AzureEventGridSource",
        &[("EVENTHUB_MESSAGE_PROCESSOR", "eventgrid")],
        &joined::<5, 3, 8>(
            [
                Field::cluster("scope"),
                Field::new("endpoint.eventHubs.namespaceID", "EVENTHUB_NAMESPACE_ID"),
                Field::new("endpoint.eventHubs.hubName", "EVENTHUB_NAME"),
                Field::new("endpoint.eventHubs.consumerGroup", "EVENTHUB_CONSUMER_GROUP"),
                Field::cluster("eventTypes"),
            ],
            PRINCIPAL,
        ),
    ),
];
