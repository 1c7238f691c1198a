//! Ports on loopback: free ones outside the ephemeral range, the same for a component as long as the bridge runs, and
//! where nothing else has taken it, the same in the next run too.

use std::collections::HashMap;
use std::net::{Ipv4Addr, UdpSocket};

use tokio::net::TcpSocket;

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
    assigned: HashMap<Id, [Reserved; 2]>,
}

/// A port that no other bridge on this machine takes, not even while the component is about to start or starts again.
struct Reserved {
    port: u16,
    /// Components listen by TCP. The UDP port of the same number is the lock: the system gives it to one process only and
    /// takes it back when that ends, however it ends.
    _lock: UdpSocket,
}

impl Ports {
    /// The ports of a component; none when not two of the range are free.
    pub fn of(&mut self, id: &Id) -> Option<Pair> {
        if !self.assigned.contains_key(id) {
            let start = hash(&format!("{}/{}/{}", id.namespace, id.kind, id.name));
            let events = Reserved::near(start)?;
            let metrics = Reserved::near(start.wrapping_add(1))?;
            self.assigned.insert(id.clone(), [events, metrics]);
        }
        let [events, metrics] = self.assigned.get(id)?;
        Some(Pair { events: events.port, metrics: metrics.port })
    }

    /// Forgets the components that are gone.
    pub fn keep(&mut self, is_there: impl Fn(&Id) -> bool) {
        self.assigned.retain(|id, _| is_there(id));
    }
}

impl Reserved {
    /// The first free port from a place in the range on, round to it again.
    fn near(start: u32) -> Option<Reserved> {
        let place = |step: u16| (start % u32::from(COUNT) + u32::from(step)) % u32::from(COUNT);
        (0..COUNT).find_map(|step| Reserved::take(FIRST + place(step) as u16))
    }

    fn take(port: u16) -> Option<Reserved> {
        let lock = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).ok()?;
        // Bound and no more: were it listened on for a moment, somebody could take that for what he waits for.
        let socket = TcpSocket::new_v4().ok()?;
        socket.set_reuseaddr(true).ok()?;
        socket.bind((Ipv4Addr::LOCALHOST, port).into()).ok()?;
        Some(Reserved { port, _lock: lock })
    }
}

/// FNV-1a: the same in every build, unlike the standard library's hasher.
fn hash(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::net::TcpListener;

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
    fn two_bridges_never_share_a_port() {
        let (mut one, mut other) = (Ports::default(), Ports::default());
        assert_ne!(one.of(&id("same")).unwrap().events, other.of(&id("same")).unwrap().events);
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
