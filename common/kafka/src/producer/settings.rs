//! How records are written, and what librdkafka is told of that
//! (<https://github.com/confluentinc/librdkafka/blob/v2.12.1/CONFIGURATION.md>).

use std::time::Duration;

use rdkafka::{
    config::{ClientConfig, FromClientConfigAndContext as _},
    error::KafkaError,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Client;
use crate::{Connection, Watch};

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
    pub compression: Compression,
    /// How a key becomes a partition.
    pub partitioner: &'static str,
    /// Requests that are out at once, to one broker; fewer make larger ones.
    pub requests: u8,
}

/// A codec of Kafka's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Compression {
    #[default]
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl Compression {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// Bytes of records that may wait to be sent, in KiB; the frame's own limit is reached before.
const QUEUE_KBYTES: &str = "98304";

/// How long the first record of several waits for the others, in ms. They come one right after the other, unless the machine has
/// something else to do in between.
const TOGETHER: &str = "20";

/// Which producer.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Usual,
    /// Each record is a batch.
    Alone,
    /// Records that come together are one batch for each partition.
    Together,
}

/// Makes a producer.
pub(super) fn make(writing: &Writing, watch: &Watch, kind: Kind) -> Result<Client, KafkaError> {
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
        .set("compression.codec", writing.compression.name())
        // How large a record may be is the topic's to say.
        .set("message.max.bytes", "1000000000")
        .set("queue.buffering.max.kbytes", QUEUE_KBYTES)
        .set("topic.metadata.refresh.interval.ms", "60000");
    match kind {
        Kind::Alone => settings.set("batch.num.messages", "1").set("linger.ms", "0"),
        Kind::Together => settings.set("linger.ms", TOGETHER),
        Kind::Usual => {
            let linger = writing.linger.as_secs_f64() * 1000.0;
            settings.set("linger.ms", format!("{linger:.1}"))
        }
    };
    Client::from_config_and_context(&settings, watch.clone())
}
