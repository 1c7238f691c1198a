//! The end of a broker: what is left is delivered, then given to the dead letters, then said to be lost.

use std::{
    sync::{Arc, Weak, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use common::worker;
use tokio::time::{sleep_until, timeout_at};

use super::{Engine, Rank, Trigger, work};

/// Of the time that is left, so much is for the dead letters.
const FOR_DEAD_LETTERS: Duration = Duration::from_secs(5);

/// And so much for saying what was lost.
const FOR_LAST_WORDS: Duration = Duration::from_millis(500);

impl Engine {
    /// Delivers what is left until shortly before the deadline, then tries each dead letter once. Nothing may be
    /// ingested meanwhile. Gives the number of events that were lost since the broker started its end.
    pub async fn drain(self: &Arc<Self>, deadline: Instant) -> u64 {
        let before = self.lost.load(Relaxed);
        let hurry = deadline.checked_sub(FOR_DEAD_LETTERS).unwrap_or(deadline);
        if timeout_at(hurry.into(), self.emptied()).await.is_err() {
            tracing::warn!(
                events = self.room.taken().events,
                "time is up: what is left goes to the dead letters"
            );
            let last = deadline.checked_sub(FOR_LAST_WORDS).unwrap_or(deadline);
            // Only this function sets it, and it is called once.
            let _ = self.ending.set(last);
            self.hurry.notify_waiters();
            for trigger in self.known().iter().filter_map(Weak::upgrade) {
                trigger.hurry.notify_waiters();
                for _ in 0..trigger.queue.more_slots(self.concurrency(&trigger)) {
                    worker::spawn(work::slot(self.clone(), trigger.clone()));
                }
            }
            if timeout_at(deadline.into(), self.emptied()).await.is_err() {
                let left = self.room.taken().events as u64;
                tracing::error!(events = left, lost = true, "time is up: events are left");
                self.lost.fetch_add(left, Relaxed);
            }
        }
        self.lost.load(Relaxed) - before
    }

    /// Waits until even dead letters have no more time.
    pub(super) async fn ended(&self) {
        // Before the look, so that an end that begins in between is heard of.
        let hurry = self.hurry.notified();
        let ending = match self.ending.get() {
            Some(ending) => Some(ending),
            None => {
                hurry.await;
                self.ending.get()
            }
        };
        if let Some(ending) = ending {
            sleep_until((*ending).into()).await;
        }
    }

    pub(super) fn is_ending(&self) -> bool {
        self.ending.get().is_some()
    }

    /// How many slots a trigger may have now; at the end, when only dead letters are tried, many.
    pub(super) fn concurrency(&self, trigger: &Trigger) -> usize {
        let wanted = trigger.route.load().options.concurrency;
        if self.is_ending() { wanted.max(crate::policy::DEFAULT_CONCURRENCY) } else { wanted }
    }

    /// Waits until the broker holds no event. Room given back wakes one waiter, and with nothing to ingest that is
    /// this one.
    async fn emptied(&self) {
        loop {
            let freed = self.room.freed(Rank::New);
            if self.room.taken().events == 0 {
                return;
            }
            freed.await;
        }
    }
}
