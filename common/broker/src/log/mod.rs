//! Events in a log that outlives the process (Redis Streams, Kafka): appended before the sender gets its answer, read by
//! each trigger for itself, acknowledged when the target or a dead letter has them.

mod acks;
mod batch;
mod lane;

use std::{
    fmt::Debug,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use common::{Error, Text, worker};
use tokio::time::timeout_at;

use crate::{
    dlq::DeadLetters,
    document::Bounds,
    engine::{Backend, Engine, Refused, Stored, Trigger},
    filter::Filter,
    room::{Amount, Rank, Room},
};

pub use batch::{Batch, Incoming};
use lane::Lane;

/// Such a part of the room of a trigger is free when the next read is made: entries that are done with one by one shall not
/// be asked for one by one.
const FREE: usize = 4;

/// Time for saying what was done with one trigger, at the end.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// A log with a place in it for each trigger (consumer group). The engine decides when to read and what to acknowledge.
pub trait Log: Debug + Send + Sync + 'static {
    /// Where an entry stands.
    type Position: Clone + Debug + Send + Sync + 'static;
    /// One trigger's view of the log.
    type Reader: Debug + Send + Sync + 'static;
    /// Where the dead letters are.
    type Dead: DeadLetters;

    /// Where the dead letters are.
    fn dead(&self) -> &Self::Dead;

    /// The first contact.
    fn connect(&self) -> impl Future<Output = Result<(), Error>> + Send;

    /// Whether it can be reached, as far as is known.
    fn is_ready(&self) -> bool;

    /// What is wrong with it, as far as is known.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Appends an event, with its hops and its trace beside it. `Ok` means that it is as safe as the log makes it. Called by
    /// many at once; to write them together is the log's matter.
    fn append(&self, stored: &Arc<Stored>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Appends the events of one batch as one, in their order. `Ok` means that all of them are there; else none is, as far as
    /// the log can.
    fn append_all(&self, stored: &[Arc<Stored>]) -> impl Future<Output = Result<(), Error>> + Send;

    /// A reader for a trigger; no I/O.
    fn reader(&self, trigger: &str, bounds: Option<&Bounds>) -> Self::Reader;

    /// Whether the trigger wants its events in the order of the log, also where several processes read; said before it is
    /// subscribed, and again when that changes.
    fn set_ordered(&self, reader: &Self::Reader, ordered: bool) {
        let _ = (reader, ordered);
    }

    /// Makes sure that the trigger has its place: from now on every event that is appended is one that it will read. Where
    /// the place is there already, the bounds do not count.
    fn subscribe(&self, reader: &Self::Reader) -> impl Future<Output = Result<(), Error>> + Send;

    /// Reads at most so many entries. It waits for the first of them, but not for ever: with none it is called again. Entries
    /// of an earlier process of this name and of processes that are gone come as well.
    ///
    /// The future may be dropped; what it had taken and not given must be given by a later call. An entry that was given and
    /// is not acknowledged is not given again.
    fn read(
        &self,
        reader: &Self::Reader,
        most: usize,
    ) -> impl Future<Output = Result<Batch<Self::Position>, Error>> + Send;

    /// Acknowledges entries, in whatever order they were done with. On an error it is called again with the same ones.
    fn acknowledge(
        &self,
        reader: &Self::Reader,
        positions: &[Self::Position],
    ) -> impl Future<Output = Result<(), Error>> + Send;

    /// How many entries the log dropped that the trigger was to get, as far as is known, since it was last asked; that is after
    /// each upkeep.
    fn take_lost(&self, reader: &Self::Reader) -> u64;

    /// What is to be done from time to time, for the triggers there are; called each second.
    fn upkeep(&self, readers: &[Arc<Self::Reader>]) -> impl Future<Output = ()> + Send {
        let _ = readers;
        std::future::ready(())
    }

    /// The reading has ended and what was done is acknowledged; the trigger may be subscribed again later. At the end of the
    /// process it is said of all triggers, also of those of which it was said before. `forget` is said of a trigger that is gone from the document
    /// and whose place goes with it; else the place stays.
    fn leave(&self, reader: &Self::Reader, forget: bool) -> impl Future<Output = ()> + Send {
        let _ = (reader, forget);
        std::future::ready(())
    }

    /// The text of a position, for people and for the extension that tells targets of it.
    fn text(&self, position: &Self::Position) -> Text;

    /// Whether targets are told the position, in the extension `triggermeshbackendid`.
    fn tells_position(&self) -> bool;

    /// The name of the log.
    fn name(&self) -> &str;
}

/// A log as the backend of a broker.
#[derive(Debug)]
pub struct Durable<L> {
    /// The log.
    pub log: L,
    /// Whether every trigger of the first document has its place: what comes in before might be missed by one.
    is_open: AtomicBool,
}

impl<L: Log> Durable<L> {
    /// A log that nothing is known of yet.
    #[must_use]
    pub fn new(log: L) -> Self {
        Self { log, is_open: AtomicBool::new(false) }
    }

    /// What the broker and each trigger hold in memory at most, where one trigger holds so much.
    #[must_use]
    pub fn amounts(share: Amount) -> (Amount, Amount) {
        // Each trigger is bounded; how many there are is the user's decision.
        (Amount { events: usize::MAX, bytes: usize::MAX }, share)
    }

    /// The log, once it may be written to.
    fn open(&self) -> Result<&L, Refused> {
        if self.is_open.load(Ordering::Acquire) {
            return Ok(&self.log);
        }
        let error = Error::retryable("taking the event in: the log has not been reached yet");
        Err(Refused::Unavailable(error))
    }
}

impl<L: Log> Backend for Durable<L> {
    const KEEPS: bool = true;
    type Lane = Lane<L>;
    type Receipt = L::Position;
    type Dead = L::Dead;

    fn dead(&self) -> &L::Dead {
        self.log.dead()
    }

    async fn publish(engine: &Arc<Engine<Self>>, stored: &Arc<Stored>, _: Rank) -> Result<(), Refused> {
        let log = engine.backend.open()?;
        log.append(stored).await.map_err(Refused::Unavailable)
    }

    async fn publish_all(engine: &Arc<Engine<Self>>, stored: &[Arc<Stored>]) -> Result<(), Refused> {
        let log = engine.backend.open()?;
        log.append_all(stored).await.map_err(Refused::Unavailable)
    }

    fn room(share: Amount) -> Arc<Room> {
        let part = |amount: usize| amount - amount.div_ceil(FREE);
        Room::with_mark(share, Amount { events: part(share.events), bytes: part(share.bytes) })
    }

    fn lane(&self, trigger: &str, bounds: Option<&Bounds>) -> Lane<L> {
        Lane::new(self.log.reader(trigger, bounds))
    }

    fn opened(
        engine: &Arc<Engine<Self>>,
        trigger: &Arc<Trigger<Self>>,
        filters: Vec<Filter>,
        ephemeral: bool,
    ) -> Vec<Filter> {
        let ordered = trigger.route.load().options.order_by.is_some();
        engine.backend.log.set_ordered(&trigger.lane.reader, ordered);
        trigger.lane.open(filters, ephemeral);
        lane::start(engine, trigger);
        Vec::new()
    }

    fn closed(_: &Arc<Engine<Self>>, trigger: &Arc<Trigger<Self>>) {
        trigger.lane.close();
    }

    fn done(engine: &Arc<Engine<Self>>, trigger: &Arc<Trigger<Self>>, position: L::Position) {
        acks::add(engine, trigger, position);
    }

    async fn connect(engine: &Arc<Engine<Self>>) -> Result<(), Error> {
        engine.backend.log.connect().await?;
        for trigger in engine.triggers() {
            trigger.lane.subscribe(&engine.backend.log).await?;
        }
        engine.backend.is_open.store(true, Ordering::Release);
        Ok(())
    }

    fn is_ready(&self) -> bool {
        self.log.is_ready()
    }

    fn trouble(&self) -> Option<String> {
        self.log.trouble()
    }

    async fn upkeep(engine: &Arc<Engine<Self>>) {
        let triggers = engine.triggers();
        let readers: Vec<_> = triggers.iter().map(|trigger| trigger.lane.reader.clone()).collect();
        let log = &engine.backend.log;
        log.upkeep(&readers).await;
        triggers.iter().for_each(|trigger| lane::mourn(trigger, log.take_lost(&trigger.lane.reader)));
    }

    async fn stop_reading(engine: &Arc<Engine<Self>>) {
        for trigger in engine.triggers() {
            trigger.lane.stop();
        }
    }

    async fn end(engine: &Arc<Engine<Self>>, deadline: Instant) {
        let patience = deadline.max(Instant::now() + LAST_WORDS);
        // All at once: to leave a group may take a while.
        let farewells: Vec<_> = engine
            .triggers()
            .into_iter()
            .map(|trigger| worker::spawn(last_words(engine.clone(), trigger, patience)))
            .collect();
        for farewell in farewells {
            if let Err(error) = farewell.await {
                tracing::error!(%error, "a trigger did not end");
            }
        }
    }
}

/// Tells the log what was done with one trigger, and leaves.
async fn last_words<L: Log>(
    engine: Arc<Engine<Durable<L>>>,
    trigger: Arc<Trigger<Durable<L>>>,
    patience: Instant,
) {
    let (log, reader) = (&engine.backend.log, &trigger.lane.reader);
    lane::mourn(&trigger, log.take_lost(reader));
    let words = async {
        acks::settled(&trigger).await;
        log.leave(reader, trigger.lane.is_forgotten()).await;
    };
    if timeout_at(patience.into(), words).await.is_err() {
        tracing::warn!(
            trigger = trigger.name,
            "the log could not be told of all that was delivered: some of it will be so again"
        );
    }
}

/// Waits a while that grows from one call to the next.
async fn pause(pause: &mut Duration) {
    const LONGEST: Duration = Duration::from_secs(15);
    worker::sleep(*pause).await;
    *pause = (*pause * 2).min(LONGEST);
}

/// The first such wait.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
