//! What this process reads: all partitions, or its share of them, looked at again in intervals.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use common::{Assignment, Error};
use tokio::{sync::Notify, time::Instant};

use super::{
    client::Reader,
    partition::Partition,
    shares::{Shares, shares},
    start::Opener,
    store::{Ownership, Store, Version},
};

/// How long a partition is left to whoever took it without being one of the replicas.
const HOLD: Duration = Duration::from_secs(30);

/// Who decides.
pub struct Assigner {
    /// The name of this process among the replicas.
    me: String,
    interval: Duration,
    expiry: Duration,
    opener: Opener,
    state: tokio::sync::Mutex<State>,
    /// Partitions that somebody else has taken while they were read.
    taken: Mutex<Vec<String>>,
    woken: Notify,
}

#[derive(Default)]
struct State {
    owned: BTreeMap<String, Owned>,
    changes: VecDeque<Assignment<Partition>>,
    /// Partitions that are left alone until then.
    held: BTreeMap<String, Instant>,
    next: Option<Instant>,
    was_short: bool,
}

struct Owned {
    version: Version,
    is_open: bool,
    is_leaving: bool,
}

impl Assigner {
    pub fn new(me: String, interval: Duration, expiry: Duration, opener: Opener) -> Self {
        let (state, taken) = (tokio::sync::Mutex::default(), Mutex::default());
        Self { me, interval, expiry, opener, state, taken, woken: Notify::new() }
    }

    /// Tells that somebody else reads a partition now.
    pub fn was_taken(&self, id: &str) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(id.to_owned());
        self.woken.notify_one();
    }

    /// Waits for the next change.
    pub async fn next(&self, reader: &Reader, store: &Store) -> Result<Assignment<Partition>, Error> {
        loop {
            let mut state = self.state.lock().await;
            self.note_taken(&mut state, reader);
            if let Some(change) = state.changes.pop_front() {
                return Ok(change);
            }
            let now = Instant::now();
            match state.next {
                Some(next) if next > now => {
                    drop(state);
                    let _ = tokio::time::timeout_at(next, self.woken.notified()).await;
                }
                _ => {
                    // Where it fails it is tried again as soon as the frame asks again.
                    self.look(&mut state, reader, store).await?;
                    // Not all replicas at the same moment.
                    state.next = Some(now + self.interval.mul_f64(0.9 + fastrand::f64() * 0.2));
                }
            }
        }
    }

    fn note_taken(&self, state: &mut State, reader: &Reader) {
        let taken = std::mem::take(&mut *self.taken.lock().unwrap_or_else(PoisonError::into_inner));
        let mut names = Vec::new();
        for id in taken {
            if state.owned.remove(&id).is_some_and(|owned| owned.is_open) {
                tracing::warn!(
                    partition = id,
                    "another consumer of the group has taken a partition: unless it is a replica with the same \
                     CHECKPOINT_URL, give it a consumer group of its own"
                );
                state.held.insert(id.clone(), Instant::now() + HOLD);
                names.push(name(reader, &id));
            }
        }
        if !names.is_empty() {
            state.changes.push_back(Assignment::Lost(names));
        }
    }

    /// Looks at the store and the hub, and decides.
    async fn look(&self, state: &mut State, reader: &Reader, store: &Store) -> Result<(), Error> {
        // Signs of life first: they do not need the hub.
        let seen = if store.is_shared() { self.keep(state, reader, store).await? } else { BTreeMap::new() };
        let partitions = reader.partitions().await?;
        self.opener.prepare(&partitions, reader, store).await?;
        let now = Instant::now();
        state.held.retain(|_, until| *until > now);
        if store.is_shared() {
            self.share(state, &partitions, &seen, reader, store).await?;
        } else {
            for id in &partitions {
                if !state.held.contains_key(id) {
                    let owned = || Owned { version: Version::Number(0), is_open: false, is_leaving: false };
                    state.owned.entry(id.clone()).or_insert_with(owned);
                }
            }
        }
        self.open(state, &partitions, reader, store).await
    }

    /// Shows a sign of life for what is owned, and notices what others have taken.
    async fn keep(
        &self,
        state: &mut State,
        reader: &Reader,
        store: &Store,
    ) -> Result<BTreeMap<String, Ownership>, Error> {
        let mut seen = store.ownerships().await?;
        let mut lost = Vec::new();
        for (id, owned) in &mut state.owned {
            match seen.get_mut(id) {
                Some(ownership) if ownership.owner == self.me => {
                    ownership.age = Duration::ZERO;
                    if let Some(version) = store.claim(id, &self.me, Some(&ownership.version)).await? {
                        owned.version = version.clone();
                        ownership.version = version;
                    }
                }
                _ => lost.push(id.clone()),
            }
        }
        for id in &lost {
            state.owned.remove(id);
        }
        if !lost.is_empty() {
            let names = lost.iter().map(|id| name(reader, id)).collect();
            state.changes.push_back(Assignment::Lost(names));
        }
        Ok(seen)
    }

    /// Takes this process's share.
    async fn share(
        &self,
        state: &mut State,
        partitions: &BTreeSet<String>,
        seen: &BTreeMap<String, Ownership>,
        reader: &Reader,
        store: &Store,
    ) -> Result<(), Error> {
        let is_alive = |id: &String, ownership: &Ownership| {
            let is_stray = ownership.owner == self.me && !state.owned.contains_key(id);
            !ownership.owner.is_empty()
                && ownership.age <= self.expiry
                && (!is_stray || state.held.contains_key(id))
        };
        let alive = seen.iter().filter(|(id, ownership)| is_alive(id, ownership));
        let owners = alive.map(|(id, ownership)| (id.clone(), ownership.owner.clone())).collect();
        let Shares { claim, steal, give, is_short } =
            shares(&self.me, partitions, &owners, state.was_short, |count| fastrand::usize(..count));
        state.was_short = is_short;
        for id in claim.into_iter().chain(steal) {
            let version = seen.get(&id).map(|ownership| &ownership.version);
            if let Some(version) = store.claim(&id, &self.me, version).await? {
                state.owned.insert(id, Owned { version, is_open: false, is_leaving: false });
            }
        }
        // What is given up goes only after its drain: until then it still counts.
        let is_giving = state.owned.values().any(|owned| owned.is_leaving);
        let mut names = Vec::new();
        for id in give.iter().filter(|_| !is_giving) {
            if let Some(owned) = state.owned.get_mut(id).filter(|owned| owned.is_open) {
                owned.is_leaving = true;
                names.push(name(reader, id));
            }
        }
        if !names.is_empty() {
            state.changes.push_back(Assignment::Revoked(names));
        }
        Ok(())
    }

    /// Opens what is owned and not open.
    async fn open(
        &self,
        state: &mut State,
        partitions: &BTreeSet<String>,
        reader: &Reader,
        store: &Store,
    ) -> Result<(), Error> {
        let mut opened = Vec::new();
        let mut result = Ok(());
        for (id, owned) in state.owned.iter_mut().filter(|(_, owned)| !owned.is_open) {
            match self.opener.open(id, partitions, reader, store).await {
                Ok(partition) => {
                    owned.is_open = true;
                    opened.push((name(reader, id), partition));
                }
                Err(error) => result = Err(error),
            }
        }
        if !opened.is_empty() {
            state.changes.push_back(Assignment::Assigned(opened));
        }
        result
    }

    /// Gives partitions up that were drained, so that others need not wait.
    pub async fn release(&self, ids: &[&str], store: &Store) {
        let mut state = self.state.lock().await;
        for id in ids {
            let Some(owned) = state.owned.remove(*id) else { continue };
            if let Err(error) = self.hand_over(id, &owned.version, store).await {
                tracing::warn!(
                    reason = error.chain(),
                    partition = id,
                    "a partition could not be given up: others wait for EVENTHUB_OWNERSHIP_EXPIRY"
                );
            }
        }
    }

    async fn hand_over(&self, id: &str, version: &Version, store: &Store) -> Result<(), Error> {
        if !store.is_shared() || store.claim(id, "", Some(version)).await?.is_some() {
            return Ok(());
        }
        // The last sign of life may have been shown without that its answer was waited for.
        match store.ownerships().await?.get(id) {
            Some(ownership) if ownership.owner == self.me => {
                store.claim(id, "", Some(&ownership.version)).await.map(drop)
            }
            _ => Ok(()),
        }
    }
}

/// The name of a partition for people.
fn name(reader: &Reader, id: &str) -> String {
    format!("{}/{id}", reader.hub.id().hub)
}
