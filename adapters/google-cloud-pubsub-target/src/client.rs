//! The client of the topic: publishers that group messages into requests and say of each what became of it
//! (<https://docs.rs/google-cloud-pubsub>).

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use common::Error;
use google::{Access, Identity, PubsubConfig, Resource, bounded, failure};
use google_cloud_gax::{
    exponential_backoff::ExponentialBackoffBuilder,
    retry_policy::{RetryPolicy, RetryPolicyExt},
    retry_result::RetryResult,
    retry_state::RetryState,
};
use google_cloud_pubsub::{
    client::{BasePublisher, Publisher},
    error::PublishError,
    model::Message,
    publisher::PublishFuture,
};

use crate::convert::REQUEST_BYTES;

/// Most messages of a request.
pub const ENTRIES: usize = 500;
/// Ordering keys after which a new publisher takes over: one keeps a task for each key it has ever seen.
const KEYS: usize = 1_000;

/// Clients, made when they are needed and again when the key is another one.
pub struct Client {
    config: PubsubConfig,
    topic: String,
    open: tokio::sync::Mutex<Option<Arc<Open>>>,
}

impl Client {
    /// Makes nothing yet.
    pub fn new(config: PubsubConfig, topic: String) -> Self {
        Self { config, topic, open: tokio::sync::Mutex::default() }
    }

    /// The client as it should be now.
    ///
    /// # Errors
    /// When there are no credentials to make it with.
    pub async fn open(&self) -> Result<Arc<Open>, Error> {
        let mut open = self.open.lock().await;
        if let Some(open) = open.as_ref().filter(|open| !self.config.is_outdated(&open.access)) {
            return Ok(Arc::clone(open));
        }
        let made = Arc::new(Open::new(&self.config, &self.topic).await?);
        *open = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Gives a client up that has not answered: another one is made for the next call.
    pub async fn give_up(&self, given: &Arc<Open>) {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|open| Arc::ptr_eq(open, given)) {
            *open = None;
        }
    }
}

/// A client with its credentials.
pub struct Open {
    access: Access,
    topic: String,
    base: BasePublisher,
    grouped: Mutex<Grouped>,
    alone: Publisher,
}

/// The publisher of what is sent together, and the ordering keys it has seen.
struct Grouped {
    publisher: Publisher,
    keys: HashSet<String>,
}

impl Open {
    async fn new(config: &PubsubConfig, topic: &str) -> Result<Self, Error> {
        let access = config.access().await?;
        let backoff = ExponentialBackoffBuilder::new()
            .with_initial_delay(Duration::from_millis(50))
            .with_maximum_delay(Duration::from_secs(1));
        let mut builder = BasePublisher::builder()
            .with_credentials(access.credentials.clone())
            .with_retry_policy(StaleConnection.with_attempt_limit(2).with_time_limit(access.timeout))
            .with_backoff_policy(backoff.clamp());
        if let Some(endpoint) = &access.endpoint {
            builder = builder.with_endpoint(endpoint);
        }
        if let Some(universe) = &access.universe {
            builder = builder.with_universe_domain(universe);
        }
        let doing = "making a client of Pub/Sub";
        let base = bounded(doing, access.timeout, async {
            builder.build().await.map_err(|error| Error::retryable(doing).caused_by(error))
        })
        .await?;
        let grouped = Grouped { publisher: grouped(&base, topic), keys: HashSet::new() };
        let alone = base.publisher(topic).set_message_count_threshold(1).build();
        Ok(Self { access, topic: topic.to_owned(), base, grouped: Mutex::new(grouped), alone })
    }

    /// Hands a message over; it leaves with those that are handed over in the same moment.
    pub fn publish(&self, message: Message) -> PublishFuture {
        let mut grouped = self.grouped.lock().unwrap_or_else(PoisonError::into_inner);
        if !message.ordering_key.is_empty() && !grouped.keys.contains(&message.ordering_key) {
            if grouped.keys.len() == KEYS {
                // The old one still sends what it has; whoever needs an order has waited for the answer to what was before.
                *grouped =
                    Grouped { publisher: self::grouped(&self.base, &self.topic), keys: HashSet::new() };
            }
            grouped.keys.insert(message.ordering_key.clone());
        }
        grouped.publisher.publish(message)
    }

    /// Sends a message in a request of its own.
    pub fn publish_alone(&self, message: Message) -> PublishFuture {
        self.alone.publish(message)
    }

    /// After a failure nothing with that key is sent until this is called. Who has the messages decides what comes next.
    pub fn resume(&self, ordering_key: &str) {
        if !ordering_key.is_empty() {
            self.grouped
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .publisher
                .resume_publish(ordering_key);
            self.alone.resume_publish(ordering_key);
        }
    }

    /// What a failure means.
    pub fn failure(&self, error: PublishError) -> Error {
        let doing = "publishing a message";
        match error {
            PublishError::Rpc(error) => failure(doing, &self.resource(), self.identity(), &error),
            // The one before it, which is told by itself, has failed.
            error => Error::retryable(doing).caused_by(error),
        }
    }

    fn resource(&self) -> Resource<'_> {
        Resource {
            what: "topic",
            setting: "GCLOUD_PUBSUB_TOPIC",
            name: &self.topic,
            role: "roles/pubsub.publisher",
        }
    }

    fn identity(&self) -> Identity {
        self.access.identity
    }
}

/// A publisher without a pause of its own: the frame has grouped the messages already.
fn grouped(base: &BasePublisher, topic: &str) -> Publisher {
    base.publisher(topic)
        .set_message_count_threshold(ENTRIES as u32)
        .set_byte_threshold(REQUEST_BYTES as u32)
        .set_delay_threshold(Duration::ZERO)
        .build()
}

/// One attempt, but a connection that turns out to be closed is replaced: the caller has the event and tries again.
#[derive(Clone, Debug)]
struct StaleConnection;

impl RetryPolicy for StaleConnection {
    fn on_error(&self, _: &RetryState, error: google_cloud_gax::error::Error) -> RetryResult {
        let stale = error.is_transient_and_before_rpc() || error.is_io() || error.is_transport();
        if stale { RetryResult::Continue(error) } else { RetryResult::Permanent(error) }
    }
}
