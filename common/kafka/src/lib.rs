//! What the adapters of Apache Kafka share: connection settings, the CloudEvents binding, the table of errors.
//!
//! The client is librdkafka: <https://docs.confluent.io/platform/current/clients/librdkafka/html/md_INTRODUCTION.html>. Its
//! calls that wait for a broker block their thread: [`blocking`] takes them off the runtime.

pub mod binding;
mod connection;
pub mod consumer;
mod failure;
mod manifest;
pub mod producer;
pub mod topic;
mod watch;

use std::time::Duration;

use common::Error;
use rdkafka::{
    client::{Client, ClientContext},
    error::{KafkaError, RDKafkaErrorCode},
};

pub use connection::{Brokers, Connection, Mechanism};
pub use failure::{error, meaning};
pub use manifest::fields;
pub use watch::{Trouble, Watch};

/// How long one question to the brokers may take.
pub const CALL: Duration = Duration::from_secs(5);

/// Runs a call that blocks on a thread where that hurts nobody.
///
/// # Errors
/// Those of the call, or that it went down.
pub async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(call).await;
    done.unwrap_or_else(|error| Err(Error::retryable("calling librdkafka").caused_by(error)))
}

/// How many partitions a topic has; `None` when there is no such topic. Blocks for so long at most.
///
/// # Errors
/// When no broker answers, or it refuses to.
pub fn partitions<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    time: Duration,
) -> Result<Option<usize>, KafkaError> {
    let metadata = client.fetch_metadata(Some(topic), time)?;
    let Some(found) = metadata.topics().first() else { return Ok(None) };
    match found.error().map(RDKafkaErrorCode::from) {
        None => Ok(Some(found.partitions().len()).filter(|count| *count > 0)),
        Some(RDKafkaErrorCode::UnknownTopic | RDKafkaErrorCode::UnknownTopicOrPartition) => Ok(None),
        Some(code) => Err(KafkaError::MetadataFetch(code)),
    }
}

/// Whether a topic may have this name.
#[must_use]
pub fn is_topic(name: &str) -> bool {
    (1..=249).contains(&name.len())
        && !matches!(name, "." | "..")
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}
