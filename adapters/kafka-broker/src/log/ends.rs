//! Where the partitions of the topic begin and end, as of the last look and of what was written since: by that another topic
//! under the same name is known, and how much of the one before is gone.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use kafka::producer::Place;

/// The first offset of a partition, and the one behind its last.
pub type Range = (i64, i64);

/// What is known of the partitions.
#[derive(Debug, Default)]
pub struct Ends(Mutex<BTreeMap<i32, Known>>);

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    /// As it was found.
    range: Range,
    /// The offset behind the last record that was written by this process: what is found may leave it out, while others have a
    /// transaction open.
    written: i64,
}

impl Ends {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record stands there.
    pub fn wrote(&self, place: Place) {
        let mut known = self.lock();
        let known = known.entry(place.partition).or_default();
        known.written = known.written.max(place.offset + 1);
    }

    /// The offset behind the last record of a partition, as far as is known.
    pub fn end_of(&self, partition: i32) -> Option<i64> {
        self.lock().get(&partition).map(|known| known.range.1.max(known.written))
    }

    /// Whether this is another topic than the one that was found before: one that ends sooner.
    pub fn is_another(&self, found: &BTreeMap<i32, Range>) -> bool {
        let ends_sooner = |(partition, known): (&i32, &Known)| {
            found.get(partition).is_none_or(|(_, high)| *high < known.range.1)
        };
        self.lock().iter().any(ends_sooner)
    }

    /// What was found.
    pub fn set(&self, found: &BTreeMap<i32, Range>) {
        let mut known = self.lock();
        for (partition, range) in found {
            known.entry(*partition).or_default().range = *range;
        }
    }

    /// The topic is gone.
    pub fn clear(&self) {
        self.lock().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_ends_before_is_another() {
        let ends = Ends::default();
        let found = |high| BTreeMap::from([(0, (0, high)), (1, (0, 0))]);
        assert!(!ends.is_another(&found(0)));
        ends.set(&found(5));
        ends.wrote(Place { partition: 0, offset: 7 });
        assert_eq!((ends.end_of(0), ends.end_of(1), ends.end_of(2)), (Some(8), Some(0), None));
        assert!(!ends.is_another(&found(5)), "what was written may not be visible yet");
        assert!(ends.is_another(&found(4)));
        assert!(ends.is_another(&BTreeMap::from([(0, (0, 9))])), "a partition is gone");
        ends.clear();
        assert!(!ends.is_another(&found(1)) && ends.end_of(0).is_none());
    }
}
