//! Records of a topic as events, read as a member of a consumer group (<https://kafka.apache.org/41/documentation.html>).

use std::sync::{Arc, OnceLock};

use common::{
    Adapter, Assignment, Error, Field, Info, Kind, LogSource, Record, Role, Scaling, config::ConfigError,
};
use kafka::Watch;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::{Mutex, mpsc, watch};

use crate::{
    config::KafkaConfig,
    consumer::{Consumer, Partition, Start, Telling},
    event::{EVENT_TYPE, Events},
};

/// Reads the partitions that the group gives it.
pub struct Kafka {
    config: Arc<KafkaConfig>,
    events: Events,
    watch: Watch,
    /// Made at the first contact.
    consumer: OnceLock<Arc<Consumer>>,
    telling: Telling,
    told: Mutex<Told>,
}

/// What the consumer tells.
struct Told {
    changes: mpsc::UnboundedReceiver<Assignment<Partition>>,
    failure: watch::Receiver<Option<Error>>,
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
            events: Events::new(&config),
            config: Arc::new(config),
            watch: Watch::default(),
            consumer: OnceLock::new(),
            telling: Telling { changes: change, failure: fail },
            told: Mutex::new(Told { changes, failure }),
        };
        crate::consumer::check(&adapter.config).map_err(|error| {
            let problem = format_args!("and the settings beside it make no client: {error}");
            ConfigError::new("BOOTSTRAP_SERVERS", problem)
        })?;
        Ok(adapter)
    }

    async fn connect(&self) -> Result<(), Error> {
        let (config, watch) = (Arc::clone(&self.config), self.watch.clone());
        let start = kafka::blocking(move || Start::ask(&config, &watch)).await?;
        self.watch.clear();
        if self.consumer.get().is_none() {
            let consumer = Consumer::start(&self.config, &self.watch, start, self.telling.clone())?;
            let _ = self.consumer.set(Arc::new(consumer));
        }
        Ok(())
    }
}

impl LogSource for Kafka {
    type Partition = Partition;
    /// An offset.
    type Position = i64;

    async fn assignment(&self) -> Result<Assignment<Partition>, Error> {
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

    async fn read(&self, partition: &Partition, max: usize) -> Result<Vec<Record<i64>>, Error> {
        partition.read(max, &self.events, &self.watch).await
    }

    async fn commit(&self, positions: &[(Arc<Partition>, i64)]) -> Result<(), Error> {
        let failed = |error| kafka::error("storing the positions of GROUP_ID", error, &self.watch);
        let mut list = TopicPartitionList::new();
        for (partition, offset) in positions {
            // Kafka keeps the place of the next record.
            let next = Offset::Offset(offset + 1);
            list.add_partition_offset(&self.config.topic, partition.number, next).map_err(failed)?;
        }
        let Some(consumer) = self.consumer.get().map(Arc::clone) else { return Ok(()) };
        let watch = self.watch.clone();
        kafka::blocking(move || {
            consumer
                .commit(&list)
                .map_err(|error| kafka::error("storing the positions of GROUP_ID", error, &watch))
        })
        .await
    }

    async fn close(&self, partitions: Vec<Arc<Partition>>) {
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
