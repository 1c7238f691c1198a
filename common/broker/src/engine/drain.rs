//! The end of a broker: what is left is delivered; then, where it would be gone with the process, given to the dead
//! letters or said to be lost.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

use tokio::time::{sleep_until, timeout_at};

use super::{Backend, Engine, Rank, Trigger};

/// Of the time that is left, so much is for the dead letters.
const FOR_DEAD_LETTERS: Duration = Duration::from_secs(5);

/// And so much for saying what was lost, or what was done.
const FOR_LAST_WORDS: Duration = Duration::from_millis(500);

impl<B: Backend> Engine<B> {
    /// Delivers what is left until shortly before the deadline, then tries each dead letter once. Nothing may be
    /// ingested meanwhile. Gives the number of events that were lost since the broker started its end.
    pub async fn drain(self: &Arc<Self>, deadline: Instant) -> u64 {
        B::stop_reading(self).await;
        let before = self.lost.load(Relaxed);
        let reserve = if B::KEEPS { FOR_LAST_WORDS * 4 } else { FOR_DEAD_LETTERS };
        let hurry = deadline.checked_sub(reserve).unwrap_or(deadline);
        if timeout_at(hurry.into(), self.emptied()).await.is_err() {
            self.hurry_up(deadline).await;
        }
        B::end(self, deadline).await;
        self.lost.load(Relaxed) - before
    }

    async fn hurry_up(self: &Arc<Self>, deadline: Instant) {
        let events = self.room.taken().events;
        if B::KEEPS {
            tracing::warn!(events, "time is up: what is not delivered is so by the next to run");
        } else {
            tracing::warn!(events, "time is up: what is left goes to the dead letters");
        }
        let last = deadline.checked_sub(FOR_LAST_WORDS).unwrap_or(deadline);
        // Only this function sets it, and it is called once.
        let _ = self.ending.set(last);
        self.hurry.notify_waiters();
        for trigger in self.triggers() {
            trigger.hurry.notify_waiters();
            self.fill_slots(&trigger);
        }
        if timeout_at(deadline.into(), self.emptied()).await.is_err() && !B::KEEPS {
            let left = self.room.taken().events as u64;
            tracing::error!(events = left, lost = true, "time is up: events are left");
            self.lost.fetch_add(left, Relaxed);
        }
    }

    /// Waits until even dead letters have no more time.
    pub(crate) async fn ended(&self) {
        self.hurried().await;
        if let Some(ending) = self.ending.get() {
            sleep_until((*ending).into()).await;
        }
    }

    /// Waits until time is up for deliveries.
    pub(crate) async fn hurried(&self) {
        // Before the look, so that an end that begins in between is heard of.
        let hurry = self.hurry.notified();
        if self.ending.get().is_none() {
            hurry.await;
        }
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ending.get().is_some()
    }

    /// How many slots a trigger may have now; at the end, when only dead letters are tried, many.
    pub(super) fn concurrency(&self, trigger: &Trigger<B>) -> usize {
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
