//! The producer: one for the process, made anew when it can go on no longer, and a second one that sends each record alone.

use std::sync::{Arc, Mutex, PoisonError};

use common::{Error, config::ConfigError};
use kafka::Watch;
use rdkafka::{
    config::{ClientConfig, FromClientConfigAndContext as _},
    error::{KafkaError, RDKafkaErrorCode},
    message::{Message as _, OwnedHeaders},
    producer::{FutureProducer, FutureRecord, Producer as _},
};

use crate::{config::KafkaConfig, convert::Record};

pub type Client = FutureProducer<Watch>;

/// Bytes of records that may wait to be sent, in KiB; the frame's own limit is reached before.
const QUEUE_KBYTES: &str = "98304";

/// The producers of the process.
pub struct Producers {
    config: Arc<KafkaConfig>,
    /// What the connections of all of them suffer.
    pub watch: Watch,
    current: arc_swap::ArcSwap<Client>,
    alone: Mutex<Option<Arc<Client>>>,
    /// What the secrets were when the producers were made.
    secrets: Mutex<Box<dyn Fn() -> bool + Send + Sync>>,
}

/// A record that was not written.
pub struct Failure(KafkaError);

impl Failure {
    /// Whether it may be that there is no topic: the client goes on looking for one until the record's time is over.
    pub fn is_topic_doubtful(&self) -> bool {
        use RDKafkaErrorCode as Code;
        let doubtful = [Code::UnknownTopic, Code::UnknownTopicOrPartition, Code::MessageTimedOut];
        self.0.rdkafka_error_code().is_some_and(|code| doubtful.contains(&code))
    }

    /// In terms of the frame.
    pub fn explain(self, watch: &Watch) -> Error {
        kafka::error("writing the record", self.0, watch)
    }
}

impl Producers {
    /// Makes the first; it connects when there is something to ask or to send.
    ///
    /// # Errors
    /// When librdkafka does not take the settings.
    pub fn new(config: &Arc<KafkaConfig>) -> Result<Self, ConfigError> {
        let watch = Watch::default();
        let first = make(config, &watch, false).map_err(|error| {
            ConfigError::new(
                "BOOTSTRAP_SERVERS",
                format_args!("and the settings beside it make no client: {error}"),
            )
        })?;
        Ok(Self {
            config: Arc::clone(config),
            watch,
            current: arc_swap::ArcSwap::from_pointee(first),
            alone: Mutex::default(),
            secrets: Mutex::new(changed(config)),
        })
    }

    /// The producer as it is now.
    pub fn current(&self) -> Arc<Client> {
        self.current.load_full()
    }

    /// Writes a record and waits until the brokers have confirmed it.
    pub async fn write(&self, mut record: Record) -> Result<(), Failure> {
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
        record: &Record,
        headers: Option<OwnedHeaders>,
    ) -> Result<(), (KafkaError, Option<OwnedHeaders>)> {
        let written = FutureRecord::<[u8], [u8]> {
            topic: &self.config.topic,
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
        let client = make(&self.config, &self.watch, true)?;
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
        match make(&self.config, &self.watch, false) {
            Ok(client) => {
                tracing::info!("the producer is made anew");
                self.current.store(Arc::new(client));
                *alone = None;
                *secrets = changed(&self.config);
                self.watch.clear();
            }
            Err(error) => tracing::error!(%error, "no producer can be made"),
        }
    }
}

/// Tells whether the secrets are others than now.
fn changed(config: &Arc<KafkaConfig>) -> Box<dyn Fn() -> bool + Send + Sync> {
    let (config, then) = (Arc::clone(config), config.connection.secrets());
    Box::new(move || config.connection.secrets() != then)
}

fn make(config: &KafkaConfig, watch: &Watch, alone: bool) -> Result<Client, KafkaError> {
    let mut settings: ClientConfig = config.connection.client_config(env!("CARGO_PKG_NAME"));
    let timeout = config.delivery_timeout.as_millis();
    settings
        .set("acks", "all")
        .set("enable.idempotence", config.idempotent.to_string())
        .set("message.timeout.ms", timeout.to_string())
        // One that hangs leaves time for another try.
        .set("request.timeout.ms", (timeout / 2).clamp(1000, 30_000).to_string())
        // That of the original's client, so that a key stays on its partition.
        .set("partitioner", "fnv1a_random")
        .set("compression.codec", config.compression.name())
        // How large a record may be is the topic's to say.
        .set("message.max.bytes", "1000000000")
        .set("queue.buffering.max.kbytes", QUEUE_KBYTES)
        .set("topic.metadata.refresh.interval.ms", "60000");
    if alone {
        settings.set("batch.num.messages", "1").set("linger.ms", "0");
    } else {
        let linger = config.linger.as_secs_f64() * 1000.0;
        settings.set("linger.ms", format!("{linger:.1}"));
    }
    Client::from_config_and_context(&settings, watch.clone())
}
