//! Whether topic and group can be used.

use std::time::Duration;

use common::Error;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer as _, ConsumerContext},
    error::KafkaError,
};

use crate::Watch;

/// How long one question may take while partitions are read.
const PROBE: Duration = Duration::from_millis(1500);

/// What stands in the way.
#[derive(Debug)]
pub enum Doubt {
    /// There is no topic.
    NoTopic,
    /// Something else about it.
    Topic(KafkaError),
    /// Something about the group.
    Group(KafkaError),
}

impl Doubt {
    /// In terms of the frame, naming the setting.
    #[must_use]
    pub fn explain(self, watch: &Watch) -> Error {
        match self {
            Self::NoTopic => Error::retryable(watch.named("looking for TOPIC: TOPIC does not exist")),
            Self::Topic(error) => crate::error("looking for TOPIC", error, watch),
            Self::Group(error) => crate::error("reading the positions of GROUP_ID", error, watch),
        }
    }
}

/// Whether topic and group can be used. Blocks for a short time: the thread that asks has more to do.
pub(super) fn probe<C: ConsumerContext>(client: &BaseConsumer<C>, topic: &str) -> Result<(), Doubt> {
    let partitions = partitions_of(client, topic, PROBE)?;
    committed(client, topic, partitions, PROBE).map(drop)
}

/// How many partitions a topic has. Blocks.
///
/// # Errors
/// When there is none, or no answer.
pub fn partitions_of<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    time: Duration,
) -> Result<usize, Doubt> {
    crate::partitions(client.client(), topic, time).map_err(Doubt::Topic)?.ok_or(Doubt::NoTopic)
}

/// The positions of the group. Blocks.
///
/// # Errors
/// When there is no answer.
pub fn committed<C: ConsumerContext>(
    client: &BaseConsumer<C>,
    topic: &str,
    partitions: usize,
    time: Duration,
) -> Result<TopicPartitionList, Doubt> {
    let mut list = TopicPartitionList::new();
    for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
        list.add_partition(topic, partition);
    }
    client.committed_offsets(list, time).map_err(Doubt::Group)
}

/// Whether an offset is a place in a partition.
#[must_use]
pub fn is_position(offset: Offset) -> bool {
    matches!(offset, Offset::Offset(_))
}
