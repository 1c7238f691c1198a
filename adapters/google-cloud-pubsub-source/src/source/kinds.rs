//! The Kubernetes kinds that one image has always run. Of a cluster the old controller prepared what is at Google; without
//! one the subscription must be there, under the id that the controller gave it or the one that is set.

use common::{Field, Kind};

use crate::event::{EVENT_TYPE, STORAGE_TYPE};

/// The types of the events, of all kinds.
pub const EMITS: &[&str] = &[
    EVENT_TYPE,
    "{CE_TYPE}",
    "com.google.cloud.auditlogs.notification",
    "com.google.cloud.billing.notification",
    "com.google.cloud.sourcerepo.notification",
    "com.google.cloud.storage.objectfinalize",
    "com.google.cloud.storage.objectmetadataupdate",
    "com.google.cloud.storage.objectdelete",
    "com.google.cloud.storage.objectarchive",
    STORAGE_TYPE,
];

const KEY: Field = Field::new("auth.serviceAccountKey", "GCLOUD_SERVICEACCOUNT_KEY").secret();
const GOOGLE_ACCOUNT: Field = Field::cluster("auth.gcpServiceAccount");
const KUBERNETES_ACCOUNT: Field = Field::cluster("auth.kubernetesServiceAccount");
const PROJECT: Field = Field::new("pubsub.project", "GCLOUD_PUBSUB_PROJECT");
const TOPIC: Field = Field::new("pubsub.topic", "GCLOUD_PUBSUB_TOPIC");

/// A subscription that no field names: the controller made it.
const fn made(id: &'static str) -> Field {
    Field::new("pubsub.subscriptionID", "GCLOUD_PUBSUB_SUBSCRIPTION").or(id)
}

const fn kind(kind: &'static str, constants: &'static [(&str, &str)], fields: &'static [Field]) -> Kind {
    Kind { group: "sources.triggermesh.io", version: "v1alpha1", kind, constants, fields }
}

/// All of them.
pub const KINDS: &[Kind] = &[
    kind(
        "GoogleCloudPubSubSource",
        &[],
        &[
            Field::new("topic", "GCLOUD_PUBSUB_TOPIC"),
            Field::new("subscriptionID", "GCLOUD_PUBSUB_SUBSCRIPTION")
                .or("{namespace}.{name}~googlecloudpubsubsources.sources.triggermesh.io"),
            KEY,
            GOOGLE_ACCOUNT,
            KUBERNETES_ACCOUNT,
        ],
    ),
    kind(
        "GoogleCloudAuditLogsSource",
        &[("CE_TYPE", "com.google.cloud.auditlogs.notification")],
        &[
            Field::new("serviceName", "CE_SOURCE"),
            Field::cluster("methodName"),
            Field::cluster("resourceName"),
            PROJECT,
            TOPIC,
            made("{namespace}.{name}~googlecloudauditlogssources.sources.triggermesh.io"),
            KEY,
            GOOGLE_ACCOUNT,
            KUBERNETES_ACCOUNT,
        ],
    ),
    kind(
        "GoogleCloudBillingSource",
        &[("CE_TYPE", "com.google.cloud.billing.notification")],
        &[
            Field::new("budgetId", "CE_SOURCE"),
            Field::cluster("billingAccountId"),
            PROJECT,
            TOPIC,
            made("{namespace}.{name}~googlecloudbillingsources.sources.triggermesh.io"),
            KEY,
            GOOGLE_ACCOUNT,
            KUBERNETES_ACCOUNT,
        ],
    ),
    kind(
        "GoogleCloudSourceRepositoriesSource",
        &[("CE_TYPE", "com.google.cloud.sourcerepo.notification")],
        &[
            Field::new("repository", "CE_SOURCE"),
            // The controller made the subscription in the project of the repository, unless it was told another one.
            Field::new("repository", "GCLOUD_PUBSUB_PROJECT"),
            Field::cluster("publishServiceAccount"),
            PROJECT,
            TOPIC,
            made("{namespace}.{name}~googlecloudsourcerepositoriessources.sources.triggermesh.io"),
            KEY,
            GOOGLE_ACCOUNT,
            KUBERNETES_ACCOUNT,
        ],
    ),
    kind(
        "GoogleCloudStorageSource",
        &[("GCLOUD_PUBSUB_MESSAGE_PROCESSOR", "gcs")],
        &[
            Field::new("bucket", "GCLOUD_STORAGE_BUCKET"),
            Field::cluster("eventTypes"),
            Field::cluster("objectNamePrefix"),
            PROJECT,
            TOPIC,
            made("{namespace}.{name}~googlecloudstoragesources.sources.triggermesh.io"),
            KEY,
            GOOGLE_ACCOUNT,
            KUBERNETES_ACCOUNT,
        ],
    ),
];
