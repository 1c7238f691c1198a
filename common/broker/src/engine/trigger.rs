//! A trigger at work: its queue, its share of the room, and where it delivers now.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwap;
use common::{Event, Trace, send::Sender};
use tokio::sync::Notify;

use super::{Backend, metrics::TriggerMetrics, status::Status};
use crate::{
    policy::Options,
    queue::Queue,
    room::{Place, Room},
};

/// An event in memory, once for all triggers that wait for it.
#[derive(Debug)]
pub struct Stored {
    /// The event.
    pub event: Event,
    /// The trace that it belongs to.
    pub trace: Trace,
    /// How many replies led to it.
    pub hops: u32,
    /// Its place in the broker, once it has one.
    place: OnceLock<Place>,
}

impl Stored {
    /// An event on its way in. It is put where it will stay: moving it through futures costs more than the rest.
    #[must_use]
    pub fn new(event: Event, trace: Trace, hops: u32) -> Arc<Self> {
        Arc::new(Self { event, trace, hops, place: OnceLock::new() })
    }

    /// Gives it its place for as long as it lives.
    pub(crate) fn hold(&self, place: Place) {
        // An event comes in once.
        let _ = self.place.set(place);
    }
}

/// An event in the queue of one trigger.
#[derive(Debug)]
pub struct Entry<R> {
    /// The event.
    pub stored: Arc<Stored>,
    /// Its place in the trigger's share.
    pub(crate) place: Place,
    /// What the backend knows it by.
    pub(crate) receipt: R,
}

/// A trigger; lives until its last event is done, even when it was removed meanwhile.
#[derive(Debug)]
pub struct Trigger<B: Backend> {
    /// Its name, unique in the document.
    pub name: String,
    /// Looked at before each try, so that a change counts from the next one.
    pub(crate) route: ArcSwap<Route>,
    pub(crate) room: Arc<Room>,
    pub(crate) queue: Queue<Entry<B::Receipt>>,
    /// Ends every wait and every try when the broker's time is up.
    pub(crate) hurry: Notify,
    pub(crate) metrics: TriggerMetrics,
    pub(crate) status: Status,
    pub(crate) lane: B::Lane,
}

/// Where a trigger delivers.
#[derive(Debug)]
pub(crate) struct Route {
    pub options: Options,
    pub target: Option<Sender>,
    pub dead_letter: Option<Sender>,
}
