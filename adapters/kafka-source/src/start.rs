//! Where a partition begins.

use std::{collections::BTreeSet, time::Duration};

use common::Error;
use kafka::{
    CALL, Watch,
    consumer::{Context, Group, committed, is_position, partitions_of},
};
use rdkafka::{
    Offset, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext},
    error::KafkaResult,
};

use crate::config::StartPosition;

/// More than librdkafka has to say about one connection.
const TOLD: usize = 100;

/// What is known of topic and group from before this process joined: what partitions there were, and whether the group had
/// begun. With it, a partition without a position is either one that a new group begins at the latest record, or one that
/// the topic got later, of which nothing may be left out.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    partitions: usize,
    at_latest: bool,
}

impl Start {
    /// Asks the brokers. Blocks.
    ///
    /// # Errors
    /// When they cannot be reached or refuse; the message names the setting.
    pub fn ask(group: &Group, position: StartPosition, watch: &Watch) -> Result<Self, Error> {
        let client = BaseConsumer::from_config_and_context(&group.base(), Context::new(watch.clone()))
            .map_err(|error| kafka::error("making a consumer", error, watch))?;
        let asked = partitions_of(&client, &group.topic, CALL)
            .and_then(|partitions| Ok((partitions, committed(&client, &group.topic, partitions, CALL)?)));
        // Why a connection could not be made is only told to who polls.
        for _ in 0..TOLD {
            let _ = client.poll(Duration::ZERO);
        }
        let (partitions, committed) = asked.map_err(|doubt| doubt.explain(watch))?;
        let is_new = !committed.elements().iter().any(|element| is_position(element.offset()));
        Ok(Self { partitions, at_latest: is_new && position == StartPosition::Latest })
    }

    /// How many partitions there were.
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    /// The offsets at which these partitions begin. Those of a new group are stored before it reads, so that it begins
    /// there again whatever happens. What this process has `begun` before and has no position any more is a topic that was
    /// made anew: it is read from its beginning. Blocks.
    ///
    /// # Errors
    /// When the brokers do not answer.
    pub fn offsets<C: ConsumerContext>(
        &self,
        client: &BaseConsumer<C>,
        topic: &str,
        partitions: &[i32],
        begun: &BTreeSet<i32>,
    ) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(topic, *partition);
        }
        if partitions.is_empty() {
            return Ok(list);
        }
        let committed = client.committed_offsets(list, CALL)?;
        let (mut offsets, mut latest) = (TopicPartitionList::new(), TopicPartitionList::new());
        for element in committed.elements() {
            let partition = element.partition();
            let is_old = usize::try_from(partition).is_ok_and(|number| number < self.partitions)
                && !begun.contains(&partition);
            let offset = match element.offset() {
                offset if is_position(offset) => offset,
                _ if self.at_latest && is_old => {
                    let (_, end) = client.fetch_watermarks(topic, partition, CALL)?;
                    latest.add_partition_offset(topic, partition, Offset::Offset(end))?;
                    Offset::Offset(end)
                }
                _ => Offset::Beginning,
            };
            offsets.add_partition_offset(topic, partition, offset)?;
        }
        if latest.count() > 0 {
            client.commit(&latest, CommitMode::Sync)?;
        }
        Ok(offsets)
    }
}
