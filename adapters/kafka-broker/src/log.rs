//! The topic as the engine sees it.

mod ends;
mod lag;
mod letters;
mod look;
mod reach;
mod reader;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
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
    producer::{Failure, Place, Producers, Written},
    topic::RecordKey,
};
use rdkafka::{
    error::KafkaError,
    message::{Header, OwnedHeaders},
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
    /// There is none, or it is not known that there is another one.
    is_gone: AtomicBool,
    /// It ended sooner than before, at the last look.
    is_suspect: AtomicBool,
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
            is_gone: AtomicBool::new(false),
            is_suspect: AtomicBool::new(false),
            reach: Reach::default(),
            lag: Lag::new(&config.broker.name()),
        })
    }

    fn watch(&self) -> &Watch {
        &self.producers.watch
    }

    /// A record of an event.
    fn record(&self, stored: &Stored) -> Written {
        let event = &stored.event;
        let key = self.key.0.as_ref().and_then(|name| event.text(name)).map(|key| key.bytes().clone());
        let value = Some(json::to_vec(event).into());
        Written { topic: Arc::clone(&self.name), key, value, headers: Some(Self::headers(stored)) }
    }

    /// What became of records.
    fn wrote(&self, places: &[Place]) {
        places.iter().for_each(|place| self.found.ends.wrote(*place));
        self.reach.works();
    }

    fn not_written(&self, failure: Failure) -> Error {
        if failure.is_topic_doubtful() {
            self.doubt.store(true, Relaxed);
        }
        let error = failure.explain(self.watch());
        if !error.is_permanent() {
            self.reach.fails(&error, self.watch().is_refused());
        }
        error
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
            self.reach.fails(&error, true);
            self.producers.mend();
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

    fn trouble(&self) -> Option<String> {
        self.reach.trouble()
    }

    async fn append(&self, stored: &Arc<Stored>) -> Result<(), Error> {
        let written = self.producers.write(self.record(stored)).await;
        written.map(|place| self.wrote(&[place])).map_err(|failure| self.not_written(failure))
    }

    async fn append_all(&self, stored: &[Arc<Stored>]) -> Result<(), Error> {
        let records: Vec<_> = stored.iter().map(|stored| self.record(stored)).collect();
        let written = self.producers.write_all(&records).await;
        written.map(|places| self.wrote(&places)).map_err(|failure| self.not_written(failure))
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

    fn take_lost(&self, reader: &Reader) -> u64 {
        reader.take_lost()
    }

    async fn upkeep(&self, readers: &[Arc<Reader>]) {
        self.letters.rest();
        let doubt = self.doubt.swap(false, Relaxed);
        if !self.reach.is_due() && !doubt {
            return;
        }
        self.attend(readers).await;
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
