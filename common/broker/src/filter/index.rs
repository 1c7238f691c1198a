//! Finds the triggers of an event without asking each: one look-up per attribute that exact filters name.
//!
//! Each trigger stands under attribute values of which an event must have one to pass; those that have none (prefix,
//! suffix, not, cesql, no filter) are asked each time. Every candidate is then asked in full.

use std::collections::HashMap;

use common::Event;
use smallvec::SmallVec;

use super::{Filter, Necessary};

/// The positions of the triggers that want an event, in rising order.
pub type Positions = SmallVec<[u32; 8]>;

/// An index over the filters of all triggers, which are known by their position.
#[derive(Debug, Default)]
pub struct Index {
    /// One table for each attribute that is looked up.
    pub(super) tables: Vec<(String, HashMap<String, Positions>)>,
    /// Triggers that are asked each time.
    pub(super) scan: Positions,
    /// Per trigger: all of them must pass.
    filters: Vec<Vec<Filter>>,
}

impl Index {
    /// Builds the index; the position of a trigger is its place in the list.
    #[must_use]
    pub fn new(filters: Vec<Vec<Filter>>) -> Self {
        let mut index = Self { filters, ..Self::default() };
        // Of the values under which a trigger can stand, those that the fewest triggers name divide best.
        let mut popularity: HashMap<(&str, &str), u32> = HashMap::new();
        for pair in index.filters.iter().flatten().flat_map(Filter::necessary).flatten() {
            *popularity.entry(pair).or_default() += 1;
        }
        let weight = |set: &Necessary<'_>| {
            set.iter().map(|pair| popularity.get(pair).copied().unwrap_or(0)).sum::<u32>()
        };
        let mut tables: Vec<(String, HashMap<String, Positions>)> = Vec::new();
        for (position, filters) in (0..).zip(&index.filters) {
            let Some(set) = filters.iter().flat_map(Filter::necessary).min_by_key(weight) else {
                index.scan.push(position);
                continue;
            };
            for (name, value) in set {
                let table = match tables.iter().position(|(known, _)| known == name) {
                    Some(found) => found,
                    None => {
                        tables.push((name.to_owned(), HashMap::new()));
                        tables.len() - 1
                    }
                };
                tables[table].1.entry(value.to_owned()).or_default().push(position);
            }
        }
        index.tables = tables;
        index
    }

    /// The positions of the triggers whose filters the event passes.
    #[must_use]
    pub fn select(&self, event: &Event) -> Positions {
        let mut found = self.scan.clone();
        for (name, table) in &self.tables {
            if let Some(positions) = event.get(name).and_then(|value| table.get(value)) {
                found.extend_from_slice(positions);
            }
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|position| {
            self.filters
                .get(*position as usize)
                .is_some_and(|filters| filters.iter().all(|filter| filter.passes(event)))
        });
        found
    }
}
