//! The topic as the engine sees it.

mod lag;
mod letters;
mod reach;
mod reader;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use broker::{
    document::Bounds,
    engine::Stored,
    log::{Batch, Log},
};
use common::{Error, Text, event::json};
use kafka::{
    Connection, Watch,
    binding::{CONTENT_TYPE, STRUCTURED},
    producer::{Producers, Written},
    topic::{RecordKey, Wanted, make},
};
use rdkafka::{
    error::KafkaError,
    message::{Header, OwnedHeaders},
    producer::Producer as _,
};

pub use self::reader::check;
use self::{
    lag::Lag,
    letters::Letters,
    reach::Reach,
    reader::{Found, Position, Reader},
};
use crate::config::{KafkaConfig, watch};

/// The headers beside an event: how many replies led to it, and its trace.
pub const HOPS: &str = "trestlehops";
pub const TRACE: &str = "traceparent";

/// How long a look may take.
const PROBE: Duration = Duration::from_secs(3);
/// How long making a topic may take.
const MAKING: Duration = Duration::from_secs(10);

/// The topic that the events are in.
pub struct Topic {
    name: Arc<str>,
    key: RecordKey,
    connection: Connection,
    partitions: i32,
    replication: i32,
    tells_position: bool,
    producers: Arc<Producers>,
    letters: Letters,
    found: Arc<Found>,
    /// There may be no topic any more.
    doubt: AtomicBool,
    reach: Reach,
    lag: Lag,
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Topic {
    /// A topic that nothing is known of yet; one trigger has so many events in hand at most.
    pub fn new(config: &KafkaConfig, most: usize) -> Result<Self, KafkaError> {
        let producers = Arc::new(Producers::new(config.writing(), watch())?);
        let replication = config.kafka_topic_replication_factor.unwrap_or(-1);
        let found = Found::new(
            config.connection(),
            &config.kafka_topic,
            &config.kafka_consumer_group_prefix,
            *config.kafka_session_timeout,
            most,
        );
        Ok(Self {
            name: config.kafka_topic.as_str().into(),
            key: config.kafka_key.clone(),
            connection: config.connection(),
            partitions: config.kafka_topic_partitions.unwrap_or(-1),
            replication,
            tells_position: config.kafka_tracking_id_enabled.0,
            letters: Letters::new(
                &config.dead_letter_topic(),
                config.connection(),
                &config.kafka_topic,
                replication,
                &producers,
            ),
            producers,
            found: Arc::new(found),
            doubt: AtomicBool::new(false),
            reach: Reach::default(),
            lag: Lag::new(&config.broker.name()),
        })
    }

    fn watch(&self) -> &Watch {
        &self.producers.watch
    }

    /// Makes sure that there is the topic.
    async fn find(&self, time: Duration) -> Result<(), Error> {
        loop {
            let (name, producer, watch) =
                (Arc::clone(&self.name), self.producers.current(), self.watch().clone());
            let found = kafka::blocking(move || {
                kafka::partitions(producer.client(), &name, time)
                    .map_err(|error| kafka::error("looking for TOPIC", error, &watch))
            });
            if let Some(partitions) = found.await? {
                self.found.set_partitions(partitions);
                return Ok(());
            }
            let wanted = Wanted {
                name: &self.name,
                partitions: self.partitions,
                replication: self.replication,
                settings: &[],
            };
            make(&self.connection, env!("CARGO_PKG_NAME"), self.watch(), &wanted, MAKING).await?;
            // Known to the controller is not yet known to all.
            common::worker::sleep(Duration::from_millis(100)).await;
        }
    }

    fn headers(stored: &Stored) -> OwnedHeaders {
        let mut headers =
            OwnedHeaders::new_with_capacity(3).insert(Header { key: CONTENT_TYPE, value: Some(STRUCTURED) });
        if stored.hops > 0 {
            headers = headers.insert(Header { key: HOPS, value: Some(&stored.hops.to_string()) });
        }
        if let Some(parent) = stored.trace.parent() {
            headers = headers.insert(Header { key: TRACE, value: Some(&parent) });
        }
        headers
    }
}

impl Log for Topic {
    type Position = Position;
    type Reader = Reader;
    type Dead = Letters;

    fn dead(&self) -> &Letters {
        &self.letters
    }

    async fn connect(&self) -> Result<(), Error> {
        let found = self.find(kafka::CALL).await;
        if let Err(error) = found {
            self.producers.mend();
            self.reach.fails();
            return Err(error);
        }
        self.letters.find().await?;
        self.watch().clear();
        self.reach.works();
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.reach.is_ready()
    }

    async fn append(&self, stored: &Arc<Stored>) -> Result<(), Error> {
        let event = &stored.event;
        let key = self.key.0.as_ref().and_then(|name| event.text(name)).map(|key| key.bytes().clone());
        let value = Some(json::to_vec(event).into());
        let headers = Some(Self::headers(stored));
        let record = Written { topic: Arc::clone(&self.name), key, value, headers };
        match self.producers.write(record).await {
            Ok(()) => {
                self.reach.works();
                Ok(())
            }
            Err(failure) => {
                if failure.is_topic_doubtful() {
                    self.doubt.store(true, Relaxed);
                }
                let error = failure.explain(self.watch());
                if !error.is_permanent() {
                    self.reach.fails();
                }
                Err(error)
            }
        }
    }

    fn reader(&self, trigger: &str, bounds: Option<&Bounds>) -> Reader {
        Reader::new(&self.found, trigger, bounds)
    }

    async fn subscribe(&self, reader: &Reader) -> Result<(), Error> {
        reader.subscribe().await
    }

    async fn read(&self, reader: &Reader, most: usize) -> Result<Batch<Position>, Error> {
        reader.read(most).await
    }

    async fn acknowledge(&self, reader: &Reader, positions: &[Position]) -> Result<(), Error> {
        reader.acknowledge(positions).await
    }

    async fn upkeep(&self, readers: &[Arc<Reader>]) {
        self.letters.rest();
        let doubt = self.doubt.swap(false, Relaxed);
        if !self.reach.is_due() && !doubt {
            return;
        }
        let looked = async {
            self.find(PROBE).await?;
            let partitions = self.found.partitions();
            self.lag.observe(self.producers.current(), &self.name, partitions, readers, self.watch()).await
        };
        match looked.await {
            Ok(()) => {
                self.watch().clear();
                self.reach.works();
            }
            Err(error) => {
                self.producers.mend();
                if !self.reach.is_failing() {
                    tracing::warn!(reason = error.chain(), "the topic cannot be reached");
                }
                self.reach.fails();
            }
        }
    }

    async fn leave(&self, reader: &Reader, forget: bool) {
        reader.leave(forget).await;
    }

    fn text(&self, position: &Position) -> Text {
        position.text()
    }

    fn tells_position(&self) -> bool {
        self.tells_position
    }

    fn name(&self) -> &str {
        &self.name
    }
}
