//! What the double remembers: the log of each partition, who reads it, and what goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use fe2o3_amqp_types::definitions::Error;
use fe2o3_amqp_types::messaging::MessageAnnotations;
use fe2o3_amqp_types::messaging::annotations::OwnedKey;
use fe2o3_amqp_types::primitives::{Timestamp, Value};
use tokio::sync::{oneshot, watch};

use super::event::{AnyMessage, Stored, annotation, now};
use super::links::stolen;

/// A receiver of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Its consumer group.
    pub group: String,
    /// Its partition.
    pub partition: usize,
    /// Its owner level, if it gave one.
    pub epoch: Option<i64>,
    /// The connection it came by.
    pub connection: u64,
    pub(super) id: u64,
}

/// What becomes of a message or a batch that is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Kept and confirmed.
    Accept,
    /// Refused with this condition.
    Reject(&'static str),
    /// Given back without being kept.
    Release,
    /// The connection breaks before anything is kept.
    CutBefore,
    /// Kept, and the connection breaks before that is confirmed.
    CutAfter,
    /// Kept, and never confirmed.
    Hang,
}

/// What goes wrong.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// `$cbs` refuses tokens with this code.
    pub tokens: Option<i32>,
    /// There is no such hub.
    pub missing: bool,
    /// `$management` answers with this code.
    pub management: Option<i32>,
    /// Receivers are attached and get nothing.
    pub silent: bool,
}

/// Decides by the bodies of what is sent together.
type Answers = Box<dyn FnMut(&[Vec<u8>]) -> Answer + Send>;

#[derive(Default)]
struct State {
    partitions: Vec<Partition>,
    groups: BTreeSet<String>,
    readers: Vec<(Reader, oneshot::Sender<Error>)>,
    connections: BTreeMap<u64, TcpStream>,
    next: u64,
    round_robin: usize,
    faults: Faults,
    answers: Option<Answers>,
    sends: usize,
    expired: Option<Instant>,
    tokens: (usize, usize),
}

#[derive(Default)]
struct Partition {
    events: Vec<Stored>,
    /// The sequence number and the offset of the next.
    next: (i64, i64),
}

/// The hub.
pub struct Hub {
    state: Mutex<State>,
    /// Counts changes; whoever waits for one looks at what it wants again.
    changes: watch::Sender<u64>,
}

impl Hub {
    pub fn new(partitions: usize) -> Self {
        let hub = Self { state: Mutex::default(), changes: watch::Sender::new(0) };
        hub.add_partitions(partitions);
        hub.add_group("$Default");
        hub
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    pub fn add_partitions(&self, more: usize) {
        self.state().partitions.extend((0..more).map(|_| Partition::default()));
    }

    pub fn add_group(&self, name: &str) {
        self.state().groups.insert(name.to_lowercase());
    }

    pub fn has_group(&self, name: &str) -> bool {
        self.state().groups.contains(&name.to_lowercase())
    }

    pub fn partitions(&self) -> usize {
        self.state().partitions.len()
    }

    pub fn store(&self, partition: usize, mut message: AnyMessage) -> i64 {
        let enqueued = now();
        let mut state = self.state();
        let Some(log) = state.partitions.get_mut(partition) else { return -1 };
        let (sequence, offset) = log.next;
        let annotations = message.message_annotations.get_or_insert_with(MessageAnnotations::default);
        for (name, value) in [
            ("x-opt-sequence-number", Value::Long(sequence)),
            ("x-opt-offset", Value::String(offset.to_string())),
            ("x-opt-enqueued-time", Value::Timestamp(Timestamp::from_milliseconds(enqueued))),
        ] {
            annotations.0.insert(OwnedKey::from(name), value);
        }
        let stored = Stored { partition, sequence, offset, enqueued, message };
        log.next = (sequence + 1, offset + 48 + stored.body().len() as i64);
        log.events.push(stored);
        drop(state);
        self.changed();
        sequence
    }

    /// The partition of a message that names none: by its key, else the next one.
    pub fn choose(&self, message: &AnyMessage) -> usize {
        let mut state = self.state();
        let count = state.partitions.len().max(1);
        if let Some(key) = annotation(message, "x-opt-partition-key") {
            let sum = key.bytes().fold(7_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
            return sum % count;
        }
        state.round_robin += 1;
        state.round_robin % count
    }

    pub fn stored(&self, partition: usize) -> Vec<Stored> {
        self.state().partitions.get(partition).map(|log| log.events.clone()).unwrap_or_default()
    }

    /// The first event with at least this sequence number.
    pub fn at(&self, partition: usize, sequence: i64) -> Option<Stored> {
        let state = self.state();
        let events = &state.partitions.get(partition)?.events;
        events.get(events.partition_point(|event| event.sequence < sequence)).cloned()
    }

    /// Sequence numbers of the first event and of the next, and the offset of the next.
    pub fn ends(&self, partition: usize) -> Option<(i64, i64, i64)> {
        let state = self.state();
        let log = state.partitions.get(partition)?;
        Some((log.events.first().map_or(log.next.0, |event| event.sequence), log.next.0, log.next.1))
    }

    pub fn retain(&self, partition: usize, from: i64) {
        if let Some(log) = self.state().partitions.get_mut(partition) {
            log.events.retain(|event| event.sequence >= from);
        }
    }

    pub fn readers(&self) -> Vec<Reader> {
        self.state().readers.iter().map(|(reader, _)| reader.clone()).collect()
    }

    /// Attaches a receiver, or says why it cannot be. Others that must give way are told so.
    pub fn attach(&self, mut reader: Reader, end: oneshot::Sender<Error>) -> Result<u64, Error> {
        let mut state = self.state();
        let same = |other: &Reader| other.group == reader.group && other.partition == reader.partition;
        let highest =
            state.readers.iter().filter(|(other, _)| same(other)).filter_map(|(other, _)| other.epoch).max();
        if highest.is_some_and(|highest| reader.epoch.is_none_or(|epoch| epoch < highest)) {
            return Err(stolen("a receiver with a higher epoch exists"));
        }
        if reader.epoch.is_some() {
            for index in (0..state.readers.len()).rev() {
                if state.readers.get(index).is_some_and(|(other, _)| same(other)) {
                    let (_, end) = state.readers.remove(index);
                    let _ = end.send(stolen("a new receiver with a higher epoch is created"));
                }
            }
        }
        state.next += 1;
        reader.id = state.next;
        let id = reader.id;
        state.readers.push((reader, end));
        Ok(id)
    }

    pub fn detach(&self, id: u64) {
        self.state().readers.retain(|(reader, _)| reader.id != id);
    }

    pub fn steal(&self, partition: usize) {
        let mut state = self.state();
        let all = std::mem::take(&mut state.readers);
        for (reader, end) in all {
            if reader.partition == partition {
                let _ = end.send(stolen("a new receiver with a higher epoch is created"));
            } else {
                state.readers.push((reader, end));
            }
        }
    }

    pub fn faults(&self) -> Faults {
        self.state().faults.clone()
    }

    pub fn change_faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.state().faults);
        self.changed();
    }

    pub fn set_answers(&self, answers: Answers) {
        self.state().answers = Some(answers);
    }

    pub fn answer(&self, bodies: &[Vec<u8>]) -> Answer {
        let mut state = self.state();
        state.sends += 1;
        state.answers.as_mut().map_or(Answer::Accept, |answers| answers(bodies))
    }

    pub fn sends(&self) -> usize {
        self.state().sends
    }

    pub fn expire_tokens(&self) {
        self.state().expired = Some(Instant::now());
        self.changed();
    }

    /// Since when tokens count.
    pub fn expired(&self) -> Option<Instant> {
        self.state().expired
    }

    pub fn count_token(&self, refused: bool) {
        let mut state = self.state();
        state.tokens.0 += 1;
        state.tokens.1 += usize::from(refused);
    }

    pub fn tokens(&self) -> (usize, usize) {
        self.state().tokens
    }

    pub fn connected(&self, stream: TcpStream) -> u64 {
        let mut state = self.state();
        state.next += 1;
        let id = state.next;
        state.connections.insert(id, stream);
        id
    }

    pub fn cut(&self, connection: u64) {
        if let Some(stream) = self.state().connections.remove(&connection) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub fn cut_all(&self) {
        let all = std::mem::take(&mut self.state().connections);
        for stream in all.into_values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}
