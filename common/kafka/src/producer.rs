//! The producer: one for the process, made anew when it can go on no longer, and a second one that sends each record alone.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use common::Error;
use rdkafka::{
    config::{ClientConfig, FromClientConfigAndContext as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::{Message as _, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer as _},
};

use crate::{Connection, Watch};

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

/// How records are written: until all replicas in sync have them.
#[derive(Clone, Debug)]
pub struct Writing {
    /// How to connect.
    pub connection: Connection,
    /// What the brokers see in their logs and quotas.
    pub client: &'static str,
    /// How long a record may take until it is confirmed.
    pub timeout: Duration,
    /// How long a record waits for others.
    pub linger: Duration,
    /// Whether the brokers drop what is sent twice by the client's own tries.
    pub idempotent: bool,
    /// The codec.
    pub compression: &'static str,
    /// How a key becomes a partition.
    pub partitioner: &'static str,
    /// Requests that are out at once, to one broker; fewer make larger ones.
    pub requests: u8,
}

/// Bytes of records that may wait to be sent, in KiB; the frame's own limit is reached before.
const QUEUE_KBYTES: &str = "98304";

/// The producers of the process.
pub struct Producers {
    writing: Arc<Writing>,
    /// What the connections of all of them suffer.
    pub watch: Watch,
    current: arc_swap::ArcSwap<Client>,
    alone: Mutex<Option<Arc<Client>>>,
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
        let first = make(&writing, &watch, false)?;
        Ok(Self {
            watch,
            current: arc_swap::ArcSwap::from_pointee(first),
            alone: Mutex::default(),
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
    pub async fn write(&self, mut record: Written) -> Result<(), Failure> {
        let headers = record.headers.take();
        let Err((mut error, headers)) = self.send(&self.current.load_full(), &record, headers).await else {
            return Ok(());
        };
        // What the brokers refuse is a batch: it may be the fault of another record in it.
        let refused = [RDKafkaErrorCode::MessageSizeTooLarge, RDKafkaErrorCode::InvalidRecord];
        if error.rdkafka_error_code().is_some_and(|code| refused.contains(&code)) {
            let alone = self.alone().map_err(Failure)?;
            match self.send(&alone, &record, headers).await {
                Ok(()) => return Ok(()),
                Err((alone, _)) => error = alone,
            }
        }
        self.mend();
        Err(Failure(error))
    }

    /// Sends a record; a failure gives its headers back.
    async fn send(
        &self,
        client: &Client,
        record: &Written,
        headers: Option<OwnedHeaders>,
    ) -> Result<(), (KafkaError, Option<OwnedHeaders>)> {
        let written = FutureRecord::<[u8], [u8]> {
            topic: &record.topic,
            partition: None,
            payload: record.value.as_deref(),
            key: record.key.as_deref(),
            timestamp: None,
            headers,
        };
        let delivery = client.send_result(written).map_err(|(error, record)| (error, record.headers))?;
        match delivery.await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err((error, message))) => Err((error, message.headers().cloned())),
            // The producer was dropped with the record in it.
            Err(_) => Err((KafkaError::Canceled, None)),
        }
    }

    fn alone(&self) -> Result<Arc<Client>, KafkaError> {
        let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*alone {
            return Ok(Arc::clone(client));
        }
        let client = make(&self.writing, &self.watch, true)?;
        Ok(Arc::clone(alone.insert(Arc::new(client))))
    }

    /// Makes the producers anew when an idempotent one cannot go on, or a secret has changed since.
    pub fn mend(&self) {
        let is_broken = |client: &Client| client.client().fatal_error().is_some();
        let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
        if alone.as_deref().is_some_and(is_broken) {
            *alone = None;
        }
        let mut secrets = self.secrets.lock().unwrap_or_else(PoisonError::into_inner);
        if !(is_broken(&self.current.load()) || secrets()) {
            return;
        }
        match make(&self.writing, &self.watch, false) {
            Ok(client) => {
                tracing::info!("the producer is made anew");
                self.current.store(Arc::new(client));
                *alone = None;
                *secrets = changed(&self.writing);
                self.watch.clear();
            }
            Err(error) => tracing::error!(%error, "no producer can be made"),
        }
    }
}

/// Tells whether the secrets are others than now.
fn changed(writing: &Arc<Writing>) -> Box<dyn Fn() -> bool + Send + Sync> {
    let (writing, then) = (Arc::clone(writing), writing.connection.secrets());
    Box::new(move || writing.connection.secrets() != then)
}

fn make(writing: &Writing, watch: &Watch, alone: bool) -> Result<Client, KafkaError> {
    let mut settings: ClientConfig = writing.connection.client_config(writing.client);
    let timeout = writing.timeout.as_millis();
    settings
        .set("acks", "all")
        .set("enable.idempotence", writing.idempotent.to_string())
        .set("message.timeout.ms", timeout.to_string())
        // One that hangs leaves time for another try.
        .set("request.timeout.ms", (timeout / 2).clamp(1000, 30_000).to_string())
        .set("max.in.flight.requests.per.connection", writing.requests.to_string())
        .set("partitioner", writing.partitioner)
        .set("compression.codec", writing.compression)
        // How large a record may be is the topic's to say.
        .set("message.max.bytes", "1000000000")
        .set("queue.buffering.max.kbytes", QUEUE_KBYTES)
        .set("topic.metadata.refresh.interval.ms", "60000");
    if alone {
        settings.set("batch.num.messages", "1").set("linger.ms", "0");
    } else {
        let linger = writing.linger.as_secs_f64() * 1000.0;
        settings.set("linger.ms", format!("{linger:.1}"));
    }
    Client::from_config_and_context(&settings, watch.clone())
}
