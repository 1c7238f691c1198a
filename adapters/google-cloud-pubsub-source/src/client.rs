//! The stream of messages of a subscription (<https://cloud.google.com/pubsub/docs/pull#streamingpull_api>), and whether it
//! can be there at all: the client library tries without end and says nothing while it does.

use std::time::{Duration, Instant};

use common::Error;
use google::{Access, Identity, PubsubConfig, Resource, bounded, failure};
use google_cloud_gax::{error::rpc::Code, options::RequestOptionsBuilder, retry_policy::NeverRetry};
use google_cloud_pubsub::{
    client::{Subscriber, SubscriptionAdmin},
    model::Message,
    subscriber::{MessageStream, ShutdownToken, handler::Handler},
};

/// How often somebody looks around while nothing comes.
const TICK: Duration = Duration::from_secs(1);
/// How long a stream may bring nothing until the service is asked whether the subscription is still there.
const SILENCE: Duration = Duration::from_secs(15);
/// How long a stream may bring nothing until it is opened anew: a connection may be dead without anybody knowing.
const LONG_SILENCE: Duration = Duration::from_secs(300);

/// What a message is received with.
pub type Received = (Message, Handler);

/// Clients of one subscription.
pub struct Clients {
    access: Access,
    admin: SubscriptionAdmin,
    subscriber: Subscriber,
    subscription: String,
}

impl Clients {
    /// Makes them; nothing is asked of the service yet.
    pub async fn new(config: &PubsubConfig, subscription: &str) -> Result<Self, Error> {
        let access = config.access().await?;
        let doing = "making a client of Pub/Sub";
        let (mut admin, mut subscriber) = (SubscriptionAdmin::builder(), Subscriber::builder());
        admin = admin.with_credentials(access.credentials.clone());
        subscriber = subscriber.with_credentials(access.credentials.clone());
        if let Some(endpoint) = &access.endpoint {
            admin = admin.with_endpoint(endpoint);
            subscriber = subscriber.with_endpoint(endpoint);
        }
        if let Some(universe) = &access.universe {
            admin = admin.with_universe_domain(universe);
            subscriber = subscriber.with_universe_domain(universe);
        }
        let (admin, subscriber) = bounded(doing, access.timeout, async {
            let admin = admin.build().await.map_err(|error| Error::retryable(doing).caused_by(error))?;
            let subscriber =
                subscriber.build().await.map_err(|error| Error::retryable(doing).caused_by(error))?;
            Ok((admin, subscriber))
        })
        .await?;
        Ok(Self { access, admin, subscriber, subscription: subscription.to_owned() })
    }

    /// Whether they were made with a key that is no longer the right one.
    pub fn is_outdated(&self, config: &PubsubConfig) -> bool {
        config.is_outdated(&self.access)
    }

    /// Asks whether the subscription is there, and for its topic; `None` where that may not be asked.
    ///
    /// The client library asks by REST and receives by gRPC: that one of both works says little of the other.
    pub async fn topic(&self) -> Result<Option<String>, Error> {
        self.access.reach().await?;
        let doing = "looking at the subscription";
        let asking = self
            .admin
            .get_subscription()
            .set_subscription(&self.subscription)
            .with_retry_policy(NeverRetry)
            .with_attempt_timeout(self.access.timeout)
            .send();
        bounded(doing, self.access.timeout, async {
            match asking.await {
                Ok(subscription) => Ok(Some(subscription.topic)),
                // Receiving is another right than looking, and the only one that is needed.
                Err(error) if error.status().is_some_and(|status| status.code == Code::PermissionDenied) => {
                    Ok(None)
                }
                // An emulator that was reached just now and knows no REST.
                Err(error) if self.access.identity == Identity::Anonymous && error.is_transport() => Ok(None),
                Err(error) => Err(self.failure(doing, &error)),
            }
        })
        .await
    }

    /// Opens a stream; it connects when it is asked for messages.
    ///
    /// Of `messages` and `bytes` the service sends no more until some are acknowledged: what is read ahead and not begun
    /// would be nobody's after a crash, until its deadline is over.
    pub fn stream(&self, ack_deadline: Duration, (messages, bytes): (usize, usize)) -> Stream {
        let limit = |value: usize| i64::try_from(value).unwrap_or(i64::MAX);
        let messages = self
            .subscriber
            .subscribe(&self.subscription)
            .set_max_lease_extension(ack_deadline)
            // The frame gives a message back when it will not be delivered; until then it is kept.
            .set_max_lease(Duration::MAX)
            .set_max_outstanding_messages(limit(messages))
            .set_max_outstanding_bytes(limit(bytes))
            .build();
        Stream { messages, heard: Instant::now() }
    }

    fn failure(&self, doing: &str, error: &google_cloud_pubsub::Error) -> Error {
        let resource = Resource {
            what: "subscription",
            setting: "GCLOUD_PUBSUB_SUBSCRIPTION",
            name: &self.subscription,
            role: "roles/pubsub.subscriber",
        };
        failure(doing, &resource, self.access.identity, error)
    }
}

/// An open stream.
pub struct Stream {
    messages: MessageStream,
    heard: Instant,
}

/// What waiting at a stream came to.
pub enum Next {
    /// A message.
    Message(Box<Received>),
    /// The stream is to be opened anew.
    Closed,
}

impl Stream {
    /// Waits for a message; `tick` is called now and then.
    ///
    /// # Errors
    /// When the service refuses, cannot be reached, or the subscription is gone.
    pub async fn next(&mut self, clients: &Clients, mut tick: impl FnMut()) -> Result<Next, Error> {
        let Self { messages, heard } = self;
        let mut next = std::pin::pin!(messages.next());
        let mut asked = Instant::now();
        loop {
            // The stream is not there before its first message is, and to give up waiting would close it again.
            let found = match tokio::time::timeout(TICK, next.as_mut()).await {
                Ok(found) => found,
                Err(_) if heard.elapsed() > LONG_SILENCE => return Ok(Next::Closed),
                Err(_) if asked.elapsed() > SILENCE => {
                    tokio::select! {
                        found = &mut next => found,
                        topic = clients.topic() => {
                            topic?;
                            asked = Instant::now();
                            continue;
                        }
                    }
                }
                Err(_) => {
                    tick();
                    continue;
                }
            };
            *heard = Instant::now();
            return match found {
                Some(Ok(received)) => Ok(Next::Message(Box::new(received))),
                Some(Err(error)) => Err(clients.failure("receiving messages", &error)),
                None => Ok(Next::Closed),
            };
        }
    }

    /// By which it is told to send what it has to say, and to give back what it has read ahead.
    pub fn token(&self) -> ShutdownToken {
        self.messages.shutdown_token()
    }
}
