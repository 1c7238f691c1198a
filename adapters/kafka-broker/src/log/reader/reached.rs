//! How far a trigger has read, and how much of the topic was gone before it did.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
};

use crate::log::ends::{Ends, Range};

/// What is known of one trigger, by whichever member of its group this process was.
#[derive(Debug, Default)]
pub struct Reached {
    state: Mutex<State>,
    lost: AtomicU64,
    is_placed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// The offset that is to be read next, of the partitions that are read here.
    next: BTreeMap<i32, i64>,
    /// Offsets at which nothing stood that was read: the partition, the first, and the one behind the last.
    gaps: Vec<(i32, i64, i64)>,
}

impl Reached {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The group has its places: without them it is that of a topic that is gone.
    pub fn is_placed(&self) -> bool {
        self.is_placed.load(SeqCst)
    }

    /// The group has its places.
    pub fn set_placed(&self) {
        self.is_placed.store(true, SeqCst);
    }

    /// A partition begins there; `None` when that is not within the partition, so that it is not known.
    pub fn begins(&self, partition: i32, offset: Option<i64>) {
        let mut state = self.state();
        match offset {
            Some(offset) => drop(state.next.insert(partition, offset)),
            None => drop(state.next.remove(&partition)),
        }
    }

    /// What is to be read next.
    pub fn next(&self, partition: i32) -> Option<i64> {
        self.state().next.get(&partition).copied()
    }

    /// A record stands at an offset where another one was expected. True when it is one of another topic.
    pub fn leaps(&self, partition: i32, expected: i64, found: i64, ends: &Ends) -> bool {
        if found > expected {
            self.state().gaps.push((partition, expected, found));
            return false;
        }
        self.lose(ends.end_of(partition).map_or(0, |end| end - expected));
        true
    }

    /// Another process has the partition.
    pub fn forget(&self, partition: i32) {
        self.state().next.remove(&partition);
    }

    /// The topic is gone, and with it all that was not read.
    pub fn is_gone(&self, ends: &Ends) {
        let mut state = self.state();
        let (next, _) = (std::mem::take(&mut state.next), state.gaps.clear());
        drop(state);
        for (partition, next) in next {
            self.lose(ends.end_of(partition).map_or(0, |end| end - next));
        }
    }

    /// The topic is there, and goes from there to there; these partitions are read here. Offsets that nothing stands at are no
    /// loss, as those of transactions, unless the topic begins behind them now.
    pub fn looked(&self, found: &BTreeMap<i32, Range>, held: &[i32]) {
        let mut state = self.state();
        state.next.retain(|partition, _| held.contains(partition));
        let gaps = std::mem::take(&mut state.gaps);
        drop(state);
        for (partition, first, end) in gaps {
            let low = found.get(&partition).map_or(first, |(low, _)| *low);
            self.lose(end.min(low) - first);
        }
    }

    /// So many records are gone that were not read.
    pub fn lose(&self, records: i64) {
        self.lost.fetch_add(u64::try_from(records).unwrap_or_default(), SeqCst);
    }

    /// How many are, since the last time.
    pub fn take_lost(&self) -> u64 {
        self.lost.swap(0, SeqCst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(low: i64, high: i64) -> BTreeMap<i32, Range> {
        BTreeMap::from([(0, (low, high))])
    }

    fn at(next: i64) -> (Reached, Ends) {
        let (reached, ends) = (Reached::default(), Ends::default());
        reached.begins(0, Some(next));
        ends.set(&found(0, 20));
        (reached, ends)
    }

    #[test]
    fn what_was_not_read_of_a_topic_that_is_gone_is_lost_once() {
        let (reached, ends) = at(12);
        reached.is_gone(&ends);
        reached.is_gone(&ends);
        assert_eq!((reached.take_lost(), reached.take_lost()), (8, 0));

        let (reached, ends) = at(12);
        assert!(reached.leaps(0, 12, 3, &ends), "a record of another topic");
        assert_eq!(reached.take_lost(), 8);
    }

    #[test]
    fn a_gap_is_a_loss_where_the_topic_begins_behind_it() {
        let (reached, ends) = at(12);
        assert!(!reached.leaps(0, 12, 16, &ends));
        reached.looked(&found(0, 20), &[0]);
        assert_eq!(reached.take_lost(), 0, "of transactions");
        assert!(!reached.leaps(0, 12, 16, &ends));
        reached.looked(&found(15, 20), &[0]);
        assert_eq!(reached.take_lost(), 3, "of the retention");
    }

    #[test]
    fn what_others_read_is_none_of_ours() {
        let (reached, ends) = at(12);
        reached.looked(&found(0, 20), &[]);
        reached.is_gone(&ends);
        assert_eq!((reached.take_lost(), reached.next(0)), (0, None));
    }
}
