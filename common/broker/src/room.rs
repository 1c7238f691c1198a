//! Room for events in memory, counted in events and bytes: who wants some waits, and replies go before new events.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

use tokio::sync::Notify;

/// An amount: events and the bytes they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    /// Events.
    pub events: usize,
    /// Bytes.
    pub bytes: usize,
}

/// For whom room is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// A reply of a target: refusing it would waste work that is done.
    Reply,
    /// A new event: its sender can hold it.
    New,
}

/// Counted room with a limit.
#[derive(Debug)]
pub struct Room {
    limit: Amount,
    /// Who waits for room is woken once no more than this is taken.
    mark: Amount,
    events: AtomicUsize,
    bytes: AtomicUsize,
    /// Replies that wait: while there are any, new events get nothing.
    replies: AtomicUsize,
    freed_for_reply: Notify,
    freed: Notify,
}

/// Room that is taken; given back when dropped.
#[derive(Debug)]
pub struct Place {
    room: Arc<Room>,
    bytes: usize,
}

impl Room {
    /// Empty room.
    #[must_use]
    pub fn new(limit: Amount) -> Arc<Self> {
        Self::with_mark(limit, limit)
    }

    /// Empty room; who waits is woken once no more than the mark is taken.
    #[must_use]
    pub fn with_mark(limit: Amount, mark: Amount) -> Arc<Self> {
        Arc::new(Self {
            limit,
            mark,
            events: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            replies: AtomicUsize::new(0),
            freed_for_reply: Notify::new(),
            freed: Notify::new(),
        })
    }

    /// What is taken now.
    #[must_use]
    pub fn taken(&self) -> Amount {
        Amount { events: self.events.load(SeqCst), bytes: self.bytes.load(SeqCst) }
    }

    /// Takes room for one event, if there is enough now.
    #[must_use]
    pub fn take(self: &Arc<Self>, bytes: usize, rank: Rank) -> Option<Place> {
        if rank == Rank::New && self.replies.load(SeqCst) > 0 {
            return None;
        }
        add(&self.events, 1, self.limit.events)?;
        if add(&self.bytes, bytes, self.limit.bytes).is_none() {
            self.events.fetch_sub(1, SeqCst);
            return None;
        }
        Some(Place { room: self.clone(), bytes })
    }

    /// Takes room for one event, whether or not there is enough: for what has been read already.
    #[must_use]
    pub fn take_anyway(self: &Arc<Self>, bytes: usize) -> Place {
        self.events.fetch_add(1, SeqCst);
        self.bytes.fetch_add(bytes, SeqCst);
        Place { room: self.clone(), bytes }
    }

    /// What is not taken.
    #[must_use]
    pub fn free(&self) -> Amount {
        let taken = self.taken();
        Amount {
            events: self.limit.events.saturating_sub(taken.events),
            bytes: self.limit.bytes.saturating_sub(taken.bytes),
        }
    }

    /// Whether no more than the mark is taken.
    #[must_use]
    pub fn is_below_mark(&self) -> bool {
        let taken = self.taken();
        taken.events <= self.mark.events && taken.bytes <= self.mark.bytes
    }

    /// Ends when room was given back since the call, not since the first poll. One waiter is woken for each.
    pub fn freed(&self, rank: Rank) -> impl Future<Output = ()> {
        match rank {
            Rank::Reply => self.freed_for_reply.notified(),
            Rank::New => self.freed.notified(),
        }
    }

    /// Wakes the next waiter if there is room: for one that was woken and could not use the room, or left some.
    pub fn pass_on(&self) {
        if self.events.load(SeqCst) < self.limit.events && self.bytes.load(SeqCst) < self.limit.bytes {
            self.wake();
        }
    }

    fn wake(&self) {
        if self.replies.load(SeqCst) > 0 {
            self.freed_for_reply.notify_one();
        } else {
            self.freed.notify_one();
        }
    }

    /// Counts a reply that waits, as long as the guard lives.
    pub fn waiting_reply(self: &Arc<Self>) -> WaitingReply {
        self.replies.fetch_add(1, SeqCst);
        WaitingReply(self.clone())
    }
}

/// A reply that waits for room.
#[derive(Debug)]
pub struct WaitingReply(Arc<Room>);

impl Drop for WaitingReply {
    fn drop(&mut self) {
        if self.0.replies.fetch_sub(1, SeqCst) == 1 {
            self.0.freed.notify_one();
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.events.fetch_sub(1, SeqCst);
        self.room.bytes.fetch_sub(self.bytes, SeqCst);
        if self.room.is_below_mark() {
            self.room.wake();
        }
    }
}

/// Adds if the sum stays within the limit.
fn add(counter: &AtomicUsize, amount: usize, limit: usize) -> Option<usize> {
    counter.fetch_update(SeqCst, SeqCst, |now| now.checked_add(amount).filter(|sum| *sum <= limit)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(events: usize, bytes: usize) -> Arc<Room> {
        Room::new(Amount { events, bytes })
    }

    #[test]
    fn is_bounded_by_events_and_by_bytes() {
        let room = room(2, 100);
        let first = room.take(60, Rank::New).unwrap();
        assert!(room.take(41, Rank::New).is_none());
        assert_eq!(room.taken(), Amount { events: 1, bytes: 60 });
        let second = room.take(40, Rank::New).unwrap();
        assert!(room.take(0, Rank::New).is_none());
        drop((first, second));
        assert_eq!(room.taken(), Amount { events: 0, bytes: 0 });
    }

    #[test]
    fn with_a_mark_nobody_is_woken_for_every_place() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let amount = |events| Amount { events, bytes: 100 };
            let room = Room::with_mark(amount(4), amount(2));
            let mut places: Vec<_> = (0..5).map(|_| room.take_anyway(1)).collect();
            assert_eq!(room.free(), Amount { events: 0, bytes: 95 });
            for left in [4, 3, 2] {
                assert!(!room.is_below_mark());
                places.pop();
                assert_eq!(room.taken().events, left);
            }
            assert!(room.is_below_mark());
            room.freed(Rank::New).await;
        });
    }

    #[test]
    fn replies_go_first() {
        let room = room(1, 100);
        let waiting = room.waiting_reply();
        assert!(room.take(1, Rank::New).is_none());
        let reply = room.take(1, Rank::Reply).unwrap();
        drop(waiting);
        assert!(room.take(1, Rank::New).is_none());
        drop(reply);
        assert!(room.take(1, Rank::New).is_some());
    }

    #[test]
    fn wakes_who_waits_even_before_the_first_poll() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let room = room(1, 100);
            let place = room.take(1, Rank::New).unwrap();
            let freed = room.freed(Rank::New);
            drop(place);
            freed.await;
            let place = room.take(1, Rank::Reply).unwrap();
            let waiting = room.waiting_reply();
            let freed = room.freed(Rank::Reply);
            drop(place);
            freed.await;
            drop(waiting);
        });
    }
}
