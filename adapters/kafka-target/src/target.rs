//! Events as records of a topic (<https://kafka.apache.org/41/documentation.html>); a caller gets its 2xx when all replicas
//! in sync have the record.

use std::{sync::Arc, time::Duration};

use common::{
    Adapter, Context, Error, Event, Field, Info, Kind, Reply, Role, Scaling, Stop, Target,
    config::ConfigError,
};
use kafka::{
    Watch,
    producer::{Producers, Written},
    topic,
};
use rdkafka::producer::Producer as _;
use tokio::sync::Notify;

use crate::{config::KafkaConfig, convert};

/// Writes each event to the topic.
pub struct Kafka {
    config: Arc<KafkaConfig>,
    topic: Arc<str>,
    producers: Producers,
    /// There may be no topic any more.
    doubt: Notify,
}

impl Adapter for Kafka {
    const INFO: Info = Info {
        name: env!("CARGO_PKG_NAME"),
        version: env!("CARGO_PKG_VERSION"),
        summary: env!("CARGO_PKG_DESCRIPTION"),
        role: Role::Target,
        component: "kafkatarget",
        resource_group: "kafkatargets.targets.triggermesh.io",
        images: &["kafkatarget-adapter"],
        emits: &[],
        accepts: &["*"],
        scaling: Scaling::Any,
        kinds: &[Kind {
            group: "targets.triggermesh.io",
            version: "v1alpha1",
            kind: "KafkaTarget",
            constants: &[],
            fields: &kafka::fields::<3, 20>([
                Field::new("topicReplicationFactor", "TOPIC_REPLICATION_FACTOR"),
                Field::new("topicPartitions", "TOPIC_PARTITIONS"),
                Field::new("discardCloudEventContext", "DISCARD_CE_CONTEXT"),
            ]),
        }],
    };
    type Config = KafkaConfig;

    fn new(config: Self::Config) -> Result<Self, ConfigError> {
        let producers = Producers::new(config.writing(), Watch::default()).map_err(|error| {
            let problem = format_args!("and the settings beside it make no client: {error}");
            ConfigError::new("BOOTSTRAP_SERVERS", problem)
        })?;
        let topic = config.topic.as_str().into();
        Ok(Self { producers, topic, config: Arc::new(config), doubt: Notify::new() })
    }

    async fn connect(&self) -> Result<(), Error> {
        let ready = self.find_topic().await;
        match &ready {
            Ok(()) => self.producers.watch.clear(),
            Err(_) => self.producers.mend(),
        }
        ready
    }
}

impl Target for Kafka {
    async fn handle(&self, event: Event, _context: &Context) -> Result<Reply, Error> {
        let convert::Record { key, value, headers } = convert::record(&self.config, event);
        let record = Written { topic: Arc::clone(&self.topic), key, value, headers };
        match self.producers.write(record).await {
            Ok(_) => Ok(Reply::Done),
            Err(failure) => {
                if failure.is_topic_doubtful() {
                    self.doubt.notify_one();
                }
                Err(failure.explain(&self.producers.watch))
            }
        }
    }

    /// Whoever took the topic away may want it made again; callers come again after that.
    async fn run(self: &Arc<Self>, stop: Stop) -> Result<(), Error> {
        loop {
            tokio::select! {
                () = stop.closed() => return Ok(()),
                () = self.doubt.notified() => {}
            }
            let found = tokio::select! {
                found = self.find_topic() => found,
                () = stop.closed() => return Ok(()),
            };
            if let Err(error) = found {
                tracing::warn!(reason = error.chain(), "events cannot be written");
            }
        }
    }
}

impl Kafka {
    /// Makes sure that there is the topic.
    async fn find_topic(&self) -> Result<(), Error> {
        let (config, producer, watch) =
            (Arc::clone(&self.config), self.producers.current(), self.producers.watch.clone());
        let found = kafka::blocking(move || {
            kafka::partitions(producer.client(), &config.topic, kafka::CALL)
                .map_err(|error| kafka::error("looking for TOPIC", error, &watch))
        });
        match found.await? {
            Some(_) => Ok(()),
            None if self.config.create_missing_topic.0 => self.make_topic().await,
            None => Err(Error::retryable("TOPIC does not exist, and CREATE_MISSING_TOPIC is false")),
        }
    }

    async fn make_topic(&self) -> Result<(), Error> {
        let config = &self.config;
        let wanted = topic::Wanted {
            name: &config.topic,
            partitions: config.topic_partitions,
            replication: config.topic_replication_factor,
            settings: &[],
        };
        let time = Duration::from_millis(u64::from(config.create_topic_timeout_ms));
        topic::make(&config.connection, env!("CARGO_PKG_NAME"), &self.producers.watch, &wanted, time).await
    }
}
