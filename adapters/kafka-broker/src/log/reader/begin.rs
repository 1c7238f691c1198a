//! Records for the engine, and where a partition begins.
//!
//! Positions of a new group are stored for all partitions at once, by the one member that has partition 0: so it is either
//! known of all of them where they begin, or of none, and no two members decide.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use common::Error;
use kafka::{
    CALL,
    binding::texts,
    consumer::{Feed, Member, is_position},
};
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{CommitMode, Consumer as _},
    error::{KafkaError, KafkaResult},
    message::{BorrowedMessage, Message as _},
};

use super::Start;
use crate::log::{HOPS, TRACE};

/// Memory that a record takes beside its value, about.
const OVERHEAD: usize = 128;

/// A record.
#[derive(Debug)]
pub struct Found {
    pub offset: i64,
    /// In milliseconds.
    pub time: Option<i64>,
    pub value: Bytes,
    pub hops: u32,
    pub trace: Option<String>,
}

/// What becomes of the records of a trigger.
pub struct Records {
    pub topic: String,
    pub group: String,
    pub start: Start,
}

impl Feed for Records {
    type Item = Found;

    fn item(&self, message: &BorrowedMessage<'_>) -> Result<Found, Error> {
        let headers = message.headers().map(texts).unwrap_or_default();
        let header = |wanted: &str| headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        Ok(Found {
            offset: message.offset(),
            time: message.timestamp().to_millis(),
            value: Bytes::copy_from_slice(message.payload().unwrap_or_default()),
            hops: header(HOPS).and_then(|hops| hops.parse().ok()).unwrap_or_default(),
            trace: header(TRACE).map(str::to_owned),
        })
    }

    fn bytes(found: &Found) -> usize {
        found.value.len() + OVERHEAD
    }

    fn begin(
        &self,
        member: &Member,
        partitions: &[i32],
        begun: &BTreeSet<i32>,
    ) -> KafkaResult<TopicPartitionList> {
        let all = self.all(member)?;
        let committed = member.committed_offsets(all.clone(), CALL)?;
        let mut known: BTreeMap<i32, i64> = BTreeMap::new();
        for element in committed.elements() {
            if let Offset::Offset(offset) = element.offset() {
                known.insert(element.partition(), offset);
            }
        }
        // A topic that was made anew has no positions either: nothing of it was read.
        if known.is_empty() && begun.is_empty() && !partitions.is_empty() {
            if !partitions.contains(&0) {
                return Err(KafkaError::Subscription("the group has no positions yet".to_owned()));
            }
            known = self.starts(member, &all)?;
            let mut starts = TopicPartitionList::new();
            for (partition, offset) in &known {
                starts.add_partition_offset(&self.topic, *partition, Offset::Offset(*offset))?;
            }
            member.commit(&starts, CommitMode::Sync)?;
            tracing::info!(group = self.group, "a consumer group was made");
        }
        let mut begins = TopicPartitionList::new();
        for partition in partitions {
            // A partition that the topic got later is read from its beginning.
            let offset = known.get(partition).map_or(Offset::Beginning, |offset| Offset::Offset(*offset));
            self.tell_of_gap(member, *partition, offset)?;
            begins.add_partition_offset(&self.topic, *partition, offset)?;
        }
        Ok(begins)
    }
}

impl Records {
    fn all(&self, member: &Member) -> KafkaResult<TopicPartitionList> {
        let count = kafka::partitions(member.client(), &self.topic, CALL)?.unwrap_or_default();
        let mut all = TopicPartitionList::new();
        for partition in 0..i32::try_from(count).unwrap_or(i32::MAX) {
            all.add_partition(&self.topic, partition);
        }
        Ok(all)
    }

    /// Where a new group begins.
    fn starts(&self, member: &Member, all: &TopicPartitionList) -> KafkaResult<BTreeMap<i32, i64>> {
        let mut times = BTreeMap::new();
        if let Start::Time(time) = self.start {
            let mut asked = TopicPartitionList::new();
            for element in all.elements() {
                asked.add_partition_offset(&self.topic, element.partition(), Offset::Offset(time.max(0)))?;
            }
            for element in member.offsets_for_times(asked, CALL)?.elements() {
                if let Offset::Offset(offset) = element.offset() {
                    times.insert(element.partition(), offset);
                }
            }
        }
        let mut starts = BTreeMap::new();
        for element in all.elements() {
            let partition = element.partition();
            let (low, high) = member.fetch_watermarks(&self.topic, partition, CALL)?;
            let start = match self.start {
                Start::Latest => high,
                Start::Offset(offset) => offset.clamp(low, high),
                // Nothing is as late as that.
                Start::Time(_) => times.get(&partition).copied().unwrap_or(high),
            };
            starts.insert(partition, start);
        }
        Ok(starts)
    }

    /// Says how many events the topic no longer has that the trigger was to get.
    fn tell_of_gap(&self, member: &Member, partition: i32, offset: Offset) -> KafkaResult<()> {
        if !is_position(offset) {
            return Ok(());
        }
        let (low, _) = member.fetch_watermarks(&self.topic, partition, CALL)?;
        if let Offset::Offset(offset) = offset
            && offset < low
        {
            tracing::error!(
                lost = true,
                group = self.group,
                partition,
                records = low - offset,
                "the topic has dropped records that were not delivered: its retention is too short"
            );
        }
        Ok(())
    }
}
