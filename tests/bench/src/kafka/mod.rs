//! Apache Kafka under the measurement: a broker for the run, topics, and what keeps one filled.

pub mod floor;
pub mod through;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use peers::Kafka;
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use crate::cli::Failure;
use crate::load::{self, Payload, Totals};

/// Partitions of every topic, and so the events that a source has out at once.
pub const PARTITIONS: i32 = 16;
/// How long a record waits for others, for floor and candidate.
pub const LINGER: &str = "2ms";
/// Records that are written ahead of who reads them.
const AHEAD: u64 = 10_000;

/// A broker on loopback.
pub struct Broker {
    kafka: Kafka,
    topics: AtomicU64,
}

impl Broker {
    /// Starts one; it ends with this.
    pub fn start() -> Result<Self, Failure> {
        Ok(Self { kafka: Kafka::start()?, topics: AtomicU64::new(0) })
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        self.kafka.plaintext()
    }

    /// A new topic.
    pub fn topic(&self) -> Result<String, Failure> {
        let name = format!("bench-{}", self.topics.fetch_add(1, Ordering::Relaxed));
        self.kafka.create_topic(
            &name,
            PARTITIONS,
            &[("retention.bytes", "67108864"), ("segment.bytes", "16777216")],
        )?;
        Ok(name)
    }
}

/// Writes records until `stop` is set, never far ahead of `read`, which counts those that came out again.
pub fn feed(
    bootstrap: &str,
    topic: &str,
    read: impl Fn() -> u64,
    stop: &AtomicBool,
) -> Result<Totals, Failure> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("linger.ms", "5").set("acks", "1");
    let producer: BaseProducer = config.create()?;
    let (begun, mut written) = (read(), 0);
    let body = load::body(Payload::Event);
    while !stop.load(Ordering::Relaxed) {
        if written > read() - begun + AHEAD {
            producer.poll(Duration::from_millis(1));
            continue;
        }
        let key = written.to_string();
        let partition = i32::try_from(written % PARTITIONS.unsigned_abs() as u64)?;
        let record = BaseRecord::to(topic).partition(partition).key(&key).payload(body);
        match producer.send(record) {
            Ok(()) => written += 1,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                producer.poll(Duration::from_millis(1));
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
    producer.flush(Duration::from_secs(10))?;
    Ok(Totals { accepted: written, ..Totals::default() })
}
