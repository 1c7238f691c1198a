//! A broker that keeps its events in memory: a queue per trigger, bounded room, and replies that come back in.
//!
//! An event is accepted when every trigger that wants it has room for it, and by all of them or by none. It stands in
//! memory once, however many triggers wait for it.

mod drain;
mod metrics;
mod reload;
mod seats;
mod trigger;
mod work;

use std::{
    sync::{
        Arc, Mutex, OnceLock, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use common::{Event, Trace, http::Client, send::SenderOptions, worker};
use http::HeaderMap;
use smallvec::SmallVec;
use tokio::sync::Notify;

use crate::{
    credentials::Credentials,
    filter::Index,
    room::{Amount, Place, Rank, Room},
};

use metrics::Metrics;
use seats::Seats;
use trigger::{Entry, Stored, Trigger};

/// What an event takes beside its text and data, near enough.
const OVERHEAD: usize = 512;

/// One trigger holds at most this part of the broker's room.
const SHARE: usize = 4;

/// How much a broker holds, and how it treats what it holds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name under which it counts.
    pub name: String,
    /// Events and bytes that it holds at most.
    pub buffer: Amount,
    /// How long a new event waits for room.
    pub produce_timeout: Duration,
    /// How often an event may come back as a reply to a reply.
    pub max_hops: u32,
    /// The longest wait that is taken from `Retry-After`.
    pub retry_after_max: Duration,
    /// How events are sent where the trigger does not say otherwise.
    pub sending: SenderOptions,
}

/// The broker.
#[derive(Debug)]
pub struct Engine {
    settings: Settings,
    client: Client,
    room: Arc<Room>,
    table: ArcSwap<Table>,
    /// Every trigger that still has something to do, removed ones too.
    known: Mutex<Vec<Weak<Trigger>>>,
    /// Set when time is up: from then on only the dead letter is tried, and until then.
    ending: OnceLock<Instant>,
    /// Tells those who wait for something rare that the end has begun.
    hurry: Notify,
    lost: AtomicU64,
    metrics: Metrics,
}

/// What a document says, made ready for use; replaced as a whole.
#[derive(Debug, Default)]
struct Table {
    credentials: Option<Credentials>,
    index: Index,
    triggers: Vec<Arc<Trigger>>,
}

/// Why an event was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No room within the time: worth another try.
    #[error("the buffer is full")]
    Full,
    /// It could never have room.
    #[error("the event is larger than the buffer can hold")]
    TooLarge,
}

type Triggers = SmallVec<[Arc<Trigger>; 4]>;

impl Engine {
    /// A broker without triggers.
    #[must_use]
    pub fn new(mut settings: Settings, client: Client) -> Arc<Self> {
        settings.sending.reply = true;
        Arc::new(Self {
            client,
            room: Room::new(settings.buffer),
            table: ArcSwap::default(),
            known: Mutex::default(),
            ending: OnceLock::new(),
            hurry: Notify::new(),
            lost: AtomicU64::new(0),
            metrics: Metrics::new(&settings.name),
            settings,
        })
    }

    /// Takes in a new event. When it returns `Ok`, every trigger that wants the event has it.
    ///
    /// # Errors
    /// When there is no room; nobody has the event then, but for dead letters that took it because their trigger
    /// was over its share.
    pub async fn ingest(self: &Arc<Self>, event: Event, trace: Trace) -> Result<(), Refused> {
        let started = Instant::now();
        let stored = Stored::new(event, trace, 0);
        let result = self.publish(&stored, Rank::New).await;
        self.metrics.ingested(stored.event.event_type(), result.is_ok(), started.elapsed());
        result
    }

    /// Whether a request with these headers may send events.
    #[must_use]
    pub fn admits(&self, headers: &HeaderMap) -> bool {
        let admitted =
            self.table.load().credentials.as_ref().is_none_or(|credentials| credentials.admit(headers));
        if !admitted {
            self.metrics.rejected();
        }
        admitted
    }

    /// Brings the numbers of events held up to date.
    pub fn observe(&self) {
        for trigger in self.known().iter().filter_map(Weak::upgrade) {
            trigger.metrics.held(trigger.room.taken().events);
        }
    }

    /// Gives an event to all triggers that want it.
    async fn publish(self: &Arc<Self>, stored: &Arc<Stored>, rank: Rank) -> Result<(), Refused> {
        let triggers = self.wanted_by(&stored.event);
        if triggers.is_empty() {
            self.metrics.unmatched();
            return Ok(());
        }
        let bytes = stored.event.size() + OVERHEAD;
        let seats = match self.seats(&triggers, bytes, rank) {
            Ok(seats) => seats,
            Err(full) => self.wait_for_seats(&triggers, bytes, rank, full).await?,
        };
        if seats.places.iter().any(Option::is_none) {
            Box::pin(self.overflow(&triggers, &seats, stored)).await?;
        }
        self.enqueue(triggers, seats, stored);
        Ok(())
    }

    fn wanted_by(&self, event: &Event) -> Triggers {
        let table = self.table.load();
        let positions = table.index.select(event);
        positions.iter().filter_map(|position| table.triggers.get(*position as usize).cloned()).collect()
    }

    fn enqueue(self: &Arc<Self>, triggers: Triggers, seats: Seats, stored: &Arc<Stored>) {
        stored.hold(seats.total);
        for (trigger, place) in triggers.into_iter().zip(seats.places) {
            let Some(place) = place else { continue };
            let route = trigger.route.load();
            let key = route.options.order_by.as_deref().and_then(|name| stored.event.text(name).cloned());
            let concurrency = route.options.concurrency;
            drop(route);
            let entry = Entry { stored: stored.clone(), _place: place };
            if trigger.queue.push(entry, key, concurrency) {
                worker::spawn(work::slot(self.clone(), trigger));
            }
        }
    }

    /// Says that an event is gone for good.
    fn lose(&self, trigger: &Trigger, event: &Event, reason: &str) {
        self.lost.fetch_add(1, Relaxed);
        trigger.metrics.lost();
        tracing::error!(
            lost = true,
            trigger = trigger.name,
            id = event.id(),
            r#type = event.event_type(),
            source = event.source(),
            reason,
            "Event was lost"
        );
    }
}
