//! The seats of those who wait: who waits for which key, how many and how much in all.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::Event;
use tokio::sync::oneshot;
use waiting::{NoPlace, Place, Room};

use crate::key;

/// How often a key is drawn before it is said that there is none: only short ones are ever taken.
const DRAWS: usize = 16;

/// Those who wait.
#[derive(Debug)]
pub struct Table {
    /// By key; `None` once it was called, while its caller is being answered.
    seats: Mutex<HashMap<String, Option<oneshot::Sender<Call>>>>,
    room: Room,
    key_length: usize,
}

/// One who waits. Dropping it frees the seat.
#[derive(Debug)]
pub struct Seat<'a> {
    table: &'a Table,
    key: String,
    /// Given back after the key.
    _place: Place,
    calls: oneshot::Receiver<Call>,
}

/// What one who waits is told.
#[derive(Debug)]
pub enum Call {
    /// The response, and how to say that it has it.
    Response(Box<Event>, oneshot::Sender<()>),
    /// There will be none: the process ends.
    Dismissed,
}

/// Why there is no seat.
#[derive(Debug, thiserror::Error)]
pub enum NoSeat {
    /// Too many wait, or too much.
    #[error("too many requests wait for their responses")]
    Full,
    /// The process ends.
    #[error("the process is about to end")]
    Closed,
    /// Nearly all keys of this length are taken.
    #[error("no correlation key is free: longer ones are needed")]
    NoKey,
    /// The system gives no random bytes.
    #[error("drawing a correlation key: {0}")]
    NoRandomness(getrandom::Error),
}

/// Why a response reached nobody, in the words of the original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Nobody waits for this key: it was never drawn, or the wait is over.
    #[error("client session does not exist")]
    Unknown,
    /// Whoever waits has just gone, or has a response already.
    #[error("client connection is closed")]
    Gone,
}

impl Table {
    /// A table with so many seats, for requests of so many bytes together, with keys of this length.
    pub fn new(max: usize, max_bytes: usize, key_length: usize) -> Self {
        Self { seats: Mutex::default(), room: Room::new(max, max_bytes), key_length }
    }

    /// Takes a seat for a request of this size. One that comes to an empty table always gets one.
    ///
    /// # Errors
    /// When there is none.
    pub fn take(&self, bytes: usize) -> Result<Seat<'_>, NoSeat> {
        let place = self.room.take(bytes).map_err(|none| match none {
            NoPlace::Full => NoSeat::Full,
            NoPlace::Closed => NoSeat::Closed,
        })?;
        for _ in 0..DRAWS {
            let key = key::random(self.key_length).map_err(NoSeat::NoRandomness)?;
            let mut seats = self.seats();
            let Entry::Vacant(free) = seats.entry(key) else { continue };
            let (caller, calls) = oneshot::channel();
            let key = free.key().clone();
            free.insert(Some(caller));
            return Ok(Seat { table: self, key, _place: place, calls });
        }
        Err(NoSeat::NoKey)
    }

    /// Hands a response to whoever waits for its key, and returns when that one has it.
    ///
    /// # Errors
    /// When there is nobody.
    pub async fn call(&self, key: &str, response: Event) -> Result<(), NotTaken> {
        let caller = self.seats().get_mut(key).ok_or(NotTaken::Unknown)?.take();
        let (had, has) = oneshot::channel();
        let call = Call::Response(Box::new(response), had);
        caller.and_then(|caller| caller.send(call).ok()).ok_or(NotTaken::Gone)?;
        has.await.map_err(|_| NotTaken::Gone)
    }

    /// Gives no seat any more and waits until all have left; who is still there when patience ends is dismissed.
    pub async fn close(&self, patience: Duration) {
        let requests = self.room.close();
        tracing::info!(requests, "waiting for responses before the end");
        if !self.room.emptied(patience).await {
            let callers: Vec<_> = self.seats().values_mut().filter_map(Option::take).collect();
            tracing::error!(requests = callers.len(), "requests without a response are given up");
            for caller in callers {
                // One who has gone needs no telling.
                let _ = caller.send(Call::Dismissed);
            }
        }
    }

    fn seats(&self) -> MutexGuard<'_, HashMap<String, Option<oneshot::Sender<Call>>>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat<'_> {
    /// The key that the response must have.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Waits to be called; after that there is nothing to wait for.
    pub async fn called(&mut self) -> Call {
        // The sender is in the table as long as this seat is.
        (&mut self.calls).await.unwrap_or(Call::Dismissed)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.table.seats().remove(&self.key);
    }
}

#[cfg(test)]
mod tests;
