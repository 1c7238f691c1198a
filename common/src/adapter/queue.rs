//! A source that takes messages from a queue and acknowledges each (SQS, Pub/Sub, Service Bus, RabbitMQ, MQ).

use std::{future::Future, time::Duration};

use crate::{Adapter, Error, Event, Text};

/// A queue whose messages are leased: received, hidden from others for a while, and gone once they are acknowledged.
///
/// The frame receives, delivers with many messages out at once, acknowledges in batches and only what the sink has
/// accepted, keeps messages hidden while the sink is slow, keeps the order within a group, and hands back what it could
/// not deliver. A message that the sink refuses for good is hidden for a growing time (30 s doubled up to 15 min), so
/// that the queue's own redrive policy decides about it.
pub trait QueueSource: Adapter {
    /// By which a received message is acknowledged.
    type Receipt: Clone + Send + Sync + 'static;

    /// What the queue allows.
    fn limits(&self) -> QueueLimits;

    /// Told once, before the first contact, what may be in flight: for a client that reads ahead, so that it does not take
    /// much more.
    fn in_flight(&self, messages: usize, bytes: usize) {
        let _ = (messages, bytes);
    }

    /// Waits for messages and takes at most `max` of them; none when the queue's own long poll has run out. The future is
    /// dropped when the process is asked to stop: what it had received by then must come again by itself.
    fn receive(&self, max: usize) -> impl Future<Output = Result<Vec<Message<Self::Receipt>>, Error>> + Send;

    /// Acknowledges messages, at most [`QueueLimits::acknowledge_batch`] of them, with one result each, in their order. A
    /// permanent error says that the receipt is no longer valid, so that the message comes again.
    fn acknowledge(&self, receipts: &[Self::Receipt]) -> impl Future<Output = Vec<Result<(), Error>>> + Send;

    /// Keeps messages hidden for another [`QueueLimits::lease`] from now, with one result each. A permanent error says
    /// that the lease is lost. Called only where there is a lease.
    fn extend(&self, receipts: &[Self::Receipt]) -> impl Future<Output = Vec<Result<(), Error>>> + Send {
        std::future::ready(receipts.iter().map(|_| Ok(())).collect())
    }

    /// Hands messages back, in this order, to be received again after that time. What fails here comes back when its
    /// lease ends.
    fn release(&self, receipts: &[Self::Receipt], after: Duration) -> impl Future<Output = ()> + Send;

    /// Called once at the end, when all was acknowledged or handed back, and given a few seconds: for a client that does
    /// both later than it is told to, or that has received more than it was asked for.
    fn close(&self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// What a queue allows, and how the frame uses it.
#[derive(Debug, Clone)]
pub struct QueueLimits {
    /// Calls of `receive` that may be out at once; all but one rest while the queue is not full.
    pub receivers: usize,
    /// Most messages that one call of `receive` gives.
    pub receive_batch: usize,
    /// Most receipts that one call of `acknowledge`, `extend` or `release` takes.
    pub acknowledge_batch: usize,
    /// How long a received message stays hidden; `None` where the client library keeps it so by itself.
    pub lease: Option<Duration>,
    /// Messages in flight when `MAX_IN_FLIGHT` is not set.
    pub in_flight: usize,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { receivers: 3, receive_batch: 10, acknowledge_batch: 10, lease: None, in_flight: 100 }
    }
}

/// A message as it was received.
#[derive(Debug)]
pub struct Message<R> {
    /// What the queue calls it: for logs and dead letters.
    pub name: Text,
    /// What becomes of it; delivered in order, and all must be accepted. None: there is nothing to say, and it is
    /// acknowledged.
    pub events: Vec<Event>,
    /// By which it is acknowledged.
    pub receipt: R,
    /// Messages of one group are delivered one after the other, in the order in which they were received.
    pub group: Option<Text>,
    /// How often it was received, this time included, where the queue says so.
    pub receives: Option<u32>,
    /// Its size in memory, in bytes.
    pub bytes: usize,
}
