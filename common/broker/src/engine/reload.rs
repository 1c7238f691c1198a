//! A new document: triggers that stay keep their queues, what changed counts from the next event or the next try.

use std::{
    collections::HashMap,
    sync::{Arc, MutexGuard, PoisonError, Weak},
};

use arc_swap::ArcSwap;
use common::send::Sender;
use http::Uri;
use tokio::sync::Notify;

use super::{
    Backend, Engine, Table,
    status::Status,
    trigger::{Route, Trigger},
};
use crate::{
    document::{Document, TriggerSpec},
    filter::Index,
    policy::Options,
    queue::Queue,
};

impl<B: Backend> Engine<B> {
    /// Puts a document into force. Filters count for later events, target and options from the next try on; a trigger
    /// that is gone gets no more events but delivers those it has.
    pub fn load(self: &Arc<Self>, document: Document) {
        for warning in &document.warnings {
            tracing::warn!(warning, "the configuration document has an oddity");
        }
        let mut known = self.known();
        known.retain(|trigger| trigger.strong_count() > 0);
        let mut before: HashMap<String, Arc<Trigger<B>>> =
            known.iter().filter_map(Weak::upgrade).map(|trigger| (trigger.name.clone(), trigger)).collect();
        let mut triggers = Vec::with_capacity(document.triggers.len());
        let mut filters = Vec::with_capacity(document.triggers.len());
        for TriggerSpec { name, filters: own, options, bounds, ephemeral } in document.triggers {
            let trigger = match before.remove(&name) {
                Some(trigger) => {
                    self.reroute(&trigger, options);
                    trigger
                }
                None => {
                    let lane = self.backend.lane(&name, bounds.as_ref());
                    let trigger = Arc::new(self.trigger(name, options, lane));
                    known.push(Arc::downgrade(&trigger));
                    trigger
                }
            };
            filters.push(B::opened(self, &trigger, own, ephemeral));
            triggers.push(trigger);
        }
        drop(known);
        let (index, count) = (Index::new(filters), triggers.len());
        self.table.store(Arc::new(Table { credentials: document.ingest, index, triggers }));
        before.values().for_each(|trigger| B::closed(self, trigger));
        tracing::info!(triggers = count, "the configuration document is in force");
    }

    fn trigger(&self, name: String, options: Options, lane: B::Lane) -> Trigger<B> {
        Trigger {
            metrics: self.metrics.trigger(&name),
            name,
            route: ArcSwap::from_pointee(self.route(options)),
            room: B::room(self.settings.share),
            queue: Queue::default(),
            hurry: Notify::new(),
            status: Status::default(),
            lane,
        }
    }

    fn reroute(self: &Arc<Self>, trigger: &Arc<Trigger<B>>, options: Options) {
        if trigger.route.load().options == options {
            return;
        }
        trigger.route.store(Arc::new(self.route(options)));
        self.fill_slots(trigger);
    }

    fn route(&self, options: Options) -> Route {
        let mut sending = self.settings.sending.clone();
        sending.timeout = options.timeout.unwrap_or(sending.timeout);
        let sender = |url: &Option<String>| {
            // The document was read with the same parser, so that no URL in it fails here.
            let uri: Uri = url.as_deref()?.parse().ok()?;
            Some(Sender::new(uri, self.client.clone(), sending.clone()))
        };
        Route { target: sender(&options.url), dead_letter: sender(&options.dead_letter_url), options }
    }

    pub(super) fn known(&self) -> MutexGuard<'_, Vec<Weak<Trigger<B>>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
