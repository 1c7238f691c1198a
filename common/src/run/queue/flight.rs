//! Messages on their way to the sink: all at once, but those of a group one after the other.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::{Queue, acks::Done, intake::Place, leases::Lease};
use crate::{
    Event, Text, Trace,
    adapter::{Message, QueueSource},
    error::Fault,
    send::{Failure, Terms},
    worker,
};

/// How long a message that the sink refused stays hidden after it was received for the first time; doubled with each time.
const HIDDEN: Duration = Duration::from_secs(30);
const HIDDEN_LONGEST: Duration = Duration::from_secs(15 * 60);

/// A message in flight.
pub(super) struct Flight<R> {
    name: Text,
    events: Vec<Event>,
    receives: Option<u32>,
    pub(super) done: Done<R>,
}

/// Messages that wait for an earlier one of their group; a group is here while one of it is out.
pub(super) struct Groups<Q: QueueSource>(Mutex<Waiting<Q::Receipt>>);

type Waiting<R> = HashMap<Text, VecDeque<Flight<R>>>;

impl<Q: QueueSource> Default for Groups<Q> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Q: QueueSource> Groups<Q> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<Q::Receipt>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The flight back when none of its group is out; else it waits.
    fn enter(&self, group: &Text, flight: Flight<Q::Receipt>) -> Option<Flight<Q::Receipt>> {
        match self.waiting().entry(group.clone()) {
            Entry::Occupied(mut waiting) => {
                waiting.get_mut().push_back(flight);
                None
            }
            Entry::Vacant(group) => {
                group.insert(VecDeque::new());
                Some(flight)
            }
        }
    }

    /// The next of the group; the group is gone when there is none.
    fn next(&self, group: &Text) -> Option<Flight<Q::Receipt>> {
        let mut waiting = self.waiting();
        let next = waiting.get_mut(group).and_then(VecDeque::pop_front);
        if next.is_none() {
            waiting.remove(group);
        }
        next
    }

    /// All that wait in the group, which is gone then.
    fn leave(&self, group: &Text) -> VecDeque<Flight<Q::Receipt>> {
        self.waiting().remove(group).unwrap_or_default()
    }
}

/// Why a message was not delivered.
enum Undelivered {
    /// The sink refuses it for good.
    Refused(Box<Failure>),
    /// The process is asked to stop.
    Stopped,
    /// Its lease is over.
    Lost,
}

impl<Q: QueueSource> Queue<Q> {
    /// Sends a message that has just been received on its way.
    pub(super) fn begin(self: &Arc<Self>, message: Message<Q::Receipt>, place: Place, received: Instant) {
        let Message { name, events, receipt, group, receives, bytes: _ } = message;
        if receives.is_some_and(|receives| receives > 1) {
            self.metrics.redelivered();
        }
        let lease = self.leases.begin(receipt.clone(), received);
        let counted = self.metrics.in_flight.count();
        let done = Done { receipt, lease, _place: place, _counted: counted };
        let flight = Flight { name, events, receives, done };
        let queue = Arc::clone(self);
        match group {
            None => {
                worker::spawn(async move { queue.fly_alone(flight).await });
            }
            Some(group) => {
                if let Some(flight) = self.groups.enter(&group, flight) {
                    worker::spawn(async move { queue.fly_in_turn(&group, flight).await });
                }
            }
        }
    }

    async fn fly_alone(&self, mut flight: Flight<Q::Receipt>) {
        match self.deliver(&mut flight).await {
            Ok(()) => self.acks.push(flight.done),
            Err(reason) => self.give_back(flight, reason).await,
        }
    }

    async fn fly_in_turn(&self, group: &Text, first: Flight<Q::Receipt>) {
        let mut next = Some(first);
        while let Some(mut flight) = next {
            match self.deliver(&mut flight).await {
                Ok(()) => {
                    self.acks.push(flight.done);
                    next = self.groups.next(group);
                }
                Err(reason) => {
                    // The later ones go back first, the last of them before all: none may be received before an earlier one.
                    let later = self.groups.leave(group);
                    self.hand_back_later(later).await;
                    self.give_back(flight, reason).await;
                    return;
                }
            }
        }
    }

    /// Delivers all events of a message.
    async fn deliver(&self, flight: &mut Flight<Q::Receipt>) -> Result<(), Undelivered> {
        let Flight { name, events, done, .. } = flight;
        let lease: &Lease = &done.lease;
        let valid = || lease.is_valid();
        let terms = Terms { stop: &self.stop, hold_refused: false, valid: &valid, origin: Some(&**name) };
        for mut event in events.drain(..) {
            if !lease.is_valid() {
                return Err(Undelivered::Lost);
            }
            let begun = Instant::now();
            let trace = Trace::of(&event);
            let result = self.sink.deliver_under(&mut event, &trace, &terms).await;
            self.metrics.processed(event.event_type(), result.is_ok(), begun.elapsed());
            result.map_err(|failure| {
                if failure.fault == Fault::Event {
                    Undelivered::Refused(Box::new(failure))
                } else if lease.is_valid() {
                    Undelivered::Stopped
                } else {
                    Undelivered::Lost
                }
            })?;
        }
        Ok(())
    }

    async fn give_back(&self, flight: Flight<Q::Receipt>, reason: Undelivered) {
        let after = match reason {
            Undelivered::Stopped => Some(Duration::ZERO),
            Undelivered::Refused(failure) => {
                let hidden = hidden(flight.receives);
                tracing::warn!(
                    message_name = &*flight.name,
                    reason = failure.message,
                    receives = flight.receives,
                    hidden_s = hidden.as_secs(),
                    "the sink refuses a message and there is no DEAD_LETTER_SINK: it stays in the queue"
                );
                Some(hidden)
            }
            Undelivered::Lost => {
                tracing::warn!(
                    message_name = &*flight.name,
                    "the lease of a message ended before it was delivered: it comes again"
                );
                None
            }
        };
        if let Some(after) = after {
            self.adapter.release(std::slice::from_ref(&flight.done.receipt), after).await;
        }
        self.finish(&flight.done);
    }

    async fn hand_back_later(&self, later: VecDeque<Flight<Q::Receipt>>) {
        let ours = later.iter().rev().filter(|flight| flight.done.lease.is_valid());
        let receipts: Vec<_> = ours.map(|flight| flight.done.receipt.clone()).collect();
        for part in receipts.chunks(self.limits.acknowledge_batch) {
            self.adapter.release(part, Duration::ZERO).await;
        }
        for flight in later {
            self.finish(&flight.done);
        }
    }

    /// A message is no longer in flight.
    pub(super) fn finish(&self, done: &Done<Q::Receipt>) {
        self.leases.finish(&done.lease);
    }
}

/// How long a message that was refused stays hidden, by how often it was received.
fn hidden(receives: Option<u32>) -> Duration {
    let doublings = receives.unwrap_or(1).saturating_sub(1).min(16);
    HIDDEN.saturating_mul(1 << doublings).min(HIDDEN_LONGEST)
}
