//! What is known of the topic of the dead letters: where each of them stands. It is read from its beginning once, and from
//! then on only what is new; events are fetched when they are shown.

use std::{
    collections::BTreeMap,
    ops::Bound,
    time::{Duration, Instant},
};

use broker::dlq::Dead;
use bytes::Bytes;
use common::{Error, Text, event::json};
use kafka::{CALL, Connection, Watch, consumer::Context};
use rdkafka::{
    Offset, TopicPartitionList,
    config::FromClientConfigAndContext as _,
    consumer::{BaseConsumer, Consumer as _},
    error::{KafkaError, KafkaResult},
    message::{BorrowedMessage, Message as _},
};

use super::id::Id;

/// How long one question may take; what was read by then is known at the next.
const PATIENCE: Duration = Duration::from_secs(20);
/// Events that one page holds, in bytes; a page has one at least.
const PAGE_BYTES: usize = 8 << 20;
/// After which nobody asks any more.
const IDLE: Duration = Duration::from_secs(300);

/// The index.
pub struct Index {
    client: BaseConsumer<Context>,
    topic: String,
    watch: Watch,
    /// Offsets of those that are not removed.
    live: BTreeMap<Id, i64>,
    /// The first offset that is not known.
    next: i64,
    asked: Instant,
    is_unreachable: bool,
}

impl Index {
    /// Of a topic; nothing is read yet.
    pub fn new(connection: &Connection, topic: &str, watch: Watch) -> Result<Self, Error> {
        let mut settings = connection.client_config(env!("CARGO_PKG_NAME"));
        settings
            // There is no group: nothing is committed.
            .set("group.id", "none")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("queued.max.messages.kbytes", "4096")
            .set("fetch.message.max.bytes", "1048576");
        let client = BaseConsumer::from_config_and_context(&settings, Context::new(watch.clone()))
            .map_err(|error| kafka::error("making a consumer", error, &watch))?;
        let topic = topic.to_owned();
        Ok(Self {
            client,
            topic,
            watch,
            live: BTreeMap::new(),
            next: 0,
            asked: Instant::now(),
            is_unreachable: false,
        })
    }

    /// Whether nobody has asked for a while.
    pub fn is_idle(&self) -> bool {
        self.asked.elapsed() > IDLE
    }

    /// Whether the brokers did not say how much there is, the last time that they were asked.
    pub fn is_unreachable(&self) -> bool {
        self.is_unreachable
    }

    /// Reads what is new. Blocks.
    pub fn update(&mut self) -> Result<(), Error> {
        self.asked = Instant::now();
        let ends = self.client.fetch_watermarks(&self.topic, 0, CALL);
        self.is_unreachable = ends.is_err();
        let (low, high) = ends.map_err(|error| self.failed(error))?;
        if high < self.next {
            // Another topic under this name.
            self.live.clear();
            self.next = 0;
        }
        if self.next.max(low) >= high {
            return Ok(());
        }
        let mut found = Vec::new();
        let mut next = self.next;
        let read = self.read(self.next.max(low), |message| {
            let id = message.key().and_then(|key| std::str::from_utf8(key).ok()?.parse::<Id>().ok());
            next = message.offset() + 1;
            // What is none of ours is not listed.
            found.extend(id.map(|id| (id, message.payload().map(|_| message.offset()))));
            next < high
        });
        for (id, offset) in found {
            match offset {
                Some(offset) => drop(self.live.insert(id, offset)),
                None => drop(self.live.remove(&id)),
            }
        }
        self.next = next;
        // Behind the last record there may be offsets that nothing stands at.
        if read? {
            self.next = high;
        }
        Ok(())
    }

    pub fn has(&self, id: Id) -> bool {
        self.live.contains_key(&id)
    }

    pub fn get(&mut self, id: Id) -> Result<Option<Dead>, Error> {
        let Some(offset) = self.live.get(&id).copied() else { return Ok(None) };
        Ok(self.fetch(&[(id, offset)])?.pop())
    }

    /// Those behind an id.
    pub fn page(&mut self, after: Option<Id>, limit: usize) -> Result<Vec<Dead>, Error> {
        let mut after = after.map_or(Bound::Unbounded, Bound::Excluded);
        loop {
            let wanted: Vec<_> = self
                .live
                .range((after, Bound::Unbounded))
                .take(limit)
                .map(|(id, offset)| (*id, *offset))
                .collect();
            let Some((last, _)) = wanted.last().copied() else { return Ok(Vec::new()) };
            let found = self.fetch(&wanted)?;
            if !found.is_empty() {
                return Ok(found);
            }
            // None of them is there any more, or an event: an empty page would be the last.
            after = Bound::Excluded(last);
        }
    }

    /// The events at some places, in the order of the ids, until they are too many for one page.
    fn fetch(&mut self, wanted: &[(Id, i64)]) -> Result<Vec<Dead>, Error> {
        let ids: BTreeMap<i64, Id> = wanted.iter().map(|(id, offset)| (*offset, *id)).collect();
        let (Some((first, _)), Some((last, _))) = (ids.first_key_value(), ids.last_key_value()) else {
            return Ok(Vec::new());
        };
        let (first, last) = (*first, *last);
        let mut values: BTreeMap<Id, Bytes> = BTreeMap::new();
        let (mut bytes, mut reached) = (0, first);
        self.read(first, |message| {
            reached = message.offset();
            if let Some(id) = ids.get(&message.offset())
                && let Some(payload) = message.payload()
            {
                bytes += payload.len();
                values.insert(*id, Bytes::copy_from_slice(payload));
            }
            message.offset() < last && bytes < PAGE_BYTES
        })?;
        let is_full = bytes >= PAGE_BYTES;
        let mut found = Vec::new();
        for (id, offset) in wanted {
            let Some(value) = values.remove(id) else {
                // It is removed, or the page is full: then the rest is for the next one.
                match is_full && *offset > reached {
                    true if found.is_empty() => return self.fetch(&[(*id, *offset)]),
                    true => break,
                    false => continue,
                }
            };
            // What is no event is not listed.
            if let Ok(event) = json::from_slice(value) {
                found.push(Dead { id: Text::from(id.to_string()), event });
            }
        }
        Ok(found)
    }

    /// Gives the records from an offset on for as long as they are wanted; true when there were no more.
    fn read(
        &self,
        from: i64,
        mut wants_more: impl FnMut(&BorrowedMessage<'_>) -> bool,
    ) -> Result<bool, Error> {
        let begun = Instant::now();
        let assign = || -> KafkaResult<()> {
            let mut place = TopicPartitionList::new();
            place.add_partition_offset(&self.topic, 0, Offset::Offset(from))?;
            self.client.assign(&place)
        };
        assign().map_err(|error| self.failed(error))?;
        let read = loop {
            match self.client.poll(Duration::from_millis(100)) {
                Some(Ok(message)) if wants_more(&message) => {}
                Some(Ok(_)) => break Ok(false),
                Some(Err(KafkaError::PartitionEOF(_))) => break Ok(true),
                Some(Err(error)) if begun.elapsed() >= PATIENCE => break Err(self.failed(error)),
                // It may pass.
                Some(Err(_)) | None => {}
            }
            if begun.elapsed() >= PATIENCE {
                break Err(Error::retryable("reading the dead letters: there are many; go on asking"));
            }
        };
        if let Err(error) = self.client.unassign() {
            tracing::debug!(%error, "the topic of the dead letters is still read");
        }
        read
    }

    fn failed(&self, error: KafkaError) -> Error {
        kafka::error("reading TOPIC", error, &self.watch)
    }
}
