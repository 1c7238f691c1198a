//! Ports on loopback: free ones outside the ephemeral range, the same for a component as long as the bridge runs, and
//! where nothing else has taken it, the same in the next run too.

use std::collections::{BTreeSet, HashMap};
use std::net::{Ipv4Addr, TcpListener};

use crate::bridge::Id;

/// Below Linux's ephemeral ports (32768), which outgoing connections take at random.
const FIRST: u16 = 20_000;
const COUNT: u16 = 10_000;

/// The ports of one component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    pub events: u16,
    pub metrics: u16,
}

/// Who has which ports.
#[derive(Default)]
pub struct Ports {
    assigned: HashMap<Id, Pair>,
}

impl Ports {
    /// The ports of a component; none when not two of the range are free.
    pub fn of(&mut self, id: &Id) -> Option<Pair> {
        if let Some(pair) = self.assigned.get(id) {
            return Some(*pair);
        }
        let mut taken: BTreeSet<u16> =
            self.assigned.values().flat_map(|pair| [pair.events, pair.metrics]).collect();
        let start = hash(&format!("{}/{}/{}", id.namespace, id.kind, id.name));
        let events = free(start, &taken)?;
        taken.insert(events);
        let metrics = free(start.wrapping_add(1), &taken)?;
        let pair = Pair { events, metrics };
        self.assigned.insert(id.clone(), pair);
        Some(pair)
    }

    /// Forgets the components that are gone.
    pub fn keep(&mut self, is_there: impl Fn(&Id) -> bool) {
        self.assigned.retain(|id, _| is_there(id));
    }
}

fn free(start: u32, taken: &BTreeSet<u16>) -> Option<u16> {
    (0..COUNT)
        .map(|step| FIRST + ((start % u32::from(COUNT) + u32::from(step)) % u32::from(COUNT)) as u16)
        .find(|port| !taken.contains(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
}

/// FNV-1a: the same in every build, unlike the standard library's hasher.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> Id {
        Id { kind: "WebhookSource".into(), namespace: "default".into(), name: name.into() }
    }

    #[test]
    fn ports_are_distinct_and_stay() {
        let mut ports = Ports::default();
        let first = ports.of(&id("a")).unwrap();
        let second = ports.of(&id("b")).unwrap();
        let all: BTreeSet<u16> =
            [first, second].iter().flat_map(|pair| [pair.events, pair.metrics]).collect();
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(|port| (FIRST..FIRST + COUNT).contains(port)));
        assert_eq!(ports.of(&id("a")), Some(first));
    }

    #[test]
    fn a_port_in_use_is_passed_over() {
        let mut ports = Ports::default();
        let pair = ports.of(&id("taken")).unwrap();
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, pair.events)).unwrap();
        let other = Ports::default().of(&id("taken")).unwrap();
        assert_ne!(other.events, pair.events);
    }
}
