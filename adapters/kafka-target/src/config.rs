//! The settings of the Kafka target; those of the connection are shared with the source.

use common::config::{Config, Duration, Flag, Problems};
use kafka::{
    Connection,
    producer::{Compression, Writing},
    topic::RecordKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Requests that are out at once, to one broker: the most that keeps order.
const REQUESTS: u8 = 5;

/// The environment; the comments are the user's manual.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct KafkaConfig {
    /// How to connect.
    #[serde(flatten)]
    pub connection: Connection,
    /// Topic that events are written to.
    pub topic: String,
    /// Whether the value of a record is the data alone; else it is the event as JSON.
    #[serde(default)]
    pub discard_ce_context: Flag,
    /// Mode of the CloudEvents binding for Kafka: `binary` (attributes as headers, the data as value) or `structured` (the
    /// event as JSON, and a header that says so). Unset, records are as the original image wrote them, without headers.
    pub content_mode: Option<ContentMode>,
    /// Attribute or extension that is the key of a record, such as `partitionkey` or `subject`; an event without it has no
    /// key. `none`: no record has a key. Events with the same key go to the same partition.
    #[serde(default = "id")]
    pub record_key: RecordKey,
    /// Whether an event without data becomes a tombstone: a record whose value is null, which makes a compacted topic
    /// forget the key. Where the value is the event as JSON, that is lost with it.
    #[serde(default)]
    pub tombstones: Flag,
    /// Whether the topic is made when there is none.
    #[serde(default = "yes")]
    pub create_missing_topic: Flag,
    /// Partitions of a topic that is made.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub topic_partitions: i32,
    /// Copies of a topic that is made, each on a broker of its own.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 32767))]
    pub topic_replication_factor: i32,
    /// Milliseconds that making a topic may take.
    #[serde(default = "ten_thousand")]
    #[schemars(range(min = 1, max = 600_000))]
    pub create_topic_timeout_ms: u32,
    /// How long a record may take until the brokers have confirmed it; then the caller is told to try again.
    #[serde(default = "ten_seconds")]
    pub delivery_timeout: Duration,
    /// How long a record waits for others to be sent with it.
    #[serde(default = "linger")]
    pub linger: Duration,
    /// How records are compressed.
    #[serde(default)]
    pub compression: Compression,
    /// Whether the brokers drop what is sent twice by the client's own retries; without it a cluster needs no right to
    /// write idempotently.
    #[serde(default = "yes")]
    pub idempotent: Flag,
}

/// A mode of the binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ContentMode {
    Binary,
    Structured,
}

impl KafkaConfig {
    /// How records are written.
    pub fn writing(&self) -> Writing {
        Writing {
            connection: self.connection.clone(),
            client: env!("CARGO_PKG_NAME"),
            timeout: *self.delivery_timeout,
            linger: *self.linger,
            idempotent: self.idempotent.0,
            compression: self.compression,
            // That of the original's client, so that a key stays on its partition.
            partitioner: "fnv1a_random",
            requests: REQUESTS,
        }
    }
}

impl Config for KafkaConfig {
    fn validate(&self, problems: &mut Problems) {
        self.connection.validate(problems);
        if !kafka::is_topic(&self.topic) {
            problems.add("TOPIC", "must be a name of letters, digits, '.', '_' and '-', at most 249 of them");
        }
        if self.discard_ce_context.0 && self.content_mode.is_some() {
            problems.add("CONTENT_MODE", "must not be set: DISCARD_CE_CONTEXT is true");
        }
        if !(1000..=600_000).contains(&self.delivery_timeout.as_millis()) {
            problems.add("DELIVERY_TIMEOUT", "must be from 1s to 10m");
        }
        if *self.linger >= *self.delivery_timeout {
            problems.add("LINGER", "must be shorter than DELIVERY_TIMEOUT");
        }
    }
}

fn id() -> RecordKey {
    RecordKey::of("id")
}

fn yes() -> Flag {
    Flag(true)
}

fn one() -> i32 {
    1
}

fn ten_thousand() -> u32 {
    10_000
}

fn ten_seconds() -> Duration {
    Duration::seconds(10)
}

fn linger() -> Duration {
    Duration(std::time::Duration::from_millis(2))
}
