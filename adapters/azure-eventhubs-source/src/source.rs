//! Partitions of an event hub as lanes. Facts: "AMQP 1.0 in Azure Service Bus and Event Hubs protocol guide", and the contract
//! of the original image.

mod assign;
mod client;
mod kinds;
mod partition;
mod shares;
mod start;
mod store;

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use azure::{Blobs, EventHub, is_stolen};
use azure_messaging_eventhubs::models::ReceivedEventData;
use bytes::Bytes;
use common::{
    Adapter, Assignment, Error, Info, LogSource, Record, Role, Scaling,
    checkpoint::Checkpoints,
    config::{ConfigError, Secret},
};
use futures_util::future::join_all;

use self::{
    assign::Assigner,
    client::Reader,
    partition::{Partition, Terms, Trouble},
    start::Opener,
    store::{Place, Position, Store},
};
use crate::{
    config::EventHubsSourceConfig,
    event::{self, Conversion, EVENT_TYPE},
};

const READING: &str = "reading a partition of the event hub";
/// What an event takes in memory beside its body, near enough.
const OVERHEAD: usize = 512;

/// The Event Hubs source.
pub struct EventHubs {
    reader: Reader,
    assigner: Assigner,
    conversion: Conversion,
    terms: Terms,
    store: OnceLock<Store>,
    /// Whether each change of the store costs money.
    is_metered: bool,
}

impl Adapter for EventHubs {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "azureeventhubssource",
        resource_group: "azureeventhubssources.sources.triggermesh.io",
        images: &["azureeventhubssource-adapter"],
        emits: &[
            EVENT_TYPE,
            "{CE_TYPE}",
            "com.microsoft.azure.monitor.activity-log",
            "Microsoft.Storage.BlobCreated",
            "Microsoft.Storage.BlobDeleted",
        ],
        accepts: &[],
        scaling: Scaling::Partitioned,
        kinds: kinds::KINDS,
    };
    type Config = EventHubsSourceConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        let id = config.id().map_err(|(variable, problem)| ConfigError::new(variable, problem))?;
        let conversion = Conversion {
            processor: config.eventhub_message_processor,
            source: config.source(&id).into(),
            event_type: config.ce_type.as_deref().unwrap_or(EVENT_TYPE).into(),
        };
        let reader =
            Reader::new(EventHub::new(id, config.hub.clone()), config.eventhub_consumer_group.clone());
        let store = OnceLock::new();
        let mut is_metered = false;
        if let Some(url) = &config.checkpoint_url {
            let place;
            (place, is_metered) = open_store(url, &config)?;
            let named = Store::new(place, &reader.hub.host(), &reader.hub.id().hub, &reader.group);
            let _ = store.set(named);
        }
        let assigner = Assigner::new(
            uuid::Uuid::new_v4().to_string(),
            *config.eventhub_balance_interval,
            *config.eventhub_ownership_expiry,
            Opener { start: config.eventhub_start_position },
        );
        let terms = Terms {
            prefetch: config.eventhub_message_count_size,
            patience: Duration::from_secs(config.eventhub_message_timeout),
        };
        Ok(Self { reader, assigner, conversion, terms, store, is_metered })
    }

    async fn connect(&self) -> Result<(), Error> {
        self.reader.partitions().await?;
        self.store()?.positioned().await.map(drop)
    }
}

/// The store of `CHECKPOINT_URL`, and whether each change of it costs money.
fn open_store(url: &Secret, config: &EventHubsSourceConfig) -> Result<(Place, bool), ConfigError> {
    let text = url.read();
    if text.starts_with("https://") || text.starts_with("http://") {
        let key = config.azure_storage_key.clone();
        let blobs = Blobs::new(&text, key, &config.hub.directory);
        return match blobs {
            Ok(blobs) => Ok((Place::Blobs(Box::new(blobs)), true)),
            Err(problem) => Err(ConfigError::new(checkpoint::VARIABLE, problem)),
        };
    }
    let records = checkpoint::open(url)?;
    if text.starts_with("file:") {
        return Ok((Place::Files(records), false));
    }
    Ok((Place::Records(records, Default::default()), text.starts_with("s3:")))
}

impl EventHubs {
    fn store(&self) -> Result<&Store, Error> {
        self.store.get().ok_or_else(|| Error::permanent("there is no store of positions"))
    }

    fn record(&self, id: &str, message: &ReceivedEventData) -> Result<Record<Position>, Error> {
        let sequence = message.sequence_number();
        let (Some(sequence), Some(offset)) = (sequence, message.offset().clone()) else {
            return Err(Error::retryable(format!("{READING}: a message has no place: is it an event hub?")));
        };
        let events = self
            .conversion
            .events(id, message)
            .map_err(|error| Error::permanent("making the event").caused_by(error))?;
        let body = event::body(message.raw_amqp_message()).map_or(0, <[u8]>::len);
        let key = message.partition_key().as_ref().map(|key| Bytes::copy_from_slice(key.as_bytes()));
        let size = events.iter().map(common::Event::size).sum::<usize>().max(body);
        Ok(Record { position: Position { sequence, offset }, key, events, bytes: size + OVERHEAD })
    }

    /// Stores one position.
    async fn store_one(&self, partition: &Partition, position: &Position) -> Result<(), Error> {
        let store = self.store()?;
        let (version, tried) = {
            let mut stored = partition.stored();
            let tried = stored.tried.replace(position.clone());
            (stored.version.clone(), tried)
        };
        let mut done = store.set_position(&partition.id, position, version.as_ref()).await?;
        if done.is_none()
            && let Some((found, version)) = store.position(&partition.id).await?
        {
            // One's own change, whose answer was lost, looks like that of somebody else.
            if found == *position {
                done = Some(version);
            } else if tried.is_some_and(|tried| tried == found) {
                done = store.set_position(&partition.id, position, Some(&version)).await?;
            }
        }
        match done {
            Some(version) => partition.stored().version = Some(version),
            None => self.assigner.was_taken(&partition.id),
        }
        Ok(())
    }
}

impl LogSource for EventHubs {
    type Partition = Partition;
    type Position = Position;

    fn keeps_positions(&self) -> bool {
        self.store.get().is_none()
    }

    fn keep_positions(&self, records: Arc<dyn Checkpoints>) {
        let hub = &self.reader.hub;
        let store = Store::new(Place::Files(records), &hub.host(), &hub.id().hub, &self.reader.group);
        // There is one already only where a URL names it.
        let _ = self.store.set(store);
    }

    fn pace(&self) -> Duration {
        if self.is_metered { Duration::from_secs(1) } else { Duration::from_millis(100) }
    }

    async fn assignment(&self) -> Result<Assignment<Partition>, Error> {
        self.assigner.next(&self.reader, self.store()?).await
    }

    async fn read(&self, partition: &Partition, max: usize) -> Result<Vec<Record<Position>>, Error> {
        let mut inbox = partition.inbox.lock().await;
        if !inbox.is_open() {
            let client = self.reader.client().await?;
            inbox.open(&partition.id, &client, self.terms);
        }
        match inbox.receive(max.min(self.terms.prefetch as usize)).await {
            Ok(messages) => messages.iter().map(|message| self.record(&partition.id, message)).collect(),
            Err(Trouble::Failed(error)) if is_stolen(&error) => {
                self.assigner.was_taken(&partition.id);
                // The assignment says so, and ends this lane.
                std::future::pending().await
            }
            Err(trouble) => {
                if let Some(client) = inbox.close() {
                    self.reader.give_up(&client).await;
                }
                Err(match trouble {
                    Trouble::Failed(error) => self.reader.hub.failure(READING, &error),
                    Trouble::Silent => {
                        Error::retryable(format!("{READING}: nothing comes though there are events"))
                    }
                })
            }
        }
    }

    async fn commit(&self, positions: &[(Arc<Partition>, Position)]) -> Result<(), Error> {
        let all = positions.iter().map(|(partition, position)| self.store_one(partition, position));
        join_all(all).await.into_iter().collect()
    }

    async fn close(&self, partitions: Vec<Arc<Partition>>) {
        for partition in &partitions {
            partition.inbox.lock().await.close();
        }
        let Ok(store) = self.store() else { return };
        let ids: Vec<_> = partitions.iter().map(|partition| partition.id.as_str()).collect();
        self.assigner.release(&ids, store).await;
    }
}
