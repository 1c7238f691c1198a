//! Whose turn it is, for triggers that keep an order. Redis gives entries out in the order of the stream, so one that is given
//! to the engine only when no other process has an earlier one in work is delivered in order. Who waits says nothing of his
//! entries, so that others take them should that last.
//!
//! Facts: `XPENDING`, <https://redis.io/docs/latest/commands/xpending/>; exclusive ranges from Redis 6.2 on.

use std::sync::atomic::Ordering::SeqCst;

use broker::log::Batch;
use redis::{RedisResult, Value, cmd};

use super::{Reader, ask};
use crate::stream::{
    client::Client,
    id::Id,
    reply::{self, Found},
};

impl Reader {
    /// Whether the trigger keeps an order.
    pub fn set_ordered(&self, ordered: bool) {
        self.is_ordered.store(ordered, SeqCst);
    }

    /// Whether entries of ours still wait for their turn.
    pub(super) async fn waits(&self, client: &Client) -> RedisResult<bool> {
        let waiting = self.state().waiting;
        let Some(first) = waiting else { return Ok(false) };
        let waits = self.is_ordered.load(SeqCst) && self.is_behind(client, first).await?;
        if !waits {
            self.state().waiting = None;
        }
        Ok(waits)
    }

    /// Whether others have entries in work, so that nothing new is read: one process delivers, the others stand by.
    pub(super) async fn is_idle(&self, client: &Client) -> RedisResult<bool> {
        Ok(self.is_ordered.load(SeqCst) && !self.others(client).await?.is_empty())
    }

    /// Entries for the engine, once it is their turn.
    pub(super) async fn in_turn(&self, client: &Client, found: Vec<Found>) -> RedisResult<Batch<Id>> {
        if self.is_ordered.load(SeqCst) {
            let first = {
                let state = self.state();
                found.iter().map(|found| found.id).find(|id| !state.given.contains_key(id))
            };
            if let Some(first) = first
                && self.is_behind(client, first).await?
            {
                let mut state = self.state();
                state.waiting = Some(state.waiting.map_or(first, |waiting| waiting.min(first)));
                // They are read again then: by that time they may be another's.
                state.ours = Some(state.ours.map_or(first.before(), |ours| ours.min(first.before())));
                return Ok(Batch::default());
            }
        }
        self.give(client, found).await
    }

    /// Whether another process has an entry before this one.
    async fn is_behind(&self, client: &Client, id: Id) -> RedisResult<bool> {
        for other in self.others(client).await? {
            let mut pending = cmd("XPENDING");
            pending.arg(&self.names.stream).arg(&self.group).arg("-").arg(format!("({id}")).arg(1).arg(other);
            if reply::count(ask::<Value>(client, pending).await?) > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The other processes that have entries.
    async fn others(&self, client: &Client) -> RedisResult<Vec<String>> {
        let mut pending = cmd("XPENDING");
        pending.arg(&self.names.stream).arg(&self.group);
        let mut others = reply::consumers(&ask(client, pending).await?);
        others.retain(|name| *name != self.names.consumer);
        Ok(others)
    }
}
