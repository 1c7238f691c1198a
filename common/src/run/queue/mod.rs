//! Queue sources: receivers, deliveries in flight, leases and acknowledgements.

mod acks;
mod flight;
mod intake;
mod leases;
#[cfg(test)]
mod tests;

use std::{
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::Notify;

use self::{acks::Acks, flight::Groups, intake::Room, leases::Leases};
use super::{Frame, Shape};
use crate::{
    adapter::{QueueLimits, QueueSource},
    error::Error,
    health::Health,
    metrics::FrameMetrics,
    send::Sink,
    server::no_events,
    stop::{DRAIN, Stop},
    worker,
};

/// Bytes of messages in flight when `MAX_IN_FLIGHT_BYTES` is not set.
pub(super) const IN_FLIGHT_BYTES: usize = 16 << 20;
/// Kept of the time for the drain, to hand back what is not done.
const HAND_BACK: Duration = Duration::from_secs(3);

/// The `main` of a queue source.
#[must_use]
pub fn queue_source<Q: QueueSource>() -> ExitCode {
    super::run(Shape::<Q> {
        name: "queue-source",
        needs_sink: true,
        serves: false,
        keeps_positions: |_| false,
        prepare: |frame, adapter| {
            let (messages, bytes) = in_flight(frame, &adapter.limits());
            adapter.in_flight(messages, bytes);
        },
        events: |_, _| no_events(),
        work: |frame, adapter, stop| Box::pin(work(frame, adapter, stop)),
    })
}

/// What may be in flight: messages and bytes.
fn in_flight(frame: &Frame, limits: &QueueLimits) -> (usize, usize) {
    let messages = frame.config.max_in_flight.unwrap_or(limits.in_flight).max(1);
    (messages, frame.config.in_flight_bytes(IN_FLIGHT_BYTES))
}

/// All that receivers, deliveries and acknowledgements share.
struct Queue<Q: QueueSource> {
    adapter: Arc<Q>,
    limits: QueueLimits,
    sink: Arc<Sink>,
    health: Arc<Health>,
    metrics: Arc<FrameMetrics>,
    retry_after_max: Duration,
    stop: Stop,
    room: Room,
    leases: Leases<Q::Receipt>,
    groups: Groups<Q>,
    acks: Acks<Q::Receipt>,
    /// Wakes a receiver that rests.
    wanted: Notify,
}

async fn work<Q: QueueSource>(frame: Arc<Frame>, adapter: Arc<Q>, stop: Stop) -> Result<(), Error> {
    let Some(queue) = Queue::new(&frame, adapter, stop) else {
        return Err(Error::permanent("there is no sink"));
    };
    queue.run().await
}

impl<Q: QueueSource> Queue<Q> {
    fn new(frame: &Frame, adapter: Arc<Q>, stop: Stop) -> Option<Arc<Self>> {
        let limits = adapter.limits();
        let (count, bytes) = in_flight(frame, &limits);
        let limits = QueueLimits {
            receivers: limits.receivers.max(1),
            // A receiver waits until there is room for a batch: one slow message must not keep all others waiting.
            receive_batch: limits.receive_batch.clamp(1, (count / 2).max(1)),
            acknowledge_batch: limits.acknowledge_batch.max(1),
            ..limits
        };
        Some(Arc::new(Self {
            adapter,
            sink: frame.sink.clone()?,
            health: Arc::clone(&frame.health),
            metrics: Arc::clone(&frame.metrics),
            retry_after_max: *frame.config.retry_after_max,
            stop,
            room: Room::new(count, bytes),
            leases: Leases::new(limits.lease),
            groups: Groups::default(),
            acks: Acks::new(),
            wanted: Notify::new(),
            limits,
        }))
    }

    /// Works until the process is asked to stop and all that can be done in time is done.
    async fn run(self: Arc<Self>) -> Result<(), Error> {
        let receivers: Vec<_> =
            (0..self.limits.receivers).map(|index| worker::spawn(Arc::clone(&self).receive(index))).collect();
        let acknowledging = worker::spawn(Arc::clone(&self).acknowledge());
        let extending = worker::spawn(Arc::clone(&self).extend());
        for receiver in receivers {
            receiver.await.map_err(|error| Error::retryable("a receiver ended").caused_by(error))?;
        }
        let deadline = self.stop.deadline().unwrap_or_else(|| Instant::now() + DRAIN);
        if tokio::time::timeout_at((deadline - HAND_BACK).into(), self.room.is_empty()).await.is_err() {
            self.hand_back().await;
        }
        self.acks.close();
        let acknowledged = tokio::time::timeout_at(deadline.into(), acknowledging).await;
        extending.abort();
        if tokio::time::timeout(HAND_BACK, self.adapter.close()).await.is_err() {
            tracing::warn!("the client was not closed in time: some messages may come again");
        }
        match acknowledged {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Error::retryable("acknowledging ended").caused_by(error)),
            Err(_) => {
                tracing::warn!("some messages were not acknowledged in time: they come again");
                Ok(())
            }
        }
    }

    /// What is still out when the time is nearly over is handed back as it is, the last first.
    async fn hand_back(&self) {
        let mut receipts = self.leases.unfinished();
        receipts.reverse();
        tracing::warn!(messages = receipts.len(), "not delivered before the end: handed back");
        for part in receipts.chunks(self.limits.acknowledge_batch) {
            self.adapter.release(part, Duration::ZERO).await;
        }
    }
}
