//! The groups: which parts are there, who waits for the rest, and what is bounded.
//!
//! A part is kept while its caller waits and, for a while, after that: who sends it again finds it here. It is acknowledged
//! only once the aggregate with it was accepted.

mod groups;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use common::Error;
use routing::aggregator::{Group, Mark, Part};
use tokio::{
    sync::{Mutex as Turn, MutexGuard as OwnTurn, watch},
    time::Instant,
};
use waiting::{Place, Room};

use crate::delivered::{Delivered, Key, key};
pub use groups::NotTaken;
use groups::{Groups, Joined};

/// What is bounded, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How long a group may take.
    pub timeout: Duration,
    /// How long one is kept for which nobody waits.
    pub keep: Duration,
    /// Callers that wait.
    pub waiting: usize,
    /// Groups.
    pub groups: usize,
    /// Parts of a group.
    pub parts: usize,
    /// Bytes of a group, as an array.
    pub group_bytes: usize,
    /// Bytes of all groups.
    pub bytes: usize,
}

/// All groups.
#[derive(Debug)]
pub struct Table {
    state: Mutex<State>,
    callers: Room,
    timeout: Duration,
}

#[derive(Debug)]
struct State {
    groups: Groups,
    /// Parts of groups that are being sent.
    leaving: HashMap<Key, Arc<Shared>>,
    delivered: Delivered,
}

/// What those who wait for a group have in common.
#[derive(Debug)]
struct Shared {
    word: watch::Sender<Word>,
    waiting: AtomicUsize,
    /// What is to be sent, once no part comes any more.
    sealed: OnceLock<Sealed>,
    /// Held by whoever sends.
    turn: Turn<()>,
    /// What came of it; all are told at once, so that a kill finds as few as can be who are not.
    outcome: watch::Sender<Option<Result<(), Error>>>,
}

/// What is to be sent.
#[derive(Debug)]
pub struct Sealed {
    /// The group.
    pub group: Group,
    /// Its parts, in the order in which they came.
    pub parts: Vec<Part>,
    /// Whether these are all.
    pub is_complete: bool,
    /// The room that they take until they are sent.
    _places: Vec<Place>,
}

/// What one who waits is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Parts are missing.
    Wait,
    /// It is to be sent, by whoever has the turn.
    Send,
    /// The process ends.
    Dismissed,
}

/// One caller who waits. Dropping it is its leave.
#[derive(Debug)]
pub struct Seat<'a> {
    table: &'a Table,
    shared: Arc<Shared>,
    word: watch::Receiver<Word>,
    group: Group,
    mark: Mark,
    /// When the group must be complete.
    pub deadline: Instant,
    _place: Place,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            word: watch::Sender::new(Word::Wait),
            waiting: AtomicUsize::new(0),
            sealed: OnceLock::new(),
            turn: Turn::new(()),
            outcome: watch::Sender::new(None),
        })
    }
}

impl Table {
    /// An empty one, which knows these parts.
    pub fn new(bounds: &Bounds, delivered: Delivered) -> Self {
        let state = State { groups: Groups::new(bounds), leaving: HashMap::new(), delivered };
        Self {
            state: Mutex::new(state),
            callers: Room::new(bounds.waiting, usize::MAX),
            timeout: bounds.timeout,
        }
    }

    /// Takes a part into its group; without a seat where it was delivered before.
    ///
    /// # Errors
    /// When it is not taken.
    pub fn join(&self, part: Part) -> Result<Option<Seat<'_>>, NotTaken> {
        self.join_at(part, Instant::now())
    }

    fn join_at(&self, part: Part, now: Instant) -> Result<Option<Seat<'_>>, NotTaken> {
        let key = key(&part.group, &part.mark);
        let mut state = self.state();
        if state.delivered.knows(key) {
            return Ok(None);
        }
        let place = self.callers.take(0)?;
        let (group, mark) = (part.group.clone(), part.mark.clone());
        let (shared, deadline) = match state.leaving.get(&key) {
            Some(shared) => (Arc::clone(shared), now),
            None => {
                let Joined { shared, deadline, is_full } =
                    state.groups.join(part, now, now + self.timeout)?;
                if is_full {
                    self.seal(&mut state, &group, true);
                }
                (shared, deadline)
            }
        };
        shared.waiting.fetch_add(1, Ordering::Relaxed);
        let word = shared.word.subscribe();
        Ok(Some(Seat { table: self, shared, word, group, mark, deadline, _place: place }))
    }

    /// No part comes any more: whoever waits may send it.
    fn seal(&self, state: &mut State, group: &Group, is_complete: bool) {
        let Some((shared, parts, places)) = state.groups.take(group) else { return };
        for part in &parts {
            state.leaving.insert(key(group, &part.mark), Arc::clone(&shared));
        }
        let sealed = Sealed { group: group.clone(), parts, is_complete, _places: places };
        // Only here is it set, and what is taken out of the groups does not come back.
        let _ = shared.sealed.set(sealed);
        shared.word.send_replace(Word::Send);
    }

    /// Takes no part any more, and tells those who wait. Gives the number of groups that were not complete.
    pub fn close(&self) -> usize {
        self.callers.close();
        let open = self.state().groups.clear();
        for shared in &open {
            shared.word.send_replace(Word::Dismissed);
        }
        open.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat<'_> {
    /// Waits until the group is to be sent, or never will be.
    pub async fn told(&mut self) -> Word {
        let told = self.word.wait_for(|word| *word != Word::Wait).await;
        // The sender is in what this seat holds.
        told.map_or(Word::Dismissed, |word| *word)
    }

    /// Sends the group as it is, unless it is on its way already.
    pub fn seal(&self) -> Word {
        let mut state = self.table.state();
        if state.groups.is(&self.group, &self.shared) {
            self.table.seal(&mut state, &self.group, false);
        }
        *self.shared.word.borrow()
    }

    /// Waits for the turn to send, or for what came of it when another has sent.
    pub async fn turn(&self) -> Result<OwnTurn<'_, ()>, Result<(), Error>> {
        let mut outcome = self.shared.outcome.subscribe();
        let turn = tokio::select! {
            biased;
            // The sender is in what this seat holds.
            Ok(outcome) = outcome.wait_for(Option::is_some) => return Err(outcome.clone().unwrap_or(Ok(()))),
            turn = self.shared.turn.lock() => turn,
        };
        let told = self.shared.outcome.borrow().clone();
        told.map_or(Ok(turn), Err)
    }

    /// What is to be sent.
    pub fn sealed(&self) -> Option<&Sealed> {
        self.shared.sealed.get()
    }

    /// How many parts are there, of how many.
    pub fn progress(&self) -> (usize, usize) {
        self.table.state().groups.progress(&self.group).unwrap_or_default()
    }

    /// It was sent: tells all who wait. Only what was accepted is remembered.
    pub fn sent(&self, outcome: Result<(), Error>) {
        let Some(sealed) = self.sealed() else { return };
        let keys: Vec<Key> = sealed.parts.iter().map(|part| key(&sealed.group, &part.mark)).collect();
        let mut state = self.table.state();
        for key in &keys {
            state.leaving.remove(key);
        }
        if outcome.is_ok() {
            state.delivered.remember(&keys);
        }
        drop(state);
        self.shared.outcome.send_replace(Some(outcome));
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut state = self.table.state();
        let is_last = self.shared.waiting.fetch_sub(1, Ordering::Relaxed) == 1;
        if state.groups.is(&self.group, &self.shared) {
            state.groups.leave(&self.group, &self.mark, is_last, Instant::now());
        } else if let (true, Some(sealed)) = (is_last, self.sealed()) {
            // Nobody is left to send it; each part comes again.
            for part in &sealed.parts {
                let key = key(&sealed.group, &part.mark);
                if state.leaving.get(&key).is_some_and(|shared| Arc::ptr_eq(shared, &self.shared)) {
                    state.leaving.remove(&key);
                }
            }
        }
    }
}
