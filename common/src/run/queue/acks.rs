//! Acknowledgements, in batches: what the sink has accepted, and nothing else.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::{
    Semaphore,
    mpsc::{self, UnboundedReceiver, UnboundedSender},
};

use super::{Queue, intake::Place, leases::Lease};
use crate::{Error, adapter::QueueSource, metrics::Counted, send::Backoff, worker};

/// How long a batch waits to become full. Nobody waits for it; each call less is one that is not paid for.
const LINGER: Duration = Duration::from_millis(10);
/// How often an acknowledgement is tried where no lease says when that has become pointless.
const ATTEMPTS: u32 = 8;

/// A message that is delivered and still has its place.
pub(super) struct Done<R> {
    pub(super) receipt: R,
    pub(super) lease: Arc<Lease>,
    /// Held for its `Drop`.
    pub(super) _place: Place,
    /// Likewise.
    pub(super) _counted: Counted,
}

/// The way from deliveries to acknowledgements.
pub(super) struct Acks<R> {
    sender: Mutex<Option<UnboundedSender<Done<R>>>>,
    receiver: Mutex<Option<UnboundedReceiver<Done<R>>>>,
}

impl<R> Acks<R> {
    pub(super) fn new() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self { sender: Mutex::new(Some(sender)), receiver: Mutex::new(Some(receiver)) }
    }

    /// Hands over a message that the sink has accepted. Bounded by the places of the messages.
    pub(super) fn push(&self, done: Done<R>) {
        let sender = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = &*sender {
            // What is delivered after the end comes again.
            let _ = sender.send(done);
        }
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl<Q: QueueSource> Queue<Q> {
    /// Acknowledges until the way is closed and all that came over it is done.
    pub(super) async fn acknowledge(self: Arc<Self>) {
        let Some(mut receiver) = self.acks.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
        else {
            return;
        };
        let most = self.limits.acknowledge_batch;
        let calls = self.limits.receivers;
        let free = Arc::new(Semaphore::new(calls));
        loop {
            let Ok(call) = Arc::clone(&free).acquire_owned().await else { return };
            let mut batch = Vec::with_capacity(most);
            if receiver.recv_many(&mut batch, most).await == 0 {
                break;
            }
            fill(&mut receiver, &mut batch, most).await;
            let queue = Arc::clone(&self);
            worker::spawn(async move {
                queue.acknowledge_batch(batch).await;
                drop(call);
            });
        }
        // All calls are free again.
        let _ = free.acquire_many(u32::try_from(calls).unwrap_or(u32::MAX)).await;
    }

    async fn acknowledge_batch(&self, mut batch: Vec<Done<Q::Receipt>>) {
        let mut backoff = Backoff::default();
        loop {
            let receipts: Vec<_> = batch.iter().map(|done| done.receipt.clone()).collect();
            let results = self.adapter.acknowledge(&receipts).await;
            let mut again = Vec::new();
            let mut failed = None;
            let mut results = results.into_iter();
            for done in batch {
                let missing = || Err(Error::retryable("the answer has no result for a message"));
                match results.next().unwrap_or_else(missing) {
                    Ok(()) => self.finish(&done),
                    Err(error) if error.is_permanent() => {
                        tracing::warn!(
                            reason = error.chain(),
                            "a delivered message could not be acknowledged: it comes again"
                        );
                        self.finish(&done);
                    }
                    Err(error) if !done.lease.is_valid() => {
                        tracing::warn!(
                            reason = error.chain(),
                            "the lease of a delivered message ended before it could be acknowledged: it comes again"
                        );
                        self.finish(&done);
                    }
                    Err(error) => {
                        failed = Some(error);
                        again.push(done);
                    }
                }
            }
            let Some(error) = failed else {
                self.health.upstream().succeeded();
                return;
            };
            self.health.upstream().failed();
            let pause = backoff.next(error.retry_after().map(|asked| asked.min(self.retry_after_max)));
            let pointless = self.limits.lease.is_none() && backoff.attempts() >= ATTEMPTS;
            if pointless || self.stop.is_requested() && backoff.attempts() > 2 {
                tracing::warn!(
                    messages = again.len(),
                    reason = error.chain(),
                    "delivered messages could not be acknowledged: they come again"
                );
                for done in &again {
                    self.finish(done);
                }
                return;
            }
            worker::sleep(pause).await;
            batch = again;
        }
    }
}

/// Takes what else comes within a moment, up to a full batch.
async fn fill<R>(receiver: &mut UnboundedReceiver<Done<R>>, batch: &mut Vec<Done<R>>, most: usize) {
    let filling = async {
        while batch.len() < most {
            let room = most - batch.len();
            if receiver.recv_many(batch, room).await == 0 {
                return;
            }
        }
    };
    // `recv_many` loses nothing when it is given up.
    let _ = tokio::time::timeout(LINGER, filling).await;
}
