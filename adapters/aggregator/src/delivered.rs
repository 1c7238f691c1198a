//! Which parts were delivered of late: what comes again is acknowledged without a second delivery.

use std::{
    collections::{HashSet, VecDeque},
    hash::{BuildHasher, RandomState},
};

use routing::aggregator::{Group, Mark};

/// A part as two hashes with keys of this process: a fixed size, and nobody can find two parts that share them.
pub type Key = (u64, u64);

/// A memory of so many.
#[derive(Debug)]
pub struct Delivered {
    capacity: usize,
    known: HashSet<Key>,
    /// The same, oldest first.
    order: VecDeque<Key>,
}

/// What makes keys.
#[derive(Debug, Default)]
pub struct Keys([RandomState; 2]);

impl Keys {
    /// That of a part.
    pub fn key(&self, group: &Group, mark: &Mark) -> Key {
        let part = (group, mark);
        (self.0[0].hash_one(part), self.0[1].hash_one(part))
    }
}

impl Delivered {
    /// An empty one.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, known: HashSet::new(), order: VecDeque::new() }
    }

    /// Whether a part was delivered.
    pub fn knows(&self, key: Key) -> bool {
        self.known.contains(&key)
    }

    /// Remembers one, and forgets the oldest where there are too many.
    pub fn remember(&mut self, key: Key) {
        if self.known.insert(key) {
            self.order.push_back(key);
        }
        while self.order.len() > self.capacity {
            let oldest = self.order.pop_front();
            oldest.map(|oldest| self.known.remove(&oldest));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten() {
        let mut delivered = Delivered::new(2);
        for number in [1, 2, 2, 3] {
            delivered.remember((number, 0));
        }
        assert!(!delivered.knows((1, 0)) && delivered.knows((2, 0)) && delivered.knows((3, 0)));
        assert_eq!((delivered.known.len(), delivered.order.len()), (2, 2));
        let mut none = Delivered::new(0);
        none.remember((1, 0));
        assert!(!none.knows((1, 0)));
    }
}
