//! Which events were delivered of late: what a vendor sends again is acknowledged without a second delivery.
//!
//! Only what the sink has accepted is remembered, and whoever asks while a delivery of the same event is under way waits
//! for its end: nothing is acknowledged early, and what failed is tried again.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Instant,
};

use bytes::Bytes;
use tokio::sync::{Mutex as Gate, OwnedMutexGuard};

use crate::{Event, error::Fault, send::Failure};

/// Source and id as two hashes with keys of this process: a fixed size whatever the vendor sends, and nobody can find two
/// events that share them.
type Key = (u64, u64);

/// The memory of one process.
#[derive(Debug)]
pub(super) struct Delivered {
    hashers: [RandomState; 2],
    /// How many are remembered; 0 is none, and then nobody waits either.
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    done: HashSet<Key>,
    /// The same, oldest first.
    order: VecDeque<Key>,
    under_way: HashMap<Key, Weak<Gate<()>>>,
}

/// The right to deliver one event; given up when it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(Option<(OwnedMutexGuard<()>, Place<'a>)>);

/// A place among those who want to deliver the same event.
#[derive(Debug)]
struct Place<'a> {
    memory: &'a Delivered,
    key: Key,
    gate: Option<Arc<Gate<()>>>,
}

impl Delivered {
    pub(super) fn new(capacity: usize) -> Self {
        Self { hashers: [RandomState::new(), RandomState::new()], capacity, state: Mutex::default() }
    }

    /// Waits for the turn to deliver an event; `None` when it has been delivered.
    ///
    /// # Errors
    /// When another delivery of it is still under way at the deadline.
    pub(super) async fn turn(
        &self,
        event: &Event,
        deadline: Instant,
    ) -> Result<Option<Turn<'_>>, Box<Failure>> {
        if self.capacity == 0 {
            return Ok(Some(Turn(None)));
        }
        let identity = (event.source(), event.id());
        let key = (self.hashers[0].hash_one(identity), self.hashers[1].hash_one(identity));
        let Some((gate, place)) = self.place(key) else { return Ok(None) };
        let Ok(guard) = tokio::time::timeout_at(deadline.into(), gate.lock_owned()).await else {
            return Err(Box::new(still_under_way()));
        };
        let delivered = self.lock().done.contains(&key);
        Ok((!delivered).then_some(Turn(Some((guard, place)))))
    }

    fn place(&self, key: Key) -> Option<(Arc<Gate<()>>, Place<'_>)> {
        let mut state = self.lock();
        if state.done.contains(&key) {
            return None;
        }
        let gate = state.under_way.get(&key).and_then(Weak::upgrade).unwrap_or_default();
        state.under_way.insert(key, Arc::downgrade(&gate));
        Some((Arc::clone(&gate), Place { memory: self, key, gate: Some(gate) }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// Remembers that the event has been accepted.
    pub(super) fn delivered(self) {
        let Some((_guard, place)) = &self.0 else { return };
        let mut state = place.memory.lock();
        if state.done.insert(place.key) {
            state.order.push_back(place.key);
        }
        while state.order.len() > place.memory.capacity {
            let oldest = state.order.pop_front();
            oldest.map(|oldest| state.done.remove(&oldest));
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = self.memory.lock();
        // Under the lock: of several that leave, the last one sees that nobody is left.
        drop(self.gate.take());
        if state.under_way.get(&self.key).is_some_and(|gate| gate.strong_count() == 0) {
            state.under_way.remove(&self.key);
        }
    }
}

fn still_under_way() -> Failure {
    Failure {
        fault: Fault::Transient,
        status: None,
        retry_after: None,
        body: Bytes::new(),
        timed_out: true,
        message: "an earlier delivery of the same event is still under way".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn event(id: &str) -> Event {
        Event::new(id, "/s", "t").expect("an event")
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    async fn is_new(memory: &Delivered, id: &str) -> bool {
        memory.turn(&event(id), soon()).await.expect("nobody else delivers it").is_some()
    }

    async fn deliver(memory: &Delivered, id: &str) {
        memory.turn(&event(id), soon()).await.expect("a turn").expect("new").delivered();
    }

    #[tokio::test]
    async fn only_what_was_delivered_is_known_and_the_oldest_is_forgotten() {
        let memory = Delivered::new(2);
        assert!(is_new(&memory, "a").await && is_new(&memory, "a").await, "a turn without success");
        for id in ["a", "b"] {
            deliver(&memory, id).await;
            assert!(!is_new(&memory, id).await, "{id}");
        }
        deliver(&memory, "c").await;
        assert!(is_new(&memory, "a").await && !is_new(&memory, "b").await && !is_new(&memory, "c").await);
        let state = memory.lock();
        assert!(state.under_way.is_empty() && state.done.len() == 2, "{state:?}");
    }

    #[tokio::test]
    async fn who_comes_in_between_waits_for_the_outcome() {
        let memory = Delivered::new(2);
        let first = memory.turn(&event("a"), soon()).await.expect("a turn").expect("new");
        assert!(memory.turn(&event("a"), soon()).await.is_err(), "not told before it is known");
        assert!(is_new(&memory, "b").await, "others do not wait");

        let late = Instant::now() + Duration::from_secs(20);
        let (again, ()) =
            tokio::join!(async { memory.turn(&event("a"), late).await.expect("a turn") }, async {
                first.delivered();
            });
        assert!(again.is_none(), "delivered meanwhile");

        let failing = memory.turn(&event("c"), soon()).await.expect("a turn").expect("new");
        let (again, ()) =
            tokio::join!(async { memory.turn(&event("c"), late).await.expect("a turn") }, async {
                drop(failing);
            });
        again.expect("the failure of another is no delivery").delivered();
        assert!(!is_new(&memory, "c").await && memory.lock().under_way.is_empty());
    }

    #[tokio::test]
    async fn without_a_memory_everything_is_new() {
        let memory = Delivered::new(0);
        let (first, second) =
            (memory.turn(&event("a"), soon()).await, memory.turn(&event("a"), soon()).await);
        first.expect("a turn").expect("new").delivered();
        second.expect("a turn").expect("new").delivered();
        assert!(is_new(&memory, "a").await);
    }
}
