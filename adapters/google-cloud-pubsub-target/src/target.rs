//! Events as messages of a topic: <https://cloud.google.com/pubsub/docs/publisher>. Done means that the service has given
//! the message its id.

use std::{sync::Arc, time::Duration};

use common::{
    Adapter, BatchLimits, BatchTarget, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Text,
    config::ConfigError,
};
use google_cloud_pubsub::{error::PublishError, model::Message, publisher::PublishFuture};
use tokio::time::Instant;

use crate::{
    client::{Client, ENTRIES, Open},
    config::PubsubTargetConfig,
    convert,
};

const REPLY_TYPE: &str = "io.triggermesh.google.pubsub.response";
/// The client gives up by itself after the time that is set; this much later it is given up.
const GRACE: Duration = Duration::from_secs(2);

/// The Pub/Sub target.
pub struct PubsubTarget {
    config: PubsubTargetConfig,
    client: Client,
}

/// A message, and whether its caller wants to be told by an event.
pub struct Entry {
    message: Message,
    wants_reply: bool,
}

impl Adapter for PubsubTarget {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Target,
        component: "googlecloudpubsubtarget",
        resource_group: "googlecloudpubsubtargets.targets.triggermesh.io",
        images: &["googlecloudpubsubtarget-adapter"],
        emits: &[REPLY_TYPE],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "targets.triggermesh.io",
            version: "v1alpha1",
            kind: "GoogleCloudPubSubTarget",
            constants: &[],
            fields: &[
                Field::new("topic", "GCLOUD_PUBSUB_TOPIC"),
                // Deprecated; where both are there the later one counts.
                Field::new("credentialsJson", "GCLOUD_SERVICEACCOUNT_KEY").secret(),
                Field::new("auth.serviceAccountKey", "GCLOUD_SERVICEACCOUNT_KEY").secret(),
                Field::new("discardCloudEventContext", "DISCARD_CE_CONTEXT"),
            ],
        }],
    };
    type Config = PubsubTargetConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        let client = Client::new(config.pubsub.clone(), config.gcloud_pubsub_topic.to_string());
        Ok(Self { config, client })
    }

    async fn connect(&self) -> Result<(), Error> {
        self.client.open().await.map(drop)
    }
}

impl BatchTarget for PubsubTarget {
    type Entry = Entry;

    fn limits(&self) -> BatchLimits {
        // As the client groups them when left to itself; larger requests are hardly faster.
        BatchLimits { entries: ENTRIES, bytes: 1_000_000, calls: 4 }
    }

    fn convert(&self, event: Event, context: &Context) -> Result<Entry, Error> {
        Ok(Entry { message: convert::message(&self.config, event)?, wants_reply: context.wants_reply() })
    }

    fn size(&self, entry: &Entry) -> usize {
        convert::size(&entry.message)
    }

    async fn handle(&self, entries: Vec<Entry>) -> Vec<Result<Reply, Error>> {
        let open = match self.client.open().await {
            Ok(open) => open,
            Err(error) => return entries.iter().map(|_| Err(error.clone())).collect(),
        };
        let deadline = Instant::now() + self.patience();
        let sent: Vec<_> =
            entries.into_iter().map(|entry| (open.publish(entry.message.clone()), entry)).collect();
        let mut results = Vec::with_capacity(sent.len());
        for (future, entry) in sent {
            let mut result = self.answered(&open, &entry, future, deadline).await;
            if result.as_ref().is_err_and(Error::is_permanent) {
                // One message of a request is enough for all of it to be refused, and others may have been in it.
                let alone = open.publish_alone(entry.message.clone());
                result = self.answered(&open, &entry, alone, Instant::now() + self.patience()).await;
            }
            results.push(result.and_then(|()| reply(entry.wants_reply)));
        }
        results
    }
}

impl PubsubTarget {
    fn patience(&self) -> Duration {
        *self.config.pubsub.gcloud_pubsub_timeout + GRACE
    }

    /// Waits for the id of a message.
    async fn answered(
        &self,
        open: &Arc<Open>,
        entry: &Entry,
        future: PublishFuture,
        deadline: Instant,
    ) -> Result<(), Error> {
        let failed = match tokio::time::timeout_at(deadline, future).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => {
                open.resume(&entry.message.ordering_key);
                if matches!(error, PublishError::Shutdown) {
                    self.client.give_up(open).await;
                }
                open.failure(error)
            }
            Err(_) => {
                self.client.give_up(open).await;
                Error::retryable(format!(
                    "publishing a message: no answer within {} ms",
                    self.patience().as_millis()
                ))
            }
        };
        Err(failed)
    }
}

/// What a caller gets for a message that has its id.
fn reply(wanted: bool) -> Result<Reply, Error> {
    if !wanted {
        return Ok(Reply::Done);
    }
    Reply::success(Text::from_static(PubsubTarget::INFO.component), REPLY_TYPE, "\"ok\"")
}
