//! Cycles of sinks. Through a broker a circle is legal (transform and return) and the broker counts hops; without one an
//! event would go round for ever, each component waiting for the next. A synchronizer ends the circle: what comes back to it
//! goes to whoever sent the first event.

use std::collections::{HashMap, HashSet};

use super::mistake::{Mistakes, Position};
use crate::bridge::{Component, Destination, Id, Setting};

/// The adapter that sends on what comes first and keeps what comes back.
pub const SYNCHRONIZER: &str = "synchronizer";

/// Reports every cycle once, at the component of it that stands first in the file.
pub fn check(components: &[(Component, Position)], mistakes: &mut Mistakes) {
    let next: HashMap<&Id, &Id> = components
        .iter()
        .filter(|(component, _)| component.adapter != SYNCHRONIZER)
        .filter_map(|(component, _)| Some((&component.id, sink(component)?)))
        .collect();
    let mut seen: HashSet<&Id> = HashSet::new();
    for (component, at) in components {
        let mut chain = vec![&component.id];
        let mut last = &component.id;
        while let Some(id) = next.get(last).filter(|_| !seen.contains(last)) {
            if *id == &component.id {
                let names: Vec<String> = chain.iter().chain([id]).map(ToString::to_string).collect();
                mistakes.add(*at, format!("events go round without end: {}", names.join(" → ")));
                break;
            }
            if chain.contains(id) {
                break;
            }
            chain.push(id);
            last = id;
        }
        seen.extend(chain);
    }
}

fn sink(component: &Component) -> Option<&Id> {
    match component.environment.get("K_SINK") {
        Some(Setting::Address(Destination::Component { id, .. })) => Some(id),
        _ => None,
    }
}
