//! A partition that is read: a queue of its own, drained when there is room.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use common::Error;
use rdkafka::{consumer::base_consumer::PartitionQueue, message::BorrowedMessage};
use tokio::sync::Notify;

use super::{Context, Feed, Member, Shared};
use crate::Watch;

/// What one read gives is not much more than this, in bytes, so that a reader knows soon that it is full.
const READ: usize = 128 << 10;

/// The queue of an assigned partition, which is taken out when the partition is another's. A reader may go later than that,
/// and the end of a queue would silence the next one, which is the same to librdkafka.
pub(super) type Slot = Mutex<Option<PartitionQueue<Context>>>;

/// An assigned partition.
pub struct Partition<F: Feed> {
    /// Its number in the topic.
    pub number: i32,
    feed: Arc<F>,
    watch: Watch,
    queue: Arc<Slot>,
    /// Something has come into the queue.
    filled: Arc<Notify>,
    /// Records that came before the queue was split from the others.
    early: Mutex<VecDeque<F::Item>>,
    /// A record of which nothing can be made: nothing after it is read.
    broken: OnceLock<Error>,
}

impl<F: Feed> Partition<F> {
    /// Splits the partition's queue from that of the client; `None` when it is not assigned.
    pub(super) fn split(shared: &Shared<F>, member: &Arc<Member>, number: i32) -> Option<Self> {
        let mut queue = member.split_partition_queue(&shared.group.topic, number)?;
        let filled = shared.group.filled.clone().unwrap_or_default();
        let filling = Arc::clone(&filled);
        queue.set_nonempty_callback(move || filling.notify_one());
        // What had come before the callback was set.
        filled.notify_one();
        Some(Self {
            number,
            feed: Arc::clone(&shared.feed),
            watch: shared.watch.clone(),
            queue: Arc::new(Mutex::new(Some(queue))),
            filled,
            early: Mutex::default(),
            broken: OnceLock::new(),
        })
    }

    /// Where its queue is.
    pub(super) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.queue)
    }

    /// A record that came by the client's own queue, before any of this one.
    pub(super) fn put_early(&self, message: &BorrowedMessage<'_>) {
        // Of one of which nothing can be made nothing is kept: it is read again after the next assignment.
        if let Ok(item) = self.feed.item(message) {
            self.early.lock().unwrap_or_else(PoisonError::into_inner).push_back(item);
            self.filled.notify_one();
        }
    }

    /// Waits for at least one record and gives at most `max`. Nothing is lost when the future is dropped: between taking
    /// records out and giving them there is no waiting.
    ///
    /// # Errors
    /// When the partition cannot be read, or nothing can be made of the next record.
    pub async fn read(&self, max: usize) -> Result<Vec<F::Item>, Error> {
        loop {
            let items = self.take(max)?;
            if !items.is_empty() {
                return Ok(items);
            }
            self.filled.notified().await;
        }
    }

    /// What is there, at most `max`.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn take(&self, max: usize) -> Result<Vec<F::Item>, Error> {
        let mut items: Vec<_> = self.early.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect();
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = &*queue else { return Ok(items) };
        let mut bytes = 0;
        while items.len() < max && bytes < READ && self.broken.get().is_none() {
            match queue.poll(Duration::ZERO) {
                Some(Ok(message)) => match self.feed.item(&message) {
                    Ok(item) => {
                        bytes += F::bytes(&item);
                        items.push(item);
                    }
                    Err(error) => drop(self.broken.set(error)),
                },
                // What it says will be said again, if it is still so.
                Some(Err(error)) if items.is_empty() => {
                    self.filled.notify_one();
                    return Err(crate::error("reading TOPIC", error, &self.watch));
                }
                Some(Err(_)) => break,
                None => return Ok(items),
            }
        }
        // There may be more, of which nobody tells a second time.
        self.filled.notify_one();
        match self.broken.get() {
            Some(error) if items.is_empty() => Err(error.clone()),
            _ => Ok(items),
        }
    }
}
