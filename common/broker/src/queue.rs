//! The queue of one trigger: first in, first out; where the trigger orders by a key, one event of a key at a time.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use common::Text;

/// What waits for one trigger, and how many slots deliver from it.
///
/// A slot is a task that takes one entry after the other and ends when there is none: while there is much to do no
/// task is ever made, and a quiet trigger costs none.
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
        Self { state: Mutex::new(State { ready: VecDeque::new(), behind: HashMap::new(), slots: 0 }) }
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
        let next = if state.slots <= concurrency.max(1) { state.ready.pop_front() } else { None };
        if next.is_none() {
            state.slots -= 1;
        }
        next
    }

    /// How many more slots the caller should start for what waits.
    #[must_use]
    pub fn more_slots(&self, concurrency: usize) -> usize {
        let mut state = self.lock();
        let more = state.ready.len().min(concurrency.saturating_sub(state.slots));
        state.slots += more;
        more
    }

    /// Whether nothing waits and no slot is at work.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.lock().slots == 0
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        assert!(!queue.is_idle());
        assert!(queue.next(None, 2).is_none() && queue.next(None, 2).is_none());
        assert!(queue.is_idle());
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
