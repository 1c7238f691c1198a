//! Events as batches of an event hub, each within the largest message that its link takes.
//!
//! Facts: "AMQP 1.0 in Azure Service Bus and Event Hubs protocol guide", and the contract of the original image.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use azure::{EventHub, EventHubsConfig, Home};
use azure_messaging_eventhubs::{
    EventDataBatchOptions, EventHubsError, ProducerClient, error::ErrorKind, models::AmqpMessage,
};
use common::{
    Adapter, BatchLimits, BatchTarget, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Text,
    config::ConfigError, info::joined,
};
use http::StatusCode;

use crate::{
    config::EventHubsTargetConfig,
    convert::{self, Entry},
};

/// The type of what an event is answered with, where that is asked for.
const REPLY_TYPE: &str = "io.triggermesh.azure.eventhubs.put.response";
const DOING: &str = "sending to Event Hubs";

/// The Event Hubs target.
pub struct EventHubs {
    config: EventHubsTargetConfig,
    home: Home,
    sender: Arc<Sender>,
}

/// What lives on one runtime.
struct Sender {
    hub: EventHub,
    /// The one connection; given up when it fails, so that the next call makes another.
    producer: Mutex<Option<Arc<ProducerClient>>>,
}

impl Adapter for EventHubs {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Target,
        component: "azureeventhubstarget",
        resource_group: "azureeventhubstargets.targets.triggermesh.io",
        images: &["azureeventhubstarget-adapter"],
        emits: &[REPLY_TYPE],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "targets.triggermesh.io",
            version: "v1alpha1",
            kind: "AzureEventHubsTarget",
            constants: &[],
            fields: &joined::<2, 6, 8>(
                [
                    Field::new("eventHubID", "EVENTHUB_RESOURCE_ID"),
                    Field::new("discardCloudEventContext", "DISCARD_CE_CONTEXT").or("false"),
                ],
                EventHubsConfig::AUTH_FIELDS,
            ),
        }],
    };
    type Config = EventHubsTargetConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        let hub = EventHub::new(config.eventhub_resource_id.clone(), config.hub.clone());
        let sender = Arc::new(Sender { hub, producer: Mutex::default() });
        Ok(Self { config, home: Home::default(), sender })
    }

    async fn connect(&self) -> Result<(), Error> {
        let sender = Arc::clone(&self.sender);
        self.home.run(async move { sender.connect().await }).await?
    }
}

impl BatchTarget for EventHubs {
    type Entry = Entry;

    /// As much as the standard tier takes; what the link of the hub says is looked at when a batch is made.
    fn limits(&self) -> BatchLimits {
        BatchLimits { entries: 1000, bytes: 1000 << 10, ..BatchLimits::default() }
    }

    fn convert(&self, event: Event, context: &Context) -> Result<Entry, Error> {
        convert::entry(&self.config, &event, context)
    }

    fn size(&self, entry: &Entry) -> usize {
        entry.size()
    }

    async fn handle(&self, entries: Vec<Entry>) -> Vec<Result<Reply, Error>> {
        let (sender, count) = (Arc::clone(&self.sender), entries.len());
        let done = self.home.run(async move { sender.handle(&entries).await }).await;
        done.unwrap_or_else(|error| (0..count).map(|_| Err(error.clone())).collect())
    }
}

type Results = [Result<(), Error>];

impl Sender {
    /// As far as that there are a hub and somebody who may send to it.
    async fn connect(&self) -> Result<(), Error> {
        let (producer, _) = self.producer().await?;
        let batch = self.hub.within("opening the event hub", producer.create_batch(None)).await;
        batch.map(drop).inspect_err(|_| self.give_up(&producer))
    }

    async fn handle(&self, entries: &[Entry]) -> Vec<Result<Reply, Error>> {
        let mut results: Vec<_> = entries.iter().map(|_| Err(Error::retryable(DOING))).collect();
        // All events of a batch have one partition key, or none of them has any.
        let mut groups = BTreeMap::<Option<&str>, VecDeque<usize>>::new();
        for (index, entry) in entries.iter().enumerate() {
            groups.entry(entry.key.as_deref()).or_default().push_back(index);
        }
        for (key, group) in groups {
            self.send(key, group, entries, &mut results).await;
        }
        let replies = results.into_iter().zip(entries);
        replies.map(|(result, entry)| result.and_then(|()| reply(entry.wants_reply))).collect()
    }

    /// The client, and whether it was just made.
    async fn producer(&self) -> Result<(Arc<ProducerClient>, bool), Error> {
        let held = self.producer.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(producer) = held {
            return Ok((producer, false));
        }
        let made = Arc::new(self.hub.producer().await?);
        // Another call may have been quicker; one connection is enough.
        let mut held = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((Arc::clone(held.get_or_insert(made)), true))
    }

    fn give_up(&self, producer: &Arc<ProducerClient>) {
        let mut held = self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(|held| Arc::ptr_eq(held, producer)) {
            *held = None;
        }
    }

    /// Sends what has one key, in as many batches as it takes.
    async fn send(
        &self,
        key: Option<&str>,
        mut rest: VecDeque<usize>,
        entries: &[Entry],
        results: &mut Results,
    ) {
        while !rest.is_empty() {
            let (producer, is_fresh) = match self.producer().await {
                Ok(producer) => producer,
                Err(error) => return fail(results, rest, &error),
            };
            let Err((batch, error)) = self.send_batch(&producer, key, &mut rest, entries, results).await
            else {
                continue;
            };
            if error.is_permanent() && batch.len() > 1 {
                // One of them is enough for all to be refused.
                for index in batch {
                    let mut alone = VecDeque::from([index]);
                    if let Err((_, error)) =
                        self.send_batch(&producer, key, &mut alone, entries, results).await
                    {
                        fail(results, [index], &error);
                    }
                }
            } else if error.is_permanent() {
                fail(results, batch, &error);
            } else {
                let is_throttled = error.retry_after().is_some();
                if !is_throttled {
                    self.give_up(&producer);
                }
                if is_fresh || is_throttled {
                    return fail(results, batch.into_iter().chain(rest), &error);
                }
                tracing::info!(
                    reason = error.chain(),
                    "the connection may have been stale: once more with a new one"
                );
                batch.into_iter().rev().for_each(|index| rest.push_front(index));
            }
        }
    }

    /// Sends the first of `rest`, as many as one batch takes. An error comes with those that it befell.
    async fn send_batch(
        &self,
        producer: &Arc<ProducerClient>,
        key: Option<&str>,
        rest: &mut VecDeque<usize>,
        entries: &[Entry],
        results: &mut Results,
    ) -> Result<(), (Vec<usize>, Error)> {
        let options = EventDataBatchOptions { partition_key: key.map(str::to_owned), ..Default::default() };
        let batch = self.hub.within(DOING, producer.create_batch(Some(options))).await;
        let batch = batch.map_err(|error| (Vec::new(), error))?;
        let mut taken = Vec::new();
        while let Some(index) = rest.front().copied() {
            let Some(entry) = entries.get(index) else { break };
            match batch.try_add_event_data(entry.event_data(), None) {
                Ok(true) => taken.push(index),
                Ok(false) if taken.is_empty() => {
                    rest.pop_front();
                    let sent = self.send_alone(producer, entry).await;
                    return sent.map(|()| set(results, index, Ok(()))).map_err(|error| (vec![index], error));
                }
                Ok(false) => break,
                Err(error) => set(results, index, Err(self.hub.failure(DOING, &error))),
            }
            rest.pop_front();
        }
        if taken.is_empty() {
            return Ok(());
        }
        match self.hub.within_connection(DOING, producer, producer.send_batch(batch, None)).await {
            Ok(()) => {
                taken.into_iter().for_each(|index| set(results, index, Ok(())));
                Ok(())
            }
            Err(error) => Err((taken, error)),
        }
    }

    /// Sends one that is too large for a batch, in which the SDK counts the first message twice.
    async fn send_alone(&self, producer: &Arc<ProducerClient>, entry: &Entry) -> Result<(), Error> {
        let message = entry.message();
        let size = AmqpMessage::serialize(&message).map_or(0, |bytes| bytes.len() as u64);
        if largest(producer).await.is_some_and(|largest| size > largest) {
            let message = format!("{DOING}: the event is larger than the event hub takes");
            return Err(Error::permanent(message).with_status(StatusCode::PAYLOAD_TOO_LARGE));
        }
        self.hub.within_connection(DOING, producer, producer.send_message(message, None)).await
    }
}

/// The largest message that the link takes: the SDK tells it to who asks for more.
async fn largest(producer: &ProducerClient) -> Option<u64> {
    let options = EventDataBatchOptions { max_size_in_bytes: Some(u64::MAX), ..Default::default() };
    match producer.create_batch(Some(options)).await {
        Err(EventHubsError { kind: ErrorKind::InvalidBatchSize { max_allowed, .. } }) => Some(max_allowed),
        _ => None,
    }
}

fn fail(results: &mut Results, befallen: impl IntoIterator<Item = usize>, error: &Error) {
    befallen.into_iter().for_each(|index| set(results, index, Err(error.clone())));
}

fn set(results: &mut Results, index: usize, result: Result<(), Error>) {
    if let Some(place) = results.get_mut(index) {
        *place = result;
    }
}

/// What a caller gets for an event that is in the hub.
fn reply(wanted: bool) -> Result<Reply, Error> {
    if !wanted {
        return Ok(Reply::Done);
    }
    Reply::success(Text::from_static(EventHubs::INFO.component), REPLY_TYPE, "\"ok\"")
}
