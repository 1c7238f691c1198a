//! Records for the engine, and where a partition begins.
//!
//! Positions of a new group are stored for all partitions at once, by the one member that has partition 0: so it is either
//! known of all of them where they begin, or of none, and no two members decide.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use common::{Error, worker};
use kafka::{
    CALL, Watch,
    binding::texts,
    consumer::{Context, Feed, Group, Member, committed, is_position, partitions_of},
};
use rdkafka::{
    Offset, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, CommitMode, Consumer as _},
    error::{KafkaError, KafkaResult},
    message::{BorrowedMessage, Message as _},
};

use super::{Start, reached::Reached};
use crate::log::{HOPS, TRACE};

/// How long a new group may take to get its positions, before that is said.
const FIRST: Duration = Duration::from_secs(30);
/// Between two looks at them.
const AGAIN: Duration = Duration::from_millis(100);
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
    pub reached: Arc<Reached>,
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
        _begun: &BTreeSet<i32>,
    ) -> KafkaResult<TopicPartitionList> {
        let all = self.all(member)?;
        let committed = member.committed_offsets(all.clone(), CALL)?;
        let mut known: BTreeMap<i32, i64> = BTreeMap::new();
        for element in committed.elements() {
            if let Offset::Offset(offset) = element.offset() {
                known.insert(element.partition(), offset);
            }
        }
        if known.is_empty() && !partitions.is_empty() {
            if !partitions.contains(&0) {
                return Err(KafkaError::Subscription("the group has no positions yet".to_owned()));
            }
            // A topic that was made anew has no positions either: nothing of it was read.
            let start = if self.reached.is_placed() { Start::Offset(0) } else { self.start };
            known = self.starts(member, &all, start)?;
            let mut starts = TopicPartitionList::new();
            for (partition, offset) in &known {
                starts.add_partition_offset(&self.topic, *partition, Offset::Offset(*offset))?;
            }
            member.commit(&starts, CommitMode::Sync)?;
            tracing::info!(group = self.group, "a consumer group was made");
        }
        self.reached.set_placed();
        let mut begins = TopicPartitionList::new();
        for partition in partitions {
            // A partition that the topic got later is read from its beginning.
            let offset = known.get(partition).copied();
            self.begins(member, *partition, offset)?;
            let offset = offset.map_or(Offset::Beginning, Offset::Offset);
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
    fn starts(
        &self,
        member: &Member,
        all: &TopicPartitionList,
        start: Start,
    ) -> KafkaResult<BTreeMap<i32, i64>> {
        let mut times = BTreeMap::new();
        if let Start::Time(time) = start {
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
            let start = match start {
                Start::Latest => high,
                Start::Offset(offset) => offset.clamp(low, high),
                // Nothing is as late as that.
                Start::Time(_) => times.get(&partition).copied().unwrap_or(high),
            };
            starts.insert(partition, start);
        }
        Ok(starts)
    }

    /// Notes where a partition begins, and how many records the topic no longer has that the trigger was to get.
    fn begins(&self, member: &Member, partition: i32, offset: Option<i64>) -> KafkaResult<()> {
        let (low, high) = member.fetch_watermarks(&self.topic, partition, CALL)?;
        let begin = match offset {
            Some(offset) if offset < low => {
                let (group, records) = (&self.group, low - offset);
                tracing::warn!(
                    group,
                    partition,
                    records,
                    "the topic dropped records: its retention is too short"
                );
                self.reached.lose(records);
                Some(low)
            }
            // One of another topic, perhaps.
            Some(offset) if offset > high => None,
            Some(offset) => Some(offset),
            None => Some(low),
        };
        self.reached.begins(partition, begin);
        Ok(())
    }
}

/// Waits until a group has its positions.
pub async fn has_place(group: &Group, watch: &Watch) -> Result<(), Error> {
    let client = BaseConsumer::from_config_and_context(&group.base(), Context::new(watch.clone()));
    let client = client.map_err(|error| kafka::error("making a consumer", error, watch))?;
    let client: Arc<BaseConsumer<Context>> = Arc::new(client);
    let begun = Instant::now();
    while begun.elapsed() < FIRST {
        let (client, topic, watch) = (Arc::clone(&client), group.topic.clone(), watch.clone());
        let asked = kafka::blocking(move || {
            let positions = partitions_of(&client, &topic, CALL)
                .and_then(|count| committed(&client, &topic, count, CALL))
                .map_err(|doubt| doubt.explain(&watch))?;
            Ok(positions.elements().iter().any(|element| is_position(element.offset())))
        });
        if asked.await? {
            return Ok(());
        }
        worker::sleep(AGAIN).await;
    }
    Err(Error::retryable("waiting for the first positions of the consumer group"))
}
