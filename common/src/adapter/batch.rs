//! A target whose outside system takes many entries with one call (SQS, Event Hubs, Kinesis).

use std::future::Future;

use crate::{
    Adapter, Error, Event,
    adapter::{Context, Reply},
};

/// Takes events out in batches, while each caller gets the answer for its own event.
///
/// At most [`BatchLimits::calls`] calls are out. While one is free an event leaves at once; else events collect, and leave
/// together when a call returns.
pub trait BatchTarget: Adapter {
    /// An event in the form in which it is sent.
    type Entry: Send + 'static;

    /// What one call takes.
    fn limits(&self) -> BatchLimits;

    /// Makes an entry. One that cannot be made fails alone.
    ///
    /// # Errors
    /// When the event cannot be sent.
    fn convert(&self, event: Event, context: &Context) -> Result<Self::Entry, Error>;

    /// The size of an entry as the outside system counts it, in bytes.
    fn size(&self, entry: &Self::Entry) -> usize;

    /// Sends entries with one call; one result each, in their order.
    fn handle(&self, entries: Vec<Self::Entry>) -> impl Future<Output = Vec<Result<Reply, Error>>> + Send;
}

/// What one call takes.
#[derive(Debug, Clone, Copy)]
pub struct BatchLimits {
    /// Most entries.
    pub entries: usize,
    /// Most bytes of all entries together; a larger entry is sent alone.
    pub bytes: usize,
    /// Calls that may be out at once.
    pub calls: usize,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { entries: 10, bytes: 256 << 10, calls: 2 }
    }
}
