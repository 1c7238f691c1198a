//! The reader of one trigger: it reads what there is room for, passes the filters over it, and hands the rest to the queue.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use arc_swap::ArcSwap;
use common::{Error, Event, Trace, event::json, worker};
use tokio::sync::Notify;

use super::{Batch, Durable, FIRST_PAUSE, Incoming, Log, acks, acks::Acks};
use crate::{
    death,
    engine::{Engine, Entry, OVERHEAD, Stored, Trigger},
    filter::Filter,
    room::{Amount, Rank, Room},
};

/// Most entries of one read.
const MOST: usize = 256;

/// What a trigger has of the log.
#[derive(Debug)]
pub struct Lane<L: Log> {
    pub(super) reader: Arc<L::Reader>,
    pub(super) acks: Acks<L::Position>,
    /// All of them must pass.
    filters: ArcSwap<Vec<Filter>>,
    is_wanted: AtomicBool,
    is_stopped: AtomicBool,
    is_ephemeral: AtomicBool,
    is_subscribed: AtomicBool,
    is_running: AtomicBool,
    changed: Notify,
}

type Of<L> = Arc<Engine<Durable<L>>>;
type TriggerOf<L> = Arc<Trigger<Durable<L>>>;

impl<L: Log> Lane<L> {
    pub(super) fn new(reader: L::Reader) -> Self {
        Self {
            reader: Arc::new(reader),
            acks: Acks::default(),
            filters: ArcSwap::default(),
            is_wanted: AtomicBool::new(false),
            is_stopped: AtomicBool::new(false),
            is_ephemeral: AtomicBool::new(false),
            is_subscribed: AtomicBool::new(false),
            is_running: AtomicBool::new(false),
            changed: Notify::new(),
        }
    }

    /// The trigger is in the document, with these filters.
    pub(super) fn open(&self, filters: Vec<Filter>, ephemeral: bool) {
        self.filters.store(Arc::new(filters));
        self.is_ephemeral.store(ephemeral, SeqCst);
        // One who reads need not hear of it.
        if !self.is_wanted.swap(true, SeqCst) {
            self.changed.notify_one();
        }
    }

    /// The trigger is in the document no longer.
    pub(super) fn close(&self) {
        self.is_wanted.store(false, SeqCst);
        self.changed.notify_one();
    }

    /// The process ends.
    pub(super) fn stop(&self) {
        self.is_stopped.store(true, SeqCst);
        self.changed.notify_one();
    }

    /// Whether the trigger's place goes with it.
    pub(super) fn is_forgotten(&self) -> bool {
        // Also when the process ends: who looks on does so as long as this process runs.
        self.is_ephemeral.load(SeqCst)
    }

    /// Makes sure that the trigger has its place.
    pub(super) async fn subscribe(&self, log: &L) -> Result<(), Error> {
        if !self.is_subscribed.load(SeqCst) {
            log.subscribe(&self.reader).await?;
            self.is_subscribed.store(true, SeqCst);
        }
        Ok(())
    }

    fn goes_on(&self) -> bool {
        self.is_wanted.load(SeqCst) && !self.is_stopped.load(SeqCst)
    }
}

/// Starts the reading where it is wanted and does not run.
pub(super) fn start<L: Log>(engine: &Of<L>, trigger: &TriggerOf<L>) {
    if trigger.lane.goes_on() && !trigger.lane.is_running.swap(true, SeqCst) {
        worker::spawn(run(engine.clone(), trigger.clone()));
    }
}

/// Reads until it is no longer wanted.
async fn run<L: Log>(engine: Of<L>, trigger: TriggerOf<L>) {
    let lane = &trigger.lane;
    let mut pause = FIRST_PAUSE;
    while lane.goes_on() {
        let round = async {
            let read = step(&engine, &trigger).await;
            if let Err(error) = &read {
                trigger.status.fails(error.chain());
                let seconds = pause.as_secs_f64();
                tracing::warn!(
                    trigger = trigger.name,
                    reason = error.chain(),
                    seconds,
                    "the log cannot be read: trying again"
                );
                super::pause(&mut pause).await;
            }
            read
        };
        let batch = tokio::select! {
            read = round => read,
            () = lane.changed.notified() => continue,
        };
        let Ok(batch) = batch else { continue };
        trigger.status.works();
        pause = FIRST_PAUSE;
        let ended = batch.ended;
        take(&engine, &trigger, batch).await;
        if ended {
            tracing::info!(trigger = trigger.name, "the end of the bounds is reached: nothing more is read");
            trigger.status.set_complete(true);
            // The task stays, so that no other is started.
            while lane.goes_on() {
                lane.changed.notified().await;
            }
        }
    }
    trigger.status.set_complete(false);
    if !lane.is_stopped.load(SeqCst) {
        farewell(&engine, &trigger).await;
    }
    lane.is_running.store(false, SeqCst);
    // It may have become wanted again meanwhile.
    start(&engine, &trigger);
}

/// The trigger is gone from the document: its place is given up when what it had is done.
async fn farewell<L: Log>(engine: &Of<L>, trigger: &TriggerOf<L>) {
    let (lane, room) = (&trigger.lane, &trigger.room);
    let forget = lane.is_forgotten();
    // What somebody was shown who looked on is of no use any more.
    while !forget && room.taken().events > 0 {
        if lane.goes_on() || lane.is_stopped.load(SeqCst) {
            return;
        }
        let freed = room.freed(Rank::New);
        if room.taken().events > 0 {
            tokio::select! {
                () = freed => {}
                () = lane.changed.notified() => {}
            }
        }
    }
    acks::settled(trigger).await;
    engine.backend.log.leave(&lane.reader, forget).await;
    let place = if forget { "removed" } else { "kept" };
    tracing::info!(
        trigger = trigger.name,
        place,
        "a trigger that is gone from the document is read no longer"
    );
    lane.is_subscribed.store(false, SeqCst);
}

/// Says that entries are gone that the trigger was to get.
pub(super) fn mourn<L: Log>(trigger: &TriggerOf<L>, events: u64) {
    if events == 0 {
        return;
    }
    trigger.metrics.lost(events);
    trigger.status.erred("the log dropped events that were not delivered");
    tracing::error!(
        lost = true,
        trigger = trigger.name,
        events,
        "Events were lost: the log dropped them before they were delivered"
    );
}

async fn step<L: Log>(engine: &Of<L>, trigger: &TriggerOf<L>) -> Result<Batch<L::Position>, Error> {
    let log = &engine.backend.log;
    trigger.lane.subscribe(log).await?;
    let most = room(&trigger.room).await;
    log.read(&trigger.lane.reader, most).await
}

/// Waits until there is enough room to be worth a read, and says for how many entries.
async fn room(room: &Room) -> usize {
    while !room.is_below_mark() {
        let freed = room.freed(Rank::New);
        if room.is_below_mark() {
            break;
        }
        freed.await;
    }
    let Amount { events, bytes } = room.free();
    let taken = room.taken();
    // Entries of the size of those that are held; a read may go over the room by what it did not know.
    let usual = taken.bytes.checked_div(taken.events).unwrap_or(OVERHEAD).max(OVERHEAD);
    events.min(bytes / usual).clamp(1, MOST)
}

/// Hands over what was read; what the trigger does not want is done with.
async fn take<L: Log>(engine: &Of<L>, trigger: &TriggerOf<L>, batch: Batch<L::Position>) {
    let filters = trigger.lane.filters.load_full();
    let log = &engine.backend.log;
    for Incoming { position, value, hops, trace } in batch.entries {
        let mut event = match json::from_slice(value.clone()) {
            Ok(event) => event,
            Err(error) => {
                let dead = death::invalid(
                    log.name(),
                    &log.text(&position),
                    value,
                    &error.to_string(),
                    &trigger.name,
                );
                bury(engine, trigger, position, dead).await;
                continue;
            }
        };
        if !filters.iter().all(|filter| filter.passes(&event)) {
            acks::add(engine, trigger, position);
            continue;
        }
        if log.tells_position() {
            // A full event does without.
            let _ = event.set("triggermeshbackendid", log.text(&position));
        }
        let bytes = event.size() + OVERHEAD;
        let stored = Stored::new(event, Trace::kept(trace.as_deref()), hops);
        if let Some(place) = engine.room.take(bytes, Rank::Reply) {
            stored.hold(place);
        }
        let place = trigger.room.take_anyway(bytes);
        engine.enqueue(trigger, Entry { stored, place, receipt: position });
    }
}

/// Keeps what is no event among the dead letters; until it is there, nothing more is read.
async fn bury<L: Log>(
    engine: &Of<L>,
    trigger: &TriggerOf<L>,
    position: L::Position,
    dead: Result<Event, common::InvalidEvent>,
) {
    use crate::dlq::DeadLetters as _;

    let log = &engine.backend.log;
    let place = log.text(&position);
    let dead = match dead {
        Ok(dead) => dead,
        Err(error) => {
            // The log's name is no source; no log has such a one.
            tracing::error!(trigger = trigger.name, place = &*place, %error, "an entry is no event, and cannot be kept");
            return;
        }
    };
    tracing::error!(
        trigger = trigger.name,
        place = &*place,
        "an entry is no event: it goes to the dead letters"
    );
    let mut pause = FIRST_PAUSE;
    while let Err(error) = log.dead().put(dead.clone()).await {
        tracing::warn!(trigger = trigger.name, reason = error.chain(), "the dead letters cannot be reached");
        tokio::select! {
            () = super::pause(&mut pause) => {}
            () = engine.hurried() => return,
        }
    }
    trigger.metrics.dead_lettered();
    acks::add(engine, trigger, position);
}
