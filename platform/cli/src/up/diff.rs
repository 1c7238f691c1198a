//! What an edit of the manifest changes, component by component.

use std::collections::{BTreeMap, BTreeSet};

use super::launch::Launch;
use crate::bridge::Id;

/// The difference between what runs and what shall run.
#[derive(Debug, Default, PartialEq)]
pub struct Changes {
    pub added: BTreeSet<Id>,
    pub removed: BTreeSet<Id>,
    /// To be started again: another environment, another binary.
    pub changed: BTreeSet<Id>,
    /// Brokers that only need another document.
    pub rerouted: BTreeSet<Id>,
}

impl Changes {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        *self == Changes::default()
    }
}

/// Compares.
pub fn diff<'a>(old: impl Iterator<Item = (&'a Id, &'a Launch)>, new: &BTreeMap<Id, Launch>) -> Changes {
    let old: BTreeMap<&Id, &Launch> = old.collect();
    let mut changes = Changes::default();
    for (id, launch) in new {
        match old.get(id) {
            None => drop(changes.added.insert(id.clone())),
            Some(before) if needs_restart(before, launch) => drop(changes.changed.insert(id.clone())),
            Some(before) if before.document != launch.document => drop(changes.rerouted.insert(id.clone())),
            Some(_) => {}
        }
    }
    changes.removed = old.keys().filter(|id| !new.contains_key(**id)).map(|id| (*id).clone()).collect();
    changes
}

fn needs_restart(before: &Launch, after: &Launch) -> bool {
    before.adapter != after.adapter || before.environment != after.environment || before.files != after.files
}
