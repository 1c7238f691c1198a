//! Receiving: as many messages as there is room for, with more calls out the fuller the queue is.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::Queue;
use crate::{adapter::QueueSource, send::Backoff, worker};

/// Room for messages in flight, by count and bytes.
pub(super) struct Room {
    count: usize,
    places: Arc<Semaphore>,
    bytes: Arc<Bytes>,
}

struct Bytes {
    used: AtomicUsize,
    limit: usize,
    freed: Notify,
}

/// The place of one message; free when it is dropped.
pub(super) struct Place {
    _place: Option<OwnedSemaphorePermit>,
    bytes: Arc<Bytes>,
    size: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.bytes.used.fetch_sub(self.size, Ordering::AcqRel);
        self.bytes.freed.notify_waiters();
    }
}

impl Room {
    pub(super) fn new(count: usize, limit: usize) -> Self {
        let bytes = Bytes { used: AtomicUsize::new(0), limit, freed: Notify::new() };
        Self { count, places: Arc::new(Semaphore::new(count)), bytes: Arc::new(bytes) }
    }

    /// Waits for room for a batch. A smaller one would be a call of its own for a few messages.
    async fn reserve(&self, batch: usize) -> Option<OwnedSemaphorePermit> {
        let permit = Arc::clone(&self.places).acquire_many_owned(u32::try_from(batch).ok()?).await.ok()?;
        loop {
            let freed = self.bytes.freed.notified();
            let mut freed = std::pin::pin!(freed);
            freed.as_mut().enable();
            if self.bytes.used.load(Ordering::Acquire) < self.bytes.limit {
                return Some(permit);
            }
            freed.await;
        }
    }

    /// A place for a message of some size out of what was reserved. A message more than was asked for has one all the same.
    fn place(&self, reserved: &mut OwnedSemaphorePermit, size: usize) -> Place {
        self.bytes.used.fetch_add(size, Ordering::AcqRel);
        Place { _place: reserved.split(1), bytes: Arc::clone(&self.bytes), size }
    }

    /// Waits until nothing is in flight.
    pub(super) async fn is_empty(&self) {
        // The semaphore is never closed.
        let all = u32::try_from(self.count).unwrap_or(u32::MAX);
        let _ = self.places.acquire_many(all).await;
    }
}

impl<Q: QueueSource> Queue<Q> {
    /// One receiver. The first never rests; another joins when a batch came full, and rests again when none came.
    pub(super) async fn receive(self: Arc<Self>, index: usize) {
        let mut backoff = Backoff::default();
        let mut resting = index > 0;
        while !self.stop.is_requested() {
            if resting {
                tokio::select! {
                    () = self.wanted.notified() => {}
                    () = self.stop.requested() => return,
                }
            }
            let batch = self.limits.receive_batch;
            let reserved = tokio::select! {
                reserved = self.room.reserve(batch) => reserved,
                () = self.stop.requested() => return,
            };
            let Some(mut reserved) = reserved else { return };
            let asked = Instant::now();
            let (received, at) = tokio::select! {
                received = timed(self.adapter.receive(batch)) => received,
                () = self.stop.requested() => return,
            };
            match received {
                Ok(messages) => {
                    self.health.upstream().succeeded();
                    backoff = Backoff::default();
                    resting = index > 0 && messages.is_empty();
                    if messages.len() >= batch {
                        self.wanted.notify_one();
                    }
                    let is_empty = messages.is_empty();
                    for message in messages {
                        let place = self.room.place(&mut reserved, message.bytes);
                        self.begin(message, place, at);
                    }
                    if is_empty && !resting {
                        drop(reserved);
                        tokio::select! {
                            () = worker::sleep(EMPTY.saturating_sub(asked.elapsed())) => {}
                            () = self.stop.requested() => return,
                        }
                    }
                }
                Err(error) => {
                    drop(reserved);
                    self.health.upstream().failed();
                    let asked = error.retry_after().map(|asked| asked.min(self.retry_after_max));
                    let pause = backoff.next(asked);
                    let retry_in_ms = pause.as_millis() as u64;
                    tracing::warn!(reason = error.chain(), retry_in_ms, "messages cannot be received");
                    // While nothing can be had one receiver is enough to find out.
                    resting = index > 0;
                    tokio::select! {
                        () = worker::sleep(pause) => {}
                        () = self.stop.requested() => return,
                    }
                }
            }
        }
    }
}

/// An answer without a message that comes sooner is from a service that does not wait for one: asked again at once, it would
/// keep a processor busy and cost a call each time.
const EMPTY: Duration = Duration::from_millis(200);

/// How often a call that is out is looked at.
const LOOK: Duration = Duration::from_millis(250);

/// Waits for a call and says when its answer came, at the latest. The answer to a process that was stopped for a while
/// (a laptop's lid, SIGSTOP) may have been there since before, and its leases with it.
async fn timed<T>(call: impl Future<Output = T>) -> (T, Instant) {
    let mut call = std::pin::pin!(call);
    let mut seen = Instant::now();
    let mut running = true;
    loop {
        tokio::select! {
            biased;
            answer = &mut call => return (answer, seen),
            () = worker::sleep(LOOK) => {
                running = running && seen.elapsed() < 4 * LOOK;
                if running {
                    seen = Instant::now();
                }
            }
        }
    }
}
