//! Holding on to what takes long, and giving a place up.

use std::{sync::atomic::Ordering::SeqCst, time::Instant};

use common::Error;
use redis::{Value, cmd};

use super::{Reader, ask};
use crate::stream::{
    client::{Client, failure},
    id::Id,
};

impl Reader {
    /// Says of what takes long that it is in work, so that nobody else takes it.
    pub async fn hold(&self, client: &Client) -> Result<(), Error> {
        let due = self.claim_idle / 3;
        let ids: Vec<Id> = {
            let state = self.state();
            let old = state.given.iter().filter(|(_, since)| since.elapsed() >= due);
            old.map(|(id, _)| *id).collect()
        };
        if ids.is_empty() {
            return Ok(());
        }
        let mut claim = cmd("XCLAIM");
        claim.arg(&self.names.stream).arg(&self.group).arg(&self.names.consumer).arg(0);
        for id in &ids {
            claim.arg(id.to_string());
        }
        claim.arg("JUSTID");
        let held = ask::<Value>(client, claim).await;
        held.map_err(|error| failure("holding on to entries", &error))?;
        let (mut state, now) = (self.state(), Instant::now());
        for id in ids {
            // Unless it was done meanwhile.
            if let Some(since) = state.given.get_mut(&id) {
                *since = now;
            }
        }
        Ok(())
    }

    /// How many entries were deleted before they were given, since the last time.
    pub fn take_lost(&self) -> u64 {
        self.lost.swap(0, SeqCst)
    }

    /// Removes the group.
    pub async fn forget(&self, client: &Client) -> Result<(), Error> {
        let mut destroy = cmd("XGROUP");
        destroy.arg("DESTROY").arg(&self.names.stream).arg(&self.group);
        let destroyed = ask::<Value>(client, destroy).await;
        destroyed.map_err(|error| failure("removing a consumer group", &error))?;
        let mut state = self.state();
        (state.last, state.ours) = (None, Some(Id::default()));
        state.given.clear();
        Ok(())
    }
}
