//! The producer: one for the process, made anew when it can go on no longer; a second one that sends each record alone, and a
//! third one that sends records together.

mod settings;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use common::Error;
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::{Message as _, OwnedHeaders},
    producer::{DeliveryFuture, FutureProducer, FutureRecord, Producer as _},
};

pub use self::settings::{Compression, Writing};
use self::settings::{Kind, make};
use crate::Watch;

/// A producer, as librdkafka has it.
pub type Client = FutureProducer<Watch>;

/// A record to be written.
#[derive(Debug)]
pub struct Written {
    /// Where to; the partition is the key's.
    pub topic: Arc<str>,
    /// Records of the same key are in the same partition.
    pub key: Option<Bytes>,
    /// `None` is a tombstone.
    pub value: Option<Bytes>,
    /// Its headers.
    pub headers: Option<OwnedHeaders>,
}

/// Where a record stands that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its partition.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
}

/// Those that are made when they are needed.
#[derive(Default)]
struct Rare {
    alone: Option<Arc<Client>>,
    together: Option<Arc<Client>>,
}

/// The producers of the process.
pub struct Producers {
    writing: Arc<Writing>,
    /// What the connections of all of them suffer.
    pub watch: Watch,
    current: arc_swap::ArcSwap<Client>,
    rare: Mutex<Rare>,
    /// What the secrets were when the producers were made.
    secrets: Mutex<Box<dyn Fn() -> bool + Send + Sync>>,
}

impl fmt::Debug for Producers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Producers").finish_non_exhaustive()
    }
}

/// A record that was not written.
#[derive(Debug)]
pub struct Failure(KafkaError);

impl Failure {
    /// Whether it may be that there is no topic: the client goes on looking for one until the record's time is over.
    #[must_use]
    pub fn is_topic_doubtful(&self) -> bool {
        use RDKafkaErrorCode as Code;
        let doubtful = [Code::UnknownTopic, Code::UnknownTopicOrPartition, Code::MessageTimedOut];
        self.0.rdkafka_error_code().is_some_and(|code| doubtful.contains(&code))
    }

    /// In terms of the frame.
    #[must_use]
    pub fn explain(self, watch: &Watch) -> Error {
        crate::error("writing the record", self.0, watch)
    }
}

impl Producers {
    /// Makes the first; it connects when there is something to ask or to send.
    ///
    /// # Errors
    /// When librdkafka does not take the settings.
    pub fn new(writing: Writing, watch: Watch) -> Result<Self, KafkaError> {
        let writing = Arc::new(writing);
        let first = make(&writing, &watch, Kind::Usual)?;
        Ok(Self {
            watch,
            current: arc_swap::ArcSwap::from_pointee(first),
            rare: Mutex::default(),
            secrets: Mutex::new(changed(&writing)),
            writing,
        })
    }

    /// The producer as it is now.
    #[must_use]
    pub fn current(&self) -> Arc<Client> {
        self.current.load_full()
    }

    /// Writes a record and waits until the brokers have confirmed it.
    ///
    /// # Errors
    /// When they have not.
    pub async fn write(&self, mut record: Written) -> Result<Place, Failure> {
        let headers = record.headers.take();
        let (mut error, headers) = match send(&self.current.load_full(), &record, headers).await {
            Ok(place) => return Ok(place),
            Err(failed) => failed,
        };
        // What the brokers refuse is a batch: it may be the fault of another record in it.
        if is_refused(&error) {
            let alone = self.rare(Kind::Alone).map_err(Failure)?;
            match send(&alone, &record, headers).await {
                Ok(place) => return Ok(place),
                Err((alone, _)) => error = alone,
            }
        }
        self.mend();
        Err(Failure(error))
    }

    /// Writes records as one: those of a partition are there as a whole or not at all, where they are no more than a request
    /// carries. Waits until the brokers have confirmed or refused all of them, and gives their places in no order.
    ///
    /// # Errors
    /// When they have not confirmed one of them.
    pub async fn write_all(&self, records: &[Written]) -> Result<Vec<Place>, Failure> {
        let client = self.rare(Kind::Together).map_err(Failure)?;
        let sent: Vec<_> =
            records.iter().map(|record| enqueue(&client, record, record.headers.clone())).collect();
        let (mut places, mut refused, mut failed) = (Vec::with_capacity(records.len()), Vec::new(), None);
        for (record, sent) in records.iter().zip(sent) {
            let written = match sent {
                Ok(delivery) => confirmed(delivery).await,
                Err(failed) => Err(failed),
            };
            match written {
                Ok(place) => places.push(place),
                Err((error, _)) if is_refused(&error) => refused.push(record),
                Err((error, _)) => drop(failed.get_or_insert(error)),
            }
        }
        // The largest first: when it is at fault, the others need not be there either.
        refused.sort_by_key(|record| std::cmp::Reverse(record.value.as_ref().map(Bytes::len)));
        let mut refused = refused.into_iter();
        while failed.is_none()
            && let Some(record) = refused.next()
        {
            let alone = self.rare(Kind::Alone).map_err(Failure)?;
            match send(&alone, record, record.headers.clone()).await {
                Ok(place) => places.push(place),
                Err((error, _)) => failed = Some(error),
            }
        }
        let Some(error) = failed else { return Ok(places) };
        self.mend();
        Err(Failure(error))
    }

    fn rare(&self, kind: Kind) -> Result<Arc<Client>, KafkaError> {
        let mut rare = self.rare.lock().unwrap_or_else(PoisonError::into_inner);
        let place = if kind == Kind::Alone { &mut rare.alone } else { &mut rare.together };
        if let Some(client) = place {
            return Ok(Arc::clone(client));
        }
        let client = make(&self.writing, &self.watch, kind)?;
        Ok(Arc::clone(place.insert(Arc::new(client))))
    }

    /// Makes the producers anew when an idempotent one cannot go on, or a secret has changed since.
    pub fn mend(&self) {
        let is_broken = |client: &Client| client.client().fatal_error().is_some();
        let mut rare = self.rare.lock().unwrap_or_else(PoisonError::into_inner);
        let Rare { alone, together } = &mut *rare;
        for client in [alone, together] {
            if client.as_deref().is_some_and(is_broken) {
                *client = None;
            }
        }
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if !(is_broken(&self.current.load()) || secrets()) {
            return;
        }
        match make(&self.writing, &self.watch, Kind::Usual) {
            Ok(client) => {
                tracing::info!("the producer is made anew");
                self.current.store(Arc::new(client));
                *rare = Rare::default();
                *secrets = changed(&self.writing);
                self.watch.clear();
            }
            Err(error) => tracing::error!(%error, "no producer can be made"),
        }
    }
}

/// Whether the brokers refused what they were sent, which is a batch.
fn is_refused(error: &KafkaError) -> bool {
    let refused = [RDKafkaErrorCode::MessageSizeTooLarge, RDKafkaErrorCode::InvalidRecord];
    error.rdkafka_error_code().is_some_and(|code| refused.contains(&code))
}

/// A record that was not written, and its headers.
type Unwritten = (KafkaError, Option<OwnedHeaders>);

/// Sends a record; a failure gives its headers back.
async fn send(client: &Client, record: &Written, headers: Option<OwnedHeaders>) -> Result<Place, Unwritten> {
    confirmed(enqueue(client, record, headers)?).await
}

fn enqueue(
    client: &Client,
    record: &Written,
    headers: Option<OwnedHeaders>,
) -> Result<DeliveryFuture, Unwritten> {
    let written = FutureRecord::<[u8], [u8]> {
        topic: &record.topic,
        partition: None,
        payload: record.value.as_deref(),
        key: record.key.as_deref(),
        timestamp: None,
        headers,
    };
    client.send_result(written).map_err(|(error, record)| (error, record.headers))
}

async fn confirmed(delivery: DeliveryFuture) -> Result<Place, Unwritten> {
    match delivery.await {
        Ok(Ok(delivered)) => Ok(Place { partition: delivered.partition, offset: delivered.offset }),
        Ok(Err((error, message))) => Err((error, message.headers().cloned())),
        // The producer was dropped with the record in it.
        Err(_) => Err((KafkaError::Canceled, None)),
    }
}

/// Tells whether the secrets are others than now.
fn changed(writing: &Arc<Writing>) -> Box<dyn Fn() -> bool + Send + Sync> {
    let (writing, then) = (Arc::clone(writing), writing.connection.secrets());
    Box::new(move || writing.connection.secrets() != then)
}
