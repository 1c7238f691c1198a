//! Whose turn it is, for triggers that keep an order. Redis gives entries out in the order of the stream, so one that is given
//! to the engine only when no other process has an earlier one in work is delivered in order. Who waits says nothing of his
//! entries, so that others take them should that last.
//!
//! Facts: `XPENDING`, <https://redis.io/docs/latest/commands/xpending/>.

use std::sync::atomic::Ordering::SeqCst;

use broker::log::Batch;
use redis::{RedisResult, cmd};

use super::{Reader, ask};
use crate::stream::{
    client::Client,
    id::Id,
    reply::{self, Found},
};

/// How many entries in work are looked at, at most: far more than a process takes on.
const PAGE: usize = 10_000;

impl Reader {
    /// Whether the trigger keeps an order.
    pub fn set_ordered(&self, ordered: bool) {
        self.is_ordered.store(ordered, SeqCst);
    }

    /// Whether entries of ours still wait for their turn.
    pub(super) async fn waits(&self, client: &Client) -> RedisResult<bool> {
        let waiting = self.state().waiting;
        let Some(first) = waiting else { return Ok(false) };
        let waits = self.is_ordered.load(SeqCst) && self.others(client).await?.is_some_and(|id| id < first);
        if !waits {
            self.state().waiting = None;
        }
        Ok(waits)
    }

    /// Whether others have entries in work, so that nothing new is read: one process delivers, the others stand by.
    pub(super) async fn is_idle(&self, client: &Client) -> RedisResult<bool> {
        Ok(self.is_ordered.load(SeqCst) && self.others(client).await?.is_some())
    }

    /// Entries for the engine, up to the first for which it is not their turn.
    pub(super) async fn in_turn(&self, client: &Client, mut found: Vec<Found>) -> RedisResult<Batch<Id>> {
        if self.is_ordered.load(SeqCst)
            && !found.is_empty()
            && let Some(barrier) = self.others(client).await?
        {
            let mut state = self.state();
            // One that has been given needs no turn any more.
            let first = found.iter().position(|one| one.id > barrier && !state.given.contains_key(&one.id));
            if let Some(first) = first {
                let id = found[first].id;
                found.truncate(first);
                state.waiting = Some(state.waiting.map_or(id, |waiting| waiting.min(id)));
                // They are read again then: by that time they may be another's.
                state.ours = Some(state.ours.map_or(id.before(), |ours| ours.min(id.before())));
            }
        }
        self.give(client, found).await
    }

    /// The first entry that another process has, or one before it: none behind it may be given.
    ///
    /// By one answer of the server: entries that go from one process to the next between two answers would be in neither.
    async fn others(&self, client: &Client) -> RedisResult<Option<Id>> {
        let pending = || {
            let mut pending = cmd("XPENDING");
            pending.arg(&self.names.stream).arg(&self.group);
            pending
        };
        let holders = reply::consumers(&ask(client, pending()).await?);
        if holders.iter().all(|name| *name == self.names.consumer) {
            return Ok(None);
        }
        let mut list = pending();
        list.arg("-").arg("+").arg(PAGE);
        let entries = reply::pending(ask(client, list).await?);
        let (whole, last) = (entries.len() < PAGE, entries.last().map(|(id, _)| *id));
        let first = entries.into_iter().find(|(_, holder)| *holder != self.names.consumer);
        Ok(first.map(|(id, _)| id).or(last.filter(|_| !whole)))
    }
}
