//! Records of a topic as events, read as a member of a consumer group (<https://kafka.apache.org/41/documentation.html>).

use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};

use bytes::Bytes;
use common::{
    Adapter, Assignment, Error, Field, Info, Kind, LogSource, Record, Role, Scaling, config::ConfigError,
};
use kafka::{
    Watch,
    consumer::{Consumer, Feed, Member, Partition, Telling},
};
use rdkafka::{
    TopicPartitionList,
    error::KafkaResult,
    message::{BorrowedMessage, Message as _},
};
use tokio::sync::{Mutex, mpsc, watch};

use crate::{
    config::KafkaConfig,
    event::{EVENT_TYPE, Events},
    start::Start,
};

/// Memory that a record takes beside its bytes, about.
const OVERHEAD: usize = 512;

/// Reads the partitions that the group gives it.
pub struct Kafka {
    config: Arc<KafkaConfig>,
    watch: Watch,
    /// Made at the first contact.
    consumer: OnceLock<Arc<Consumer<Records>>>,
    telling: Telling<Records>,
    told: Mutex<Told>,
}

/// What the consumer tells.
struct Told {
    changes: mpsc::UnboundedReceiver<Assignment<Partition<Records>>>,
    failure: watch::Receiver<Option<Error>>,
}

/// Records as events.
pub struct Records {
    events: Events,
    topic: String,
    start: Start,
}

impl Feed for Records {
    type Item = Record<i64>;

    fn item(&self, message: &BorrowedMessage<'_>) -> Result<Record<i64>, Error> {
        let made = self.events.of(message);
        let event = made.map_err(|error| Error::retryable("making an event of a record").caused_by(error))?;
        Ok(Record {
            position: message.offset(),
            key: message.key().map(Bytes::copy_from_slice),
            bytes: event.size() + OVERHEAD,
            events: vec![event],
        })
    }

    fn bytes(record: &Record<i64>) -> usize {
        record.bytes
    }

    fn begin(
        &self,
        member: &Member,
        partitions: &[i32],
        begun: &BTreeSet<i32>,
    ) -> KafkaResult<TopicPartitionList> {
        self.start.offsets(member, &self.topic, partitions, begun)
    }
}

impl Adapter for Kafka {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Source,
        component: "kafkasource",
        resource_group: "kafkasources.sources.triggermesh.io",
        images: &["kafkasource-adapter"],
        emits: &[EVENT_TYPE],
        accepts: &[],
        scaling: Scaling::Partitioned,
        kinds: &[Kind {
            group: "sources.triggermesh.io",
            version: "v1alpha1",
            kind: "KafkaSource",
            constants: &[],
            fields: &kafka::fields::<1, 18>([Field::new("groupID", "GROUP_ID")]),
        }],
    };
    type Config = KafkaConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        let (change, changes) = mpsc::unbounded_channel();
        let (fail, failure) = watch::channel(None);
        let adapter = Self {
            config: Arc::new(config),
            watch: Watch::default(),
            consumer: OnceLock::new(),
            telling: Telling { changes: change, failure: fail },
            told: Mutex::new(Told { changes, failure }),
        };
        kafka::consumer::check(&adapter.config.connection, env!("CARGO_PKG_NAME")).map_err(|error| {
            let problem = format_args!("and the settings beside it make no client: {error}");
            ConfigError::new("BOOTSTRAP_SERVERS", problem)
        })?;
        Ok(adapter)
    }

    async fn connect(&self) -> Result<(), Error> {
        let (config, watch) = (Arc::clone(&self.config), self.watch.clone());
        let position = config.start_position;
        let start = kafka::blocking(move || Start::ask(&config.group(0), position, &watch)).await?;
        self.watch.clear();
        if self.consumer.get().is_none() {
            let group = self.config.group(start.partitions());
            let records =
                Records { events: Events::new(&self.config), topic: self.config.topic.clone(), start };
            let consumer = Consumer::start(group, &self.watch, records, self.telling.clone())?;
            let _ = self.consumer.set(Arc::new(consumer));
        }
        Ok(())
    }
}

impl LogSource for Kafka {
    type Partition = Partition<Records>;
    /// An offset.
    type Position = i64;

    async fn assignment(&self) -> Result<Assignment<Partition<Records>>, Error> {
        let told = &mut *self.told.lock().await;
        // This adapter holds the other end of both, so that neither is ever closed.
        tokio::select! {
            biased;
            Some(change) = told.changes.recv() => Ok(change),
            Ok(()) = told.failure.changed() => match &*told.failure.borrow_and_update() {
                Some(error) => Err(error.clone()),
                // All is well again.
                None => Ok(Assignment::Assigned(Vec::new())),
            },
            else => Err(Error::retryable("the consumer has ended")),
        }
    }

    async fn read(&self, partition: &Partition<Records>, max: usize) -> Result<Vec<Record<i64>>, Error> {
        partition.read(max).await
    }

    async fn commit(&self, positions: &[(Arc<Partition<Records>>, i64)]) -> Result<(), Error> {
        let Some(consumer) = self.consumer.get() else { return Ok(()) };
        consumer.commit(positions.iter().map(|(partition, offset)| (partition.number, *offset))).await
    }

    async fn close(&self, partitions: Vec<Arc<Partition<Records>>>) {
        let numbers: Vec<_> = partitions.iter().map(|partition| partition.number).collect();
        // Their queues keep the consumer alive.
        drop(partitions);
        let Some(consumer) = self.consumer.get().map(Arc::clone) else { return };
        let closed = kafka::blocking(move || {
            consumer.close(&numbers);
            Ok(())
        });
        if let Err(error) = closed.await {
            tracing::warn!(reason = error.chain(), "partitions were not given up");
        }
    }
}
