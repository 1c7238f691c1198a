//! Events in memory alone: an event is accepted when every trigger that wants it has room for it, and by all of them or
//! by none. It stands in memory once, however many triggers wait for it.

mod letters;
mod seats;

use std::{sync::Arc, time::Duration};

use smallvec::SmallVec;

use crate::{
    document::Bounds,
    engine::{Backend, Engine, Entry, OVERHEAD, Refused, Stored, Trigger},
    filter::Filter,
    room::{Amount, Rank},
};

use letters::Letters;
use seats::Seats;

/// One trigger holds at most this part of the broker's room.
const SHARE: usize = 4;

/// The backend.
#[derive(Debug)]
pub struct Memory {
    /// How long a new event waits for room.
    produce_timeout: Duration,
    /// A copy of what was lost.
    letters: Letters,
}

type Triggers = SmallVec<[Arc<Trigger<Memory>>; 4]>;

impl Memory {
    /// Events in memory; a new one waits so long for room.
    #[must_use]
    pub fn new(produce_timeout: Duration, buffer: Amount) -> Self {
        Self { produce_timeout, letters: Letters::new(Self::share(buffer)) }
    }

    /// What one trigger holds at most of what the broker does.
    #[must_use]
    pub fn share(buffer: Amount) -> Amount {
        Amount { events: buffer.events.div_ceil(SHARE), bytes: buffer.bytes / SHARE }
    }

    /// Replay is for brokers that keep events; the old memory broker refused `bounds` as well.
    ///
    /// # Errors
    /// Always.
    pub fn bounds(_: &Bounds) -> Result<(), String> {
        Err("this broker keeps no past events and cannot replay them".to_owned())
    }
}

impl Backend for Memory {
    const KEEPS: bool = false;
    type Lane = ();
    type Receipt = ();
    type Dead = Letters;

    fn dead(&self) -> &Letters {
        &self.letters
    }

    /// Gives an event to all triggers that want it.
    async fn publish(engine: &Arc<Engine<Self>>, stored: &Arc<Stored>, rank: Rank) -> Result<(), Refused> {
        let triggers = wanted_by(engine, stored);
        if triggers.is_empty() {
            engine.metrics.unmatched();
            return Ok(());
        }
        let bytes = stored.event.size() + OVERHEAD;
        let seats = match seats::take(engine, &triggers, bytes, rank) {
            Ok(seats) => seats,
            Err(full) => seats::wait(engine, &triggers, bytes, rank, full).await?,
        };
        if seats.places.iter().any(Option::is_none) {
            Box::pin(seats::overflow(engine, &triggers, &seats, stored)).await?;
        }
        enqueue(engine, triggers, seats, stored);
        Ok(())
    }

    fn lane(&self, _: &str, _: Option<&Bounds>) {}

    fn opened(_: &Arc<Engine<Self>>, _: &Arc<Trigger<Self>>, filters: Vec<Filter>, _: bool) -> Vec<Filter> {
        filters
    }
}

fn wanted_by(engine: &Engine<Memory>, stored: &Stored) -> Triggers {
    let table = engine.table.load();
    let positions = table.index.select(&stored.event);
    positions.iter().filter_map(|position| table.triggers.get(*position as usize).cloned()).collect()
}

fn enqueue(engine: &Arc<Engine<Memory>>, triggers: Triggers, seats: Seats, stored: &Arc<Stored>) {
    stored.hold(seats.total);
    for (trigger, place) in triggers.iter().zip(seats.places) {
        let Some(place) = place else { continue };
        engine.enqueue(trigger, Entry { stored: stored.clone(), place, receipt: () });
    }
}
