//! The dead letters: a compacted topic with one partition, in which the key of a record is the id of a dead letter and a
//! tombstone removes it. What is in it is known from reading it, when somebody asks.

mod id;
mod index;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use broker::dlq::{Dead, DeadLetters};
use bytes::Bytes;
use common::{Error, Event, event::json};
use kafka::{
    Connection, Watch,
    producer::{Producers, Written},
    topic::{Wanted, make},
};
use rdkafka::{
    admin::{AdminClient, AdminOptions, ResourceSpecifier},
    config::FromClientConfigAndContext as _,
    producer::Producer as _,
};

use self::{id::Id, index::Index};
use crate::config::watch_of_letters;

/// How long making the topic may take.
const MAKING: Duration = Duration::from_secs(10);
/// What a dead letter has beside its event: a record of the events' topic must have room here.
const MORE_BYTES: usize = 64 << 10;
/// The largest record of a topic of which nothing else is known.
const RECORD_BYTES: usize = 1 << 20;

/// The topic.
pub struct Letters {
    topic: Arc<str>,
    /// That of the events.
    events: String,
    connection: Connection,
    replication: i32,
    producers: Arc<Producers>,
    watch: Watch,
    /// What is known of the topic; nothing while nobody asks.
    index: Arc<Mutex<Option<Index>>>,
}

impl fmt::Debug for Letters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letters").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Letters {
    pub fn new(
        topic: &str,
        connection: Connection,
        events: &str,
        replication: i32,
        producers: &Arc<Producers>,
    ) -> Self {
        Self {
            topic: topic.into(),
            events: events.to_owned(),
            connection,
            replication,
            producers: Arc::clone(producers),
            watch: watch_of_letters(),
            index: Arc::default(),
        }
    }

    /// Makes sure that there is the topic.
    pub async fn find(&self) -> Result<(), Error> {
        let (topic, producer, watch) =
            (Arc::clone(&self.topic), self.producers.current(), self.watch.clone());
        let found = kafka::blocking(move || {
            kafka::partitions(producer.client(), &topic, kafka::CALL)
                .map_err(|error| kafka::error("looking for TOPIC", error, &watch))
        });
        match found.await? {
            Some(1) => Ok(()),
            Some(_) => Err(Error::retryable("KAFKA_DEAD_LETTER_TOPIC has more than one partition")),
            None => {
                let bytes = (self.largest().await.unwrap_or(RECORD_BYTES) + MORE_BYTES).to_string();
                let settings = [("cleanup.policy", "compact"), ("max.message.bytes", bytes.as_str())];
                let wanted = Wanted {
                    name: &self.topic,
                    partitions: 1,
                    replication: self.replication,
                    settings: &settings,
                };
                make(&self.connection, env!("CARGO_PKG_NAME"), &self.watch, &wanted, MAKING).await
            }
        }
    }

    /// The largest record that the topic of the events takes; `None` when that may not be asked.
    async fn largest(&self) -> Option<usize> {
        let settings = self.connection.client_config(env!("CARGO_PKG_NAME"));
        let admin = AdminClient::<Watch>::from_config_and_context(&settings, self.watch.clone()).ok()?;
        let options = AdminOptions::new().request_timeout(Some(kafka::CALL));
        let found = admin.describe_configs([&ResourceSpecifier::Topic(&self.events)], &options).await.ok()?;
        let topic = found.into_iter().next()?.ok()?;
        topic.get("max.message.bytes")?.value.as_deref()?.parse().ok()
    }

    /// Forgets what is known when nobody has asked for a while.
    pub fn rest(&self) {
        // While somebody asks it is not for us to wait.
        if let Ok(mut index) = self.index.try_lock()
            && index.as_ref().is_some_and(Index::is_idle)
        {
            *index = None;
        }
    }

    /// Asks the topic, as it is now.
    async fn ask<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Index) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (index, topic, connection, watch) =
            (Arc::clone(&self.index), Arc::clone(&self.topic), self.connection.clone(), self.watch.clone());
        kafka::blocking(move || {
            let mut known = lock(&index);
            let index = match &mut *known {
                Some(index) => index,
                None => known.insert(Index::new(&connection, &topic, watch)?),
            };
            if let Err(error) = index.update() {
                // Another client may be let in, with another password.
                if index.is_unreachable() {
                    *known = None;
                }
                return Err(error);
            }
            ask(index)
        })
        .await
    }

    async fn write(&self, id: Id, value: Option<Bytes>) -> Result<(), Error> {
        let key = Some(id.to_string().into());
        let record = Written { topic: Arc::clone(&self.topic), key, value, headers: None };
        let Err(failure) = self.producers.write(record).await else { return Ok(()) };
        if failure.is_topic_doubtful() {
            // Whoever tries again finds it.
            self.find().await?;
        }
        Err(failure.explain(&self.watch))
    }
}

impl DeadLetters for Letters {
    async fn put(&self, event: Event) -> Result<(), Error> {
        self.write(Id::new(), Some(json::to_vec(&event).into())).await
    }

    async fn page(&self, after: Option<&str>, limit: usize) -> Result<Vec<Dead>, Error> {
        let after = after.map(read).transpose()?;
        self.ask(move |index| index.page(after, limit)).await
    }

    async fn get(&self, id: &str) -> Result<Option<Dead>, Error> {
        let id = read(id)?;
        self.ask(move |index| index.get(id)).await
    }

    async fn remove(&self, id: &str) -> Result<bool, Error> {
        let id = read(id)?;
        if !self.ask(move |index| Ok(index.has(id))).await? {
            return Ok(false);
        }
        self.write(id, None).await?;
        Ok(true)
    }
}

fn read(id: &str) -> Result<Id, Error> {
    id.parse().map_err(|problem: String| Error::permanent(format!("reading the id: {problem}")))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
