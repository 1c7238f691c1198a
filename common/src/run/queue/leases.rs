//! Leases: how long each message in flight is still hidden from others, and keeping it so.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use super::Queue;
use crate::{adapter::QueueSource, worker};

/// The leases of all messages in flight, in the order in which they were received.
pub(super) struct Leases<R> {
    length: Option<Duration>,
    began: Instant,
    next: AtomicU64,
    held: Mutex<BTreeMap<u64, (Arc<Lease>, R)>>,
}

/// The lease of one message.
pub(super) struct Lease {
    id: u64,
    began: Instant,
    /// Milliseconds after `began`; `u64::MAX` where the client library keeps the message hidden.
    until: AtomicU64,
}

impl Lease {
    /// Whether the message is still ours. One whose lease is over is somebody else's: to send it would mean to send it
    /// twice, and out of its order.
    pub(super) fn is_valid(&self) -> bool {
        self.left() > Duration::ZERO
    }

    fn left(&self) -> Duration {
        let until = self.until.load(Ordering::Acquire);
        if until == u64::MAX {
            return Duration::MAX;
        }
        Duration::from_millis(until).saturating_sub(self.began.elapsed())
    }

    fn end(&self) {
        self.until.store(0, Ordering::Release);
    }

    fn extend(&self, from: Instant, length: Duration) {
        let until = from.saturating_duration_since(self.began) + length;
        self.until.store(until.as_millis() as u64, Ordering::Release);
    }
}

impl<R: Clone> Leases<R> {
    pub(super) fn new(length: Option<Duration>) -> Self {
        Self { length, began: Instant::now(), next: AtomicU64::new(0), held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<u64, (Arc<Lease>, R)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lease of a message that was received then.
    pub(super) fn begin(&self, receipt: R, received: Instant) -> Arc<Lease> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let lease = Lease { id, began: self.began, until: AtomicU64::new(u64::MAX) };
        if let Some(length) = self.length {
            lease.extend(received, length);
        }
        let lease = Arc::new(lease);
        self.held().insert(id, (Arc::clone(&lease), receipt));
        lease
    }

    /// Forgets a message that is done with.
    pub(super) fn finish(&self, lease: &Lease) {
        self.held().remove(&lease.id);
    }

    /// What is in flight and still ours.
    pub(super) fn unfinished(&self) -> Vec<R> {
        let held = self.held();
        held.values().filter(|(lease, _)| lease.is_valid()).map(|(_, receipt)| receipt.clone()).collect()
    }

    /// What needs to be extended: less than two thirds of the lease are left.
    fn due(&self, length: Duration) -> Vec<(Arc<Lease>, R)> {
        let held = self.held();
        let due = held.values().filter(|(lease, _)| {
            let left = lease.left();
            left > Duration::ZERO && left < length * 2 / 3
        });
        due.cloned().collect()
    }
}

impl<Q: QueueSource> Queue<Q> {
    /// Extends leases for as long as it is polled.
    pub(super) async fn extend(self: Arc<Self>) {
        let Some(length) = self.leases.length else { return };
        loop {
            worker::sleep(length / 6).await;
            let due = self.leases.due(length);
            for part in due.chunks(self.limits.acknowledge_batch) {
                self.extend_part(part, length).await;
            }
        }
    }

    async fn extend_part(&self, part: &[(Arc<Lease>, Q::Receipt)], length: Duration) {
        let receipts: Vec<_> = part.iter().map(|(_, receipt)| receipt.clone()).collect();
        let asked = Instant::now();
        let results = self.adapter.extend(&receipts).await;
        for ((lease, _), result) in part.iter().zip(results) {
            match result {
                Ok(()) => lease.extend(asked, length),
                // It may have been acknowledged meanwhile, and then nobody asks.
                Err(error) if error.is_permanent() => {
                    lease.end();
                    tracing::debug!(reason = error.chain(), "a lease is lost: the message comes again");
                }
                Err(error) => {
                    tracing::warn!(reason = error.chain(), "a lease cannot be extended: it is tried again");
                }
            }
        }
    }
}
