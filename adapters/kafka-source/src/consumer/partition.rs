//! A partition that is read: a queue of its own, drained when a lane has room.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use common::{Error, Event, Record};
use kafka::Watch;
use rdkafka::{
    consumer::base_consumer::PartitionQueue,
    message::{BorrowedMessage, Message as _},
};
use tokio::sync::Notify;

use super::{Client, Context};
use crate::event::Events;

/// What one read gives is not much more than this, in bytes, so that a lane knows soon that it is full.
const READ: usize = 128 << 10;
/// Memory that a record takes beside its bytes, about.
const OVERHEAD: usize = 512;

/// The queue of an assigned partition, which is taken out when the partition is another's. A lane may go later than that,
/// and the end of a queue would silence the next one, which is the same to librdkafka.
pub type Slot = Mutex<Option<PartitionQueue<Context>>>;

/// An assigned partition.
pub struct Partition {
    /// Its number in the topic.
    pub number: i32,
    queue: Arc<Slot>,
    /// Something has come into the queue.
    filled: Arc<Notify>,
    /// Records that came before the queue was split from the others.
    early: Mutex<VecDeque<Record<i64>>>,
    /// A record of which no event can be made: nothing after it is read.
    broken: OnceLock<Error>,
}

impl Partition {
    /// Splits the partition's queue from that of the client; `None` when it is not assigned.
    pub fn split(client: &Arc<Client>, topic: &str, number: i32) -> Option<Self> {
        let mut queue = client.split_partition_queue(topic, number)?;
        let filled = Arc::new(Notify::new());
        let filling = Arc::clone(&filled);
        queue.set_nonempty_callback(move || filling.notify_one());
        // What had come before the callback was set.
        filled.notify_one();
        let queue = Arc::new(Mutex::new(Some(queue)));
        Some(Self { number, queue, filled, early: Mutex::default(), broken: OnceLock::new() })
    }

    /// Where its queue is.
    pub fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.queue)
    }

    /// A record that came by the client's own queue, before any of this one.
    pub fn put_early(&self, record: Record<i64>) {
        self.early.lock().unwrap_or_else(PoisonError::into_inner).push_back(record);
        self.filled.notify_one();
    }

    /// Waits for at least one record and gives at most `max`. Nothing is lost when the future is dropped: between taking
    /// records out and giving them there is no waiting.
    pub async fn read(&self, max: usize, events: &Events, watch: &Watch) -> Result<Vec<Record<i64>>, Error> {
        loop {
            let records = self.drain(max, events, watch)?;
            if !records.is_empty() {
                return Ok(records);
            }
            self.filled.notified().await;
        }
    }

    fn drain(&self, max: usize, events: &Events, watch: &Watch) -> Result<Vec<Record<i64>>, Error> {
        let mut records: Vec<_> =
            self.early.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = &*queue else { return Ok(records) };
        let mut bytes = 0;
        while records.len() < max && bytes < READ && self.broken.get().is_none() {
            match queue.poll(Duration::ZERO) {
                Some(Ok(message)) => match record(&message, events) {
                    Ok(record) => {
                        bytes += record.bytes;
                        records.push(record);
                    }
                    Err(error) => drop(self.broken.set(error)),
                },
                // What it says will be said again, if it is still so.
                Some(Err(error)) if records.is_empty() => {
                    self.filled.notify_one();
                    return Err(kafka::error("reading TOPIC", error, watch));
                }
                Some(Err(_)) => break,
                None => return Ok(records),
            }
        }
        // There may be more, of which nobody tells a second time.
        self.filled.notify_one();
        match self.broken.get() {
            Some(error) if records.is_empty() => Err(error.clone()),
            _ => Ok(records),
        }
    }
}

/// The record for the frame.
pub fn record(message: &BorrowedMessage<'_>, events: &Events) -> Result<Record<i64>, Error> {
    let event = events
        .of(message)
        .map_err(|error| Error::retryable("making an event of a record").caused_by(error))?;
    Ok(Record {
        position: message.offset(),
        key: message.key().map(Bytes::copy_from_slice),
        bytes: event.size() + OVERHEAD,
        events: Vec::<Event>::from([event]),
    })
}
