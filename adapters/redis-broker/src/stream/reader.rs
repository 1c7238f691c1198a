//! One trigger's view of the stream: its consumer group, what this process has of it, and what others left behind.
//!
//! Facts: `XGROUP`, `XREADGROUP`, `XAUTOCLAIM`, `XCLAIM`, <https://redis.io/docs/latest/commands/>.

mod keep;
mod turn;

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use broker::{document::Bounds, log::Batch};
use common::{Error, worker};
use redis::{Cmd, RedisError, RedisResult, Value, cmd};

use super::{
    Names, bounds,
    client::{Client, Servers, failure},
    id::Id,
    reply::{self, Found},
};

/// How long the server waits for an entry before it says that there is none. Less than the time for an answer.
const BLOCK: Duration = Duration::from_secs(2);

/// How long who waits for his turn does so before he looks again.
const PAUSE: Duration = Duration::from_millis(50);

/// A group of the stream, and this process as a consumer in it.
#[derive(Debug)]
pub struct Reader {
    pub names: Names,
    pub group: String,
    /// Where the group begins when it is made.
    start: String,
    /// The first id that is not wanted any more.
    pub end: Option<Id>,
    claim_idle: Duration,
    /// Blocked while there is nothing to read, so it is not shared.
    client: Client,
    state: Mutex<State>,
    /// Whether an answer with entries may be on its way, or got lost on it.
    is_reading: AtomicBool,
    /// Whether nothing may be given before what is before it in the stream is done with.
    is_ordered: AtomicBool,
    /// Entries that somebody deleted before they were given, since that was last asked for.
    lost: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// What was given and is not acknowledged, and since when it is known to be ours.
    given: BTreeMap<Id, Instant>,
    /// Behind this id are entries that the server says are ours; `None` when all are given.
    ours: Option<Id>,
    /// The first of ours that waits for its turn.
    waiting: Option<Id>,
    /// The last that was read, or at least where the group began.
    last: Option<Id>,
    /// When to look for what others left behind, and from where on.
    claim_at: Instant,
    claim_from: Id,
}

impl Reader {
    pub fn new(
        servers: &std::sync::Arc<Servers>,
        names: &Names,
        trigger: &str,
        bounds: Option<&Bounds>,
        claim_idle: Duration,
    ) -> Self {
        let (start, end) = bounds.map(bounds::of).unwrap_or_default();
        Self {
            group: names.group(trigger),
            names: names.clone(),
            start: start.unwrap_or_else(|| "$".to_owned()),
            end,
            claim_idle,
            client: Client::new(servers),
            state: Mutex::new(State {
                given: BTreeMap::new(),
                ours: Some(Id::default()),
                waiting: None,
                last: None,
                // At once: what was left behind is the oldest there is.
                claim_at: Instant::now(),
                claim_from: Id::default(),
            }),
            is_reading: AtomicBool::new(false),
            is_ordered: AtomicBool::new(false),
            lost: AtomicU64::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the group where it is not there.
    pub async fn subscribe(&self, client: &Client) -> Result<(), Error> {
        let start = self.state().last.map_or_else(|| self.start.clone(), |last| last.to_string());
        let mut create = cmd("XGROUP");
        create.arg("CREATE").arg(&self.names.stream).arg(&self.group).arg(start).arg("MKSTREAM");
        match ask::<Value>(client, create).await {
            Ok(_) => tracing::info!(group = self.group, "a consumer group was made"),
            Err(error) if error.code() == Some("BUSYGROUP") => {}
            Err(error) => return Err(failure("making a consumer group", &error)),
        }
        let mut info = cmd("XINFO");
        info.arg("GROUPS").arg(&self.names.stream);
        let groups: Vec<Value> =
            ask(client, info).await.map_err(|error| failure("looking at the consumer groups", &error))?;
        let own = groups
            .iter()
            .find(|group| reply::member(group, "name").and_then(reply::text) == Some(self.group.as_str()));
        let last = own.and_then(|group| reply::member(group, "last-delivered-id")).and_then(reply::id);
        self.state().last = last;
        Ok(())
    }

    /// What is ours already, then what others left behind, then what is new.
    pub async fn read(&self, client: &Client, most: usize) -> Result<Batch<Id>, Error> {
        if self.is_reading.swap(true, SeqCst) {
            // An answer was not waited for: it may have given us entries that nobody knows of.
            self.client.close().await;
            self.state().ours = Some(Id::default());
        }
        let batch = match self.look(client, most).await {
            Err(error) if error.code() == Some("NOGROUP") => {
                tracing::warn!(group = self.group, "the consumer group is gone: it is made again");
                self.subscribe(client).await?;
                Ok(Batch::default())
            }
            Err(error) => {
                // What the server gave and we did not get is ours.
                self.state().ours = Some(Id::default());
                Err(failure("reading the stream", &error))
            }
            found => found.map_err(|error| failure("reading the stream", &error)),
        };
        self.is_reading.store(false, SeqCst);
        batch
    }

    async fn look(&self, client: &Client, most: usize) -> RedisResult<Batch<Id>> {
        let waits = self.waits(client).await?;
        let ours = self.state().ours;
        if let Some(behind) = ours.filter(|_| !waits) {
            return self.own(client, behind, most).await;
        }
        let claims = Instant::now() >= self.state().claim_at;
        if claims {
            let batch = self.claim(client, most).await?;
            if !batch.entries.is_empty() {
                return Ok(batch);
            }
        }
        if waits || self.is_idle(client).await? {
            worker::sleep(PAUSE).await;
            return Ok(Batch::default());
        }
        let mut read = self.read_group(most);
        read.arg("BLOCK").arg(BLOCK.as_millis() as u64).arg("STREAMS").arg(&self.names.stream).arg(">");
        let found = reply::read(ask(&self.client, read).await?);
        if let Some(last) = found.last() {
            self.state().last = Some(last.id);
        }
        self.in_turn(client, found).await
    }

    fn read_group(&self, most: usize) -> Cmd {
        let mut read = cmd("XREADGROUP");
        read.arg("GROUP").arg(&self.group).arg(&self.names.consumer).arg("COUNT").arg(most);
        read
    }

    /// Entries that the server says are ours, and that nobody was given.
    async fn own(&self, client: &Client, behind: Id, most: usize) -> RedisResult<Batch<Id>> {
        let mut read = self.read_group(most);
        read.arg("STREAMS").arg(&self.names.stream).arg(behind.to_string());
        let found = reply::read(ask(&self.client, read).await?);
        self.state().ours = found.last().map(|last| last.id);
        self.in_turn(client, found).await
    }

    /// Takes entries of consumers that say nothing, a part of them each time.
    async fn claim(&self, client: &Client, most: usize) -> RedisResult<Batch<Id>> {
        let from = self.state().claim_from;
        let mut claim = cmd("XAUTOCLAIM");
        claim.arg(&self.names.stream).arg(&self.group).arg(&self.names.consumer);
        claim.arg(self.claim_idle.as_millis() as u64).arg(from.to_string()).arg("COUNT").arg(most);
        let answer: Vec<Value> = ask(&self.client, claim).await?;
        let mut answer = answer.into_iter();
        let next = answer.next().as_ref().and_then(reply::id).unwrap_or_default();
        let found = answer.next().map(reply::entries).unwrap_or_default();
        {
            let mut state = self.state();
            state.claim_from = next;
            if next == Id::default() {
                state.claim_at = Instant::now() + self.claim_idle / 2;
            }
        }
        // From Redis 7 on what was deleted is done with.
        self.lost.fetch_add(answer.next().map_or(0, reply::count), SeqCst);
        let batch = self.in_turn(client, found).await?;
        if !batch.entries.is_empty() {
            let entries = batch.entries.len();
            tracing::info!(
                group = self.group,
                entries,
                "entries that another process left behind are taken over"
            );
        }
        Ok(batch)
    }

    /// Entries for the engine: those that it has not got, that still are in the stream, and that are within the bounds. The
    /// others are done with.
    async fn give(&self, client: &Client, found: Vec<Found>) -> RedisResult<Batch<Id>> {
        let mut batch = Batch::default();
        let mut done = Vec::new();
        {
            let (mut state, now) = (self.state(), Instant::now());
            for Found { id, fields } in found {
                let is_beyond = self.end.is_some_and(|end| id >= end);
                batch.ended |= is_beyond;
                if state.given.contains_key(&id) {
                    continue;
                }
                match fields {
                    Some(fields) if !is_beyond => {
                        state.given.insert(id, now);
                        batch.entries.push(reply::incoming(id, fields));
                        continue;
                    }
                    // Somebody has deleted it.
                    None if !is_beyond => drop(self.lost.fetch_add(1, SeqCst)),
                    _ => {}
                }
                done.push(id);
            }
        }
        if !done.is_empty() {
            ask::<u64>(client, self.ack(&done)).await?;
        }
        Ok(batch)
    }

    fn ack(&self, ids: &[Id]) -> Cmd {
        let mut ack = cmd("XACK");
        ack.arg(&self.names.stream).arg(&self.group);
        for id in ids {
            ack.arg(id.to_string());
        }
        ack
    }

    /// Tells the server what is done.
    pub async fn acknowledge(&self, client: &Client, ids: &[Id]) -> Result<(), Error> {
        let told = ask::<u64>(client, self.ack(ids)).await;
        told.map_err(|error| failure("acknowledging entries", &error))?;
        let mut state = self.state();
        for id in ids {
            state.given.remove(id);
        }
        Ok(())
    }
}

async fn ask<T: redis::FromRedisValue>(client: &Client, command: Cmd) -> Result<T, RedisError> {
    client.ask(|mut connection| async move { command.query_async(&mut connection).await }).await
}
