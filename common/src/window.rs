//! The records of a partition that were read and are not yet covered by a stored position, which moves only over those that
//! are delivered without a gap.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

/// What was read of one partition, in order, and how far it is delivered.
#[derive(Debug)]
pub struct Window<P> {
    state: Mutex<State<P>>,
    /// A position was stored: there is room.
    moved: Notify,
}

#[derive(Debug)]
struct State<P> {
    /// The number of the first entry; numbers go up by one with each record.
    first: u64,
    entries: VecDeque<Entry<P>>,
    bytes: usize,
}

#[derive(Debug)]
struct Entry<P> {
    position: P,
    bytes: usize,
    delivered: bool,
}

/// How far it has come: the position up to which everything is delivered, and the number after it.
#[derive(Debug)]
pub struct Progress<P> {
    /// What is to be stored.
    pub position: P,
    end: u64,
}

impl<P> Default for Window<P> {
    fn default() -> Self {
        let state = State { first: 0, entries: VecDeque::new(), bytes: 0 };
        Self { state: Mutex::new(state), moved: Notify::new() }
    }
}

impl<P: Clone> Window<P> {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a record in and gives its number.
    pub fn push(&self, position: P, bytes: usize) -> u64 {
        let mut state = self.state();
        state.bytes += bytes;
        state.entries.push_back(Entry { position, bytes, delivered: false });
        state.first + state.entries.len() as u64 - 1
    }

    /// A record is delivered; true when it was the first that was not.
    pub fn deliver(&self, number: u64) -> bool {
        let mut state = self.state();
        let index = usize::try_from(number.wrapping_sub(state.first)).unwrap_or(usize::MAX);
        let Some(entry) = state.entries.get_mut(index) else { return false };
        entry.delivered = true;
        index == 0 || state.entries.get(index - 1).is_some_and(|before| before.delivered)
    }

    /// How many records there are, and their bytes.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let state = self.state();
        (state.entries.len(), state.bytes)
    }

    /// How far everything is delivered, when that is further than the stored position.
    #[must_use]
    pub fn progress(&self) -> Option<Progress<P>> {
        let state = self.state();
        let count = state.entries.iter().take_while(|entry| entry.delivered).count();
        let last = state.entries.get(count.checked_sub(1)?)?;
        Some(Progress { position: last.position.clone(), end: state.first + count as u64 })
    }

    /// The position of this progress is stored. Gives the bytes that are free.
    pub fn store(&self, progress: &Progress<P>) -> usize {
        let mut state = self.state();
        let mut freed = 0;
        while state.first < progress.end {
            let Some(entry) = state.entries.pop_front() else { break };
            state.first += 1;
            state.bytes -= entry.bytes;
            freed += entry.bytes;
        }
        drop(state);
        self.moved.notify_waiters();
        freed
    }

    /// Waits until the window satisfies the test, which is given the count of records and their bytes.
    pub async fn until(&self, test: impl Fn(usize, usize) -> bool) {
        loop {
            let moved = self.moved.notified();
            let mut moved = std::pin::pin!(moved);
            moved.as_mut().enable();
            let (count, bytes) = self.size();
            if test(count, bytes) {
                return;
            }
            moved.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_moves_over_what_is_delivered_without_a_gap() {
        let window = Window::new();
        let numbers: Vec<_> = (10..15).map(|position| window.push(position, 1)).collect();
        assert!(window.progress().is_none());
        assert!(!window.deliver(numbers[1]));
        assert!(!window.deliver(numbers[3]));
        assert!(window.progress().is_none(), "the first is not delivered");
        assert!(window.deliver(numbers[0]));
        let progress = window.progress().expect("two are delivered");
        assert_eq!(progress.position, 11);
        window.deliver(numbers[2]);
        assert_eq!(window.store(&progress), 2);
        assert_eq!(window.size(), (3, 3), "what was delivered above the gap still counts");
        assert_eq!(window.progress().expect("two more").position, 13);
        window.deliver(numbers[4]);
        let progress = window.progress().expect("all");
        assert_eq!((progress.position, window.store(&progress)), (14, 3));
        assert!(window.progress().is_none());
        assert_eq!(window.push(15, 1), 5);
    }
}
