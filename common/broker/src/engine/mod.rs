//! The engine: a queue per trigger, delivery with retries and dead letter, and replies that come back in. Where events
//! are between their acceptance and their delivery is the matter of a backend.

mod backend;
mod drain;
mod failed;
mod metrics;
mod reload;
mod replay;
mod status;
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
use common::{Event, Text, Trace, http::Client, send::SenderOptions};
use http::HeaderMap;
use tokio::sync::Notify;

use crate::{
    credentials::Credentials,
    filter::Index,
    room::{Amount, Rank, Room},
};

use metrics::Metrics;
use status::Moment;

pub use backend::{Backend, Refused};
pub use failed::Failed;
pub use replay::NotReplayed;
pub use trigger::{Entry, Stored, Trigger};

/// What an event takes beside its text and data, near enough.
pub const OVERHEAD: usize = 512;

/// How much a broker holds, and how it treats what it holds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name under which it counts.
    pub name: String,
    /// Events and bytes that it holds at most.
    pub buffer: Amount,
    /// Events and bytes that one trigger holds at most.
    pub share: Amount,
    /// How often an event may come back as a reply to a reply.
    pub max_hops: u32,
    /// The longest wait that is taken from `Retry-After`.
    pub retry_after_max: Duration,
    /// How events are sent where the trigger does not say otherwise.
    pub sending: SenderOptions,
}

/// The broker.
#[derive(Debug)]
pub struct Engine<B: Backend> {
    /// Where events are.
    pub backend: B,
    pub(crate) settings: Settings,
    client: Client,
    /// What all triggers hold.
    pub(crate) room: Arc<Room>,
    pub(crate) table: ArcSwap<Table<B>>,
    /// Every trigger that still has something to do, removed ones too.
    known: Mutex<Vec<Weak<Trigger<B>>>>,
    /// Set when time is up: from then on nothing more is tried but, where events would be lost, the dead letter, and that
    /// until then.
    ending: OnceLock<Instant>,
    /// Tells those who wait for something rare that the end has begun.
    hurry: Notify,
    lost: AtomicU64,
    /// When the last event came in.
    ingested: Moment,
    pub(crate) metrics: Metrics,
}

/// What a document says, made ready for use; replaced as a whole.
#[derive(Debug)]
pub(crate) struct Table<B: Backend> {
    credentials: Option<Credentials>,
    /// The filters of all triggers, by their position.
    pub index: Index,
    pub triggers: Vec<Arc<Trigger<B>>>,
}

impl<B: Backend> Default for Table<B> {
    fn default() -> Self {
        Self { credentials: None, index: Index::default(), triggers: Vec::new() }
    }
}

impl<B: Backend> Engine<B> {
    /// A broker without triggers.
    #[must_use]
    pub fn new(backend: B, mut settings: Settings, client: Client) -> Arc<Self> {
        settings.sending.reply = true;
        Arc::new(Self {
            backend,
            client,
            room: Room::new(settings.buffer),
            table: ArcSwap::default(),
            known: Mutex::default(),
            ending: OnceLock::new(),
            hurry: Notify::new(),
            lost: AtomicU64::new(0),
            ingested: Moment::default(),
            metrics: Metrics::new(&settings.name),
            settings,
        })
    }

    /// Takes in a new event. When it returns `Ok`, the backend has it.
    ///
    /// # Errors
    /// When it has not. Nobody has the event then, but for dead letters that took it because their trigger was over its
    /// share; or, where the connection to a log was lost, perhaps the log.
    pub async fn ingest(self: &Arc<Self>, event: Event, trace: Trace) -> Result<(), Refused> {
        let started = Instant::now();
        let stored = Stored::new(event, trace, 0);
        let result = B::publish(self, &stored, Rank::New).await;
        self.came_in(&stored, &result, started);
        result
    }

    /// Takes in the events of one batch. When it returns `Ok`, the backend has all of them.
    ///
    /// # Errors
    /// When it has not: then it has none of them, as far as it can.
    pub async fn ingest_all(self: &Arc<Self>, events: Vec<Event>, trace: Trace) -> Result<(), Refused> {
        let started = Instant::now();
        let stored: Vec<_> = events.into_iter().map(|event| Stored::new(event, trace.clone(), 0)).collect();
        let result = B::publish_all(self, &stored).await;
        stored.iter().for_each(|stored| self.came_in(stored, &result, started));
        result
    }

    fn came_in(&self, stored: &Stored, result: &Result<(), Refused>, started: Instant) {
        self.metrics.ingested(stored.event.event_type(), result.is_ok(), started.elapsed());
        if result.is_ok() {
            self.ingested.is_now();
        }
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
        for trigger in self.triggers() {
            trigger.metrics.held(trigger.room.taken().events);
        }
        for trigger in &self.table.load().triggers {
            trigger.metrics.phase(trigger.phase().name());
        }
    }

    /// The triggers that have something to do, removed ones too.
    pub(crate) fn triggers(&self) -> Vec<Arc<Trigger<B>>> {
        self.known().iter().filter_map(Weak::upgrade).collect()
    }

    /// Puts an entry into the queue of its trigger.
    pub(crate) fn enqueue(self: &Arc<Self>, trigger: &Arc<Trigger<B>>, entry: Entry<B::Receipt>) {
        let (key, concurrency) = trigger.order(&entry.stored.event);
        if trigger.queue.push(entry, key, concurrency) {
            self.start_slots(trigger, 1);
        }
    }

    /// Says that an event is gone for good.
    fn lose(&self, trigger: &Trigger<B>, event: &Event, reason: &str) {
        self.lost.fetch_add(1, Relaxed);
        trigger.metrics.lost(1);
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

impl<B: Backend> Trigger<B> {
    /// By which key an event is ordered, and how many deliveries may be out at once.
    fn order(&self, event: &Event) -> (Option<Text>, usize) {
        let route = self.route.load();
        let key = route.options.order_by.as_deref().and_then(|name| event.text(name).cloned());
        (key, route.options.concurrency)
    }
}
