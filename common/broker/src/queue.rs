//! The queue of one trigger: first in, first out; where the trigger orders by a key, one event of a key at a time.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use common::Text;
use tokio::sync::oneshot;

/// How many entries of a trigger may wait for their next try without a slot. Each is a task of some KB; those beyond keep
/// their slots meanwhile.
const ASIDE: usize = 1000;

/// What waits for one trigger, and how many slots deliver from it.
///
/// A slot is a task that takes one entry after the other and ends when there is none: while there is much to do no
/// task is ever made, and a quiet trigger costs none. One whose entry waits for another try steps aside, so that
/// others are tried meanwhile.
#[derive(Debug)]
pub struct Queue<T> {
    state: Mutex<State<T>>,
}

#[derive(Debug)]
struct State<T> {
    ready: VecDeque<Item<T>>,
    /// For each key that is in `ready` or being delivered: what waits behind it.
    behind: HashMap<Text, VecDeque<T>>,
    slots: usize,
    /// Slots that stepped aside.
    aside: usize,
    /// Those of them that want to go on and may not yet.
    returning: VecDeque<oneshot::Sender<()>>,
}

/// An entry with the key by which it is ordered.
#[derive(Debug)]
pub struct Item<T> {
    /// The entry.
    pub entry: T,
    /// Its key; to be given to [`Queue::next`] when it is done.
    pub key: Option<Text>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        let (ready, behind, returning) = (VecDeque::new(), HashMap::new(), VecDeque::new());
        Self { state: Mutex::new(State { ready, behind, slots: 0, aside: 0, returning }) }
    }
}

impl<T> Queue<T> {
    /// Appends an entry. Where it gives true, the caller starts one more slot.
    #[must_use]
    pub fn push(&self, entry: T, key: Option<Text>, concurrency: usize) -> bool {
        let mut state = self.lock();
        if let Some(key) = &key {
            if let Some(behind) = state.behind.get_mut(key) {
                behind.push_back(entry);
                return false;
            }
            state.behind.insert(key.clone(), VecDeque::new());
        }
        state.ready.push_back(Item { entry, key });
        let start = state.slots < concurrency;
        state.slots += usize::from(start);
        start
    }

    /// The next entry for a slot, which gives the key of the one it has finished; with `None` the slot ends.
    #[must_use]
    pub fn next(&self, finished: Option<Text>, concurrency: usize) -> Option<Item<T>> {
        let mut state = self.lock();
        if let Some(key) = finished {
            match state.behind.get_mut(&key).and_then(VecDeque::pop_front) {
                Some(entry) => state.ready.push_back(Item { entry, key: Some(key) }),
                None => {
                    state.behind.remove(&key);
                }
            }
        }
        if state.slots > concurrency.max(1) {
            state.slots -= 1;
            return None;
        }
        if state.admit() {
            // Its slot is another's now.
            return None;
        }
        let next = state.ready.pop_front();
        if next.is_none() {
            state.slots -= 1;
        }
        next
    }

    /// A slot gives up its place while its entry waits; where it gives true, it has done so, and is to come back. With a
    /// concurrency of one nothing overtakes, so that it keeps its place.
    #[must_use]
    pub fn step_aside(&self, concurrency: usize) -> bool {
        let mut state = self.lock();
        if concurrency < 2 || state.aside == ASIDE {
            return false;
        }
        state.aside += 1;
        if state.slots > concurrency || !state.admit() {
            state.slots -= 1;
        }
        true
    }

    /// A slot that stepped aside goes on, at once or when it is told that it may.
    #[must_use]
    pub fn come_back(&self, concurrency: usize) -> Option<oneshot::Receiver<()>> {
        let mut state = self.lock();
        state.aside -= 1;
        if state.slots < concurrency {
            state.slots += 1;
            return None;
        }
        let (may, turn) = oneshot::channel();
        state.returning.push_back(may);
        Some(turn)
    }

    /// A slot that stepped aside goes on whatever the concurrency is; with its turn, if it waits for one.
    pub fn come_back_anyway(&self, turn: Option<oneshot::Receiver<()>>) {
        let mut state = self.lock();
        let has_slot = match turn {
            None => {
                state.aside -= 1;
                false
            }
            // It may just have been told that it may.
            Some(mut turn) => turn.try_recv().is_ok(),
        };
        state.slots += usize::from(!has_slot);
    }

    /// How many more slots the caller should start for what waits.
    #[must_use]
    pub fn more_slots(&self, concurrency: usize) -> usize {
        let mut state = self.lock();
        while state.slots < concurrency && state.admit() {
            state.slots += 1;
        }
        let more = state.ready.len().min(concurrency.saturating_sub(state.slots));
        state.slots += more;
        more
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Lets the first that wants to go on do so, in a slot that the caller counts.
    fn admit(&mut self) -> bool {
        while let Some(may) = self.returning.pop_front() {
            if may.send(()).is_ok() {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_slots_up_to_the_concurrency_and_ends_them() {
        let queue = Queue::default();
        let started: Vec<bool> = (0..4).map(|n| queue.push(n, None, 2)).collect();
        assert_eq!(started, [true, true, false, false]);
        for n in 0..4 {
            assert_eq!(queue.next(None, 2).map(|item| item.entry), Some(n));
        }
        assert!(queue.next(None, 2).is_none() && queue.next(None, 2).is_none());
        assert!(queue.push(4, None, 2) && queue.push(5, None, 2) && !queue.push(6, None, 2));
        assert_eq!((queue.more_slots(2), queue.more_slots(9), queue.more_slots(9)), (0, 3, 3));
    }

    #[test]
    fn a_lower_concurrency_ends_slots_but_never_the_last() {
        let queue = Queue::default();
        for n in 0..5 {
            let _ = queue.push(n, None, 3);
        }
        assert!(queue.next(None, 1).is_none());
        assert!(queue.next(None, 1).is_none());
        assert_eq!(queue.next(None, 1).map(|item| item.entry), Some(0));
    }

    #[test]
    fn one_that_waits_gives_its_slot_to_others_and_gets_the_next_one_back() {
        let queue = Queue::default();
        for n in 0..4 {
            let _ = queue.push(n, None, 2);
        }
        let taken = [queue.next(None, 2), queue.next(None, 2)].map(|item| item.unwrap().entry);
        assert_eq!(taken, [0, 1]);
        assert!(queue.step_aside(2));
        assert_eq!(queue.more_slots(2), 1);
        assert_eq!(queue.next(None, 2).unwrap().entry, 2);
        let mut turn = queue.come_back(2).unwrap();
        assert!(turn.try_recv().is_err());
        assert!(queue.next(None, 2).is_none(), "whoever is free next makes room for it");
        assert!(turn.try_recv().is_ok());
        assert_eq!(queue.next(None, 2).unwrap().entry, 3);
        assert!(queue.next(None, 2).is_none());
        assert!(queue.step_aside(2) && queue.come_back(2).is_none(), "nobody else wants it");
        assert!(!queue.step_aside(1));
        assert!(queue.next(None, 2).is_none());
        assert!(queue.push(5, None, 1), "none is left");
    }

    #[test]
    fn a_place_is_given_once_also_when_its_owner_cannot_wait_for_it() {
        for told in [false, true] {
            let queue = Queue::default();
            let _ = queue.push(0, None, 1);
            assert!(queue.step_aside(2) && queue.push(1, None, 1));
            let turn = queue.come_back(1);
            if told {
                assert!(queue.next(None, 1).is_none());
            }
            queue.come_back_anyway(turn);
            assert_eq!(queue.next(None, 9).unwrap().entry, 0);
            // As many slots as there are: one that came back, and the other where it has not made room for it.
            assert_eq!(queue.more_slots(2), usize::from(told));
        }
        let queue = Queue::<u8>::default();
        let _ = queue.push(0, None, 9);
        assert!((0..ASIDE).all(|_| {
            let _ = queue.push(0, None, ASIDE);
            queue.step_aside(9)
        }));
        assert!(!queue.step_aside(9));
        queue.come_back_anyway(None);
        assert!(queue.step_aside(9));
    }

    #[test]
    fn one_of_a_key_at_a_time_and_in_order() {
        let queue = Queue::default();
        let key = |text: &'static str| Some(Text::from_static(text));
        for (n, text) in [(0, "a"), (1, "a"), (2, "b"), (3, "a")] {
            let _ = queue.push(n, key(text), 8);
        }
        let first = queue.next(None, 8).unwrap();
        let second = queue.next(None, 8).unwrap();
        assert_eq!((first.entry, second.entry), (0, 2));
        let third = queue.next(first.key, 8).unwrap();
        assert_eq!(third.entry, 1);
        let _ = queue.push(4, key("b"), 8);
        let fourth = queue.next(second.key, 8).unwrap();
        assert_eq!(fourth.entry, 4);
        assert_eq!(queue.next(third.key, 8).unwrap().entry, 3);
        assert!(queue.next(fourth.key, 8).is_none());
        assert!(queue.next(key("a"), 8).is_none());
        let _ = queue.push(5, key("a"), 8);
        assert_eq!(queue.next(None, 8).unwrap().entry, 5);
    }
}
