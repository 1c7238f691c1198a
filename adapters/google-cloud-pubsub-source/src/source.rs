//! Messages of a subscription as events (<https://cloud.google.com/pubsub/docs/subscriber>): received by one stream, kept
//! by the client library for as long as they are in flight, acknowledged when the sink has them.

mod held;
mod kinds;

use std::{
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use common::{
    Adapter, Error, Info, Message, QueueLimits, QueueSource, Role, Scaling, Text, config::ConfigError,
};
use futures_util::future::join_all;
use google_cloud_pubsub::subscriber::handler::Handler;

use self::held::Held;
use crate::{
    client::{Clients, Next, Received, Stream},
    config::PubsubSourceConfig,
    event::{self, EVENT_TYPE, Origin},
};

/// How long an acknowledgement may take that is confirmed.
const CONFIRMATION: Duration = Duration::from_secs(20);

/// Messages in flight when nothing else is said.
const IN_FLIGHT: usize = 200;

/// The Pub/Sub source.
pub struct PubsubSource {
    config: PubsubSourceConfig,
    subscription: String,
    /// Held while messages are waited for.
    state: tokio::sync::Mutex<State>,
    /// `source` of the events, as soon as it is known.
    source: Mutex<Option<Text>>,
    held: Mutex<Held<Handler>>,
    /// Messages and bytes that may be in flight.
    in_flight: OnceLock<(usize, usize)>,
}

#[derive(Default)]
struct State {
    clients: Option<Clients>,
    stream: Option<Stream>,
}

/// By which a message is acknowledged: once.
#[derive(Clone)]
pub struct Receipt(Arc<Ticket>);

struct Ticket {
    id: String,
    key: Option<Text>,
    handler: Mutex<Option<Handler>>,
}

impl Receipt {
    fn take(&self) -> Option<Handler> {
        self.0.handler.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Adapter for PubsubSource {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "googlecloudpubsubsource",
        resource_group: "googlecloudpubsubsources.sources.triggermesh.io",
        images: &["googlecloudpubsubsource-adapter"],
        emits: kinds::EMITS,
        accepts: &[],
        scaling: Scaling::Any,
        kinds: kinds::KINDS,
    };
    type Config = PubsubSourceConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        // One without a project was refused with the configuration.
        let subscription = config.subscription().unwrap_or_default();
        let source = Mutex::new(config.source().map(Text::from));
        Ok(Self {
            config,
            subscription,
            state: tokio::sync::Mutex::default(),
            source,
            held: Mutex::default(),
            in_flight: OnceLock::new(),
        })
    }

    async fn connect(&self) -> Result<(), Error> {
        let mut state = self.state.lock().await;
        self.reach(&mut state).await
    }
}

impl QueueSource for PubsubSource {
    type Receipt = Receipt;

    fn limits(&self) -> QueueLimits {
        QueueLimits {
            // The service sends as fast as it is read, and one stream is read by one.
            receivers: 1,
            // Whatever the service sends has its place here: what nobody reads loses its deadline without being known.
            receive_batch: 1,
            // As many as the client library sends with one call.
            acknowledge_batch: 1_000,
            lease: Some(*self.config.gcloud_pubsub_ack_deadline),
            in_flight: IN_FLIGHT,
        }
    }

    fn in_flight(&self, messages: usize, bytes: usize) {
        // As events they are larger: base64, and the rest of the message.
        let _ = self.in_flight.set((messages, bytes / 2));
        self.held().set_most((messages / 2).max(1));
    }

    async fn receive(&self, _: usize) -> Result<Vec<Message<Receipt>>, Error> {
        let mut state = self.state.lock().await;
        if state.stream.is_none() {
            self.reach(&mut state).await?;
        }
        let State { clients: Some(clients), stream: Some(stream) } = &mut *state else {
            return Err(Error::retryable("there is no stream"));
        };
        let found = stream.next(clients, || give_back(self.held().due(Instant::now()))).await;
        give_back(self.held().due(Instant::now()));
        match found {
            Ok(Next::Message(received)) => Ok(self.message(*received).into_iter().collect()),
            Ok(Next::Closed) => {
                state.stream = None;
                Ok(Vec::new())
            }
            Err(error) => {
                state.stream = None;
                Err(error)
            }
        }
    }

    async fn acknowledge(&self, receipts: &[Receipt]) -> Vec<Result<(), Error>> {
        {
            let mut held = self.held();
            receipts.iter().for_each(|receipt| held.forget(&receipt.0.id));
        }
        join_all(receipts.iter().map(|receipt| acknowledge(receipt.take()))).await
    }

    async fn extend(&self, receipts: &[Receipt]) -> Vec<Result<(), Error>> {
        // The client library does it as long as it runs. If it did not run for a while the frame finds that out.
        receipts.iter().map(|_| Ok(())).collect()
    }

    async fn release(&self, receipts: &[Receipt], after: Duration) {
        for receipt in receipts {
            let Some(handler) = receipt.take() else { continue };
            if after.is_zero() {
                handler.nack();
            } else {
                let Ticket { id, key, .. } = &*receipt.0;
                let early = self.held().hold(id, key.as_ref(), handler, Instant::now(), after);
                give_back(early);
            }
        }
    }

    async fn close(&self) {
        give_back(self.held().all());
        let stream = self.state.lock().await.stream.take();
        if let Some(stream) = stream {
            stream.token().shutdown().await;
        }
    }
}

impl PubsubSource {
    /// Makes sure that the subscription is there, and opens a stream on it.
    async fn reach(&self, state: &mut State) -> Result<(), Error> {
        let config = &self.config;
        if state.clients.as_ref().is_none_or(|clients| clients.is_outdated(&config.pubsub)) {
            state.clients = None;
            let made = Clients::new(&config.pubsub, &self.subscription).await?;
            state.clients = Some(made);
        }
        let Some(clients) = &state.clients else { return Err(Error::retryable("there is no client")) };
        let topic = clients.topic().await?;
        let in_flight = self.in_flight.get().copied().unwrap_or((IN_FLIGHT, 16 << 20));
        self.decide_source(topic);
        state.stream = Some(clients.stream(*config.gcloud_pubsub_ack_deadline, in_flight));
        Ok(())
    }

    /// What it is once it stays: a topic that is deleted later is still where its messages have come from.
    fn decide_source(&self, topic: Option<String>) {
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        if source.is_some() {
            return;
        }
        let decided = match topic {
            Some(topic) if !topic.is_empty() => topic,
            _ => {
                tracing::warn!(
                    subscription = self.subscription,
                    "the topic of the subscription may not be looked up (it needs pubsub.subscriptions.get): events have \
                     the subscription as their source, unless CE_SOURCE says another"
                );
                self.subscription.clone()
            }
        };
        *source = Some(decided.into());
    }

    fn message(&self, (message, handler): Received) -> Option<Message<Receipt>> {
        let key = Some(message.ordering_key.as_str()).filter(|key| !key.is_empty()).map(Text::from);
        let attempt = handler.delivery_attempt();
        let mut held = self.held();
        let handler = held.behind(key.as_ref(), handler)?;
        let known = held.receives(&message.message_id);
        drop(held);
        let event = match event::event(&self.origin(), &message, attempt) {
            Ok(event) => event,
            Err(error) => {
                tracing::error!(message_id = message.message_id, %error, "a message makes no event: it is handed back");
                handler.nack();
                return None;
            }
        };
        let receives = attempt.and_then(|attempt| u32::try_from(attempt).ok());
        let name = Text::from(&*message.message_id);
        let ticket = Ticket { id: message.message_id, key: key.clone(), handler: Mutex::new(Some(handler)) };
        Some(Message {
            name,
            bytes: event.size(),
            events: vec![event],
            receipt: Receipt(Arc::new(ticket)),
            group: key,
            receives: receives.or(Some(known).filter(|known| *known > 1)),
        })
    }

    fn origin(&self) -> Origin {
        let source = self.source.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Origin {
            source: source.unwrap_or_default(),
            event_type: self.config.ce_type.as_deref().unwrap_or(EVENT_TYPE).into(),
            processor: self.config.gcloud_pubsub_message_processor,
        }
    }

    fn held(&self) -> MutexGuard<'_, Held<Handler>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn give_back(handlers: Vec<Handler>) {
    handlers.into_iter().for_each(Handler::nack);
}

/// Acknowledges a message. Where the subscription is for delivery exactly once the service confirms it; else nobody does,
/// and a message whose acknowledgement was lost comes again.
async fn acknowledge(handler: Option<Handler>) -> Result<(), Error> {
    let doing = "acknowledging a message";
    match handler {
        None => Err(Error::permanent("the message was acknowledged or handed back before")),
        Some(Handler::ExactlyOnce(handler)) => {
            match tokio::time::timeout(CONFIRMATION, handler.confirmed_ack()).await {
                Ok(Ok(())) => Ok(()),
                // There is no second try: the handler is gone. The message comes again when its deadline is over.
                Ok(Err(error)) => Err(Error::permanent(doing).caused_by(error)),
                Err(_) => Err(Error::permanent(format!(
                    "{doing}: not confirmed within {} s",
                    CONFIRMATION.as_secs()
                ))),
            }
        }
        Some(handler) => {
            handler.ack();
            Ok(())
        }
    }
}
