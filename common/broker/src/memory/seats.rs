//! Room for one event with all triggers that want it: for all of them or for none.

use std::{sync::Arc, time::Instant};

use smallvec::SmallVec;
use tokio::time::{timeout, timeout_at};

use super::{Engine, Place, Rank, Refused, Room, SHARE, Stored, Trigger, work::Failed};
use crate::room::Amount;

/// Places for one event.
#[derive(Debug)]
pub(super) struct Seats {
    /// In the broker.
    pub total: Place,
    /// In each trigger's share; `None` = the share is full and its dead letter gets the event.
    pub places: SmallVec<[Option<Place>; 4]>,
}

impl Engine {
    /// The share of one trigger.
    pub(super) fn share(&self) -> Amount {
        let buffer = self.settings.buffer;
        Amount { events: buffer.events.div_ceil(SHARE), bytes: buffer.bytes / SHARE }
    }

    /// Takes all places at once, or says which room is full.
    pub(super) fn seats(
        &self,
        triggers: &[Arc<Trigger>],
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
        let total = self.room.take(bytes, rank).ok_or_else(|| self.room.clone())?;
        Ok(Seats { total, places })
    }

    /// Waits until there is room, as long as a new event may wait.
    pub(super) async fn wait_for_seats(
        &self,
        triggers: &[Arc<Trigger>],
        bytes: usize,
        rank: Rank,
        mut full: Arc<Room>,
    ) -> Result<Seats, Refused> {
        if bytes > self.share().bytes {
            return Err(Refused::TooLarge);
        }
        let deadline = Instant::now() + self.settings.produce_timeout;
        loop {
            let room = full.clone();
            // Asked for before the next look, so that room given back in between is not missed.
            let waiting = (rank == Rank::Reply).then(|| room.waiting_reply());
            let freed = room.freed(rank);
            match self.seats(triggers, bytes, rank) {
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
                    () = self.ended() => return Err(Refused::Full),
                },
            }
        }
    }

    /// Gives the event to the dead letters of those triggers that are over their share. Each has taken it, or the
    /// event is refused.
    pub(super) async fn overflow(
        self: &Arc<Self>,
        triggers: &[Arc<Trigger>],
        seats: &Seats,
        stored: &Stored,
    ) -> Result<(), Refused> {
        let full = triggers.iter().zip(&seats.places).filter(|(_, place)| place.is_none());
        for (trigger, _) in full {
            let failed = Failed::refused(429, "the queue of the trigger is full");
            let attempt = self.dead_letter(trigger, &stored.event, &stored.trace, &failed);
            let reply = timeout(self.settings.produce_timeout, attempt).await;
            match reply {
                Ok(Ok(Some(reply))) => self.reply(trigger, reply, stored.trace.clone(), stored.hops).await,
                Ok(Ok(None)) => {}
                Ok(Err(_)) | Err(_) => return Err(Refused::Full),
            }
        }
        Ok(())
    }
}
