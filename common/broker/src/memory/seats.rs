//! Room for one event with all triggers that want it: for all of them or for none.

use std::{sync::Arc, time::Instant};

use smallvec::SmallVec;
use tokio::time::{timeout, timeout_at};

use super::{Memory, Stored, Trigger};
use crate::{
    engine::{Engine, Failed, Refused},
    room::{Place, Rank, Room},
};

/// Places for one event.
#[derive(Debug)]
pub(super) struct Seats {
    /// In the broker.
    pub total: Place,
    /// In each trigger's share; `None` = the share is full and its dead letter gets the event.
    pub places: SmallVec<[Option<Place>; 4]>,
}

/// Takes all places at once, or says which room is full.
pub(super) fn take(
    engine: &Engine<Memory>,
    triggers: &[Arc<Trigger<Memory>>],
    bytes: usize,
    rank: Rank,
) -> Result<Seats, Arc<Room>> {
    let mut places = SmallVec::new();
    for trigger in triggers {
        match trigger.room.take(bytes, rank) {
            Some(place) => places.push(Some(place)),
            None if trigger.route.load().dead_letter.is_some() => places.push(None),
            None => return Err(trigger.room.clone()),
        }
    }
    let total = engine.room.take(bytes, rank).ok_or_else(|| engine.room.clone())?;
    Ok(Seats { total, places })
}

/// Waits until there is room, as long as a new event may wait.
pub(super) async fn wait(
    engine: &Engine<Memory>,
    triggers: &[Arc<Trigger<Memory>>],
    bytes: usize,
    rank: Rank,
    mut full: Arc<Room>,
) -> Result<Seats, Refused> {
    if bytes > engine.settings.share.bytes {
        return Err(Refused::TooLarge);
    }
    let deadline = Instant::now() + engine.backend.produce_timeout;
    loop {
        let room = full.clone();
        // Asked for before the next look, so that room given back in between is not missed.
        let waiting = (rank == Rank::Reply).then(|| room.waiting_reply());
        let freed = room.freed(rank);
        match take(engine, triggers, bytes, rank) {
            Ok(seats) => {
                drop(waiting);
                room.pass_on();
                return Ok(seats);
            }
            Err(other) if !Arc::ptr_eq(&other, &room) => {
                // The room that was waited for has some, and another waiter may have use for it.
                drop(waiting);
                room.pass_on();
                full = other;
            }
            Err(_) => tokio::select! {
                freed = timeout_at(deadline.into(), freed) => freed.map_err(|_| Refused::Full)?,
                () = engine.ended() => return Err(Refused::Full),
            },
        }
    }
}

/// Gives the event to the dead letters of those triggers that are over their share. Each has taken it, or the event is
/// refused.
pub(super) async fn overflow(
    engine: &Arc<Engine<Memory>>,
    triggers: &[Arc<Trigger<Memory>>],
    seats: &Seats,
    stored: &Stored,
) -> Result<(), Refused> {
    let full = triggers.iter().zip(&seats.places).filter(|(_, place)| place.is_none());
    for (trigger, _) in full {
        let failed = Failed::refused(429, "the queue of the trigger is full");
        let attempt = engine.dead_letter(trigger, stored, &failed);
        match timeout(engine.backend.produce_timeout, attempt).await {
            Ok(Ok(Some(reply))) => {
                engine.reply(trigger, reply, stored.trace.clone(), stored.hops).await;
            }
            Ok(Ok(None)) => {}
            Ok(Err(_)) | Err(_) => return Err(Refused::Full),
        }
    }
    Ok(())
}
